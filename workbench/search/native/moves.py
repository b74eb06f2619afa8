"""Reductions of a state by one column: factors, terms, pairs, and the collapse of several columns into one monomial.

    h = phi(u_i) g(rest)      h = c phi(u_i) + g(rest)      h = g(s(u_i, u_j), rest)      h = g(u_1^a u_2^b ...)

Every move makes a new state. `weighed` orders moves by the leave-one-out error of a smooth surrogate of what is left, in units of y: a true
reduction makes that error smaller (fewer columns allow a higher degree), a wrong one makes it larger.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from workbench.expression import Expression, Number, add, call, mul, power
from workbench.search.native import monomials, symmetries
from workbench.search.native.state import State
from workbench.search.native.surrogate import Box, Slopes, chebyshev, degree_for, slopes, smooth_error

_ROUGH_ROWS, _ROUGH_TERMS = 400, 80
_FINE_ROWS = 1000
_SMALLEST = 1e-3  # a factor that comes nearer to zero, against its median, makes the quotient useless


@dataclass(frozen=True, eq=False)
class Weighed:
    """A state and the leave-one-out error of its surrogate, in units of y."""

    state: State
    error: float


Function = tuple[Callable[[np.ndarray], np.ndarray], Callable[[Expression], Expression]]
_HALF = Fraction(1, 2)


def _power(exponent: Fraction | int) -> Function:
    return (lambda u: u ** float(exponent)), (lambda e: power(e, exponent))


FACTORS: tuple[Function, ...] = (
    *(_power(p) for p in (1, -1, 2, -2, 3, -3, _HALF, -_HALF)),
    (np.cos, lambda e: call("cos", e)),
    (np.sin, lambda e: call("sin", e)),
    (lambda u: np.sin(u / 2) ** 2, lambda e: power(call("sin", mul(_HALF, e)), 2)),
    (lambda u: np.sin(u / 2) ** -2, lambda e: power(call("sin", mul(_HALF, e)), -2)),
    (lambda u: (np.sin(u / 2) / u) ** 2, lambda e: power(mul(call("sin", mul(_HALF, e)), power(e, -1)), 2)),
    (np.exp, lambda e: call("exp", e)),
    (lambda u: np.exp(-u), lambda e: call("exp", -e)),
)
TERMS: tuple[Function, ...] = (
    *(_power(p) for p in (1, 2, 3, -1, _HALF)),
    (np.sin, lambda e: call("sin", e)),
    (np.cos, lambda e: call("cos", e)),
    (np.exp, lambda e: call("exp", e)),
    (lambda u: np.log(np.abs(u)), lambda e: call("log", e)),
)
PAIRS: tuple[tuple[Callable[[np.ndarray, np.ndarray], np.ndarray], Callable[[Expression, Expression], Expression]], ...] = (
    (lambda u, v: u - v, lambda a, b: a - b),
    (lambda u, v: u + v, lambda a, b: a + b),
    (lambda u, v: u * u + v * v, lambda a, b: add(power(a, 2), power(b, 2))),
    (lambda u, v: u * u - v * v, lambda a, b: power(a, 2) - power(b, 2)),
    (lambda u, v: u * v, lambda a, b: mul(a, b)),
    (lambda u, v: u / v, lambda a, b: mul(a, power(b, -1))),
)


def moves(state: State) -> Iterator[State]:
    """Yield every reduction by one column, and collapses of all."""
    found = slopes(state)
    for scaling in symmetries.scalings(state, found):
        yield symmetries.scaled(state, scaling)
    yield from stripped(state, found)
    yield from paired(state)
    yield from combined(state, found)
    yield from peeled(state)


def stripped(state: State, found: Slopes) -> Iterator[State]:
    """Yield h = phi(u_i) g(rest), phi = 1 among them."""
    for i in range(state.n_columns):
        u, name = state.columns[:, i], state.names[i]
        yield state.without([i], f"does not depend on {name}")
        for values, written in FACTORS:
            factor = _evaluated(values, u)
            if _divides(factor):
                yield state.divided(factor, written(name)).without([i], f"is proportional to {written(name)}")
    for i, factor, expression in symmetries.free_factors(state, found):
        if _divides(factor):
            yield state.divided(factor, expression).without([i], f"is proportional to {expression}")


def paired(state: State) -> Iterator[State]:
    """Yield h = g(s(u_i, u_j), rest) for differences, sums, products and ratios."""
    for i, j in itertools.combinations(range(state.n_columns), 2):
        for values, written in PAIRS:
            with np.errstate(all="ignore"):
                column = values(state.columns[:, i], state.columns[:, j])
            if np.isfinite(column).all() and np.ptp(column) > 0:
                name = written(state.names[i], state.names[j])
                yield state.without([i, j]).with_column(column, name, f"depends on {name}")


def combined(state: State, found: Slopes) -> Iterator[State]:
    """Yield h = g(u_i + c u_j, rest) where the two slopes keep one ratio c."""
    gradient = found.gradient / np.where(found.columns, state.columns[found.rows], 1.0)
    for i, j in itertools.combinations(range(state.n_columns), 2):
        a, b = gradient[:, i], gradient[:, j]
        with np.errstate(all="ignore"):
            c = float(a @ b / (a @ a))
            misfit = float(np.linalg.norm(b - c * a) / np.linalg.norm(b))
        if misfit < 0.3 and np.isfinite(c) and c != 0.0 and abs(abs(c) - 1) > 1e-3:
            name = add(state.names[i], mul(Number(c), state.names[j]))
            yield state.without([i, j]).with_column(state.columns[:, i] + c * state.columns[:, j], name, f"depends on {name}")


def peeled(state: State) -> Iterator[State]:
    """Yield h = c phi(u_i) + g(rest), c fitted together with a smooth g."""
    if state.n_columns < 2:
        return
    for i in range(state.n_columns):
        rest = np.delete(state.columns, i, axis=1)
        basis = chebyshev(Box.of(rest).places, degree_for(rest.shape[1], state.n_rows, _ROUGH_TERMS))
        for values, written in TERMS:
            term = _evaluated(values, state.columns[:, i])
            if not np.isfinite(term).all() or np.abs(term).max() > 1e8:
                continue
            both = np.column_stack([term, basis]) * state.gain[:, None]
            c, *_ = np.linalg.lstsq(both, state.target * state.gain, rcond=1e-12)
            if c[0]:
                expression = mul(Number(float(c[0])), written(state.names[i]))
                yield state.reduced_by(c[0] * term, expression, f"is {written(state.names[i])} plus the rest").without([i])


def collapsed(state: State, most: int = 2) -> Iterator[State]:
    """Yield h = g(one monomial of all columns): neighbours in a true monomial are neighbours in h (von Neumann, 1941)."""
    n = state.n_columns
    if n < 2 or n > 6 or not state.positive.all():
        return
    choices = (-2, -1, 0, 1, 2) if n <= 4 else (-1, 0, 1)
    logs, spread = np.log(state.columns), np.var(state.target)
    scored = []
    for exponents in itertools.product(choices, repeat=n):
        own = [e for e in exponents if e]
        if len(own) < 2 or own[0] < 0 or all(abs(e) == 2 for e in own):
            continue
        order = np.argsort(logs @ np.array(exponents, dtype=float), kind="stable")
        scored.append((float(np.mean(np.diff(state.target[order]) ** 2)) / (2 * spread + 1e-300), exponents))
    for ratio, exponents in sorted(scored)[:most]:
        if ratio < 0.3:
            column = np.exp(logs @ np.array(exponents, dtype=float))
            name = monomials.written(state.names, exponents)
            yield state.without(range(n)).with_column(column, name, f"depends on {name} alone")


def weighed(states: Iterable[State], keep: int, stop: Callable[[], bool]) -> list[Weighed]:
    """Return the states with the least leave-one-out errors: all roughly, then the better ones on more rows."""
    rough: list[Weighed] = []
    for state in states:
        if stop():
            break
        usable = state.finite()
        if usable is not None:
            rough.append(Weighed(usable, smooth_error(thinned(usable, _ROUGH_ROWS), _ROUGH_TERMS)))
    rough = [w for w in rough if np.isfinite(w.error)]
    rough.sort(key=lambda w: w.error)
    fine = [Weighed(w.state, smooth_error(thinned(w.state, _FINE_ROWS))) for w in rough[: 3 * keep]]
    return sorted(fine, key=lambda w: w.error)[:keep]


def thinned(state: State, rows: int) -> State:
    """Return the state on at most so many rows, the first ones: rows come in random order."""
    if state.n_rows <= rows:
        return state
    return replace(state, columns=state.columns[:rows], target=state.target[:rows], gain=state.gain[:rows])


def _evaluated(function: Callable[[np.ndarray], np.ndarray], u: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        return function(u)


def _divides(factor: np.ndarray) -> bool:
    """Whether a target may be divided by a factor."""
    if not np.isfinite(factor).all():
        return False
    size = np.abs(factor)
    middle = float(np.median(size))
    return bool(middle > 0 and size.max() < 1e4 * middle and (size < _SMALLEST * middle).mean() < 0.02)
