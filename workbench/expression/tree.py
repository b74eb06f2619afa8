"""Expressions as trees: numbers, constants, symbols and calls, frozen and compared by value.

    2*x + 1/y    is    Call("add", (Call("mul", (Number(2), Symbol("x"))), Call("pow", (Symbol("y"), Number(-1)))))

There are three operators, `add` and `mul` of any number of arguments and `pow` of two; -x is mul(-1, x) and x/y is
mul(x, pow(y, -1)). Every other call is a function of one variable: one of `FUNCTIONS`, or a *named function* whose definition is
kept elsewhere, such as an edge of a network that has no name yet.

The builders `add`, `mul`, `power` and `call` (and the operators + - * / ** on expressions) make a light canonical form, so that
equal texts give equal trees:

- sums and products are flat, hold at most one number (last in a sum, first in a product), and divisors come last;
- exact zeros and ones vanish, but the floats 0.0 and 1.0 stay: they are constants somebody fitted;
- 1/(x*y) is x**-1 * y**-1, and (x**p)**n is x**(p*n) where that is true for every real x.

Numbers are exact (int, Fraction) or free (float). Arithmetic between numbers is done at once, unless it would overflow.
"""

from __future__ import annotations

import keyword
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from numbers import Integral, Rational, Real

from workbench.exceptions import ExpressionError
from workbench.expression.functions import ALIASES, CONSTANTS, FUNCTIONS, LOGARITHM_BASES

Scalar = int | Fraction | float

OPERATORS = ("add", "mul", "pow")
RESERVED_NAMES = frozenset({*OPERATORS, *FUNCTIONS, *CONSTANTS, *ALIASES, *LOGARITHM_BASES, *keyword.kwlist})

_MAXIMUM_BITS = 1000  # exact numbers beyond this leave the range of float64
_LARGEST = 1e300  # arithmetic between numbers is done where result and reciprocal stay below


class Expression:
    """The base of Number, Constant, Symbol and Call; it carries the operators and nothing else."""

    __slots__ = ()

    def __add__(self, other: Expression | Scalar) -> Expression:
        return add(self, other)

    def __radd__(self, other: Scalar) -> Expression:
        return add(other, self)

    def __sub__(self, other: Expression | Scalar) -> Expression:
        return add(self, mul(-1, other))

    def __rsub__(self, other: Scalar) -> Expression:
        return add(other, mul(-1, self))

    def __mul__(self, other: Expression | Scalar) -> Expression:
        return mul(self, other)

    def __rmul__(self, other: Scalar) -> Expression:
        return mul(other, self)

    def __truediv__(self, other: Expression | Scalar) -> Expression:
        return mul(self, power(other, -1))

    def __rtruediv__(self, other: Scalar) -> Expression:
        return mul(other, power(self, -1))

    def __pow__(self, other: Expression | Scalar) -> Expression:
        return power(self, other)

    def __rpow__(self, other: Scalar) -> Expression:
        return power(other, self)

    def __neg__(self) -> Expression:
        return mul(-1, self)

    def __pos__(self) -> Expression:
        return self

    def __str__(self) -> str:
        from workbench.expression.printer import to_text  # the printer knows the tree, not the other way round

        return to_text(self)


@dataclass(frozen=True, slots=True, eq=False)
class Number(Expression):
    """A number: int and Fraction are exact, float is a free constant that may be fitted. Number(2) != Number(2.0)."""

    value: Scalar

    def __post_init__(self) -> None:
        number = _normal_number(self.value)
        if number is not self.value:
            object.__setattr__(self, "value", number)

    @property
    def exact(self) -> bool:
        """Whether the number is meant exactly."""
        return not isinstance(self.value, float)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Number) and self.exact == other.exact and self.value == other.value

    def __hash__(self) -> int:
        return hash((self.exact, self.value))


@dataclass(frozen=True, slots=True)
class Constant(Expression):
    """A mathematical constant by name: pi or e. It is exact."""

    name: str

    def __post_init__(self) -> None:
        if self.name not in CONSTANTS:
            raise ExpressionError(f"Constant({self.name!r}): no such constant. Known: {', '.join(CONSTANTS)}.")

    @property
    def value(self) -> float:
        """The constant in float64."""
        return float(CONSTANTS[self.name])


@dataclass(frozen=True, slots=True)
class Symbol(Expression):
    """A variable by name; any identifier that is no function, constant or Python keyword."""

    name: str

    def __post_init__(self) -> None:
        if not (isinstance(self.name, str) and self.name.isidentifier()) or self.name in RESERVED_NAMES:
            raise ExpressionError(
                f"Symbol({self.name!r}): not usable as a variable. A name starts with a letter or underscore, goes on with letters, "
                "digits and underscores, and is no function, constant (pi, e) or Python keyword; "
                f"{'e.g. ' + self.name + '_ ' if str(self.name).isidentifier() else 'e.g. x_1 '}would do."
            )


