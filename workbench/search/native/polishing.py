"""Free constants fitted on the original rows: Levenberg-Marquardt in float64 with exact derivatives, in few steps.

It differs from `workbench.formula.fitting` in what it is for: thousands of candidates, most of them wrong, some undefined on a few rows. A step
where the expression is not finite is refused like any step that is worse, and a hopeless start is given up after a few.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from workbench.expression import Expression, evaluate, free_constants, value_and_jacobian, with_constants

_TOO_LARGE = 1e150  # squares beyond overflow


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
        with np.errstate(all="ignore"):
            residual = (evaluate(expression, self.columns) - self.y) * self.root_weights
            rmse = float(np.sqrt(np.mean(residual**2)))
        return rmse if np.isfinite(rmse) else np.inf


def polished(expression: Expression, rows: Rows, steps: int = 30) -> tuple[Expression, float]:
    """Return the expression with fitted constants and its root mean square error."""
    constants = np.array(free_constants(expression))
    if not len(constants):
        return expression, rows.rmse(expression)
    residual, jacobian = _linearised(expression, rows)
    if residual is None:
        return expression, np.inf
    square, damping = float(residual @ residual), 1e-4
    for _ in range(steps):
        step = _step(residual, jacobian, damping)
        if step is None:
            damping *= 10
            if damping > 1e8:
                break
            continue
        trial = constants + step
        moved = _with(expression, trial)
        new = _linearised(moved, rows) if moved is not None else (None, None)
        lower = new[0] is not None and float(new[0] @ new[0]) < square
        if not lower:
            damping = max(10 * damping, 1e-6)
            if damping > 1e8:
                break
            continue
        gained = square - float(new[0] @ new[0])
        expression, constants, (residual, jacobian) = moved, trial, new
        square -= gained
        damping *= 0.1
        if gained <= 1e-9 * square or square == 0.0:
            break
    return expression, float(np.sqrt(square / len(rows.y)))


def _with(expression: Expression, constants: np.ndarray) -> Expression | None:
    if not np.isfinite(constants).all() or np.abs(constants).max() > _TOO_LARGE:
        return None
    return with_constants(expression, constants.tolist())


def _linearised(expression: Expression, rows: Rows) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Return weighted residuals (n_rows,) and their derivatives (n_constants, n_rows); None where a value is not finite."""
    value, jacobian = value_and_jacobian(expression, rows.columns)
    residual = (value - rows.y) * rows.root_weights
    with np.errstate(all="ignore"):
        if not np.isfinite(residual @ residual):
            return None, None
    return residual, np.where(np.isfinite(jacobian), jacobian * rows.root_weights, 0.0)


def _step(residual: np.ndarray, jacobian: np.ndarray, damping: float) -> np.ndarray | None:
    """Solve (J J^T + damping D) step = -J r on columns scaled to one."""
    with np.errstate(all="ignore"):
        size = np.sqrt(np.einsum("ij,ij->i", jacobian, jacobian))
    if not np.isfinite(size).all():
        return None
    size = np.where(size > 0, size, 1.0)
    scaled = jacobian / size[:, None]
    normal = scaled @ scaled.T
    try:
        step = np.linalg.solve(normal + (damping + 1e-14) * np.eye(len(size)), -scaled @ residual)
    except np.linalg.LinAlgError:
        return None
    return step / size
