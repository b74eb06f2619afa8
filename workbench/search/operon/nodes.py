"""Operon's trees as our expressions, read node by node.

A tree is a list in postfix order; the operand nearest to an operator is its first: [a, b, Sub] is b - a. Every node carries a weight, and a variable's is
usually not 1. Printing would lose digits, and prints `fmin` for what computes the maximum in 0.6: neither fmin nor fmax is asked for or read here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from workbench.exceptions import ExpressionError
from workbench.expression import Expression, Number, Symbol, add, call, mul, power

if TYPE_CHECKING:
    from pyoperon import Node

_FUNCTIONS = ("Acos", "Asin", "Atan", "Cbrt", "Cos", "Cosh", "Exp", "Log", "Log1p", "Sin", "Sinh", "Sqrt", "Tan", "Tanh", "Abs")

_READ: dict[str, Callable[..., Expression]] = {
    "Add": add,
    "Mul": mul,
    "Sub": lambda first, *others: first - add(*others) if others else -first,
    "Div": lambda first, *others: first / mul(*others) if others else power(first, -1),
    "Pow": power,
    "Square": lambda u: power(u, 2),
    "Aq": lambda u, v: u / call("sqrt", 1 + v**2),  # the analytic quotient of Ni, Drieberg & Rockett (2013)
    "Powabs": lambda u, v: power(call("abs", u), v),
    "Logabs": lambda u: call("log", call("abs", u)),
    "Sqrtabs": lambda u: call("sqrt", call("abs", u)),
    **{name: partial(call, name.lower()) for name in _FUNCTIONS},
}
OPERATORS = frozenset(_READ)  # names of pyoperon.NodeType that can be read


def expression_of(nodes: Iterable[Node], symbols: Mapping[int, str]) -> Expression:
    """Return the expression of a tree; `symbols` names the variables by their hash values.

    Raises
    ------
    ExpressionError : an operator that has no counterpart here
    """
    stack: list[Expression] = []
    for node in nodes:
        stack.append(_read(node, symbols, stack))
    if len(stack) != 1:
        raise ExpressionError(f"Operon: a tree that leaves {len(stack)} values instead of one.")
    return stack[0]


def _read(node: Node, symbols: Mapping[int, str], stack: list[Expression]) -> Expression:
    """Read one node, taking its operands from the stack."""
    if node.IsConstant:
        return Number(float(node.Value))
    if node.IsVariable:
        return _weighted(Symbol(symbols[node.HashValue]), node.Value)
    name = node.Type.name
    if name not in _READ:
        raise ExpressionError(f"Operon: the operator {name} has no counterpart in a formula. Known: {', '.join(sorted(_READ))}.")
    operands: Sequence[Expression] = [stack.pop() for _ in range(node.Arity)]
    if name == "Sub" and node.Arity > 1:  # its weight is the first operand's, as Operon 0.6 computes it
        return _READ[name](_weighted(operands[0], node.Value), *operands[1:])
    return _weighted(_READ[name](*operands), node.Value)


def _weighted(expression: Expression, weight: float) -> Expression:
    return expression if weight == 1.0 else mul(Number(float(weight)), expression)
