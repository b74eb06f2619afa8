"""Folding: the same function with fewer and plainer constants, as a scientist would write it down.

A snapped network spells every edge as c*f(a*u + b): products of constants, shifts inside powers, logarithms of scaled arguments.

    2*(3*x + 1) + 4     ->  6*x + 6              (2.5*x)**3         ->  15.625*x**3
    exp(u + 0.3)        ->  1.35*exp(u)          log(2.5*x)         ->  log(x) + 0.916
    1/(2*x + 4)         ->  1/(2*(x + 2))        sqrt(4.0*x + 2.0)  ->  2.0*sqrt(x + 0.5)
    sin(-x)             ->  -sin(x)              x*x, x + x         ->  x**2, 2*x
    exp(0), log(1)      ->  1, 0

Values are preserved to rounding wherever the formula was defined before, and it stays undefined where it was, but for removable holes
(x/x becomes 1) and for what cancels (log(x) - log(x) becomes 0). Hence what is only true on half the line is left alone unless the argument is known to be positive: sqrt(x)**2 and
exp(log(x)) stay, log(x**2) stays, log(c*x) is parted for c > 0 only. Sums are not multiplied out, but for constant factors.

Floats are constants somebody fitted: they merge freely. Exact numbers stay exact, so sqrt(2), pi/2 and log(2*x) remain as they are.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from functools import lru_cache

from workbench.expression.calculus import complexity
from workbench.expression.exact import known_value
from workbench.expression.functions import FUNCTIONS
from workbench.expression.terms import (
    as_float,
    base_and_exponent,
    collect,
    constant_factors,
    is_affine,
    is_even,
    is_integer,
    leads_negative,
    moderate,
    number_to,
    part_number,
    part_scale,
    power_or_root,
    spread_out,
    terms_of,
)
from workbench.expression.tree import Call, Constant, Expression, Number, Symbol, add, call, mul, power

_REMEMBERED = 20_000  # parts that were folded, for each set of positive symbols
_ROUNDS = 8  # folding one level may open the next; formulas settle in two or three rounds
_LARGEST_SHIFT = 30.0  # exp(u + 30) -> 1e13*exp(u) is the last one that reads better


def fold(expression: Expression, positive: Iterable[str] = ()) -> Expression:
    """Merge constants and collect like terms, preserving the value.

    Parameters
    ----------
    positive : names of symbols known to be above zero, which allows e.g. sqrt(x)**2 -> x

    >>> from workbench.expression import parse
    >>> str(fold(parse("2*(3*x + 1) + 4")))
    '6*x + 6'
    >>> str(fold(parse("(2.0*x)**3 * 0.5")))
    '4.0*x**3'
    """
    folder = _folder(frozenset(positive))
    for _ in range(_ROUNDS):
        folded = folder.fold(expression)
        if folded == expression:
            break
        expression = folded
    return expression


@lru_cache(maxsize=4)  # a search has two: the columns above zero, and none
def _folder(positive: frozenset[str]) -> _Folder:
    return _Folder(positive)


class _Folder:
    """The rules, one method for each kind of node; `positive` holds the symbols known to be above zero."""

    def __init__(self, positive: frozenset[str]) -> None:
        self.positive = positive
        self._done: dict[Expression, Expression] = {}  # formulas share parts, a search tries many that differ in one place: each part is folded once

    def fold(self, node: Expression) -> Expression:
        if not isinstance(node, Call):
            return node
        done = self._done.get(node)
        if done is None:
            folded = self._folded(node)
            done = node if folded == node else folded
            if len(self._done) >= _REMEMBERED:
                self._done.clear()
            self._done[node] = done
        return done

    def _folded(self, node: Call) -> Expression:
        node = call(node.function, *(self.fold(argument) for argument in node.arguments))
        if not isinstance(node, Call):
            return node
        if (number := as_float(node)) is not None:
            return number
        rules = {"add": self.sum, "mul": self.product, "pow": self.power}
        return rules.get(node.function, self.function)(node)

    # sums ----------------------------------------------------------------------------------------------------------------

    def sum(self, node: Call) -> Expression:
        """Collect like terms; multiply constant factors into inner sums where that makes the whole no longer."""
        collected = collect(node.arguments)
        spread = collect(part for term in node.arguments for part in spread_out(term))
        return spread if complexity(spread) <= complexity(collected) else collected

    # products ------------------------------------------------------------------------------------------------------------

    def product(self, node: Call) -> Expression:
        """Merge constants, powers of the same base, and exponentials; a constant times a sum is spread where that is no longer."""
        coefficient, factors = constant_factors(node.arguments)
        exponents: list[Expression] = []
        powers: dict[Expression, list[Expression]] = {}
        for factor in factors:
            if isinstance(factor, Call) and factor.function == "exp":
                exponents.append(factor.arguments[0])
                continue
            base, exponent = base_and_exponent(factor)
            powers.setdefault(base, []).append(exponent)
        merged = [factor for base, own in powers.items() for factor in self.merged_powers(base, own)]
        if exponents:
            merged.append(call("exp", add(*exponents)) if len(exponents) > 1 else call("exp", exponents[0]))
        result = mul(coefficient, *merged)
        if isinstance(result, Call) and result.function == "mul":
            spread = add(*spread_out(result))
            return spread if complexity(spread) < complexity(result) or is_affine(spread) else result
        return result

    def merged_powers(self, base: Expression, exponents: list[Expression]) -> list[Expression]:
        """Merge u**p * u**q where the sum of exponents is right for every u: integers, or results that keep the half line."""
        if len(exponents) == 1:
            return [power_or_root(base, exponents[0])]
        total = add(*exponents)
        whole = all(is_integer(exponent) for exponent in exponents)
        if whole or self.is_positive(base) or not (isinstance(total, Number) and float(total.value).is_integer()):
            return [power_or_root(base, total)]
        return [power_or_root(base, exponent) for exponent in exponents]

    # powers --------------------------------------------------------------------------------------------------------------

    def power(self, node: Call) -> Expression:
        """Bring the base to the form (u + b): (a*u)**p -> a**p * u**p for a > 0 or whole p; merge powers of powers."""
        base, exponent = node.arguments
        if not isinstance(exponent, Number):
            return node
        if isinstance(base, Call) and base.function == "exp":
            return call("exp", mul(exponent, base.arguments[0]))
        if isinstance(base, Call) and base.function == "abs" and is_integer(exponent) and exponent.value % 2 == 0:
            return power(base.arguments[0], exponent)
        if isinstance(base, Call) and base.function in ("pow", "sqrt"):
            return self.nested_power(base, exponent) or power_or_root(base, exponent)
        scale, rest = part_scale(base, signed=is_integer(exponent))
        factor = None if scale is None else number_to(scale, exponent)
        return power_or_root(base, exponent) if factor is None else mul(factor, power_or_root(rest, exponent))

    def nested_power(self, base: Expression, exponent: Number) -> Expression | None:
        """(u**p)**q -> u**(p*q) where that holds for every u; with an even p, abs(u)**(p*q) does."""
        inner_base, inner = base_and_exponent(base)
        if not isinstance(inner, Number):
            return None
        total = Number(inner.value * exponent.value)
        both_whole = is_integer(inner) and is_integer(exponent)
        keeps_half_line = not is_even(inner) and not float(total.value).is_integer()
        if both_whole or keeps_half_line or self.is_positive(inner_base):
            return power_or_root(inner_base, total)
        if is_even(inner) and is_integer(total):
            return power(inner_base if is_even(total) else call("abs", inner_base), total)
        return None

    # functions of one variable ---------------------------------------------------------------------------------------------

    def function(self, node: Call) -> Expression:
        name, (argument,) = node.function, node.arguments
        if (known := known_value(name, argument)) is not None:
            return known
        rule = {"exp": self.exponential, "log": self.logarithm, "sqrt": self.root, "abs": self.absolute}.get(name)
        if rule:
            return rule(argument)
        if name == "sign":
            scale, rest = part_scale(argument, signed=False)
            return node if scale is None else call("sign", rest)
        if name in FUNCTIONS and FUNCTIONS[name].parity != "none" and leads_negative(argument):
            flipped = call(name, collect(spread_out(mul(-1, argument))))
            return mul(-1, flipped) if FUNCTIONS[name].parity == "odd" else flipped
        return node

    def exponential(self, argument: Expression) -> Expression:
        """exp(u + c) -> exp(c)*exp(u) for a fitted c; exp(c*log(u) + d*log(v)) -> u**c * v**d where that keeps the half line."""
        terms = terms_of(argument)
        shift = terms[-1]
        if len(terms) > 1 and isinstance(shift, Number) and not shift.exact and abs(shift.value) <= _LARGEST_SHIFT:
            return mul(Number(math.exp(shift.value)), call("exp", add(*terms[:-1])))
        powers = [self.exponential_of_logarithm(term) for term in terms]
        if any(power is not None for power in powers):
            left = [term for term, power in zip(terms, powers, strict=True) if power is None]
            rest = [call("exp", add(*left))] if left else []
            return mul(*(power for power in powers if power is not None), *rest)
        return call("exp", argument)

    def exponential_of_logarithm(self, term: Expression) -> Expression | None:
        """exp(c*log(u)) -> u**c where that keeps the half line; None for other terms."""
        coefficient, rest = part_number(term)
        if not (isinstance(rest, Call) and rest.function == "log"):
            return None
        inner = rest.arguments[0]
        if not self.is_positive(inner) and float(coefficient.value).is_integer():
            return None
        return power_or_root(inner, coefficient)

    def logarithm(self, argument: Expression) -> Expression:
        """log(c*u) -> log(u) + log(c) for a fitted c > 0; log(u**p) -> p*log(u) where both need u > 0; log(exp(u)) -> u."""
        if isinstance(argument, Call) and argument.function == "exp":
            return argument.arguments[0]
        scale, rest = part_scale(argument, signed=False)
        if scale is not None and not scale.exact and moderate(scale.value):
            return add(call("log", rest), Number(math.log(scale.value)))
        base, exponent = base_and_exponent(argument)
        if isinstance(exponent, Number) and exponent.value != 1 and (not is_even(exponent) or self.is_positive(base)):
            return mul(exponent, call("log", base))
        return call("log", argument)

    def root(self, argument: Expression) -> Expression:
        return self.power(Call("pow", (argument, Number(Fraction(1, 2)))))

    def absolute(self, argument: Expression) -> Expression:
        if self.is_positive(argument) or (isinstance(argument, Call) and argument.function == "abs"):
            return argument
        scale, rest = part_scale(argument, signed=True)
        return call("abs", argument) if scale is None else mul(Number(abs(scale.value)), call("abs", rest))

    def is_positive(self, node: Expression) -> bool:
        """Return whether the expression is above zero wherever it is defined, as far as its shape tells."""
        match node:
            case Number(value=value):
                return value > 0
            case Constant():
                return True
            case Symbol(name=name):
                return name in self.positive
            case Call(function="exp" | "cosh"):
                return True
            case Call(function="add", arguments=terms):
                return all(map(self.is_nonnegative, terms)) and any(map(self.is_positive, terms))
            case Call(function="mul", arguments=factors):
                return all(map(self.is_positive, factors))
            case Call(function="pow" | "sqrt", arguments=(base, *_)):
                return self.is_positive(base)
        return False

    def is_nonnegative(self, node: Expression) -> bool:
        match node:
            case Call(function="pow", arguments=(_, exponent)) if isinstance(exponent, Number) and is_even(exponent):
                return True
            case Call(function="abs" | "sqrt"):
                return True
            case Call(function="mul", arguments=factors):
                return all(map(self.is_nonnegative, factors))
        return self.is_positive(node) or node == Number(0)
