"""Read a network as a formula, exactly: every edge that is alive is in it, whatever its kind.

    slot = bias + sum of edges          node = slot, or the product of its slots          output = last nodes

A snapped edge gives its form's expression. A learned edge gives a call of the named function phi_<layer>_<source>_<target>, whose exact
definition (a piecewise cubic and its base term, or a quotient of polynomials) travels with the formula. A node that no input reaches any more is a constant: it is
evaluated and merged into the bias above it. In the end constants are merged (`expression.fold`), so that a snapped network reads like a
formula of a textbook; values change by rounding errors only, and the certificate says by how much.

The formula is in the columns' own units. Where a network sees a column as its logarithm, it is read as log(column) -> network -> exp:

    log(brain) = 2.13 + 0.752*log(body)     reads     brain = 8.4*body**0.752
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from workbench.bases.basis import EdgeDefinition
from workbench.exceptions import NetworkError
from workbench.expression import Call, Expression, Number, Symbol, add, call, evaluate, fold, mul, named_functions, power, symbols
from workbench.expression.terms import part_number, power_or_root, terms_of
from workbench.formula.formula import Formula, Input, Output, Transform
from workbench.networks import KAN, Edge
from workbench.networks.kan import Layer

if TYPE_CHECKING:
    from workbench.dataset import Dataset

MAX_TERMS = 5_000  # more is no formula any more, and would take seconds to certify after every move


@dataclass(frozen=True)
class Quantity:
    """What an output is: its column's own name, its symbol and its unit; with transform "log", the network gives its logarithm."""

    name: str
    symbol: str
    unit: str | None = None
    transform: Transform | None = None


def assemble(network: KAN, inputs: Sequence[Input] | None = None, targets: Sequence[Quantity] | None = None) -> Formula:
    """Return the formula that a network computes; the network stays as it was.

    Parameters
    ----------
    network : KAN
    inputs : name, symbol, unit and range of every input; left out: x1, x2, ... with the range of the knots
    targets : name, symbol and unit of every output; left out: y, or y1, y2, ...

    Raises
    ------
    NetworkError
        Names do not fit the network, or the formula would have more than 5,000 terms; the message says what to prune.
    """
    inputs = _default_inputs(network) if inputs is None else tuple(inputs)
    targets = _default_targets(network) if targets is None else tuple(targets)
    if (len(inputs), len(targets)) != (network.n_inputs, network.n_outputs):
        raise NetworkError(
            f"assemble(network, inputs, targets): the network has {network.n_inputs} inputs and {network.n_outputs} outputs; "
            f"got names for {len(inputs)} and {len(targets)}."
        )
    _refuse_endless(network)
    definitions: dict[str, EdgeDefinition] = {}
    nodes: dict[int, Expression] = {i: _start(column) for i, column in enumerate(inputs)}
    for level, layer in enumerate(network.layers):
        slots = {target: _slot(network, (level, row), nodes, definitions) for row, target in enumerate(layer.targets)}
        nodes = {node.id: _settled(mul(*(slots[slot] for slot in node.factors)), definitions) for node in layer.nodes}
    positive = [column.symbol for column in inputs if column.transform == "log"]
    written = [nodes[node.id] for node in network.layers[-1].nodes]
    whole = (_without_logarithm(fold(e)) if t.transform == "log" else e for t, e in zip(targets, written, strict=True))
    expressions = [_with_powers(fold(e, positive)) for e in whole]
    used = frozenset().union(*map(named_functions, expressions))
    outputs = tuple(Output(t.name, t.symbol, t.unit, expression, t.transform) for t, expression in zip(targets, expressions, strict=True))
    return Formula(outputs, inputs, {name: d for name, d in definitions.items() if name in used}, notes=_notes(network, used))


def joined(formulas: Mapping[str, Formula]) -> Formula:
    """Return one formula for several groups of rows: the same law, each group with its own constants.

    A learned edge is another function in every group; its name gets the group's number at its end: phi_0_2_1_1 in the second group.

    Parameters
    ----------
    formulas : label of the group -> its formula; the first one gives `outputs`
    """
    if not formulas:
        raise NetworkError("joined(formulas): there are no groups; give at least one formula.")
    groups, definitions = {}, {}
    for number, (label, formula) in enumerate(formulas.items()):
        names = {name: f"{name}_{number}" for name in formula.definitions}
        groups[label] = tuple(replace(output, expression=_renamed(output.expression, names)) for output in formula.outputs)
        definitions |= {names[name]: replace(definition, name=names[name]) for name, definition in formula.definitions.items()}
    first = next(iter(formulas.values()))
    words = "Every group has its own constants; edges without a name are functions of their own"
    notes = (f"{words}: {_some(definitions)}.",) if definitions else ()
    return Formula(next(iter(groups.values())), first.inputs, definitions, groups, notes=notes)


def variables(dataset: Dataset) -> tuple[tuple[Input, ...], tuple[Quantity, ...]]:
    """Return what `assemble` needs to know of a dataset: its inputs with the range of the training rows, its targets, and their transforms."""
    transform = dataset.transforms.get
    inputs = tuple(
        Input(c.name, c.symbol, c.unit or None, float(low), float(high), transform(c.name))
        for c, (low, high) in zip(dataset.features, dataset.ranges, strict=True)
    )
    return inputs, tuple(Quantity(c.name, c.symbol, c.unit or None, transform(c.name)) for c in dataset.targets)


def _start(column: Input) -> Expression:
    return call("log", Symbol(column.symbol)) if column.transform == "log" else Symbol(column.symbol)


