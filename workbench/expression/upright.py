"""Signs and reciprocals where one expects them: -1/(u - 1) is 1/(1 - u), sqrt(1/u) is 1/sqrt(u), and -a + b is b - a."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from workbench.expression.calculus import factors_of
from workbench.expression.tree import Call, Expression, Number, add, call, mul, power


def upright(node: Expression) -> Expression:
    """Return the expression with as few minus signs before sums as they allow, these not first in their sums, and no power of a reciprocal.

    >>> from workbench.expression import parse, to_text
    >>> to_text(upright(parse("m*sqrt(-1/(v**2/c**2 - 1))"))), to_text(upright(parse("-a/(b - 1)")))
    ('m/(1 - v**2/c**2)**(1/2)', 'a/(1 - b)')
    """
    if not isinstance(node, Call):
        return node
    arguments = tuple(upright(each) for each in node.arguments)
    match node.function, arguments:
        case "mul", _:
            return _with_sign_inside(arguments)
        case "add", _:
            return _with_minus_last(arguments)
        case "sqrt", (Call(function="pow", arguments=(base, Number(value=-1))),):
            return power(base, Number(Fraction(-1, 2)))
        case "pow", (Call(function="pow", arguments=(base, Number(value=-1))), Number() as outer) if outer.exact:
            return power(base, Number(-Fraction(outer.value)))
    return call(node.function, *arguments)


def _with_sign_inside(factors: tuple[Expression, ...]) -> Expression:
    """Return a product, its minus sign taken into a sum where fewer are left then."""
    minus = next((factor for factor in factors if isinstance(factor, Number) and factor.exact and factor.value < 0), None)
    if minus is None:
        return mul(*factors)
    for place, factor in enumerate(factors):
        terms, exponent = _odd_power_of_sum(factor)
        if terms and sum(not _is_negative(term) for term in terms) < 1 + sum(map(_is_negative, terms)):
            turned = power(_with_minus_last([mul(Number(-1), term) for term in terms]), Number(exponent))
            others = [other for i, other in enumerate(factors) if i != place and other is not minus]
            return mul(Number(-minus.value), *others, turned)
    return mul(*factors)


def _with_minus_last(terms: Sequence[Expression]) -> Expression:
    """Return a sum; where it begins with a minus sign, the terms without one come first."""
    return add(*(sorted(terms, key=_is_negative) if _is_negative(terms[0]) else terms))


def _odd_power_of_sum(node: Expression) -> tuple[tuple[Expression, ...], int]:
    match node:
        case Call(function="add", arguments=terms):
            return terms, 1
        case Call(function="pow", arguments=(Call(function="add", arguments=terms), Number() as exponent)) if exponent.exact:
            value = Fraction(exponent.value)
            if value.denominator == 1 and value.numerator % 2:
                return terms, value.numerator
    return (), 1


def _is_negative(term: Expression) -> bool:
    return any(isinstance(factor, Number) and factor.value < 0 for factor in factors_of(term))
