"""Units in a discovery: what a search is told of them, and which of two formulas is picked where the rows do not say."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from workbench.discovery.autopilot import known
from workbench.discovery.autopilot.findings import NATS_PER_NODE, Finding, finding, pareto, shortest
from workbench.discovery.autopilot.front import concluded
from workbench.discovery.autopilot.proposals import Collected, search_problem
from workbench.discovery.autopilot.verdict import judgement
from workbench.expression import parse
from workbench.search import Proposal

UNITS = {"a": "m", "b": "cm", "c": "s", "y": "m"}
ALIKE, UNLIKE = "k*sqrt(a^2 + b^2)", "k*sqrt(a^2 + c^2)"


def dataset(units: dict[str, str], noise: float = 0.05) -> wb.Dataset:
    """Return rows of 2 sqrt(a^2 + c^2), with another column b of nearly the values of c: what c explains better is less than chance."""
    generator = np.random.default_rng(2)
    a, c = generator.uniform(0.5, 2.0, (2, 150))
    b = c + 0.005 * generator.normal(size=len(c))
    y = 2.0 * np.hypot(a, c)
    return wb.Dataset.from_table(pd.DataFrame({"a": a, "b": b, "c": c, "y": y + noise * generator.normal(size=len(a))}), target="y", units=units)


def both(data: wb.Dataset, *texts: str) -> tuple[wb.Discovery, list[Finding]]:
    found = wb.Discovery(data)
    return found, [finding(found.leave().suppose(text, "screens")) for text in texts or (UNLIKE, ALIKE)]


def test_of_two_formulas_that_are_as_good_the_one_that_fits_the_units_is_picked_and_the_reasons_say_so() -> None:
    found, (unlike, alike) = both(dataset(UNITS))
    assert (unlike.fits_units, alike.fits_units) == (False, True)
    assert unlike.length < alike.length < unlike.length + NATS_PER_NODE
    assert shortest([unlike, alike], lambda _: False) is alike
    concluded(found, [unlike, alike], np.inf, None)
    assert found.state.id == alike.state
    assert found.reasons[-1] == "It fits the units; others that describe the rows as shortly do not."
    assert [each["fits_units"] for each in found.pareto_table()] == [False, True]  # marked, not hidden


def test_without_units_the_shorter_description_is_picked() -> None:
    found, (unlike, alike) = both(dataset({}))
    assert (unlike.fits_units, alike.fits_units) == (None, None)
    assert shortest(pareto([unlike, alike]), lambda _: False) is unlike
    concluded(found, [unlike, alike], np.inf, None)
    assert found.state.id == unlike.state
    assert not any("units" in reason for reason in found.reasons)


def test_a_formula_that_does_not_fit_the_units_is_picked_where_the_rows_say_so_and_the_reasons_warn() -> None:
    found, findings = both(dataset(UNITS), UNLIKE, "k*a")
    concluded(found, findings, np.inf, None)
    assert found.state.id == findings[0].state
    assert found.reasons[-1].startswith("It does not fit the units: ")


def test_what_does_not_fit_the_units_is_no_rival_of_what_does() -> None:
    for units, rivals in ((UNITS, False), ({}, True)):
        found, (unlike, alike) = both(dataset(units))
        said = judgement(found, alike, [unlike, alike], np.inf)
        assert any("Another formula" in reason for reason in said.reasons) is rivals


def test_the_front_of_a_search_keeps_what_is_nearly_as_short_with_units_or_without() -> None:
    for units in (UNITS, {}):
        collected = Collected(search_problem(dataset(units)))
        for text in ("2.0*sqrt(a**2 + b**2)", "2.0*sqrt(a**2 + c**2)", "2.5*a + b*c", "1.0*a"):
            collected.take(Proposal(parse(text), "scripted"))
        texts = [str(each.expression) for each in collected.front]
        assert "c**2" in texts[0]
        assert sum("a**2" in text for text in texts) == 2


def test_a_search_is_told_what_columns_measure_those_too_that_do_not_vary() -> None:
    length = np.linspace(0.2, 2.0, 40)
    frame = pd.DataFrame({"length": length, "g": 9.81, "swing": length[::-1] / 3, "heat": length**2 + 300, "day": pd.date_range("2024-01-01", periods=40), "T": 2 * length})
    data = wb.Dataset.from_table(frame, target="T", units={"length": "cm", "g": "m/s^2", "swing": "rad", "heat": "°C", "T": "ms"})
    told = search_problem(data).dimensions
    assert data.names == ("length", "swing", "heat", "day")
    assert told.inputs == ((1, 0), (0, 0), None, None)  # of m and s; degrees and dates count from somewhere
    assert told.target == (0, 1)
    assert told.constants == ((Fraction(1), Fraction(-2)),)


@pytest.mark.parametrize("units", [{}, {"length": "rad", "T": "1"}, {"length": "°C"}])
def test_units_that_say_nothing_are_not_passed_on(units: dict[str, str]) -> None:
    length = np.linspace(0.2, 2.0, 40)
    data = wb.Dataset.from_table({"length": length, "T": 2.0 * np.sqrt(length)}, target="T", units=units)
    assert search_problem(data).dimensions is None


def test_what_is_left_of_a_law_beside_a_known_part_has_no_known_unit() -> None:
    given = search_problem(dataset(UNITS))
    assert given.dimensions is not None
    rest = known.read("a*?", dataset(UNITS)).problem(given)
    assert (rest.dimensions, rest.units, rest.target_unit) == (None, (), None)


def test_columns_seen_as_logarithms_are_searched_in_their_own_units() -> None:
    generator = np.random.default_rng(3)
    length, g = generator.uniform(0.1, 9.0, 120), generator.uniform(1.0, 20.0, 120)
    units = {"length": "m", "g": "m/s^2", "T": "s"}
    data = wb.Dataset.from_table({"length": length, "g": g, "T": 2 * np.pi * np.sqrt(length / g)}, "T", units=units, transforms={"length": "log", "T": "log"})
    given = search_problem(data)
    assert given.dimensions == search_problem(data.with_transforms({})).dimensions
    assert np.allclose(given.y, 2 * np.pi * np.sqrt(given.X[:, 0] / given.X[:, 1]), rtol=1e-12)
