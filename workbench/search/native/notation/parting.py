"""Powers of products parted where that is true: (m**-2 * u)**(-1/2) is m*u**(-1/2) for positive m.

Sums come back through roots and reciprocals with a common monomial inside; outside it is shorter, and its exponents merge with others.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from workbench.expression import Call, Expression, Number, Symbol, call, mul, power

_HALF = Fraction(1, 2)


def parted(expression: Expression, positive: Iterable[str]) -> Expression:
    """Return the expression with positive factors taken out of powers.

    Parameters
    ----------
    positive : names of symbols known to be above zero
    """
    return _parted(expression, frozenset(positive))


def _parted(node: Expression, positive: frozenset[str]) -> Expression:
    if not isinstance(node, Call):
        return node
    node = call(node.function, *(_parted(argument, positive) for argument in node.arguments))
    if not (isinstance(node, Call) and node.function == "pow" and isinstance(node.arguments[1], Number)):
        return node
    base, exponent = node.arguments
    if not (isinstance(base, Call) and base.function == "mul"):
        return node
    outside = [factor for factor in base.arguments if above_zero(factor, positive)]
    inside = [factor for factor in base.arguments if not above_zero(factor, positive)]
    if not outside:
        return node
    return mul(*(_raised(factor, exponent) for factor in outside), power(mul(*inside), exponent))


def _raised(factor: Expression, exponent: Number) -> Expression:
    match factor:
        case Call(function="pow", arguments=(base, Number(value=inner))):
            return power(base, Number(inner * exponent.value))
        case Call(function="sqrt", arguments=(base,)):
            return power(base, Number(exponent.value * _HALF))
    return power(factor, exponent)


def above_zero(node: Expression, positive: frozenset[str]) -> bool:
    """Whether a node is a positive symbol or a power of one."""
    match node:
        case Symbol(name=name):
            return name in positive
        case Call(function="pow", arguments=(Symbol(name=name), Number())) | Call(function="sqrt", arguments=(Symbol(name=name),)):
            return name in positive
    return False
