"""Ratios of polynomials: T(h) Q = P is linear in the coefficients of both.

Exact data: the null vector of [P terms, -T(h) * Q terms]; of several, the one of lowest degree. With noise the product T(h) Q weighs rows by Q, so the
fit is repeated with weights 1/Q (Sanathanan & Koerner, 1963) and terms are eliminated backwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from workbench.expression import Expression, mul, power
from workbench.search.native import monomials
from workbench.search.native.screens.elimination import eliminated
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
            vectors = [v] if (v := null_vector(columns, target, exponents)) is not None else _noisy(columns, target, watch.bar)
            for vector in vectors:
                yield state.candidate(target.back(ratio_of(state, exponents, vector)), f"{target.name} is a ratio of polynomials")


def null_vector(columns: np.ndarray, target: Target, exponents: np.ndarray) -> np.ndarray | None:
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
        vector = _reweighted(both, columns, target, free, m + lead, bar)
        if vector is not None and _rmse(columns, vector, target) < 1.5 * bar:
            found.append(vector)
    return found


def _reweighted(both: np.ndarray, columns: np.ndarray, target: Target, free: np.ndarray, fixed: int, bar: float) -> np.ndarray | None:
    """Repeat the linear fit of P - T(h) (Q - q) = T(h) q with weights 1/Q; then eliminate terms, where all of them reach the bar."""
    m = columns.shape[1]
    vector = np.zeros(2 * m)
    vector[fixed] = 1.0
    for few in (False, False, True):
        with np.errstate(all="ignore"):
            weights = target.weights / np.abs(columns @ vector[m:])
        if not np.isfinite(weights).all():
            return None
        if few and _rmse(columns, vector, target) > bar:
            return None
        weighted, goal = both[:, free] * weights[:, None], -both[:, fixed] * weights
        terms, coefficients = _least_squares(weighted, goal, few)
        vector = np.zeros(2 * m)
        vector[free[terms]] = coefficients
        vector[fixed] = 1.0
        denominator = np.abs(columns @ vector[m:])
        if denominator.min() < 1e-3 * np.median(denominator) or not vector[:m].any():
            return None
    return vector


def _least_squares(weighted: np.ndarray, goal: np.ndarray, few: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return (terms, coefficients) of all terms, or of few."""
    if few:
        fits = eliminated(weighted, goal, _TERM)
        return (fits[0].terms, fits[0].coefficients) if fits else (np.empty(0, dtype=int), np.empty(0))
    size = np.linalg.norm(weighted, axis=0)
    size = np.where(size > 0, size, 1.0)
    scaled = weighted / size
    normal = scaled.T @ scaled + 1e-11 * np.eye(len(size))
    return np.arange(len(size)), np.linalg.solve(normal, scaled.T @ goal) / size


def _rmse(columns: np.ndarray, vector: np.ndarray, target: Target) -> float:
    m = columns.shape[1]
    with np.errstate(all="ignore"):
        residual = (columns @ vector[:m] / (columns @ vector[m:]) - target.values) * target.weights
        return float(np.sqrt(np.mean(residual**2)))


def ratio_of(state: State, exponents: np.ndarray, vector: np.ndarray) -> Expression:
    """Return P / Q as an expression."""
    m = len(exponents)

    def side(part: np.ndarray) -> Expression:
        used = np.flatnonzero(part)
        return monomials.sum_of(state.names, exponents[used], part[used])

    return mul(side(vector[:m]), power(side(vector[m:]), -1))
