"""Symbols, constants, complexity, substitution, derivatives as text, exact constants and the bridge to SymPy."""

from __future__ import annotations

import math

import pytest

from workbench.exceptions import ExpressionError
from workbench.expression import (
    Symbol,
    complexity,
    differentiate,
    evaluate,
    free_constants,
    from_sympy,
    named_functions,
    nearest_exact,
    parse,
    substitute,
    symbols,
    to_sympy,
    to_text,
    with_constants,
)


@pytest.mark.parametrize(
    ("text", "nodes"),
    [
        ("x", 1),
        ("2.5", 1),
        ("-2.5", 1),
        ("-x", 2),
        ("x + y", 3),
        ("x - y", 3),
        ("2*x + 1", 5),
        ("x/3", 3),
        ("2*x/(3*y)", 5),
        ("1/x", 3),
        ("1/x**2", 5),
        ("-1/x", 3),
        ("x/y**2", 5),
        ("exp(-x)**2", 5),
        ("a*exp(-b*x) + c", 9),
        ("x**0.5", 3),
        ("sin(x*y*z)", 6),
    ],
)
def test_complexity_counts_what_is_written(text, nodes):
    assert complexity(parse(text)) == nodes


def test_constants_are_the_floats_from_left_to_right():
    expression = parse("1.5*x**2.5 + 2*pi*y/3 + exp(0.5)*x + 7.25")
    assert free_constants(expression) == (1.5, 2.5, 0.5, 7.25)


def test_a_float_never_changes_the_shape_of_the_tree():
    expression = parse("1.5*x**2.5 + 0.5")
    for values in [(1.0, 1.0, 0.0), (0.0, 0.0, 0.0), (-1.0, -2.0, -3.0)]:
        assert free_constants(with_constants(expression, values)) == values
        assert complexity(with_constants(expression, values)) == complexity(expression)


def test_exact_values_are_built_in():
    assert to_text(with_constants(parse("1.5*x**2.5 + 0.5"), [1, 2, parse("pi/2")])) == "x**2 + pi/2"


def test_a_wrong_number_of_constants_is_refused():
    with pytest.raises(ExpressionError, match="1 values for an expression with 2 free constants"):
        with_constants(parse("1.5*x + 2.5"), [1.0])


def test_substitution_is_simultaneous():
    assert to_text(substitute(parse("x - y"), {"x": Symbol("y"), "y": Symbol("x")})) == "y - x"


def test_symbols_and_named_functions_are_listed():
    expression = parse("phi(x)*exp(y) + x*pi", functions=["phi"])
    assert symbols(expression) == {"x", "y"}
    assert named_functions(expression) == {"phi"}


@pytest.mark.parametrize(
    ("text", "derivative"),
    [
        ("x**3", "3*x**2"),
        ("1/x", "-1/x**2"),
        ("sin(2*x)", "2*cos(2*x)"),
        ("x*y", "y"),
        ("y", "0"),
        ("exp(x)*x", "exp(x)*x + exp(x)"),
        ("x**y", "y*x**(y - 1)"),
        ("2**x", "2**x*log(2)"),
        ("abs(x)", "sign(x)"),
    ],
)
def test_derivatives_as_in_the_textbook(text, derivative):
    assert to_text(differentiate(parse(text), "x")) == derivative


def test_a_named_function_has_no_symbolic_derivative():
    with pytest.raises(ExpressionError, match="phi has no symbolic derivative"):
        differentiate(parse("phi(x)", functions=["phi"]), "x")
    assert to_text(differentiate(parse("phi(y)*x", functions=["phi"]), "x")) == "phi(y)"


@pytest.mark.parametrize(
    ("value", "tolerance", "exact"),
    [
        (2.0000004, 1e-6, "2"),
        (-0.3333, 1e-3, "-1/3"),
        (0.58333, 1e-4, "7/12"),
        (math.pi, 1e-9, "pi"),
        (-6.2832, 1e-4, "-2*pi"),
        (0.7071, 1e-4, "sqrt(2)/2"),
        (0.57735, 1e-5, "sqrt(3)/3"),
        (2.71828, 1e-4, "e"),
        (0.31831, 1e-5, "1/pi"),
        (1.77245, 1e-5, "sqrt(pi)"),
        (0.0625, 1e-9, "1/16"),
        (-0.29166667, 1e-7, "-7/24"),
        (0.0126651, 1e-7, "1/(8*pi**2)"),  # 1/(2 (2 pi)^2)
        (1.6449341, 1e-6, "pi**2/6"),  # the sum of 1/n^2
        (0.39894228, 1e-7, "1/sqrt(2*pi)"),  # of the normal distribution
        (1.12837917, 1e-7, "2/sqrt(pi)"),  # of the error function
        (3e-9, 1e-6, "0"),
        (3.14, 0.2, "3"),
        (1234567.0, 0.0, "1234567"),
    ],
)
def test_the_simplest_constant_within_the_tolerance_is_named(value, tolerance, exact):
    found = nearest_exact(value, tolerance)
    assert to_text(found) == exact
    assert abs(float(evaluate(found, {})) - value) <= tolerance


def test_a_number_that_is_no_plain_constant_has_none():
    assert nearest_exact(0.7391, 1e-7) is None


@pytest.mark.parametrize(("value", "tolerance"), [(math.nan, 1e-3), (math.inf, 1e-3), (1.0, -1e-3), (1.0, math.nan)])
def test_nonsense_is_no_constant(value, tolerance):
    with pytest.raises(ExpressionError, match="a finite value and a tolerance"):
        nearest_exact(value, tolerance)


@pytest.mark.parametrize(
    "text",
    ["x**2 + pi/2", "2.5*sin(x)*y", "sqrt(x)/y**2", "exp(-x)/3 + e", "abs(x) + sign(y)", "atan(x)**(2/3)", "phi(x)*acosh(y)", "x**(-1.5)"],
)
def test_sympy_and_back_is_the_same_expression_up_to_order(text):
    import sympy

    expression = parse(text, functions=["phi"])
    theirs = to_sympy(expression)
    assert to_sympy(from_sympy(theirs)) == theirs
    assert {symbol.name for symbol in theirs.free_symbols} == symbols(expression)
    assert sympy.simplify(to_sympy(from_sympy(theirs)) - theirs) == 0


def test_sympy_keeps_every_bit_of_a_float():
    value = 0.1 + 0.2
    assert free_constants(from_sympy(to_sympy(parse(f"{value!r}*x")))) == (value,)


def test_sympy_simplifies_what_comes_from_us_and_gives_it_back():
    import sympy

    simplified = sympy.simplify(to_sympy(parse("sin(x)**2 + cos(x)**2 + x*y/y")))
    assert to_text(from_sympy(simplified)) == "x + 1"


def test_what_we_cannot_hold_is_refused_with_its_kind():
    import sympy

    x = sympy.Symbol("x", real=True)
    for foreign in [sympy.I * x, sympy.zoo, sympy.Piecewise((x, x > 0), (0, True)), sympy.Integral(x, x), sympy.gamma(x), sympy.oo]:
        with pytest.raises(ExpressionError, match="has no counterpart in a formula"):
            from_sympy(foreign)


def test_an_exact_constant_that_settles_a_function_is_built_in() -> None:
    assert to_text(with_constants(parse("2.5*exp(0.5*x) + y"), [3, 0])) == "y + 3"
    assert to_text(with_constants(parse("2.5*exp(0.5*x) + y"), [3.0, 0.0])) == "3.0*exp(0.0*x) + y"
