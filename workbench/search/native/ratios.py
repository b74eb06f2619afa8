"""Ratios of polynomials: T(h) Q = P is linear in the coefficients of both.

Exact data: the null vector of [P terms, -T(h) * Q terms]; of several, the one of lowest degree. With noise the product T(h) Q weighs rows by Q, so the
fit is repeated with weights 1/Q (Sanathanan & Koerner, 1963) and terms are eliminated backwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from workbench.expression import Expression, mul, power
from workbench.search.native import monomials
from workbench.search.native.elimination import eliminated
from workbench.search.native.state import Candidate, State
from workbench.search.native.transforms import Target, targets
from workbench.search.native.watch import Watch

_NULL = 1e-10  # singular values below this share of the largest are zero
_TERM = 14.0
_MOST_TERMS, _MOST_NOISY_TERMS = 45, 15
_LEADS = 4  # constant terms of Q that are tried as the one that is fixed

Shape = tuple[str, int]
SHAPES: tuple[Shape, ...] = (("total", 1), ("total", 2), ("total", 3), ("box", 2), ("total", 4), ("box", 3), ("total", 5), ("total", 6))


def ratio(state: State, watch: Watch, transforms: Sequence[str], shapes: Sequence[Shape] = SHAPES) -> Iterator[Candidate]:
    """Yield ratios of polynomials in the columns for T(h)."""
    found = list(targets(state, transforms))
    for kind, degree in shapes:
        if kind == "box" and (degree + 1) ** state.n_columns > _MOST_TERMS:
            continue
        if degree > 4 and state.n_columns != 2:
            continue
        exponents = (monomials.box_degree if kind == "box" else monomials.total_degree)(state.n_columns, degree)
        if len(exponents) > _MOST_TERMS or 2 * len(exponents) > state.n_rows // 2:
            continue
        columns = monomials.evaluate(state.columns, exponents)
        for target in found:
            if watch.over:
                return
            vectors = [v] if (v := _null_vector(columns, target, exponents)) is not None else _noisy(columns, target, watch.bar)
            for vector in vectors:
                yield state.candidate(target.back(_written(state, exponents, vector)), f"{target.name} is a ratio of polynomials")


def _null_vector(columns: np.ndarray, target: Target, exponents: np.ndarray) -> np.ndarray | None:
    """Return the coefficients of P and Q, (2 n_terms,), where they fit exactly and are few."""
    usable = target.weights > 0
    both = np.column_stack([columns, -target.values[:, None] * columns])[usable]
    size = np.linalg.norm(both, axis=0)
    if not np.isfinite(size).all() or (size == 0).any():
        return None
    both = both / size
    _, singular, directions = np.linalg.svd(both, full_matrices=False)
    null = directions[singular < _NULL * singular[0]]
    if not len(null):
        return None
    vector = _lowest(null, np.tile(exponents.sum(1), 2))
    terms = np.flatnonzero(np.abs(vector) > 1e-6 * np.abs(vector).max())
    m = len(exponents)
    if not ((terms < m).any() and (terms >= m).any()) or len(terms) > 14:
        return None
    _, _, directions = np.linalg.svd(both[:, terms], full_matrices=False)
    found = np.zeros(2 * m)
    found[terms] = directions[-1] / size[terms]
    return found / found[terms[terms >= m][0]]


def _lowest(null: np.ndarray, degrees: np.ndarray) -> np.ndarray:
    """Combine null vectors into one in which the terms of highest degree vanish."""
    null = null.copy()
    while len(null) > 1:
        alive = np.flatnonzero(np.abs(null).max(axis=0) > 1e-6)
        column = alive[np.argmax(degrees[alive])]
        pivot = int(np.argmax(np.abs(null[:, column])))
        row = null[pivot] / null[pivot, column]
        null = np.delete(null, pivot, axis=0)
        null = null - np.outer(null[:, column], row)
        null /= np.linalg.norm(null, axis=1, keepdims=True)
    return null[0]


def _noisy(columns: np.ndarray, target: Target, bar: float) -> list[np.ndarray]:
    """Return coefficients of P and Q fitted with weights 1/Q; one of the first terms of Q is fixed at 1."""
    m = columns.shape[1]
    if m > _MOST_NOISY_TERMS:
        return []
    both = np.column_stack([columns, -target.values[:, None] * columns])
    found = []
    for lead in range(min(m, _LEADS)):
        free = np.delete(np.arange(2 * m), m + lead)
        vector = _reweighted(both, columns, target, free, m + lead)
        if vector is None:
            continue
        with np.errstate(all="ignore"):
            residual = (columns @ vector[:m] / (columns @ vector[m:]) - target.values) * target.weights
        if np.sqrt(np.mean(residual**2)) < 2.0 * bar:
            found.append(vector)
    return found


def _reweighted(both: np.ndarray, columns: np.ndarray, target: Target, free: np.ndarray, fixed: int) -> np.ndarray | None:
    """Repeat the linear fit of P - T(h) (Q - q) = T(h) q with weights 1/Q, eliminating terms each time."""
    m = columns.shape[1]
    denominator, vector = columns[:, fixed - m], None
    for _ in range(3):
        with np.errstate(all="ignore"):
            weights = target.weights / np.abs(denominator)
        if not np.isfinite(weights).all():
            return None
        fits = eliminated(both[:, free] * weights[:, None], -both[:, fixed] * weights, _TERM)
        if not fits:
            return None
        vector = np.zeros(2 * m)
        vector[free[fits[0].terms]] = fits[0].coefficients
        vector[fixed] = 1.0
        denominator = columns @ vector[m:]
        if np.abs(denominator).min() < 1e-3 * np.median(np.abs(denominator)) or not vector[:m].any():
            return None
    return vector


def _written(state: State, exponents: np.ndarray, vector: np.ndarray) -> Expression:
    m = len(exponents)

    def side(part: np.ndarray) -> Expression:
        used = np.flatnonzero(part)
        return monomials.combination(part[used], [monomials.written(state.names, exponents[i]) for i in used])

    return mul(side(vector[:m]), power(side(vector[m:]), -1))
