"""A law that is linear in one function column: h = A(rest) + B(rest) f. Both parts are fitted together as smooth functions, named each from its own
values, and put together again; the whole is then polished on the data, so what the parts lack in accuracy does not matter.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from workbench.expression import Expression, Number, Symbol, add, complexity, evaluate, mul, power, substitute
from workbench.search.native.judging.judge import Judge, Judged
from workbench.search.native.judging.polishing import Rows, polished
from workbench.search.native.notation.exponents import with_plain_exponents
from workbench.search.native.reductions import symmetries
from workbench.search.native.reductions.blocks import Blocks
from workbench.search.native.reductions.relevance import relevant
from workbench.search.native.screens.composed import Composed, function_columns
from workbench.search.native.screens.inner_sums import inner_sums
from workbench.search.native.screens.one_variable import one_variable
from workbench.search.native.screens.order import quick
from workbench.search.native.screens.polynomials import polynomial
from workbench.search.native.screens.power_law import power_law
from workbench.search.native.screens.products import product
from workbench.search.native.screens.sums import sums
from workbench.search.native.state import HOLE, Candidate, State
from workbench.search.native.surrogate import Box, chebyshev, degree_for, degrees_of, slopes, smoothed, straight
from workbench.search.native.watch import Watch

_TERMS = 130
_SPLITS, _RANKED_ROWS = 3, 500  # splits that are named, and rows on which all are compared
_NAMES, _TRUSTED = 4, 8.0  # names of each part, and how near, against what is known of the part, one must be to be trusted
_PLAINEST, _FOLLOWED = 2, 1  # of those near enough
_NEARLY_PLAIN = 0.01  # from a whole or half exponent of a name
_SMALLEST = 1e-3  # a factor that comes nearer to zero, against its median, makes the quotient useless
_SOME, _NOISY = 3.0, 1.3  # times the least error of any surrogate: of a split that is still named; with noise a right one hardly leaves more
_WORST = 0.1  # relative error of a split that is still named


@dataclass(frozen=True, eq=False)
class Split:
    """h ~ A(rest) + B(rest) f on the rows."""

    composed: Composed
    rest: State
    parts: tuple[np.ndarray, np.ndarray]
    error: float  # leave-one-out, in units of y


def linear_in_function(state: State, watch: Watch, worst: float | None = None) -> Iterator[Candidate]:
    """Yield A + B f for the function columns f in which the law is best described as linear.

    Parameters
    ----------
    worst : leave-one-out error of a split that is still named, against the least error of any surrogate; None for what noise allows
    """
    size = state.size
    worst = worst or (_SOME if smoothed(state) is None else _NOISY)
    for split in _splits(state, watch):
        if split.error > min(_WORST * size, worst * watch.judge.floor) or watch.over:
            return
        named = [names_of(split.rest, part, max(split.error / size, 1e-5), watch) for part in split.parts]
        for constant, slope in itertools.product(*named):
            inner = add(constant.expression, mul(slope.expression, split.composed.name))
            yield state.candidate(inner, f"is linear in {split.composed.name}")
        for left in itertools.chain(_factors(state, split, watch), _remainders(state, split, *named)):
            yield from plainly_reduced(left, watch)


def linear_parts(state: State, watch: Watch, worst: float) -> Iterator[tuple[Expression, np.ndarray, tuple[int, ...]]]:
    """Yield B f of A + B f where B has a name: as an expression, its values, and the columns that f is made of."""
    size = state.size
    for split in _splits(state, watch):
        if split.error > min(_WORST * size, worst * watch.judge.floor) or watch.over:
            return
        for own in trusted(names_of(split.rest, split.parts[1], max(split.error / size, 1e-5), watch)):
            yield mul(own.expression, split.composed.name), own.values * split.composed.values, split.composed.parts


def _remainders(state: State, split: Split, constants: list[Named], slopes_named: list[Named]) -> Iterator[State]:
    """Yield what is left for one part where the other has a name: it is exact where the name is, unlike the part itself."""
    phi = split.composed
    for own in trusted(constants):
        left = state.reduced_by(own.values, own.expression, f"is a multiple of {phi.name}, and {own.expression}")
        yield left.divided(phi.values, phi.name).without(phi.parts)
    for own in trusted(slopes_named):
        term = mul(own.expression, phi.name)
        yield state.reduced_by(own.values * phi.values, term, f"is {term} plus the rest").without(phi.parts)


def _factors(state: State, split: Split, watch: Watch) -> Iterator[State]:
    """Yield what is left of h = B (f + C) once f + C has a name: C is often plainer than A = B C."""
    size = np.abs(split.parts[1])
    if watch.over or not size.min() > _SMALLEST * np.median(size):
        return
    phi, error = split.composed, split.error / state.size
    for own in trusted(names_of(split.rest, split.parts[0] / split.parts[1], max(error, 1e-5), watch)):
        factor = phi.values + own.values
        if np.abs(factor).min() > _SMALLEST * np.median(np.abs(factor)):
            name = add(phi.name, own.expression)
            yield state.divided(factor, name, f"is proportional to {name}").without(phi.parts)


def plainly_reduced(state: State, watch: Watch) -> Iterator[Candidate]:
    """Yield quick candidates of a state and of what its evident symmetries leave, without columns that do not matter."""
    usable = state.finite()
    while usable is not None and not watch.over:
        yield from quick(usable, watch)
        if usable.n_columns <= 1 or watch.over:
            return
        fewer = relevant(usable, watch.stop)
        usable = fewer if fewer.n_columns < usable.n_columns else symmetries.evidently_scaled(usable)


def _splits(state: State, watch: Watch) -> list[Split]:
    """Return the best splits, best first."""
    few = state.thinned(_RANKED_ROWS)
    columns = [*_powers(state), *function_columns(state)]
    found = []
    for place, composed in enumerate(columns):
        if watch.over:
            break
        rest = few.without(composed.parts)
        if rest.n_columns:
            found.append((_error(rest, composed, straight(state)), place))
    best = (_fitted(state, columns[place]) for _, place in sorted(found)[:_SPLITS])
    return [split for split in best if split is not None]


def _smooth(rest: State, as_they_are: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return smooth functions of the rest (n_rows, n_terms), and the degree of each."""
    degree = degree_for(rest.n_columns, rest.n_rows // 2, _TERMS)
    return chebyshev(Box.of(rest.columns, as_they_are).places, degree), degrees_of(rest.n_columns, degree)


def _error(rest: State, composed: Composed, as_they_are: bool) -> float:
    """Return the leave-one-out error of A(rest) + B(rest) f on the rows of the rest."""
    smooth, degrees = _smooth(rest, as_they_are)
    return Blocks.of([smooth, smooth * composed.values[: rest.n_rows, None]], [degrees, degrees]).error(rest.target, rest.gain)


def _fitted(state: State, composed: Composed) -> Split | None:
    """Return a split; None where it has no values."""
    rest = state.without(composed.parts)
    smooth, degrees = _smooth(rest, straight(state))
    fit = Blocks.of([smooth, smooth * composed.values[:, None]], [degrees, degrees]).coefficients(state.target, state.gain, 1e-9)
    if fit is None:
        return None
    constant, slope = np.split(fit[0], 2)
    return Split(composed, rest, (smooth @ constant, smooth @ slope), fit[1])


def _powers(state: State) -> Iterator[Composed]:
    """Yield powers of every column."""
    for i in range(state.n_columns):
        for exponent in (1, 2, 3, -1, -2):
            if exponent > 0 or state.positive[i]:
                yield Composed(state.columns[:, i] ** float(exponent), power(state.names[i], exponent), (i,))


@dataclass(frozen=True, eq=False)
class Named:
    """A likely expression of a part, in the problem's symbols, its values, and whether it is as near to the part as that is known."""

    expression: Expression
    values: np.ndarray
    trusted: bool


def trusted(names: list[Named]) -> list[Named]:
    """Return the plainest of the names that are near enough to go on with, which does not follow what is wrong with the part, and the likeliest."""
    near = [own for own in names if own.trusted]
    return list(dict.fromkeys([*sorted(near, key=lambda own: complexity(own.expression))[:_FOLLOWED], *near[:_FOLLOWED]]))


def names_of(rest: State, values: np.ndarray, error: float, watch: Watch) -> list[Named]:
    """Return the likeliest expressions of smooth values over the columns of a state, plainest first.

    Parameters
    ----------
    error : relative error of the values
    """
    own = [Symbol(f"_u{i}_") for i in range(rest.n_columns)]
    rows = Rows({symbol.name: rest.columns[:, i] for i, symbol in enumerate(own)}, values, np.ones_like(values))
    judge = Judge(rows, watch.judge.functions, None, rounding=error)
    judge.floor = 3 * error * judge.size
    inner = State(rest.columns, tuple(own), values, np.ones_like(values), HOLE)
    for candidate in _quick(inner, Watch(judge, watch.stop)):
        judge.offer(candidate)
    if judge.size == 0:
        return [Named(Number(0), np.zeros_like(values), True)]
    back = {symbol.name: name for symbol, name in zip(own, rest.names)}
    return [
        Named(substitute(expression, back), np.broadcast_to(evaluate(expression, rows.columns), values.shape), rmse < _TRUSTED * judge.floor)
        for expression, rmse in (_plainly(judged, judge) for judged in _likeliest(judge))
    ]


def _plainly(judged: Judged, judge: Judge) -> tuple[Expression, float]:
    """Return an expression and its error, with plain exponents where that is near enough: its own follow what is wrong with the part."""
    plain = with_plain_exponents(judged.expression, _NEARLY_PLAIN)
    if plain != judged.expression:
        plain, rmse = polished(plain, judge.rows)
        if rmse < _TRUSTED * judge.floor:
            return plain, rmse
    return judged.expression, judged.rmse


def _likeliest(judge: Judge) -> list[Judged]:
    """Return the best by their cost, and the plainest that are near: what is wrong with a part, a longer expression imitates better."""
    by_cost = sorted(judge.front, key=lambda judged: judged.cost)[:_NAMES]
    near = [judged for judged in sorted(judge.front, key=lambda judged: judged.complexity) if judged.rmse < _TRUSTED * judge.floor]
    return list(dict.fromkeys([*by_cost, *near[:_PLAINEST]]))


def _quick(state: State, watch: Watch) -> Iterator[Candidate]:
    yield state.candidate(Number(float(np.mean(state.target))))
    yield from power_law(state)
    yield from product(state, watch, 3)
    yield from polynomial(state, watch, ("y", "1/y", "y^2", "1/y^2"), most=15, degrees=(1, 2))
    if state.n_columns == 1:
        yield from one_variable(state, watch)
    if not watch.over:
        yield from inner_sums(state, watch)
        yield from sums(state, watch, ("y", "1/y"), 2, most=200)
    reduced = state
    while reduced.n_columns > 1:
        found = slopes(reduced)
        evident = symmetries.scalings(reduced, found, 1)
        if not evident or evident[0].misfit > 0.15:
            return
        reduced = symmetries.scaled(reduced, evident[0])
        yield from power_law(reduced)
        yield from polynomial(reduced, watch, ("y", "1/y", "y^2", "1/y^2"), most=15, degrees=(1, 2))

