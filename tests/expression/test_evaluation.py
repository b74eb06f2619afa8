"""Values and derivatives against NumPy, SciPy, mpmath and finite differences."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import scipy.special
from numpy.testing import assert_allclose

from workbench.exceptions import ExpressionError
from workbench.expression import (
    FUNCTIONS,
    differentiate,
    evaluate,
    free_constants,
    parse,
    value_and_gradient,
    value_and_jacobian,
)

x = np.array([0.11, 0.37, 0.52, 0.71, 0.83, 0.89, 0.97])
y = np.array([1.3, 0.2, 2.9, 0.7, 1.1, 1.9, 2.3])

MPMATH = {"abs": mpmath.fabs, "cbrt": mpmath.cbrt, "expm1": mpmath.expm1, "log1p": mpmath.log1p}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_is_that_of_mpmath(name):
    shift = 1 if name == "acosh" else 0
    ours = evaluate(parse(f"{name}(x)"), {"x": x + shift})
    truth = [float(MPMATH.get(name, getattr(mpmath, name, None))(mpmath.mpf(float(v)))) for v in x + shift]
    assert_allclose(ours, truth, rtol=4e-16 * 4)


@pytest.mark.parametrize("name", [n for n in FUNCTIONS if n != "sign"])
def test_every_slope_is_that_of_mpmath(name):
    shift = 1 if name == "acosh" else 0
    function = MPMATH.get(name, getattr(mpmath, name, None))
    truth = [float(mpmath.diff(function, mpmath.mpf(float(v)))) for v in x + shift]
    _, gradient = value_and_gradient(parse(f"{name}(x)"), {"x": x + shift}, ["x"])
    assert_allclose(gradient[0], truth, rtol=1e-12)
    assert_allclose(evaluate(differentiate(parse(f"{name}(x)"), "x"), {"x": x + shift}), truth, rtol=1e-12)


@pytest.mark.parametrize(
    ("text", "truth"),
    [
        ("x**2 + y", lambda: x**2 + y),
        ("x**3/y**2 - 1/y", lambda: x**3 / y**2 - 1 / y),
        ("2*x/(3*y) + sqrt(x)*pi", lambda: 2 * x / (3 * y) + np.sqrt(x) * np.pi),
        ("x**y", lambda: x**y),
        ("y**2.5 + y**-0.5 + y**7 + y**-3 + y**1.37", lambda: y**2.5 + y**-0.5 + y**7 + y**-3.0 + y**1.37),
        ("erf(x) + e", lambda: scipy.special.erf(x) + np.e),
        ("(x + y)**0.0", lambda: np.ones(7)),
    ],
)
def test_formulas_have_the_value_numpy_gives(text, truth):
    assert_allclose(evaluate(parse(text), {"x": x, "y": y}), truth(), rtol=1e-14)


def test_a_formula_without_variables_has_the_length_of_the_columns():
    assert evaluate(parse("2*pi"), {"x": x}).shape == (7,)
    assert evaluate(parse("2*pi"), {}).shape == ()


def test_undefined_values_are_nan_or_infinite_without_a_warning():
    values = evaluate(parse("log(x) + 1/x + x**0.5"), {"x": np.array([-1.0, 0.0, 1.0])})
    assert np.isnan(values[:2]).tolist() == [True, True]
    assert values[2] == 2.0
    assert evaluate(parse("1/x**2"), {"x": np.array([0.0])})[0] == np.inf


def test_removable_holes_get_their_limit_and_others_stay():
    at = {"x": np.array([0.0, 1.0, -2.0])}
    assert_allclose(evaluate(parse("sin(x)/x"), at), [1.0, np.sin(1), np.sin(2) / 2], rtol=1e-15)
    assert_allclose(evaluate(parse("x**3/expm1(x) + 1"), at)[0], 1.0, rtol=1e-15)
    assert_allclose(evaluate(parse("(x**2 - 1)/(x - 1)"), at), [1.0, 2.0, -1.0], rtol=1e-14)
    assert np.isnan(evaluate(parse("abs(x)/x"), at)[0])
    assert np.isnan(evaluate(parse("x/x**2*sign(x)*abs(x)/x"), at)[0])


def test_missing_values_stay_missing():
    assert np.isnan(evaluate(parse("x - x"), {"x": np.array([np.nan, np.inf])})).all()


def test_named_functions_are_called_where_they_stand():
    value = evaluate(parse("2*phi(x)**2", functions=["phi"]), {"x": x}, {"phi": np.cos})
    assert_allclose(value, 2 * np.cos(x) ** 2, rtol=1e-14)
    _, gradient = value_and_gradient(
        parse("2*phi(x)**2", functions=["phi"]), {"x": x}, ["x"], {"phi": lambda u: (np.cos(u), -np.sin(u))}
    )
    assert_allclose(gradient[0], -4 * np.cos(x) * np.sin(x), rtol=1e-14)


def test_what_is_not_given_is_named():
    with pytest.raises(ExpressionError, match=r"no values for 'height'\. Did you mean 'heigth'\? Given: heigth"):
        evaluate(parse("height**2"), {"heigth": x})
    with pytest.raises(ExpressionError, match="no definition for the function 'phi'"):
        evaluate(parse("phi(x)", functions=["phi"]), {"x": x})


def test_jacobian_matches_finite_differences_of_every_constant():
    def formula(k):
        return k[0] * np.exp(-k[1] * x) * np.sin(k[2] * y + k[3]) + x ** k[4] / (k[5] + y ** k[6]) - k[7] * np.log(x + y)

    text = "1.5*exp(-0.3*x)*sin(2.1*y + 0.4) + x**2.2/(1.2 + y**1.7) - 0.7*log(x + y)"
    value, jacobian = value_and_jacobian(parse(text), {"x": x, "y": y})
    # the tree writes exp(-0.3*x) with the constant -0.3 and -0.7*log with -0.7, and a sum's number last
    constants = free_constants(parse(text))
    assert constants == (1.5, -0.3, 2.1, 0.4, 2.2, 1.7, 1.2, -0.7)
    k = np.array([1.5, 0.3, 2.1, 0.4, 2.2, 1.2, 1.7, 0.7])
    assert_allclose(value, formula(k), rtol=1e-14)
    steps = 1e-6 * np.eye(8)
    truth = np.array([(formula(k + step) - formula(k - step)) / 2e-6 for step in steps])
    truth = truth[[0, 1, 2, 3, 4, 6, 5, 7]] * np.array([1, -1, 1, 1, 1, 1, 1, -1])[:, None]
    assert jacobian.shape == (8, 7)
    assert_allclose(jacobian, truth, rtol=2e-8, atol=1e-9)


def test_the_power_of_zero_has_derivative_zero_by_its_exponent():
    _, jacobian = value_and_jacobian(parse("x**1.5"), {"x": np.array([0.0, 4.0])})
    assert_allclose(jacobian[0], [0.0, 8 * np.log(4)], rtol=1e-14)


def test_nothing_given_is_changed():
    columns = {"x": x.copy(), "y": y.copy()}
    value_and_jacobian(parse("1.5*x + y"), columns)
    evaluate(parse("x"), columns)[:] = 0
    assert (columns["x"] == x).all()
    assert (columns["y"] == y).all()
