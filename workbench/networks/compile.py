"""A formula as a network: every operation becomes a node or an edge, every free constant one constant of the network.

    sum        -> a sum node                          1.5*a*b + c      product node (a, b) -> edge 1.5*x  \\
    product    -> a product node                                       c ---------------- -> edge x       -> sum node
    f(u)       -> an edge; functions of one variable inside each other, or of the same variable, are one edge together

Exact numbers stay as they are in every fit; the floats of the formula are what a fit may change, and nothing else is free. A node that is
needed further up is handed on by an edge that is the line x.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from workbench.exceptions import NetworkError
from workbench.expression import Call, Expression, Number, Symbol, add, call, evaluate, fold, mul, named_functions, power, substitute, symbols
from workbench.expression.terms import constant_factors, terms_of
from workbench.networks.kan import KAN, Layer, Node, SymbolicEdge
from workbench.networks.program import Program
from workbench.primitives.naming import named

_X = Symbol("x")  # the variable of every edge function
_N_INTERVALS = 5  # of the splines that edges become when they are released
_MOST_EDGES = 500


def compile_expression(expression: Expression, inputs: Sequence[str], X: np.ndarray) -> KAN:
    """Return the network that computes a formula.

    Parameters
    ----------
    expression : Expression     of the inputs, with at least one of them
    inputs : symbols of the network's inputs, in order
    X : (n_rows, n_inputs)     rows that say in which range every node lies

    Raises
    ------
    NetworkError : it depends on none of the inputs or on others, calls functions that are defined elsewhere, or has no finite value on some rows
    """
    expression = fold(expression)
    _check(expression, inputs)
    levels = _levels(_Plan(_slots(expression), None), inputs)
    if sum(len(slot.wires) for level in levels[1:] for node in level for slot in node.slots) > _MOST_EDGES:
        raise NetworkError(f"compile: the network of this formula would have more than {_MOST_EDGES} edges. Give a shorter formula.")
    layers, values = [], np.ascontiguousarray(X.T, dtype=float)
    for below, nodes in zip(levels, levels[1:], strict=False):
        layers.append(_layer(below, nodes, values))
        values = _received(layers[-1], values)
    return KAN(tuple(layers))


def _check(expression: Expression, inputs: Sequence[str]) -> None:
    unknown = sorted(symbols(expression) - set(inputs)) or sorted(named_functions(expression))
    if unknown:
        raise NetworkError(f"compile: {unknown[0]!r} is neither an input nor a function. Inputs: {', '.join(inputs)}.")
    if not symbols(expression):
        raise NetworkError("compile: the formula depends on no input. Write at least one of: " + ", ".join(inputs) + ".")


# ------------------------------------------------------------------------------------------------------ what is a node


@dataclass(frozen=True)
class _Slot:
    """bias + sum of function(child): one edge a child."""

    bias: Expression
    wires: tuple[tuple[Expression, Expression], ...]


@dataclass(frozen=True)
class _Plan:
    """A node: the slots it multiplies, and the expression it stands for; None for the output, which nothing else needs."""

    slots: tuple[_Slot, ...]
    meaning: Expression | None

    @cached_property
    def children(self) -> tuple[Expression, ...]:
        return tuple(dict.fromkeys(child for slot in self.slots for child, _ in slot.wires))


def _slots(expression: Expression) -> tuple[_Slot, ...]:
    """Return the factors of a product as slots; anything else is a sum, one slot."""
    if not (isinstance(expression, Call) and expression.function == "mul"):
        return (_sum_slot(expression),)
    coefficient, factors = constant_factors(expression.arguments)
    slots: list[_Slot] = []
    joined: dict[Expression, Expression] = {}
    for factor in factors:
        child, function = _wire(factor)
        if child == factor and not isinstance(child, Symbol):
            slots.append(_sum_slot(factor))  # its terms enter the product without a node between
        else:
            joined[child] = mul(joined.get(child, Number(1)), function)
    if coefficient != Number(1) and joined:
        first = next(iter(joined))
        joined[first], coefficient = mul(coefficient, joined[first]), Number(1)
    slots = [*(_slot(Number(0), {child: function}) for child, function in joined.items()), *slots]
    return tuple(slots) if coefficient == Number(1) and len(slots) > 1 else (_sum_slot(expression),)


def _sum_slot(expression: Expression) -> _Slot:
    bias: Expression = Number(0)
    wires: dict[Expression, Expression] = {}
    for term in terms_of(expression):
        if not symbols(term):
            bias = add(bias, term)
            continue
        child, function = _wire(term)
        wires[child] = add(wires[child], function) if child in wires else function
    return _slot(bias, wires)


def _slot(bias: Expression, wires: dict[Expression, Expression]) -> _Slot:
    """Return a slot in which constant terms of its functions, such as the 1 of 1 + cos(x), are part of the bias."""
    parted = {}
    for child, function in wires.items():
        bias = add(bias, *(term for term in terms_of(function) if not symbols(term)))
        parted[child] = add(*(term for term in terms_of(function) if symbols(term)))
    return _Slot(bias, tuple(parted.items()))


def _wire(term: Expression) -> tuple[Expression, Expression]:
    """Return a term as a function, in x, of the one expression below that it depends on: exp(2*a*b) is exp(2*x) of a*b."""
    names = symbols(term)
    if len(names) == 1:
        (name,) = names
        return Symbol(name), substitute(term, {name: _X})
    match term:
        case Call(function="add" | "mul" as operator, arguments=arguments):
            return _of_many(term, operator, arguments)
        case Call(function="pow", arguments=(base, exponent)) if not symbols(exponent):
            child, function = _wire(base)
            return child, power(function, exponent)
        case Call(function="pow", arguments=(base, exponent)) if not symbols(base):
            child, function = _wire(exponent)
            return child, power(base, function)
        case Call(function="pow", arguments=(base, exponent)):
            return _wire(call("exp", mul(exponent, call("log", base))))
        case Call(function=name, arguments=(argument,)):
            child, function = _wire(argument)
            return child, call(name, function)
    raise NetworkError(f"compile: {term} cannot be a part of a network.")


def _of_many(term: Expression, operator: str, arguments: tuple[Expression, ...]) -> tuple[Expression, Expression]:
    """Return a sum or product as a function of one expression that all its parts depend on, or else of itself."""
    build = add if operator == "add" else mul
    varying = [argument for argument in arguments if symbols(argument)]
    constant = build(*(argument for argument in arguments if not symbols(argument)))
    wires = [_wire(argument) for argument in varying]
    if len({child for child, _ in wires}) == 1:
        return wires[0][0], build(*(function for _, function in wires), *_kept(constant, operator))
    if operator == "add":
        return term, _X
    return mul(*varying), mul(constant, _X)


def _kept(constant: Expression, operator: str) -> list[Expression]:
    return [] if constant == Number(0 if operator == "add" else 1) else [constant]


# ------------------------------------------------------------------------------------------------------ where it lies


def _levels(output: _Plan, inputs: Sequence[str]) -> list[list[_Plan]]:
    """Return the nodes of every level, the inputs first; a node that is needed further up stands in every level on the way."""
    plans = {Symbol(name): _Plan((), Symbol(name)) for name in inputs}
    heights = {Symbol(name): 0 for name in inputs}

    def height(meaning: Expression) -> int:
        if meaning not in heights:
            plans[meaning] = _Plan(_slots(meaning), meaning)
            heights[meaning] = 1 + max(map(height, plans[meaning].children))
        return heights[meaning]

    top = 1 + max(map(height, output.children))
    levels = [[output]]
    for level in range(top - 1, 0, -1):
        needed = dict.fromkeys(child for node in levels[-1] for child in node.children)
        levels.append([plans[child] if heights[child] == level else _handed_on(child) for child in needed])
    levels.append([plans[Symbol(name)] for name in inputs])
    return levels[::-1]


def _handed_on(meaning: Expression) -> _Plan:
    return _Plan((_Slot(Number(0), ((meaning, _X),)),), meaning)


# ------------------------------------------------------------------------------------------------------ as a network


def _layer(below: Sequence[_Plan], nodes: Sequence[_Plan], values: np.ndarray) -> Layer:
    """Return one layer; values (n_in, n_rows) are what it receives."""
    column_of = {node.meaning: column for column, node in enumerate(below)}
    sources = _first_slots(below) if below[0].slots else tuple(range(len(below)))
    slots = [slot for node in nodes for slot in node.slots]
    alive = np.zeros((len(slots), len(below)), dtype=bool)
    symbolic = {}
    for row, slot in enumerate(slots):
        for child, function in slot.wires:
            column = column_of[child]
            alive[row, column] = True
            symbolic[row, sources[column]] = SymbolicEdge(*named(function))
    return Layer(
        sources=sources,
        nodes=tuple(
            Node(first, tuple(range(first, first + len(node.slots)))) for first, node in zip(_first_slots(nodes), nodes, strict=True)
        ),
        domain=_ranges(values),
        coefficients=np.zeros((_N_INTERVALS + 3, *alive.shape)),
        base=np.zeros(alive.shape),
        bias=np.array([float(evaluate(slot.bias, {})) for slot in slots]),
        alive=alive,
        symbolic=symbolic,
        free_bias=np.array([isinstance(slot.bias, Number) and not slot.bias.exact for slot in slots]),
    )


def _first_slots(nodes: Iterable[_Plan]) -> tuple[int, ...]:
    first, result = 0, []
    for node in nodes:
        result.append(first)
        first += len(node.slots)
    return tuple(result)


def _received(layer: Layer, values: np.ndarray) -> np.ndarray:
    """Return what the layer hands up, (n_nodes, n_rows)."""
    program = Program(KAN((layer,)))
    with np.errstate(all="ignore"):
        result = program.predict(program.parameters, values)
    lost = ~np.isfinite(result).all(0)
    if lost.any():
        rows = ", ".join(map(str, np.flatnonzero(lost)[:5] + 1))
        raise NetworkError(f"compile: the formula has no finite value on {lost.sum()} of {lost.size} rows (rows {rows}). Leave them out, or change it.")
    return result


def _ranges(values: np.ndarray) -> np.ndarray:
    """Return (n, 2): the range of every row, widened where it is a point."""
    low, high = values.min(1), values.max(1)
    half = np.where(high > low, 0.0, np.maximum(0.5, 0.5 * np.abs(low)))
    return np.column_stack([low - half, high + half])
