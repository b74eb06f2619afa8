"""From a problem to a fitted network: starts, ranges that follow, finer grids, the roughness the data ask for.

    several random starts, a short run each            -> the best one
    Levenberg-Marquardt, ranges following              -> on the coarsest grid, smoothest penalty first
    a weaker penalty, then a finer grid, ...           -> each kept only when the error on checked rows falls
    (sparsity: reweighted at every few iterations)

Early stopping, resolution and penalty are all chosen on checked rows (validation part or folds); test rows are never seen here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace

import numpy as np

from workbench.bases.basis import Basis
from workbench.exceptions import TrainingError
from workbench.networks import kan
from workbench.networks.kan import KAN
from workbench.networks.program import Program
from workbench.training import minibatch
from workbench.training.config import FitConfig, FitProgress, FitReport, FitResult
from workbench.training.descent import Met, as_it_is, descend, loss_of, never, settled
from workbench.training.problem import Problem
from workbench.training.ranges import refined
from workbench.training.score import checked_errors
from workbench.training.torch_descent import require

_MANY_ROWS = 20_000  # above it a fit begins on a sample of the rows
_START = 8  # iterations that tell a good start from a bad one
_ROWS_OF_A_START = 4  # rows for every constant, which are enough to tell
_NARROW = 120  # constants of a network that has few ways around a wrong start: of rational functions it gets twice as many starts
_ON_THE_WAY = 16  # iterations under a penalty that a weaker one will follow: a place to go on from, not an end
_RESTART = 40  # iterations of a restart
_STARTED = 0.3  # of the whole way, when the starts are done
_POLISHED_AT_ONCE = 40  # mini-batches that count as one block


def initial(problem: Problem, config: FitConfig, generator: np.random.Generator) -> KAN:
    """Return a random network of the configured shape in the scale of the problem's targets."""
    sizes, arities = config.hidden_layer_sizes, config.product_nodes
    hidden = [kan.nodes_of(size, arities[k] if k < len(arities) else ()) for k, size in enumerate(sizes)]
    network = kan.initial([*hidden, kan.nodes_of(problem.n_outputs)], problem.ranges, generator, basis=config.resolutions[0])
    middle = np.average(problem.y, axis=1, weights=problem.weights) if problem.loss == "squared" else np.zeros(problem.n_outputs)
    coefficients, base = network.layers[-1].in_units(1.0 / problem.output_scale)
    return settled(network.with_layer(len(network.layers) - 1, coefficients=coefficients, base=base, bias=middle), problem)


def restarted(network: KAN, problem: Problem, roughness: float, generator: np.random.Generator) -> KAN:
    """Return the network fitted again from random learned edges; its forms and locks stay what they are.

    A network that was pruned stands where the pruned edges left it, which may be a place with no way down.
    """
    last = len(network.layers) - 1
    for level, layer in enumerate(network.layers):
        coefficients, base = layer.basis.start(generator, layer.alive.shape)
        drawn = replace(layer, coefficients=coefficients, base=base)
        if level == last and len(layer.nodes) == len(layer.targets):
            coefficients, base = drawn.in_units(1.0 / problem.output_scale)
        locked = np.array([[(t, s) in layer.locked for s in layer.sources] for t in layer.targets])
        network = network.with_layer(
            level, coefficients=np.where(locked, layer.coefficients, coefficients), base=np.where(locked, layer.base, base)
        )
    *_, met = descend(settled(network, problem), problem, roughness, 0.0, _RESTART)
    return met.network


def _checked(network: KAN, problem: Problem, roughness: float) -> float:
    return float(checked_errors(network, problem, roughness)[0].mean())


class _Course:
    """How far a fit has come, counted in iterations and blocks of them; `enough` says that it is to end where it is."""

    def __init__(self, config: FitConfig, enough: Callable[[], bool]) -> None:
        self.config, self.enough = config, enough
        self.iterations, self.blocks = 0, 0

    def descend(self, network: KAN, problem: Problem, roughness: float, max_iter: int) -> Iterator[Met]:
        """Go down from a network, counting."""
        before = self.iterations
        for met in descend(network, problem, roughness, self.config.sparsity, max_iter, self.enough, self.config.way):
            self.iterations = before + met.taken
            self.blocks += met.whole
            yield met

    def progress(self, unpack: Callable[[], KAN], stage: str, fraction: float, rmse: float) -> FitProgress:
        """Say where the fit is."""
        return FitProgress(unpack, stage, min(fraction, 1.0), rmse, self.iterations, self.blocks)


