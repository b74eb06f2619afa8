"""Sums of few monomials: T(h) = a m_1 + b m_2 + ..., with exponents of both signs, over transforms T of the target."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from workbench.expression import Expression
from workbench.expression.description import description
from workbench.search.native import monomials
from workbench.search.native.screens.subsets import best_subsets
from workbench.search.native.state import Candidate, State
from workbench.search.native.transforms import Target, targets
from workbench.search.native.watch import Watch

_ROWS = 500  # of the dictionary; coefficients are fitted to all
_KEPT, _OFFERED = 8, 8  # subsets of each size that are weighed, and those that are polished

Written = Callable[[list[int], np.ndarray], Expression]  # (columns, coefficients) -> their combination


def sums(state: State, watch: Watch, transforms: Sequence[str], largest: int = 4, most: int = 1000, halves: bool = False) -> Iterator[Candidate]:
    """Yield the best sums of at most `largest` monomials among the `most` simplest."""
    exponents = monomials.usable(state.columns, monomials.laurent(state.n_columns, most, halves))
    dictionary = monomials.evaluate(state.columns, exponents)

    def written(columns: list[int], coefficients: np.ndarray) -> Expression:
        return monomials.sum_of(state.names, exponents[columns], coefficients)

    yield from combinations(state, watch, targets(state, transforms), dictionary, written, largest)


def combinations(
    state: State, watch: Watch, among: Iterator[Target], dictionary: np.ndarray, written: Written, largest: int, polish: bool = False
) -> Iterator[Candidate]:
    """Yield the best linear combinations of a dictionary's columns for each transformed target.

    Parameters
    ----------
    written : makes them expressions
    polish : whether those have constants inside the columns, so that they may become better than they are
    """
    part = np.linspace(0, state.n_rows - 1, min(_ROWS, state.n_rows)).astype(int)
    for target in among:
        if watch.over:
            return
        weighted, values = dictionary[part] * target.weights[part, None], (target.values * target.weights)[part]
        found = best_subsets(weighted, values, largest, _KEPT)
        limit = np.inf if polish else 2.0 * watch.bar / max(float(np.sqrt(np.mean(values**2))), 1e-300)
        near = [subset for subset in found if np.sqrt(max(subset.left, 0.0)) < limit]
        ranked = []
        for subset in near:
            columns = dictionary[:, list(subset.columns)]
            if np.isfinite(columns).all():
                inner = written(list(subset.columns), weighted_fit(columns, target))
                ranked.append((0.5 * len(part) * np.log(subset.left + 1e-24) + description(inner, len(part)), len(ranked), inner))
        for _, _, inner in heapq.nsmallest(_OFFERED, ranked):
            yield state.candidate(target.back(inner), f"{target.name} is a sum of few terms")


def weighted_fit(columns: np.ndarray, target: Target) -> np.ndarray:
    """Return least-squares coefficients on all rows."""
    weighted = columns * target.weights[:, None]
    size = np.linalg.norm(weighted, axis=0)
    size = np.where(size > 0, size, 1.0)
    w, *_ = np.linalg.lstsq(weighted / size, target.values * target.weights, rcond=None)
    return w / size
