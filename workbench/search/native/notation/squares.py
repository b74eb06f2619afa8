"""Perfect squares under a root: sqrt(a**2 - 2*a*b + b**2) is a - b, or b - a, as the rows say.

Screens that square the target find such laws with the square still in them. On the rows both are the same; beyond them the root has a kink that the law
has not.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from workbench.expression import Call, Expression, Number, add, call, factors_of, fold, mul, power, walk
from workbench.search.native.notation.gathering import base_and_exponent

_TERMS = 3
_ALIKE = 1e-9  # relative difference of coefficients that is rounding


class _Monomial(NamedTuple):
    coefficient: Fraction | float
    powers: dict[Expression, Fraction]


def unrooted(expression: Expression) -> Iterator[Expression]:
    """Yield the expression with one perfect square taken out of a root, with either sign."""
    for node in walk(expression):
        base, exponent = base_and_exponent(node)
        if exponent.denominator != 2:
            continue
        factors = factors_of(base)
        for place, factor in enumerate(factors):
            rest = power(mul(*factors[:place], *factors[place + 1 :]), Number(exponent))
            for root in _roots(factor):
                yield fold(_replaced(expression, node, mul(power(root, Number(2 * exponent)), rest)))


def _replaced(expression: Expression, old: Expression, new: Expression) -> Expression:
    if expression == old:
        return new
    return call(expression.function, *(_replaced(each, old, new) for each in expression.arguments)) if isinstance(expression, Call) else expression


def _roots(factor: Expression) -> Iterator[Expression]:
    """Yield a + b and -a - b where a factor is (a + b)**2 written out."""
    if not (isinstance(factor, Call) and factor.function == "add" and len(factor.arguments) == _TERMS):
        return
    terms = [_monomial(term) for term in factor.arguments]
    for first, second, middle in itertools.permutations(terms):
        if not (first.coefficient > 0 and second.coefficient > 0) or terms.index(first) > terms.index(second):
            continue
        a, b = _root(first), _root(second)
        twice = _product(a, b)
        if twice.powers == middle.powers and math.isclose(2 * twice.coefficient, abs(middle.coefficient), rel_tol=_ALIKE):
            sign = 1 if middle.coefficient > 0 else -1
            for front in (1, -1):
                yield add(mul(Number(front), _written(a)), mul(Number(front * sign), _written(b)))
            return


def _monomial(term: Expression) -> _Monomial:
    coefficient: Fraction | float = Fraction(1)
    powers: dict[Expression, Fraction] = {}
    for factor in factors_of(term):
        if isinstance(factor, Number):
            coefficient *= factor.value if isinstance(factor.value, float) else Fraction(factor.value)
        else:
            base, exponent = base_and_exponent(factor)
            powers[base] = powers.get(base, Fraction(0)) + exponent
    return _Monomial(coefficient, powers)


def _root(monomial: _Monomial) -> _Monomial:
    return _Monomial(_square_root(monomial.coefficient), {base: exponent / 2 for base, exponent in monomial.powers.items()})


def _square_root(value: Fraction | float) -> Fraction | float:
    """Return the root of a positive number, exact where it has an exact one."""
    if isinstance(value, Fraction):
        root = Fraction(math.isqrt(value.numerator), math.isqrt(value.denominator))
        if root**2 == value:
            return root
    return math.sqrt(value)


def _product(a: _Monomial, b: _Monomial) -> _Monomial:
    powers = {base: a.powers.get(base, Fraction(0)) + b.powers.get(base, Fraction(0)) for base in (*a.powers, *b.powers)}
    return _Monomial(a.coefficient * b.coefficient, {base: exponent for base, exponent in powers.items() if exponent})


def _written(monomial: _Monomial) -> Expression:
    return mul(Number(monomial.coefficient), *(power(base, Number(exponent)) for base, exponent in monomial.powers.items()))
