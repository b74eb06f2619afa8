"""Error against complexity: which forms the data can tell apart, and in which order to offer those they cannot.

Two forms tie when the better one is not clearly better on the checked rows: when the mean of the paired differences of squared errors is
within two standard errors (the best of many is best by luck too), or the root mean squares are equal up to a factor. What factor counts as equal depends on what is left to explain.
Where errors are large, rows scatter and the standard error knows best, so that only a twentieth is allowed. Where almost nothing is left
(below a thousandth of the target's spread) errors are those of splines and of rounding, not of the data, and a half more means nothing.
Whatever the scatter, an error 1 + 5 / sqrt(n) times as large is never a tie: leave-one-out errors of few rows are often those of a single
row, whose standard error means nothing. Below 1e-7 a form is exact.

Among forms that tie the lightest *burden* comes first: complexity, constants, and *digits lost*. With k_i the derivatives of the edge's curve
by its constants, scaled to length one and freed of their means where an offset is fitted,

    digits lost = 1/2 log10 (largest / smallest eigenvalue of k k^T)

counts the digits of the data that go into telling the constants apart. A form that loses many is used far from where it has its shape, as in
-102 tanh(3 - x/2) + 101 or at the far end of a cosh: it *imitates* a simpler one, and is not named among the ties of others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from workbench.primitives import PrimitiveForm
from workbench.snapping.curve import Curve
from workbench.snapping.edge_fit import EdgeFit

EXACT = 1e-7  # error, in units of the target, below which a form is exact
IMITATION = 4.0  # digits lost from which a form imitates a simpler one
_SMALL, _CLOSE, _SPLINE = 1e-3, 1.05, 1.5
_SURE, _APART, _DOUBT = 2.0, 5.0, 4.0

T = TypeVar("T")


def tied(errors: np.ndarray, best: np.ndarray) -> bool:
    """Say whether squared errors of rows (n,) are not clearly worse than those of the best on the same rows."""
    mean, least = float(errors.mean()), float(best.mean())
    if not np.isfinite(mean):
        return False
    if mean <= max(least, EXACT**2):
        return True
    factor = _SPLINE if least < _SMALL**2 else _CLOSE
    if mean <= factor**2 * least:
        return True
    if least < _SMALL**2 or errors.size < 3 or mean > (1.0 + _APART / errors.size**0.5) ** 2 * least:
        return False
    difference = errors - best
    return mean - least <= _SURE * float(difference.std(ddof=1)) / np.sqrt(errors.size)


def groups(items: Sequence[T], errors: Callable[[T], np.ndarray], burden: Callable[[T], float]) -> list[list[T]]:
    """Part items into groups that tie with the best of what is left; best group first, the lightest burden first within a group.

    A form that is only just within two standard errors of the best carries four points more.
    """
    left, result = sorted(items, key=lambda item: float(errors(item).mean())), []
    while left:
        best = errors(left[0])
        group = [item for item in left if item is left[0] or tied(errors(item), best)]
        left = [item for item in left if not any(item is member for member in group)]
        weights = [burden(item) + _DOUBT * _excess(errors(item), best) for item in group]
        result.append([group[k] for k in np.argsort(weights, kind="stable")])  # equal burdens: the smaller error first
    return result


def _excess(errors: np.ndarray, best: np.ndarray) -> float:
    """Return how much worse a form is than the best of its group, 1 at two standard errors; 0 where errors are not those of the data."""
    if errors.size < 3 or best.mean() < _SMALL**2:
        return 0.0
    more = float(errors.mean() - best.mean())
    if more <= 1e-9 * float(best.mean()):  # one curve under two names
        return 0.0
    spread = _SURE * float((errors - best).std(ddof=1)) / np.sqrt(errors.size)
    return float(np.clip(more / spread, 0.0, 1.0)) if spread > 0 else 0.0


def burden(fit: EdgeFit, digits: float) -> float:
    """Return what a form asks to be believed: complexity, two for every constant (a number and its operator), one for every digit lost
    beyond the first.

    The last term breaks ties between names of one curve: sin(12 x + 0.3) before cos(12 x - 1.27).
    """
    phase = abs(fit.parameters[2]) if isinstance(fit.form, PrimitiveForm) and fit.form.primitive.affine == "both" else 0.0
    return fit.form.complexity + 2 * fit.n_free + max(digits - 1.0, 0.0) + 0.01 * min(phase, 10.0)


def digits_lost(fit: EdgeFit, x: np.ndarray) -> float:
    """Return how many digits go into telling the constants of a fit apart on x (n_points,); at most 16."""
    with np.errstate(all="ignore"):
        columns = fit.form.jacobian(x, fit.parameters)[np.array(fit.free, dtype=bool)]
        if fit.free_offset:
            columns = columns - columns.mean(1, keepdims=True)
        columns = columns[columns.any(1)]  # the place of a step has no derivative, and so no share in this
        columns = columns / np.sqrt(np.einsum("ij,ij->i", columns, columns))[:, None]
    if len(columns) < 2:
        return 0.0
    if not np.isfinite(columns).all():
        return 16.0
    values = np.linalg.eigvalsh(columns @ columns.T)
    if not values[-1] > 0.0:  # derivatives so large that their squares are none
        return 16.0
    return min(16.0, 0.5 * float(np.log10(values[-1] / max(values[0], 1e-32 * values[-1]))))


@dataclass(frozen=True, eq=False)
class Beyond:
    """Forms that tie on the data, seen beyond it: where should one measure next?

    Parameters
    ----------
    x : (n_points,)     the data's range, widened by half of it on both sides
    curves : form name -> (n_points,)     NaN where a form is not defined
    data_range : the range of the data
    parting_at : where the curves differ most
    """

    x: np.ndarray
    curves: dict[str, np.ndarray]
    data_range: tuple[float, float]
    parting_at: float


def beyond(fits: Sequence[EdgeFit], curve: Curve, n_points: int = 101) -> Beyond:
    """Continue the curves of several fits beyond the data, by half the width of its range on both sides."""
    x = np.linspace(curve.low - curve.half, curve.high + curve.half, n_points)
    curves = {}
    for fit in fits:
        with np.errstate(all="ignore"):
            value = fit.value(x)
            inside = np.isfinite(value) & fit.form.inside_domain(x, fit.parameters)
        curves[fit.form.name] = np.where(inside, value, np.nan)
    stacked = np.stack(list(curves.values()))
    known = np.isfinite(stacked).sum(0) > 1
    gap = np.zeros(n_points)
    gap[known] = np.nanmax(stacked[:, known], axis=0) - np.nanmin(stacked[:, known], axis=0)
    return Beyond(x, curves, (curve.low, curve.high), float(x[int(np.argmax(gap))]))
