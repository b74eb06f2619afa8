"""Levenberg-Marquardt: it goes to the minimum, never uphill, in any unit, and the same way every time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import curve_fit

from workbench.exceptions import TrainingError
from workbench.expression import parse
from workbench.networks import SymbolicEdge
from workbench.networks.compile import compile_expression
from workbench.networks.kan import initial, nodes_of
from workbench.networks.program import Program
from workbench.primitives import PrimitiveForm, find
from workbench.training import FitConfig, Problem, fitted, lm, penalty, refit


def hello(n_rows: int = 397) -> Problem:
    X = np.random.default_rng(1).uniform(-1, 1, (n_rows, 2))
    y = np.exp(np.sin(np.pi * X[:, 0]) + X[:, 1] ** 2)
    cut = int(0.8 * n_rows)
    problem = Problem(X[:cut].T, y[None, :cut])
    return replace(problem, validation=Problem(X[cut:].T, y[None, cut:], scale=problem.scale))


def test_every_step_goes_downhill() -> None:
    problem = hello()
    program = Program(initial([nodes_of(5), nodes_of(1)], problem.ranges, np.random.default_rng(0)))
    smooth = penalty.smoothness(program, problem, 1e-4)
    objectives = [step.objective for step in lm.iterate(lm.Normal(program, problem), program.parameters, smooth, 1.0, 40)]
    assert len(objectives) > 20
    assert all(later < earlier for earlier, later in zip(objectives, objectives[1:], strict=False))


def test_named_edges_reach_scipys_minimum() -> None:
    x = np.linspace(0.1, 3.0, 83)
    y = 2.5 * np.exp(-1.7 * x) + 0.4 + 0.02 * np.random.default_rng(3).normal(size=83)
    network = initial([nodes_of(1)], np.array([[0.1, 3.0]]), np.random.default_rng(0))
    network = network.with_symbolic((0, 0, 0), SymbolicEdge(PrimitiveForm(find("exp")), (1.0, -1.0, 0.0), (True, True, False)))
    found, report = refit(network, Problem(x[None], y[None]), max_iter=60)
    truth, _ = curve_fit(lambda x, c, a, d: c * np.exp(a * x) + d, x, y, p0=(1, -1, 0))
    snapped = found.symbolic_edge((0, 0, 0))
    assert report.converged
    assert_allclose([snapped.parameters[0], snapped.parameters[1], found.layers[0].bias[0]], truth, rtol=1e-6)


def test_weights_count_as_repeated_rows() -> None:
    x = np.linspace(0.5, 2.0, 29)
    y = x**1.5 + 0.1 * np.sin(40 * x)
    times = np.arange(29) % 3 + 1
    network = initial([nodes_of(1)], np.array([[0.5, 2.0]]), np.random.default_rng(0), n_intervals=3)
    scale = np.ones(1)
    weighted, _ = refit(network, Problem(x[None], y[None], times / times.mean(), scale=scale), 50)
    repeated, _ = refit(network, Problem(np.repeat(x, times)[None], np.repeat(y, times)[None], scale=scale), 50)
    assert_allclose(weighted(x[:, None]), repeated(x[:, None]), rtol=1e-6)


def test_units_of_the_data_change_nothing_but_the_units() -> None:
    problem = hello()
    stretch, shift = np.array([[1e4], [1e-5]]), np.array([[3e4], [0.0]])
    held_out = problem.validation
    moved = Problem(
        problem.x * stretch + shift,
        problem.y * 1e6,
        validation=Problem(held_out.x * stretch + shift, held_out.y * 1e6, scale=problem.scale * 1e6),
    )
    config = FitConfig(max_iter=12, n_starts=1, intervals=(5,))
    plain, scaled = fitted(problem, config), fitted(moved, config)
    assert_allclose(scaled.network(moved.x.T), 1e6 * plain.network(problem.x.T), rtol=1e-5)


def test_a_fit_is_the_same_to_the_last_bit() -> None:
    problem = hello()
    config = FitConfig(max_iter=8, n_starts=2, intervals=(5,), sparsity=1e-3, random_state=7)
    assert_array_equal(fitted(problem, config).network(problem.x.T), fitted(problem, config).network(problem.x.T))


def test_the_hello_function_is_learned_to_a_thousandth() -> None:
    problem = hello(997)
    result = fitted(problem, FitConfig(random_state=0))
    fresh = np.random.default_rng(2).uniform(-1, 1, (1000, 2))
    truth = np.exp(np.sin(np.pi * fresh[:, 0]) + fresh[:, 1] ** 2)
    assert np.sqrt(np.mean((result.network(fresh)[:, 0] - truth) ** 2)) < 2e-3


def test_a_product_node_learns_a_product_exactly() -> None:
    X = np.random.default_rng(4).uniform(1, 3, (211, 2))
    problem = Problem(X.T, (X[:, 0] ** 2 / X[:, 1])[None])
    result = fitted(problem, FitConfig(hidden_layer_sizes=(0,), product_nodes=((2,),), intervals=(5, 10)))
    assert result.report.rmse < 1e-4


def test_classes_are_told_apart_by_cross_entropy() -> None:
    generator = np.random.default_rng(6)
    X = generator.uniform(-1, 1, (607, 2))
    labels = (X[:, 0] ** 2 + X[:, 1] ** 2 > 0.5).astype(int) + (X[:, 1] > 0.3)
    problem = Problem(X.T, labels[None].astype(float), None, "cross_entropy", 3)
    network = fitted(problem, FitConfig(n_starts=1, max_iter=12, intervals=(5,), roughness=(1e-3,))).network
    assert (problem.probabilities(network(X).T).argmax(0) == labels).mean() > 0.97


def test_the_cross_entropy_curvature_is_the_second_derivative() -> None:
    generator = np.random.default_rng(8)
    problem = Problem(generator.normal(size=(1, 5)), generator.integers(0, 3, (1, 5)).astype(float), None, "cross_entropy", 3)
    outputs = generator.normal(size=(3, 5))
    for row in range(5):
        matrix = sum(sign * np.outer(seed[:, row], seed[:, row]) for seed, sign in problem.curvature(outputs))
        numeric = np.empty((3, 3))
        for t in range(3):
            step = np.zeros_like(outputs)
            step[t, row] = 1e-6
            numeric[:, t] = (problem.slope(outputs + step)[:, row] - problem.slope(outputs - step)[:, row]) / 2e-6
        assert_allclose(matrix, numeric, atol=1e-8)


def test_large_networks_train_by_lbfgs() -> None:
    X = np.random.default_rng(9).uniform(-1, 1, (499, 7))
    y = np.sin(3 * X[:, 0]) + X[:, 1] * X[:, 2]
    problem = Problem(X.T, y[None])
    result = fitted(problem, FitConfig(hidden_layer_sizes=(23,), n_starts=1, intervals=(5,), roughness=(1e-4,), max_iter=12))
    assert result.report.rmse < 0.1


def test_rows_that_are_no_rows_are_refused() -> None:
    with pytest.raises(TrainingError, match="no rows to fit"):
        Problem(np.empty((2, 0)), np.empty((1, 0)))
    with pytest.raises(TrainingError, match=r"x \(n_inputs, n_rows\)"):
        Problem(np.zeros((2, 5)), np.zeros((1, 7)))


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"hidden_layer_sizes": (-1,)}, "sizes are whole numbers"),
        ({"intervals": ()}, "one or more whole numbers"),
        ({"sparsity": -1.0}, "weights from 0 up"),
        ({"n_starts": 0}, "at least 1"),
        ({"hidden_layer_sizes": (), "product_nodes": ((2,),)}, "one tuple of arities per hidden layer"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict, sentence: str) -> None:
    with pytest.raises(TrainingError, match=sentence):
        FitConfig(**settings)


def test_of_very_many_rows_some_lead_to_the_minimum_of_all() -> None:
    generator = np.random.default_rng(4)
    X = generator.uniform(0.2, 2.0, (50_021, 1))
    y = 1.7 * np.exp(-0.6 * X[:, 0]) + 0.05 * generator.normal(size=len(X))
    problem = Problem(X.T, y[None])
    network = compile_expression(parse("1.1*exp(-0.2*x)"), ["x"], X)
    found, report = refit(network, problem, 100)
    best = curve_fit(lambda x, c, a: c * np.exp(a * x), X[:, 0], y, [1.0, -0.1])[0]
    assert_allclose(found(X)[:, 0], best[0] * np.exp(best[1] * X[:, 0]), rtol=1e-6)
    assert report.n_iter < 8
