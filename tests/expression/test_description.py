"""What it takes to say an expression: the prices by which formulas are chosen."""

from __future__ import annotations

import math

import pytest

from workbench.expression import parse
from workbench.expression.description import NATS_PER_NODE, description, nearly_as_short


def nats(text: str, n_rows: int = 600) -> float:
    return description(parse(text), n_rows)


def test_a_fitted_constant_costs_half_the_logarithm_of_the_rows_more_with_every_row() -> None:
    """Schwarz (1978): n rows know a constant to 1 part in sqrt(n)."""
    assert nats("2.7*x", 5003) - nats("2.7*x", 53) == pytest.approx(0.5 * math.log(5003 / 53))
    assert nats("2*x", 5003) == nats("2*x", 53)


@pytest.mark.parametrize(("plain", "fitted"), [("x**2", "x**1.98"), ("x/2", "0.493*x"), ("x/sqrt(1 - y**2)", "x/(1.01 - y**1.9)**0.52"), ("2*pi*x**2", "6.28*x**2.01")])
def test_whole_numbers_are_cheaper_than_fitted_ones(plain: str, fitted: str) -> None:
    assert nats(plain) < nats(fitted) - 0.5 * NATS_PER_NODE


def test_larger_numbers_and_denominators_cost_more() -> None:
    assert nats("x") < nats("2*x") < nats("7*x") < nats("7*x/3") < nats("2.333*x") < nats("7*x/12")


def test_a_unit_that_is_asked_of_a_column_costs_something() -> None:
    assert nats("-x") < nats("x") + 1.0
    assert nats("x + 1") > nats("x") + 2.0
    assert nats("x/y + 1") < nats("x/y") + 3.0  # that x is like y
    assert nats("m*c**2/sqrt(1 - v**2/c**2)") < nats("m/sqrt(1/c**4 - v**2/c**6)")
    assert nats("2.3*(x - 1)**1.7 + 1") > nats("2.3*x**1.7") + 2.5
    assert nats("x + 1") < nats("x + 1.03") - 2.0


def test_a_power_that_factors_share_is_said_once() -> None:
    """(x*y)^2 is one square, (v/c)^2 one of a ratio."""
    square = nats("x**2") - nats("x")
    assert nats("x**2*y**2") == pytest.approx(nats("(x*y)**2")) == pytest.approx(nats("x*y") + square, abs=0.5)
    assert nats("v**2/c**2") == pytest.approx(nats("v/c") + square, abs=0.5)
    assert nats("x**2*y**3") > nats("x**3*y**3") + 1.0


@pytest.mark.parametrize(
    ("law", "other"),
    [
        ("w*(1 + v/c)/sqrt(1 - v**2/c**2)", "w*(1 + v/c)/sqrt(1 - v**2/u**2)"),  # Doppler's
        ("n/(exp(m*b/(k*t)) + exp(-m*b/(k*t)))", "n/(exp(m*b/(k*t)) + exp(-m*b/(k*s)))"),
        ("c/v + exp(v/c)", "c/v + exp(v/u)"),
        ("sin((a - b)*t/2)**2/((a - b)*t/2)**2", "sin((a - b)*t/2)**2/((a - b)*s/2)**2"),
    ],
)
def test_what_was_said_before_is_named_the_second_time(law: str, other: str) -> None:
    """Laws hold the same quantity in several places: a ratio of speeds, an energy in units of k*T, a phase."""
    assert nats(law) < nats(other) - 0.5 * NATS_PER_NODE


def test_a_factor_that_stands_twice_is_no_part_that_was_said_before() -> None:
    """v*v/c is no v/c, however it is written."""
    assert nats("sin(v*v/c) + exp(v/c)") > nats("sin(v/c) + exp(v/c)") + NATS_PER_NODE
    assert nats("sin(x*x) + exp(x*x*x)") > nats("sin(x*x) + exp(x*x)") + NATS_PER_NODE


def test_a_column_is_no_cheaper_the_second_time_and_nor_is_a_fitted_constant() -> None:
    assert nats("x + x**2") == pytest.approx(nats("y + x**2"))
    assert nats("sin(2.1*x) + sin(2.1*x)**2") == pytest.approx(nats("sin(2.1*x) + sin(2.2*x)**2"))


def test_a_root_costs_the_same_in_any_notation() -> None:
    assert nats("x**(1/2)") == nats("sqrt(x)")
    assert nats("x**(1/3)") == nats("cbrt(x)")
    assert nats("m*(1 - v**2/c**2)**(-1/2)") == pytest.approx(nats("m/sqrt(1 - v**2/c**2)"), abs=0.6)
    assert nats("sqrt(x)") < nats("x**(3/2)") < nats("x**(5/3)")


def test_rare_functions_cost_more() -> None:
    assert nats("sqrt(x)") < nats("exp(x)") == nats("sin(x)") < nats("tanh(x)") < nats("asinh(x)")


def test_what_has_fewer_fitted_constants_than_the_shortest_may_be_longer_by_more() -> None:
    assert nearly_as_short(0, 0) == nearly_as_short(2, 1) == pytest.approx(6.0)
    assert nearly_as_short(1, 2) == nearly_as_short(0, 3) == pytest.approx(12.0)


def test_a_logarithm_in_other_words_is_no_shorter() -> None:
    """k log x is the limit of x^k - 1, which takes one function less; of k = 1e-4 the two are alike to five digits."""
    assert description(parse("a - 0.0000864*T*log(x)"), 997) < description(parse("a - T*(x**0.0000864 - 1)"), 997) - NATS_PER_NODE
    assert description(parse("a*x**0.0664"), 997) < description(parse("a*x**0.0264"), 997)


@pytest.mark.parametrize("odd", ["9/4", "27/4", "-13/6", "11/5", "7"])
def test_an_odd_power_of_a_sum_is_as_dear_as_a_fitted_one(odd: str) -> None:
    """Among fractions some come near any exponent, so that one of them is a choice like 2.31; of a column they are known from power laws."""
    usual = {"3/2", "-2/3", "5/3", "7/2", "-3", "1/4"}
    of_sum = {each: description(parse(f"(x + y)**({each})"), 600) - description(parse(f"x**({each})"), 600) for each in (odd, *usual)}
    assert len({round(of_sum[each], 9) for each in usual}) == 1
    assert of_sum[odd] == pytest.approx(of_sum["3/2"] + NATS_PER_NODE)
    assert description(parse(f"(x + y)**({odd})"), 100_003) < description(parse("(x + y)**2.31"), 100_003)
