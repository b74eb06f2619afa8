"""A fitted constant of a sum below a power goes before it: 3.2e-12*(153.8 - u)**5.26 is (1 - u/153.8)**5.26, and needs a constant less.

A screen that knows sums below powers fits all their constants; laws are mostly written from a one, and often nothing is left before the power then.
"""

from __future__ import annotations

from collections.abc import Iterator

from workbench.expression import Call, Expression, Number, add, call, factors_of, fold, mul, power


def from_one(expression: Expression) -> Iterator[Expression]:
    """Yield the expression with the constant of one sum below a power, and a factor that was fitted, before that power as one factor."""
    if not isinstance(expression, Call):
        return
    factors = factors_of(expression)
    if any(_is_fitted(each) for each in factors):
        for place, factor in enumerate(factors):
            for scale, scaled in _scaled(factor):
                yield fold(mul(*factors[:place], scale, scaled, *factors[place + 1 :]))
    for place, argument in enumerate(expression.arguments):
        for inner in from_one(argument):
            yield call(expression.function, *expression.arguments[:place], inner, *expression.arguments[place + 1 :])


def _scaled(factor: Expression) -> Iterator[tuple[Number, Expression]]:
    """Yield a number and the rest of (a + ...)**p for its fitted a, which is above zero or has a whole power."""
    match factor:
        case Call(function="pow", arguments=(Call(function="add", arguments=terms), Number(value=exponent) as p)):
            for term in terms:
                if _is_fitted(term) and (term.value > 0 or (term.value < 0 and exponent == int(exponent))):
                    rest = (mul(Number(1 / term.value), each) for each in terms if each is not term)
                    yield Number(float(term.value ** (exponent if term.value > 0 else int(exponent)))), power(add(Number(1), *rest), p)


def _is_fitted(node: Expression) -> bool:
    return isinstance(node, Number) and not node.exact
