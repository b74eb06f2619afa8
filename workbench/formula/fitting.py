"""Least squares on an expression's own constants: Levenberg-Marquardt in float64 with exact derivatives.

    minimise   sum_n w_n (f(x_n; constants) - y_n)^2            for an output with the transform "log": of log f - log y

`expression.value_and_jacobian` gives value and derivatives in one sweep; MINPACK's lmder (More, 1978) makes the steps, with its own scaling
of the constants. A step into a region where the formula has no value is refused, and a result that is worse than the start is not taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from workbench.bases.basis import EdgeDefinition
from workbench.exceptions import TrainingError
from workbench.expression import Expression, free_constants, value_and_jacobian, with_constants
from workbench.formula.formula import Transform

MAX_EVALUATIONS = 400
_REFUSED = 1e3  # residual, in units of the largest at the start, of a row where a trial step gives no value


@dataclass(frozen=True, eq=False)
class Sample:
    """Rows to fit one expression to.

    Parameters
    ----------
    columns : symbol -> (n_rows,)
    y : (n_rows,)     on the scale that is fitted
    root_weights : (n_rows,)     1 / sigma of each row, scaled to a mean square of 1
    definitions : the named functions of the expression
    transform : "log" where y holds logarithms of what the expression gives
    """

    columns: Mapping[str, np.ndarray]
    y: np.ndarray
    root_weights: np.ndarray
    definitions: Mapping[str, EdgeDefinition]
    transform: Transform | None = None

    def linearised(self, expression: Expression) -> tuple[np.ndarray, np.ndarray]:
        """Return weighted residuals (n_rows,) and their derivatives by the constants (n_rows, n_constants)."""
        functions = {name: definition.value_and_slope for name, definition in self.definitions.items()}
        value, jacobian = value_and_jacobian(expression, self.columns, functions)
        if self.transform == "log":  # d log f = df / f
            with np.errstate(all="ignore"):
                value, jacobian = np.log(value), jacobian / value
        return (value - self.y) * self.root_weights, (jacobian * self.root_weights).T

    def rmse(self, expression: Expression) -> float:
        """Return the weighted root mean square error; infinite where the square of a residual is."""
        residual, _ = self.linearised(expression)
        with np.errstate(over="ignore"):
            return float(np.sqrt(np.mean(residual**2)))


def fitted(expression: Expression, sample: Sample, held: Sequence[int] = ()) -> Expression:
    """Return the expression with its constants fitted to the sample; those numbered in `held` stay.

    Raises
    ------
    TrainingError
        The expression has no finite value on some rows: there is no direction in which to improve it.
    """
    start = np.array(free_constants(expression))
    moves = np.setdiff1d(np.arange(len(start)), np.asarray(held, dtype=int))
    residual, _ = sample.linearised(expression)
    lost = ~np.isfinite(residual)
    if lost.any():
        rows = ", ".join(map(str, np.flatnonzero(lost)[:5]))
        raise TrainingError(
            f"refit: the formula has no finite value on {lost.sum()} of {len(lost)} rows (rows {rows}). Leave those rows out, or give other constants."
        )
    if len(moves) == 0 or not residual.any():
        return expression
    best = _minimum(_Objective(expression, sample, start, moves, float(np.abs(residual).max())), start[moves], len(residual))
    if best is None:
        return expression
    constants = start.copy()
    constants[moves] = best
    return with_constants(expression, constants.tolist())


class _Objective:
    """Residuals and Jacobian at trial constants, each point computed once."""

    def __init__(self, expression: Expression, sample: Sample, start: np.ndarray, moves: np.ndarray, largest: float) -> None:
        self.expression, self.sample, self.start, self.moves = expression, sample, start, moves
        self.refusal = _REFUSED * largest
        self._at: np.ndarray | None = None
        self._result = (np.empty(0), np.empty(0))

    def evaluate(self, trial: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if self._at is None or not np.array_equal(trial, self._at):
            constants = self.start.copy()
            constants[self.moves] = trial
            residual, jacobian = self._linearised(constants)
            self._result = (
                np.where(np.isfinite(residual), residual, self.refusal),
                np.where(np.isfinite(jacobian), jacobian, 0.0),
            )
            self._at = np.array(trial)
        return self._result

    def _linearised(self, constants: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Residuals and their derivatives by the constants that move; nowhere a value where a step overflowed and left no numbers to try."""
        if not np.isfinite(constants).all():
            n_rows = len(self.sample.y)
            return np.full(n_rows, np.nan), np.full((n_rows, len(self.moves)), np.nan)
        residual, jacobian = self.sample.linearised(with_constants(self.expression, constants.tolist()))
        return residual, jacobian[:, self.moves]

    def residual(self, trial: np.ndarray) -> np.ndarray:
        return self.evaluate(trial)[0]

    def jacobian(self, trial: np.ndarray) -> np.ndarray:
        return self.evaluate(trial)[1]


def _minimum(objective: _Objective, start: np.ndarray, n_rows: int) -> np.ndarray | None:
    """Return the best constants found, or None when the start is not improved upon."""
    from scipy.optimize import least_squares  # 0.3 s to import, needed when a formula is fitted

    method = "lm" if n_rows >= len(start) else "trf"
    with np.errstate(all="ignore"):
        found = least_squares(
            objective.residual, start, objective.jacobian,
            method=method, x_scale="jac", ftol=1e-15, xtol=1e-15, gtol=1e-15, max_nfev=MAX_EVALUATIONS,
        )  # fmt: skip
        before = float(np.sum(objective.residual(start) ** 2))
    finite = np.isfinite(found.x).all() and np.isfinite(found.cost)
    return found.x if finite and 2.0 * found.cost < before else None
