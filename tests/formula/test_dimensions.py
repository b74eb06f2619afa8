"""Units of formulas: what fits, what does not, and what cannot be said."""

from __future__ import annotations

import pytest

from workbench.expression import parse
from workbench.formula import Formula, Input, Output
from workbench.formula.dimensions import dimension, fits_units

UNITS = {"x": "m", "t": "s", "m": "kg", "angle": "rad", "q": None}


def fits(text: str, unit: str | None) -> bool | None:
    inputs = tuple(Input(name, name, unit) for name, unit in UNITS.items())
    return fits_units(Formula((Output("y", "y", unit, parse(text)),), inputs))


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("m*x**2/t**2/2", "J"),
        ("m*x/t**2", "N"),
        ("0.3*t", "m"),  # a fitted constant has whatever unit is needed
        ("x + 2.5", "km"),
        ("x*sin(angle)", "ft"),
        ("x*exp(-0.1*t)", "m"),
        ("sqrt(x**2 + 3*x*x)", "mm"),
        ("x*q", "kg"),  # nobody knows what q is
        ("abs(x)*sign(t - 1.0)", "m"),
        ("0.4*log(x) + 2.5", "m"),  # 0.4 m times log(x/x0)
        ("2*log(x) - log(t) - 2.5", None),
        ("m*exp(0.75*log(x) - 3.0)", "kg"),  # m*(x/x0)^0.75
    ],
)
def test_what_fits(text: str, unit: str) -> None:
    assert fits(text, unit) is True


@pytest.mark.parametrize(
    ("text", "unit"),
    [("log(x)", None), ("log(x) + 1", None), ("t*log(x) + 2.5", None), ("log(x)*log(t) + 2.5", None), ("log(x + t) + 2.5", None), ("x + t", "m"), ("x", "s"), ("exp(t)", None), ("x + 1", "m"), ("m*x**3/t**2/2", "J"), ("2**x", None), ("x**t", "m"), ("sqrt(x)", "m")],
)
def test_what_does_not_fit(text: str, unit: str | None) -> None:
    assert fits(text, unit) is False


def test_without_units_nothing_is_said() -> None:
    formula = Formula((Output("y", "y", None, parse("x + t")),), (Input("x", "x"), Input("t", "t")))
    assert fits_units(formula) is None


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("N m", "J"), ("kg m² s⁻²", "J"), ("W", "J/s"), ("V/A", "Ω"), ("km/h", "m s^-1"), ("kJ mol^-1", "J/mol"), ("J/(mol K)", "J mol^-1 K^-1"),
        ("cubic ft", "ft^3"), ("ft³", "m**3"), ("mmol/L", "mol m-3"), ("MHz", "1/s"), ("µm", "m"), ("mbar", "Pa"), ("W/(m^2·K)", "W m-2 K-1"),
    ],
)  # fmt: skip
def test_units_that_are_written_differently_and_mean_the_same(first: str, second: str) -> None:
    assert dimension(first) is not None
    assert dimension(first) == pytest.approx(dimension(second))


def test_words_that_are_no_units_are_units_of_their_own() -> None:
    assert dimension("vehicles/h") == {"vehicles": 1.0, "s": -1.0}
    assert dimension("%") == dimension("") == {}
    assert dimension(None) is None
    assert dimension("§ 5") is dimension("(m/s)^2") is None
