"""Units reduce a problem before it is searched: groups from textbooks, laws that are found sooner, and units that say nothing or mislead."""

from __future__ import annotations

import itertools
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from numpy.testing import assert_allclose

from tests.search.conftest import error, problem
from workbench.expression import evaluate, to_text
from workbench.formula.dimensions import vectors
from workbench.search import Dimensions, Proposal, SearchProblem
from workbench.search.native import NativeEngine
from workbench.search.native.engine import _root
from workbench.search.native.reductions.groups import applied, reduced, reductions, relations
from workbench.search.native.surrogate import smooth_error

REYNOLDS = {"rho": "kg/m^3", "v": "m/s", "L": "m", "mu": "Pa s"}
PENDULUM = "2*pi*sqrt(l/g)*(1 + th**2/16)", {"l": (0.2, 3.0), "g": (1.6, 25.0), "th": (0.1, 1.5)}
PLANCK = "h*w**3/(pi**2*c**2*(exp(h*w/(k*T)) - 1))", {name: (1.0, 5.0) for name in "hwckT"}
PLANCK_UNITS = {"h": "kJ s", "w": "1/s", "c": "m/s", "k": "J/K", "T": "K"}


def measured(units: dict[str, str | None], target: str | None, **constants: str) -> Dimensions:
    """Return the dimensions of columns, of the target, and of what is constant."""
    first, *known = vectors([target, *units.values(), *constants.values()])
    return Dimensions(tuple(known[: len(units)]), first, tuple(known[len(units) :]))


def written(names: str | dict[str, str], exponents: tuple[Fraction, ...]) -> dict[str, Fraction]:
    return {name: power for name, power in zip(names, exponents, strict=True) if power}


def asked(given: SearchProblem, times: int) -> list[Proposal]:
    """Return what the engine proposes until it has asked so often whether to stop: no clock is involved."""
    count = itertools.count()
    return list(NativeEngine().search(given, lambda: next(count) >= times))


# ---------------------------------------------------------------------------------------------------- groups


def test_the_only_group_of_a_flow_is_its_reynolds_number() -> None:
    known = [own for own in vectors(list(REYNOLDS.values())) if own is not None]
    assert [written(REYNOLDS, own) for own in relations(known)] == [{"rho": 1, "v": 1, "L": 1, "mu": -1}]


def test_a_force_in_a_flow_is_a_monomial_times_a_function_of_the_reynolds_number() -> None:
    found = reductions(measured(REYNOLDS, "N"))
    assert {own.groups for own in found} == {((1, 1, 1, -1),)}
    monomials = [written(REYNOLDS, own.monomial) for own in found]
    assert monomials == [{"rho": -1, "mu": 2}, {"v": 1, "L": 1, "mu": 1}, {"rho": 1, "v": 2, "L": 2}]  # viscous, Stokes, Newton


def test_an_angle_is_a_group_by_itself_and_the_monomial_may_have_roots() -> None:
    (found,) = reductions(measured({"l": "m", "g": "m/s^2", "th": "rad"}, "ms"))
    assert found.monomial == (Fraction(1, 2), Fraction(-1, 2), 0)
    assert found.groups == ((0, 0, 1),)


def test_plain_ratios_come_before_longer_groups() -> None:
    found = reductions(measured({"m": "kg", "v": "m/s", "c": "km/h", "a": "m", "b": "cm"}, "J"))
    assert (found[0].groups, found[0].monomial) == (((0, 0, 0, 1, -1), (0, 1, -1, 0, 0)), (1, 2, 0, 0, 0))


def test_a_group_may_be_a_root_where_that_is_plainer() -> None:
    (found,) = reductions(measured({"v": "m/s", "g": "m/s^2", "L": "m"}, "rad"))
    assert found.groups == ((1, Fraction(-1, 2), Fraction(-1, 2)),)  # the Froude number
    generator = np.random.default_rng(8)
    speeds = generator.uniform(-2.0, 2.0, 31), generator.uniform(9.0, 10.0, 31), generator.uniform(1.0, 3.0, 31)
    for sign, name in ((1.0, "v/(g**(1/2)*L**(1/2))"), (-1.0, "v**2/(g*L)")):
        given = SearchProblem(np.column_stack([speeds[0], speeds[1], sign * speeds[2]]), speeds[0], ("v", "g", "L"))
        assert list(map(str, applied(_root(given, np.arange(31)), found).names)) == [name]