@dataclass(frozen=True, slots=True, eq=False)
class Call(Expression):
    """An operator (add, mul, pow) or a function applied to arguments. Build it with `add`, `mul`, `power` and `call`."""

    function: str
    arguments: tuple[Expression, ...]
    _hash: int | None = field(default=None, init=False, repr=False)  # made once: expressions are keys of what is known of them

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return isinstance(other, Call) and hash(self) == hash(other) and self.function == other.function and self.arguments == other.arguments

    def __hash__(self) -> int:
        if self._hash is None:
            object.__setattr__(self, "_hash", hash((self.function, self.arguments)))
        return self._hash

    def __reduce__(self) -> tuple[type[Call], tuple[str, tuple[Expression, ...]]]:
        return Call, (self.function, self.arguments)  # another process hashes names in another way


def as_expression(value: Expression | Scalar) -> Expression:
    """Return an expression as it is, and a number as a Number.

    >>> as_expression(3)
    Number(value=3)
    """
    return value if isinstance(value, Expression) else Number(value)


def add(*terms: Expression | Scalar) -> Expression:
    """Add any number of terms: flat, numbers folded into one at the end, an exact zero dropped.

    >>> str(add(1, Symbol("x"), 2))
    'x + 3'
    """
    numbers, rest = _flat("add", terms)
    folded = _fold_numbers(numbers, 0, _sum)
    if len(folded) == 1 and folded[0].exact and folded[0].value == 0 and rest:
        folded = []
    return _assemble("add", [*rest, *folded], Number(0))


def mul(*factors: Expression | Scalar) -> Expression:
    """Multiply any number of factors: flat, one number in front, divisors last, an exact one dropped, zero for an exact zero.

    >>> str(mul(Symbol("x"), 2, power(Symbol("y"), -1), 3))
    '6*x/y'
    """
    numbers, rest = _flat("mul", factors)
    folded = _fold_numbers(numbers, 1, _product)
    if len(folded) == 1 and folded[0].exact:
        if folded[0].value == 0:
            return Number(0)
        if folded[0].value == 1 and rest:
            folded = []
    divisors = [factor for factor in rest if is_divisor(factor)]
    rest = [factor for factor in rest if not is_divisor(factor)]
    return _assemble("mul", [*folded, *rest, *divisors], Number(1))


def power(base: Expression | Scalar, exponent: Expression | Scalar) -> Expression:
    """Raise to a power; numbers are folded, and nested powers are merged where that is true for every real base.

    >>> str(power(power(Symbol("x"), 2), -1))
    '1/x**2'
    """
    base, exponent = as_expression(base), as_expression(exponent)
    if not isinstance(exponent, Number):
        return Call("pow", (base, exponent))
    if exponent.exact and exponent.value in (0, 1):
        return base if exponent.value == 1 else Number(1)
    if isinstance(base, Number):
        return _number_power(base, exponent)
    reciprocal = exponent.exact and exponent.value == -1
    if isinstance(base, Call) and base.function == "mul" and reciprocal:
        return mul(*(power(factor, exponent) for factor in base.arguments))
    if isinstance(base, Call) and base.function == "pow" and isinstance(base.arguments[1], Number):
        inner = base.arguments[1]
        if reciprocal or (_is_integer(inner) and _is_integer(exponent)):
            return power(base.arguments[0], Number(inner.value * exponent.value))
    return Call("pow", (base, exponent))


def call(function: str, *arguments: Expression | Scalar) -> Expression:
    """Apply an operator or function by name.

    >>> str(call("exp", -Symbol("x")))
    'exp(-x)'
    """
    builder = {"add": add, "mul": mul, "pow": power}.get(function)
    if builder:
        return builder(*arguments)
    return Call(function, tuple(as_expression(argument) for argument in arguments))


def negative(expression: Expression) -> bool:
    """Return whether the expression is a negative number or a product with one in front: whether it prints with a minus sign."""
    if isinstance(expression, Call) and expression.function == "mul" and not isinstance(expression.arguments[1], Number):
        expression = expression.arguments[0]
    return isinstance(expression, Number) and expression.value < 0


def as_written(terms: tuple[Expression, ...]) -> tuple[Expression, ...]:
    """Return the terms of a sum as people write them: the number, which stands last, comes first where they begin with a minus sign. 1 - x, not -x + 1.

    >>> as_written((mul(-1, Symbol("x")), Number(1)))[0]
    Number(value=1)
    """
    *others, last = terms
    return (last, *others) if isinstance(last, Number) and last.value > 0 and negative(terms[0]) else terms


