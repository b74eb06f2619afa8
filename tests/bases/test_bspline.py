"""Cubic B-splines with a base term: partition of unity, derivatives, projection, the exact piecewise form."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.interpolate import BSpline

from workbench.bases import bspline

DOMAIN = (-3.0, 4.0)


def test_bases_sum_to_one_on_the_range() -> None:
    values, _ = bspline.terms(np.linspace(*DOMAIN, 211), DOMAIN, 7)
    assert_allclose(values[:-1].sum(0), 1.0, rtol=0, atol=1e-14)


def test_bases_vanish_three_intervals_outside_the_range() -> None:
    h = 7.0 / 7
    values, slopes = bspline.terms(np.array([-3 - 3 * h - 1e-9, 4 + 3 * h + 1e-9]), DOMAIN, 7)
    assert_allclose(values[:-1], 0.0, atol=1e-25)
    assert_allclose(slopes[:-1], 0.0, atol=1e-15)


@pytest.mark.parametrize("n_intervals", [1, 3, 5, 20])
def test_bases_are_scipys(n_intervals: int) -> None:
    x = np.linspace(-2.99, 3.99, 101)
    h = 7.0 / n_intervals
    knots = -3 + h * np.arange(-3, n_intervals + 4)
    values, slopes = bspline.terms(x, DOMAIN, n_intervals)
    for k in range(n_intervals + 3):
        scipys = BSpline.basis_element(knots[k : k + 5], extrapolate=False)
        assert_allclose(values[k], np.nan_to_num(scipys(x)), atol=1e-14)
        assert_allclose(slopes[k], np.nan_to_num(scipys.derivative()(x)), atol=1e-12 / h)


def test_the_base_term_is_silu_of_the_mapped_input() -> None:
    x = np.array([-800.0, -3.0, 0.5, 4.0, 900.0])
    u = (2 * x - 1) / 7
    values, slopes = bspline.terms(x, DOMAIN, 5)
    assert_allclose(values[-1], u / (1 + np.exp(-u)), rtol=1e-12, atol=1e-16)
    s = 1 / (1 + np.exp(-u))
    assert_allclose(slopes[-1], s * (1 + u * (1 - s)) * 2 / 7, rtol=1e-12, atol=1e-100)


def test_projection_reproduces_a_cubic_exactly() -> None:
    x = np.linspace(*DOMAIN, 61)
    cubic = 0.3 * x**3 - x**2 + 2
    coefficients = bspline.project(cubic[None], x, DOMAIN, 5, ridge=0.0)[0]
    values, _ = bspline.terms(x, DOMAIN, 5)
    assert_allclose(coefficients @ values[:-1], cubic, rtol=1e-10, atol=1e-10)


def test_the_definition_is_the_edge_to_the_last_digits() -> None:
    coefficients = np.random.default_rng(1).normal(size=8)
    exact = bspline.definition("phi_0_0_0", coefficients, 0.3, DOMAIN)
    x = np.linspace(-12, 13, 997)
    values, _ = bspline.terms(x, DOMAIN, 5)
    assert_allclose(exact(x), coefficients @ values[:-1] + 0.3 * values[-1], rtol=0, atol=5e-15)


def test_a_range_follows_the_values_and_a_dead_node_keeps_its_width() -> None:
    basis, present = bspline.Spline(5), np.array([-1.0, 1.0])
    assert basis.range_for(present, -0.8, 0.9) is None
    assert_allclose(basis.range_for(present, -0.8, 1.2), (-1.0, 1.4))
    assert_allclose(basis.range_for(present, 0.2, 0.4), (0.18, 0.42))
    assert basis.range_for(present, 0.3, 0.3) is None
    for value in (1e6, 0.0, -3e4):  # nothing comes to it any more, wherever its constant takes it
        present = np.array(basis.range_for(present, value, value))
        assert_allclose(present, (value - 1, value + 1), rtol=1e-9)
