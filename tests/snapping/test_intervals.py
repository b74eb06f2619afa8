import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import curve_fit
from scipy.stats import t as student

from tests.snapping.conftest import one_edge
from workbench.exceptions import SnapError
from workbench.snapping import intervals, snap
from workbench.training import Problem, refit


def decay(x: np.ndarray, c: float, a: float, d: float) -> np.ndarray:
    return c * np.exp(a * x) + d


@pytest.fixture(scope="module")
def measured() -> Problem:
    generator = np.random.default_rng(0)
    x = generator.uniform(0, 4, 97)
    return Problem(x[None], (decay(x, 12.0, -0.8, 3.0) + 0.3 * generator.normal(size=97))[None])


def test_they_are_those_of_nonlinear_regression(measured: Problem) -> None:
    """scipy's curve_fit is the judge."""
    network, _ = refit(snap(one_edge(measured), (0, 0, 0), "exp", measured), measured, 50)
    truth, covariance = curve_fit(decay, measured.x[0], measured.y[0], p0=(12, -0.8, 3))
    found = {i.name: i for i in intervals(network, (0, 0, 0), measured, level=0.9)}
    assert set(found) == {"c", "a", "d"}
    values = [found[name].value for name in ("c", "a", "d")]
    errors = np.sqrt(covariance.diagonal())
    assert_allclose(values, truth, rtol=1e-5)
    assert_allclose([found[name].standard_error for name in ("c", "a", "d")], errors, rtol=1e-4)
    reach = student.ppf(0.95, 97 - 3) * errors
    assert_allclose([found[name].high for name in ("c", "a", "d")], truth + reach, rtol=1e-4)


def test_weights_count(measured: Problem) -> None:
    weights = np.random.default_rng(1).uniform(0.2, 2, 97)
    weights /= weights.mean()
    problem = Problem(measured.x, measured.y, weights)
    network, _ = refit(snap(one_edge(problem), (0, 0, 0), "exp", problem), problem, 50)
    _, covariance = curve_fit(decay, problem.x[0], problem.y[0], p0=(12, -0.8, 3), sigma=weights**-0.5)
    found = [i.standard_error for i in intervals(network, (0, 0, 0), problem)]
    assert_allclose(found, np.sqrt(covariance.diagonal()), rtol=1e-3)


def test_a_factor_that_a_spline_above_takes_over_is_not_identifiable(hello) -> None:
    network, problem = hello
    snapped = snap(network, (0, 0, 0), "sin", problem)
    found = {i.name: i for i in intervals(snapped, (0, 0, 0), problem)}
    assert found["a"].identifiable
    assert_allclose(found["a"].value, np.pi, atol=max(3 * found["a"].standard_error, 1e-3))
    for name in ("c", "d"):  # the scale and the origin of a hidden node
        assert not found[name].identifiable or found[name].standard_error > 100 * found["a"].standard_error


def test_two_ways_to_say_one_thing_are_not_identifiable(measured: Problem) -> None:
    network = snap(one_edge(measured), (0, 0, 0), "a*b*exp(-k*x)", measured)
    found = {i.name: i for i in intervals(network, (0, 0, 0), measured)}
    assert [found[name].identifiable for name in ("a", "b", "k")] == [False, False, True]
    assert np.isinf(found["a"].high)


def test_an_edge_without_a_form_has_no_constants(hello) -> None:
    with pytest.raises(SnapError, match="Snap it first"):
        intervals(hello[0], (0, 0, 0), hello[1])
