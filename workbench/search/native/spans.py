"""Exact laws at once: T(h) / prefactor in the span of few products of the columns and of one or two functions of them.

    T(h) = p * (c_1 m_1 + c_2 m_2 + ...)     or     T(h) = P / Q,       m_i products of u, v, phi(u, v)

Data without noise say by themselves whether that holds: what is left of the target beside the span is rounding, or it is not. One QR factorisation
serves all transforms T and prefactors p, so a dictionary costs half a millisecond and hundreds are asked. Nothing is approximated and nothing polished
on the way; noisy data end here with nothing.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from workbench.expression import Call, Expression, Number, add, call, mul, power
from workbench.search.native import monomials
from workbench.search.native.composed import Composed, moderate
from workbench.search.native.elimination import exact_fit
from workbench.search.native.entwined import entwined
from workbench.search.native.ratios import null_vector, ratio_of
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

_HALF, _THREE_HALVES = monomials.exact_exponent(0.5), monomials.exact_exponent(1.5)
_ONE_COLUMN = (
    (np.cos, lambda e: call("cos", e)),
    (np.sin, lambda e: call("sin", e)),
    (lambda u: np.exp(-u), lambda e: call("exp", -e)),
    (np.exp, lambda e: call("exp", e)),
    (np.log, lambda e: call("log", e)),
    (lambda u: u**1.5, lambda e: power(e, _THREE_HALVES)),
    (lambda u: (1 + u) ** 1.5, lambda e: power(add(1, e), _THREE_HALVES)),
    (np.sqrt, lambda e: power(e, _HALF)),
    (lambda u: np.log(1 + u), lambda e: call("log", add(1, e))),
    (lambda u: np.log(1 - u), lambda e: call("log", add(1, -e))),
    (lambda u: np.log(1 + 1 / u), lambda e: call("log", add(1, power(e, -1)))),
    (lambda u: np.sqrt(1 + u), lambda e: power(add(1, e), _HALF)),
    (lambda u: np.sqrt(1 - u), lambda e: power(add(1, -e), _HALF)),
    (lambda u: np.sqrt(1 + u * u), lambda e: power(add(1, power(e, 2)), _HALF)),
    (lambda u: np.sqrt(1 - u * u), lambda e: power(add(1, -power(e, 2)), _HALF)),
    (lambda u: np.sqrt(u * u - 1), lambda e: power(add(power(e, 2), -1), _HALF)),
    (np.tanh, lambda e: call("tanh", e)),
    (np.arctan, lambda e: call("atan", e)),
    (lambda u: np.exp(-u * u), lambda e: call("exp", -power(e, 2))),
    (lambda u: np.sin(u * u), lambda e: call("sin", power(e, 2))),
    (lambda u: np.cos(u * u), lambda e: call("cos", power(e, 2))),
)


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
    few = state.thinned(_ROWS)
    goals, rational = _goals(few), list(targets(few, _OF_RATIOS))
    for beside in _companies(state, pairs):
        if watch.over:
            return
        own = state
        for composed in beside:
            own = own.with_column(composed.values, composed.name)
        yield from _found(own, few, goals, rational, degrees=(2, 3) if len(beside) == 1 else (2,))


def _companies(state: State, pairs: bool) -> Iterator[tuple[Composed, ...]]:
    """Yield the functions that stand beside the columns together, one or two."""
    single, double = list(_of_one(state)), list(entwined(state))
    yield from ((composed,) for composed in (*single, *double))
    if pairs and state.n_columns <= 2:
        yield from itertools.combinations(single, 2)


def _of_one(state: State) -> Iterator[Composed]:
    for (values, written), i in itertools.product(_ONE_COLUMN, range(state.n_columns)):
        with np.errstate(all="ignore"):
            column = values(state.columns[:, i])
        if moderate(column):
            yield Composed(column, written(state.names[i]), (i,))


def _goals(few: State) -> _Goals:
    """Return the targets over monomial prefactors of their columns."""
    exponents = monomials.usable(few.columns, _prefactors(few.n_columns))
    prefactors = monomials.evaluate(few.columns, exponents)
    which = [
        (target, monomials.written(few.names, exponents[k]), prefactors[:, k]) for target in targets(few, _TRANSFORMS) for k in range(len(exponents))
    ]
    values = np.column_stack([target.values / prefactor for target, _, prefactor in which])
    good = np.isfinite(values).all(axis=0) & (np.linalg.norm(values, axis=0) > 0)
    return _Goals(values[:, good] / np.linalg.norm(values[:, good], axis=0), tuple(w for w, g in zip(which, good) if g))


def _prefactors(n_columns: int) -> np.ndarray:
    return np.array(list(itertools.product((0.0, 1.0, -1.0), repeat=n_columns))) if n_columns <= 2 else np.vstack([np.zeros(n_columns), np.eye(n_columns)])


def _found(own: State, few: State, goals: _Goals, rational: list[Target], degrees: tuple[int, ...]) -> Iterator[Candidate]:
    """Yield what one dictionary holds: the monomials of low degree of the columns of a state."""
    for degree in degrees:
        spanned = _Span.of(own, few.n_rows, degree)
        if spanned is None:
            return
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
    def of(cls, own: State, n_rows: int, degree: int) -> _Span | None:
        exponents = monomials.total_degree(own.n_columns, degree)
        exponents = exponents[(exponents[:, [_is_root(name) for name in own.names]] <= 1).all(axis=1)]
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


def _is_root(name: Expression) -> bool:
    """Whether the square of a column is a polynomial, which has better names."""
    match name:
        case Call(function="pow", arguments=(_, Number(value=Fraction()))):
            return True
    return isinstance(name, Call) and name.function == "sqrt"


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
