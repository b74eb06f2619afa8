"""Refit: a warm start that goes to the nearest minimum, never to a worse one."""

from __future__ import annotations

import time

from workbench.networks.kan import KAN
from workbench.networks.program import Program
from workbench.ops.threads import one_thread
from workbench.training import lm, penalty
from workbench.training.config import FitReport
from workbench.training.problem import Problem


@one_thread
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
    """
    began = time.perf_counter()
    program = Program(network)
    smooth = penalty.smoothness(program, problem, roughness)
    normal = lm.Normal(program, problem)
    parameters, history, still = program.parameters, [], False
    for step in lm.iterate(normal, parameters, smooth, damping, max_iter):
        parameters = step.parameters
        history.append(step.objective)
        still = len(history) > 3 and history[-4] - history[-1] <= tolerance * history[-4]
        if still:
            break
    loss = normal.loss(parameters)
    report = FitReport(
        rmse=(2.0 * loss / problem.mass) ** 0.5,
        n_iter=len(history),
        seconds=time.perf_counter() - began,
        converged=still or len(history) < max_iter,
        roughness=roughness,
        history=tuple(history),
    )
    return program.unpack(parameters), report
