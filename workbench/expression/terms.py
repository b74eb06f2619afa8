"""Pieces of sums, products and powers: what folding takes apart and puts together again."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction

import numpy as np

from workbench.expression.calculus import walk
from workbench.expression.evaluation import evaluate
from workbench.expression.functions import FUNCTIONS
from workbench.expression.tree import Call, Expression, Number, Scalar, Symbol, add, call, mul, negative, power

_ONE, _HALF = Number(1), Number(Fraction(1, 2))
_LARGEST_FACTOR = 1e100  # a factor beyond it is not pulled out of a power


def terms_of(expression: Expression) -> tuple[Expression, ...]:
    """Return the terms of a sum; anything else is its own only term."""
    return expression.arguments if isinstance(expression, Call) and expression.function == "add" else (expression,)


def part_number(term: Expression) -> tuple[Number, Expression]:
    """Part a term into its number and the rest: 3*x*y -> 3, x*y."""
    if isinstance(term, Number):
        return term, _ONE
    if isinstance(term, Call) and term.function == "mul" and isinstance(term.arguments[0], Number):
        number, *others = term.arguments
        return number, others[0] if len(others) == 1 else mul(*others)
    return _ONE, term


def collect(terms: Iterable[Expression]) -> Expression:
    """Add up the coefficients of equal terms, in order of first appearance; terms that cancel vanish, and so does a float zero."""
    coefficients: dict[Expression, Expression] = {}
    for term in (part for argument in terms for part in terms_of(argument)):
        number, rest = part_number(term)
        coefficients[rest] = add(coefficients[rest], number) if rest in coefficients else number
    kept = [
        mul(number if rest == _ONE else plain_one(number), rest)
        for rest, number in coefficients.items()
        if not is_zero(number)
    ]
    return add(*kept)


def spread_out(term: Expression) -> tuple[Expression, ...]:
    """Multiply a constant factor into the one sum it stands before: 2*(x + 1) -> 2*x, 2."""
    number, rest = part_number(term)
    if isinstance(rest, Call) and rest.function == "add" and number != _ONE:
        return tuple(mul(number, part) for part in rest.arguments)
    return (term,)


def constant_factors(factors: Iterable[Expression]) -> tuple[Expression, list[Expression]]:
    """Part the factors without symbols from the others; with a float among them they become one float."""
    constant, others = [], []
    for factor in factors:
        (others if varies(factor) else constant).append(factor)
    product = mul(*constant)
    folded = as_float(product)
    return plain_one(product if folded is None else folded), others


def base_and_exponent(factor: Expression) -> tuple[Expression, Expression]:
    """Part u**p into u and p; sqrt(u) is u**(1/2), and anything else has exponent 1."""
    match factor:
        case Call(function="pow", arguments=(base, exponent)):
            return base, exponent
        case Call(function="sqrt", arguments=(base,)):
            return base, _HALF
    return factor, _ONE


def exact_power(factor: Expression) -> tuple[Expression, int | Fraction]:
    """Part u**p into u and p where p is an exact number; anything else has exponent 1."""
    match factor:
        case Call(function="pow", arguments=(base, Number(value=int() | Fraction() as exponent))):
            return base, exponent
    return factor, 1


def power_or_root(base: Expression, exponent: Expression) -> Expression:
    """Write u**(1/2) as sqrt(u)."""
    return call("sqrt", base) if exponent == _HALF else power(base, exponent)


def part_scale(expression: Expression, signed: bool) -> tuple[Number | None, Expression]:
    """Part u = s*v with a plainer v: the coefficient of a product, or what the terms of a sum have in common.

    A sum of floats is scaled to a first coefficient of 1 (or -1 if not `signed`, as s is then positive); a sum of integers is divided by their
    greatest common divisor; one that has an exact number beside its floats has its scale. None if nothing is to be gained.
    """
    numbers = [part_number(term)[0].value for term in terms_of(expression)]
    if len(numbers) == 1 or all(not isinstance(number, float) for number in numbers):
        size = content(numbers)
    elif all(isinstance(number, float) for number in numbers):
        size = abs(numbers[0])
    else:
        size = 1  # x + 0.5 and 1 - 0.5*x have their normal form already
    scale = -size if signed and numbers[0] < 0 else size
    trivial = scale == 1 and not isinstance(scale, float)
    if trivial or not moderate(scale) or not all(abs(number) < _LARGEST_FACTOR for number in numbers) or isinstance(expression, Number):
        return None, expression
    return Number(scale), add(*(divided(term, scale) for term in terms_of(expression)))


def content(numbers: list[Scalar]) -> Scalar:
    """Return the greatest common divisor of whole numbers; the size of numbers that are all of one; else 1."""
    if len({abs(number) for number in numbers}) == 1:
        return abs(numbers[0])
    if not all(isinstance(number, int) for number in numbers):
        return 1
    return math.gcd(*numbers)


def divided(term: Expression, scale: Scalar) -> Expression:
    """Divide a term by a number, exactly where both are exact."""
    number, rest = part_number(term)
    quotient = Fraction(number.value) / Fraction(scale) if number.exact and not isinstance(scale, float) else number.value / scale
    return mul(plain_one(Number(quotient)), rest)


def number_to(scale: Number, exponent: Number) -> Number | None:
    """Raise the scale to the exponent; None where the result is not a plain number of moderate size."""
    result = power(scale, exponent)
    if not isinstance(result, Number) and scale.exact and exponent.exact:
        root = round(float(scale.value) ** float(exponent.value)) if scale.value < 1e15 else 0
        exact = root > 0 and Fraction(root) ** exponent.value.denominator == Fraction(scale.value) ** exponent.value.numerator
        return Number(root) if exact else None
    return result if isinstance(result, Number) and moderate(result.value) else None


# small questions ---------------------------------------------------------------------------------------------------------


def as_float(node: Expression) -> Number | None:
    """Return the value of a subtree without symbols that holds a float; None for others and where it is not finite."""
    floats = False
    for part in walk(node):
        if isinstance(part, Symbol) or is_named(part):
            return None
        floats |= isinstance(part, Number) and not part.exact
    if not floats:
        return None
    value = float(evaluate(node, {}))
    return Number(value) if np.isfinite(value) else None


def is_named(node: Expression) -> bool:
    """Return whether a node calls a function whose definition is kept elsewhere."""
    return isinstance(node, Call) and node.function not in FUNCTIONS and node.function not in ("add", "mul", "pow")


def varies(node: Expression) -> bool:
    """Return whether a tree holds a symbol or calls any such function."""
    return any(isinstance(part, Symbol) or is_named(part) for part in walk(node))


def plain_one(number: Expression) -> Expression:
    """Turn a factor that is exactly 1, -1 or 0 into the exact number, which the builders drop or write as a sign."""
    if isinstance(number, Number) and number.value in (0, 1, -1):
        return Number(int(number.value))
    return number


def is_zero(number: Expression) -> bool:
    """Return whether it is the number 0, exact or float."""
    return isinstance(number, Number) and number.value == 0


def is_integer(exponent: Expression) -> bool:
    """Return whether it is a number with a whole value."""
    return isinstance(exponent, Number) and float(exponent.value).is_integer()


def is_even(exponent: Number) -> bool:
    """Return whether it is an even number."""
    return is_integer(exponent) and exponent.value % 2 == 0


def moderate(value: Scalar) -> bool:
    """Return whether a factor is neither huge nor tiny, so that pulling it out can neither overflow nor lose digits."""
    return 1 / _LARGEST_FACTOR < abs(value) < _LARGEST_FACTOR


def is_affine(expression: Expression) -> bool:
    """Return whether it is a*u + b with numbers a and b, which reads better than a product."""
    terms = terms_of(expression)
    return len(terms) == 2 and isinstance(terms[1], Number)


def leads_negative(argument: Expression) -> bool:
    """Return whether the first term of an argument has a minus sign."""
    return negative(terms_of(argument)[0]) and not isinstance(argument, Number)
