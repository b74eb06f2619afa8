"""A sum of two power laws inside: a power or a logarithm of it, beside a power law.

    T(h) = c_0 + p_1 log u_1 + ... + p_k log u_k + q log(m + c),       m = u_1^e_1 ... u_k^e_k

With T = log that is h = C u_1^p_1 ... (m + c)^q: hydraulic radius, relativistic factors, thresholds; with T = 1/sqrt it is the friction factor of a
rough pipe. Everything but c and e is linear (variable projection: Golub & Pereyra, 1973), so a grid of them is looked through at once, for all
transforms; the polish moves the best to where they belong, and their exponents too.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from workbench.expression import Expression, Number, add, call, mul, power
from workbench.search.native.judging.polishing import polished
from workbench.search.native.monomials import exact_exponent
from workbench.search.native.state import Candidate, State
from workbench.search.native.transforms import Target, targets
from workbench.search.native.watch import Watch

_ROWS = 150
_MOST_COLUMNS = 5
_OF_EACH, _FOUND = 5, 8  # of each transform, and of all
_STEPS = (0.3, 0.2, 0.15, 0.15, 0.1, 0.1, 0.06, 0.06, 0.04, 0.04, 0.02, 0.02, 0.01)  # relative, of constants and exponents
_SHORT, _LONG = 8, 100  # steps of a polish: the grid is coarse
_TRANSFORMS = ("log(y)", "y", "1/y", "sqrt(y)", "1/sqrt(y)", "y^2")
_POSITIVE = tuple(np.geomspace(0.01, 100, 15))
_BELOW_LEAST, _ABOVE_MOST = (0.3, 0.7, 0.95), (1.05, 1.5, 4.0)
_FINE = (0.25, 0.4, 0.6, 0.8, 1.0, 1.25, 1.6, 2.0, 3.0)
_COARSE = (1.0, 2.0, 0.5)
_TINY, _NEAR = 1e-6, 0.02  # to a multiple of a half or a third: an exponent that is taken for it
_ROUNDINGS = ((_TINY, _TINY), (_NEAR, _NEAR), (_TINY, 0.15), (0.12, 0.15))  # how near, and the least exponent: the grid is coarse, and zeros are likely
_SAME = 1e-9


@dataclass(frozen=True, eq=False)
class _Grid:
    """log|m + c| on the rows, (n_rows, n_trials), with the exponents and the constant of each."""

    values: np.ndarray
    exponents: np.ndarray
    constants: np.ndarray
    n_constants: int = 1  # of every monomial, one after the other


@dataclass(frozen=True, eq=False)
class _Find:
    target: Target
    exponents: np.ndarray
    constant: float


def inner_sums(state: State, watch: Watch) -> Iterator[Candidate]:
    """Yield the best of the grid under every transform, the most promising first."""
    if not 1 <= state.n_columns <= _MOST_COLUMNS or not state.positive.all() or state.n_rows <= 2 * state.n_columns + 4:
        return
    few = state.thinned(_ROWS)
    grid = _grid(np.log(few.columns))
    best: list[tuple[float, int, _Find]] = []
    for target in targets(few, _TRANSFORMS):
        if watch.over:
            return
        for place in _promising(_errors(few, target, grid), grid.n_constants):
            error, find = _zoomed(few, _Find(target, grid.exponents[place], float(grid.constants[place])))
            best.append((error, len(best), find))
    made: list[tuple[int, Candidate]] = []
    for _, _, find in heapq.nsmallest(_FOUND, best):
        full = next(iter(targets(state, (find.target.name,))), None)
        if full is not None:
            made += _written(state, full, find)
    yield from _improved(made, watch)


def _promising(errors: np.ndarray, n_constants: int) -> np.ndarray:
    """Return the places of the best monomials, each with its best constant."""
    by_monomial = errors.reshape(n_constants, -1)
    rows = np.argmin(by_monomial, axis=0)
    columns = np.argsort(by_monomial.min(axis=0), kind="stable")[:_OF_EACH]
    return rows[columns] * by_monomial.shape[1] + columns


def _improved(made: list[tuple[int, Candidate]], watch: Watch) -> Iterator[Candidate]:
    """Yield the best of each rounding after a short polish, after a long one: the valleys are narrow, and free exponents lead astray in them."""
    best: dict[int, tuple[float, Expression, Candidate]] = {}
    for rounding, candidate in made:
        expression, error = polished(candidate.expression, watch.judge.quick, _SHORT)
        if error < best.get(rounding, (np.inf,))[0]:
            best[rounding] = error, expression, candidate
    for _, expression, candidate in best.values():
        yield replace(candidate, expression=polished(expression, watch.judge.quick, _LONG)[0])


def _zoomed(few: State, find: _Find) -> tuple[float, _Find]:
    """Return the find moved to the least error among its neighbours, again and again with smaller steps, and that error."""
    exponents, constant, error = find.exponents, find.constant, np.inf
    logs, used = np.log(few.columns), np.flatnonzero(find.exponents)
    for step in _STEPS:
        factors = np.array(list(itertools.product((1.0, 1 - step, 1 + step), repeat=len(used) + 1)))
        trials = np.tile(exponents, (len(factors), 1))
        trials[:, used] *= factors[:, :-1]
        constants = constant * factors[:, -1]
        values = np.log(np.abs(np.exp(np.clip(logs @ trials.T, -300, 300)) + constants))
        errors = _errors(few, find.target, _Grid(values, trials, constants))
        place = int(np.argmin(errors))
        exponents, constant, error = trials[place], float(constants[place]), float(errors[place])
    return error, replace(find, exponents=exponents, constant=constant)


def _grid(logs: np.ndarray) -> _Grid:
    exponents = _exponents(logs.shape[1])
    monomials = np.exp(np.clip(logs @ exponents.T, -300, 300))
    least, middle, most = monomials.min(axis=0), np.median(monomials, axis=0), monomials.max(axis=0)
    constants = np.stack([*(c * middle for c in _POSITIVE), *(-c * least for c in _BELOW_LEAST), *(-c * most for c in _ABOVE_MOST)])
    values = np.log(np.abs(monomials[:, None, :] + constants[None]))  # (n_rows, n_constants, n_monomials)
    return _Grid(values.reshape(len(logs), -1), np.tile(exponents, (len(constants), 1)), constants.ravel(), len(constants))


@lru_cache(maxsize=16)
def _exponents(n_columns: int) -> np.ndarray:
    """Return exponents of at most three columns, the first of them positive: m and 1/m say the same."""
    fine = _FINE if n_columns <= 2 else _COARSE
    found = []
    for count in range(1, min(n_columns, 3) + 1):
        for places in itertools.combinations(range(n_columns), count):
            for own in itertools.product(fine, *[(*fine, *(-e for e in fine))] * (count - 1)):
                if count < 3 or own[0] == 1.0:
                    row = np.zeros(n_columns)
                    row[list(places)] = own
                    found.append(row)
    return np.array(found)


def _errors(state: State, target: Target, grid: _Grid) -> np.ndarray:
    """Return the error of every trial in units of y."""
    basis = np.column_stack([np.ones(state.n_rows), np.log(state.columns)]) * target.weights[:, None]
    q, _ = np.linalg.qr(basis)
    values = target.values * target.weights
    left = values - q @ (q.T @ values)
    trials = grid.values * target.weights[:, None]
    trials = trials - q @ (q.T @ trials)
    along, size = left @ trials, np.einsum("ij,ij->j", trials, trials)
    with np.errstate(all="ignore"):
        square = float(left @ left) - along**2 / size
    usable = np.isfinite(square) & (size > _SAME * np.einsum("ij,ij->j", grid.values, grid.values))
    return np.where(usable, np.sqrt(np.maximum(square, 0.0) / state.n_rows), np.inf)


def _written(state: State, target: Target, find: _Find) -> Iterator[tuple[int, Candidate]]:
    """Yield the find with its coefficients on all rows, exponents free, and rounded where they are near."""
    logs = np.log(state.columns)
    monomial = np.exp(logs @ find.exponents)
    with np.errstate(all="ignore"):
        trial = np.log(np.abs(monomial + find.constant))
    columns = np.column_stack([np.ones(state.n_rows), logs, trial]) * target.weights[:, None]
    if not np.isfinite(columns).all():
        return
    c, *_ = np.linalg.lstsq(columns, target.values * target.weights, rcond=None)
    sign = 1.0 if np.median(monomial) + find.constant > 0 else -1.0
    sum_inside = _InnerSum(state.names, find.exponents, sign, find.constant, float(c[0]), c[1:-1], float(c[-1]))
    for rounding, (near, least) in enumerate(_ROUNDINGS if sum_inside.power else ()):
        inner = sum_inside.of_logarithm(target, near, least)
        yield rounding, state.candidate(inner, f"{target.name} has a sum of two powers inside")


@dataclass(frozen=True, eq=False)
class _InnerSum:
    """start + powers . log u + power * log(sign * (m + constant))."""

    names: tuple[Expression, ...]
    exponents: np.ndarray
    sign: float
    constant: float
    start: float
    powers: np.ndarray
    power: float

    def of_logarithm(self, target: Target, near: float, least: float) -> Expression:
        """Return the target; exponents are exact where an exact one is near, and those below the least are zero."""
        if target.name == "log(y)":
            inside = add(mul(Number(self.sign), self._monomial(self.exponents, near, least)), Number(self.sign * self.constant))
            outside = mul(Number(target.sign * float(np.exp(min(self.start, 300.0)))), self._monomial(self.powers, near, least))
            return mul(outside, power(inside, _exponent(self.power, near)))
        shared = self.powers / self.power
        scale = self.sign * float(np.exp(np.clip(self.start / self.power, -300, 300)))
        terms = (
            mul(Number(scale), self._monomial(self.exponents + shared, near, least)),
            mul(Number(scale * self.constant), self._monomial(shared, near, least)),
        )
        return target.back(mul(Number(self.power), call("log", add(*terms))))

    def _monomial(self, exponents: np.ndarray, near: float, least: float) -> Expression:
        return mul(*(power(name, _exponent(float(e), near)) for name, e in zip(self.names, exponents) if abs(e) > least))


def _exponent(exponent: float, near: float) -> Number:
    """Return an exact exponent where one is near; a free one otherwise."""
    for parts in (1, 2, 3):
        exact = round(parts * exponent) / parts
        if exact and abs(exact - exponent) < near:
            return exact_exponent(exact)
    return Number(exponent)
