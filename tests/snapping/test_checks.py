import numpy as np
import pytest
from numpy.testing import assert_allclose

from tests.snapping.conftest import leave_one_out, one_edge
from workbench.bases import bspline
from workbench.dataset import load_sample
from workbench.snapping import candidates, checks
from workbench.training import Problem
from workbench.training.score import row_errors, score


def test_leave_one_out_equals_refits_for_a_model_linear_in_its_constants() -> None:
    """The truth is made from normal equations of our own, one per row left out."""
    generator = np.random.default_rng(0)
    x = generator.uniform(-1, 2, 29)
    y = np.exp(x) + 0.3 * generator.normal(size=29)
    problem, roughness = leave_one_out(x, y), 1e-3
    network = one_edge(problem)
    layer = network.layers[0]
    values, _ = bspline.terms(x, tuple(layer.domain[0]), layer.basis.n_intervals)
    design = np.vstack([values, np.ones(29)]) / problem.scale[0]  # (n_constants, n_rows): spline, base, bias
    n_terms = len(values)
    difference = np.diff(np.eye(n_terms - 1), 2, axis=0)
    penalty = np.zeros((n_terms + 1, n_terms + 1))
    penalty[: n_terms - 1, : n_terms - 1] = roughness * difference.T @ difference
    penalty[:n_terms, :n_terms] += problem.ridge * np.eye(n_terms)
    penalty *= 29 / problem.scale[0] ** 2
    target = y / problem.scale[0]

    def solution(rows: np.ndarray) -> np.ndarray:
        return np.linalg.solve(design[:, rows] @ design[:, rows].T + penalty, design[:, rows] @ target[rows])

    every = np.arange(29)
    theta = solution(every)
    fitted = network.with_layer(0, coefficients=theta[: n_terms - 1, None, None], base=theta[n_terms - 1, None, None].reshape(1, 1), bias=theta[-1:])
    truth = [(design[:, i] @ solution(np.delete(every, i)) - target[i]) ** 2 for i in every]
    assert_allclose(checks.errors(fitted, problem, roughness), truth, rtol=1e-5)


def test_held_out_rows_are_simply_evaluated() -> None:
    x = np.random.default_rng(1).uniform(-1, 1, (1, 97))
    problem = Problem(x[:, :67], x[:, :67] ** 2, validation=Problem(x[:, 67:], x[:, 67:] ** 2))
    network = one_edge(problem)
    assert_allclose(checks.errors(network, problem), row_errors(network, problem.validation), rtol=1e-12)


def test_a_form_outside_its_domain_on_a_checked_row_is_infinitely_bad() -> None:
    from workbench.networks.kan import SymbolicEdge
    from workbench.primitives import PrimitiveForm, find

    x = np.linspace(0.5, 3, 41)[None]
    problem = Problem(x, np.log(x), validation=Problem(np.array([[-1.0, 1.0]]), np.zeros((1, 2))))
    network = one_edge(problem).with_symbolic((0, 0, 0), SymbolicEdge(PrimitiveForm(find("log")), (1.0, 1.0, 0.0), (True, False, False)))
    errors = checks.errors(network, problem)
    assert np.isinf(errors[0])
    assert np.isfinite(errors[1])


@pytest.mark.parametrize("weights", [None, np.random.default_rng(3).uniform(0.5, 2, 31)])
def test_several_targets_are_left_out_together(weights: np.ndarray | None) -> None:
    x = np.random.default_rng(2).uniform(-1, 1, 31)
    rows = np.arange(31)
    problem = Problem(x[None], np.stack([np.sin(x), 5 * x**2]), weights, folds=((rows[7:], rows[:7]), (rows[:20], rows[20:])))
    network = one_edge(problem)
    assert checks.errors(network, problem).shape == (7 + 11,)


def test_more_constants_than_rows_do_not_make_errors_of_any_size() -> None:
    """Three curves of two inputs on 31 rows: without a row some constants are free, and the linear formula sends it thousands of spreads away."""
    from workbench.discovery import Discovery

    found = Discovery(load_sample("cherry_trees")).fit(hidden_layer_sizes=(3,), random_state=0)
    snapped = candidates(found.network, found.network.edges()[0], found.problems[0], ["x", "sqrt", "exp"], roughness=found.state.roughness)
    refitted = [score(c.network, found.problems[0], found.state.roughness).rmse_validation for c in snapped]
    assert_allclose([c.rmse_validation for c in snapped], refitted, rtol=0.7)
