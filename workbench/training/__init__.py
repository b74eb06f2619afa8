"""Fitting networks: Levenberg-Marquardt with exact Jacobians, L-BFGS for large ones, mini-batches for many rows."""

from workbench.training.config import FAMILIES, FitConfig, FitProgress, FitReport, FitResult, degrees_for, intervals_for
from workbench.training.fit import fit, fitted, restarted
from workbench.training.problem import Problem
from workbench.training.refit import refit, refitting
from workbench.training.score import Score, score

__all__ = [
    "FAMILIES",
    "FitConfig",
    "FitProgress",
    "FitReport",
    "FitResult",
    "Problem",
    "Score",
    "degrees_for",
    "fit",
    "fitted",
    "intervals_for",
    "refit",
    "refitting",
    "restarted",
    "score",
]
