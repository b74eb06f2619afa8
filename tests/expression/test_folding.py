"""Folding: what a snapped network looks like afterwards, and what is left alone because it is only true on half the line."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from workbench.expression import Symbol, call, complexity, evaluate, fold, parse, to_text


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("2*(3*x)", "6*x"),
        ("2*(3*x + 1) + 4", "6*x + 6"),
        ("2.0*(3.0*u + 1.5) + 0.5", "6.0*u + 3.5"),
        ("x + x + 2*x", "4*x"),
        ("2.5*x*y - 0.5*x*y", "2.0*x*y"),
        ("x - x + y", "y"),
        ("x*x*x", "x**3"),
        ("x*y/x", "y"),
        ("(2*x)**3", "8*x**3"),
        ("(2.0*x)**3*0.5", "4.0*x**3"),
        ("(-x)**2", "x**2"),
        ("(-x)**3", "-x**3"),
        ("sqrt(4*x)", "2*sqrt(x)"),
        ("sqrt(2*x)", "sqrt(2*x)"),
        ("(4.0*x)**0.5", "2.0*x**0.5"),
        ("1/(2*x + 4)", "1/(2*(x + 2))"),
        ("1/(2.0*x + 4.0)", "0.5/(x + 2.0)"),
        ("(1.0 - 2.0*x)**2", "4.0*(x - 0.5)**2"),
        ("2.0*(1 - 0.5*x)**2.5", "2.0*(1 - 0.5*x)**2.5"),      # it stands at one: no constant more
        ("(x/2 - y/2)**2", "(x - y)**2/4"),
        ("(x + 1/2)**2", "(x + 1/2)**2"),
        ("sqrt(4.0 - 2.0*x)", "1.4142135623730951*sqrt(2.0 - x)"),
        ("exp(x + 0.0)", "exp(x)"),
        ("exp(0) + exp(x) - 1", "exp(x)"),
        ("y*(cos(0*x) + log(1))*cosh(0)", "y"),
        ("tanh(0) + acos(1) + cbrt(1) + x", "x + 1"),
        ("log(2*x)", "log(2*x)"),
        ("log(1.0*x)", "log(x)"),
        ("log(x**3)", "3*log(x)"),
        ("log(exp(x + 1.5))", "x + 1.5"),
        ("exp(0.5*log(x))", "x**0.5"),
        ("exp(x)*exp(y)", "exp(x + y)"),
        ("exp(x)**2.5", "exp(2.5*x)"),
        ("sin(-x)", "-sin(x)"),
        ("cos(-2.0*x + 1.0)", "cos(2.0*x - 1.0)"),
        ("erf(-x)*tanh(-y)", "erf(x)*tanh(y)"),
        ("abs(-2.0*x)", "2.0*abs(x)"),
        ("abs(x)**2", "x**2"),
        ("sqrt(x**2)", "abs(x)"),
        ("1/sqrt(1/x**4)", "x**2"),
        ("1/sqrt(1/(x + y)**2)", "abs(x + y)"),
        ("(x**2)**(3/2)", "abs(x)**3"),
        ("sqrt(exp(x))", "exp(x/2)"),
        ("2.0*pi*x", "6.283185307179586*x"),
        ("2*pi*x", "2*pi*x"),
        ("0.0*exp(x) + y", "y"),
        ("1.0*x - 1.0*y", "x - y"),
        ("(x + y)**2", "(x + y)**2"),
        ("0.5*(x + y)", "0.5*(x + y)"),
        ("1.5*(x/(1.0 + 0.5*x))", "3.0*x/(x + 2.0)"),
    ],
)
def test_formulas_fold_to_the_form_one_would_write(text, folded):
    assert to_text(fold(parse(text))) == folded


@pytest.mark.parametrize(
    "text",
    ["sqrt(x)**2", "exp(2*log(x))", "log(x**2)", "sqrt(x + 1)*sqrt(x + 1)", "(x*y)**0.5", "(x**0.5)**2", "sqrt(2)*x", "exp(x + 1)"],
)
def test_what_holds_on_half_the_line_only_is_left_alone(text):
    assert to_text(fold(parse(text))) == text


@pytest.mark.parametrize(
    ("text", "folded"),
    [("sqrt(x)**2", "x"), ("exp(2*log(x))", "x**2"), ("log(x**2)", "2*log(x)"), ("abs(x)", "x"), ("sqrt(x**4)", "x**2")],
)
def test_what_is_known_to_be_positive_folds_further(text, folded):
    assert to_text(fold(parse(text), positive=["x"])) == folded


def test_a_shift_leaves_the_exponential_as_a_factor_unless_it_is_huge():
    assert to_text(fold(parse("exp(u + 0.3)"))) == f"{float(np.exp(0.3))!r}*exp(u)"
    assert to_text(fold(parse("exp(u - 500.0)"))) == "exp(u - 500.0)"


def test_a_scaled_logarithm_is_a_sum_for_positive_factors_only():
    assert to_text(fold(parse("log(2.5*x)"))) == f"log(x) + {float(np.log(2.5))!r}"
    assert to_text(fold(parse("log(-2.5*x)"))) == f"log(-x) + {float(np.log(2.5))!r}"


def test_a_network_of_snapped_edges_reads_like_a_formula():
    """c3*log(a3*(c1*(a1*x + b1)**2 + c2*exp(a2*y + b2) + d) + b3) with every edge's own constants."""
    x, y = Symbol("x"), Symbol("y")
    inner = 2.0 * (0.5 * x + 1.0) ** 2 + 3.0 * call("exp", -1.0 * y + 0.25) + 0.75
    network = 1.5 * call("log", 2.0 * inner + 0.5)
    folded = fold(network)
    assert complexity(network) == 27
    assert complexity(folded) <= 21
    rows = {"x": np.linspace(-2, 2, 11), "y": np.linspace(3, -1, 11)}
    assert_allclose(evaluate(folded, rows), evaluate(network, rows), rtol=1e-14)


def test_named_functions_are_kept_and_their_factors_merged():
    assert to_text(fold(parse("2.0*phi(3.0*(2.0*x))*2.5", functions=["phi"]))) == "5.0*phi(6.0*x)"
    assert to_text(fold(parse("phi(2.0) + 1.0", functions=["phi"]))) == "phi(2.0) + 1.0"
