"""How well a network does on rows it was not fitted to.

With a validation part the network is evaluated on it. With folds (few rows) it is refitted on each fold from where it stands and checked on
the rows left out; leave-one-out is the case of one row each. Errors are in units of the target's spread: 1 is as bad as the mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from workbench.networks.kan import KAN
from workbench.networks.program import Program
from workbench.training.problem import Problem
from workbench.training.refit import refit

_FOLD_ITERATIONS = 8


@dataclass(frozen=True, eq=False)
class Score:
    """Errors of a network.

    Parameters
    ----------
    rmse_train, rmse_validation : root mean square error in units of the target's spread (root of twice the mean log loss for classes)
    r2_train, r2_validation : 1 - rmse^2, for classes the share of the log loss explained
    errors : (n_checked,) squared error of every checked row, for paired comparisons
    scheme : "holdout", "folds" or "none"
    """

    rmse_train: float
    rmse_validation: float
    r2_train: float
    r2_validation: float
    errors: np.ndarray
    scheme: str

    @property
    def standard_error(self) -> float:
        """Standard error of the mean squared validation error."""
        n = len(self.errors)
        return float(self.errors.std(ddof=1) / np.sqrt(n)) if n > 1 else float("inf")


def row_errors(network: KAN, problem: Problem) -> np.ndarray:
    """Return the squared error of every row in units of the spread, (n_rows,): weighted, summed over targets; for classes twice the log loss."""
    program = Program(network)
    return output_errors(program.predict(program.parameters, problem.x), problem)


def output_errors(outputs: np.ndarray, problem: Problem) -> np.ndarray:
    """Return the squared error of every row for outputs (n_outputs, n_rows), as `row_errors` does."""
    if problem.loss == "squared":
        errors = (((outputs - problem.y) / problem.scale[:, None]) ** 2).mean(0)
    else:
        chosen = problem.probabilities(outputs)[problem.y[0].astype(int), np.arange(problem.n_rows)]
        errors = -2.0 * np.log(np.maximum(chosen, 1e-300))
    return errors if problem.weights is None else errors * problem.weights


def checked_errors(network: KAN, problem: Problem, roughness: float = 1e-6) -> tuple[np.ndarray, str]:
    """Return squared errors on rows the network was not fitted to, and how they were come by."""
    if problem.validation is not None:
        return row_errors(network, problem.validation), "holdout"
    if not problem.folds:
        return row_errors(network, problem), "none"
    parts = []
    for fit_rows, check_rows in problem.folds:
        fitted, _ = refit(network, problem.rows(fit_rows), _FOLD_ITERATIONS, roughness, damping=1e-6)
        parts.append(row_errors(fitted, problem.rows(check_rows)))
    return np.concatenate(parts), "folds"


@lru_cache(maxsize=16)  # every finding of a discovery asks the same of the same problems
def mean_errors(problem: Problem) -> np.ndarray:
    """Return the squared errors that the mean of the fitted rows makes on the rows of `checked_errors`, in their order; not for classes."""
    if problem.validation is not None:
        return _errors_of_mean(problem, problem.validation)
    parts = [(problem.rows(fit_rows), problem.rows(check_rows)) for fit_rows, check_rows in problem.folds] or [(problem, problem)]
    return np.concatenate([_errors_of_mean(fitted, checked) for fitted, checked in parts])


def _errors_of_mean(fitted: Problem, checked: Problem) -> np.ndarray:
    mean = np.average(fitted.y, axis=1, weights=fitted.weights)
    return output_errors(np.broadcast_to(mean[:, None], checked.y.shape), checked)


def score(network: KAN, problem: Problem, roughness: float = 1e-6) -> Score:
    """Score a network on the rows it was fitted to and on rows it was not."""
    train = float(row_errors(network, problem).mean())
    errors, scheme = checked_errors(network, problem, roughness)
    checked = float(errors.mean())
    reference = 1.0 if problem.loss == "squared" else reference_loss(problem)
    return Score(train**0.5, checked**0.5, 1 - train / reference, 1 - checked / reference, errors, scheme)


def reference_loss(problem: Problem) -> float:
    """Return twice the log loss of always saying how frequent each class is."""
    frequency = np.bincount(problem.y[0].astype(int), minlength=problem.n_classes) / problem.n_rows
    frequency = frequency[frequency > 0]
    return max(float(-2.0 * (frequency * np.log(frequency)).sum()), 1e-12)
