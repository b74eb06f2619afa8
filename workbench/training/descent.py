"""One descent: blocks of iterations, with the hidden ranges following what they receive in between.

Without sparsity the blocks grow: every move of the ranges costs some of what was learned, and less and less needs moving. With sparsity they
stay short, for the weights of the group lasso are made anew at the start of each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from workbench.networks.kan import KAN
from workbench.networks.program import Evaluation, Program
from workbench.ops.threads import one_thread
from workbench.training import lbfgs, lm, penalty
from workbench.training.problem import Problem
from workbench.training.ranges import followed, gauged

_LM_PARAMETERS = 1100  # above it the cubic cost of a Cholesky step exceeds that of many gradients
_BLOCK, _LONGEST = 4, 32  # iterations between two looks at the ranges
_TELL = 4  # iterations between two words to whoever watches
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
    """Go down from where a network stands, yielding every few iterations; the last one yielded holds the best network."""
    best, damping, length = Met(network, np.inf, 0), 1.0, _BLOCK
    taken = 0
    while True:
        before, lowest = taken, best.loss
        for reached, loss, n in _block(network, problem, (roughness, sparsity, damping), min(length, max_iter - taken)):
            taken = before + max(n, 1)
            best = Met(reached, loss, taken) if loss < best.loss else Met(best.network, best.loss, taken)
            yield best
        network = reached
        standing = loss > (1.0 - _STANDING) * lowest and (not sparsity or taken >= _SPARSE)
        if n < _BLOCK or standing or taken >= max_iter:
            return
        moved = settled(network, problem)
        if loss_of(moved, problem) < _TORN * loss + 1e-9 * problem.mass:  # else the old ranges hold a curve that the new ones cannot
            network = moved
        damping = 1e-2
        length = length if sparsity else min(2 * length, _LONGEST)


def _block(network: KAN, problem: Problem, weights: tuple[float, float, float], length: int) -> Iterator[tuple[KAN, float, int]]:
    """Run at most `length` iterations under (roughness, sparsity), the damping starting where the third says.

    Yield the network, its loss and the iterations so far, at least once; within a block no step makes the objective worse.
    """
    roughness, sparsity, damping = weights
    program = Program(network)
    parameters = program.parameters
    if len(parameters) > _LM_PARAMETERS:
        found, n = lbfgs.descend(network, problem, roughness, sparsity, 8 * length)
        yield found, loss_of(found, problem), n
        return
    normal = lm.Normal(program, problem)
    smooth = penalty.smoothness(program, problem, roughness)
    if sparsity:
        smooth = penalty.with_sparsity(smooth, normal.evaluation(parameters), parameters, sparsity, normal.blocks[0].weights)
    steps, n = lm.iterate(normal, parameters, smooth, damping, length), 0
    while made := _some(steps):
        n += len(made)
        yield program.unpack(made[-1].parameters), made[-1].loss, n
    if not n:
        yield network, normal.loss(parameters), 0


@one_thread
def _some(steps: Iterator[lm.Step]) -> list[lm.Step]:
    return list(islice(steps, _TELL))


@one_thread
def settled(network: KAN, problem: Problem) -> KAN:
    """Return the network with hidden scales fixed and hidden ranges on what they receive."""
    program = Program(network)
    evaluation = Evaluation(program, np.ascontiguousarray(problem.x[:, :: max(1, problem.n_rows // 4000)]))
    evaluation.forward(program.parameters)
    return followed(*gauged(network, evaluation.slots, evaluation.inputs))


def loss_of(network: KAN, problem: Problem) -> float:
    """Return the loss of a network on a problem, without penalties."""
    program = Program(network)
    return problem.objective(program.predict(program.parameters, problem.x))
