"""Expressions as text: how they look. That they read back to the same tree is a property test."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.expression import Symbol, evaluate, mul, parse, power, readable, to_text


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("2*x/3/y", "2*x/(3*y)"),
        ("1/x", "1/x"),
        ("-1/x", "-1/x"),
        ("x**-2", "1/x**2"),
        ("x**-1.5", "x**(-1.5)"),
        ("x**(1/2)", "x**(1/2)"),
        ("x**-(1/2)", "1/x**(1/2)"),
        ("3 - (x + y)", "3 - (x + y)"),
        ("x - (-2)*y", "x + 2*y"),
        ("x + -2.5*y", "x - 2.5*y"),
        ("(x*y)**2", "(x*y)**2"),
        ("x/(y*z)**2", "x/(y*z)**2"),
        ("(x**y)**z", "(x**y)**z"),
        ("(-2)**x", "(-2)**x"),
        ("exp(-x)/(1 + exp(-x))", "exp(-x)/(exp(-x) + 1)"),
        ("0.1 + x", "x + 0.1"),
        ("1e-5*x + 123456789012345680000.0", "1e-05*x + 1.2345678901234568e+20"),
    ],
)
def test_formulas_look_as_one_writes_them(text, printed):
    assert to_text(parse(text)) == printed


def test_str_of_an_expression_is_its_text():
    assert str(mul(2, power(Symbol("x"), -1))) == "2/x"


def test_python_operators_build_expressions():
    x = Symbol("x")
    assert str((1 - x) / (2 + x) ** 2 + 3**x - (-x)) == "(1 - x)/(x + 2)**2 + 3**x + x"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("exp(-7306.5/(t + 5463/20))", "exp(-7306.5/(t + 273.15))"),
        ("x/3 - 5463/20*y + 45967/100", "x/3 - 273.15*y + 459.67"),
        ("x**(3/2)/7 + 1/12", "x**(3/2)/7 + 1/12"),
    ],
)
def test_people_read_decimals(text: str, shown: str) -> None:
    expression = parse(text)
    assert readable(expression) == shown
    assert to_text(expression) == text.replace("5463/20*y", "5463*y/20")
    x = {"x": np.array([0.3, 1.7]), "y": np.array([2.1, 0.4]), "t": np.array([11.0, 97.0])}
    assert evaluate(parse(shown), x) == pytest.approx(evaluate(expression, x), rel=1e-15)
