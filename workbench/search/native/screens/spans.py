"""Exact laws at once: T(h) / prefactor in the span of few products of the columns and of one or two functions of them.

    T(h) = p * (c_1 m_1 + c_2 m_2 + ...)     or     T(h) = P / Q,       m_i products of u, v, phi(u, v)

Data without noise say by themselves whether that holds: what is left of the target beside the span is rounding, or it is not. One QR factorisation
serves all transforms T and prefactors p, so a dictionary costs half a millisecond and hundreds are asked. Nothing is approximated and nothing polished
on the way; noisy data end here with nothing.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from workbench.expression import Call, Expression, Number, call, mul, power
from workbench.search.native import monomials
from workbench.search.native.screens.dictionaries import Dictionary, dictionaries
from workbench.search.native.screens.elimination import exact_fit
from workbench.search.native.screens.ratios import null_vector, ratio_of
from workbench.search.native.state import Candidate, State
from workbench.search.native.transforms import Target, targets
from workbench.search.native.watch import Watch

_EXACT, _NULL = 1e-12, 3e-15  # relative: what is left of a norm, and of a square
_DEPENDENT = 1e-9
_ROWS = 160
_MOST_COLUMNS = 4
_TERMS, _MOST_KEPT = 36, 7
_FEW_KEPT = 5  # of one column: many smooth functions together imitate any other
_TRANSFORMS = ("y", "1/y", "y^2", "1/y^2", "sqrt(y)", "log(y)", "exp(y)", "sin(y)", "tan(y)", "cos(y)", "cbrt(y)")
_OF_RATIOS = ("y", "y^2", "log(y)", "exp(y)", "cos(y)")


@dataclass(frozen=True, eq=False)
class _Goals:
    """Transformed targets over prefactors, (n_rows, n_goals), and which is which."""

    values: np.ndarray
    which: tuple[tuple[Target, Expression, np.ndarray], ...]  # target, prefactor, its values on all rows


def spans(state: State, watch: Watch, pairs: bool = True) -> Iterator[Candidate]:
    """Yield exact laws.

    Parameters
    ----------
    pairs : whether to try two functions beside the columns as well, which takes a while
    """
    if not 1 <= state.n_columns <= _MOST_COLUMNS:
        return
    state = _without_zeros(state) if state.n_columns == 1 else state
    few = state.thinned(_ROWS)
    goals, rational = _goals(few), list(targets(few, _OF_RATIOS))
    for dictionary in dictionaries(state, pairs):
        if watch.over:
            return
        yield from _found(dictionary, few, goals, rational)


def _without_zeros(state: State) -> State:
    """Return the state on the rows where its only column is not zero, so that targets may be divided by it."""
    good = state.columns[:, 0] != 0
    return replace(state, columns=state.columns[good], target=state.target[good], gain=state.gain[good])


def _goals(few: State) -> _Goals:
    """Return the targets over prefactors of their columns."""
    exponents = monomials.usable(few.columns, _prefactors(few.n_columns))
    names = [monomials.written(few.names, row) for row in exponents]
    plain = list(zip(names, monomials.evaluate(few.columns, exponents).T))
    which = [(target, name, values) for target in targets(few, _TRANSFORMS) for name, values in plain]
    if few.n_columns == 1:
        which += [(target, name, values) for target in targets(few, ("y",)) for name, values in _mixed(few)]
    values = np.column_stack([target.values / prefactor for target, _, prefactor in which])
    size = np.linalg.norm(values, axis=0)
    good = np.isfinite(size) & (size > 0)
    return _Goals(values[:, good] / size[good], tuple(w for w, g in zip(which, good) if g))


def _mixed(few: State) -> Iterator[tuple[Expression, np.ndarray]]:
    """Yield u^k exp(-u) sin u cos u, and parts of it."""
    u, name = few.columns[:, 0], few.names[0]
    for k, decays, sine, cosine in itertools.product(range(4), range(2), range(2), range(2)):
        with np.errstate(all="ignore"):
            values = u**k * np.exp(-u * decays) * np.sin(u) ** sine * np.cos(u) ** cosine
        yield mul(power(name, k), *[call("exp", -name)] * decays, *[call("sin", name)] * sine, *[call("cos", name)] * cosine), values


def _prefactors(n_columns: int) -> np.ndarray:
    return np.array(list(itertools.product((0.0, 1.0, -1.0), repeat=n_columns))) if n_columns <= 2 else np.vstack([np.zeros(n_columns), np.eye(n_columns)])


def _found(dictionary: Dictionary, few: State, goals: _Goals, rational: list[Target]) -> Iterator[Candidate]:
    """Yield what one dictionary holds."""
    own = dictionary.state
    for exponents in dictionary.shapes:
        spanned = _Span.of(own, few.n_rows, exponents)
        if spanned is None:
            continue
        for place in np.flatnonzero(spanned.distance(goals.values) < _EXACT)[:3]:
            yield from _sum(own, few, spanned, goals.which[place])
        if 2 * len(spanned.exponents) < few.n_rows - 3:
            for target in rational:
                yield from _ratio(own, spanned, target)


@dataclass(frozen=True, eq=False)
class _Span:
    """Monomials that are independent of each other on the rows, and an orthonormal basis of what they span."""

    exponents: np.ndarray
    columns: np.ndarray
    basis: np.ndarray

    @classmethod
    def of(cls, own: State, n_rows: int, exponents: np.ndarray) -> _Span | None:
        exponents = exponents[_without_squares(own.names, exponents)]
        if len(exponents) > min(_TERMS, n_rows - 3):
            return None
        columns = monomials.evaluate(own.columns[:n_rows], exponents)
        size = np.linalg.norm(columns, axis=0)
        if not np.isfinite(size).all() or not (size > 0).all():
            return None
        basis, triangle = np.linalg.qr(columns / size)
        independent = np.abs(np.diag(triangle)) > _DEPENDENT  # not so: cos^2 beside sin^2, the square of a root
        if not independent.all():
            exponents, columns = exponents[independent], columns[:, independent]
            basis, _ = np.linalg.qr(columns / size[independent])
        return cls(exponents, columns, basis)

    def beside(self, vectors: np.ndarray) -> np.ndarray:
        """Return what the span leaves of vectors."""
        return vectors - self.basis @ (self.basis.T @ vectors)

    def distance(self, vectors: np.ndarray) -> np.ndarray:
        return np.linalg.norm(self.beside(vectors), axis=0)


def _without_squares(names: Sequence[Expression], exponents: np.ndarray) -> np.ndarray:
    """Return which products hold at most one root of each base: the product of two is a polynomial, which has better names."""
    bases: dict[Expression, list[int]] = {}
    for place, name in enumerate(names):
        match name:
            case Call(function="pow", arguments=(base, Number(value=Fraction()))) | Call(function="sqrt", arguments=(base,)):
                bases.setdefault(base, []).append(place)
    allowed = np.ones(len(exponents), dtype=bool)
    for places in bases.values():
        allowed &= exponents[:, places].sum(axis=1) <= 1
    return allowed


def _sum(own: State, few: State, spanned: _Span, which: tuple[Target, Expression, np.ndarray]) -> Iterator[Candidate]:
    target, prefactor, values = which
    fit = exact_fit(spanned.columns, target.values / values, most=_FEW_KEPT if few.n_columns == 1 else _MOST_KEPT)
    if fit is not None:
        inner = monomials.sum_of(own.names, spanned.exponents[fit.terms], fit.coefficients)
        yield own.candidate(target.back(mul(prefactor, inner)), f"{target.name} is an exact sum of {len(fit.terms)} terms, with {own.names[-1]}")


def _ratio(own: State, spanned: _Span, target: Target) -> Iterator[Candidate]:
    """Yield P / Q where some Q times the target lies in the span of the columns."""
    times = spanned.columns * target.values[:, None]
    size = np.linalg.norm(times, axis=0)
    if not (target.weights > 0).all() or not (size > 0).all():
        return
    left = spanned.beside(times / size)
    square = left.T @ left
    if not np.isfinite(square).all() or np.linalg.eigvalsh(square)[0] > _NULL:
        return
    vector = null_vector(spanned.columns, target, spanned.exponents)
    if vector is None or np.count_nonzero(vector) > _MOST_KEPT:
        return
    above, below = spanned.columns @ vector[: len(size)], spanned.columns @ vector[len(size) :]
    if np.linalg.norm(above / below - target.values) < _EXACT * np.linalg.norm(target.values):
        yield own.candidate(target.back(ratio_of(own, spanned.exponents, vector)), f"{target.name} is an exact ratio, with {own.names[-1]}")
