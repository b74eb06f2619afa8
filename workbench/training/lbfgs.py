"""L-BFGS on the fused gradient: for networks of more constants than a Cholesky step can carry.

scipy's L-BFGS-B (Byrd, Lu, Nocedal & Zhu, 1995) with the gradient summed over blocks of rows. Constants that nearly cancel, as those of
rational functions do, are each counted in a unit of its own, in which it moves the outputs by about as much as the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from workbench.networks.kan import KAN
from workbench.networks.program import Evaluation, Program
from workbench.ops.threads import each_with_one_thread
from workbench.training import penalty
from workbench.training.lm import row_blocks
from workbench.training.problem import Problem
from workbench.training.stepwise import Stepwise

_JUDGED = 256  # rows that say what a constant is counted in


def descend(network: KAN, problem: Problem, roughness: float, sparsity: float, max_iter: int) -> Iterator[tuple[int, np.ndarray, float]]:
    """Run at most `max_iter` L-BFGS iterations, yielding after each: how many there were, the parameters, the loss without penalties.

    The last one yielded, in any case, is where it ends: never worse than where it began.
    """
    from scipy.optimize import OptimizeResult, minimize  # 0.3 s to import, needed for large networks only

    program = Program(network)
    blocks = row_blocks(problem)
    evaluations = [Evaluation(program, blocks[0].x)] if len(blocks) == 1 else None
    smooth = penalty.smoothness(program, problem, roughness)
    if sparsity:
        evaluation = Evaluation(program, blocks[0].x)
        evaluation.forward(program.parameters)
        smooth = penalty.with_sparsity(smooth, evaluation, program.parameters, sparsity, blocks[0].weights)
    free = np.flatnonzero(program.free)
    start, loss, units = program.parameters, 0.0, _units(program, problem)[free]

    def placed(z: np.ndarray) -> np.ndarray:
        parameters = start.copy()
        parameters[free] = z * units
        return parameters

    def objective(z: np.ndarray) -> tuple[float, np.ndarray]:
        nonlocal loss
        parameters = placed(z)
        total, gradient = smooth.value(parameters), np.zeros(len(start))
        loss = 0.0
        smooth.add_gradient(gradient, parameters)
        for block in blocks:
            evaluation = evaluations[0] if evaluations else Evaluation(program, block.x)
            outputs = evaluation.forward(parameters)
            part = block.objective(outputs)
            total, loss = total + part, loss + part
            gradient += evaluation.gradient(parameters, block.slope(outputs))
        return total / problem.mass, gradient[free] * units / problem.mass

    def run(tell: Callable[[np.ndarray], None]) -> OptimizeResult:
        return minimize(objective, start[free] / units, jac=True, method="L-BFGS-B", callback=tell, options={"maxiter": max_iter, "maxcor": 20})

    steps = Stepwise(run)
    for n, z in enumerate(each_with_one_thread(iter(steps)), 1):
        yield n, placed(z), loss
    objective(steps.result.x)  # a line search that failed has left the loss at another place
    yield int(steps.result.nit), placed(steps.result.x), loss


def _units(program: Program, problem: Problem) -> np.ndarray:
    """Return what each constant is counted in, (P,): ones, or the change that moves the outputs by about one, judged by some of the rows."""
    if not any(layer.basis.cancels for layer in program.layers):
        return np.ones(len(program.parameters))
    few = problem.thinned(_JUDGED)
    evaluation = Evaluation(program, few.x)
    outputs, squares = evaluation.forward(program.parameters), np.zeros(len(program.parameters))
    for seed, _ in few.curvature(outputs):
        jacobian = evaluation.jacobian(program.parameters, seed, np.empty((len(squares), few.n_rows)))
        squares += np.einsum("kn,kn->k", jacobian, jacobian)
    slopes = np.sqrt(squares / few.n_rows)
    return 1.0 / np.maximum(slopes, 1e-3 * (slopes.max() or 1.0))
