"""Which edges matter, and networks without those that do not.

Importance goes back from the outputs (trace.attribution): an edge's share of its node's spread times the node's share. Pruning masks; every
address stays good. An output is never cut off, and what no output depends on any more is pruned with it.

Removing by a threshold is one glance; `elimination` asks the sharper question, edge by edge: what does the whole model lose, refitted?
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from workbench.exceptions import DiscoveryError
from workbench.networks.kan import KAN, LEARNED, Edge
from workbench.trace import Trace, attribution, trace
from workbench.training import Problem, refit, restarted
from workbench.training.score import checked_errors

_MISSED = 3.0  # an edge is missed when the squared error after the refit is this many times what it was
_RESTARTS = 3  # random starts given to a network without one of its nodes
ROWS = 4000  # that an elimination looks at
_TRIALS = 8  # edges tried at one step before the least bad one goes


@dataclass(frozen=True, eq=False)
class Importance:
    """The share of every edge, node and input in the outputs.

    Parameters
    ----------
    network : KAN
    edges : per layer (n_out, n_in)
    nodes : per layer of nodes, inputs first, (n_nodes,)
    means : per layer (n_out, n_in), the mean each edge gives: what pruning it leaves to the bias
    """

    network: KAN
    edges: tuple[np.ndarray, ...]
    nodes: tuple[np.ndarray, ...]
    means: tuple[np.ndarray, ...]

    def __getitem__(self, edge: Edge) -> float:
        level, row, column = self.network.position(edge)
        return float(self.edges[level][row, column])


def importance(traced: Trace) -> Importance:
    """Return the importance of every edge and node on the traced rows."""
    shares = attribution(traced.network, traced.edge_outputs, traced.slots)
    n_outputs = traced.network.n_outputs
    nodes = (*(share.sum(0) for share in shares), np.full(n_outputs, 1.0 / n_outputs))
    means = tuple(given.mean(0) for given in traced.edge_outputs)
    return Importance(traced.network, shares, nodes, means)


def without(network: KAN, shares: Importance, edges: Iterable[Edge]) -> KAN:
    """Prune edges and everything that no output depends on afterwards; refuse to cut an output off.

    What a pruned edge gave on average goes to the bias of its slot.

    Raises
    ------
    DiscoveryError : the last edge into an output would go
    """
    edges = tuple(edges)
    pruned = swept(_means_to_bias(network, shares, edges).without_edges(edges))
    for row, node in enumerate(pruned.layers[-1].nodes):
        was_fed = any(network.layers[-1].alive[network.layers[-1].targets.index(slot)].any() for slot in node.factors)
        if was_fed and not reaches_inputs(pruned, row):
            raise DiscoveryError(
                f"Pruning would cut output {row} off from every input. Keep at least one path to it: prune fewer edges or a lower threshold."
            )
    return pruned


def _means_to_bias(network: KAN, shares: Importance, edges: tuple[Edge, ...]) -> KAN:
    for edge in edges:
        level, row, column = network.position(edge)
        layer = network.layers[level]
        if layer.alive[row, column] and layer.free_bias[row]:
            bias = layer.bias.copy()
            bias[row] += shares.means[level][row, column]
            network = network.with_layer(level, bias=bias)
    return network


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

    The strongest path to every output is kept whatever its share. With threshold 0 nothing changes.
    """
    lifelines = strongest_paths(network, shares)
    weak = [edge for edge in network.edges(*LEARNED, "snapped") if shares[edge] < threshold and edge not in lifelines]
    return without(network, shares, weak) if weak else network


def strongest_paths(network: KAN, shares: Importance) -> set[Edge]:
    """Return the edges of the strongest path to every output: its strongest edge, the strongest into where that comes from, and so on."""
    path: set[Edge] = set()
    wanted = {node.id for node in network.layers[-1].nodes}
    for level in range(len(network.layers) - 1, -1, -1):
        layer = network.layers[level]
        slots = [slot for node in layer.nodes if node.id in wanted for slot in node.factors]
        into = {slot: [edge for edge in network.edges() if edge[0] == level and edge[2] == slot] for slot in slots}
        best = {max(edges, key=lambda edge: shares[edge]) for edges in into.values() if edges}
        path |= best
        wanted = {source for _, source, _ in best}
    return path


