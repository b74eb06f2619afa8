"""Errors on rows a network was not fitted to, row by row, so that two networks can be compared in pairs.

With a validation part the network is evaluated on it. With folds (few rows) the fit without the rows F of a fold is had from the full fit by
one Gauss-Newton step, as in the leave-one-out formula of linear regression e_i / (1 - h_ii):

    e_F without F  =  (I - H_FF)^-1 e_F,        H = J^T (J J^T + penalty)^-1 J

with whitened residuals e and Jacobian J (n_constants, n_rows). It is exact for models that are linear in their constants, and needs one
factorisation instead of one refit per fold. (`training.score` refits every fold; its figures are the ones to report.)

Where that step moves a checked row far, a network of few rows is not linear any more, and the formula promises errors of any size. There the
step is taken for real, damped until the rows that are left are fitted better by it, and the network is evaluated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from workbench.networks.kan import KAN
from workbench.networks.program import Evaluation, Program
from workbench.training import Problem
from workbench.training.penalty import smoothness
from workbench.training.score import checked_errors, output_errors

_FAR = 0.3  # of the target's spread: a checked row that moves further is not told by the linear formula
_DAMPINGS = (1e-6, 1e-3, 1e-1, 1e1)  # of the real step, in units of the curvature


def errors(network: KAN, problem: Problem, roughness: float = 1e-6) -> np.ndarray:
    """Return the squared error of every checked row, in units of the targets' spread, (n_checked,); infinite where the network is."""
    with np.errstate(all="ignore"):
        if problem.validation is not None or not problem.folds:
            rows = problem if problem.validation is None else problem.validation
            program = Program(network)
            found = output_errors(program.predict(program.parameters, rows.x), rows)
        elif problem.loss == "squared":
            found = _without_each_fold(network, problem, roughness)
        else:
            found = checked_errors(network, problem, roughness)[0]
    return np.where(np.isfinite(found), found, np.inf)


@dataclass(frozen=True, eq=False)
class Linear:
    """A network linearised on the rows of a problem with squared loss.

    Parameters
    ----------
    program : the network's program
    free : numbers of the free constants
    jacobian : (n_free, n_targets * n_rows)     d residual / d constants, whitened: times root weight, over spread
    residual : (n_targets * n_rows,)     whitened
    penalty : (n_free, n_free)
    """

    program: Program
    free: np.ndarray
    jacobian: np.ndarray
    residual: np.ndarray
    penalty: np.ndarray

    @classmethod
    def of(cls, network: KAN, problem: Problem, roughness: float) -> Linear:
        """Linearise a network where it stands."""
        program = Program(network)
        parameters, free = program.parameters, np.flatnonzero(program.free)
        evaluation = Evaluation(program, problem.x)
        outputs = evaluation.forward(parameters)
        residual = _whitened(outputs, problem)
        parts = [
            evaluation.jacobian(parameters, seed, np.empty((len(parameters), problem.n_rows)))[free]
            for seed, _ in problem.curvature(outputs)  # one seed per target
        ]
        penalty = np.zeros((len(parameters), len(parameters)))
        smooth = smoothness(program, problem, roughness)
        smooth.add_to(penalty, np.zeros(len(parameters)), parameters)
        return cls(program, free, np.hstack(parts), residual, penalty[np.ix_(free, free)])

    @property
    def normal(self) -> np.ndarray:
        """J J^T + penalty."""
        return self.jacobian @ self.jacobian.T + self.penalty

    def factor(self) -> tuple[tuple, np.ndarray]:
        """Return the Cholesky factor of the normal matrix in units of its diagonal, and those units (n_free,)."""
        normal = self.normal
        units = 1.0 / np.sqrt(np.maximum(normal.diagonal(), 1e-300))
        scaled = normal * units * units[:, None]
        scaled[np.diag_indices_from(scaled)] += 1e-12  # constants that say the same thing as others
        return cho_factor(scaled, lower=True, overwrite_a=True, check_finite=False), units


def _without_each_fold(network: KAN, problem: Problem, roughness: float) -> np.ndarray:
    linear = Linear.of(network, problem, roughness)
    if not (np.isfinite(linear.jacobian).all() and np.isfinite(linear.residual).all()):
        return np.full(sum(len(check) for _, check in problem.folds), np.inf)
    factor, units = linear.factor()
    half = linear.jacobian * units[:, None]
    hat = half.T @ cho_solve(factor, half, check_finite=False)
    n_targets, n_rows = problem.y.shape
    found = []
    for _, check in problem.folds:
        columns = (check + n_rows * np.arange(n_targets)[:, None]).ravel()
        remainder = np.eye(len(columns)) - hat[np.ix_(columns, columns)]
        remainder[np.diag_indices_from(remainder)] += 1e-9  # a row that alone determines a constant has h = 1
        left_out = np.linalg.solve(remainder, linear.residual[columns])
        if not np.abs(left_out - linear.residual[columns]).max() <= _FAR:
            left_out = _after_a_step(linear, problem, roughness, columns)
        found.append((left_out.reshape(n_targets, -1) ** 2).mean(0))
    return np.concatenate(found)


def _after_a_step(linear: Linear, problem: Problem, roughness: float, columns: np.ndarray) -> np.ndarray:
    """Return the residuals of some rows, whitened, after a damped Gauss-Newton step on all others that fits those better."""
    smooth = smoothness(linear.program, problem, roughness)
    left = np.ones(linear.residual.size, dtype=bool)
    left[columns] = False

    def objective(parameters: np.ndarray, residual: np.ndarray) -> float:
        return 0.5 * float(residual[left] @ residual[left]) + smooth.value(parameters)

    start = linear.program.parameters
    before = objective(start, linear.residual)
    own = linear.jacobian[:, columns]
    normal, pull = linear.normal - own @ own.T, own @ linear.residual[columns]  # the slope without the rows: all together it is zero
    units = 1.0 / np.sqrt(np.maximum(normal.diagonal(), 1e-300))
    scaled = normal * units * units[:, None]
    for damping in _DAMPINGS:
        parameters = start.copy()
        parameters[linear.free] += units * np.linalg.solve(scaled + damping * np.eye(len(scaled)), units * pull)
        residual = _whitened(linear.program.predict(parameters, problem.x), problem)
        if objective(parameters, residual) <= before:
            return residual[columns]
    return linear.residual[columns]


def _whitened(outputs: np.ndarray, problem: Problem) -> np.ndarray:
    """Return the residuals of outputs (n_targets, n_rows), over the spread and times the root of the weight: (n_targets * n_rows,)."""
    root = np.ones(problem.n_rows) if problem.weights is None else np.sqrt(problem.weights)
    return ((outputs - problem.y) / problem.scale[:, None] * root).ravel()
