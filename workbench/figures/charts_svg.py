"""Small charts as static SVG: parity and residuals, for reports that load nothing from anywhere.

Train, validation and test rows differ in the shape of their marks as well as in colour. Colours are CSS classes under `.kan-chart`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workbench.figures.markup import coordinate, escape, number
from workbench.figures.markup import unit as unit_text

STYLE = """
.kan-chart { font-family: system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; font-size: 11px; }
.kan-chart .paper { fill: #ffffff; }
.kan-chart text { fill: #4b5563; }
.kan-chart .axis-name { fill: #1f2430; font-size: 12px; }
.kan-chart .frame { fill: none; stroke: #c9ced8; }
.kan-chart .grid { stroke: #eceef2; }
.kan-chart .ideal { stroke: #6b7280; stroke-width: 1.2; stroke-dasharray: 5 4; }
.kan-chart .mark { stroke-width: 1.2; }
.kan-chart .mark0 { fill: #1d64d8; fill-opacity: 0.35; stroke: #1d64d8; stroke-opacity: 0.8; }
.kan-chart .mark1 { fill: #ffffff; fill-opacity: 0; stroke: #c2660a; }
.kan-chart .mark2 { fill: #0a7f55; fill-opacity: 0.4; stroke: #0a7f55; }
"""

# For a picture on a page that may be light or dark, which a picture cannot know: nothing behind it, greys that stand on both.
ON_ANY_GROUND = (
    STYLE
    + """
.kan-chart .paper { fill: none; }
.kan-chart text, .kan-chart .axis-name { fill: #7d8494; }
.kan-chart .frame, .kan-chart .grid { stroke: #808080; stroke-opacity: 0.25; }
.kan-chart .ideal { stroke: #8b919e; }
.kan-chart .mark0 { fill: #3b82f6; stroke: #3b82f6; }
.kan-chart .mark1 { stroke: #d9780f; }
.kan-chart .mark2 { fill: #12a06e; stroke: #12a06e; }
"""
)

MOST_POINTS = 3000
_LEFT, _RIGHT, _TOP, _BOTTOM = 62.0, 14.0, 30.0, 44.0


@dataclass(frozen=True, eq=False)
class Series:
    """Points of one kind, such as the test rows: name, x (n,), y (n,)."""

    name: str
    x: np.ndarray
    y: np.ndarray


def parity_svg(parts: Sequence[tuple[str, np.ndarray, np.ndarray]], name: str, unit: str | None = None, width: float = 440.0, style: str = STYLE) -> str:
    """Draw predicted against measured values; on the dashed line they are equal.

    Parameters
    ----------
    parts : (name, measured (n,), predicted (n,)) for training, validation and test rows
    name, unit : of the target
    """
    label = _labelled(name, unit)
    series = [Series(part, measured, predicted) for part, measured, predicted in parts]
    return scatter_svg(series, (f"measured {label}", "predicted"), ideal="diagonal", width=width, style=style)


def residuals_svg(parts: Sequence[tuple[str, np.ndarray, np.ndarray]], name: str, unit: str | None = None, width: float = 440.0, style: str = STYLE) -> str:
    """Draw measured minus predicted against predicted values; a law leaves no shape in them. Parameters as in `parity_svg`."""
    label = _labelled(name, unit)
    series = [Series(part, predicted, measured - predicted) for part, measured, predicted in parts]
    return scatter_svg(series, (f"predicted {label}", "measured − predicted"), ideal="zero", width=width, style=style)


def scatter_svg(series: Sequence[Series], labels: tuple[str, str], ideal: str, width: float = 440.0, style: str = STYLE) -> str:
    """Draw points of several kinds with a dashed line where they ought to lie.

    Parameters
    ----------
    series : at most three kinds of points; of many points every k-th is drawn, and the chart says so
    labels : of the two axes
    ideal : "diagonal" (both axes alike) or "zero"
    width : in CSS pixels; the height is nine tenths of it
    style : STYLE, on white, or ON_ANY_GROUND
    """
    height = 0.9 * width
    cleaned, aside = _thinned(series)
    if not any(len(part.x) for part in cleaned):
        return _empty(width, height, style)
    x_range = _range(np.concatenate([part.x for part in cleaned]))
    y_range = _range(np.concatenate([part.y for part in cleaned]))
    if ideal == "diagonal":
        x_range = y_range = (min(x_range[0], y_range[0]), max(x_range[1], y_range[1]))
    else:
        y_range = (min(y_range[0], 0.0), max(y_range[1], 0.0))
    plot = _Plot(width, height, x_range, y_range)
    body = [*plot.axes(labels), plot.ideal(ideal), *plot.marks(cleaned), _legend(cleaned, plot, aside)]
    w, h = coordinate(width), coordinate(height)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" class="kan-chart" role="img" viewBox="0 0 {w} {h}" width="{w}" height="{h}">'
    title = f"<title>{escape(labels[1])} against {escape(labels[0])}</title>"
    return "\n".join([head, f"{title}<style>{style}</style>", f'<rect class="paper" width="{w}" height="{h}"/>', *body, "</svg>"])


def _labelled(name: str, unit: str | None) -> str:
    return f"{name} ({unit_text(unit)})" if unit else name


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Return round numbers within a range: steps of 1, 2 or 5 times a power of ten.

    >>> ticks(-0.3, 4.2)
    [0.0, 1.0, 2.0, 3.0, 4.0]
    """
    rough = (high - low) / max(1, most)
    base = 10.0 ** math.floor(math.log10(rough))
    step = next(base * factor for factor in (1.0, 2.0, 5.0, 10.0) if base * factor >= rough * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [k * step for k in range(first, last + 1)]


class _Plot:
    """The frame of one chart: from values to coordinates."""

    def __init__(self, width: float, height: float, x_range: tuple[float, float], y_range: tuple[float, float]) -> None:
        self.width, self.height, self.x_range, self.y_range = width, height, x_range, y_range

    def x(self, value: float) -> float:
        low, high = self.x_range
        return _LEFT + (value - low) / (high - low) * (self.width - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        low, high = self.y_range
        return self.height - _BOTTOM - (value - low) / (high - low) * (self.height - _TOP - _BOTTOM)

    def axes(self, labels: tuple[str, str]) -> list[str]:
        left, right, top, bottom = _LEFT, self.width - _RIGHT, _TOP, self.height - _BOTTOM
        drawn = []
        for value in ticks(*self.x_range):
            x = coordinate(self.x(value))
            drawn.append(f'<line class="grid" x1="{x}" x2="{x}" y1="{coordinate(top)}" y2="{coordinate(bottom)}"/>')
            drawn.append(f'<text x="{x}" y="{coordinate(bottom + 15)}" text-anchor="middle">{number(value)}</text>')
        for value in ticks(*self.y_range):
            y = self.y(value)
            drawn.append(f'<line class="grid" x1="{coordinate(left)}" x2="{coordinate(right)}" y1="{coordinate(y)}" y2="{coordinate(y)}"/>')
            drawn.append(f'<text x="{coordinate(left - 6)}" y="{coordinate(y + 3.8)}" text-anchor="end">{number(value)}</text>')
        size = f'width="{coordinate(right - left)}" height="{coordinate(bottom - top)}"'
        drawn.append(f'<rect class="frame" x="{coordinate(left)}" y="{coordinate(top)}" {size}/>')
        middle = (left + right) / 2, (top + bottom) / 2
        drawn.append(f'<text class="axis-name" x="{coordinate(middle[0])}" y="{coordinate(self.height - 10)}" text-anchor="middle">{escape(labels[0], 50)}</text>')
        turned = f'transform="translate(13 {coordinate(middle[1])}) rotate(-90)"'
        return [*drawn, f'<text class="axis-name" {turned} text-anchor="middle">{escape(labels[1], 40)}</text>']

    def ideal(self, kind: str) -> str:
        low, high = self.x_range
        first, last = (low, high) if kind == "diagonal" else (0.0, 0.0)
        ends = (self.x(low), self.y(first), self.x(high), self.y(last))
        return '<line class="ideal" x1="{}" y1="{}" x2="{}" y2="{}"/>'.format(*map(coordinate, ends))

    def marks(self, series: Sequence[Series]) -> list[str]:
        """Draw each kind of point as one path: dots, rings, diamonds."""
        drawn = []
        for kind, part in enumerate(series):
            path = "".join(_mark(kind, self.x(x), self.y(y)) for x, y in zip(part.x.tolist(), part.y.tolist(), strict=True))
            drawn.append(f'<path class="mark mark{kind}" d="{path}"><title>{escape(part.name)}</title></path>')
        return drawn


def _mark(kind: int, x: float, y: float) -> str:
    """Return the outline of a mark: a dot, a ring, a diamond."""
    r = (2.4, 3.4, 4.0)[kind]
    if kind == 2:
        return f"M{coordinate(x)} {coordinate(y - r)}l{r} {r}l-{r} {r}l-{r} -{r}z"
    return "M{} {}a{r} {r} 0 1 0 {d} 0a{r} {r} 0 1 0 -{d} 0".format(coordinate(x - r), coordinate(y), r=r, d=2 * r)


def _legend(series: Sequence[Series], plot: _Plot, aside: str) -> str:
    parts, x = [], _LEFT + 6.0
    for kind, part in enumerate(series):
        parts.append(f'<path class="mark mark{kind}" d="{_mark(kind, x, 15.0)}"/><text x="{coordinate(x + 9)}" y="19">{escape(part.name, 20)}</text>')
        x += 24.0 + 6.2 * len(part.name)
    if aside:
        parts.append(f'<text x="{coordinate(plot.width - _RIGHT)}" y="19" text-anchor="end">{escape(aside)}</text>')
    return "".join(parts)


def _thinned(series: Sequence[Series]) -> tuple[list[Series], str]:
    """Drop points without a value and, where there are very many, all but every k-th; say so."""
    finite = []
    for part in series[:3]:
        x, y = np.asarray(part.x, dtype=float), np.asarray(part.y, dtype=float)
        known = np.isfinite(x) & np.isfinite(y)
        finite.append(Series(part.name, x[known], y[known]))
    total = sum(len(part.x) for part in finite)
    every = max(1, -(-total // MOST_POINTS))
    kept = [Series(part.name, part.x[::every], part.y[::every]) for part in finite if len(part.x)]
    return kept, f"every {_ordinal(every)} of {total} rows" if every > 1 else ""


def _ordinal(number: int) -> str:
    """Return a whole number as a place in a row.

    >>> [_ordinal(n) for n in (2, 3, 4, 11, 12, 21)]
    ['2nd', '3rd', '4th', '11th', '12th', '21st']
    """
    return f"{number}{'th' if number % 100 in (11, 12, 13) else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def _range(values: np.ndarray) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    margin = 0.04 * (high - low) or 0.5 * abs(high) or 1.0
    return low - margin, high + margin


def _empty(width: float, height: float, style: str) -> str:
    w, h = coordinate(width), coordinate(height)
    words = f'<text x="{coordinate(width / 2)}" y="{coordinate(height / 2)}" text-anchor="middle">no rows with a value</text>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" class="kan-chart" viewBox="0 0 {w} {h}" width="{w}" height="{h}"><style>{style}</style>{words}</svg>'
