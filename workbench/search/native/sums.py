"""Sums of few monomials: T(h) = a m_1 + b m_2 + ..., with exponents of both signs, over transforms T of the target."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from workbench.expression import Expression
from workbench.search.native import monomials
from workbench.search.native.state import Candidate, State
from workbench.search.native.subsets import Subset, best_subsets
from workbench.search.native.transforms import Target, targets
from workbench.search.native.watch import Watch

_ROWS = 500  # of the dictionary; coefficients are fitted to all
_TERM = 14.0  # what a term costs: a constant and a name


def sums(state: State, watch: Watch, transforms: Sequence[str], largest: int = 4, most: int = 1000, halves: bool = False) -> Iterator[Candidate]:
    """Yield the best sums of at most `largest` monomials among the `most` simplest."""
    exponents = monomials.usable(state.columns, monomials.laurent(state.n_columns, most, halves))
    dictionary = monomials.evaluate(state.columns, exponents)
    names = [monomials.written(state.names, e) for e in exponents]
    yield from combinations(state, watch, targets(state, transforms), dictionary, names, largest)


def combinations(
    state: State, watch: Watch, among: Iterator[Target], dictionary: np.ndarray, names: Sequence[Expression], largest: int
) -> Iterator[Candidate]:
    """Yield the best linear combinations of a dictionary's columns for each transformed target."""
    part = np.linspace(0, state.n_rows - 1, min(_ROWS, state.n_rows)).astype(int)
    for target in among:
        if watch.over:
            return
        weighted = dictionary[part] * target.weights[part, None]
        found = best_subsets(weighted, (target.values * target.weights)[part], largest)
        for subset in _worthwhile(found, len(part), float(np.sum((target.values * target.weights)[part] ** 2)), watch.bar):
            columns = dictionary[:, list(subset.columns)]
            if np.isfinite(columns).all():
                coefficients = weighted_fit(columns, target)
                inner = monomials.combination(coefficients, [names[i] for i in subset.columns])
                yield state.candidate(target.back(inner), f"{target.name} is a sum of {len(subset.columns)} terms")


def weighted_fit(columns: np.ndarray, target: Target) -> np.ndarray:
    """Return least-squares coefficients on all rows."""
    weighted = columns * target.weights[:, None]
    size = np.linalg.norm(weighted, axis=0)
    size = np.where(size > 0, size, 1.0)
    w, *_ = np.linalg.lstsq(weighted / size, target.values * target.weights, rcond=None)
    return w / size


def _worthwhile(found: Sequence[Subset], n_rows: int, total: float, bar: float) -> list[Subset]:
    """Return the subsets worth polishing: near the bar, shortest description first, few."""
    near = [s for s in found if np.sqrt(max(s.left, 0.0) * total / n_rows) < 2.0 * bar]
    near.sort(key=lambda s: n_rows * np.log(s.left + 1e-24) + _TERM * len(s.columns))
    return near[:4]
