"""Polynomials: all monomials up to a degree at once, then only those that matter.

Exact data show the terms by themselves; with noise, terms are eliminated backwards. The same is tried with square roots of the columns, and with
one column replaced by a function of it: a polynomial in u, v and cos(w).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from workbench.expression import Expression, Number, mul
from workbench.search.native import monomials
from workbench.search.native.screens.elimination import SparseFit, eliminated, exact_fit
from workbench.search.native.state import Candidate, State
from workbench.search.native.transforms import Target, targets
from workbench.search.native.watch import Watch

_TERM = 14.0
_NOISY_TERMS = 90


def polynomial(state: State, watch: Watch, transforms: Sequence[str], most: int = 130, degrees: Sequence[int] = (1, 2, 3, 4, 5, 6)) -> Iterator[Candidate]:
    """Yield polynomials in the columns for T(h)."""
    found = list(targets(state, transforms))
    for degree in degrees:
        exponents = monomials.total_degree(state.n_columns, degree)
        if len(exponents) > min(most, state.n_rows - 2):
            return
        columns = monomials.evaluate(state.columns, exponents)
        for target in found:
            if watch.over:
                return
            for fit in _fits(columns, target, watch.bar):
                note = f"{target.name} is a polynomial of {len(fit.terms)} terms"
                for inner in _written(state, exponents[fit.terms], fit):
                    yield state.candidate(target.back(inner), note)


def _written(state: State, exponents: np.ndarray, fit: SparseFit) -> Iterator[Expression]:
    """Yield the polynomial, and the one of the plain ratios that its coefficients are near to: under a root it may exist where that one does not."""
    yield monomials.sum_of(state.names, exponents, fit.coefficients)
    ratios = monomials.plain_ratios(fit.coefficients) if len(fit.terms) > 1 and not np.isneginf(fit.length) else None
    if ratios is not None:
        scale = float(np.median(np.abs(fit.coefficients / np.array(ratios, dtype=float)))) * float(np.sign(fit.coefficients[0] * float(ratios[0])))
        yield mul(Number(scale), monomials.sum_of(state.names, exponents, ratios))


def _fits(columns: np.ndarray, target: Target, bar: float) -> list[SparseFit]:
    """Return the exact fit, or the best ones by elimination where the full fit reaches the bar."""
    weighted, values = columns * target.weights[:, None], target.values * target.weights
    exact = exact_fit(weighted, values)
    if exact is not None:
        return [exact]
    if columns.shape[1] > min(_NOISY_TERMS, len(values) // 2):
        return []
    return [fit for fit in eliminated(weighted, values, _TERM, bar)[:3] if fit.left > 1e-15]
