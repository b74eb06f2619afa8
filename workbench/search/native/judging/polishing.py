"""Free constants fitted on the original rows: Levenberg-Marquardt in float64 with exact derivatives, in few steps.

It differs from `workbench.formula.fitting` in what it is for: thousands of candidates, most of them wrong, some undefined on a few rows. A step
where the expression is not finite is refused like any step that is worse, and a hopeless start is given up after a few.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from workbench.expression import Expression, with_constants
from workbench.search.native.judging.tape import Tape

_TOO_LARGE = 1e150  # squares beyond overflow
_LEAST_DAMPING, _MOST_DAMPING = 1e-6, 1e8
_CONVERGED = 1e-9  # relative gain of the square below which steps end


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows to fit to: columns by symbol, the target, and the root of each row's weight."""

    columns: Mapping[str, np.ndarray]
    y: np.ndarray
    root_weights: np.ndarray

    def part(self, which: np.ndarray | slice) -> Rows:
        return Rows({name: column[which] for name, column in self.columns.items()}, self.y[which], self.root_weights[which])

    def rmse(self, expression: Expression) -> float:
        """Return the root mean square of the weighted residuals; infinite where a value is not finite."""
        tape = Tape(expression)
        with np.errstate(all="ignore"):
            residual = (tape.value(np.array(tape.start), self.columns) - self.y) * self.root_weights
            rmse = float(np.sqrt(np.mean(residual**2)))
        return rmse if np.isfinite(rmse) else np.inf


@dataclass(frozen=True, eq=False)
class Point:
    """Residuals (n_rows,), their derivatives (n_constants, n_rows) and the sum of squares, at some constants."""

    constants: np.ndarray
    residual: np.ndarray
    jacobian: np.ndarray
    square: float


def polished(expression: Expression, rows: Rows, steps: int = 30) -> tuple[Expression, float]:
    """Return the expression with fitted constants and its root mean square error."""
    tape = Tape(expression)
    if not tape.start:
        return expression, rows.rmse(expression)
    start = np.array(tape.start)
    point = linearised(tape, start, rows)
    if point is None:
        return expression, np.inf
    best = _descent(tape, point, rows, steps)
    if best is not point:
        expression = with_constants(expression, best.constants.tolist())
    return expression, float(np.sqrt(best.square / len(rows.y)))


def linearised(tape: Tape, constants: np.ndarray, rows: Rows) -> Point | None:
    """Return the point at some constants; None where a value is not finite."""
    if not np.isfinite(constants).all() or np.abs(constants).max(initial=0.0) > _TOO_LARGE:
        return None
    with np.errstate(all="ignore"):
        value, jacobian = tape.value_and_jacobian(constants, rows.columns, len(rows.y))
        residual = (value - rows.y) * rows.root_weights
        square = float(residual @ residual)
        if not np.isfinite(square):
            return None
        return Point(constants, residual, np.where(np.isfinite(jacobian), jacobian * rows.root_weights, 0.0), square)


def _descent(tape: Tape, point: Point, rows: Rows, steps: int) -> Point:
    damping = 1e-4
    for _ in range(steps):
        step = _step(point, damping)
        new = None if step is None else linearised(tape, point.constants + step, rows)
        if new is None or not new.square < point.square:
            damping = max(10 * damping, _LEAST_DAMPING)
            if damping > _MOST_DAMPING:
                break
            continue
        gained, point = point.square - new.square, new
        damping *= 0.1
        if gained <= _CONVERGED * point.square:
            break
    return point


def _step(point: Point, damping: float) -> np.ndarray | None:
    """Solve (J J^T + damping) step = -J r on columns scaled to one."""
    normal = point.jacobian @ point.jacobian.T
    size = np.sqrt(normal.diagonal())
    if not np.isfinite(size).all():
        return None
    size = np.where(size > 0, size, 1.0)
    normal /= size[:, None] * size
    normal.flat[:: len(size) + 1] += damping + 1e-14
    try:
        step = np.linalg.solve(normal, -(point.jacobian @ point.residual) / size)
    except np.linalg.LinAlgError:
        return None
    return step / size
