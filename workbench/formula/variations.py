"""Variations of a formula: what it could as well be, as far as its rows say.

    loosened        every part gets what changes nothing: a factor 1, an exponent 1, an offset 0
                    1.3*exp(x)    is    1.3*exp(1.0*(x + 0.0)**1.0 + 0.0)**1.0 + 0.0
    missed          how much of what the formula misses goes with these additions, the constants that it has being fitted again. It is the score
                    test of a formula against all that are close to it (Rao 1948), robust against rows that scatter differently: 1 is regressed
                    on u_k = r d_k, where r is what is missed and d_k the derivative by an addition, less what the constants can do
                    (Wooldridge 1990)
    moved           a factor close to 1, or an exponent that is no half, may be a correction to a formula without it; where the same correction
                    in another place does as well, the rows do not say where it belongs: c**1.9 or (c + 0.3)**2
    like_a_parabola a function with a fitted argument whose piece over these rows is as good a parabola has been given its name for nothing
    series          a polynomial of the fourth degree with fitted coefficients follows any smooth curve (Weierstrass 1885)

None of it depends on what else was tried. Of 120 tables of laws that are known, 800 rows with a tenth of scatter, two fail the first by chance and
one the second; the third is failed where the rows show a short piece of a function only, which then is as likely another one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np

from workbench.exceptions import TrainingError
from workbench.expression import Call, Constant, Expression, Number, Symbol, evaluate, factors_of, fold, free_constants, symbols, walk, with_constants
from workbench.expression.tree import OPERATORS
from workbench.formula.fitting import Sample, fitted

_POWERS = ("sqrt", "cbrt", "abs", "sign")  # functions that have no shape but a power's
_NULL = 1e-6  # directions that differ by less from others, relative, are the same
_HIGH_DEGREE, _COEFFICIENTS = 4, 3  # of a series
_TRIED = 5  # places, and constants, that are tried: the others promise less
_SAME = 0.01  # of what is missed: values that differ by less are the same

Role = Literal["factor", "exponent", "offset"]


@dataclass(frozen=True)
class Place:
    """What one number of a loosened formula is, and whether the formula had it as a constant."""

    role: Role
    own: bool


@dataclass(frozen=True)
class Loosened:
    """A formula with additions that change nothing, and what its numbers are, in the order of `free_constants`."""

    expression: Expression
    places: tuple[Place, ...]

    def numbered(self, *, own: bool) -> list[int]:
        return [k for k, place in enumerate(self.places) if place.own == own]


def loosened(expression: Expression) -> Loosened:
    """Return a formula every part of which has a factor, an exponent and an offset that are free.

    >>> from workbench.expression import parse
    >>> loose = loosened(parse("1.3*exp(x)"))
    >>> str(loose.expression)
    '1.3*exp(1.0*(x + 0.0)**1.0 + 0.0)**1.0 + 0.0'
    >>> [place.role for place in loose.places if place.own]
    ['factor']
    """
    loosening = _Loosening()
    return Loosened(loosening.terms(expression), tuple(loosening.places))


def missed(expression: Expression, sample: Sample) -> float:
    """Return how much of what a formula misses goes with the additions: a standard normal where it is the law and the rest is scatter."""
    loose = loosened(expression)
    residual, jacobian = sample.linearised(loose.expression)
    directions = _directions(jacobian, loose.numbered(own=True))
    if not np.isfinite(residual).all():
        return 0.0
    residual = residual - directions @ (directions.T @ residual)
    more = [column for column in loose.numbered(own=False) if np.isfinite(jacobian[:, column]).all()]
    added = jacobian[:, more] / np.maximum(np.linalg.norm(jacobian[:, more], axis=0), np.finfo(float).tiny)
    added = added - directions @ (directions.T @ added)
    return _beyond_chance(residual, _directions(added, range(added.shape[1]), _NULL))


def moved(expression: Expression, sample: Sample, nats: float) -> Expression | None:
    """Return a formula that has one of its constants in another place, and describes the rows as well but for so many nats; None without one."""
    loose = loosened(expression)
    own = loose.numbered(own=True)
    best = _fitted(loose.expression, sample, own)
    if best is None:
        return None
    least = _gained(best, sample) - nats
    for k, without in _corrected(best, sample, loose):
        rest = [other for other in own if other != k]
        if _gained(without, sample) >= least:
            continue  # nothing is to be corrected
        for place in _promising(without, sample, loose, rest):
            other = _fitted(without, sample, [*rest, place])
            if _gained(other, sample) >= least and not _same(other, best, sample):
                return _tidy(other)
    return None


def like_a_parabola(expression: Expression, sample: Sample, nats: float) -> str | None:
    """Return the name of a function that could as well be a parabola of its argument, but for so many nats; None without one."""
    least = _gained(_fitted(expression, sample), sample) - nats
    for node in shaped(expression):
        parabola = _parabola(node, sample)
        if parabola is not None and _gained(_fitted(_replaced(expression, node, parabola), sample), sample) >= least > -np.inf:
            return node.function
    return None


def series(expression: Expression) -> str | None:
    """Return an input of which a formula is a series: a polynomial of a high degree in it, with a sum of its powers that has several constants.

    >>> from workbench.expression import parse
    >>> [series(parse(text)) for text in ("1.2*x**4 - 0.7*x**2 + 0.31", "1.2*(x + 0.31)**4 + 0.7", "1.2*(x**4 - x**2)", "1.2*x**2 - 0.7*x + 0.31")]
    ['x', None, None, None]
    """
    for node in walk(expression):
        if isinstance(node, Call) and node.function == "add" and len(symbols(node)) == 1 and len(free_constants(node)) >= _COEFFICIENTS:
            (name,) = symbols(node)
            if sum(bool(symbols(term)) for term in node.arguments) > 1 and _degree(expression, name) >= _HIGH_DEGREE:
                return name
    return None


def shaped(expression: Expression) -> Iterator[Call]:
    """Yield the functions of a formula that have a shape of their own, which is no power's, and whose argument was fitted.

    One without a constant in its argument has earned its name where it does as well as a parabola: that has three to be fitted.
    """
    for node in walk(expression):
        if isinstance(node, Call) and node.function not in (*OPERATORS, *_POWERS) and symbols(node) and free_constants(node):
            yield node


# ---------------------------------------------------------------------------------------------------- loosening


class _Loosening:
    """Walks a tree and writes down every number in the order in which the new tree holds them."""

    def __init__(self) -> None:
        self.places: list[Place] = []

    def terms(self, node: Expression) -> Expression:
        """A sum: every term gets a factor, and all an offset."""
        terms = node.arguments if isinstance(node, Call) and node.function == "add" else (node,)
        loose = [self._product(term) for term in terms if not isinstance(term, Number)]
        offset = next((term for term in terms if isinstance(term, Number)), None)
        return Call("add", (*loose, self._number(offset, 0.0, "offset")))

    def _product(self, node: Expression) -> Expression:
        factors = factors_of(node)
        factor = factors[0] if isinstance(factors[0], Number) else None
        loose = self._number(factor, 1.0, "factor")
        return Call("mul", (loose, *[self._power(each) for each in factors if each is not factor]))

    def _power(self, node: Expression) -> Expression:
        if isinstance(node, Call) and node.function == "pow":
            base, exponent = node.arguments
            loose = self._base(base)
            return Call("pow", (loose, self._number(exponent, 1.0, "exponent") if isinstance(exponent, Number) else self.terms(exponent)))
        if isinstance(node, Constant):
            return node
        return Call("pow", (self._base(node), self._number(None, 1.0, "exponent")))

    def _base(self, node: Expression) -> Expression:
        match node:
            case Symbol():
                return Call("add", (node, self._number(None, 0.0, "offset")))
            case Number():
                return self._number(node, 1.0, "factor")
            case Call(function=name, arguments=(argument,)) if name not in OPERATORS:
                return Call(name, (self.terms(argument),))
            case _:
                return node if isinstance(node, Constant) else self.terms(node)

    def _number(self, given: Number | None, neutral: float, role: Role) -> Number:
        self.places.append(Place(role, own=given is not None and not given.exact))
        return Number(neutral if given is None else float(given.value))


def _tidy(expression: Expression) -> Expression:
    """Take away the additions that change nothing, and write numbers that were exact as such."""
    values = [int(value) if value == int(value) else value for value in free_constants(expression)]
    return fold(with_constants(expression, values))


# ---------------------------------------------------------------------------------------------------- what the rows say


def _directions(jacobian: np.ndarray, columns: Sequence[int], least: float = 0.0) -> np.ndarray:
    """Return orthonormal directions that some finite columns span; `least` is the norm below which one says nothing."""
    kept = jacobian[:, [k for k in columns if np.isfinite(jacobian[:, k]).all() and np.linalg.norm(jacobian[:, k]) > least]]
    if not kept.shape[1]:
        return kept
    left, singular, _ = np.linalg.svd(kept / np.linalg.norm(kept, axis=0), full_matrices=False)
    return left[:, singular > _NULL * singular[0]]


def _beyond_chance(residual: np.ndarray, directions: np.ndarray) -> float:
    """Write the chance of what goes with directions as that of a normal to be larger; 0 where it is a half or more."""
    from scipy.special import chdtrc, ndtri

    if not directions.shape[1]:
        return 0.0
    scores = directions * residual[:, None]
    total = scores.sum(0)
    statistic = float(total @ np.linalg.pinv(scores.T @ scores) @ total)
    return float(-ndtri(np.clip(chdtrc(directions.shape[1], statistic), 1e-12, 0.5)))


def _gained(expression: Expression | None, sample: Sample) -> float:
    """Return the likelihood of the rows in nats, but for what all formulas share: -n/2 log(mean r^2)."""
    rmse = np.inf if expression is None else sample.rmse(expression)
    with np.errstate(divide="ignore"):
        return -len(sample.y) * float(np.log(rmse)) if rmse < np.inf else -np.inf


def _degree(node: Expression, name: str) -> float:
    """Return the degree of a polynomial in one input; minus infinity where it is none."""
    if name not in symbols(node):
        return 0.0
    match node:
        case Symbol():
            return 1.0
        case Call(function="add", arguments=terms):
            degrees = [_degree(term, name) for term in terms]
            return max(degrees) if min(degrees) >= 0.0 else -np.inf
        case Call(function="mul", arguments=factors):
            return sum(_degree(factor, name) for factor in factors)
        case Call(function="pow", arguments=(base, Number(value=value))) if value == int(value) > 0:
            return value * _degree(base, name)
    return -np.inf


def _same(one: Expression, other: Expression, sample: Sample) -> bool:
    (first, _), (second, _) = sample.linearised(one), sample.linearised(other)
    return bool(np.mean((first - second) ** 2) <= _SAME**2 * np.mean(second**2))


def _fitted(expression: Expression | None, sample: Sample, free: Sequence[int] | None = None) -> Expression | None:
    """Fit some of the constants of a formula, or all; None where it has no value on some rows."""
    if expression is None:
        return None
    held = [] if free is None else sorted(set(range(len(free_constants(expression)))) - set(free))
    try:
        return fitted(expression, sample, held)
    except TrainingError:
        return None


def _without(place: Place, value: float) -> float | None:
    """Return what a constant would be if it corrected nothing: 1 or -1 for a factor that rounds to it, the next half for an exponent."""
    plain = {"factor": float(np.round(value)), "exponent": float(np.round(2.0 * value) / 2.0), "offset": 0.0}[place.role]
    allowed = abs(plain) == 1.0 if place.role == "factor" else plain != 0.0
    return plain if allowed and plain != value else None


def _corrected(best: Expression, sample: Sample, loose: Loosened) -> list[tuple[int, Expression]]:
    """Return the constants that may be corrections, each with the formula without it, those first that correct least."""
    own, values = loose.numbered(own=True), list(free_constants(best))
    found = []
    for k in own:
        value = _without(loose.places[k], values[k])
        start = None if value is None else with_constants(best, [*values[:k], value, *values[k + 1 :]])
        if (without := _fitted(start, sample, [other for other in own if other != k])) is not None:
            found.append((k, without))
    return sorted(found, key=lambda each: -_gained(each[1], sample))[:_TRIED]


def _promising(expression: Expression, sample: Sample, loose: Loosened, free: Sequence[int]) -> list[int]:
    """Return the additions that would explain most of what is missed, as far as a straight line tells, while some constants are free."""
    residual, jacobian = sample.linearised(expression)
    directions = _directions(jacobian, free)
    with np.errstate(all="ignore"):
        added = jacobian - directions @ (directions.T @ jacobian)
        explained = (residual @ added) ** 2 / (added**2).sum(0)
    places = [k for k in loose.numbered(own=False) if loose.places[k].role != "exponent" and np.isfinite(explained[k])]
    return sorted(places, key=lambda k: -explained[k])[:_TRIED]


def _parabola(node: Call, sample: Sample) -> Expression | None:
    """Return the parabola of a function's argument that is closest to it over the rows; None where the argument hardly varies, or without bound."""
    argument = node.arguments[0]
    inner, outer = evaluate(argument, sample.columns), evaluate(node, sample.columns)
    with np.errstate(all="ignore"):
        middle, spread = float(inner.mean()), float(inner.std())
    if not (np.isfinite(outer).all() and _NULL * abs(middle) < spread < np.inf):
        return None
    scaled = (inner - middle) / spread
    offset, slope, square = np.linalg.lstsq(np.vander(scaled, 3, increasing=True), outer, rcond=None)[0].tolist()
    from_middle = Call("mul", (Number(Fraction(1.0 / spread)), Call("add", (argument, Number(Fraction(-middle))))))  # exact: not to be fitted
    square_term = Call("mul", (Number(square), Call("pow", (from_middle, Number(2)))))
    return Call("add", (square_term, Call("mul", (Number(slope), from_middle)), Number(offset)))


def _replaced(expression: Expression, part: Expression, new: Expression) -> Expression:
    if expression is part:
        return new
    if not isinstance(expression, Call):
        return expression
    return Call(expression.function, tuple(_replaced(argument, part, new) for argument in expression.arguments))
