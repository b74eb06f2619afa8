"""Two networks side by side as one whose outputs are their sum: what a formula misses can be fitted on top of it.

Both read the same inputs. The shorter one is made as deep as the other by edges that are the line x; the last layer adds. Ids of the first
network stay, so that its addresses still hold; those of the second follow them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from workbench.bases.basis import Basis
from workbench.exceptions import NetworkError
from workbench.networks.kan import KAN, Layer, Node, SymbolicEdge
from workbench.primitives import PrimitiveForm, find

_LINE = SymbolicEdge(PrimitiveForm(find("x")), (1.0, 1.0, 0.0), (False, False, False))

Ids = Mapping[int, int]


def sum_of(first: KAN, second: KAN) -> KAN:
    """Return the network that computes first(x) + second(x).

    Raises
    ------
    NetworkError : their inputs or outputs differ, or learned edges of one level have another basis or, on the inputs, other ranges
    """
    sizes = [(network.n_inputs, network.n_outputs) for network in (first, second)]
    if sizes[0] != sizes[1]:
        raise NetworkError(f"sum_of(first, second): both must have the same inputs and outputs; got {sizes[0]} and {sizes[1]} of them.")
    depth = max(_depth(first), _depth(second), 2)  # one layer has one edge from an input to an output, and both may need it
    general = next((layer.basis for network in (first, second) for layer in network.layers if _has_learned(layer)), first.layers[0].basis)
    layers, below = [], {source: source for source in first.layers[0].sources}
    for a, b in zip(_deepened(first, depth), _deepened(second, depth), strict=True):
        last = len(layers) == depth - 1
        ids = {slot: a.targets[k] if last else slot + max(a.targets) + 1 for k, slot in enumerate(b.targets)}
        layers.append(_together(a, _renamed(b, ids, below), general))
        below = ids
    return KAN(tuple(layers))


def _depth(network: KAN) -> int:
    """Return how many layers a network has when its outputs are sums."""
    return len(network.layers) + any(node.kind == "product" for node in network.layers[-1].nodes)


def _deepened(network: KAN, depth: int) -> tuple[Layer, ...]:
    layers = list(network.layers)
    while len(layers) < depth:
        layers.append(_handing_on(layers[-1]))
    return tuple(layers)


def _handing_on(below: Layer) -> Layer:
    """Return a layer on top of another one that changes nothing."""
    n = len(below.nodes)
    return Layer(
        sources=tuple(node.id for node in below.nodes),
        nodes=tuple(Node(k, (k,)) for k in range(n)),
        domain=np.tile([-1.0, 1.0], (n, 1)),
        coefficients=np.zeros((below.basis.n_coefficients, n, n)),
        base=np.zeros((n, n)),
        bias=np.zeros(n),
        alive=np.eye(n, dtype=bool),
        symbolic={(k, node.id): _LINE for k, node in enumerate(below.nodes)},
        free_bias=np.zeros(n, dtype=bool),
        basis=below.basis,
    )


def _renamed(layer: Layer, slots: Ids, below: Ids) -> Layer:
    """Return the layer with other ids of its slots and its sources."""
    return Layer(
        tuple(below[source] for source in layer.sources),
        tuple(Node(slots[node.id], tuple(slots[slot] for slot in node.factors)) for node in layer.nodes),
        layer.domain,
        layer.coefficients,
        layer.base,
        layer.bias,
        layer.alive,
        {(slots[target], below[source]): edge for (target, source), edge in layer.symbolic.items()},
        frozenset((slots[target], below[source]) for target, source in layer.locked),
        layer.free_bias,
        layer.basis,
    )


def _together(a: Layer, b: Layer, general: Basis) -> Layer:
    """Return one layer with the edges of both; slots and sources that they share by id are one, and `general` is the basis where none is learned."""
    sources = tuple(dict.fromkeys((*a.sources, *b.sources)))
    nodes = tuple({node.id: node for node in (*a.nodes, *b.nodes)}.values())
    slots = tuple(slot for node in nodes for slot in node.factors)
    domain = {source: row for layer in sorted((a, b), key=_has_learned) for source, row in zip(layer.sources, layer.domain, strict=True)}
    basis = _basis(a, b) or general
    wide = [_widened(layer, slots, sources, basis.n_coefficients) for layer in (a, b)]
    return Layer(
        sources,
        nodes,
        np.array([domain[source] for source in sources]),
        *(one + other for one, other in zip(wide[0], wide[1], strict=True)),
        symbolic={**a.symbolic, **b.symbolic},
        locked=a.locked | b.locked,
        free_bias=np.array([any(slot in layer.targets and layer.free_bias[layer.targets.index(slot)] for layer in (a, b)) for slot in slots]),
        basis=basis,
    )


def _widened(layer: Layer, slots: tuple[int, ...], sources: tuple[int, ...], n_coefficients: int) -> tuple[np.ndarray, ...]:
    """Return coefficients, base, bias and alive of a layer at their places among more slots and sources."""
    rows = [slots.index(slot) for slot in layer.targets]
    place = np.ix_(rows, [sources.index(source) for source in layer.sources])
    shape = (len(slots), len(sources))
    coefficients, base, bias, alive = np.zeros((n_coefficients, *shape)), np.zeros(shape), np.zeros(len(slots)), np.zeros(shape, dtype=bool)
    if _has_learned(layer):
        coefficients[(slice(None), *place)] = layer.coefficients
        base[place] = layer.base
    bias[rows] = layer.bias
    alive[place] = layer.alive
    return coefficients, base, bias, alive


def _has_learned(layer: Layer) -> bool:
    return bool(layer.alive.sum() > sum(layer.state(layer.targets.index(t), layer.sources.index(s)) != "pruned" for t, s in layer.symbolic))


def _basis(a: Layer, b: Layer) -> Basis | None:
    """Return the basis of the learned edges of two layers, which must agree where both have some; None where neither has."""
    learned = [layer for layer in (a, b) if _has_learned(layer)]
    shared = set(a.sources) & set(b.sources)
    ranges = {source: {tuple(layer.domain[layer.sources.index(source)]) for layer in learned} for source in shared}
    if len({layer.basis for layer in learned}) > 1 or any(len(values) > 1 for values in ranges.values()):
        raise NetworkError("sum_of(first, second): learned edges of one level must be of one basis, and those of one input have the same range.")
    return learned[0].basis if learned else None
