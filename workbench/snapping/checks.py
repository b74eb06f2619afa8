"""Errors on rows a network was not fitted to, row by row, so that two networks can be compared in pairs.

With a validation part the network is evaluated on it. With folds (few rows) the fit without the rows F of a fold is had from the full fit by
one Gauss-Newton step, as in the leave-one-out formula of linear regression e_i / (1 - h_ii):

    e_F without F  =  (I - H_FF)^-1 e_F,        H = J^T (J J^T + penalty)^-1 J

with whitened residuals e and Jacobian J (n_constants, n_rows). It is exact for models that are linear in their constants, and needs one
factorisation instead of one refit per fold. (`training.score` refits every fold; its figures are the ones to report.)
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
        root = np.ones(problem.n_rows) if problem.weights is None else np.sqrt(problem.weights)
        residual = (outputs - problem.y) / problem.scale[:, None] * root
        parts = [
            evaluation.jacobian(parameters, seed, np.empty((len(parameters), problem.n_rows)))[free]
            for seed, _ in problem.curvature(outputs)  # one seed per target
        ]
        penalty = np.zeros((len(parameters), len(parameters)))
        smooth = smoothness(program, problem, roughness)
        smooth.add_to(penalty, np.zeros(len(parameters)), parameters)
        return cls(program, free, np.hstack(parts), residual.ravel(), penalty[np.ix_(free, free)])

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
        found.append((left_out.reshape(n_targets, -1) ** 2).mean(0))
    return np.concatenate(found)
