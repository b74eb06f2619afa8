"""Refit: a warm start that goes to the nearest minimum, never to a worse one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial

from workbench.exceptions import TrainingError
from workbench.networks.kan import KAN, LEARNED
from workbench.networks.program import Program
from workbench.ops.threads import each_with_one_thread, one_thread
from workbench.training import lm, penalty
from workbench.training.config import FitProgress, FitReport, FitResult
from workbench.training.descent import BLOCK, loss_of, never
from workbench.training.problem import Problem

_MANY_ROWS = 20_000


def refit(
    network: KAN,
    problem: Problem,
    max_iter: int = 20,
    roughness: float = 1e-6,
    damping: float = 1e-3,
    tolerance: float = 1e-9,
) -> tuple[KAN, FitReport]:
    """Fit every free constant of a network, splines and forms together, from where they are.

    Parameters
    ----------
    network : KAN
    problem : the rows to fit
    max_iter : Levenberg-Marquardt iterations at most
    roughness : weight of the second-difference penalty of the splines
    damping : where the damping starts; small trusts the start
    tolerance : relative decrease of the objective over three iterations that counts as standing still

    Returns
    -------
    network, report : the fitted network is never worse, on these rows and under this penalty, than the one given

    Where forms are all there is, some of very many rows lead close to the minimum: then few steps are left for all of them.
    """
    few = problem.thinned(_MANY_ROWS)
    if few is not problem and not network.edges(*LEARNED):
        near, _ = refit(network, few, max_iter, roughness, damping, tolerance)
        network = near if loss_of(near, problem) <= loss_of(network, problem) else network
    for step in refitting(network, problem, max_iter, roughness, damping, tolerance):
        if isinstance(step, FitResult):
            return step.network, step.report
    raise TrainingError("The refit ended without a result.")


def refitting(
    network: KAN,
    problem: Problem,
    max_iter: int = 20,
    roughness: float = 1e-6,
    damping: float = 1e-3,
    tolerance: float = 1e-9,
    enough: Callable[[], bool] = never,
) -> Iterator[FitProgress | FitResult]:
    """Refit, yielding progress after every iteration; the last thing yielded is the FitResult. Where `enough` says so it ends there."""
    began = time.perf_counter()
    program = Program(network)
    smooth = penalty.smoothness(program, problem, roughness)
    normal = lm.Normal(program, problem)
    parameters, history, still = program.parameters, [], False
    for step in each_with_one_thread(lm.iterate(normal, parameters, smooth, damping, max_iter)):
        parameters = step.parameters
        history.append(step.objective)
        still = len(history) > 3 and history[-4] - history[-1] <= tolerance * history[-4]
        n, rmse = len(history), (2.0 * max(step.loss, 0.0) / problem.mass) ** 0.5
        yield FitProgress(partial(program.unpack, parameters), "", n / max_iter, rmse, n, n // BLOCK)
        if still or enough():
            break
    loss = one_thread(normal.loss)(parameters)
    report = FitReport(
        rmse=(2.0 * loss / problem.mass) ** 0.5,
        n_iter=len(history),
        seconds=time.perf_counter() - began,
        converged=still or len(history) < max_iter,
        roughness=roughness,
        history=tuple(history),
    )
    yield FitResult(program.unpack(parameters), report)