def _best_start(problem: Problem, course: _Course) -> Generator[FitProgress, None, KAN]:
    """Run every start for a short while, and return the best network."""
    config = course.config
    seeds = iter(np.random.SeedSequence(config.random_state).spawn(2 * config.n_starts))
    starts = [initial(problem, config, np.random.default_rng(next(seeds))) for _ in range(config.n_starts)]
    n_constants = len(Program(starts[0]).parameters)
    if config.resolutions[0].cancels and n_constants <= _NARROW:
        starts += [initial(problem, config, np.random.default_rng(seed)) for seed in seeds]
    rows = _ROWS_OF_A_START * n_constants
    few = problem if problem.n_rows <= rows else minibatch.sample(problem, rows, config.random_state)
    best, lowest = None, np.inf
    for k, network in enumerate(starts):
        for met in course.descend(network, few, config.roughness[0], _START):
            done = (k + met.taken / _START) / len(starts)
            yield course.progress(met.unpack, f"start {k + 1} of {len(starts)}", _STARTED * done, _rmse(met.loss, few))
        if met.loss < lowest:
            best, lowest = met.network, met.loss
        if course.enough():
            break
    if best is None:
        raise TrainingError("No start gave a finite network. Look for extreme values in the inputs.")
    return best


def _rmse(loss: float, problem: Problem) -> float:
    return float(np.sqrt(2.0 * loss / problem.mass))


def _stages(config: FitConfig, problem: Problem) -> list[tuple[Basis, float]]:
    """Basis and penalty of each stage: the penalty falls in the coarsest basis, then the basis refines.

    A basis that may hold the law itself is let go of the penalty in the end; where the law is another one, checked rows will say so.
    """
    coarse = [(config.resolutions[0], roughness) for roughness in config.roughness]
    finer = [(basis, config.roughness[-1]) for basis in config.resolutions[1:]]
    last = config.resolutions[-1]
    return coarse + finer + ([(last, 0.0)] if last.cancels and problem.loss == "squared" else [])


def fit(problem: Problem, config: FitConfig, enough: Callable[[], bool] = never) -> Iterator[FitProgress | FitResult]:
    """Fit a network, yielding progress after every iteration; the last thing yielded is the FitResult.

    A stage that makes the error on checked rows worse is rolled back; two such stages in a row end the fit. `enough` is asked after every
    progress: where it says so, the stage ends at this iteration and the fit with it, and the best network so far is the result.
    """
    began = time.perf_counter()
    course = _Course(config, enough)
    require(config.engine)
    all_at_once = config.engine != "native" or problem.n_rows <= _MANY_ROWS  # an engine has batches of its own
    few = problem if all_at_once else minibatch.sample(problem, _MANY_ROWS, config.random_state)
    best = yield from _best_start(few, course)
    started = course.iterations
    best, chosen, history = yield from _through_stages(best, few, course)
    iterations = course.iterations - started
    if few is not problem and not enough():
        best = yield from _polished(best, problem, chosen, course)
    rmse = _rmse(loss_of(best, problem), problem)
    yield FitResult(best, FitReport(rmse, iterations, time.perf_counter() - began, not enough(), chosen, history))


def _through_stages(best: KAN, problem: Problem, course: _Course) -> Generator[FitProgress, None, tuple[KAN, float, tuple[float, ...]]]:
    """Go through grids and penalties from a start; return the best network, the penalty it was fitted under, the error of each stage."""
    config = course.config
    lowest, chosen, failures, history = np.inf, config.roughness[0], 0, []
    stages = [] if course.enough() else _stages(config, problem)
    for k, (basis, roughness) in enumerate(stages):
        trial = best if basis == best.layers[0].basis else refined(best, basis)
        max_iter = config.max_iter if roughness == config.roughness[-1] else min(config.max_iter, _ON_THE_WAY)
        for met in course.descend(trial, problem, roughness, max_iter):
            done = (k + min(met.taken / max_iter, 1.0)) / len(stages)
            yield course.progress(met.unpack, str(basis), _STARTED + (1.0 - _STARTED) * done, _rmse(met.loss, problem))
        error = _checked(met.network, problem, roughness)
        if error < lowest * (1.0 - 1e-3):
            best, lowest, chosen, failures = met.network, error, roughness, 0
        else:
            failures += 1
        history.append(error)
        done = (k + 1) / len(stages)
        rmse = _rmse(loss_of(best, problem), problem)
        yield course.progress(as_it_is(best), str(basis), _STARTED + (1.0 - _STARTED) * done, rmse)
        if failures == 2 or course.enough():
            break
    return best, chosen, tuple(history)


def _polished(network: KAN, problem: Problem, roughness: float, course: _Course) -> Generator[FitProgress, None, KAN]:
    """Let every row have its say; return the better network on all rows."""
    before, rmse = course.iterations, _rmse(loss_of(network, problem), problem)
    polished = as_it_is(network)
    for step, polished in minibatch.polish(network, problem, roughness, course.config.random_state):
        course.iterations = before + step
        course.blocks += step % _POLISHED_AT_ONCE == 0
        yield course.progress(polished, "every row", 1.0, rmse)
        if course.enough():
            break
    return minibatch.better(polished(), network, problem)


def fitted(problem: Problem, config: FitConfig) -> FitResult:
    """Fit and return the result, for callers that do not watch."""
    for step in fit(problem, config):
        if isinstance(step, FitResult):
            return step
    raise TrainingError("The fit ended without a result.")
