"""Fitting networks: Levenberg-Marquardt with exact Jacobians, L-BFGS for large ones, mini-batches for many rows."""

from workbench.training.config import FitConfig, FitProgress, FitReport, FitResult
from workbench.training.fit import fit, fitted, restarted
from workbench.training.problem import Problem
from workbench.training.refit import refit, refitting
from workbench.training.score import Score, score

__all__ = ["FitConfig", "FitProgress", "FitReport", "FitResult", "Problem", "Score", "fit", "fitted", "refit", "refitting", "restarted", "score"]
