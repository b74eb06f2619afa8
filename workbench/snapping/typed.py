"""A form that a person typed, fitted to the curve of an edge from many starts.

Nothing is known about the role of its constants, so starts of many sizes are tried: 1, and the natural scales of x and y. A start is judged by
the correlation of its curve with the edge's, which does not care for amplitude and offset; the best are polished by Levenberg-Marquardt
(MINPACK's, through scipy) with the offset projected out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from workbench.primitives import TypedForm
from workbench.snapping.curve import Curve

if TYPE_CHECKING:
    from workbench.snapping.edge_fit import EdgeFit

_DRAWS = 200
_POLISHED = 8


def fit(curve: Curve, form: TypedForm, offset: bool = True) -> EdgeFit | None:
    """Return the best fit of a typed form, or None when it is not defined on the curve's range for any start.

    Parameters
    ----------
    curve : the edge's points
    form : what was typed
    offset : whether d is fitted too
    """
    from workbench.snapping.edge_fit import EdgeFit  # the result type; edge_fit imports this module

    best, least = None, np.inf
    for start in _starts(curve, form, offset):
        parameters, squares = _polish(curve.coarse, form, start, offset)
        if squares < least:
            best, least = parameters, squares
    if best is None:
        return None
    parameters, squares = _polish(curve, form, best, offset)
    if not np.isfinite(squares):
        return None
    d = float(curve.weights @ (curve.y - form.evaluate(curve.x, parameters)[0])) if offset else 0.0
    error = float(np.sqrt(squares / curve.variance)) if curve.variance > 0 else 0.0
    return EdgeFit(form, tuple(float(v) for v in parameters), form.free, d, offset, error)


def _starts(curve: Curve, form: TypedForm, offset: bool) -> list[np.ndarray]:
    """Return the best starts: the form's own and seeded draws in the scales of the data, by correlation."""
    count = len(form.parameter_names)
    if not count:
        return [np.empty(0)]
    size_x, size_y = np.abs(curve.x).max(), np.abs(curve.y).max() or 1.0
    scales = np.array([1.0, size_x, 1.0 / size_x, size_y, size_y / size_x])
    generator = np.random.default_rng(0)
    draws = 10.0 ** generator.uniform(-1, 1, (_DRAWS, count)) * generator.choice([1.0, -1.0], (_DRAWS, count))
    draws *= scales[generator.integers(0, len(scales), (_DRAWS, count))]
    every = np.vstack([np.array(form.starts, dtype=float), draws])
    with np.errstate(all="ignore"):
        match = np.array([_correlation(curve.coarse, form, start, offset) for start in every])
    order = np.argsort(-match, kind="stable")[:_POLISHED]
    return [every[k] for k in order if np.isfinite(match[k])]


def _correlation(curve: Curve, form: TypedForm, parameters: np.ndarray, offset: bool) -> float:
    if not np.all(form.inside_domain(np.array([curve.low, *curve.x, curve.high]), parameters)):
        return -np.inf
    f, y = form.evaluate(curve.x, parameters)[0], curve.y
    if offset:
        f, y = f - curve.weights @ f, y - curve.weights @ y
    length = np.sqrt((curve.weights @ f**2) * (curve.weights @ y**2))
    return float(abs(curve.weights @ (f * y)) / length) if 0 < length < np.inf else -1.0


def _polish(curve: Curve, form: TypedForm, start: np.ndarray, offset: bool) -> tuple[np.ndarray, float]:
    """Return constants and mean weighted square, infinite where the form leaves its domain."""
    root = np.sqrt(curve.weights)
    ends = np.array([curve.low, curve.high])

    from scipy.optimize import least_squares  # 0.3 s to import, needed when somebody types a form

    def projected(rows: np.ndarray) -> np.ndarray:
        return rows - (rows @ root)[..., None] * root if offset else rows

    def residual(p: np.ndarray) -> np.ndarray:
        value = form.evaluate(curve.x, p)[0]
        if not (np.isfinite(value).all() and np.all(form.inside_domain(ends, p))):
            return np.full(curve.x.size, 1e150)  # MINPACK takes a wall for a bad step and turns back
        return projected((value - curve.y) * root)

    def jacobian(p: np.ndarray) -> np.ndarray:
        return np.nan_to_num(projected(form.jacobian(curve.x, p) * root), posinf=0.0, neginf=0.0).T

    with np.errstate(all="ignore"):
        if len(start) and curve.x.size >= len(start):
            start = least_squares(residual, start, jacobian, method="lm", x_scale="jac", max_nfev=200).x
        squares = float(np.sum(residual(start) ** 2))
    return start, squares if squares < 1e200 else np.inf
