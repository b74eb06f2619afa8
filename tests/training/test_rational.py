"""Fitting rational edges: laws that are rational functions are learned exactly, others about as well as by splines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from workbench.bases.rational import Rational
from workbench.exceptions import TrainingError
from workbench.networks.kan import KAN, initial, nodes_of
from workbench.networks.program import Program
from workbench.networks.storage import to_arrays
from workbench.training import FitConfig, Problem, degrees_for, fitted, lm, penalty, refit
from workbench.training.ranges import refined

Law = Callable[[np.ndarray], np.ndarray]


def problem(law: Law, box: list[tuple[float, float]], n_rows: int, seed: int = 3, noise: float = 0.0) -> tuple[Problem, np.ndarray, np.ndarray]:
    """Return rows with a fifth of them to check on, and fresh ones with their true values."""
    generator = np.random.default_rng(seed)
    low, high = np.array(box).T

    def rows(n: int) -> tuple[np.ndarray, np.ndarray]:
        X = generator.uniform(low, high, (n, len(box)))
        return X, law(X.T)

    X, y = rows(n_rows)
    y = y + noise * y.std() * generator.normal(size=n_rows)
    checked, values = rows(n_rows // 5)
    given = Problem(X.T, y[None])
    fresh, truth = rows(997)
    return replace(given, validation=replace(Problem(checked.T, values[None]), scale=given.scale)), fresh, truth


def worst(network: KAN, fresh: np.ndarray, truth: np.ndarray) -> float:
    return float(np.abs(network(fresh)[:, 0] - truth).max() / np.abs(truth).max())


EXACT = {
    "runge": (lambda x: 1 / (1 + 25 * x[0] ** 2), [(-1.0, 1.0)]),
    "lorentz": (lambda x: 1 / ((x[0] - 1) ** 2 + 0.0025), [(0.2, 2.5)]),
    "driven oscillator": (lambda x: x[0] / ((x[0] ** 2 - 4) ** 2 + 0.25), [(0.5, 4.5)]),
    "sellmeier": (lambda x: 1 + 1.04 * x[0] ** 2 / (x[0] ** 2 + 0.006), [(0.1, 2.0)]),
    "two of them": (lambda x: 1 / (1 + x[0] ** 2) + x[1] / (1 + 4 * x[1] ** 2), [(-2.0, 3.0), (-2.0, 3.0)]),
}


@pytest.mark.parametrize("name", EXACT)
def test_a_law_of_rational_functions_is_learned_to_eight_digits(name: str) -> None:
    law, box = EXACT[name]
    rows, fresh, truth = problem(law, box, 503)
    result = fitted(rows, FitConfig(hidden_layer_sizes=(), basis="rational"))
    network, _ = refit(result.network, rows, 200, result.report.roughness)
    assert worst(network, fresh, truth) < 1e-8


def test_a_resonance_that_splines_fit_badly_is_no_trouble() -> None:
    law, box = EXACT["lorentz"]
    rows, fresh, truth = problem(law, box, 503)
    errors = {basis: worst(fitted(rows, FitConfig(hidden_layer_sizes=(), basis=basis)).network, fresh, truth) for basis in ("spline", "rational")}
    assert errors["spline"] > 0.1
    assert errors["rational"] < 1e-6


def test_a_network_of_rational_functions_learns_what_splines_learn() -> None:
    rows, fresh, truth = problem(lambda x: np.exp(np.sin(np.pi * x[0]) + x[1] ** 2), [(-1.0, 1.0)] * 2, 1009)
    result = fitted(rows, FitConfig(hidden_layer_sizes=(5,), basis="rational"))
    assert np.sqrt(np.mean((result.network(fresh)[:, 0] - truth) ** 2)) / truth.std() < 2e-3
    assert {result.network.state(edge) for edge in result.network.edges()} == {"rational"}


def test_a_network_too_large_for_normal_equations_learns_too() -> None:
    rows, fresh, truth = problem(lambda x: np.sin(2 * x[0]) * x[1] + x[2] ** 2, [(-1.0, 1.0)] * 3, 503)
    config = FitConfig(hidden_layer_sizes=(47,), basis="rational", degrees=((3, 2),), roughness=(1e-4,), n_starts=1, max_iter=12)
    network = fitted(rows, config).network
    assert len(Program(network).parameters) > 1100
    assert np.sqrt(np.mean((network(fresh)[:, 0] - truth) ** 2)) / truth.std() < 0.05


def test_noise_is_not_followed_into_spikes() -> None:
    law, box = EXACT["runge"]
    rows, fresh, truth = problem(law, box, 211, noise=0.1)
    network = fitted(rows, FitConfig(hidden_layer_sizes=(), basis="rational")).network
    assert worst(network, fresh, truth) < 0.05


@pytest.mark.parametrize("form", ["square", "abs_sum", "sum_abs"])
def test_every_form_of_the_denominator_can_be_fitted(form: str) -> None:
    rows, fresh, truth = problem(lambda x: np.sin(3 * x[0]) + x[1] ** 3, [(-1.0, 1.0)] * 2, 307)
    network = fitted(rows, FitConfig(hidden_layer_sizes=(), basis="rational", form=form, degrees=((5, 4),))).network
    assert {layer.basis for layer in network.layers} == {Rational(5, 4, form)}
    assert worst(network, fresh, truth) < 0.05


def test_sparsity_fades_an_input_that_nothing_depends_on() -> None:
    rows, fresh, truth = problem(lambda x: 1 / (1 + 4 * x[0] ** 2) + 0.0 * x[1], [(-1.0, 1.0)] * 2, 307, noise=0.02)
    network = fitted(rows, FitConfig(hidden_layer_sizes=(2,), basis="rational", sparsity=1e-3)).network
    moved = fresh.copy()
    moved[:, 1] = -moved[:, 1]
    assert np.abs(network(moved) - network(fresh)).max() < 0.05 * np.ptp(truth)


def test_classes_are_told_apart() -> None:
    generator = np.random.default_rng(4)
    X = generator.uniform(-1, 1, (601, 2))
    inside = (X[:, 0] ** 2 + 2 * X[:, 1] ** 2 < 0.6).astype(float)
    rows = Problem(X[:401].T, inside[None, :401], loss="cross_entropy", n_classes=2)
    rows = replace(rows, validation=Problem(X[401:501].T, inside[None, 401:501], loss="cross_entropy", n_classes=2))
    network = fitted(rows, FitConfig(hidden_layer_sizes=(2,), basis="rational")).network
    assert np.mean((network(X[501:])[:, 0] > 0) == inside[501:]) > 0.95


def test_the_same_seed_gives_the_same_bytes() -> None:
    rows, _, _ = problem(lambda x: x[0] * x[1], [(-1.0, 1.0)] * 2, 101)
    config = FitConfig(hidden_layer_sizes=(2,), basis="rational", random_state=7, max_iter=9)
    one, other = (to_arrays(fitted(rows, config).network)[1] for _ in range(2))
    for name, array in one.items():
        assert_array_equal(array, other[name])


def test_a_refit_is_never_worse_and_leaves_a_locked_edge_alone() -> None:
    rows, _, _ = problem(lambda x: 1 / (1 + x[0] ** 2) + x[1], [(-1.0, 1.0)] * 2, 211)
    network = initial([nodes_of(3), nodes_of(1)], rows.ranges, np.random.default_rng(2), basis=Rational(4, 3)).with_lock((0, 1, 2))
    normal = lm.Normal(Program(network), rows)
    before = normal.loss(Program(network).parameters)
    after, report = refit(network, rows, 15, roughness=1e-5)
    assert report.rmse**2 * rows.mass / 2 < before
    assert np.all(np.diff(report.history) <= 0)
    assert_array_equal(after.layers[0].coefficients[:, 2, 1], network.layers[0].coefficients[:, 2, 1])


def test_a_row_of_weight_two_is_the_row_given_twice() -> None:
    rows, _, _ = problem(lambda x: x[0] / (1 + x[1] ** 2), [(-1.0, 1.0)] * 2, 101)
    often = np.random.default_rng(6).integers(1, 3, 101)
    weighted = Problem(rows.x, rows.y, weights=often / often.mean(), scale=rows.scale)
    repeated = Problem(np.repeat(rows.x, often, axis=1), np.repeat(rows.y, often, axis=1), scale=rows.scale)
    network = initial([nodes_of(2), nodes_of(1)], rows.ranges, np.random.default_rng(1), basis=Rational(3, 2))
    one, other = (refit(network, given, 4, roughness=1e-4)[0] for given in (weighted, repeated))
    assert_allclose(one(rows.x.T), other(rows.x.T), rtol=1e-6, atol=1e-6)


def test_units_of_the_target_change_nothing() -> None:
    rows, fresh, _ = problem(lambda x: x[0] / (1 + x[1] ** 2), [(-1.0, 1.0)] * 2, 211)
    far = replace(Problem(rows.x, 1e20 * rows.y), validation=replace(Problem(rows.validation.x, 1e20 * rows.validation.y), scale=1e20 * rows.scale))
    config = FitConfig(hidden_layer_sizes=(2,), basis="rational", degrees=((3, 2),), max_iter=8)
    assert_allclose(1e-20 * fitted(far, config).network(fresh), fitted(rows, config).network(fresh), rtol=1e-4, atol=1e-4)


def test_orthogonal_steps_are_those_of_the_normal_equations_where_these_have_digits_enough() -> None:
    rows, _, _ = problem(lambda x: x[0] / (1 + x[1] ** 2), [(-1.0, 1.0)] * 2, 211)
    network = initial([nodes_of(2), nodes_of(1)], rows.ranges, np.random.default_rng(1), basis=Rational(2, 1)).with_lock((0, 1, 1))
    program = Program(network)
    normal, smooth, free = lm.Normal(program, rows), penalty.smoothness(program, rows, 1e-2), np.flatnonzero(program.free)
    parameters = program.parameters
    normal.loss(parameters)
    floor = normal.floor(parameters)[free]
    squared = normal.damped(parameters, smooth, free, floor, 0.0)
    direct = normal.orthogonal(parameters, smooth, free, floor, 0.0)
    for damping in (1.0, 1e-3):
        (step, decrease), (other, as_much) = squared.step(damping), direct.step(damping)
        assert_allclose(other, step, rtol=1e-6, atol=1e-9)
        assert_allclose(as_much, decrease, rtol=1e-8)


def test_finer_degrees_are_the_same_function_until_they_are_fitted() -> None:
    rows, fresh, _ = problem(lambda x: x[0] * x[1], [(-1.0, 1.0)] * 2, 101)
    network = initial([nodes_of(3), nodes_of(1)], rows.ranges, np.random.default_rng(1), basis=Rational(3, 2))
    assert_allclose(refined(network, Rational(8, 7))(fresh), network(fresh), rtol=1e-12, atol=1e-12)


def test_few_rows_get_few_constants() -> None:
    assert [degrees_for(n) for n in (20, 100, 1000)] == [((3, 2),), ((5, 4),), ((5, 4), (8, 8))]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"basis": "rationals"}, "Did you mean 'rational'"),
        ({"degrees": ((9, 4),)}, r"pairs from \(0, 0\) to \(8, 8\)"),
        ({"degrees": ()}, "one or more pairs"),
        ({"degrees": (5, 4)}, "give pairs"),
        ({"form": "squares"}, "give pairs .* and a form"),
    ],
)
def test_settings_that_mean_nothing_are_refused(settings: dict[str, object], words: str) -> None:
    with pytest.raises(TrainingError, match=words):
        FitConfig(**settings)
