"""Perfect squares: a**2 - 2*a*b + b**2 is (a - b)**2, and under a root it is a - b, or b - a, as the rows say.

Screens that square the target find such laws with the square still in them. On the rows the root and what is below it are the same; beyond them the
root has a kink that the law has not.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import NamedTuple

from workbench.expression import Call, Expression, Number, add, call, factors_of, fold, mul, power, walk
from workbench.search.native.notation.gathering import base_and_exponent

_TERMS, _MOST_TERMS = 3, 8
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


def squared(expression: Expression) -> Expression:
    """Return the expression with the squares of sums written as such, where all their coefficients are exact."""
    if not isinstance(expression, Call):
        return expression
    node = call(expression.function, *map(squared, expression.arguments))
    return _squared_sum(node) if node.function == "add" and len(node.arguments) <= _MOST_TERMS else node


def _squared_sum(node: Call) -> Expression:
    """Return a sum with three of its terms as a square, if three are one; all others may have any form."""
    for chosen in itertools.combinations(node.arguments, _TERMS):
        content = _content(chosen)
        if content is None:
            continue
        root = next(_roots(add(*(mul(Number(1 / content), term) for term in chosen)), exact=True), None)
        if root is not None:
            rest = [term for term in node.arguments if not any(term is each for each in chosen)]
            return add(mul(Number(content), power(root, Number(2))), *rest)
    return node


def _content(terms: Iterable[Expression]) -> Fraction | None:
    """Return the rational number that leaves whole coefficients without a common divisor; None where one is not exact."""
    coefficients = [_monomial(term).coefficient for term in terms]
    if not all(isinstance(each, Fraction) for each in coefficients):
        return None
    return Fraction(math.gcd(*(each.numerator for each in coefficients)), math.lcm(*(each.denominator for each in coefficients)))


def _replaced(expression: Expression, old: Expression, new: Expression) -> Expression:
    if expression == old:
        return new
    return call(expression.function, *(_replaced(each, old, new) for each in expression.arguments)) if isinstance(expression, Call) else expression


def _roots(factor: Expression, exact: bool = False) -> Iterator[Expression]:
    """Yield a + b and -a - b where a factor is (a + b)**2 written out, for `exact` with exact numbers and whole powers alone."""
    if not (isinstance(factor, Call) and factor.function == "add" and len(factor.arguments) == _TERMS):
        return
    terms = [_monomial(term) for term in factor.arguments]
    for first, second, middle in itertools.permutations(terms):
        if not (first.coefficient > 0 and second.coefficient > 0) or terms.index(first) > terms.index(second):
            continue
        a, b = _root(first), _root(second)
        if exact and not (_is_whole(a) and _is_whole(b)):
            continue
        twice = _product(a, b)
        if twice.powers == middle.powers and math.isclose(2 * twice.coefficient, abs(middle.coefficient), rel_tol=_ALIKE):
            sign = 1 if middle.coefficient > 0 else -1
            for front in (1, -1):
                yield add(mul(Number(front), _written(a)), mul(Number(front * sign), _written(b)))
            return


def _is_whole(root: _Monomial) -> bool:
    """Whether a root is defined wherever its square is: an exact number, and whole powers."""
    return isinstance(root.coefficient, Fraction) and all(exponent.denominator == 1 for exponent in root.powers.values())


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
