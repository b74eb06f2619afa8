"""The activation functions of a transformer as one static SVG, every curve over the density of what its function receives.

Its colours stand on a light and on a dark ground alike: a picture cannot know which it is shown on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workbench.figures.markup import escape

STYLE = """
.kan-functions { font-family: system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; font-size: 11px; }
.kan-functions text { fill: #7d8494; }
.kan-functions .block { font-size: 12.5px; font-weight: 600; }
.kan-functions .name { fill: #128a61; font-weight: 600; }
.kan-functions .cell { fill: none; stroke: #808080; stroke-opacity: 0.3; }
.kan-functions .density { fill: #808080; fill-opacity: 0.2; }
.kan-functions .zero { stroke: #808080; stroke-opacity: 0.45; stroke-dasharray: 2 3; fill: none; }
.kan-functions .spline { stroke: #2f80d6; }
.kan-functions .snapped { stroke: #128a61; }
.kan-functions .curve { fill: none; stroke-width: 2; stroke-linejoin: round; }
"""
_LABEL, _WIDTH, _HEIGHT, _GAP, _PAD = 118, 168, 96, 10, 10  # px
_TALLEST = 34  # px of a density


def functions_svg(drawn: Mapping[str, Any]) -> str:
    """Return the functions that `figures.functions` describes as an SVG text."""
    places, functions = drawn["places"], drawn["functions"]
    columns = max((function["group"] for function in functions), default=0) + 1
    width, height = _LABEL + columns * (_WIDTH + _GAP), len(places) * (_HEIGHT + _GAP)
    labels = "".join(_label(places, k) for k in range(len(places)))
    cells = "".join(_cell(function) for function in functions)
    named = sum(function["state"] == "snapped" for function in functions)
    words = f"{len(functions)} activation functions, {named} of them with a name"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="kan-functions" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="{words}"><style>{STYLE}</style>{labels}{cells}</svg>'
    )


def _label(places: Sequence[Mapping[str, Any]], k: int) -> str:
    place, y = places[k], k * (_HEIGHT + _GAP) + _HEIGHT / 2
    block = escape(place["label"], 20) if k == 0 or places[k - 1]["label"] != place["label"] else ""
    lines = (f'<text class="block" x="0" y="{y - 14:g}">{block}</text>', f'<text x="0" y="{y + 2:g}">{escape(place["detail"], 24)}</text>')
    return "".join(lines) + f'<text x="0" y="{y + 17:g}">{place["channels"]} channels each</text>'


def _cell(function: Mapping[str, Any]) -> str:
    left, top = _LABEL + function["group"] * (_WIDTH + _GAP), function["place"] * (_HEIGHT + _GAP)
    y, last = function["y"], max(1, len(function["y"]) - 1)
    heights = [_HEIGHT - _PAD - (_HEIGHT - 2 * _PAD) * value / 1000 for value in y]
    curve = "".join(f"{'L' if k else 'M'}{_WIDTH * k / last:.1f},{height:.1f}" for k, height in enumerate(heights))
    name = "" if function["form"] is None else f'<text class="name" x="8" y="16">{escape(function["form"], 22)}</text>'
    title = f"<title>{escape(function['label'])}, {function['channels']} channels: {escape(function['text'])}</title>"
    return (
        f'<g transform="translate({left:g},{top:g})">{title}<path class="density" d="{_silhouette(function["density"])}"/><path class="zero" d="{_zero(function)}"/>'
        f'<path class="curve {"snapped" if function["state"] == "snapped" else "spline"}" d="{curve}"/>'
        f'<rect class="cell" x="0.5" y="0.5" width="{_WIDTH - 1}" height="{_HEIGHT - 1}" rx="6"/>{name}</g>'
    )


def _silhouette(density: Sequence[float]) -> str:
    steps = "".join(f"L{_WIDTH * (k + 0.5) / len(density):.1f},{_HEIGHT - 1 - _TALLEST * share / 100:.1f}" for k, share in enumerate(density))
    return f"M0,{_HEIGHT - 1}{steps}L{_WIDTH},{_HEIGHT - 1}Z"


def _zero(function: Mapping[str, Any]) -> str:
    """Return lines where the argument, and the value, are zero."""
    (start, end), (low, high) = function["x"], function["range"]
    upright = f"M{_WIDTH * -start / (end - start):.1f},0V{_HEIGHT}" if start < 0 < end else ""
    flat = f"M0,{_HEIGHT - _PAD - (_HEIGHT - 2 * _PAD) * -low / (high - low):.1f}H{_WIDTH}" if low < 0 < high else ""
    return upright + flat
