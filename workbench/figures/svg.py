"""The network as a static SVG: every edge's learned curve in a box, wires from node to box to node.

Boxes are grouped by the node they enter. The width and strength of a wire and box say how important the edge is. The state is told by
colour and by the box's outline, so that it survives printing and colour blindness:

    learned   blue     thin outline            locked    violet   long dashes
    snapped   green    bold outline            pruned    grey     dots, curve faint

In wide networks only the most important edges of a layer get a box; a line under the drawing says how many were left without.
The input is the JSON of figures.drawing. Colours are CSS classes under `.kan-network`, so that a page may give them a dark twin.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from workbench.figures.markup import coordinate, escape, number
from workbench.figures.markup import unit as unit_text

Json = Mapping[str, Any]

_BOX_WIDTH, _TALLEST, _LOWEST = 92.0, 58.0, 15.0
_MARGIN_TOP, _MARGIN_BOTTOM = 26.0, 34.0
_SLOT_GAP = 34.0  # from the dots of a product node's factors to the node

STYLE = """
.kan-network { font-family: system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; font-size: 13px; }
.kan-network .paper { fill: #ffffff; }
.kan-network text { fill: #1f2430; }
.kan-network .unit, .kan-network .note { fill: #6b7280; font-size: 11px; }
.kan-network .form { fill: #4b5563; font-size: 11px; font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
.kan-network .node { fill: #ffffff; stroke: #1f2430; stroke-width: 1.4; }
.kan-network .slot { fill: #1f2430; }
.kan-network .sign { font-size: 12px; }
.kan-network .wire { fill: none; stroke: #9aa3b2; }
.kan-network .box { fill: #ffffff; stroke: #b6bdc9; stroke-width: 1; }
.kan-network .curve { fill: none; stroke: #1d64d8; stroke-width: 1.8; stroke-linejoin: round; stroke-linecap: round; }
.kan-network .zero { stroke: #e3e6eb; stroke-width: 1; }
.kan-network .snapped .curve { stroke: #0a7f55; } .kan-network .snapped .box { stroke: #0a7f55; stroke-width: 1.8; }
.kan-network .snapped .wire { stroke: #6fb79c; }
.kan-network .locked .curve { stroke: #7c3aed; } .kan-network .locked .box { stroke: #7c3aed; stroke-width: 1.4; stroke-dasharray: 7 3; }
.kan-network .locked .wire { stroke: #b79af0; }
.kan-network .pruned { opacity: 0.45; } .kan-network .pruned .curve { stroke: #9aa3b2; stroke-width: 1.2; }
.kan-network .pruned .box, .kan-network .pruned .wire { stroke-dasharray: 1.5 3.5; stroke-linecap: round; }
.kan-network .selected .box { stroke-width: 2.6; }
"""


@dataclass(frozen=True)
class _Place:
    """Where everything of one drawing stands: node positions per layer, slot and box positions per edge layer."""

    width: float
    height: float
    nodes: tuple[Mapping[int, tuple[float, float]], ...]
    slots: tuple[Mapping[int, tuple[float, float]], ...]
    boxes: tuple[Mapping[str, tuple[float, float]], ...]
    box_height: tuple[float, ...]


def network_svg(drawing: Json, *, width: float = 960.0, boxes_per_layer: int = 40, title: str = "Kolmogorov-Arnold network") -> str:
    """Return the drawing of a network as one self-contained SVG element.

    Parameters
    ----------
    drawing : the JSON of figures.drawing
    width : in CSS pixels; the height follows from the number of edges
    boxes_per_layer : only this many edges of a layer, the most important ones, show their curve
    title : read out by screen readers
    """
    chosen = _chosen(drawing, boxes_per_layer)
    place = _place(drawing, chosen, width)
    w, h = coordinate(place.width), coordinate(place.height)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="kan-network" role="img" viewBox="0 0 {w} {h}" width="{w}" height="{h}">',
        f"<title>{escape(title)}</title><style>{STYLE}</style>",
        f'<rect class="paper" width="{w}" height="{h}"/>',
        *(_wires(edge, place) for edge in drawing["edges"]),
        *_boxes(drawing, chosen, place),
        *_nodes(drawing, place),
        _note(drawing, chosen, place),
        "</svg>",
    ]
    return "\n".join(part for part in parts if part)


def _chosen(drawing: Json, most: int) -> list[list[Json]]:
    """Return the edges of each layer that get a box, in drawing order; the selected edge always does."""
    layers: list[list[Json]] = [[] for _ in drawing["layers"][1:]]
    for edge in drawing["edges"]:
        layers[edge["layer"]].append(edge)
    kept = []
    for edges in layers:
        rank = sorted(edges, key=lambda e: (e["id"] != drawing["selected"], e["state"] == "pruned", -e["importance"]))
        names = {edge["id"] for edge in rank[:most]}
        kept.append([edge for edge in edges if edge["id"] in names])
    return kept


def _place(drawing: Json, chosen: Sequence[Sequence[Json]], width: float) -> _Place:
    """Lay a drawing out: columns of equal width, boxes by target node, every node at the middle of the boxes that enter it."""
    layers = drawing["layers"]
    most = max([len(edges) for edges in chosen] + [1])
    room = max(220.0, most * 24.0 if most > 12 else most * 74.0, *(len(layer["nodes"]) * 44.0 for layer in layers))
    left, right = (32.0 + max(map(_label_width, layers[i]["nodes"])) for i in (0, -1))
    column = (width - left - right) / max(1, len(layers) - 1)
    nodes = [_spread([node["id"] for node in layers[0]["nodes"]], left, room)]
    slots, boxes, heights = [], [], []
    for level, edges in enumerate(chosen):
        x = left + column * (level + 1)
        placed, height = _place_boxes(edges, x - 0.55 * column, room)
        above = layers[level + 1]["nodes"]
        at_slots, at_nodes = _place_nodes(above, edges, placed, x, room)
        boxes.append(placed), heights.append(height), slots.append(at_slots), nodes.append(at_nodes)
    return _Place(width, room + _MARGIN_TOP + _MARGIN_BOTTOM, tuple(nodes), tuple(slots), tuple(boxes), tuple(heights))


def _label_width(node: Json) -> float:
    return 8.0 * min(len(node["label"]), 20) + (7.0 * (1 + min(len(node["unit"]), 12)) if node["unit"] else 0.0)


def _spread(ids: Sequence[int], x: float, room: float) -> dict[int, tuple[float, float]]:
    return {name: (x, _MARGIN_TOP + room * (i + 0.5) / len(ids)) for i, name in enumerate(ids)}


def _place_boxes(edges: Sequence[Json], x: float, room: float) -> tuple[dict[str, tuple[float, float]], float]:
    """Stack boxes by target node with a gap of half a box between groups; return their centres and their common height."""
    groups = len({edge["node"] for edge in edges})
    step = room / max(1.0, len(edges) + 0.5 * (groups - 1))
    height = min(_TALLEST, max(_LOWEST, step - (24.0 if step > 54.0 else 4.0)))
    placed, y, previous = {}, _MARGIN_TOP + 0.5 * step, None
    for edge in edges:
        if previous is not None:
            y += step if edge["node"] == previous else 1.5 * step
        placed[edge["id"]], previous = (x, y), edge["node"]
    return placed, height


def _place_nodes(
    nodes: Sequence[Json], edges: Sequence[Json], boxes: Mapping[str, tuple[float, float]], x: float, room: float
) -> tuple[dict[int, tuple[float, float]], dict[int, tuple[float, float]]]:
    """Place slots at the middle of their boxes and nodes at the middle of their slots; what has no box is spread evenly."""
    even = _spread([node["id"] for node in nodes], x, room)
    wanted = {}
    for node in nodes:
        own = [boxes[edge["id"]][1] for edge in edges if edge["node"] == node["id"]]
        wanted[node["id"]] = sum(own) / len(own) if own else even[node["id"]][1]
    at_slots, at_nodes = {}, {}
    for node, y in zip(nodes, _apart([wanted[node["id"]] for node in nodes], room), strict=True):
        at_nodes[node["id"]] = (x, y)
        count = len(node["factors"])
        spacing = min(16.0, 64.0 / count)
        for i, slot in enumerate(node["factors"]):
            at_slots[slot] = (x, y) if count == 1 else (x - _SLOT_GAP, y + spacing * (i - 0.5 * (count - 1)))
    return at_slots, at_nodes


def _apart(heights: Sequence[float], room: float, gap: float = 34.0) -> list[float]:
    """Move heights apart so that no two are nearer than the gap, keeping their order on the page and staying inside the drawing."""
    order = sorted(range(len(heights)), key=heights.__getitem__)
    gap = min(gap, room / max(1, len(heights)))
    moved = list(heights)
    for before, after in pairwise(order):
        moved[after] = max(moved[after], moved[before] + gap)
    ceiling = _MARGIN_TOP + room
    for i in reversed(order):
        moved[i] = ceiling = min(moved[i], ceiling)
        ceiling -= gap
    return moved


def _bezier(start: tuple[float, float], end: tuple[float, float]) -> str:
    (x0, y0), (x1, y1) = start, end
    bend = 0.5 * (x1 - x0)
    values = (x0, y0, x0 + bend, y0, x1 - bend, y1, x1, y1)
    return "M{} {}C{} {} {} {} {} {}".format(*map(coordinate, values))


def _strength(edge: Json) -> float:
    return min(1.0, max(0.0, edge["importance"]))


def _wires(edge: Json, place: _Place) -> str:
    start = place.nodes[edge["layer"]].get(edge["source"])
    end = place.slots[edge["layer"]].get(edge["target"])
    if start is None or end is None:
        return ""
    box = place.boxes[edge["layer"]].get(edge["id"])
    share = _strength(edge)
    width = coordinate(0.8 + 4.4 * share)
    if box is None:
        path, opacity = _bezier(start, end), 0.15
    else:
        half = _BOX_WIDTH / 2
        path = _bezier(start, (box[0] - half, box[1])) + _bezier((box[0] + half, box[1]), end)
        opacity = 0.45 + 0.55 * share
    return f'<g class="{edge["state"]}"><path class="wire" d="{path}" stroke-width="{width}" opacity="{opacity:.2f}"/></g>'


def _boxes(drawing: Json, chosen: Sequence[Sequence[Json]], place: _Place) -> list[str]:
    drawn = []
    for edges in chosen:
        spans = [edge["range"][1] - edge["range"][0] for edge in edges if edge["state"] != "pruned"]
        span = max(spans, default=0.0) if drawing["scale"] == "shared" else 0.0
        drawn += [_box(edge, place, span, drawing["selected"]) for edge in edges]
    return drawn


def _box(edge: Json, place: _Place, span: float, selected: str | None) -> str:
    (x, y), height = place.boxes[edge["layer"]][edge["id"]], place.box_height[edge["layer"]]
    left, top = x - _BOX_WIDTH / 2, y - height / 2
    low, high = edge["range"]
    share = min(1.0, (high - low) / span) if span > 0.0 and edge["state"] != "pruned" else 1.0
    inner = (height - 8.0) * share
    base = y + inner / 2
    chosen = " selected" if edge["id"] == selected else ""
    words = f"{edge['label']}, {edge['state']}, importance {100 * edge['importance']:.0f} percent"
    parts = [
        f'<g class="edge {edge["state"]}{chosen}" data-id="{edge["id"]}"><title>{escape(words)}</title>',
        f'<rect class="box" x="{coordinate(left)}" y="{coordinate(top)}" width="{_BOX_WIDTH:g}" height="{coordinate(height)}" rx="5"/>',
    ]
    if low < 0.0 < high and inner > 6.0:
        zero = coordinate(base - inner * (0.0 - low) / (high - low))
        parts.append(f'<line class="zero" x1="{coordinate(left + 1)}" x2="{coordinate(left + _BOX_WIDTH - 1)}" y1="{zero}" y2="{zero}"/>')
    parts.append(f'<path class="curve" d="{_curve(edge["y"], left + 5.0, base, inner)}"/>')
    if edge["form"] and height >= 30.0:
        parts.append(f'<text class="form" x="{coordinate(x)}" y="{coordinate(top + height + 13)}" text-anchor="middle">{escape(edge["form"], 26)}</text>')
    return "".join(parts) + "</g>"


def _curve(y: Sequence[float | None], left: float, base: float, height: float) -> str:
    """Draw a curve; the pen is lifted where it has no value."""
    step = (_BOX_WIDTH - 10.0) / max(1, len(y) - 1)
    path, down = [], False
    for i, value in enumerate(y):
        if value is not None:
            path.append(f"{'L' if down else 'M'}{coordinate(left + i * step)} {coordinate(base - height * value / 1000.0)}")
        down = value is not None
    return "".join(path)


def _nodes(drawing: Json, place: _Place) -> list[str]:
    drawn = []
    last = len(drawing["layers"]) - 1
    for level, layer in enumerate(drawing["layers"]):
        for node in layer["nodes"]:
            x, y = place.nodes[level][node["id"]]
            if len(node["factors"]) > 1:
                drawn += [_factor(place.slots[level - 1][slot], (x, y)) for slot in node["factors"]]
            drawn.append(_node(node, x, y, "left" if level == 0 else "right" if level == last else "inside"))
    return drawn


def _factor(slot: tuple[float, float], node: tuple[float, float]) -> str:
    line = f'<path class="wire" d="{_bezier(slot, node)}" stroke-width="1.2"/>'
    return f'{line}<circle class="slot" cx="{coordinate(slot[0])}" cy="{coordinate(slot[1])}" r="2.6"/>'


def _node(node: Json, x: float, y: float, side: str) -> str:
    """Draw a node: a circle with what it does (sum or product) and its name with its unit at the side."""
    at = f'cx="{coordinate(x)}" cy="{coordinate(y)}"'
    sign = "" if node["kind"] == "input" else "×" if len(node["factors"]) > 1 else "+"
    circle = f'<circle class="node" {at} r="{"6" if not sign else "9"}"/>'
    middle = f'<text class="sign" x="{coordinate(x)}" y="{coordinate(y + 4.2)}" text-anchor="middle">{sign}</text>' if sign else ""
    if side == "inside":
        name = f'<text class="unit" x="{coordinate(x)}" y="{coordinate(y - 14)}" text-anchor="middle">{escape(node["label"], 12)}</text>'
        return f'<g data-node="{node["id"]}">{circle}{middle}{name}</g>'
    anchor, offset = ("end", -14.0) if side == "left" else ("start", 16.0)
    unit = f'<tspan class="unit"> {escape(unit_text(node["unit"]), 12)}</tspan>' if node["unit"] else ""
    where = f'x="{coordinate(x + offset)}" y="{coordinate(y + 4.5)}" text-anchor="{anchor}"'
    return f'<g data-node="{node["id"]}">{circle}{middle}<text {where}>{escape(node["label"], 20)}{unit}</text></g>'


def _note(drawing: Json, chosen: Sequence[Sequence[Json]], place: _Place) -> str:
    """Say what the outlines mean, for the states that occur, and how many edges show no curve."""
    states = {edge["state"] for edge in drawing["edges"]}
    words = {
        "spline": "spline: thin blue", "rational": "rational: thin blue", "snapped": "named form: bold green",
        "locked": "locked: dashed violet", "pruned": "pruned: dotted grey",
    }  # fmt: skip
    said = [text for state, text in words.items() if state in states] if len(states) > 1 else []
    total, shown = len(drawing["edges"]), sum(map(len, chosen))
    if shown < total:
        whole = sum(edge["importance"] for edge in drawing["edges"]) or 1.0
        share = sum(edge["importance"] for edges in chosen for edge in edges) / whole
        said.append(f"{shown} of {total} edges show their curve; they carry {number(100 * share, 3)} % of the importance")
    return f'<text class="note" x="{coordinate(place.width / 2)}" y="{coordinate(place.height - 10)}" text-anchor="middle">{escape(" · ".join(said))}</text>'
