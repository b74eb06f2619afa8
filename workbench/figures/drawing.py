"""What the canvas and the report draw of a network: plain JSON, every edge's curve sampled over the values it receives on the data.

    {"layers": [{"nodes": [{"id", "label", "kind", "unit", "factors"}]}],           layer 0: the inputs; the last: the outputs
     "edges":  [{"id": "layer.source.target", "layer", "source", "target", "node", "label", "importance", "state",
                 "x": [lo, hi], "y": [64 numbers], "range": [lowest, highest], "form"}],
     "selected", "scale", "busy"}

A curve is drawn over [lo, hi], the range of the edge's input on the given rows; `y` is scaled to 0 ... 1000 between the curve's lowest and
highest value, which stand in `range`. A point where the form has no value (the logarithm of a negative number) is null.
A column that the network sees as its logarithm is labelled so ("log body"), in the unit of the column itself.
`node` is the node that the target slot belongs to; `kind` is "input", "sum", "product" or "output".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, Protocol

import numpy as np

from workbench.exceptions import NetworkError
from workbench.expression import Symbol, readable
from workbench.networks import KAN, Edge, SymbolicEdge, hidden_label
from workbench.networks.kan import Layer, Node
from workbench.trace import Trace, attribution, trace

N_POINTS = 64
MAX_ROWS = 4096  # rows that decide the ranges of hidden nodes; more would cost time and change no pixel

Drawing = dict[str, Any]  # JSON


class Column(Protocol):
    """A named column with a unit; a Dataset's columns are such."""

    name: str
    unit: str | None


class Labels(Protocol):
    """Where names and units come from: a Dataset, or anything with its two lists of columns; `transforms` {name: "log"} may be absent."""

    features: Sequence[Column]
    targets: Sequence[Column]


