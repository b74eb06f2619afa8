"""Interactive figures with Plotly: data in, figure out.

Plotly (0.5 s to import) is imported when a figure is made, and the numerics only for figures of a network. Colours of the page belong to its theme: figures have a transparent ground.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from workbench.figures.markup import escape
from workbench.figures.markup import unit as unit_text

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from workbench.figures.drawing import Drawing, Labels
    from workbench.networks import KAN

Parts = Sequence[tuple[str, np.ndarray, np.ndarray]]

COLOURS = {"spline": "#1d64d8", "rational": "#1d64d8", "snapped": "#0a7f55", "locked": "#7c3aed", "pruned": "#9aa3b2"}
DASHES = {"spline": "solid", "rational": "solid", "snapped": "solid", "locked": "dash", "pruned": "dot"}
_SYMBOLS = ("circle", "circle-open", "diamond")
_PART_COLOURS = ("#1d64d8", "#c2660a", "#0a7f55")
MOST_CURVES = 60


def edge_curves(network: KAN, X: np.ndarray, importance: Sequence[np.ndarray] | None = None, labels: Labels | None = None) -> go.Figure:
    """Draw every learned edge function over the values it receives; opacity is importance, colour and dash are the state.

    Parameters
    ----------
    network, X, importance, labels : as in `drawing`; of very many edges the 60 most important are drawn, and the title says so
    """
    from plotly.subplots import make_subplots

    from workbench.figures.drawing import drawing

    drawn = drawing(network, X, importance, labels, scale="own")
    alive = [edge for edge in drawn["edges"] if edge["state"] != "pruned"]
    names = {edge["id"] for edge in sorted(alive, key=lambda edge: -edge["importance"])[:MOST_CURVES]}
    shown = [edge for edge in alive if edge["id"] in names]
    columns = min(5, max(1, len(shown)))
    rows = -(-max(1, len(shown)) // columns)
    titles = [f"{escape(edge['label'], 40)}" for edge in shown]
    figure = make_subplots(rows=rows, cols=columns, subplot_titles=titles, vertical_spacing=min(0.25, 0.4 / rows), horizontal_spacing=0.06)
    for k, edge in enumerate(shown):
        figure.add_trace(_curve(edge), row=k // columns + 1, col=k % columns + 1)
    title = "" if len(shown) == len(alive) else f"the {len(shown)} most important of {len(alive)} edges"
    figure.update_annotations(font_size=12)
    return styled(figure, title=title, height=90 + 170 * rows, showlegend=False)


def parity(parts: Parts, name: str, unit: str | None = None) -> go.Figure:
    """Plot predicted against measured values; on the dashed line they are equal.

    Parameters
    ----------
    parts : (name, measured (n,), predicted (n,)) for training, validation and test rows
    name, unit : of the target
    """
    import plotly.graph_objects as go

    figure = go.Figure([_points(k, part, measured, predicted) for k, (part, measured, predicted) in enumerate(parts)])
    everything = np.concatenate([np.concatenate([m, p]) for _, m, p in parts])
    finite = everything[np.isfinite(everything)]
    if finite.size:
        ends = [float(finite.min()), float(finite.max())]
        figure.add_trace(go.Scatter(x=ends, y=ends, mode="lines", line={"dash": "dash", "color": "#6b7280"}, name="equal", hoverinfo="skip"))
    label = escape(f"{name} ({unit_text(unit)})" if unit else name, 60)
    return styled(figure, xaxis_title=f"measured {label}", yaxis_title="predicted")


def residuals(parts: Parts, name: str, unit: str | None = None) -> go.Figure:
    """Plot measured minus predicted against predicted values. Parameters as in `parity`."""
    import plotly.graph_objects as go

    figure = go.Figure([_points(k, part, predicted, measured - predicted) for k, (part, measured, predicted) in enumerate(parts)])
    figure.add_hline(y=0.0, line={"dash": "dash", "color": "#6b7280"})
    label = escape(f"{name} ({unit_text(unit)})" if unit else name, 60)
    return styled(figure, xaxis_title=f"predicted {label}", yaxis_title="measured − predicted")


def pareto(complexities: Sequence[int], errors: Sequence[float], texts: Sequence[str], picked: int | None = None) -> go.Figure:
    """Plot error against complexity of formulas, one mark each; the picked one is a star.

    Parameters
    ----------
    complexities, errors, texts : one entry per formula, simplest first; errors above 0 are shown on a logarithmic scale
    picked : number of the formula that was picked
    """
    import plotly.graph_objects as go

    symbols = ["star" if k == picked else "circle" for k in range(len(texts))]
    sizes = [16 if k == picked else 9 for k in range(len(texts))]
    hover = [f"<b>{escape(text, 160)}</b><br>complexity {c}<br>error {e:.4g}" for text, c, e in zip(texts, complexities, errors, strict=True)]
    line = {"shape": "hv", "color": "#9aa3b2", "width": 1}
    marks = {"symbol": symbols, "size": sizes, "color": COLOURS["spline"]}
    trace = go.Scatter(x=list(complexities), y=list(errors), mode="lines+markers", line=line, marker=marks, hovertext=hover, hoverinfo="text")
    positive = all(error > 0 for error in errors)
    return styled(
        go.Figure(trace), xaxis_title="complexity", yaxis_title="validation error", yaxis_type="log" if positive else "linear", showlegend=False
    )


def learning_curve(rmse: Sequence[float], name: str = "training rows") -> go.Figure:
    """Plot the error after each iteration of a fit on a logarithmic scale."""
    import plotly.graph_objects as go

    trace = go.Scatter(x=list(range(len(rmse))), y=list(rmse), mode="lines", line={"color": COLOURS["spline"]}, name=name)
    return styled(go.Figure(trace), xaxis_title="iteration", yaxis_title="error (share of the target's spread)", yaxis_type="log")


def pruning_curve(n_edges: Sequence[int], errors: Sequence[float], standard_errors: Sequence[float] | None = None, kept: int | None = None) -> go.Figure:
    """Plot the validation error against the number of edges kept, with its standard error.

    Parameters
    ----------
    n_edges, errors, standard_errors : one entry per step
    kept : number of edges at which to draw a line
    """
    import plotly.graph_objects as go

    bars = None if standard_errors is None else {"type": "data", "array": list(standard_errors), "color": "#9aa3b2"}
    trace = go.Scatter(x=list(n_edges), y=list(errors), error_y=bars, mode="lines+markers", line={"color": COLOURS["spline"]})
    figure = go.Figure(trace)
    if kept is not None:
        figure.add_vline(x=kept, line={"dash": "dash", "color": COLOURS["snapped"]}, annotation_text=f"{kept} edges")
    return styled(figure, xaxis_title="edges kept", yaxis_title="validation error", showlegend=False)


def styled(figure: go.Figure, **layout: object) -> go.Figure:
    """Give a figure, in its own memory, the margins, the transparent ground and the grid that all figures have."""
    base = {"margin": {"l": 60, "r": 20, "t": 40, "b": 50}, "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)"}
    figure.update_layout(**{**base, "legend": {"orientation": "h", "y": 1.08}, **layout})
    figure.update_xaxes(gridcolor="rgba(128,128,128,0.2)", zeroline=False)
    figure.update_yaxes(gridcolor="rgba(128,128,128,0.2)", zeroline=False)
    return figure


def _curve(edge: Drawing) -> go.Scatter:
    import plotly.graph_objects as go

    low, high = edge["range"]
    y = [None if value is None else low + value / 1000.0 * (high - low) for value in edge["y"]]
    line = {"color": COLOURS[edge["state"]], "dash": DASHES[edge["state"]], "width": 2.5}
    opacity = 0.25 + 0.75 * min(1.0, edge["importance"])
    words = f"{escape(edge['label'])}<br>importance {100 * edge['importance']:.0f} %" + (f"<br>{escape(edge['form'])}" if edge["form"] else "")
    return go.Scatter(x=np.linspace(*edge["x"], len(y)), y=y, mode="lines", line=line, opacity=opacity, name=words, hoverinfo="x+y+name")


def _points(kind: int, name: str, x: Iterable[float], y: Iterable[float]) -> go.Scatter:
    import plotly.graph_objects as go

    marker = {"symbol": _SYMBOLS[kind % 3], "color": _PART_COLOURS[kind % 3], "size": 7, "opacity": 0.75}
    return go.Scatter(x=np.asarray(x), y=np.asarray(y), mode="markers", marker=marker, name=name)
