"""Whether what a formula misses is scatter, or goes with an input, or is alike for rows that are neighbours.

Neighbours are found among the rows that were fitted or checked, along every input, along the predicted value, and in the space of all inputs by
rank. For misses r_i of neighbours i, j the sum of r_i r_j over its own spread, sqrt(sum r_i^2 r_j^2), is a standard normal where they are scatter
(Durbin & Watson 1950 and Moran 1950 test the same along a line and in space). The F statistics of a plane and of a paraboloid through the misses
and through their ranks, in the ranks of the inputs, say whether they go with the inputs.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from workbench.dataset import Dataset
from workbench.discovery.discovery import Discovery
from workbench.discovery.state import State, outputs
from workbench.training import Problem

_ALIKE, _WITH_INPUTS, _WITH_BENDS = 2.6, 2.0, 2.3  # standard normals beyond are not chance; there are several of the first and one of the others
_ROWS_PER_BEND = 10
_MOST_ROWS = 2000  # that are looked at


def is_scatter(found: Discovery, state: State) -> bool:
    """Whether the misses of neighbours are not alike, for every target and every way to be neighbours, and do not go with the inputs."""
    data = found.data
    rows = looked_at(data)
    values = outputs(data, state.networks, rows)
    missed = _missed(data, rows, values)
    if data.seen_weights is not None:
        missed = missed * np.sqrt(data.seen_weights[rows])[:, None]
    groups = np.zeros(len(rows), dtype=int) if data.groups is None else data.groups[rows]
    alike = [0.0]
    for first, second in _neighbours(data.seen(data.X[rows]), values, groups):
        products = missed[first] * missed[second]
        spread = np.sqrt((products**2).sum(0))
        alike += (products.sum(0)[spread > 0] / spread[spread > 0]).tolist()
    if data.task == "regression":  # of classes a miss is one of two values, whose ranks say nothing of their mean
        missed = np.hstack([missed, _ranks(missed)])
    order = 2.0 * _ranks(data.X[rows]) / max(len(rows) - 1, 1) - 1.0
    return max(alike) <= _ALIKE and _going_with(order, missed) <= _WITH_INPUTS and _going_with(_bent(order), missed) <= _WITH_BENDS


def looked_at(data: Dataset) -> np.ndarray:
    """Return the rows that are fitted or checked, of very many an even choice."""
    rows = np.sort(np.concatenate([data.split.train, data.split.validation]))
    return rows[:: -(-len(rows) // _MOST_ROWS)]


def _missed(data: Dataset, rows: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return target minus value; for classes, for each of them whether it is the row's minus how probable it was thought to be."""
    if data.task == "regression":
        return data.seen_targets(data.y[rows]) - values
    n_classes = len(data.classes)
    problem = Problem(data.X[rows].T, data.y[rows].T, None, "cross_entropy", n_classes)
    return np.eye(n_classes)[data.y[rows, 0].astype(int)] - problem.probabilities(values.T).T


def _ranks(values: np.ndarray) -> np.ndarray:
    """Return the rank of every row in each column, from 0."""
    return values.argsort(0, kind="stable").argsort(0, kind="stable").astype(float)


def _going_with(features: np.ndarray, missed: np.ndarray) -> float:
    """Say how much a column of misses goes with features (n_rows, n_features), as a standard normal; the most of all columns, 0 where rows are few.

    The misses are fitted by the features; the tail of the F statistic is written as that of a normal.
    """
    from scipy.special import fdtrc, ndtri

    n, d = features.shape
    freedom = n - d - 1
    if freedom < 1:
        return 0.0
    features, missed = features - features.mean(0), missed - missed.mean(0)
    left = missed - features @ np.linalg.lstsq(features, missed, rcond=None)[0]
    share = 1.0 - (left**2).sum(0) / np.maximum((missed**2).sum(0), np.finfo(float).tiny)
    chance = fdtrc(d, freedom, share / np.maximum(1.0 - share, 1e-12) * freedom / d)
    return float(max(-ndtri(np.clip(chance, 1e-12, 0.5))))


def _bent(order: np.ndarray) -> np.ndarray:
    """Return columns, their squares and their products: where a law is curved, what a straighter formula misses goes with one of these.

    Where rows are few for so many, the columns alone, and so of one column: there neighbours tell more.
    """
    n_rows, n_columns = order.shape
    if n_columns < 2 or n_rows < _ROWS_PER_BEND * n_columns * (n_columns + 1) // 2:
        return order
    return np.column_stack([order, *(first * second for first, second in itertools.combinations_with_replacement(order.T, 2))])


def _neighbours(X: np.ndarray, values: np.ndarray, groups: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield pairs of neighbouring rows, each way to be neighbours by itself; rows of different groups are none."""
    for line in (*X.T, *values.T):
        if np.unique(line).size > 2:  # an indicator has no order
            order = np.lexsort((line, groups))
            same = groups[order[:-1]] == groups[order[1:]]
            yield order[:-1][same], order[1:][same]
    if X.shape[1] > 1:
        yield _closest(X, groups)


def _closest(X: np.ndarray, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return every row with the one that is closest to it by the ranks of the inputs, each pair once."""
    from scipy.spatial import cKDTree

    apart = np.column_stack([_ranks(X) / len(X), 10.0 * X.shape[1] * groups])
    nearest = cKDTree(apart).query(apart, k=2)[1][:, 1]
    pairs = np.unique(np.sort(np.column_stack([np.arange(len(X)), nearest]), axis=1), axis=0)
    pairs = pairs[groups[pairs[:, 0]] == groups[pairs[:, 1]]]
    return pairs[:, 0], pairs[:, 1]
