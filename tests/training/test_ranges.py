"""Ranges follow what a fit does to its hidden nodes, however far that goes."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from workbench.networks.kan import KAN, initial, nodes_of
from workbench.networks.program import Evaluation, Program
from workbench.training import Problem
from workbench.training.descent import settled

X = np.random.default_rng(5).uniform(0.2, 1.0, (2, 101))
PROBLEM = Problem(X, (X[0] * X[1])[None])


def thrown(bias: float, alive: bool) -> KAN:
    """A network whose one hidden node was taken far away, with or without anything that moves it."""
    network = initial([nodes_of(1), nodes_of(1)], PROBLEM.ranges, np.random.default_rng(3))
    layer = network.layers[0]
    return network.with_layer(0, coefficients=alive * layer.coefficients, base=alive * layer.base, bias=np.array([bias]))


def hidden(network: KAN) -> np.ndarray:
    program = Program(network)
    evaluation = Evaluation(program, X)
    evaluation.forward(program.parameters)
    return evaluation.inputs[1][0]


@pytest.mark.parametrize("alive", [True, False])
@pytest.mark.parametrize("bias", [3.0, -7e5, 1e13])
def test_a_node_that_a_fit_has_thrown_far_away_gets_a_range_around_its_values(bias: float, alive: bool) -> None:
    network = thrown(bias, alive)
    for _ in range(3):
        network = settled(network, PROBLEM)
        assert np.isfinite(network.layers[1].coefficients).all()
    (low, high), values = network.layers[1].domain[0], hidden(network)
    assert low < high
    assert low <= values.min() <= values.max() <= high


def test_nothing_is_lost_where_a_node_is_only_a_little_away() -> None:
    before = thrown(0.3, True)
    program, after = Program(before), Program(settled(before, PROBLEM))
    assert_allclose(Evaluation(after, X).forward(after.parameters), Evaluation(program, X).forward(program.parameters), atol=1e-3)
