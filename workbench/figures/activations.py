"""Figures of a transformer that is being read: its activation functions over what they receive, and its attention maps.

Plotly (0.5 s to import) is imported when a figure is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from workbench.figures.markup import escape
from workbench.figures.plots import COLOURS, MOST_CURVES, styled

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from workbench.activations import GroupFunction, KATReading, Received

_COLUMNS = 4
_TALLEST = 0.4  # height of the density's highest bar, in units of the curve's own range


def function_curves(reading: KATReading) -> go.Figure:
    """Draw every activation function over the values it received, with their density in grey beneath; colour says whether it has a name.

    Of very many functions the first sixty are drawn, and the title says so.
    """
    from plotly.subplots import make_subplots

    shown = reading.functions[:MOST_CURVES]
    columns = min(_COLUMNS, len(shown))
    rows = -(-len(shown) // columns)
    titles = [escape(_title(function), 40) for function in shown]
    figure = make_subplots(rows=rows, cols=columns, subplot_titles=titles, vertical_spacing=min(0.25, 0.4 / rows), horizontal_spacing=0.06)
    for k, function in enumerate(shown):
        for trace in _traces(function, reading.received(function.address), reading.curve(function.address)):
            figure.add_trace(trace, row=k // columns + 1, col=k % columns + 1)
    title = "" if len(shown) == len(reading.functions) else f"the first {len(shown)} of {len(reading.functions)} functions"
    figure.update_annotations(font_size=12)
    return styled(figure, title=title, height=90 + 170 * rows, showlegend=False)


def attention_heads(maps: np.ndarray, tokens: Sequence[str] | None = None) -> go.Figure:
    """Draw the attention maps of one row, one square per head: who looks (down) at whom (across).

    Parameters
    ----------
    maps : (n_heads, n_tokens, n_tokens)
    tokens : names of the tokens; the class token and numbers when left out
    """
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    names = list(tokens) if tokens is not None else ["class", *map(str, range(1, maps.shape[1]))]
    columns = min(_COLUMNS, len(maps))
    rows = -(-len(maps) // columns)
    figure = make_subplots(rows=rows, cols=columns, subplot_titles=[f"head {head + 1}" for head in range(len(maps))])
    for head, values in enumerate(maps):
        trace = go.Heatmap(z=values, x=names, y=names, coloraxis="coloraxis")
        figure.add_trace(trace, row=head // columns + 1, col=head % columns + 1)
    figure.update_yaxes(autorange="reversed")
    return styled(figure, height=90 + 230 * rows, coloraxis={"colorscale": "Blues", "cmin": 0.0, "cmax": float(maps.max())})


def _title(function: GroupFunction) -> str:
    path, group = function.address
    name = "" if function.name is None else f": {function.name.form.name}"
    return f"{path}[{group}]{name}"


def _traces(function: GroupFunction, received: Received, curve: tuple[np.ndarray, np.ndarray]) -> tuple[go.Scatter, go.Scatter]:
    """Return the density, standing on the lowest value of the curve, and the curve."""
    import plotly.graph_objects as go

    shares, edges = received.density
    low, span = float(curve[1].min()), float(np.ptp(curve[1])) or 1.0
    heights = low + _TALLEST * span * np.repeat(shares / shares.max(), 2)
    ground = {"color": "rgba(128,128,128,0.45)", "width": 0}
    x = np.concatenate([edges[:1], np.repeat(edges, 2)[1:-1], edges[-1:]])
    y = np.concatenate([[low], heights, [low]])
    density = go.Scatter(x=x, y=y, mode="lines", line=ground, fill="toself", name="received", hoverinfo="skip")
    line = {"color": COLOURS["spline" if function.name is None else "snapped"], "width": 2.5}
    words = f"{escape(function.text, 120)}<br>{function.n_channels} channels"
    return density, go.Scatter(x=curve[0], y=curve[1], mode="lines", line=line, name=words, hoverinfo="x+y+name")
