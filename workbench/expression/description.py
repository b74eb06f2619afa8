"""How many nats it takes to say an expression: the prices of its parts, for all who choose among formulas.

    description = 1/2 log n + 3/2 for a fitted constant, 3 for a variable or a function (rare ones more), 1/2 for an operator, the bits of an exact number,
                  2 for a unit that it asks of a column: x + 1 (homogeneity.py)
                  3 for a power of a sum that was fitted, or might as well have been: (x + y)^2.31, (x + y)^(9/4), (x + y)^7; laws hardly hold such
                  6 for a logarithm in other words, x^0.0001 - 1
                  4 for a part that was said before, such as the second v/c of (1 + v/c)/sqrt(1 - (v/c)^2); x^2*y^2/z^2 is a square, said once

1/2 log n is what a constant is worth that n rows know (Schwarz, 1978); the rest pays for having been chosen among many. An exact number costs less, so
a law with whole numbers beats its neighbour with fitted ones where the rows cannot tell them apart.

Laws are written with exp, log, roots and sines; an inverse hyperbolic sine or an error function stands in hardly any, but each can be bent into
the curve of many that are. Of functions that fit as well the usual one is the likelier: by -log of how often it is used, about 3 nats a node.
`complexity` knows nothing of this: it counts what is written.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import lru_cache
from types import MappingProxyType

import numpy as np

from workbench.expression.calculus import walk
from workbench.expression.homogeneity import ties
from workbench.expression.terms import exact_power
from workbench.expression.tree import Call, Constant, Expression, Number, Symbol

NATS_PER_NODE = 3.0  # of likelihood, that a node of a formula must be worth
_NEARLY = 2.0 * NATS_PER_NODE
PLAIN = 20  # nodes of an exact law that is taken at once; a longer one may be a detour
RARITY: Mapping[str, int] = MappingProxyType(
    {
        **dict.fromkeys(("tanh", "asin", "acos", "cbrt", "tan", "sinh", "cosh", "atan", "abs", "log1p", "expm1"), 1),  # found now and then
        **dict.fromkeys(("asinh", "acosh", "atanh", "erf", "sign"), 2),  # found hardly ever
    }
)
_CHOSEN, _OPERATOR, _PI, _TIED, _AGAIN, _FEWEST_ROWS = 1.5, 0.5, 2.0, 2.0, 4.0, 8
_USUAL = 4  # the highest power of a sum in laws
_LOGARITHM = 0.05  # exponents nearer zero make a logarithm: (x^k - 1)/k
_ROOTS: Mapping[str, float] = MappingProxyType({"sqrt": 1.0, "cbrt": 1.5})
_EXPONENTS: Mapping[Fraction, str] = MappingProxyType({Fraction(1, 2): "sqrt", Fraction(1, 3): "cbrt"})

_Direction = frozenset[tuple[Expression, float]]  # the powers of a product but for a common factor


def rarity(expression: Expression) -> int:
    """Return what the functions of an expression cost beyond their nodes, in nodes.

    >>> from workbench.expression import parse
    >>> rarity(parse("2*exp(-x)*sin(x)")), rarity(parse("asinh(3*x) + tan(x)"))
    (0, 3)
    """
    return sum(RARITY.get(node.function, 0) for node in walk(expression) if isinstance(node, Call))


def description(expression: Expression, n_rows: int) -> float:
    """Return the nats it takes to say an expression whose constants were fitted to so many rows.

    >>> from workbench.expression import parse
    >>> round(description(parse("x**2/2"), 600), 2), round(description(parse("0.503*x**1.98"), 600), 2)
    (7.29, 13.4)
    """
    return _Telling(n_rows).nats(expression) + _TIED * ties(expression)


def numbers(expression: Expression, n_rows: int) -> float:
    """Return what the numbers of an expression cost by themselves, for one who knows its form.

    >>> from workbench.expression import parse
    >>> round(numbers(parse("212.7*x/(0.064 + x)"), 12), 2)
    5.48
    """
    return sum(_price(node, n_rows) for node in walk(expression) if isinstance(node, Number))


def odd_powers(expression: Expression) -> int:
    """Return how many exact exponents of sums might as well have been fitted: one of the quarters is near wherever the best exponent lies, and high
    ones trade against what is added.

    >>> from workbench.expression import parse
    >>> odd_powers(parse("(x + y)**(9/4) + (x + 2)**2 + (x + 9)**7")), odd_powers(parse("(x + y)**2.31 + x**(9/4)"))
    (2, 0)
    """
    return sum(_is_odd_power(node) for node in walk(expression))


def is_logarithm(node: Expression) -> bool:
    """Whether a part is a power of which a logarithm in other words is made, x^0.0001 - 1."""
    match node:
        case Call(function="pow", arguments=(_, Number(value=exponent))):
            return abs(exponent) < _LOGARITHM
    return False


def nearly_as_short(fitted: int, of_shortest: int) -> float:
    """Return by how many nats a formula may be a longer description than the shortest and yet be the law: other rows, or units, may prefer it.

    Twice as many where it has fewer fitted constants: of the thousands of formulas that a search tries, those with many are bent to the very rows.
    """
    return _NEARLY if fitted >= of_shortest else 2.0 * _NEARLY


def again(nats: np.ndarray) -> np.ndarray:
    """Return what it takes to say parts again that took so many nats the first time."""
    return np.minimum(nats, _AGAIN)


def constant_price(n_rows: int) -> float:
    """Return what the value of a constant costs that was fitted to so many rows."""
    return 0.5 * math.log(max(n_rows, _FEWEST_ROWS))


class _Telling:
    """Says an expression part by part and remembers what was said: a part of several words is named the second time.

    Of products the directions are remembered: v/c was said where v**2/c**2 or c/v stands. What holds a fitted constant is never said twice.
    """

    def __init__(self, n_rows: int) -> None:
        self.n_rows = n_rows
        self.fitted = 0  # constants so far
        self.said: set[Expression | _Direction] = set()

    def nats(self, node: Expression) -> float:
        match node:
            case Call(function="mul", arguments=factors):
                return self._product(factors)
            case Call(function="pow", arguments=(base, Number() as exponent)):
                told = _exponent_price(abs(exponent.value)) if exponent.exact else self.nats(exponent)
                return _price(node, self.n_rows) + self.nats(base) + told
            case Call(arguments=arguments):
                if node in self.said:
                    return _AGAIN
                before = self.fitted
                return self._told(node, _price(node, self.n_rows) + sum(map(self.nats, arguments)), before)
        self.fitted += isinstance(node, Number) and not node.exact
        return _price(node, self.n_rows)

    def _product(self, factors: tuple[Expression, ...]) -> float:
        """Say a product: its numbers, its factors, and each power once of those that several factors share."""
        numbers = [each for each in factors if isinstance(each, Number | Constant)]
        others = [each for each in factors if not isinstance(each, Number | Constant)]
        outside = sum(map(self.nats, numbers)) + _OPERATOR * (len(numbers) + bool(others) - 1)
        if len(others) < 2:
            return outside + sum(map(self.nats, others))
        powers = [exact_power(each) for each in others]
        shared = {exponent for _, exponent in powers}
        power, before = min(map(abs, shared)), self.fitted
        direction, opposite = (_direction(powers, unit) for unit in (power, -power))
        if direction in self.said:
            return outside + _AGAIN + (_OPERATOR + _exponent_price(power)) * (power != 1)
        if opposite in self.said:
            return outside + _AGAIN + _OPERATOR + _exponent_price(power)
        nats = _OPERATOR * (len(powers) - 1 + len(shared - {1})) + sum(map(_exponent_price, set(map(abs, shared))))
        return outside + self._told(direction, nats + sum(self.nats(base) for base, _ in powers), before)

    def _told(self, part: Expression | _Direction, nats: float, before: int) -> float:
        """Remember a part that took so many nats, unless a name is no shorter or it holds one of the constants that were fitted since."""
        if nats > _AGAIN and self.fitted == before:
            self.said.add(part)
        return nats


def _direction(powers: Iterable[tuple[Expression, int | Fraction]], unit: int | Fraction) -> _Direction:
    """Return the powers of a product in units of one of them, each base once."""
    ratios: dict[Expression, float] = {}
    for base, exponent in powers:
        ratios[base] = ratios.get(base, 0.0) + float(exponent / unit)
    return frozenset(ratios.items())


def _price(node: Expression, n_rows: int) -> float:
    match node:
        case Number(value=float()):
            return _CHOSEN + constant_price(n_rows)
        case Number(value=value):
            return _exact_price(value)
        case Constant():
            return _PI
        case Symbol():
            return NATS_PER_NODE
        case Call(function="add", arguments=arguments):
            return _OPERATOR * (len(arguments) - 1)
        case Call(function="pow", arguments=(base, Number() as exponent)):
            fitted = isinstance(base, Call) and base.function == "add" and (not exponent.exact or _is_odd_power(node))
            return _OPERATOR + NATS_PER_NODE * (fitted + 2 * is_logarithm(node))
        case Call(function="pow"):
            return _OPERATOR
        case Call(function=name):
            return _ROOTS.get(name, NATS_PER_NODE * (1 + RARITY.get(name, 0)))
    return 0.0


def _is_odd_power(node: Expression) -> bool:
    """Whether a sum is raised to an exact power that laws do not raise sums to: other than halves and thirds up to the fourth power, and fourth roots."""
    match node:
        case Call(function="pow", arguments=(Call(function="add"), Number(value=int() | Fraction() as exponent))):
            return abs(exponent) > _USUAL or (exponent.denominator not in (1, 2, 3) and abs(exponent) not in (Fraction(1, 4), Fraction(3, 4)))
    return False


def _exponent_price(value: int | Fraction) -> float:
    """Return what an exact exponent costs: those of roots as much as these do, since u^(-1/2) is 1/sqrt(u)."""
    root = _EXPONENTS.get(value)
    return _exact_price(value) if root is None else _ROOTS[root] - _OPERATOR


@lru_cache(maxsize=1024)
def _exact_price(value: int | Fraction) -> float:
    """Return the bits of an exact number; of 1 or -1 there is but the sign."""
    return 0.0 if abs(value) == 1 else 0.5 + 0.5 * math.log2(1 + abs(value.numerator)) + math.log2(value.denominator)
