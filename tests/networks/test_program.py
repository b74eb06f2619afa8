"""Exact Jacobians: against finite differences in float64, for every kind of edge and node."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from workbench.networks import KAN
from workbench.networks.program import Evaluation, Program


def finite_differences(program: Program, x: np.ndarray, output: int) -> np.ndarray:
    theta, result = program.parameters, []
    for k in range(len(theta)):
        step = 1e-6 * max(1.0, abs(theta[k]))
        up, down = theta.copy(), theta.copy()
        up[k] += step
        down[k] -= step
        result.append((program.predict(up, x)[output] - program.predict(down, x)[output]) / (2 * step))
    return np.array(result)


def test_the_jacobian_of_every_constant_agrees_with_finite_differences(mixed: KAN, rows: np.ndarray) -> None:
    program = Program(mixed)
    x = np.ascontiguousarray(rows[:37].T)
    evaluation = Evaluation(program, x)
    evaluation.forward(program.parameters)
    for output in range(2):
        seed = np.zeros((2, 37))
        seed[output] = 1.0
        jacobian = evaluation.jacobian(program.parameters, seed, np.empty((len(program.parameters), 37)))
        assert_allclose(jacobian, finite_differences(program, x, output), rtol=2e-7, atol=2e-7 * np.abs(jacobian).max())


def test_the_gradient_is_the_jacobian_times_the_seed(mixed: KAN, rows: np.ndarray) -> None:
    program = Program(mixed)
    evaluation = Evaluation(program, np.ascontiguousarray(rows.T))
    evaluation.forward(program.parameters)
    seed = np.random.default_rng(2).normal(size=(2, 101))
    total = evaluation.jacobian(program.parameters, seed, np.empty((len(program.parameters), 101))).sum(1)
    assert_allclose(evaluation.gradient(program.parameters, seed), total, rtol=1e-11, atol=1e-11)


def test_both_ways_of_evaluating_agree(mixed: KAN, rows: np.ndarray) -> None:
    program = Program(mixed)
    x = np.ascontiguousarray(rows.T)
    assert_allclose(Evaluation(program, x).forward(program.parameters), program.predict(program.parameters, x), rtol=1e-13, atol=1e-13)


def test_locked_edges_and_fixed_constants_are_not_free(mixed: KAN) -> None:
    program = Program(mixed)
    layer = program.layers[1]
    place = next(k for k, pair in enumerate(zip(layer.edge_source, layer.edge_target, strict=True)) if pair == (1, 0))
    locked = slice(layer.start + place * layer.n_terms, layer.start + (place + 1) * layer.n_terms)
    assert not program.free[locked].any()
    assert program.free.sum() == len(program.free) - layer.n_terms


def test_unpacking_the_packed_constants_changes_nothing(mixed: KAN, rows: np.ndarray) -> None:
    program = Program(mixed)
    again = program.unpack(program.parameters)
    assert_array_equal(again(rows), mixed(rows))
    assert [again.state(edge) for edge in mixed.edges()] == [mixed.state(edge) for edge in mixed.edges()]
