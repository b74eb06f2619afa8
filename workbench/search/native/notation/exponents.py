"""Exponents that are nearly whole or halves, made so: a fit to values that are themselves a fit has 1.9998 where the law has 2."""

from __future__ import annotations

from fractions import Fraction

from workbench.expression import Call, Expression, Number, power


def with_plain_exponents(node: Expression, within: float) -> Expression:
    """Return the expression with those exponents exact that are as near to whole or half ones.

    >>> from workbench.expression import parse
    >>> str(with_plain_exponents(parse("sin(x)**1.9998*y**0.7"), 0.01))
    'sin(x)**2*y**0.7'
    """
    if not isinstance(node, Call):
        return node
    arguments = tuple(with_plain_exponents(each, within) for each in node.arguments)
    if node.function == "pow" and isinstance(arguments[1], Number) and not arguments[1].exact:
        near = Fraction(round(2 * arguments[1].value), 2)
        if near and abs(float(near) - arguments[1].value) < within:
            return power(arguments[0], Number(near))
    return Call(node.function, arguments)
