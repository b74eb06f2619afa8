"""A formula from a genetic search, made honest: scaled, fitted in float64, and freed from constants that the rows do not need.

    0.52*(x + 0.0003)*exp(-1.9999*y) + 1e-5        ->        0.52*x*exp(-2.0*y)

A constant is set to 0 or 1 where that shortens the formula and the fit that follows is as good as before by Schwarz's criterion: n log(error^2) grows by less than
log n. Wald's test says cheaply which ones are worth a fit: setting c_i to v raises the sum of squares by about (c_i - v)^2 / [(J^T J)^-1]_ii.
"""

from __future__ import annotations

import numpy as np

from workbench.expression import Expression, Number, add, complexity, evaluate, fold, free_constants, mul, value_and_jacobian, with_constants
from workbench.search.native.judging.polishing import Rows, polished

_EXACT = 1e-7  # of the spread of y: below it, errors are rounding and none is better than another
_WORTH_A_FIT = 30.0  # times log(n) in squares of the noise: what Wald's test may say at most, as it is a first approximation
_ROUNDS = 15
_TRIES = 5  # constants that are tried in one round, the most dispensable first
_TRIAL_STEPS, _LAST_STEPS = 12, 60

Fitted = tuple[Expression, float]  # with its root mean square error


def fitted(expression: Expression, rows: Rows, steps: int = _TRIAL_STEPS) -> Fitted | None:
    """Return a*f + b with all constants fitted; None where the formula has no value."""
    start = scaled(expression, rows)
    return None if start is None else _fit(start, rows, steps)


def trimmed(start: Fitted, rows: Rows) -> Fitted:
    """Return a fitted formula without the constants that the rows do not need."""
    best = start
    for _ in range(_ROUNDS):
        shorter = _shorter(*best, rows)
        if shorter is None:
            break
        best = shorter
    return _fit(best[0], rows, _LAST_STEPS) or best


def scaled(expression: Expression, rows: Rows) -> Expression | None:
    """Return a*f + b with the best a and b in closed form, folded; None where f has no value."""
    values = np.broadcast_to(evaluate(expression, rows.columns), rows.y.shape)
    with np.errstate(all="ignore"):
        if not np.isfinite(values @ values):
            return None
    if np.ptp(values) == 0:
        return Number(float(np.average(rows.y, weights=rows.root_weights**2)))
    design = np.column_stack([values, np.ones_like(values)]) * rows.root_weights[:, None]
    a, b = np.linalg.lstsq(design, rows.y * rows.root_weights, rcond=None)[0]
    return fold(add(mul(Number(float(a)), expression), Number(float(b))))


def _fit(expression: Expression, rows: Rows, steps: int) -> Fitted | None:
    result = fold(polished(expression, rows, steps)[0])
    error = rows.rmse(result)
    return (result, error) if np.isfinite(error) else None


def _shorter(expression: Expression, error: float, rows: Rows) -> Fitted | None:
    """Return a shorter formula that is as good, if setting one constant to 0 or 1 gives one."""
    n = len(rows.y)
    floor = _EXACT * float(np.std(rows.y) or 1.0)
    for index, value in _candidates(expression, error, rows, floor)[:_TRIES]:
        values: list = list(free_constants(expression))
        values[index] = value
        trial = fold(with_constants(expression, values))
        if complexity(trial) >= complexity(expression):
            continue
        result = _fit(trial, rows, _TRIAL_STEPS)
        if result is not None and n * np.log((result[1] ** 2 + floor**2) / (error**2 + floor**2)) <= np.log(n):
            return result
    return None


def _candidates(expression: Expression, error: float, rows: Rows, floor: float) -> list[tuple[int, int]]:
    """Return which constants may become which number, the most dispensable first."""
    constants = np.array(free_constants(expression))
    if not len(constants):
        return []
    jacobian = value_and_jacobian(expression, rows.columns)[1] * rows.root_weights  # (n_constants, n_rows)
    with np.errstate(all="ignore"):
        size = np.linalg.norm(jacobian, axis=1)
    if not np.isfinite(size).all():
        return []
    size[size == 0] = 1.0
    inverse = np.linalg.pinv((jacobian / size[:, None]) @ (jacobian / size[:, None]).T, rcond=1e-12)
    spread = np.sqrt(np.maximum(np.diag(inverse), 1e-300)) / size
    noise = np.hypot(error, floor)
    rises = {(index, value): abs(constants[index] - value) / (spread[index] * noise) for index in range(len(constants)) for value in (0, 1)}
    limit = np.sqrt(_WORTH_A_FIT * np.log(len(rows.y)))
    return [which for which, rise in sorted(rises.items(), key=lambda item: item[1]) if rise <= limit]