def test_a_row_on_which_a_group_has_no_value_does_not_hide_the_group() -> None:
    (found,) = reductions(measured({"a": "m", "b": "m"}, "1"))
    columns = np.random.default_rng(6).uniform(1.0, 2.0, (31, 2))
    columns[7] = 0.0
    assert list(map(str, applied(_root(SearchProblem(columns, columns[:, 0], ("a", "b")), np.arange(31)), found).names)) == ["a/b"]


def test_what_is_constant_lends_its_unit_and_stays_out_of_the_formula() -> None:
    (found,) = reductions(measured({"l": "m", "th": "deg"}, "s", g="m/s^2"))
    assert (found.monomial, found.groups) == ((Fraction(1, 2), 0), ((0, 1),))
    (found,) = reductions(measured({"w": "1/s", "T": "K"}, "1", hbar="J s", k="eV/K"))
    assert (found.monomial, found.groups) == ((0, 0), ((1, -1),))


def test_a_constant_that_does_not_matter_takes_no_group_away() -> None:
    found = reductions(measured({**REYNOLDS}, "N", span="m", speed="m/s"))
    assert ((1, 1, 1, -1),) in {own.groups for own in found}


@pytest.mark.parametrize(
    ("units", "target"),
    [
        ({"l": "m", "th": "rad"}, "s"),  # g is hidden: nothing makes a second
        ({"l": "m", "g": "m/s^2"}, None),
        ({"l": None, "g": None}, "s"),
        ({"T": "°C", "n": "mol"}, "K mol"),  # a temperature that does not count from zero is in no product
        ({"T": "K", "n": "mol"}, "°F"),
        ({"a": "m", "b": "s", "c": "kg"}, "m s kg"),  # as many groups as columns would save nothing, but here there is none
    ],
)
def test_where_units_do_not_say_enough_nothing_is_reduced(units: dict[str, str | None], target: str | None) -> None:
    found = reductions(measured(units, target))
    assert [own.groups for own in found] == ([()] if target == "m s kg" else [])


def test_a_column_of_unknown_unit_is_a_group_by_itself() -> None:
    (found,) = reductions(measured({"l": "m", "g": "m/s^2", "n": None, "T": "°C"}, "s"))
    assert (found.monomial, found.groups) == ((Fraction(1, 2), Fraction(-1, 2), 0, 0), ((0, 0, 0, 1), (0, 0, 1, 0)))


# ---------------------------------------------------------------------------------------------------- search


def test_a_noisy_law_is_found_with_units_and_not_without_in_the_same_number_of_steps() -> None:
    law, ranges = PLANCK
    known = measured(PLANCK_UNITS, "W s/m^2")
    with_units = asked(problem(law, ranges, 300, noise=0.1, dimensions=known), 200)
    without = asked(problem(law, ranges, 300, noise=0.1), 200)
    assert min(error(p.expression, law, ranges) for p in with_units) < 0.01
    assert min(error(p.expression, law, ranges) for p in without) > 0.05


def test_units_lead_to_a_formula_of_the_columns_and_its_path_says_how() -> None:
    law, ranges = PENDULUM
    found = asked(problem(law, ranges, 211, dimensions=measured({"l": "m", "g": "m/s^2", "th": "rad"}, "s")), 60)
    assert error(found[-1].expression, law, ranges) < 1e-12, to_text(found[-1].expression)
    assert found[-1].path[:2] == ("by its unit it is l**(1/2)/g**(1/2) times a pure number", "by their units the columns enter as th")


