"""Reductions of a state by one column: factors, terms, pairs, and the collapse of several columns into one monomial.

    h = phi(u_i) g(rest)      h = c phi(u_i) + g(rest)      h = g(s(u_i, u_j), rest)      h = g(u_1^a u_2^b ...)

Every move makes a new state. `weighed` orders moves by the leave-one-out error of a smooth surrogate of what is left, in units of y: a true
reduction makes that error smaller (fewer columns allow a higher degree), a wrong one makes it larger. With noise the least error of many is a matter
of chance, so what a move takes to be written counts as well, in the unit of n log(error^2).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from workbench.expression import Expression, Number, add, call, mul, power
from workbench.expression.description import description
from workbench.search.native import monomials
from workbench.search.native.reductions import symmetries
from workbench.search.native.state import State
from workbench.search.native.surrogate import Box, Slopes, chebyshev, degree_for, slopes, smooth_error, smooth_error_below, straight

_ROUGH_ROWS, _ROUGH_TERMS = 400, 80
_FINE_ROWS = 1000
_WORDS = 40.0  # nats that two states may differ by in what is known of the law
_SCATTERED, _BLURRED = 0.05, 0.3  # rank scatter below which a collapse is clear, and above which it is none; 1 for no relation
_LIKELY = 8  # collapses that are compared where none is clear
_NEARLY_WHOLE = 0.02  # a term's coefficient so near to a whole number is begun with that: the smooth rest blurs it
_SMALLEST = 1e-3  # a factor that comes nearer to zero, against its median, makes the quotient useless


@dataclass(frozen=True, eq=False)
class Weighed:
    """A state and the leave-one-out error of its surrogate, in units of y."""

    state: State
    error: float

    @property
    def cost(self) -> float:
        """Return n log(error) + the nats of what is known of the law."""
        words = description(self.state.shell, self.state.n_rows) + sum(description(name, self.state.n_rows) for name in self.state.names)
        return self.state.n_rows * float(np.log(max(self.error, 1e-300))) + words


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
        basis = chebyshev(Box.of(rest, straight(state)).places, degree_for(rest.shape[1], state.n_rows, _ROUGH_TERMS))
        for values, written in TERMS:
            term = _evaluated(values, state.columns[:, i])
            if not np.isfinite(term).all() or np.abs(term).max() > 1e8:
                continue
            both = np.column_stack([term, basis]) * state.gain[:, None]
            c, *_ = np.linalg.lstsq(both, state.target * state.gain, rcond=1e-12)
            if c[0]:
                whole = float(np.round(c[0]))
                factor = whole if whole and abs(c[0] - whole) < _NEARLY_WHOLE else float(c[0])
                expression = mul(Number(factor), written(state.names[i]))
                yield state.reduced_by(factor * term, expression, f"is {written(state.names[i])} plus the rest").without([i])


def collapsed(state: State, most: int = 2) -> list[Weighed]:
    """Return h = phi(u_i) g(one monomial of all columns), phi = 1 among them.

    Neighbours in a true monomial are neighbours in h / phi: their rank differences are small (von Neumann, 1941). Ranks are robust to heavy tails.
    Noise blurs them; where none is clear, a smooth surrogate says which is the likeliest. One that leaves more than all columns do is none: a function of
    one column is smoother than one of many.
    """
    n = state.n_columns
    if n < 2 or n > 5:
        return []
    exponents = _collapse_exponents(n)
    orders = [np.argsort(column, kind="stable") for column in _signed(state.columns, exponents).T]
    scored = []
    for divided, factor in _quotients(state):
        if not np.isfinite(divided.target).all():
            continue
        ranks = np.argsort(np.argsort(divided.target, kind="stable"), kind="stable") / state.n_rows
        for place, order in enumerate(orders):
            ratio = 6 * float(np.mean(np.diff(ranks[order]) ** 2))
            scored.append((ratio + (0.02 if factor else 0.0), len(scored), divided, place))
    likely = []
    for ratio, _, divided, place in sorted(scored, key=lambda s: s[:2])[:_LIKELY]:
        if ratio < _BLURRED:
            column = _signed(state.columns, exponents[place : place + 1])[:, 0]
            name = monomials.written(state.names, exponents[place])
            likely.append((ratio, divided.without(range(n)).with_column(column, name, f"depends on {name} alone")))
    clear = [own for ratio, own in likely[:most] if ratio < _SCATTERED]
    found = (Weighed(own, smooth_error(own)) for own in clear or sorted((own for _, own in likely), key=smooth_error)[:1])
    return [own for own in found if own.error <= smooth_error(state)]


def _quotients(state: State) -> Iterator[tuple[State, bool]]:
    """Yield the state, and its quotients by one factor of each column."""
    yield state, False
    for i in range(state.n_columns):
        for values, written in FACTORS:
            factor = _evaluated(values, state.columns[:, i])
            if _divides(factor):
                expression = written(state.names[i])
                yield state.divided(factor, expression, f"is proportional to {expression}"), True


def _collapse_exponents(n: int) -> np.ndarray:
    """Return small exponents of at least two columns, the first of them positive."""
    choices = (-2, -1, 0, 1, 2) if n == 2 else (-1, 0, 1)
    own = ([e for e in exponents if e] for exponents in itertools.product(choices, repeat=n))
    every = zip(itertools.product(choices, repeat=n), own)
    return np.array([e for e, used in every if len(used) > 1 and used[0] > 0 and not all(abs(k) == 2 for k in used)], dtype=float)


def _signed(columns: np.ndarray, exponents: np.ndarray) -> np.ndarray:
    """Return monomials of columns of any sign."""
    with np.errstate(all="ignore"):
        size = np.exp(np.log(np.abs(columns)) @ exponents.T)
        signs = np.where((exponents % 2 == 1)[None], np.sign(columns)[:, None, :], 1.0).prod(axis=2)
        return size * signs


def weighed(states: Iterable[State], keep: int, stop: Callable[[], bool]) -> list[Weighed]:
    """Return the states of the least cost: all roughly, then the better ones on more rows."""
    rough: list[Weighed] = []
    n_fine = 3 * keep
    least: list[float] = []  # errors of the best
    for state in states:
        if stop():
            break
        usable = state.finite()
        if usable is not None:
            bar = least[-1] * float(np.exp(_WORDS / usable.n_rows)) if len(least) == n_fine else np.inf
            rough.append(Weighed(usable, smooth_error_below(bar, usable.thinned(_ROUGH_ROWS), _ROUGH_TERMS)))
            least = sorted([*least, rough[-1].error])[:n_fine]
    rough = [w for w in rough if np.isfinite(w.error)]
    rough.sort(key=lambda w: w.cost)
    fine: list[Weighed] = []
    for own in rough[:n_fine]:
        if stop():
            break
        fine.append(Weighed(own.state, smooth_error(own.state.thinned(_FINE_ROWS))))
    return sorted(fine, key=lambda w: w.cost)[:keep]


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
