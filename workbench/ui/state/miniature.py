"""A network the size of a line of text: nodes, and a wire for every edge, in the colour and the dash of its state.

    learned   blue, thin          locked    violet, dashed
    snapped   green, bold         pruned    grey, dotted

All wires of one state are one path, on whole pixels, and nothing is written: a picture is a kilobyte or two, and no name
from a stranger's file can get into one. A product node is a bar that its factors end on. Thin wires lie over bold ones, so
that both are seen where they cross. Of a layer with more wires than the eye can part, the most important ones are drawn.

A picture cannot see the theme of the page, so that every colour has the contrast that graphics need, 3 : 1, on a light and
on a dark one alike (WCAG 2.2, 1.4.11).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

Json = Mapping[str, Any]

WIDTH, HEIGHT = 88, 36  # px
NODE = "#7d8296"
STATES = {  # state -> colour, width in px, dashes; from the lowest to the one on top
    "pruned": ("#858a9c", 1.0, "1.5 2.5"),
    "snapped": ("#128a61", 2.2, "none"),
    "locked": ("#b04fc2", 1.7, "5 2"),
    "rational": ("#2f80d6", 1.0, "none"),
    "spline": ("#2f80d6", 1.0, "none"),
}
_MARGIN = 4  # px
_LOOSEST = 11  # px from node to node, where there is room
_MOST_WIRES = 40  # per layer
_CROWD = 24  # wires of a layer, above which all are drawn finer
_OVER_URL = str.maketrans({"<": "%3C", ">": "%3E", "#": "%23"})

Place = tuple[int, int]


def picture_of(view: Json) -> str | None:
    """Return what is stored of a state as a small SVG; None where nothing was drawn."""
    if view.get("functions"):
        return functions_picture(view["functions"])
    return picture(view["drawing"]) if view.get("drawing") else None


def functions_picture(functions: Sequence[Json]) -> str:
    """Return the activation functions of a transformer as small bars, a row for every activation; those with a name are green and bold."""
    rows = max(function["place"] for function in functions) + 1
    columns = max(function["group"] for function in functions) + 1
    pitch = (WIDTH - 2 * _MARGIN) / columns, (HEIGHT - 2 * _MARGIN) / rows
    strokes: dict[str, dict[str, None]] = {"snapped": {}, "spline": {}}
    for function in functions:
        x, y = round(_MARGIN + pitch[0] * function["group"] + 1), round(_MARGIN + pitch[1] * (function["place"] + 0.5))
        strokes["snapped" if function["state"] == "snapped" else "spline"][f"M{x},{y}h{max(1, round(pitch[0]) - 3)}"] = None
    paths = [_path(state, found, *STATES[state], 1.0) for state, found in strokes.items() if found]
    return f"<svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH}' height='{HEIGHT}' fill='none'>{''.join(paths)}</svg>"


def picture(drawing: Json) -> str:
    """Return a stored drawing (workbench.figures.drawing) as a small SVG."""
    columns = [layer["nodes"] for layer in drawing["layers"]]
    places = [dict(_column(nodes, depth, len(columns))) for depth, nodes in enumerate(columns)]
    ends = [dict(_ends(nodes, places[depth])) for depth, nodes in enumerate(columns)]
    strokes: dict[str, dict[str, None]] = {state: {} for state in STATES}  # in order, and what would be drawn twice once
    for edge in _shown(drawing["edges"]):
        (x0, y0), (x1, y1) = places[edge["layer"]][edge["source"]], ends[edge["layer"] + 1][edge["target"]]
        strokes[edge["state"]][f"M{x0},{y0}L{x1},{y1}"] = None
    scale = 0.6 if max(Counter(edge["layer"] for edge in drawing["edges"]).values(), default=0) > _CROWD else 1.0
    paths = [_path(state, found, *STATES[state], scale) for state, found in strokes.items() if found]
    paths.append(_path("nodes", _marks(columns, places, ends), NODE, 4.0, "none", scale))
    return f"<svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH}' height='{HEIGHT}' fill='none'>{''.join(paths)}</svg>"


def sheet(pictures: Mapping[int, str], selector: str) -> str:
    """Return a style sheet that sets each picture behind the element of its state; `selector` has a place `{}` for the number."""
    rules = (f'{selector.format(state)}{{background-image:url("data:image/svg+xml,{svg.translate(_OVER_URL)}")}}' for state, svg in pictures.items())
    return f"<style>{''.join(rules)}</style>"


def _path(name: str, strokes: Iterable[str], colour: str, width: float, dashes: str, scale: float) -> str:
    cap = " stroke-linecap='round'" if name == "nodes" else ""  # what makes a dot of a stroke without length
    return f"<path class='{name}' d='{''.join(strokes)}' stroke='{colour}' stroke-width='{width * scale:.2g}' stroke-dasharray='{dashes}'{cap}/>"


def _column(nodes: Sequence[Json], depth: int, columns: int) -> Iterator[tuple[int, Place]]:
    """Place the nodes of a layer below one another, around the middle."""
    x = _MARGIN + round(depth * (WIDTH - 2 * _MARGIN) / max(1, columns - 1))
    pitch = min(_LOOSEST, (HEIGHT - 2 * _MARGIN) / max(1, len(nodes) - 1))
    for k, node in enumerate(nodes):
        yield node["id"], (x, round(HEIGHT / 2 + pitch * (k - (len(nodes) - 1) / 2)))


def _ends(nodes: Sequence[Json], places: Mapping[int, Place]) -> Iterator[tuple[int, Place]]:
    """Place the slots that edges end in: at their node; factors around it."""
    for node in nodes:
        x, y = places[node["id"]]
        slots = node["factors"] or [node["id"]]
        for k, slot in enumerate(slots):
            yield slot, (x, y + round(4 * (k - (len(slots) - 1) / 2)))


def _shown(edges: Sequence[Json]) -> Iterator[Json]:
    by_layer: dict[int, list[Json]] = {}
    for edge in edges:
        by_layer.setdefault(edge["layer"], []).append(edge)
    for found in by_layer.values():
        yield from sorted(found, key=lambda edge: -1.0 if edge["state"] == "pruned" else edge["importance"], reverse=True)[:_MOST_WIRES]


def _marks(columns: Sequence[Sequence[Json]], places: Sequence[Mapping[int, Place]], ends: Sequence[Mapping[int, Place]]) -> Iterator[str]:
    """Draw a dot for every node, and a bar through the factors of a product."""
    for nodes, place, end in zip(columns, places, ends, strict=True):
        for node in nodes:
            x, y = place[node["id"]]
            yield f"M{x},{y}h0"
            yield from (f"M{x},{end[one][1]}V{end[other][1]}" for one, other in pairwise(node["factors"]))
