"""What a formula misses, fitted on top of it: a second network for the residual, beside the first one and added to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from workbench.exceptions import DiscoveryError
from workbench.networks import KAN
from workbench.networks.addition import sum_of
from workbench.training import FitProgress, FitResult, Problem
from workbench.training.ranges import refined


def residual(network: KAN, problem: Problem) -> Problem:
    """Return the problem of what a network misses, in units of the target's own spread."""
    if problem.loss != "squared":
        raise DiscoveryError("extend(): what is missed is fitted for measured targets; for classes, fit a new network instead.")
    checked = problem.validation
    return replace(problem, y=_missed(network, problem), validation=None if checked is None else replace(checked, y=_missed(network, checked)))


def _missed(network: KAN, problem: Problem) -> np.ndarray:
    return problem.y - network(problem.x.T).T


def on_top(network: KAN, steps: Iterator[FitProgress | FitResult]) -> Iterator[FitProgress | FitResult]:
    """Follow the fit of an addition, each of its steps as the sum of both networks."""
    for step in steps:
        if isinstance(step, FitResult):
            yield replace(step, network=extended(network, step.network))
        else:
            yield replace(step, unpack=lambda step=step: extended(network, step.network))


def extended(network: KAN, addition: KAN) -> KAN:
    """Return the sum of both, their splines on the same number of intervals."""
    counts = [part.layers[level].n_intervals for part in (network, addition) for level, _, _ in part.edges("spline")]
    if len(set(counts)) > 1:
        network, addition = refined(network, max(counts)), refined(addition, max(counts))
    return sum_of(network, addition)
