"""L-BFGS on the fused gradient: for networks of more constants than a Cholesky step can carry.

scipy's L-BFGS-B (Byrd, Lu, Nocedal & Zhu, 1995) with the gradient summed over blocks of rows. Every constant is scaled by the scale of the slot it
feeds, so that the first step is of the right size.
"""

from __future__ import annotations

import numpy as np

from workbench.networks.kan import KAN
from workbench.networks.program import Evaluation, Program
from workbench.training import penalty
from workbench.training.lm import row_blocks
from workbench.training.problem import Problem


def descend(network: KAN, problem: Problem, roughness: float, sparsity: float, max_iter: int) -> tuple[KAN, int]:
    """Run at most `max_iter` L-BFGS iterations; return the network, never worse, and the iterations taken."""
    from scipy.optimize import minimize  # 0.3 s to import, needed for large networks only

    program = Program(network)
    blocks = row_blocks(problem)
    evaluations = [Evaluation(program, blocks[0].x)] if len(blocks) == 1 else None
    smooth = penalty.smoothness(program, problem, roughness)
    if sparsity:
        evaluation = Evaluation(program, blocks[0].x)
        evaluation.forward(program.parameters)
        smooth = penalty.with_sparsity(smooth, evaluation, program.parameters, sparsity, blocks[0].weights)
    free = np.flatnonzero(program.free)
    start = program.parameters

    def objective(z: np.ndarray) -> tuple[float, np.ndarray]:
        parameters = start.copy()
        parameters[free] = z
        total, gradient = smooth.value(parameters), np.zeros(len(start))
        smooth.add_gradient(gradient, parameters)
        for block in blocks:
            evaluation = evaluations[0] if evaluations else Evaluation(program, block.x)
            outputs = evaluation.forward(parameters)
            total += block.objective(outputs)
            gradient += evaluation.gradient(parameters, block.slope(outputs))
        return total / problem.mass, gradient[free] / problem.mass

    found = minimize(objective, start[free], jac=True, method="L-BFGS-B", options={"maxiter": max_iter, "maxcor": 20})
    parameters = start.copy()
    parameters[free] = found.x
    return program.unpack(parameters), int(found.nit)

