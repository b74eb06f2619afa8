"""Expressions as text: how they look. That they read back to the same tree is a property test."""

from __future__ import annotations

import pytest

from workbench.expression import Symbol, mul, parse, power, to_text


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
        ("3 - (x + y)", "-(x + y) + 3"),
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
    assert str((1 - x) / (2 + x) ** 2 + 3**x - (-x)) == "(-x + 1)/(x + 2)**2 + 3**x + x"
