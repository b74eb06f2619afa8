"""Two formulas side by side. What is said of them must be true, and only algebra may say that it is proven."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from workbench.exceptions import DatasetError, ExpressionError
from workbench.expression import parse
from workbench.formula import Formula, Input, Output

INPUTS = (Input("x", "x", None, 0.5, 2.0), Input("z z", "z_z", None, 1.0, 3.0))


def formula(text: str, unit: str | None = None) -> Formula:
    return Formula((Output("y", "y", unit, parse(text)),), INPUTS)


@pytest.fixture
def X() -> np.ndarray:
    return np.random.default_rng(3).uniform([0.5, 1.0], [2.0, 3.0], (53, 2))


@pytest.mark.parametrize(
    ("first", "second", "relation"),
    [
        ("x*(x + z_z)", "x**2 + x*z_z", "proven"),
        ("(x + z_z)**2", "x**2 + 2*x*z_z + z_z**2", "proven"),
        ("sin(x)**2 + cos(x)**2 + z_z", "1 + z_z", "same"),
        ("sin(2*x)*z_z", "2*sin(x)*cos(x)*z_z", "same"),
        ("x*z_z", "x*z_z + 2.5", "offset"),
        ("sin(x)*z_z", "0.25*sin(x)*z_z", "factor"),
        ("2.0*exp(-0.5*x)", "3.0*exp(-0.7*x)", "form"),
        ("2.0*x", "3.0*x + 0.5*z_z", "holds"),
        ("3.0*x + 0.5*z_z", "2.0*x", "held"),
        ("2.0*sin(x)", "3.0*x + 0.5*z_z", "different"),
    ],
)
def test_the_relation_of_two_formulas(first: str, second: str, relation: str, X: np.ndarray) -> None:
    assert formula(first).compare(formula(second), X).relation == relation


def test_what_looks_the_same_on_the_rows_is_told_apart_on_fresh_points() -> None:
    X = np.array([[0.5, 1.0], [1.0, 1.0], [2.0, 1.0]])
    found = formula("x").compare(formula("x*z_z"), X)
    assert found.largest == 0.0
    assert found.relation == "different"
    assert found.fresh > 0.5


def test_a_small_difference_is_not_called_the_same(X: np.ndarray) -> None:
    found = formula("x*z_z").compare(formula("x*z_z + x**2/10000000"), X)
    assert found.relation == "different"
    assert_allclose(found.largest, (X[:, 0] ** 2 / 1e7).max(), rtol=1e-6)
    assert found.row == X[:, 0].argmax()


def test_only_algebra_proves(X: np.ndarray) -> None:
    assert "no proof" in formula("sin(2*x)*z_z").compare(formula("2*sin(x)*cos(x)*z_z"), X).text
    assert "by algebra" in formula("x*(x + z_z)").compare(formula("x**2 + x*z_z"), X).text


def test_where_they_part_is_shown_along_the_input_that_tells_them_apart(X: np.ndarray) -> None:
    found = formula("x*z_z", "m").compare(formula("x*z_z + (z_z - 2)**2 + 0.01*x"), X)
    assert found.along == "z z"
    others = np.median(X[:, 0])
    assert_allclose(found.difference, (found.x - 2) ** 2 + 0.01 * others, atol=1e-12)
    assert f"{found.largest:.3g} m" in found.text
    assert formula("x").compare(formula("x"), X).along is None


def test_open_constants_of_a_typed_formula_are_fitted_to_the_first(X: np.ndarray) -> None:
    found = formula("2.5*x**1.5*z_z").compare("k*x^p*z_z", X)
    assert found.relation in ("same", "proven")  # the fit may end at the very same bits
    assert_allclose(found.second.constants, (2.5, 1.5), rtol=1e-6)
    assert formula("2.5*x**1.5*z_z").compare("y = k*x^p", X).relation == "different"
    with pytest.raises(DatasetError, match="for no value of k"):
        formula("x").compare("k*log(x - 9)", X)


def test_a_value_that_only_one_of_them_has_is_an_infinite_difference(X: np.ndarray) -> None:
    found = formula("x").compare(formula("x + 0*log(x - 1)"), X) if (X[:, 0] < 1).any() else None
    assert found is not None
    assert found.relation in ("different", "proven")
    apart = formula("x").compare(formula("x + log(x - 1)"), X)
    assert apart.largest == np.inf
    assert "only one of them has a value" in apart.text


def test_nothing_is_changed_and_the_same_is_said_again(X: np.ndarray) -> None:
    first, second = formula("2.0*x"), formula("3.0*x + 0.5*z_z")
    before = str(first), str(second), X.tobytes()
    assert first.compare(second, X).text == first.compare(second, X).text
    assert (str(first), str(second), X.tobytes()) == before


def test_what_cannot_be_compared_is_said(X: np.ndarray) -> None:
    two = Formula((Output("y", "y", None, parse("x")), Output("w", "w", None, parse("x"))), INPUTS)
    with pytest.raises(DatasetError, match="one target"):
        formula("x").compare(two, X)
    with pytest.raises(DatasetError, match="other inputs"):
        formula("x").compare(Formula((Output("y", "y", None, parse("t")),), (Input("t", "t"),)), X)
    with pytest.raises(DatasetError, match="left of the ="):
        formula("x").compare("v = x", X)
    with pytest.raises(ExpressionError):
        formula("x").compare("x + (", X)
