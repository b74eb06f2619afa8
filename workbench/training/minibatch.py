"""Many rows: begin on a sample, then let every row have its say in mini-batches.

A network of a few hundred constants is determined by some ten thousand rows as well as by a million; Levenberg-Marquardt on a sample gets
there, and Adam over mini-batches (Kingma & Ba, 2015) with a falling rate removes what the sample got wrong. The polished network is kept only
when it is better on all rows. Memory is that of one batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from workbench.networks.kan import KAN
from workbench.networks.program import Evaluation, Program
from workbench.training import penalty
from workbench.training.lm import row_blocks
from workbench.training.problem import Problem

_BATCH = 4096
STEPS = 400


def sample(problem: Problem, n_rows: int, random_state: int) -> Problem:
    """Return the problem on a random sample of its rows; the validation part is sampled alike."""
    generator = np.random.default_rng(random_state)
    rows = np.sort(generator.choice(problem.n_rows, n_rows, replace=False))
    held_out = problem.validation
    if held_out is not None and held_out.n_rows > n_rows:
        held_out = held_out.rows(np.sort(generator.choice(held_out.n_rows, n_rows, replace=False)))
    return replace(problem.rows(rows), validation=held_out)


def loss_on_all(program: Program, parameters: np.ndarray, problem: Problem) -> float:
    """Return the loss on every row, block by block."""
    return sum(block.objective(program.predict(parameters, block.x)) for block in row_blocks(problem))


def polish(network: KAN, problem: Problem, roughness: float, random_state: int, rate: float = 1e-3) -> Iterator[tuple[int, Callable[[], KAN]]]:
    """Polish a network with Adam over mini-batches of all rows, yielding after every step: its number, and what makes the network."""
    generator = np.random.default_rng(random_state)
    program = Program(network)
    parameters, free = program.parameters.copy(), program.free
    smooth = replace(penalty.smoothness(program, problem, roughness), mass=_BATCH)
    first, second = np.zeros_like(parameters), np.zeros_like(parameters)
    size = np.maximum(np.abs(parameters), 0.1 * np.abs(parameters).mean())  # a step relative to each constant's own size
    for step in range(1, STEPS + 1):
        batch = problem.rows(np.sort(generator.integers(0, problem.n_rows, _BATCH)))
        evaluation = Evaluation(program, batch.x)
        gradient = evaluation.gradient(parameters, batch.slope(evaluation.forward(parameters)))
        smooth.add_gradient(gradient, parameters)
        gradient = np.where(free, gradient * size / _BATCH, 0.0)
        first = 0.9 * first + 0.1 * gradient
        second = 0.99 * second + 0.01 * gradient**2
        towards = (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.99**step)) + 1e-12)
        parameters -= rate * 0.5 * (1 + np.cos(np.pi * step / STEPS)) * size * towards
        yield step, partial(program.unpack, parameters.copy())


def better(network: KAN, other: KAN, problem: Problem) -> KAN:
    """Return the one of two networks that is better on all rows, the other one where they are equal."""
    losses = [loss_on_all(program, program.parameters, problem) for program in (Program(network), Program(other))]
    return network if losses[0] < losses[1] else other
