"""Which units a formula asks of its variables, against those of known laws: a law holds with the units that its variables have."""

from __future__ import annotations

import pytest

from workbench.expression import parse
from workbench.expression.description import description
from workbench.expression.homogeneity import ties

LAWS = [  # the columns less the units that may be chosen freely, counted by hand
    ("m*a", 0),
    ("x**1.7*y**-0.3", 0),
    ("x0 + v*t", 1),
    ("m*c**2/sqrt(1 - v**2/c**2)", 1),
    ("n/(exp(m*b/(k*t)) + 1)", 1),
    ("a*sin(w*t + p)", 2),
    ("e*exp(-t/r) + e0", 2),
    ("x**2 + x", 1),
    ("x**2 + x + 1", 1),
    ("(x + y)/(x - y)", 1),
    ("sqrt(x**2 + y**2) + abs(z) + cbrt(x**3)", 2),
    ("x**y", 2),
    ("2.5*pi", 0),
    ("0.7*m*s/(1.3 + s)", 0),
    ("m*s/(1 + s)", 1),
    ("a*sin(2.1*t + 0.4)", 1),
    ("a*sin(2.1*t)", 0),
    ("a*exp(-0.3*t) + 1.2", 0),
    ("2.1*log(x) + 0.4", 0),
    ("2*log(x) + 1", 1),
]


@pytest.mark.parametrize(("law", "count"), LAWS)
def test_the_units_that_are_tied(law: str, count: int) -> None:
    assert ties(parse(law)) == count


def test_a_sum_of_unlike_terms_ties_more_than_the_law_that_it_resembles() -> None:
    law, other = "w*sqrt(1 - v**2/c**2)/(1 + v*cos(p)/c)", "w/(v*(cos(p) + 1/c)/c + 1)"
    assert ties(parse(law)) == 2
    assert ties(parse(other)) == 3


def test_every_tie_has_its_price() -> None:
    assert description(parse("x*(y - z)"), 601) - description(parse("x*y*z"), 601) == pytest.approx(2.0, abs=1.0)


def test_the_factors_of_terms_are_pure() -> None:
    assert ties(parse("2*x - 3*y")) == ties(parse("1.98*x - 3.04*y")) == ties(parse("x - y"))
