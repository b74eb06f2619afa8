"""One descent: blocks of iterations, with the hidden ranges following what they receive in between.

Without sparsity the blocks grow: every move of the ranges costs some of what was learned, and less and less needs moving. With sparsity they
stay short, for the weights of the group lasso are made anew at the start of each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import numpy as np

from workbench.networks.kan import KAN
from workbench.networks.program import Evaluation, Program
from workbench.ops.threads import each_with_one_thread, one_thread
from workbench.training import lbfgs, lm, penalty, torch_descent
from workbench.training.problem import Problem
from workbench.training.ranges import followed, gauged
from workbench.training.torch_descent import Way

BLOCK = 4  # iterations of the first block: as many as are worth a look at the ranges
_LM_PARAMETERS = 1100  # above it the cubic cost of a Cholesky step exceeds that of many gradients
_LONGEST = 32  # iterations between two looks at the ranges
_LOOK = 4  # iterations between two looks for the best network
_STANDING = 0.02  # a block that gains less of the loss than this ends the descent
_SPARSE = 20  # iterations a sparse descent runs in any case: the loss may rise while edges fade
_CANCELLING = 16  # and one of rational functions: common factors have to be got rid of before there is a way down
_NATIVE = Way()
_TORN = 10.0  # times the loss before: ranges that make it worse than this are not taken


@dataclass(frozen=True)
class Met:
    """Where a descent is.

    Parameters
    ----------
    unpack : makes the network: inside a block the present one, at its end the best one met
    loss : of that network, without penalties
    taken : iterations so far
    whole : whether a block has ended here
    """

    unpack: Callable[[], KAN]
    loss: float
    taken: int
    whole: bool

    @property
    def network(self) -> KAN:
        return self.unpack()


def never() -> bool:
    """Say that it is not enough yet: a descent that nobody stops."""
    return False


def descend(
    network: KAN, problem: Problem, roughness: float, sparsity: float, max_iter: int, enough: Callable[[], bool] = never, way: Way = _NATIVE
) -> Iterator[Met]:
    """Go down from where a network stands, yielding after every iteration; the last one yielded holds the best network.

    `enough` is asked after every yield: where it says so the block and the descent end at this iteration.
    """
    best, damping, length, taken = Met(as_it_is(network), np.inf, 0, True), 1.0, BLOCK, 0
    least = _SPARSE if sparsity else _CANCELLING if any(layer.basis.cancels for layer in network.layers) else 0
    while True:
        before, lowest = taken, best.loss
        for here in _block(network, problem, (roughness, sparsity, damping), min(length, max_iter - taken), way):
            taken = before + max(here.n, 1)
            if here.counts:
                best = _better(best, here)
            yield Met(here.unpack, here.loss, taken, False)
            if enough():
                break
        best, network, loss = replace(_better(best, here), taken=taken, whole=True), here.unpack(), here.loss
        yield best
        standing = loss > (1.0 - _STANDING) * lowest and taken >= least
        if here.n < BLOCK or standing or taken >= max_iter or enough():
            return
        moved = settled(network, problem)
        if loss_of(moved, problem) < _TORN * loss + 1e-9 * problem.mass:  # else the old ranges hold a curve that the new ones cannot
            network = moved
        damping = 1e-2
        length = length if sparsity else min(2 * length, _LONGEST)


class _Reached(NamedTuple):
    """Where a block is: after n iterations, at a network of some loss, which may count as the best one or is only passed by."""

    n: int
    unpack: Callable[[], KAN]
    loss: float
    counts: bool


def _better(best: Met, here: _Reached) -> Met:
    return replace(best, unpack=here.unpack, loss=here.loss) if here.loss < best.loss else best


def as_it_is(network: KAN) -> Callable[[], KAN]:
    """Return what makes a network that is there already."""
    return lambda: network


def _block(
    network: KAN, problem: Problem, weights: tuple[float, float, float], length: int, way: Way
) -> Iterator[_Reached]:
    """Run at most `length` iterations under (roughness, sparsity), the damping starting where the third says.

    Yields after each, at least once. Within a block no step makes the objective worse.
    """
    roughness, sparsity, damping = weights
    if way.engine != "native":
        for n, unpack, loss in torch_descent.descend(network, problem, roughness, sparsity, length, way):
            yield _Reached(n, unpack, loss, False)
        return
    program = Program(network)
    parameters = program.parameters
    if way.optimizer == "lbfgs" or (way.optimizer == "auto" and len(parameters) > _LM_PARAMETERS):
        for n, parameters, loss in lbfgs.descend(network, problem, roughness, sparsity, 8 * length):
            yield _Reached(n, partial(program.unpack, parameters), loss, False)
        return
    normal = lm.Normal(program, problem)
    smooth = penalty.smoothness(program, problem, roughness)
    if sparsity:
        smooth = penalty.with_sparsity(smooth, normal.evaluation(parameters), parameters, sparsity, normal.blocks[0].weights)
    n = 0
    for n, step in enumerate(each_with_one_thread(lm.iterate(normal, parameters, smooth, damping, length)), 1):
        yield _Reached(n, partial(program.unpack, step.parameters), step.loss, n % _LOOK == 0)
    if not n:
        yield _Reached(0, as_it_is(network), normal.loss(parameters), True)


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
