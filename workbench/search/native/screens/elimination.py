"""Backward elimination: all terms at first, then the one that matters least goes, and the description length says where to stop.

    length = n log(rss / n) + charge * number of terms

The inverse of the normal matrix is updated by one rank for each term that goes, so a path from a hundred terms to one costs as much as one fit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_RIDGE = 1e-11
_ROUNDS = 6  # of dropping what does not matter
_ROUNDING = 1e-16  # normal equations see nothing smaller than this share of the target's square


@dataclass(frozen=True, eq=False)
class SparseFit:
    """Terms with their coefficients.

    Parameters
    ----------
    terms : numbers of the kept columns
    coefficients : one for each
    left : share of the target's square that is left
    length : description length
    """

    terms: np.ndarray
    coefficients: np.ndarray
    left: float
    length: float


def exact_fit(columns: np.ndarray, target: np.ndarray, exact: float = 1e-9, most: int = 12) -> SparseFit | None:
    """Return the fit with the terms that matter, where all columns together give the target exactly.

    Parameters
    ----------
    exact : relative error of an exact fit
    most : terms of a fit that is still worth having
    """
    size = np.linalg.norm(columns, axis=0)
    if not np.isfinite(size).all() or (size == 0).any() or len(target) <= columns.shape[1] or not target.any():
        return None
    scaled, kept = columns / size, np.arange(columns.shape[1])
    total = float(np.sqrt(target @ target))
    for _ in range(_ROUNDS):
        c, *_ = np.linalg.lstsq(scaled[:, kept], target, rcond=None)
        residual = target - scaled[:, kept] @ c
        if np.sqrt(residual @ residual) > exact * total:
            return None
        matters = np.abs(c) > 1e-7 * np.abs(c).max()
        if matters.all() or not matters.any():
            break
        kept = kept[matters]
    else:
        return None
    if len(kept) > most:
        return None
    return SparseFit(kept, c / size[kept], float(residual @ residual) / total**2, -np.inf)


def eliminated(columns: np.ndarray, target: np.ndarray, charge: float, limit: float = np.inf, most: int = 8) -> list[SparseFit]:
    """Return fits with at most `most` terms, shortest description first; none where not even all terms reach the limit.

    Parameters
    ----------
    charge : what one more term costs, in the unit of n log(rss)
    limit : root mean square error above which a fit is not wanted
    """
    size = np.linalg.norm(columns, axis=0)
    if not np.isfinite(size).all() or (size == 0).any():
        return []
    scaled, n = columns / size, len(target)
    if not target.any():
        return []
    gram = scaled.T @ scaled + _RIDGE * np.eye(len(size))
    projection, total = scaled.T @ target, float(target @ target)
    try:
        inverse = np.linalg.inv(gram)
    except np.linalg.LinAlgError:
        return []
    kept, path = np.arange(len(size)), []
    least = total * max(1 - float(projection @ inverse @ projection) / total, _ROUNDING)
    if not least <= max(n - len(size), 1) * limit**2:
        return []
    while len(kept):
        c = inverse @ projection[kept]
        left = max(1 - float(c @ projection[kept]) / total, _ROUNDING)
        if left * total > 4 * n * limit**2:
            break
        if len(kept) <= most:
            path.append(SparseFit(kept, c / size[kept], left, n * np.log(left) + charge * len(kept)))
        place = int(np.argmin(c * c / np.maximum(np.diag(inverse), 1e-300)))
        inverse = _without(inverse, place)
        kept = np.delete(kept, place)
    return sorted(path, key=lambda fit: fit.length)


def _without(inverse: np.ndarray, place: int) -> np.ndarray:
    """Return the inverse of the normal matrix after one row and column of the matrix went."""
    others = np.delete(np.arange(len(inverse)), place)
    row = inverse[place, others]
    return inverse[np.ix_(others, others)] - np.outer(row, row) / inverse[place, place]
