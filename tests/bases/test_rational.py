"""Rational functions as edges: the exact definition, other ranges, projection, the penalty, refused settings."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.integrate import quad

from workbench.bases.basis import Places
from workbench.bases.rational import Rational
from workbench.exceptions import NetworkError
from workbench.expression import Symbol, evaluate, substitute
from workbench.ops import starts
from workbench.ops.rational import FORMS

DOMAIN = (-3.0, 4.0)


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest) -> str:
    return request.param


def some(basis: Rational, n_edges: int = 3, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n_edges, basis.n_terms))


@pytest.mark.parametrize("degrees", [(5, 4), (0, 0), (8, 8), (0, 3), (4, 0)])
def test_a_value_is_the_function_that_the_start_tables_speak_of(degrees: tuple[int, int], form: str) -> None:
    basis = Rational(*degrees, form)
    x = np.linspace(-5.0, 6.0, 37)
    u = (2 * x - 1.0) / 7.0
    for theta in some(basis):
        expected = starts.evaluate(u, theta[: basis.n_above], theta[basis.n_above :], form)
        assert_allclose(basis.value(theta[None], x, DOMAIN)[0], expected, rtol=1e-12, atol=1e-12)
        assert_allclose(basis.definition("phi_0_0_0", theta, DOMAIN)(x), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("degrees", [(5, 4), (0, 0), (8, 8), (0, 3), (4, 0)])
def test_the_definition_is_written_as_it_is_computed(degrees: tuple[int, int], form: str) -> None:
    basis = Rational(*degrees, form)
    definition = basis.definition("phi_0_0_0", some(basis)[0], DOMAIN)
    x = np.linspace(-5.0, 6.0, 37)
    for written in (definition.outer, definition.by_powers):
        whole = substitute(written, {"u": definition.inner})
        assert_allclose(evaluate(whole, {"x": x}) * np.ones(37), definition(x), rtol=1e-11, atol=1e-11)
    assert definition.n_constants == sum(degrees) + 1


def test_the_slope_of_a_definition_is_a_difference_of_values(form: str) -> None:
    definition = Rational(5, 4, form).definition("phi_0_0_0", some(Rational(5, 4))[0], DOMAIN)
    x, h = np.linspace(-4.9, 5.8, 37), 1e-6  # the middle, where |u| has no slope, is not among them
    value, slope = definition.value_and_slope(x)
    assert_array_equal(value, definition(x))
    assert_allclose(slope, (definition(x + h) - definition(x - h)) / (2 * h), rtol=1e-6, atol=1e-7)


def test_a_range_of_the_same_middle_changes_nothing_and_higher_degrees_neither(form: str) -> None:
    basis, x = Rational(4, 3, form), np.linspace(-9.0, 10.0, 41)
    theta = some(basis)
    for onto in (basis, Rational(8, 5, form)):
        moved = basis.moved(theta, DOMAIN, (-6.5, 7.5), onto)
        assert_allclose(onto.value(moved, x, (-6.5, 7.5)), basis.value(theta, x, DOMAIN), rtol=1e-10, atol=1e-10)


def test_a_range_of_another_middle_takes_the_curves_over() -> None:
    """x^2 - 2 over 1 + x^2 can be said there too, for numerator and denominator have a common factor to spare."""
    basis, x = Rational(5, 4), np.linspace(1.0, 4.0, 41)
    theta = np.zeros((1, basis.n_terms))
    theta[0, [0, 2, 6]] = [-2.0, 1.0, 1.0]  # a_0, a_2, b_1
    moved = basis.moved(theta, (-1.0, 1.0), (1.0, 4.0), basis)
    assert_allclose(basis.value(moved, x, (1.0, 4.0))[0], (x**2 - 2) / (1 + x**2), atol=1e-5)


def test_an_input_is_followed_by_a_range_of_the_same_middle_where_that_will_do() -> None:
    basis, present = Rational(), np.array([-1.0, 1.0])
    assert basis.range_for(present, -0.8, 1.2) is None
    assert basis.range_for(present, -1.0, 2.5) == (-2.5, 2.5)
    assert basis.range_for(present, -0.1, 0.1) == (-0.1, 0.1)
    assert basis.range_for(present, 0.2, 0.2 + 1e-5) is None  # a dead node
    low, high = basis.range_for(present, 4.0, 5.0)
    assert_allclose([low, high], [3.95, 5.05])
    low, high = basis.range_for(present, 1e6, 1e6)
    assert_allclose([low, high], [1e6 - 1, 1e6 + 1], rtol=1e-15)


@pytest.mark.parametrize(
    ("law", "domain"),
    [
        (lambda x: 1 / (1 + 25 * x**2), (-1.0, 1.0)),
        (lambda x: x / ((x**2 - 4) ** 2 + 0.25), (0.5, 4.5)),  # a resonance
        (lambda x: 1 / ((x - 1) ** 2 + 0.0025), (0.2, 2.5)),
        (lambda x: 3.0 + 2.0 * x - x**3, (-2.0, 5.0)),
    ],
)
def test_a_curve_that_is_a_rational_function_is_found_to_many_digits(law: object, domain: tuple[float, float]) -> None:
    basis, x = Rational(5, 4), np.linspace(*domain, 211)
    curve = law(x)
    between = np.linspace(*domain, 997)
    theta = basis.projected(np.stack([curve, -2.0 * curve]), x, domain)
    assert_allclose(basis.value(theta, between, domain), np.stack([law(between), -2.0 * law(between)]), atol=1e-7 * np.abs(curve).max())


def test_the_penalty_is_the_mean_square_of_what_it_says() -> None:
    basis = Rational(4, 3)
    theta = some(basis)[0]
    a, b = np.polynomial.Polynomial(theta[:5]), np.polynomial.Polynomial([0.0, *theta[5:]])
    bend = quad(lambda u: a.deriv(2)(u) ** 2, -1, 1)[0] / 2
    steep = quad(lambda u: b.deriv(1)(u) ** 2, -1, 1)[0] / 2
    alone = [np.where(basis.carries_unit, theta, 0.0), np.where(basis.carries_unit, 0.0, theta)]
    form = basis.penalty(1e-2, 0.0)
    assert_allclose([v @ form @ v for v in alone], [50 * 1e-4 * bend, 50 * 1e-4 * steep], rtol=1e-10)
    assert_allclose(np.linalg.eigvalsh(form).min(), 0.0, atol=1e-12)


def test_a_covariance_tells_the_variance_of_an_edge() -> None:
    basis, generator = Rational(3, 2, "abs_sum"), np.random.default_rng(8)
    places = Places(np.array([[-1.0, 2.0], [0.0, 5.0]]), np.array([0, 0, 1]), np.array([0, 2, 1]))
    x, theta, share = generator.uniform(-1, 5, (2, 101)), some(basis), generator.uniform(size=101)
    share /= share.sum()
    edges = basis.edges(places, 101)
    edges.forward(x, theta, np.zeros((3, 101)))
    values = edges.values(theta)
    expected = ((values - (values @ share)[:, None]) ** 2) @ share
    assert_allclose(np.einsum("ek,ekl,el->e", theta, edges.covariances(theta, share), theta), expected, rtol=1e-10)


@pytest.mark.parametrize("degrees", [(9, 4), (5, -1), (0, 9), (5.0, 4), ("five", 4)])
def test_degrees_that_no_engine_has_are_refused(degrees: tuple[int, int]) -> None:
    with pytest.raises(NetworkError, match=r"degrees from \(0, 0\) to \(8, 8\)"):
        Rational(*degrees)


def test_a_form_that_there_is_none_of_is_refused_with_a_hint() -> None:
    with pytest.raises(NetworkError, match="'squared'.*Did you mean 'square'"):
        Rational(5, 4, "squared")


def test_what_u_is_stands_in_the_definition() -> None:
    definition = Rational(1, 0).definition("phi_0_0_0", np.array([0.0, 1.0]), (2.0, 6.0))
    assert str(definition.inner) == "0.5*(x - 2.0) - 1"
    assert definition.outer == 1.0 * Symbol("u") + 0.0
