"""What a formula misses, fitted on top of it: a second network for the residual, beside the first one and added to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import reduce

import numpy as np

from workbench.bases.basis import Family
from workbench.exceptions import DiscoveryError
from workbench.networks import KAN, LEARNED
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
    """Return the sum of both, their learned edges in one basis."""
    bases = {part.layers[level].basis for part in (network, addition) for level, _, _ in part.edges(*LEARNED)}
    if len(bases) > 1:
        basis = reduce(lambda one, other: one.common(other), sorted(bases, key=str))
        network, addition = (refined(part, basis) if part.edges(*LEARNED) else part for part in (network, addition))
    return sum_of(network, addition)


def family(network: KAN) -> Family:
    """Return what the learned edges of a network are; splines where it has none."""
    return next((network.layers[level].basis.family for level, _, _ in network.edges(*LEARNED)), "spline")
