"""Error against complexity: which forms the data can tell apart, and in which order to offer those they cannot.

Two forms tie when the better one is not clearly better on the checked rows: when the mean of the paired differences of squared errors is
within its standard error, or the root mean squares are equal up to a factor. What factor counts as equal depends on what is left to explain.
Where errors are large, rows scatter and the standard error knows best, so that only a twentieth is allowed. Where almost nothing is left
(below a thousandth of the target's spread) errors are those of splines and of rounding, not of the data, and a half more means nothing.
Below 1e-7 a form is exact.

Among forms that tie the simplest comes first: complexity, the number of constants, *cancellation* (how many digits are lost when c f and the
offset, both large, make a small curve) and *remoteness* (how far from its centre a form is used, in widths of the range it is used on).
-102 tanh(3 - x/2) + 101 imitates much and means nothing, and so does the far end of a cosh.
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
_SMALL, _CLOSE, _SPLINE = 1e-3, 1.05, 1.5

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
    if least < _SMALL**2 or errors.size < 3:
        return False
    difference = errors - best
    return mean - least <= float(difference.std(ddof=1)) / np.sqrt(errors.size)


def groups(items: Sequence[T], errors: Callable[[T], np.ndarray], burden: Callable[[T], tuple]) -> list[list[T]]:
    """Part items into groups that tie with the best of what is left; best group first, the lightest burden first within a group."""
    left, result = sorted(items, key=lambda item: float(errors(item).mean())), []
    while left:
        best = errors(left[0])
        group = [item for item in left if item is left[0] or tied(errors(item), best)]
        left = [item for item in left if not any(item is member for member in group)]
        result.append(sorted(group, key=burden))
    return result


def burden(fit: EdgeFit, x: np.ndarray) -> float:
    """Return what a form asks to be believed: its complexity, two for every constant (a number and its operator), one for every digit
    lost or far away.
    """
    return fit.form.complexity + 2 * fit.n_free + cancellation(fit, x) + remoteness(fit, x)


def cancellation(fit: EdgeFit, x: np.ndarray) -> float:
    """Return how many digits are lost beyond the first when the form and its offset are added on x (n_points,); 0 for most laws."""
    value = fit.form.evaluate(x, fit.parameters)[0]
    spread = float(value.std())
    if not np.isfinite(spread) or spread == 0:
        return 0.0
    return max(0.0, float(np.log10(np.abs(value).max() / spread)) - 1.0)


def remoteness(fit: EdgeFit, x: np.ndarray) -> float:
    """Return how many digits, beyond the first, z = a x + b is larger than the width it covers on x; 0 where b was not searched."""
    if not (isinstance(fit.form, PrimitiveForm) and fit.free[2]):
        return 0.0
    z = fit.parameters[1] * x + fit.parameters[2]
    width = float(z.max() - z.min())
    return max(0.0, float(np.log10(np.abs(z).min() / width)) - 1.0) if width > 0 and np.abs(z).min() > 0 else 0.0


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