def is_divisor(factor: Expression) -> bool:
    """Return whether a factor stands below the fraction bar: a power with an exact negative number as exponent.

    Float exponents do not count: the shape of a tree must not change when a constant is fitted and crosses zero.
    """
    if not (isinstance(factor, Call) and factor.function == "pow"):
        return False
    exponent = factor.arguments[1]
    return isinstance(exponent, Number) and exponent.exact and exponent.value < 0


def inverse(divisor: Expression) -> Expression:
    """Return what a divisor divides by: y**2 for y**-2."""
    base, exponent = divisor.arguments
    return base if exponent.value == -1 else power(base, -exponent.value)


def _normal_number(value: Scalar) -> Scalar:
    """Return int, Fraction with a denominator above 1, or a finite float other than -0.0."""
    if type(value) is float:  # the abstract classes below take long to ask, and numbers are made by the million
        number: Scalar = value + 0.0
    elif type(value) is int:
        number = value
    elif isinstance(value, Integral):
        number = int(value)
    elif isinstance(value, Rational):
        fraction = Fraction(value.numerator, value.denominator)
        number = fraction.numerator if fraction.denominator == 1 else fraction
    elif isinstance(value, Real):
        number = float(value) + 0.0
    else:
        raise ExpressionError(f"Number({value!r}): not a number. Allowed: int, Fraction and finite float.")
    if not _representable(number):
        raise ExpressionError(f"Number({str(value)[:20]}): outside the range of float64. Allowed: finite numbers below 1e300.")
    return number


def _representable(value: Scalar) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, int):
        return value.bit_length() <= _MAXIMUM_BITS
    return max(value.numerator.bit_length(), value.denominator.bit_length()) <= _MAXIMUM_BITS


def _foldable(value: Scalar) -> bool:
    return _representable(value) and (value == 0 or 1 / _LARGEST <= abs(value) <= _LARGEST)


def _flat(operator: str, arguments: Iterable[Expression | Scalar]) -> tuple[list[Number], list[Expression]]:
    """Flatten nested sums or products and part the numbers from the rest, each in order."""
    numbers: list[Number] = []
    rest: list[Expression] = []
    for argument in map(as_expression, arguments):
        nested = argument.arguments if isinstance(argument, Call) and argument.function == operator else (argument,)
        for item in nested:
            (numbers if isinstance(item, Number) else rest).append(item)
    return numbers, rest


def _fold_numbers(numbers: list[Number], identity: int, combine) -> list[Number]:
    """Fold numbers from the left into one; where an intermediate result leaves float64 keep them all as they are."""
    if len(numbers) == 1:
        return numbers
    total: Scalar = identity
    for number in numbers:
        total = combine(total, number.value)
        if total is None:
            return numbers
    return [Number(total)] if numbers else []


def _sum(left: Scalar, right: Scalar) -> Scalar | None:
    total = left + right
    return total if _foldable(total) else None


def _product(left: Scalar, right: Scalar) -> Scalar | None:
    total = left * right
    underflow = total == 0 and left != 0 and right != 0
    return total if _foldable(total) and not underflow else None


def _assemble(operator: str, arguments: list[Expression], empty: Number) -> Expression:
    if len(arguments) > 1:
        return Call(operator, tuple(arguments))
    return arguments[0] if arguments else empty


def _is_integer(number: Number) -> bool:
    return isinstance(number.value, int)


def _number_power(base: Number, exponent: Number) -> Expression:
    """Fold a power of numbers where the result is a finite real that float64 (or an exact number) holds."""
    unfolded = Call("pow", (base, exponent))
    if base.exact and base.value == 1:
        return Number(1)
    if base.value == 0 and exponent.value <= 0:
        return unfolded if exponent.value == 0 else Call("pow", (base, Number(-1)))
    if base.exact and _is_integer(exponent):
        bits = max(base.value.numerator.bit_length(), base.value.denominator.bit_length())
        return Number(Fraction(base.value) ** exponent.value) if bits * abs(exponent.value) < _MAXIMUM_BITS else unfolded
    if base.exact and exponent.exact:
        return unfolded  # sqrt(2) as 2**(1/2) is exact as it stands
    if base.value < 0 and float(exponent.value) != int(exponent.value):
        return unfolded
    try:
        value = float(base.value) ** exponent.value
    except OverflowError:
        return unfolded
    return Number(value) if _foldable(value) and (value != 0 or base.value == 0) else unfolded
