"""Text to expression: what is understood, and that hostile text gets one plain sentence and is never run."""

from __future__ import annotations

from fractions import Fraction

import pytest

from workbench.exceptions import ExpressionError
from workbench.expression import Call, Constant, Number, Symbol, parse, to_text

x, y, z = Symbol("x"), Symbol("y"), Symbol("z")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("2", Number(2)),
        ("2.0", Number(2.0)),
        ("1e3", Number(1000.0)),
        (".5", Number(0.5)),
        ("2/3", Number(Fraction(2, 3))),
        ("pi", Constant("pi")),
        ("π", Constant("pi")),
        ("x", x),
        ("β_1", Symbol("β_1")),
        ("x + y", Call("add", (x, y))),
        ("1 + x + 2", Call("add", (x, Number(3)))),
        ("x - y", Call("add", (x, Call("mul", (Number(-1), y))))),
        ("x − y", Call("add", (x, Call("mul", (Number(-1), y))))),
        ("x*y*z", Call("mul", (x, y, z))),
        ("x/y", Call("mul", (x, Call("pow", (y, Number(-1)))))),
        ("x/y/z", Call("mul", (x, Call("pow", (y, Number(-1))), Call("pow", (z, Number(-1)))))),
        ("x/(y*z)", Call("mul", (x, Call("pow", (y, Number(-1))), Call("pow", (z, Number(-1)))))),
        ("-x**2", Call("mul", (Number(-1), Call("pow", (x, Number(2)))))),
        ("(-x)**2", Call("pow", (Call("mul", (Number(-1), x)), Number(2)))),
        ("x^2", Call("pow", (x, Number(2)))),
        ("x**y**z", Call("pow", (x, Call("pow", (y, z))))),
        ("x**-2", Call("pow", (x, Number(-2)))),
        ("2**-1", Number(Fraction(1, 2))),
        ("--x", x),
        ("0*x", Number(0)),
        ("0.0*x", Call("mul", (Number(0.0), x))),
        ("ln(x)", Call("log", (x,))),
        ("arctanh(x)", Call("atanh", (x,))),
    ],
)
def test_text_becomes_the_tree(text, tree):
    assert parse(text) == tree


def test_logarithms_of_other_bases_are_quotients_of_natural_ones():
    assert to_text(parse("log10(x)")) == "log(x)/log(10)"


def test_named_functions_are_read_when_announced_only():
    assert parse("2*phi_0_1_2(x)", functions=["phi_0_1_2"]) == 2 * Call("phi_0_1_2", (x,))
    with pytest.raises(ExpressionError, match="unknown function 'phi_0_1_2'"):
        parse("2*phi_0_1_2(x)")


@pytest.mark.parametrize(
    ("text", "found", "position"),
    [
        ("__import__('os').system('true')", '"\'"', 11),
        ("__import__(x)", "unknown function '__import__'", 0),
        ("().__class__", "'.'", 2),
        ("x.real", "'.'", 1),
        ("x[0]", "'['", 1),
        ("lambda", "reserved name 'lambda'", 0),
        ("lambda x: x", "':'", 8),
        ("x if y else z", "'if' directly after 'x'", 2),
        ("x; y", "';'", 1),
        ("x := 2", "':'", 2),
        ("y = 2*x", "'='", 2),
        ("f'{x}'", '"\'"', 1),
        ("x @ y", "'@'", 2),
        ("x % y", "'%'", 2),
        ("1_000", "'_000' directly after '1'", 1),
        ("1,5*x", "','", 1),
        ("2x", "'x' directly after '2'", 1),
        ("(x)(y)", "'(' directly after ')'", 3),
        ("x + ", "the end of the formula", 4),
        ("sin", "the function 'sin' without an argument", 0),
        ("sin(x", "the end of the formula inside a bracket", 5),
        ("sin()", "')'", 4),
        ("x)", "')'", 1),
        ("x²", "reserved name 'x²'", 0),
        ("__class__", "reserved name '__class__'", 0),
        ("1e999", "the number 1e999", 0),
        ("9" * 400, "a number of 400 characters", 0),
        ("(" * 5000 + "x" + ")" * 5000, "brackets or powers inside one another", 60),
        ("x**" * 5000 + "x", "brackets or powers inside one another", None),
        ("\x00", "'\\x00'", 0),
    ],
)
def test_what_is_no_formula_is_refused_with_the_place_it_was_found(text, found, position):
    with pytest.raises(ExpressionError) as refusal:
        parse(text)
    message = str(refusal.value)
    assert found in message
    assert position is None or f"at position {position}." in message
    assert len(message) < 500


def test_a_function_misspelt_is_recognised():
    with pytest.raises(ExpressionError, match=r"unknown function 'sinn' at position 2\. Did you mean 'sin'\?.*Functions: exp, log"):
        parse("2*sinn(x)")


def test_a_variable_misspelt_is_recognised_where_the_variables_are_known():
    with pytest.raises(ExpressionError, match=r"unknown name 'heigth' at position 2\. Did you mean 'height'\? Variables: height, girth\."):
        parse("2*heigth", symbols=["height", "girth"])


def test_a_variable_called_like_a_function_is_told_to_multiply():
    with pytest.raises(ExpressionError, match=r"Write x\*\(\.\.\.\) for a product"):
        parse("x(3)", symbols=["x"])


@pytest.mark.parametrize("text", ["", "   ", "\n"])
def test_an_empty_formula_is_refused(text):
    with pytest.raises(ExpressionError, match="the formula is empty"):
        parse(text)


@pytest.mark.parametrize("thing", [None, 3, b"x", ["x"]])
def test_what_is_no_text_is_refused(thing):
    with pytest.raises(ExpressionError, match="a formula is a text"):
        parse(thing)


def test_a_text_beyond_the_limit_is_refused_unread():
    with pytest.raises(ExpressionError, match="600,001 characters"):
        parse("x" + "+x" * 300_000)


def test_a_long_flat_sum_is_read():
    assert len(parse("+".join(f"x{i}" for i in range(9973))).arguments) == 9973


def test_a_tower_of_powers_is_kept_and_not_computed():
    assert to_text(parse("9**9**9")) == "9**387420489"


@pytest.mark.parametrize("name", ["pi", "e", "sin", "lambda", "x y", "", "1x", "log10", "x.y"])
def test_names_that_would_read_as_something_else_are_no_symbols(name):
    with pytest.raises(ExpressionError, match="not usable as a variable"):
        Symbol(name)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400, "2", 1j, None])
def test_what_is_no_finite_number_is_refused(value):
    with pytest.raises(ExpressionError, match="Number"):
        Number(value)