@dataclass(frozen=True)
class Removal:
    """One step of an elimination: what was pruned, the refitted networks, their error on checked rows, edges left."""

    edges: tuple[Edge, ...]
    networks: tuple[KAN, ...]
    error: float
    standard_error: float
    n_edges: int


def elimination(
    networks: Sequence[KAN], problems: Sequence[Problem], roughness: float = 1e-6, max_iter: int = 15
) -> list[Removal]:
    """Remove one edge after another, refitting the whole model each time, until one path is left.

    The least important edge goes first, unless the refitted model misses it; then the next ones are tried, and the one that is missed least
    goes. Returns every step, so that a curve of error against edges kept can be drawn and a person can choose where to stop.

    Parameters
    ----------
    networks, problems : one of each per group of rows (one in all without groups); an edge goes in all of them. Of more than 4000 rows an
        even choice is looked at: what can be spared on these can be spared on a million, and `Removal.networks` are to be refitted on all
    """
    elimination_of = _Elimination(tuple(problem.thinned(ROWS) for problem in problems), roughness, max_iter)
    steps = [elimination_of.judged((), tuple(networks))]
    while (step := elimination_of.next(steps[-1])) is not None:
        steps.append(step)
    return steps


@dataclass(frozen=True)
class _Elimination:
    problems: tuple[Problem, ...]
    roughness: float
    max_iter: int

    def next(self, last: Removal) -> Removal | None:
        """Return the step after `last`, or None when every output hangs by one path."""
        shares = [importance(trace(network, problem.x)) for network, problem in zip(last.networks, self.problems, strict=True)]
        removable = last.networks[0].edges(*LEARNED, "snapped")
        best, tried = None, 0
        for edge in sorted(removable, key=lambda e: (max(share[e] for share in shares), e)):
            try:
                lighter = tuple(without(network, share, [edge]) for network, share in zip(last.networks, shares, strict=True))
            except DiscoveryError:  # the last path to an output
                continue
            step = self.judged((edge,), self._refitted(lighter))
            tried += 1
            if best is None or step.error < best.error:
                best = step
            if best.error <= _MISSED * last.error or tried == _TRIALS:
                break
        if best is not None and best.error > _MISSED * last.error:
            return self._from_scratch(last, shares) or best
        return best

    def _from_scratch(self, last: Removal, shares: list[Importance]) -> Removal | None:
        """Try to do without a whole hidden node by fitting what is left anew: the way down may not begin where the node left the rest."""
        for level, node in self._hidden(last.networks[0]):
            edges = tuple(edge for edge in last.networks[0].edges(*LEARNED, "snapped") if edge[:2] == (level, node))
            try:
                lighter = tuple(without(network, share, edges) for network, share in zip(last.networks, shares, strict=True))
            except DiscoveryError:
                continue
            for seed in range(_RESTARTS):
                anew = tuple(
                    restarted(network, problem, self.roughness, np.random.default_rng(seed))
                    for network, problem in zip(lighter, self.problems, strict=True)
                )
                step = self.judged(edges, self._refitted(anew))
                if step.error <= _MISSED * last.error:
                    return step
        return None

    def _hidden(self, network: KAN) -> list[tuple[int, int]]:
        return sorted({(level, source) for level, source, _ in network.edges() if level > 0})

    def judged(self, edges: tuple[Edge, ...], networks: tuple[KAN, ...]) -> Removal:
        """Return a removal with its error on checked rows."""
        parts = zip(networks, self.problems, strict=True)
        errors = np.concatenate([checked_errors(network, problem, self.roughness)[0] for network, problem in parts])
        return Removal(edges, networks, float(errors.mean()), float(errors.std() / np.sqrt(len(errors))), len(networks[0].edges()))

    def _refitted(self, networks: tuple[KAN, ...]) -> tuple[KAN, ...]:
        parts = zip(networks, self.problems, strict=True)
        return tuple(refit(network, problem, self.max_iter, self.roughness)[0] for network, problem in parts)
