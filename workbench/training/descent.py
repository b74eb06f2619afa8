"""One descent: blocks of iterations, with the hidden ranges following what they receive in between.

Without sparsity the blocks grow: every move of the ranges costs some of what was learned, and less and less needs moving. With sparsity they
stay short, for the weights of the group lasso are made anew at the start of each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from workbench.networks.kan import KAN
from workbench.networks.program import Program
from workbench.ops.threads import one_thread
from workbench.trace import trace
from workbench.training import lbfgs, lm, penalty
from workbench.training.problem import Problem
from workbench.training.ranges import followed, gauged

_LM_PARAMETERS = 1100  # above it the cubic cost of a Cholesky step exceeds that of many gradients
_BLOCK, _LONGEST = 4, 32  # iterations between two looks at the ranges
_STANDING = 0.02  # a block that gains less of the loss than this ends the descent
_SPARSE = 20  # iterations a sparse descent runs in any case: the loss may rise while edges fade
_TORN = 10.0  # times the loss before: ranges that make it worse than this are not taken


@dataclass(frozen=True)
class Met:
    """The best network a descent has met, its loss, and the iterations so far."""

    network: KAN
    loss: float
    taken: int


def descend(network: KAN, problem: Problem, roughness: float, sparsity: float, max_iter: int) -> Iterator[Met]:
    """Go down from where a network stands, yielding after every block; the last one yielded holds the best network."""
    taken, damping, best, lowest, length = 0, 1.0, network, np.inf, _BLOCK
    while taken < max_iter:
        network, n = _block(network, problem, (roughness, sparsity, damping), min(length, max_iter - taken))
        taken += max(n, 1)
        loss = loss_of(network, problem)
        standing = loss > (1.0 - _STANDING) * lowest and (not sparsity or taken >= _SPARSE)
        if loss < lowest:
            best, lowest = network, loss
        yield Met(best, lowest, taken)
        if n < _BLOCK or standing:
            return
        moved = settled(network, problem)
        if loss_of(moved, problem) < _TORN * loss + 1e-9 * problem.mass:  # else the old ranges hold a curve that the new ones cannot
            network = moved
        damping = 1e-2
        length = length if sparsity else min(2 * length, _LONGEST)


@one_thread
def _block(network: KAN, problem: Problem, weights: tuple[float, float, float], length: int) -> tuple[KAN, int]:
    """Run at most `length` iterations under (roughness, sparsity), the damping starting where the third says."""
    roughness, sparsity, damping = weights
    program = Program(network)
    if len(program.parameters) > _LM_PARAMETERS:
        return lbfgs.descend(network, problem, roughness, sparsity, 8 * length)
    normal = lm.Normal(program, problem)
    parameters = program.parameters
    smooth = penalty.smoothness(program, problem, roughness)
    if sparsity:
        smooth = penalty.with_sparsity(smooth, normal.evaluation(parameters), parameters, sparsity, normal.blocks[0].weights)
    steps = 0
    for step in lm.iterate(normal, parameters, smooth, damping, length):
        parameters, steps = step.parameters, steps + 1
    return program.unpack(parameters), steps


@one_thread
def settled(network: KAN, problem: Problem) -> KAN:
    """Return the network with hidden scales fixed and hidden ranges on what they receive."""
    sample = problem.x[:, :: max(1, problem.n_rows // 4000)]
    return followed(trace(gauged(trace(network, sample)), sample))


def loss_of(network: KAN, problem: Problem) -> float:
    """Return the loss of a network on a problem, without penalties."""
    program = Program(network)
    return problem.objective(program.predict(program.parameters, problem.x))
