"""Powers gathered where that is shorter: H^(3/2)*(h/H + 1)^(3/2) is (h + H)^(3/2), and sqrt(k)*sqrt(tanh(k*h)) is sqrt(k*tanh(k*h)).

Reductions take monomials out of a law and screens take them out of sums, so a found law often stands as a product that nobody would write. The whole
is also defined where its parts are not: for k and h below zero the square root of their product is still there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import lru_cache

from workbench.expression import Call, Expression, Number, add, call, complexity, fold, mul, power
from workbench.expression.terms import exact_power

_LONGEST = 60  # nodes


@lru_cache(maxsize=10_000)  # the parts of a product are asked again with every factor that moves
def gathered(expression: Expression) -> Expression:
    """Return the expression with powers gathered wherever that makes it shorter; true where all symbols in them are above zero.

    A long expression stays as it is: it is no law, and there are very many ways to write it.
    """
    if not isinstance(expression, Call) or complexity(expression) > _LONGEST:
        return expression
    node = fold(call(expression.function, *map(gathered, expression.arguments)))
    shortest = min(_others(node), key=complexity, default=node)
    return gathered(shortest) if complexity(shortest) < complexity(node) else node


def _others(node: Expression) -> Iterator[Expression]:
    """Yield products with factors moved into a sum or its power, or into a root, beside them, and roots with squares taken out."""
    yield from _taken_out(node)
    if not (isinstance(node, Call) and node.function == "mul"):
        return
    for place, factor in enumerate(node.arguments):
        base, exponent = base_and_exponent(factor)
        if not _is_sum(base) and exponent.denominator == 1:
            continue
        rest = [other for i, other in enumerate(node.arguments) if i != place]
        movable = [i for i, other in enumerate(rest) if not isinstance(other, Number)]
        for chosen in (movable, *([i] for i in movable)) if len(movable) > 1 else (movable,):
            inside = [power(b, Number(e / exponent)) for b, e in (base_and_exponent(rest[i]) for i in chosen)]
            outside = [other for i, other in enumerate(rest) if i not in chosen]
            yield fold(mul(*outside, power(_multiplied(base, inside), Number(exponent))))


def _taken_out(node: Expression) -> Iterator[Expression]:
    base, exponent = base_and_exponent(node)
    if exponent.denominator == 1 or not (isinstance(base, Call) and base.function == "mul"):
        return
    parts = [base_and_exponent(factor) for factor in base.arguments]
    whole = [(e * exponent).denominator == 1 and not isinstance(b, Number) for b, e in parts]
    if any(whole):
        outside = [power(b, Number(e * exponent)) for (b, e), out in zip(parts, whole) if out]
        inside = [factor for factor, out in zip(base.arguments, whole) if not out]
        yield fold(mul(*outside, power(mul(*inside), Number(exponent))))


def _is_sum(base: Expression) -> bool:
    return isinstance(base, Call) and base.function == "add"


def _multiplied(base: Expression, factors: Sequence[Expression]) -> Expression:
    """Return the product, term by term where the base is a sum."""
    if _is_sum(base):
        return add(*(gathered(mul(term, *factors)) for term in base.arguments))
    return mul(base, *factors)


def base_and_exponent(factor: Expression) -> tuple[Expression, Fraction]:
    """Return base and exponent, which is 1 for what is no exact power."""
    match factor:
        case Call(function="sqrt", arguments=(base,)):
            return base, Fraction(1, 2)
    base, exponent = exact_power(factor)
    return base, Fraction(exponent)
