"""How stable the constants of a formula are: would other rows from the same source have given the same law?

Rows are drawn with replacement (Efron, 1979). For every draw the constants are fitted again by one Gauss-Newton step from their fit to all rows,

    d = -(J^T W J)^-1 J^T W r,      W = how often each row was drawn,      J = d formula / d constants

and the draw agrees with the formula if every constant keeps its sign and all of them together stay within the 95 % region that the intervals
are cut from,

    d^T (J^T J) d  <=  p s^2 F_0.95(p, n - p)        (Bates & Watts, 1988, section 2.2)

The share of draws that agree is the stability. A law whose misses are scatter, and whose constants the data know, has about 95 %; a
constant that could as well be nothing, or that a few rows carry, has clearly less. A constant that moves by less than a millionth of itself
counts as unmoved, so that an exact law has 100 %.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from workbench.formula.constants import samples_of

if TYPE_CHECKING:
    from workbench.formula.formula import Formula
    from workbench.formula.rows import Rows

N_DRAWS = 200
_MOST_ROWS = 2000  # that are drawn from: a share of two hundred draws is not known better from more
_NULL = 1e-10  # singular values below this share of the largest are zero in float64
_UNMOVED = 1e-6  # of a constant


def stability(formula: Formula, X: Rows, y: np.ndarray, weights: np.ndarray | None = None, random_state: int = 0) -> float | None:
    """Return the share of resamplings in which the constants stay where they are.

    Parameters
    ----------
    X, y, weights : the rows that the constants were fitted to, as for `Formula.intervals`
    random_state : seed of the draws

    Returns
    -------
    0 to 1; None where that has no meaning: several outputs, groups, curves without a name, or no more rows than constants
    """
    if len(formula.outputs) > 1 or formula.groups or formula.definitions:
        return None
    residual, jacobian = samples_of(formula, X, y, weights)[0].linearised(formula.outputs[0].expression)
    usable = np.isfinite(residual) & np.isfinite(jacobian).all(1)
    rows = np.flatnonzero(usable)
    rows = rows[np.linspace(0, len(rows) - 1, min(len(rows), _MOST_ROWS)).astype(int)]
    n, p = len(rows), jacobian.shape[1]
    if n <= p:
        return None
    if p == 0:
        return 1.0
    scale = np.linalg.norm(jacobian[rows], axis=0)
    if not (scale > 0.0).all():
        return 0.0  # a constant that changes nothing can be anything
    q, singular, back = np.linalg.svd(jacobian[rows] / scale, full_matrices=False)
    if singular[-1] <= _NULL * singular[0]:
        return 0.0  # constants that trade against each other without end
    steps = _steps(q, residual[rows], np.random.default_rng(random_state))  # in the directions of q: J d = q step
    with np.errstate(invalid="ignore"):
        moved = steps / singular @ back / scale
    constants = np.array(formula.constants)
    unmoved = (np.abs(moved) <= _UNMOVED * np.abs(constants)).all(1)
    keeps_signs = (np.sign(constants + moved) == np.sign(constants)).all(1)
    return float(np.mean(unmoved | (keeps_signs & _within(steps, q, residual[rows]))))


def _steps(q: np.ndarray, residual: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return one Gauss-Newton step per draw, less the step that all rows ask for: (n_draws, p); infinite where a draw does not tell."""
    n, p = q.shape
    drawn = generator.multinomial(n, np.full(n, 1.0 / n), N_DRAWS).astype(float)  # (n_draws, n)
    normal = (drawn @ (q[:, :, None] * q[:, None, :]).reshape(n, p * p)).reshape(N_DRAWS, p, p)
    right = -(drawn * residual) @ q  # (n_draws, p)
    steps = np.full((N_DRAWS, p), np.inf)
    tells = np.linalg.matrix_rank(normal, tol=_NULL * n, hermitian=True) == p
    steps[tells] = np.linalg.solve(normal[tells], right[tells, :, None])[:, :, 0]
    return steps + residual @ q


def _within(steps: np.ndarray, q: np.ndarray, residual: np.ndarray) -> np.ndarray:
    """Say for each draw whether it stays within the 95 % region of all constants together."""
    from scipy.special import fdtri

    n, p = q.shape
    left = residual - q @ (q.T @ residual)
    bound = p * float(left @ left) / (n - p) * float(fdtri(p, n - p, 0.95))
    return (steps**2).sum(1) <= bound
