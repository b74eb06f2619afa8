"""Edges as people name them: (0, "Girth", 0) for the edge from the input Girth, (1, 0, "Volume") for the one into the output Volume."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from workbench.dataset import Dataset
from workbench.exceptions import UnknownEdgeError, did_you_mean
from workbench.networks import KAN, Edge, hidden_label


def resolve(data: Dataset, network: KAN, edge: Sequence[Any]) -> Edge:
    """Return the address (layer, source, target) of an edge given with column names or numbers.

    Raises
    ------
    UnknownEdgeError : there is no such edge; the closest one is named
    """
    try:
        level, source, target = edge
    except (TypeError, ValueError):
        raise UnknownEdgeError(f"{edge!r} is not an edge. An edge is (layer, source, target), such as (0, {_first(data)!r}, 0).") from None
    if isinstance(source, str):
        source = _number(source, [(c.name, c.symbol) for c in data.features], edge, level == 0)
    if isinstance(target, str):
        number = _number(target, [(c.name, c.symbol) for c in data.targets], edge, level == len(network.layers) - 1)
        target = network.layers[-1].nodes[number].id
    address = (level, source, target)
    network.position(address)
    return address


def _first(data: Dataset) -> str:
    return data.features[0].name


def _number(name: str, columns: list[tuple[str, str]], edge: Sequence[Any], here: bool) -> int:
    for number, known in enumerate(columns):
        if here and name in known:
            return number
    names = [name for name, _ in columns]
    raise UnknownEdgeError(f"There is no edge {edge!r}: {name!r} is not a column at this end.{did_you_mean(name, names)} Columns: {', '.join(names)}.")


def readable(data: Dataset, network: KAN, edge: Edge) -> list[Any]:
    """Return the address with the input's column name, as moves record it: names survive a reordering of columns."""
    level, source, target = edge
    return [level, data.features[source].name if level == 0 else source, target]


def label(data: Dataset, network: KAN, edge: Edge) -> str:
    """Return "Girth → h0": where an edge comes from and where it goes."""
    level, source, target = edge
    start = data.seen_name(data.features[source].name) if level == 0 else hidden_label(level - 1, source)
    return f"{start} → {_target_label(data, network, level, target)}"


def _target_label(data: Dataset, network: KAN, level: int, slot: int) -> str:
    nodes = network.layers[level].nodes
    number, node = next((k, node) for k, node in enumerate(nodes) if slot in node.factors)
    factor = "" if len(node.factors) == 1 else f"·{node.factors.index(slot) + 1}"
    if level == len(network.layers) - 1:
        return (data.seen_name(data.targets[number].name) if number < len(data.targets) else f"output {number}") + factor
    return hidden_label(level, node.id) + factor


def members(
    data: Dataset,
    network: KAN,
    edges: Iterable[Sequence[Any]] | None,
    nodes: Iterable[Sequence[int]] | None,
    inputs: Iterable[str | int] | None,
) -> list[Edge]:
    """Return the edges meant by a list of edges, of hidden nodes (layer, id), or of inputs."""
    if edges is not None:
        return [resolve(data, network, edge) for edge in edges]
    alive = network.edges()
    if nodes is not None:
        wanted = {(int(level), int(node)) for level, node in nodes}
        known = {(level + 1, node.id) for level, layer in enumerate(network.layers[:-1]) for node in layer.nodes}
        if unknown := wanted - known:
            raise UnknownEdgeError(f"There is no hidden node {sorted(unknown)[0]}. Hidden nodes are (layer, id): {sorted(known)}.")
        return [edge for edge in alive if (edge[0], edge[1]) in wanted]
    chosen = {
        _number(i, [(c.name, c.symbol) for c in data.features], (0, i, 0), True) if isinstance(i, str) else int(i) for i in inputs or ()
    }
    return [edge for edge in alive if edge[0] == 0 and edge[1] in chosen]
