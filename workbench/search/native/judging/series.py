"""Functions that begin alike: where noise hides all but the first terms of a series, one function is taken for another.

    1 + u  ~  exp(u)  ~  1/(1 - u)  ~  1/sqrt(1 - 2 u)  ~  sqrt(1 + 2 u)  ~  (1 + u/2)^2  ~  1/(1 - u/2)^2

Every one is (1 + u/q)^q, and exp is q = infinity. Each part of a formula that is one of them is replaced by the others, their first terms nearly
kept, so that a fit starts close by.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from workbench.expression import Call, Expression, Number, add, call, mul, power

_EXPONENTS = (Fraction(-1, 2), Fraction(-1), Fraction(1, 2), Fraction(1), Fraction(2), Fraction(-2))
_LESS = 0.75  # of the first term, as many of these functions end at a pole or a branch point
_MOST_TERMS = 3  # of a sum that may be the start of a series

_Series = tuple[Expression, Expression, Fraction | None]  # in front, u, and q; None for the exponential


def alike(expression: Expression) -> Iterator[Expression]:
    """Yield the expression with one part replaced by another function of the same first terms, each part and each function in turn.

    >>> from workbench.expression import parse
    >>> [str(each) for each in alike(parse("exp(0.5*x)"))][:2]
    ['1/(1 - 0.75*x)**(1/2)', '1/(1 - 0.375*x)']
    """
    if not isinstance(expression, Call):
        return
    for front, u, own in _as_series(expression):
        yield from (mul(front, other) for q, other in _functions(u) if q != own)
    for place, argument in enumerate(expression.arguments):
        for inner in alike(argument):
            yield call(expression.function, *expression.arguments[:place], inner, *expression.arguments[place + 1 :])


def _functions(u: Expression) -> Iterator[tuple[Fraction | None, Expression]]:
    """Yield what begins nearly like 1 + u; the factor of u is free, as a fit will change it."""
    for q in _EXPONENTS:
        yield q, power(add(1, mul(Number(_LESS / float(q)), u)), q)
    yield None, call("exp", u)


def _as_series(node: Call) -> Iterator[_Series]:
    """Yield the ways in which a node is such a function: exp(u), a sum, or a power of a sum."""
    if node.function == "exp":
        yield Number(1), node.arguments[0], None
        return
    base, exponent = (node, Fraction(1)) if node.function == "add" else _power_of_sum(node)
    if base is None or exponent not in _EXPONENTS or len(base.arguments) > _MOST_TERMS:
        return
    for place, first in enumerate(base.arguments):
        others = base.arguments[:place] + base.arguments[place + 1 :]
        u = add(*(mul(Number(exponent), term, power(first, -1)) for term in others))
        yield power(first, exponent), u, exponent


def _power_of_sum(node: Call) -> tuple[Call | None, Fraction]:
    match node:
        case Call(function="pow", arguments=(Call(function="add") as base, Number() as exponent)) if exponent.exact:
            return base, Fraction(exponent.value)
    return None, Fraction(0)
