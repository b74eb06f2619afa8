"""The last digits of a fit: a Levenberg-Marquardt step from an orthogonal factorisation of the Jacobian.

    minimise  |J^T z + r|^2 + lam |z|^2      by      J^T = Q R,      [R; sqrt(lam) I] = Q' R',      R' z = - Q'^T [Q^T r; 0]

The normal equations hold J J^T, and with it the square of its condition: what the constants of a function nearly cancel among themselves is
lost below the root of the machine's precision. Numerator and denominator of a rational function may have a factor in common, so they do nearly
cancel, and a law that is a rational function would be learned to six digits. From J itself it is learned to twelve (Bjorck, 1996, section 2.4).

It costs some times as much as the normal equations: few constants and rows take it, and only once the damping is small.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import qr, solve_triangular


class Orthogonal:
    """The damped system of one iteration, each constant in units of its own column; the interface of `lm.Damped`.

    Parameters
    ----------
    columns : (n, n_constants)     derivatives of the residuals, those of the penalty among them
    residual : (n,)
    floor : (n_constants,)     least square of a column to assume
    """

    def __init__(self, columns: np.ndarray, residual: np.ndarray, floor: np.ndarray) -> None:
        sizes = np.sqrt(np.maximum(np.einsum("nk,nk->k", columns, columns), floor))
        self._inverse = np.divide(1.0, sizes, out=np.zeros_like(sizes), where=sizes > 1e-150)
        scaled = columns * self._inverse
        self._gradient = scaled.T @ residual
        self._triangle = qr(np.column_stack([scaled, residual]), mode="r", check_finite=False)[0][: len(sizes)]  # R, and Q^T r as a last column

    def step(self, damping: float) -> tuple[np.ndarray, float] | None:
        """Return the step and the decrease it predicts, or None when the factor is singular."""
        n = len(self._inverse)
        damped = np.zeros((2 * n, n + 1))
        damped[: len(self._triangle)] = self._triangle
        damped[n:, :n] = np.diag(np.where(self._inverse > 0, np.sqrt(damping), 1.0))
        factor = qr(damped, mode="r", check_finite=False)[0]
        if np.abs(factor.diagonal()).min() < 1e-150:
            return None
        z = solve_triangular(factor[:n, :n], -factor[:n, n], check_finite=False)
        return z * self._inverse, 0.5 * float(z @ (damping * z - self._gradient))
