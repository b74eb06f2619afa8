"""Fitting networks: Levenberg-Marquardt with exact Jacobians, L-BFGS for large ones, mini-batches for many rows."""

from workbench.training.config import FitConfig, FitProgress, FitReport
from workbench.training.fit import FitResult, fit, fitted, restarted
from workbench.training.problem import Problem
from workbench.training.refit import refit
from workbench.training.score import Score, score

__all__ = ["FitConfig", "FitProgress", "FitReport", "FitResult", "Problem", "Score", "fit", "fitted", "refit", "restarted", "score"]