def _without_logarithm(expression: Expression) -> Expression:
    """Return exp(expression), with exp(c*log(u)) as u**c: a target seen as its logarithm is above 0, and so is u wherever the law holds."""
    factors = []
    for term in terms_of(expression):
        number, rest = part_number(term)
        inside = rest.arguments[0] if isinstance(rest, Call) and rest.function == "log" else None
        factors.append(call("exp", term) if inside is None else power_or_root(inside, number))
    return mul(*factors)


def _with_powers(expression: Expression) -> Expression:
    """Return the expression with exp(v*log(u)) as u**v where v holds an input: edges have one input each, so a network knows no other way to say it."""
    if not isinstance(expression, Call):
        return expression
    arguments = tuple(map(_with_powers, expression.arguments))
    node = expression if arguments == expression.arguments else call(expression.function, *arguments)
    match node:
        case Call(function="exp", arguments=(Call(function="mul", arguments=factors),)):
            logarithm = next((each for each in factors if isinstance(each, Call) and each.function == "log"), None)
            rest = [each for each in factors if each is not logarithm]
            if logarithm is not None and any(map(symbols, rest)):
                return power(logarithm.arguments[0], mul(*rest))
    return node


def edge_name(edge: Edge) -> str:
    """Return how formulas call an edge that has no name yet.

    >>> edge_name((0, 2, 1))
    'phi_0_2_1'
    """
    return "phi_{}_{}_{}".format(*edge)


def edge_definition(network: KAN, edge: Edge) -> EdgeDefinition:
    """Return the exact function of a learned edge."""
    level, row, column = network.position(edge)
    layer = network.layers[level]
    domain = (float(layer.domain[column, 0]), float(layer.domain[column, 1]))
    return layer.basis.definition(edge_name(edge), layer.theta(np.array([row]), np.array([column]))[0], domain)


def _slot(network: KAN, place: tuple[int, int], nodes: dict[int, Expression], definitions: dict[str, EdgeDefinition]) -> Expression:
    """Return bias + sum of the edges that enter one slot; definitions of learned edges are added to `definitions`."""
    level, row = place
    layer = network.layers[level]
    terms: list[Expression] = []
    for column, source in enumerate(layer.sources):
        if layer.alive[row, column]:
            terms.append(_edge(network, (level, source, layer.targets[row]), nodes[source], definitions))
    return _settled(add(*terms, _number(float(layer.bias[row]), free=bool(layer.free_bias[row]))), definitions)


def _edge(network: KAN, edge: Edge, argument: Expression, definitions: dict[str, EdgeDefinition]) -> Expression:
    snapped = network.symbolic_edge(edge)
    if snapped is not None:
        return _settled(snapped.form.expression(argument, snapped.parameters), definitions)
    definition = edge_definition(network, edge)
    definitions[definition.name] = definition
    return _settled(call(definition.name, argument), definitions)


def _number(value: float, free: bool) -> Number:
    """Return a constant: exact where no fit may change it and it is whole, so that a bias fixed at 0 leaves no trace."""
    return Number(int(value)) if not free and value.is_integer() else Number(value)


def _renamed(expression: Expression, names: Mapping[str, str]) -> Expression:
    """Return the expression with its named functions called by other names."""
    if not isinstance(expression, Call):
        return expression
    return Call(names.get(expression.function, expression.function), tuple(_renamed(part, names) for part in expression.arguments))


def _settled(expression: Expression, definitions: dict[str, EdgeDefinition]) -> Expression:
    """Return a number for an expression that no input reaches and that has a finite value, any other as it is."""
    if symbols(expression):
        return expression
    value = float(evaluate(expression, {}, definitions))
    return Number(value) if math.isfinite(value) else expression


def _refuse_endless(network: KAN) -> None:
    """Count the edge functions that the written formula will call: a hidden node is written out wherever it is used."""
    counts = np.zeros(network.n_inputs)
    for layer in network.layers:
        into_slots = layer.alive @ counts + layer.alive.sum(1)
        counts = np.array([into_slots[_rows(layer, node.factors)].sum() for node in layer.nodes])
    if counts.sum() > MAX_TERMS:
        raise NetworkError(
            f"The formula of this network would have {counts.sum():.3g} terms; at most {MAX_TERMS} are written out. "
            "Prune edges or nodes first: prune(threshold=...)."
        )


def _rows(layer: Layer, factors: Sequence[int]) -> list[int]:
    return [layer.targets.index(slot) for slot in factors]


def _default_inputs(network: KAN) -> tuple[Input, ...]:
    domain = network.layers[0].domain
    return tuple(Input(f"x{i + 1}", f"x{i + 1}", None, float(domain[i, 0]), float(domain[i, 1])) for i in range(network.n_inputs))


def _default_targets(network: KAN) -> tuple[Quantity, ...]:
    names = ["y"] if network.n_outputs == 1 else [f"y{i + 1}" for i in range(network.n_outputs)]
    return tuple(Quantity(name, name) for name in names)


def _notes(network: KAN, used: frozenset[str]) -> tuple[str, ...]:
    if not used:
        return ()
    families = {network.layers[edge[0]].basis.family for edge in network.edges() if network.symbolic_edge(edge) is None}
    kinds = " and ".join(words for family, words in (("spline", "splines"), ("rational", "rational functions")) if family in families)
    return (f"{len(used)} of {len(network.edges())} edges have no name yet; they stand in the formula as exact {kinds}: {_some(used)}.",)


def _some(names: Iterable[str], most: int = 6) -> str:
    listed = sorted(names)
    return ", ".join(listed[:most]) + (", ..." if len(listed) > most else "")
