"""Which edges matter, and networks without those that do not.

Importance goes back from the outputs (trace.attribution): an edge's share of its node's spread times the node's share. Pruning masks; every
address stays good. An output is never cut off, and what no output depends on any more is pruned with it.

Removing by a threshold is one glance; `elimination` asks the sharper question, edge by edge: what does the whole model lose, refitted?
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from workbench.exceptions import DiscoveryError
from workbench.networks.kan import KAN, Edge
from workbench.trace import Trace, attribution, trace
from workbench.training import Problem, refit
from workbench.training.score import checked_errors


@dataclass(frozen=True, eq=False)
class Importance:
    """The share of every edge, node and input in the outputs.

    Parameters
    ----------
    network : KAN
    edges : per layer (n_out, n_in)
    nodes : per layer of nodes, inputs first, (n_nodes,)
    """

    network: KAN
    edges: tuple[np.ndarray, ...]
    nodes: tuple[np.ndarray, ...]

    def __getitem__(self, edge: Edge) -> float:
        level, row, column = self.network.position(edge)
        return float(self.edges[level][row, column])


def importance(traced: Trace) -> Importance:
    """Return the importance of every edge and node on the traced rows."""
    shares = attribution(traced.network, traced.edge_outputs, traced.slots)
    n_outputs = traced.network.n_outputs
    nodes = (*(share.sum(0) for share in shares), np.full(n_outputs, 1.0 / n_outputs))
    return Importance(traced.network, shares, nodes)


def without(network: KAN, edges: Iterable[Edge]) -> KAN:
    """Prune edges and everything that no output depends on afterwards; refuse to cut an output off.

    Raises
    ------
    DiscoveryError : the last edge into an output would go
    """
    pruned = swept(network.without_edges(edges))
    for row, node in enumerate(pruned.layers[-1].nodes):
        was_fed = any(network.layers[-1].alive[network.layers[-1].targets.index(slot)].any() for slot in node.factors)
        if was_fed and not reaches_inputs(pruned, row):
            raise DiscoveryError(
                f"Pruning would cut output {row} off from every input. Keep at least one path to it: prune fewer edges or a lower threshold."
            )
    return pruned


def swept(network: KAN) -> KAN:
    """Prune the edges into nodes that nothing leaves; repeat downwards."""
    for level in range(len(network.layers) - 2, -1, -1):
        above, layer = network.layers[level + 1], network.layers[level]
        used = {source for column, source in enumerate(above.sources) if above.alive[:, column].any()}
        slots = {slot: node.id for node in layer.nodes for slot in node.factors}
        keep = np.array([slots[slot] in used for slot in layer.targets])
        if not keep.all():
            network = network.with_layer(level, alive=layer.alive & keep[:, None])
    return network


def reaches_inputs(network: KAN, output: int) -> bool:
    """Say whether an output still depends on an input, by a path of edges."""
    node = network.layers[-1].nodes[output].id
    wanted = {node}
    for layer in reversed(network.layers):
        slots = {slot for n in layer.nodes if n.id in wanted for slot in n.factors}
        wanted = {
            source
            for column, source in enumerate(layer.sources)
            for row, slot in enumerate(layer.targets)
            if slot in slots and layer.alive[row, column]
        }
    return bool(wanted)


def prune(network: KAN, shares: Importance, threshold: float) -> KAN:
    """Prune every edge whose share in the outputs is below the threshold; locked edges stay.

    The most important edge into every output is kept whatever its share. With threshold 0 nothing changes.
    """
    weak = [
        edge
        for edge in network.edges("spline", "snapped")
        if shares[edge] < threshold and not _last_of_output(network, shares, edge)
    ]
    return without(network, weak) if weak else network


def _last_of_output(network: KAN, shares: Importance, edge: Edge) -> bool:
    level, row, column = network.position(edge)
    if level != len(network.layers) - 1:
        return False
    alive = np.where(network.layers[level].alive[row], shares.edges[level][row], -1.0)
    return int(alive.argmax()) == column


@dataclass(frozen=True)
class Removal:
    """One step of an elimination: what was pruned, the refitted network, its error on checked rows, edges left."""

    edges: tuple[Edge, ...]
    network: KAN
    error: float
    standard_error: float
    n_edges: int


def elimination(network: KAN, problem: Problem, roughness: float = 1e-6, max_iter: int = 15) -> list[Removal]:
    """Remove the least important node or edge, refit, and go on until one path is left.

    Returns every step, so that a curve of error against edges kept can be drawn and a person can choose where to stop.
    """
    steps = [_removal((), network, problem, roughness)]
    while True:
        traced = trace(network, problem.x)
        weakest = _weakest(network, importance(traced))
        if weakest is None:
            return steps
        network, _ = refit(without(network, weakest), problem, max_iter, roughness)
        steps.append(_removal(tuple(weakest), network, problem, roughness))


def _removal(edges: tuple[Edge, ...], network: KAN, problem: Problem, roughness: float) -> Removal:
    errors, _ = checked_errors(network, problem, roughness)
    return Removal(edges, network, float(errors.mean()), float(errors.std() / np.sqrt(len(errors))), len(network.edges()))


def _weakest(network: KAN, shares: Importance) -> list[Edge] | None:
    """Return the removable edge of least share, or None when every output hangs by one path."""
    for edge in sorted(network.edges("spline", "snapped"), key=lambda e: (shares[e], e)):
        try:
            without(network, [edge])
        except DiscoveryError:
            continue
        return [edge]
    return None


def kept(steps: list[Removal], allow: Callable[[Removal], bool]) -> Removal:
    """Return the last removal of an unbroken run that a rule allows."""
    chosen = steps[0]
    for step in steps[1:]:
        if not allow(step):
            break
        chosen = step
    return chosen
