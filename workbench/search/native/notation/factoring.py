"""What stands in front of a sum may as well stand in it, and the other way round: the shorter of both is the law's way to be written.

    x*(1 - t*u/x)  =  x - t*u                 c/(u*sqrt(c**2/u**2 - 1))  =  1/sqrt(1 - u**2/c**2)

Reductions leave such factors behind. For a factor f of f*S^p the sum becomes S*f^(1/p); for a term m of S the front becomes f*m^p, and
the sum S/m; and for what of m is in all the terms likewise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

from workbench.expression import Call, Expression, Number, Symbol, add, call, factors_of, mul, power
from workbench.search.native.notation.gathering import base_and_exponent
from workbench.search.native.notation.parting import above_zero

_ROUNDS, _MOST_TERMS = 3, 5

Fold = Callable[[Expression], Expression]


def shortest_factoring(expression: Expression, positive: frozenset[str], fold: Fold, length: Callable[[Expression], float]) -> Expression:
    """Return the same function with factors in front of its sums or in them, whichever is shortest.

    Parameters
    ----------
    positive : names of symbols known to be above zero
    fold : what simplifies an expression
    length : what is to be least
    """
    for _ in range(_ROUNDS):
        shorter = min((fold(each) for each in factorings(expression, positive)), key=length, default=expression)
        if not length(shorter) < length(expression):
            break
        expression = shorter
    return expression


def factorings(node: Expression, positive: frozenset[str]) -> Iterator[Expression]:
    """Yield the expression with one factor moved into a sum, or one term taken out of it."""
    if not isinstance(node, Call):
        return
    factors = factors_of(node)
    for place, factor in enumerate(factors):
        terms, exponent = _sum(factor)
        if 1 < len(terms) <= _MOST_TERMS:
            yield from _moved(terms, exponent, factors[:place] + factors[place + 1 :], positive)
    for place, argument in enumerate(node.arguments):
        for inner in factorings(argument, positive):
            yield call(node.function, *node.arguments[:place], inner, *node.arguments[place + 1 :])


def _moved(terms: tuple[Expression, ...], exponent: Fraction, others: tuple[Expression, ...], positive: frozenset[str]) -> Iterator[Expression]:
    movable = [other for other in others if not isinstance(other, Number) and _may_move(other, exponent, positive)]
    choices = [[other] for other in movable] + ([movable] if len(movable) > 1 else [])
    for moved in choices:
        inside = [power(factor, 1 / exponent) for factor in moved]
        kept = [other for other in others if other not in moved]
        yield mul(*kept, power(add(*(mul(term, *inside) for term in terms)), exponent))
    for term in terms:
        front = [factor for factor in factors_of(term) if not isinstance(factor, Number) and _may_move(factor, exponent, positive)]
        common = [factor for factor in front if all(_base(factor) in map(_base, factors_of(each)) for each in terms)]
        for taken in filter(None, (front, common if len(common) < len(front) else ())):
            inside = [power(factor, -1) for factor in taken]
            yield mul(*others, *(power(factor, exponent) for factor in taken), power(add(*(mul(each, *inside) for each in terms)), exponent))


def _base(factor: Expression) -> Expression:
    return base_and_exponent(factor)[0]


def _may_move(factor: Expression, exponent: Fraction, positive: frozenset[str]) -> bool:
    """Whether (a f)^p is a^p f^p: for whole p and 1/p of any monomial, otherwise of a positive one."""
    match factor:
        case Symbol() | Call(function="pow", arguments=(Symbol(), Number())) | Call(function="sqrt", arguments=(Symbol(),)):
            return abs(exponent) == 1 or above_zero(factor, positive)
    return False


def _sum(node: Expression) -> tuple[tuple[Expression, ...], Fraction]:
    """Return the terms of a sum, or of the sum below an exact power, and the exponent; no terms for anything else."""
    match node:
        case Call(function="add", arguments=terms):
            return terms, Fraction(1)
        case Call(function="pow", arguments=(Call(function="add", arguments=terms), Number() as exponent)) if exponent.exact:
            return terms, Fraction(exponent.value)
    return (), Fraction(1)