def test_without_a_unit_that_says_something_the_sequence_is_the_same() -> None:
    law, ranges = PENDULUM
    given = problem(law, ranges, 101, noise=0.05)
    plain = [(to_text(p.expression), p.path) for p in asked(given, 150)]
    assert len(plain) > 3
    for units, target in (((None, None, None), "s"), (("m", "m/s^2", "rad"), None), (("rad", "1", "%"), "1"), (("m", "kg", "rad"), "s")):
        silent = replace(given, dimensions=measured(dict(zip(ranges, units)), target))
        assert [(to_text(p.expression), p.path) for p in asked(silent, 150)] == plain


@pytest.mark.parametrize("noise", [0.0, 0.03])
def test_units_that_contradict_the_rows_are_seen_through_at_once(noise: float) -> None:
    law, ranges = PENDULUM
    given = problem(law, ranges, 211, noise=noise, dimensions=measured({"l": "m", "g": "m", "th": "s"}, "m"))
    assert given.dimensions is not None
    assert reductions(given.dimensions)
    root = _root(given, np.arange(211))
    assert reduced(root, given.dimensions, smooth_error(root), lambda: False) == []
    plain = [to_text(p.expression) for p in asked(replace(given, dimensions=None), 120)]
    assert [to_text(p.expression) for p in asked(given, 160)][: len(plain)] == plain


@pytest.mark.parametrize("noise", [0.01, 0.1])
@pytest.mark.parametrize("n_rows", [100, 300])
@pytest.mark.parametrize(
    ("law", "names", "target"),
    [
        ("a + 0.3*b*c", {"a": "m", "b": "m", "c": "m"}, "m"),  # 0.3/m
        ("a*exp(-0.7*b)", {"a": "m", "b": "m"}, "m"),
        ("a*b*exp(-0.4*b) + c", {"a": "m/s", "b": "s", "c": "m"}, "m"),
    ],
)
def test_a_reduction_that_hides_a_constant_with_a_unit_is_not_believed(law: str, names: dict[str, str], target: str, n_rows: int, noise: float) -> None:
    known = measured(names, target)
    root = _root(problem(law, dict.fromkeys(names, (1.0, 5.0)), n_rows, noise=noise), np.arange(n_rows))
    assert reductions(known)
    assert reduced(root, known, smooth_error(root), lambda: False) == []


@pytest.mark.parametrize("noise", [0.0, 0.1, 0.3])
@pytest.mark.parametrize("n_rows", [40, 300])
def test_a_true_reduction_is_believed(n_rows: int, noise: float) -> None:
    for (law, ranges), units, target in ((PENDULUM, ("m", "m/s^2", "rad"), "s"), (PLANCK, PLANCK_UNITS.values(), "W s/m^2")):
        root = _root(problem(law, ranges, n_rows, noise=noise), np.arange(n_rows))
        found = reduced(root, measured(dict(zip(ranges, units)), target), smooth_error(root), lambda: False)
        assert found[0].state.n_columns == 1


def test_a_law_with_a_hidden_constant_that_has_a_unit_is_found() -> None:
    law, ranges = "a*exp(-0.7*b)", {"a": (1.0, 5.0), "b": (0.5, 4.0)}  # a/b is the group, and the law is none of a/b alone
    found = asked(problem(law, ranges, 211, dimensions=measured({"a": "m", "b": "m"}, "m")), 400)
    assert error(found[-1].expression, law, ranges) < 1e-9


def test_columns_that_are_constant_or_copies_or_negative_do_no_harm() -> None:
    generator = np.random.default_rng(5)
    height, speed = generator.uniform(0.5, 3.0, 97), generator.uniform(-2.0, 2.0, 97)
    columns = {"h": height, "g": np.full(97, 9.81), "v": speed, "copy": height}
    known = measured({"h": "m", "g": "m/s^2", "v": "m/s", "copy": "kg"}, "m")
    given = SearchProblem(np.column_stack(list(columns.values())), 2.0 * height + speed**2 / 9.81, tuple(columns), dimensions=known)
    found = asked(given, 300)
    assert_allclose(evaluate(found[-1].expression, columns), given.y, rtol=1e-9)
