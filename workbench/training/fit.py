"""From a problem to a fitted network: starts, ranges that follow, finer grids, the roughness the data ask for.

    several random starts, a short run each            -> the best one
    Levenberg-Marquardt, ranges following              -> on the coarsest grid, smoothest penalty first
    a weaker penalty, then a finer grid, ...           -> each kept only when the error on checked rows falls
    (sparsity: reweighted at every few iterations)

Early stopping, resolution and penalty are all chosen on checked rows (validation part or folds); test rows are never seen here.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from workbench.exceptions import TrainingError
from workbench.networks import kan
from workbench.networks.kan import KAN
from workbench.networks.program import Program
from workbench.training import minibatch
from workbench.training.config import FitConfig, FitProgress, FitReport
from workbench.training.descent import descend, loss_of, settled
from workbench.training.problem import Problem
from workbench.training.ranges import refined
from workbench.training.score import checked_errors

_MANY_ROWS = 20_000  # above it a fit begins on a sample of the rows
_START = 8  # iterations that tell a good start from a bad one
_ROWS_OF_A_START = 4  # rows for every constant, which are enough to tell
_ON_THE_WAY = 16  # iterations under a penalty that a weaker one will follow: a place to go on from, not an end
_RESTART = 40  # iterations of a restart


@dataclass(frozen=True)
class FitResult:
    """The fitted network and how it was come by."""

    network: KAN
    report: FitReport


def initial(problem: Problem, config: FitConfig, generator: np.random.Generator) -> KAN:
    """Return a random network of the configured shape in the scale of the problem's targets."""
    sizes, arities = config.hidden_layer_sizes, config.product_nodes
    hidden = [kan.nodes_of(size, arities[k] if k < len(arities) else ()) for k, size in enumerate(sizes)]
    network = kan.initial([*hidden, kan.nodes_of(problem.n_outputs)], problem.ranges, generator, config.intervals[0])
    last = network.layers[-1]
    scale = problem.output_scale
    middle = np.average(problem.y, axis=1, weights=problem.weights) if problem.loss == "squared" else np.zeros(problem.n_outputs)
    network = network.with_layer(
        len(network.layers) - 1, coefficients=last.coefficients * scale[:, None], base=last.base * scale[:, None], bias=middle
    )
    return settled(network, problem)


def restarted(network: KAN, problem: Problem, roughness: float, generator: np.random.Generator) -> KAN:
    """Return the network fitted again from random splines; its edges, forms and locks stay what they are.

    A network that was pruned stands where the pruned edges left it, which may be a place with no way down.
    """
    last = len(network.layers) - 1
    for level, layer in enumerate(network.layers):
        drawn = generator.normal(size=layer.coefficients.shape) * 0.1
        base = generator.normal(size=layer.base.shape) / np.sqrt(len(layer.sources))
        scale = np.ones(len(layer.targets))
        if level == last and len(layer.nodes) == len(layer.targets):
            scale = problem.output_scale
        locked = np.array([[(t, s) in layer.locked for s in layer.sources] for t in layer.targets])
        network = network.with_layer(
            level,
            coefficients=np.where(locked, layer.coefficients, drawn * scale[:, None]),
            base=np.where(locked, layer.base, base * scale[:, None]),
        )
    *_, met = descend(settled(network, problem), problem, roughness, 0.0, _RESTART)
    return met.network


def _checked(network: KAN, problem: Problem, roughness: float) -> float:
    return float(checked_errors(network, problem, roughness)[0].mean())


def _best_start(problem: Problem, config: FitConfig) -> Iterator[FitProgress]:
    """Run every start for a short while; the last progress yielded holds the best network."""
    seeds = np.random.SeedSequence(config.random_state).spawn(config.n_starts)
    starts = [initial(problem, config, np.random.default_rng(seed)) for seed in seeds]
    enough = _ROWS_OF_A_START * len(Program(starts[0]).parameters)
    few = problem if problem.n_rows <= enough else minibatch.sample(problem, enough, config.random_state)
    best, lowest = None, np.inf
    for k, network in enumerate(starts):
        for met in descend(network, few, config.roughness[0], config.sparsity, _START):
            if met.loss < lowest:
                best, lowest = met.network, met.loss
            yield FitProgress(best, f"start {k + 1} of {config.n_starts}", 0.3 * (k + 1) / config.n_starts, _rmse(lowest, few))
    if best is None:
        raise TrainingError("No start gave a finite network. Look for extreme values in the inputs.")


def _rmse(loss: float, problem: Problem) -> float:
    return float(np.sqrt(2.0 * loss / problem.mass))


def _stages(config: FitConfig) -> list[tuple[int, float]]:
    """Grid and penalty of each stage: the penalty falls on the coarsest grid, then the grid refines."""
    coarse = [(config.intervals[0], roughness) for roughness in config.roughness]
    return coarse + [(n, config.roughness[-1]) for n in config.intervals[1:]]


def fit(problem: Problem, config: FitConfig) -> Iterator[FitProgress | FitResult]:
    """Fit a network, yielding progress; the last thing yielded is the FitResult.

    A stage that makes the error on checked rows worse is rolled back; two such stages in a row end the fit.
    """
    began = time.perf_counter()
    few = problem if problem.n_rows <= _MANY_ROWS else minibatch.sample(problem, _MANY_ROWS, config.random_state)
    network = None
    for progress in _best_start(few, config):
        network = progress.network
        yield progress
    best, lowest, chosen = network, np.inf, config.roughness[0]
    stages, iterations, failures, history = _stages(config), 0, 0, []
    for k, (n_intervals, roughness) in enumerate(stages):
        trial = best if n_intervals == best.layers[0].n_intervals else refined(best, n_intervals)
        last = roughness == config.roughness[-1]
        for met in descend(trial, few, roughness, config.sparsity, config.max_iter if last else min(config.max_iter, _ON_THE_WAY)):
            yield FitProgress(met.network, f"{n_intervals} intervals", 0.3 + 0.7 * (k + 0.5) / len(stages), _rmse(met.loss, few))
        trial, iterations = met.network, iterations + met.taken
        error = _checked(trial, few, roughness)
        if error < lowest * (1.0 - 1e-3):
            best, lowest, chosen, failures = trial, error, roughness, 0
        else:
            failures += 1
        history.append(error)
        yield FitProgress(best, f"{n_intervals} intervals", 0.3 + 0.7 * (k + 1) / len(stages), float(np.sqrt(lowest)))
        if failures == 2:
            break
    if few is not problem:
        best = minibatch.polish(best, problem, chosen, config.random_state)
    report = FitReport(_rmse(loss_of(best, problem), problem), iterations, time.perf_counter() - began, True, chosen, tuple(history))
    yield FitResult(best, report)


def fitted(problem: Problem, config: FitConfig) -> FitResult:
    """Fit and return the result, for callers that do not watch."""
    *_, result = fit(problem, config)
    return result


