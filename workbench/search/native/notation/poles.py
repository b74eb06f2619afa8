"""Columns before a root that stand below fraction lines in it go into it: w*sqrt(1/w**2 - 2/w + u**2) is sqrt(1 - 2*w + w**2*u**2).

On rows above zero both are the same; beyond them the first has a pole and changes its sign, and the law does neither. Where only even powers stand
below the lines, as in c*sqrt(1 - v**2/c**2), either may be the law, and the shorter way to write it stays.
"""

from __future__ import annotations

from collections.abc import Collection
from fractions import Fraction

from workbench.expression import Call, Expression, Number, Symbol, add, call, factors_of, mul, power
from workbench.search.native.notation.gathering import base_and_exponent

_HALF = Fraction(1, 2)


def without_poles(expression: Expression, positive: Collection[str]) -> Expression:
    """Return the expression with such columns in their roots; the same for rows above zero.

    Parameters
    ----------
    positive : names of symbols known to be above zero
    """
    if not isinstance(expression, Call):
        return expression
    node = call(expression.function, *(without_poles(argument, positive) for argument in expression.arguments))
    for root in factors_of(node):
        terms, sign = _rooted(root)
        for name in positive if terms else ():
            lifted = _lifted(factors_of(node), root, terms, sign, Symbol(name))
            if lifted is not None:
                return without_poles(lifted, positive)
    return node


def _rooted(factor: Expression) -> tuple[tuple[Expression, ...], int]:
    """Return the terms of a sum below a square root, and 1, or -1 where the root is below a fraction line; no terms for anything else."""
    base, exponent = base_and_exponent(factor)
    if abs(exponent) == _HALF and isinstance(base, Call) and base.function == "add":
        return base.arguments, 1 if exponent > 0 else -1
    return (), 1


def _lifted(factors: tuple[Expression, ...], root: Expression, terms: tuple[Expression, ...], sign: int, symbol: Symbol) -> Expression | None:
    """Return the product with as much of a symbol in the root as its poles there need; None where they are none, even, or more than stands outside."""
    inside = [_power_of(symbol, factors_of(term)) for term in terms]
    if not any(each < 0 and each.denominator == 1 and each % 2 for each in inside):
        return None
    needed = -(min(inside) // 2)
    if needed > sign * _power_of(symbol, factors):
        return None
    sum_ = add(*(mul(term, power(symbol, Number(2 * needed))) for term in terms))
    return mul(*(factor for factor in factors if factor is not root), power(symbol, Number(-sign * needed)), power(sum_, Number(sign * _HALF)))


def _power_of(symbol: Symbol, factors: tuple[Expression, ...]) -> Fraction:
    return sum((exponent for base, exponent in map(base_and_exponent, factors) if base == symbol), Fraction(0))
