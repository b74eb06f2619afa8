"""Rows that do not follow the law that the others follow: seen, set aside for the search, and named; never without a law that shows them.

    a robust fit of all rows        ->  suspects: missed by far more than the others, also than those with a like value
    a search without the suspects   ->  a formula, which says of every row whether it follows
    a verdict on those that do      ->  a law: the others are outliers;   no law: nothing is set aside

The robust fit is the better of two: what the search has found so far, and a polynomial by Tukey's bisquare (Beaton & Tukey, 1974). Spreads
are medians of absolute misses (Hampel, 1974). Test rows are not looked at.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbench.dataset import Dataset
from workbench.expression import Expression, evaluate
from workbench.networks import KAN
from workbench.search.native.monomials import largest_degree
from workbench.search.native.surrogate import Box, chebyshev

_FEWEST_ROWS = 20
_MOST = 0.05  # of the rows: more of them are no outliers but another regime
_FAR = 10.0  # robust standard deviations: where errors have heavy tails (Laplace, 1774), one row in 30,000 is as far
_ALIKE = 41  # rows with a like value, among which the spread is taken as well: errors may grow with the value
_NORMAL = 1.4826  # standard deviation of a normal variable over its median absolute value
_BISQUARE, _ROUNDS = 4.685, 20
_ROWS_PER_TERM, _MOST_LEVERAGE = 6, 0.98
_LEAST = 1e-9  # of the target's spread: below it there is nothing but rounding
_GROSS = 2e-3  # of the target's spread, ten times: what a polynomial misses by less is its own fault


def suspects(data: Dataset, networks: Sequence[KAN] = ()) -> np.ndarray:
    """Return the rows of the dataset that a robust fit misses by far more than the others; none where there are more than a few in a hundred.

    Parameters
    ----------
    data : the dataset, of not too many rows
    networks : what has been found so far, on the scale that is fitted
    """
    rows = _looked_at(data)
    if len(rows) < _FEWEST_ROWS or data.task != "regression" or data.groups is not None or len(data.targets) > 1:
        return np.empty(0, dtype=np.int64)
    X, y = data.seen(data.X[rows]), data.seen_targets(data.y[rows])[:, 0]
    fits = [_polynomial(X, y), *(network(X)[:, 0] for network in networks)]
    return _few(rows, _away(y, min(fits, key=lambda fit: _robust_spread(y - fit)), _GROSS))


def off(data: Dataset, expression: Expression) -> np.ndarray:
    """Return the rows of the dataset that do not follow a formula in the columns' own units; none where there are too many of them.

    A target seen as its logarithm must be off in both scales: there a small value with a plain error looks far away.
    """
    rows = _looked_at(data)
    with np.errstate(all="ignore"):
        values = np.broadcast_to(evaluate(expression, dict(zip(data.symbols, data.X[rows].T, strict=True))), (len(rows),))
    y = data.y[rows, 0]
    if not np.isfinite(values).all():
        return rows[:0]
    away = _away(y, values)
    if data.transforms.get(data.targets[0].name) and (values > 0).all():
        away = np.minimum(away, _away(np.log(y), np.log(values)))
    return _few(rows, away)


def _looked_at(data: Dataset) -> np.ndarray:
    return np.sort(np.concatenate([data.split.train, data.split.validation]))


def _few(rows: np.ndarray, away: np.ndarray) -> np.ndarray:
    """Return the rows that are far away, none where they are too many to be outliers."""
    far = rows[away > _FAR]
    return far if len(far) <= _MOST * len(rows) else far[:0]


def _away(y: np.ndarray, fit: np.ndarray, least: float = _LEAST) -> np.ndarray:
    """Return how far every y is from a fit, in the spread of all rows or that of the rows whose fitted values are alike, whichever is larger."""
    missed = np.abs(y - fit)
    local = np.empty_like(missed)
    for block in np.array_split(np.argsort(fit, kind="stable"), max(1, len(y) // _ALIKE)):
        local[block] = _NORMAL * np.median(missed[block])
    least = max(least * _robust_spread(y - np.median(y)), np.finfo(float).tiny)
    return missed / np.maximum(np.maximum(local, _NORMAL * np.median(missed)), least)


def _polynomial(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return what a polynomial of the other rows says of every row; by reweighted least squares, its degree as the rows can support.

    A row at a corner of the box draws the polynomial to itself; without it, by the leverage (Allen, 1974), it is missed as it should be.
    """
    basis = chebyshev(Box.of(X).places, largest_degree(X.shape[1], max(len(y) // _ROWS_PER_TERM, X.shape[1] + 1), cap=6))
    weights, missed = np.ones(len(y)), y
    for _ in range(_ROUNDS):
        root = np.sqrt(weights)
        q, r = np.linalg.qr(root[:, None] * basis)
        projected = q @ (q.T @ (root * y))
        leverage = np.minimum((q**2).sum(1), _MOST_LEVERAGE)
        with np.errstate(divide="ignore", invalid="ignore"):
            own = basis @ np.linalg.lstsq(r, q.T @ (root * y), rcond=1e-10)[0]
            missed, before = np.where(weights > 0, (root * y - projected) / root / (1.0 - leverage), y - own), missed
        spread = _robust_spread(missed)
        if not spread > 0.0 or np.abs(missed - before).max() <= 1e-6 * spread:
            break
        weights = np.clip(1.0 - (missed / (_BISQUARE * spread)) ** 2, 0.0, None) ** 2
    return y - missed


def _robust_spread(values: np.ndarray) -> float:
    return _NORMAL * float(np.median(np.abs(values)))
