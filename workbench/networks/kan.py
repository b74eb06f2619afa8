"""A Kolmogorov-Arnold network: every edge is a function of one variable, every node a sum or a product.

    slot_t = bias_t + sum over sources s of phi_{t,s}(h_s)         one slot for a sum node, one slot per factor of a product node
    h_node = slot_t                or      product of the node's slots

A layer's slots and nodes share one space of permanent ids: a sum node has one slot of its own id, a product node is named after its first
factor. An edge is addressed `(layer, source, target)`: the id of the node it comes from (the number of the input, in layer 0) and the id of
the slot it enters. Pruning masks an edge and never renumbers; an address stays good for ever.

Each edge is one of: a learned function of the layer's basis (`bases`: splines, rational functions), a named form with its constants
(`SymbolicEdge`), or pruned. A locked edge keeps its constants in every fit. Networks are values: every change makes a new one.

Sources: Liu et al. (2024) "KAN: Kolmogorov-Arnold Networks", eq. 2.5; Liu et al. (2024) "KAN 2.0", section 2, for product nodes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import numpy as np

from workbench.bases.basis import Basis
from workbench.bases.bspline import Spline
from workbench.exceptions import NetworkError, UnknownEdgeError, did_you_mean

if TYPE_CHECKING:
    from workbench.primitives import Form

Edge = tuple[int, int, int]
EdgeState = Literal["spline", "rational", "snapped", "locked", "pruned"]
LEARNED: tuple[EdgeState, ...] = ("spline", "rational")  # states of an edge that has no name yet, by the basis of its layer


@dataclass(frozen=True)
class Node:
    """A sum node has one factor, itself; a product node has two or more and is named after the first."""

    id: int
    factors: tuple[int, ...]

    @property
    def kind(self) -> Literal["sum", "product"]:
        return "sum" if len(self.factors) == 1 else "product"


@dataclass(frozen=True)
class SymbolicEdge:
    """A named form with its constants: phi(x) = form.evaluate(x, parameters); `free` says which constants a fit may change."""

    form: Form
    parameters: tuple[float, ...]
    free: tuple[bool, ...]


def _frozen(array: np.ndarray) -> np.ndarray:
    array = np.array(array)
    array.setflags(write=False)
    return array


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer of edges.

    Parameters
    ----------
    sources : ids of the nodes below
    nodes : the nodes this layer feeds, in order
    domain : (n_in, 2)     range of each input: that of the knots of a spline, which a rational function sees as [-1, 1]
    coefficients : (basis.n_coefficients, n_out, n_in)     n_out counts slots
    base : (n_out, n_in)     weight of the base term of a spline; of no account in another basis
    bias : (n_out,)
    alive : (n_out, n_in)     False where pruned
    symbolic : (target id, source id) -> SymbolicEdge
    locked : (target id, source id) of edges whose constants no fit may change
    free_bias : (n_out,)     False where the bias is fixed, as for a law through the origin; all free when left out
    basis : what its learned edges are; splines of as many intervals as the coefficients have when left out
    """

    sources: tuple[int, ...]
    nodes: tuple[Node, ...]
    domain: np.ndarray
    coefficients: np.ndarray
    base: np.ndarray
    bias: np.ndarray
    alive: np.ndarray
    symbolic: Mapping[tuple[int, int], SymbolicEdge] = field(default_factory=dict)
    locked: frozenset[tuple[int, int]] = frozenset()
    free_bias: np.ndarray | None = None
    basis: Basis | None = None

    def __post_init__(self) -> None:
        for name in ("domain", "coefficients", "base", "bias"):
            object.__setattr__(self, name, _frozen(np.asarray(getattr(self, name), dtype=float)))
        object.__setattr__(self, "alive", _frozen(np.asarray(self.alive, dtype=bool)))
        free = np.ones(self.bias.shape, dtype=bool) if self.free_bias is None else np.asarray(self.free_bias, dtype=bool)
        object.__setattr__(self, "free_bias", _frozen(free))
        object.__setattr__(self, "symbolic", MappingProxyType(dict(self.symbolic)))
        n_out, n_in = len(self.targets), len(self.sources)
        if self.basis is None or isinstance(self.basis, Spline):
            object.__setattr__(self, "basis", Spline(len(self.coefficients) - 3))
        n = self.basis.n_coefficients
        if self.coefficients.shape != (n, n_out, n_in) or self.alive.shape != (n_out, n_in):
            raise NetworkError(
                f"A layer of {n_in} sources and {n_out} slots needs coefficients of shape ({n}, {n_out}, {n_in}); "
                f"got {self.coefficients.shape}."
            )

    @property
    def targets(self) -> tuple[int, ...]:
        """The ids of all slots, in the order of the arrays' first axis."""
        return tuple(slot for node in self.nodes for slot in node.factors)

    def theta(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Return the constants of learned edges by their places in the arrays, (n_edges, n_terms)."""
        every = np.column_stack([self.coefficients[:, rows, columns].T, self.base[rows, columns]])
        return np.ascontiguousarray(every[:, : self.basis.n_terms])

    def with_theta(self, rows: np.ndarray, columns: np.ndarray, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return coefficients and base weights with other constants (n_edges, n_terms) for some of the edges."""
        coefficients, base, n = self.coefficients.copy(), self.base.copy(), self.basis.n_coefficients
        coefficients[:, rows, columns] = theta[:, :n].T
        if self.basis.n_terms > n:
            base[rows, columns] = theta[:, n]
        return coefficients, base

    def in_units(self, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return coefficients and base weights of the same edges divided by the size (n_out,) of their slots."""
        unit = self.basis.carries_unit[: len(self.coefficients), None, None]
        return np.where(unit, self.coefficients / sizes[:, None], self.coefficients), self.base / sizes[:, None]

    def state(self, row: int, column: int) -> EdgeState:
        """Return what the edge at an array position is."""
        key = (self.targets[row], self.sources[column])
        if not self.alive[row, column]:
            return "pruned"
        if key in self.locked:
            return "locked"
        return "snapped" if key in self.symbolic else self.basis.family

    def __reduce__(self) -> tuple[object, ...]:
        # a copy for another process of our own (joblib); files hold JSON and arrays (networks.storage)
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return Layer._rebuilt, (values | {"symbolic": dict(self.symbolic)},)

    @staticmethod
    def _rebuilt(values: dict[str, object]) -> Layer:
        return Layer(**values)


@dataclass(frozen=True, eq=False)
class KAN:
    """A network as a value: its layers, inputs first."""

    layers: tuple[Layer, ...]

    @property
    def n_inputs(self) -> int:
        return len(self.layers[0].sources)

    @property
    def n_outputs(self) -> int:
        return len(self.layers[-1].nodes)

    @property
    def shape(self) -> tuple[int, ...]:
        """Nodes per layer, inputs first."""
        return (self.n_inputs, *(len(layer.nodes) for layer in self.layers))

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """Evaluate on rows.

        Parameters
        ----------
        X : (n_rows, n_inputs)

        Returns
        -------
        (n_rows, n_outputs)
        """
        from workbench.networks.program import Program  # the compiled form; it imports this module

        X = np.asarray(X, dtype=float)
        if X.ndim != 2 or X.shape[1] != self.n_inputs:
            raise NetworkError(f"The network takes rows of {self.n_inputs} inputs; got an array of shape {X.shape}.")
        program = Program(self)
        return program.predict(program.parameters, np.ascontiguousarray(X.T)).T

    # ---- addresses

    def edges(self, *states: EdgeState) -> tuple[Edge, ...]:
        """Return the addresses of all edges that are not pruned, or of those in the given states."""
        wanted = set(states) or {*LEARNED, "snapped", "locked"}
        return tuple(
            (level, source, target)
            for level, layer in enumerate(self.layers)
            for row, target in enumerate(layer.targets)
            for column, source in enumerate(layer.sources)
            if layer.state(row, column) in wanted
        )

    def position(self, edge: Edge) -> tuple[int, int, int]:
        """Return (layer, row, column) of an edge; raise UnknownEdgeError if there is none at this address."""
        try:
            level, source, target = edge
            layer = self.layers[level] if level >= 0 else self.layers[len(self.layers)]
            return level, layer.targets.index(target), layer.sources.index(source)
        except (TypeError, ValueError, IndexError):
            every = [
                (level, s, t) for level, layer in enumerate(self.layers) for t in layer.targets for s in layer.sources
            ]
            hint = did_you_mean(tuple(edge) if isinstance(edge, Iterable) else edge, every)
            raise UnknownEdgeError(
                f"There is no edge {edge!r}.{hint} An edge is (layer, source, target); this network has the shape {list(self.shape)}."
            ) from None

    def state(self, edge: Edge) -> EdgeState:
        level, row, column = self.position(edge)
        return self.layers[level].state(row, column)

    def symbolic_edge(self, edge: Edge) -> SymbolicEdge | None:
        """Return the form and constants of a snapped edge, None for a learned one."""
        level, row, column = self.position(edge)
        layer = self.layers[level]
        return layer.symbolic.get((layer.targets[row], layer.sources[column]))

    def edge_value(self, edge: Edge, x: np.ndarray) -> np.ndarray:
        """Evaluate one edge function at x (n_points,)."""
        level, row, column = self.position(edge)
        layer = self.layers[level]
        if not layer.alive[row, column]:
            return np.zeros_like(x, dtype=float)
        snapped = self.symbolic_edge(edge)
        if snapped is not None:
            return snapped.form.evaluate(np.asarray(x, dtype=float), snapped.parameters)[0]
        theta = layer.theta(np.array([row]), np.array([column]))
        return layer.basis.value(theta, np.asarray(x, dtype=float), tuple(layer.domain[column]))[0]

    # ---- changes: each makes a new network

    def with_layer(self, level: int, **changes: object) -> KAN:
        layers = list(self.layers)
        layers[level] = replace(layers[level], **changes)
        return KAN(tuple(layers))

    def without_edges(self, edges: Iterable[Edge]) -> KAN:
        """Prune edges: they are masked, every other address stays."""
        network = self
        for edge in edges:
            level, row, column = network.position(edge)
            alive = network.layers[level].alive.copy()
            alive[row, column] = False
            network = network.with_layer(level, alive=alive)
        return network

    def with_symbolic(self, edge: Edge, snapped: SymbolicEdge, offset: float = 0.0) -> KAN:
        """Replace an edge by a form; `offset` is added to the bias of its slot."""
        level, row, column = self.position(edge)
        layer = self.layers[level]
        key = (layer.targets[row], layer.sources[column])
        bias, alive = layer.bias.copy(), layer.alive.copy()
        bias[row] += offset
        alive[row, column] = True
        return self.with_layer(level, symbolic={**layer.symbolic, key: snapped}, bias=bias, alive=alive)

    def with_spline(self, edge: Edge, coefficients: np.ndarray, base: float = 0.0) -> KAN:
        """Replace an edge by a spline with coefficients (n_intervals + 3,)."""
        return self.with_learned(edge, np.append(coefficients, base))

    def with_learned(self, edge: Edge, theta: np.ndarray) -> KAN:
        """Replace an edge by a function of its layer's basis, with constants theta (n_terms,)."""
        level, row, column = self.position(edge)
        layer = self.layers[level]
        key = (layer.targets[row], layer.sources[column])
        new, weight = layer.with_theta(np.array([row]), np.array([column]), np.asarray(theta, dtype=float)[None])
        alive = layer.alive.copy()
        alive[row, column] = True
        symbolic = {k: v for k, v in layer.symbolic.items() if k != key}
        return self.with_layer(level, coefficients=new, base=weight, alive=alive, symbolic=symbolic, locked=layer.locked - {key})

    def with_bias(self, level: int, target: int, value: float, free: bool = True) -> KAN:
        """Set the bias of a slot and whether a fit may change it."""
        layer = self.layers[level]
        row = layer.targets.index(target)
        bias, free_bias = layer.bias.copy(), layer.free_bias.copy()
        bias[row], free_bias[row] = value, free
        return self.with_layer(level, bias=bias, free_bias=free_bias)

    def with_lock(self, edge: Edge, locked: bool = True) -> KAN:
        """Lock an edge (its constants stay as they are in every fit) or unlock it."""
        level, row, column = self.position(edge)
        layer = self.layers[level]
        key = (layer.targets[row], layer.sources[column])
        return self.with_layer(level, locked=layer.locked | {key} if locked else layer.locked - {key})


def hidden_label(level: int, node: int) -> str:
    """Return what a hidden node is called wherever a person meets it: `node` is its id, `level` the layer whose edges end in it.

    >>> hidden_label(0, 4), hidden_label(1, 0)
    ('h4', 'h2,0')
    """
    return f"h{node}" if level == 0 else f"h{level + 1},{node}"


def nodes_of(sums: int, products: Sequence[int] = ()) -> tuple[Node, ...]:
    """Return nodes for a layer: `sums` sum nodes, then one product node per entry of `products` (its arity).

    >>> nodes_of(1, (2,))
    (Node(id=0, factors=(0,)), Node(id=1, factors=(1, 2)))
    """
    nodes = [Node(i, (i,)) for i in range(sums)]
    first = sums
    for arity in products:
        if arity < 2:
            raise NetworkError(f"A product node needs at least 2 factors; got product_nodes with {arity}.")
        nodes.append(Node(first, tuple(range(first, first + arity))))
        first += arity
    return tuple(nodes)


def initial(
    layers: Sequence[tuple[Node, ...]],
    domain: np.ndarray,
    generator: np.random.Generator,
    n_intervals: int = 5,
    noise: float | None = None,
    basis: Basis | None = None,
) -> KAN:
    """Return a network with random edges.

    Parameters
    ----------
    layers : the nodes of each layer after the inputs
    domain : (n_inputs, 2)     range of each input
    generator : source of randomness
    n_intervals : intervals of every spline
    noise : standard deviation of the coefficients; what suits the basis when left out
    basis : what the edges are; splines of so many intervals when left out

    Notes
    -----
    Product factors start near 1 + small, so that a product node starts near the sum of its factors' functions.
    """
    below: tuple[int, ...] = tuple(range(len(domain)))
    ranges = np.asarray(domain, dtype=float)
    made, basis = [], Spline(n_intervals) if basis is None else basis
    for nodes in layers:
        slots = [slot for node in nodes for slot in node.factors]
        n_out, n_in = len(slots), len(below)
        factor = np.array([len(node.factors) > 1 for node in nodes for _ in node.factors])
        coefficients, base = basis.start(generator, (n_out, n_in), noise)
        made.append(
            Layer(
                sources=below,
                nodes=nodes,
                domain=ranges,
                coefficients=coefficients,
                base=base,
                bias=np.where(factor, 1.0, 0.0),
                alive=np.ones((n_out, n_in), dtype=bool),
                basis=basis,
            )
        )
        below = tuple(node.id for node in nodes)
        ranges = np.tile([-1.0, 1.0], (len(nodes), 1))
    return KAN(tuple(made))