def drawing(
    network: KAN,
    X: np.ndarray,
    importance: Sequence[np.ndarray] | None = None,
    labels: Labels | None = None,
    *,
    selected: Edge | None = None,
    scale: Literal["shared", "own"] = "shared",
    busy: Iterable[Edge] = (),
) -> Drawing:
    """Describe a network for drawing; the network stays as it was.

    Parameters
    ----------
    network : KAN
    X : (n_rows, n_inputs)     as the network sees them (Dataset.seen): their values decide the range of every curve; without rows the knots do
    importance : per layer (n_out, n_in) in [0, 1]; None: computed from the rows
    labels : gives the names and units of inputs and outputs
    selected, busy : edges to mark
    scale : whether curves share one scale per layer, so that a weak edge looks flat

    Returns
    -------
    dict     the JSON of this module's docstring
    """
    X = np.asarray(X, dtype=float)
    if X.ndim != 2 or X.shape[1] != network.n_inputs:
        raise NetworkError(f"drawing(network, X): the network takes rows of {network.n_inputs} inputs; got an array of shape {X.shape}.")
    seen = trace(network, X[:: max(1, -(-len(X) // MAX_ROWS))].T) if len(X) else None
    if importance is None:
        importance = [layer.alive for layer in network.layers] if seen is None else attribution(network, seen.edge_outputs, seen.slots)
    layers = _layers(network, labels)
    edges = []
    for level, (layer, domain) in enumerate(zip(network.layers, _ranges(network, seen, X), strict=True)):
        names = ({n["id"]: n["label"] for n in layers[level]["nodes"]}, _slot_labels(layers[level + 1]["nodes"]))
        edges += _edges(level, layer, domain, np.asarray(importance[level], dtype=float), names)
    return {
        "layers": layers,
        "edges": edges,
        "selected": None if selected is None else edge_id(selected),
        "scale": scale,
        "busy": [edge_id(edge) for edge in busy],
    }


def edge_id(edge: Edge) -> str:
    """Return the address of an edge as text.

    >>> edge_id((0, 2, 1))
    '0.2.1'
    """
    return ".".join(str(int(part)) for part in edge)


def form_text(snapped: SymbolicEdge, digits: int = 3) -> str:
    """Write a snapped edge as a function of x, its constants rounded to a few digits."""
    rounded = tuple(float(f"{value:.{digits}g}") for value in snapped.parameters)
    return readable(snapped.form.expression(Symbol("x"), rounded))


def _layers(network: KAN, labels: Labels | None) -> list[Mapping[str, Any]]:
    """Describe the nodes, inputs first."""
    below = [
        {"id": i, "label": name, "kind": "input", "unit": unit, "factors": [i]}
        for i, (name, unit) in enumerate(_names("x", network.n_inputs, labels))
    ]
    described: list[Mapping[str, Any]] = [{"nodes": below}]
    for level, layer in enumerate(network.layers):
        outputs = _names("y", network.n_outputs, labels) if level == len(network.layers) - 1 else None
        described.append({"nodes": [_node(node, i, level, outputs) for i, node in enumerate(layer.nodes)]})
    return described


def _names(letter: Literal["x", "y"], count: int, labels: Labels | None) -> list[tuple[str, str | None]]:
    """Return name and unit of every input or output, as the network sees it."""
    if labels is None:
        return [(letter if count == 1 and letter == "y" else f"{letter}{i + 1}", None) for i in range(count)]
    columns = labels.features if letter == "x" else labels.targets
    if len(columns) != count:
        raise NetworkError(f"The network has {count} {'inputs' if letter == 'x' else 'outputs'}; got names for {len(columns)}.")
    transforms: Mapping[str, str] = getattr(labels, "transforms", {})
    return [(f"{transforms.get(column.name, '')} {column.name}".strip(), column.unit or None) for column in columns]


def _node(node: Node, index: int, level: int, outputs: list[tuple[str, str | None]] | None) -> Mapping[str, Any]:
    if outputs is not None:
        label, unit = outputs[index]
        return {"id": node.id, "label": label, "kind": "output", "unit": unit, "factors": list(node.factors)}
    return {"id": node.id, "label": hidden_label(level, node.id), "kind": node.kind, "unit": None, "factors": list(node.factors)}


def _slot_labels(nodes: Sequence[Mapping[str, Any]]) -> dict[int, tuple[int, str]]:
    """Return slot id -> (node id, how the slot is called)."""
    found = {}
    for node in nodes:
        for number, slot in enumerate(node["factors"], start=1):
            label = node["label"] if len(node["factors"]) == 1 else f"{node['label']} factor {number}"
            found[slot] = (node["id"], label)
    return found


def _ranges(network: KAN, seen: Trace | None, X: np.ndarray) -> list[np.ndarray]:
    """Return (n_in, 2) per layer: the range of each node's values on the rows, the knots' range where that says nothing."""
    if seen is None:
        return [layer.domain for layer in network.layers]
    values = (X.T, *seen.inputs[1:])
    return [_finite_range(values[level], layer.domain) for level, layer in enumerate(network.layers)]


def _finite_range(values: np.ndarray, domain: np.ndarray) -> np.ndarray:
    finite = np.isfinite(values)
    low = np.where(finite, values, np.inf).min(1)
    high = np.where(finite, values, -np.inf).max(1)
    usable = high > low
    return np.column_stack([np.where(usable, low, domain[:, 0]), np.where(usable, high, domain[:, 1])])


def _curves(layer: Layer, domain: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sample every edge of a layer, pruned ones too: points (n_in, 64), curves (n_out, n_in, 64)."""
    points = np.ascontiguousarray(np.linspace(domain[:, 0], domain[:, 1], N_POINTS, axis=1))
    rows = np.arange(len(layer.targets))
    of_inputs = [
        layer.basis.value(layer.theta(rows, np.full(len(rows), column)), x, tuple(layer.domain[column])) for column, x in enumerate(points)
    ]
    curves = np.stack(of_inputs, axis=1)
    for (target, source), snapped in layer.symbolic.items():
        row, column = layer.targets.index(target), layer.sources.index(source)
        with np.errstate(all="ignore"):
            curves[row, column] = snapped.form.evaluate(points[column], snapped.parameters)[0]
    return points, curves


def _edges(
    level: int,
    layer: Layer,
    domain: np.ndarray,
    importance: np.ndarray,
    names: tuple[dict[int, str], dict[int, tuple[int, str]]],
) -> list[Mapping[str, Any]]:
    """Describe every edge of a layer, by target and then source."""
    points, curves = _curves(layer, domain)
    sources, slots = names
    described = []
    for row, target in enumerate(layer.targets):
        node, label = slots[target]
        for column, source in enumerate(layer.sources):
            snapped = layer.symbolic.get((target, source))
            y, extent = _scaled(curves[row, column])
            described.append(
                {
                    "id": edge_id((level, source, target)),
                    "layer": level,
                    "source": source,
                    "target": target,
                    "node": node,
                    "label": f"{sources[source]} → {label}",
                    "importance": round(min(1.0, float(np.nan_to_num(importance[row, column]))), 6),
                    "state": layer.state(row, column),
                    "x": [float(points[column, 0]), float(points[column, -1])],
                    "y": y,
                    "range": extent,
                    "form": None if snapped is None else form_text(snapped),
                }
            )
    return described


def _scaled(curve: np.ndarray) -> tuple[list[float | None], list[float]]:
    """Scale a curve to 0 ... 1000 of its own range; a constant lies at 500."""
    finite = np.isfinite(curve)
    if not finite.any():
        return [None] * len(curve), [0.0, 0.0]
    low, high = float(curve[finite].min()), float(curve[finite].max())
    flat = high - low <= 1e-12 * max(abs(low), abs(high))
    with np.errstate(all="ignore"):
        scaled = np.full(len(curve), 500.0) if flat else 1000.0 * ((curve - low) / (high - low))
    return [round(value, 1) if known else None for value, known in zip(scaled.tolist(), finite, strict=True)], [low, high]
