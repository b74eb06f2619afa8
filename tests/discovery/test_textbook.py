"""Few rows that scatter: what the front keeps, and which of the formulas that fit as well is picked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import workbench as wb
from workbench.discovery.autopilot import pilot
from workbench.discovery.autopilot.course import Clock
from workbench.discovery.autopilot.findings import Finding, _is_bent, finding, pareto, said, shortest
from workbench.discovery.autopilot.pilot import judged
from workbench.discovery.autopilot.proposals import adopted, search_problem
from workbench.discovery.laws import law
from workbench.expression import free_constants, parse
from workbench.expression.description import NATS_PER_NODE, constant_price, description
from workbench.search import Proposal
from workbench.search.textbook import textbook

ANTOINE, ABSOLUTE = "5.4e7*exp(-6918.5/(temperature + 262.6))", "8.63e7*exp(-7306.5/(temperature + 5463/20))"


def findings(data: wb.Dataset, *texts: str) -> list[Finding]:
    return list(adopted(wb.Discovery(data), [Proposal(parse(text), "textbook") for text in texts], lambda: False, rival=True))


def plainly_said(each: Finding, n_rows: int) -> float:
    return description(each.formula.outputs[0].expression, n_rows)


@pytest.fixture(scope="module")
def mercury() -> wb.Dataset:
    return wb.load_sample("mercury_vapour").with_transforms({"pressure": "log"})


def test_absolute_temperature_is_one_quantity(mercury: wb.Dataset) -> None:
    """Against a fitted zero: both are c*exp(-b/(t + zero)), of as many nodes, but the unit knows one of the two zeros."""
    antoine, absolute = findings(mercury, ANTOINE, ABSOLUTE)
    assert absolute.formula.complexity == antoine.formula.complexity
    assert said(antoine.formula, 13) == plainly_said(antoine, 13)
    assert said(absolute.formula, 13) == pytest.approx(said(antoine.formula, 13) - constant_price(13) - 2.0)  # the number, its choice and its plus
    assert shortest([antoine, absolute], lambda _: False) is absolute


def test_a_power_of_degrees_takes_their_zero_for_that_of_nature() -> None:
    data = wb.load_sample("forbes1857")
    power, line, absolute = findings(data, "5.3e-9*bp**4.19", "0.523*bp - 81.1", "2e7*exp(-9000.0/(bp + 45967/100))")
    dearer = [said(each.formula, 17) - plainly_said(each, 17) for each in (power, line, absolute)]
    assert dearer == [2 * NATS_PER_NODE, 0.0, NATS_PER_NODE - description(parse("bp + 45967/100"), 17)]


def test_rare_functions_cost_more_than_their_nodes() -> None:
    x = np.linspace(0.02, 1.1, 23)
    data = wb.Dataset.from_table({"x": x, "y": 200 * x / (0.06 + x)}, "y")
    usual, rare = findings(data, "37.0*log(x) + 209.0", "37.0*asinh(137.0*x)")
    assert usual.formula.complexity == rare.formula.complexity
    assert said(rare.formula, 23) == said(usual.formula, 23) + 2 * NATS_PER_NODE


def test_a_law_that_the_rows_do_not_clearly_refuse_stays_in_the_front(mercury: wb.Dataset) -> None:
    """The zero that was fitted misses less, with as many nodes; the law in absolute temperature is what a physicist looks for."""
    antoine, absolute, wrong = findings(mercury, ANTOINE, ABSOLUTE, "0.02*exp(0.03*temperature)")
    assert antoine.error < absolute.error < wrong.error
    front = pareto([antoine, absolute, wrong])
    assert absolute in front
    assert antoine in front
    clearly = findings(mercury, "0.02*exp(0.03*temperature) + 0.001*temperature")[0]  # longer than what beats it by far
    assert clearly not in pareto([antoine, absolute, wrong, clearly])


def test_what_is_nearly_as_short_a_description_stays_in_the_front_and_what_is_worse_than_the_mean_does_not() -> None:
    """Two laws that so much scatter does not tell apart; and one that has no place where anything is better."""
    generator = np.random.default_rng(11)
    v, m = generator.uniform(1.0, 2.0, 307), generator.uniform(1.0, 5.0, 307)
    y = m * np.sqrt(1 + v / 9) * (1 + 0.1 * generator.normal(size=307))
    data = wb.Dataset.from_table({"m": m, "v": v, "y": y}, "y")
    root, power, far, worse = (
        next(iter(adopted(wb.Discovery(data), [Proposal(parse(text), "screens")], lambda: False)))
        for text in ("m*sqrt(v/9 + 1)", "m*exp(v/18)", "m*exp(v/2)", "300.0*exp(-8*v)")
    )
    assert abs(root.length - power.length) < 6.0
    assert min(far.length - root.length, worse.length - root.length) > 20.0
    assert worse.error > worse.of_mean.mean()
    front = pareto([worse, far, power, root])
    assert root in front
    assert power in front
    assert far not in front
    assert worse not in front
    assert pareto([worse]) == [worse]  # something is better than nothing


def test_saturation_keeps_one_amplitude_for_its_height_and_its_start() -> None:
    """NIST StRD BoxBOD, b1*(1 - exp(-b2*x)): certified b1 = 213.80940889, b2 = 0.54723748542."""
    data = wb.Dataset.from_table({"x": [1.0, 2, 3, 5, 7, 10], "y": [109.0, 149, 149, 191, 213, 224]}, "y")
    (law,) = [each for each in textbook(search_problem(data)) if str(each.expression).startswith("-213.8")]
    (found,) = list(adopted(wb.Discovery(data), [law], lambda: False))
    assert sorted(np.abs(found.formula.constants)) == pytest.approx([0.54723748542, 213.80940889], rel=2e-2)  # rounded as the rows allow
    assert len(free_constants(found.formula.outputs[0].expression)) == 2


def test_the_laws_of_textbooks_are_in_the_front_of_a_short_search() -> None:
    """An enzyme, 12 rows with two per cent of scatter: its law, and others that these rows cannot tell from it."""
    s = np.array([0.3, 0.6, 1.0, 1.5, 2.0, 3.0, 4.0, 5.5, 7.0, 9.0, 12.0, 15.0])
    v = 4.7 * s / (2.3 + s) * (1 + 0.02 * np.random.default_rng(1).standard_normal(12))
    told: list[str] = []

    def enough(_: float, words: str) -> bool:
        told.append(words)
        return words.startswith("trying the shape")  # that is after the textbooks

    found = wb.discover(wb.Dataset.from_table({"s": s, "v": v}, "v"), time_budget=60, random_state=0, watch=enough)
    at = np.linspace(0.3, 15.0, 101)
    misses = [np.abs(each.prediction(at[:, None]).values.ravel() / (4.7 * at / (2.3 + at)) - 1).max() for each in found.pareto]
    two = [miss for miss, each in zip(misses, found.pareto) if len(each.constants) == 2]
    assert "trying the laws of textbooks" in told
    assert min(two) < 0.05
    assert len(found.pareto) >= 3


def test_the_laws_of_textbooks_hold_for_groups_with_constants_of_their_own() -> None:
    """Grain sizes are lognormal, in two layers of sand: no curve of the library is, and each layer has its own height, place and width."""
    generator = np.random.default_rng(5)
    constants = {"upper": (3.1, 0.7, 0.9), "lower": (1.9, 1.6, 1.3)}
    sizes = {"upper": np.geomspace(0.11, 5.3, 19), "lower": np.geomspace(0.13, 9.1, 17)}
    rows = [(layer, x, c * np.exp(-((np.log(x / k) / n) ** 2))) for layer, (c, k, n) in constants.items() for x in sizes[layer]]
    layers, x, y = (np.array(column) for column in zip(*rows, strict=True))
    data = wb.Dataset.from_table({"x": x, "layer": layers, "y": y * (1 + 0.01 * generator.normal(size=len(y)))}, "y", group="layer")
    found = wb.discover(data, time_budget=20, random_state=0)
    assert found.state.move.arguments["origin"] == "textbook"
    assert found.verdict == "law"
    for layer, (c, k, n) in constants.items():
        at = np.geomspace(0.2, 5.0, 31)
        values = found.formula().predict(at[:, None], groups=[layer] * 31)
        np.testing.assert_allclose(values, c * np.exp(-((np.log(at / k) / n) ** 2)), atol=0.02 * c)


def read(data: wb.Dataset, time_budget: float) -> list[str]:
    """Return the laws that a search with so much time takes from textbooks in the first quarter of it."""
    run = pilot._Run(None, pilot.Limits(), Clock(time_budget, None), 0, 0.5, (0.5,))
    return [str(each.expression) for each in run._from_textbooks(data, 0.25)]


def test_many_groups_take_no_more_time_for_textbooks_than_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked at between groups, also where a group has no law that was not told."""
    opened: list[int] = []
    law = Proposal(parse("2.0*x"), "textbook", ("a law of textbooks, c*x",))
    monkeypatch.setattr(pilot, "textbook", lambda problem, stop: opened.append(len(problem.y)) or [law])
    x = np.tile(np.linspace(1.0, 3.0, 13), 29)
    data = wb.Dataset.from_table({"x": x, "who": np.repeat([f"g{k}" for k in range(29)], 13), "y": 2 * x}, "y", group="who")
    assert read(data, 1e-9) == read(data, 1e9) == ["2.0*x"]
    assert len(opened) == 1 + 29


def test_of_a_temperature_the_laws_are_tried_in_degrees_and_in_absolute_ones() -> None:
    tried = read(wb.load_sample("forbes1857"), 1e9)
    assert any("exp(-" in text and "/(bp + 45967/100))" in text for text in tried)
    assert any("exp(" in text and "45967" not in text for text in tried)


def test_a_law_of_textbooks_that_a_fit_bends_into_a_logarithm_is_no_rival() -> None:
    x = np.geomspace(0.3, 7.0, 41)
    found = wb.Discovery(wb.Dataset.from_table({"x": x, "y": 2 * np.log(x) + 3}, "y"))
    power = Proposal(parse("20000.0*x**0.0001 - 19997.0"), "textbook")
    assert not list(adopted(found, [power], lambda: False, rival=True))
    assert len(list(adopted(found, [power], lambda: False))) == 1


def test_what_binds_a_search_binds_the_textbook_too() -> None:
    x = np.linspace(0.5, 9.0, 17)
    data = wb.Dataset.from_table({"x": x, "y": 3 * np.exp(-0.4 * x) + 0.02 * np.sin(40 * x)}, "y")
    found = wb.discover(data, time_budget=4, random_state=0, functions=["log"])
    assert not any("exp" in each.to_text() for each in found.pareto)


def treated() -> wb.Dataset:
    """Puromycin, the treated cells (Bates & Watts, 1988, A1.3)."""
    rows = wb.load_sample("puromycin")
    chosen = rows.groups == list(rows.group_labels).index("treated")
    return wb.Dataset.from_table({"conc": rows.X[chosen, 0], "rate": rows.y[chosen, 0]}, "rate")


def test_a_law_may_be_said_by_its_name() -> None:
    """Michaelis and Menten's law holds x twice, 468/sqrt(1/x + 4.2) once and misses less; but the rows do not say so clearly, and one has a name."""
    data = treated()
    unknown, line = findings(data, "468.0/(1/conc + 4.2)**(1/2)", "-258.0*conc + 462.1*sqrt(conc)")
    book = {each.path[0]: each for each in textbook(search_problem(data))}
    (named,) = list(adopted(wb.Discovery(data), [book["a law of textbooks, c*x/(k + x)"]], lambda: False, rival=True))
    assert unknown.error < named.error
    assert said(named.formula, 12) > said(unknown.formula, 12) > said(named.formula, 12, named.named)
    assert shortest([unknown, line, named], lambda _: False) is named
    assert book["a law of textbooks, c*x + g*sqrt(x)"].named is None


def test_a_one_that_is_taken_from_a_column_is_a_number_that_was_chosen() -> None:
    """Of a gas with a pull between its molecules: 0.0831 t is (t - 1)/12 to a fortieth of the scatter, and that has no fitted constant."""
    generator = np.random.default_rng(6)
    t, v, a = generator.uniform([[250.0], [1.0], [1.0]], [[400.0], [5.0], [6.0]], (3, 997))
    y = 0.0831446 * t / v - a / v**2
    data = wb.Dataset.from_table({"t": t, "v": v, "a": a, "y": y * (1 + 0.015 * generator.normal(size=997))}, "y")
    law, odd = findings(data, "0.0831*t/v - a/v**2", "(t - 1)/(12*v) - a/v**2")
    assert law.length < odd.length < law.length + NATS_PER_NODE
    assert law.formula.constants
    assert not odd.formula.constants
    assert shortest([law, odd], lambda _: False) is law


@pytest.mark.parametrize(("text", "bent"), [("a*(t - 1)", True), ("a/(2*t + 3)", True), ("a*(t/a - 1)", False), ("a*(t + 5463/20)", False), ("a*(t**2 - 1)", False), ("2.5*a*t", False)])
def test_a_number_is_chosen_where_it_shifts_a_column_but_for_the_zero_of_its_scale(text: str, bent: bool) -> None:
    t, a = np.random.default_rng(2).uniform(1, 50, (2, 53))
    data = wb.Dataset.from_table({"t": t, "a": a, "y": a * (t + 273.15)}, "y", units={"t": "°C"})
    assert _is_bent(finding(wb.Discovery(data).suppose(text))) is bent


def test_errors_are_those_of_the_formula_as_it_is_written() -> None:
    """0.08337 lies so near 1/12 that the rows do not tell them apart, and it is written so: then it misses what 1/12 misses, on every part of the rows."""
    generator = np.random.default_rng(7)
    t, v = generator.uniform([[250.0], [1.0]], [[400.0], [5.0]], (2, 997))
    data = wb.Dataset.from_table({"t": t, "v": v, "y": t / (12 * v) * (1 + 0.015 * generator.normal(size=997))}, "y")
    near, exact = findings(data, "0.08337*t/v", "t/(12*v)")
    assert str(near.formula) == str(exact.formula)
    assert near.fitted == exact.fitted
    np.testing.assert_array_equal(near.errors, exact.errors)
    rows = data.split.validation
    missed = data.y[rows, 0] - t[rows] / (12 * v[rows])
    np.testing.assert_allclose(near.errors, (missed / data.y[data.split.train].std()) ** 2, rtol=1e-9)


def test_an_odd_power_of_a_sum_is_worth_no_more_than_a_fitted_one() -> None:
    """Of (t + a)^p some quarter lies near the best p wherever that is: where it lies upon it both are said in as many nats."""
    generator = np.random.default_rng(4)
    t = generator.uniform(1, 100, 997)
    y = ((t + 87.0) / 100) ** 6.75 * (1 + 0.015 * generator.normal(size=997))
    fitted, quarter = findings(wb.Dataset.from_table({"t": t, "y": y}, "y"), "((t + 87.13)/99.87)**6.757", "3.17e-14*(t + 87.0)**(27/4)")
    assert quarter.length == pytest.approx(fitted.length, abs=NATS_PER_NODE / 2)


def test_constants_that_leave_hardly_a_row_say_little() -> None:
    """NIST StRD DanWood: six rows, 0.769*T^3.86 (certified); three constants and an exponent of choice miss an eighth of that."""
    data = wb.load_sample("danwood")
    law, bent = findings(data, "0.769*T_1000K**3.86", "11.29*(T_1000K - 1.1696)**(3/2) + 1.55")
    assert 5 * bent.error < law.error
    assert shortest([law, bent], lambda _: False) is law


def test_of_formulas_that_few_rows_do_not_tell_apart_one_with_a_name_is_picked() -> None:
    """Puromycin, treated: Michaelis-Menten by name, and a formula of one constant that nobody had a reason for, less than a node apart."""
    treated = wb.load_sample("puromycin").table.values
    rows = treated["state"] == "treated"
    data = wb.Dataset.from_table({"conc": treated["conc"][rows].astype(float), "rate": treated["rate"][rows].astype(float)}, "rate")
    (odd,) = findings(data, "214.0*sqrt(1 - 1/(conc + 1)**4)")
    book = {each.path[0]: each for each in textbook(search_problem(data))}
    (named,) = list(adopted(wb.Discovery(data), [book["a law of textbooks, c*x/(k + x)"]], lambda: False, rival=True))
    assert abs(odd.length - named.length) < NATS_PER_NODE
    assert shortest([odd, named], lambda _: False) is named


def test_a_law_with_a_name_is_picked_before_what_is_hardly_shorter_and_has_none() -> None:
    """A capacitor discharges, V0*exp(-t/RC) + c; 22 and 7 were whole numbers by chance, of three functions that no circuit has."""
    data = wb.load_sample("capacitor")
    (odd,) = findings(data, "22/(Time + 1) - 7*cos(Time + 1) - 9.0095*sqrt(Time + 1)")
    book = {each.path[0]: each for each in textbook(search_problem(data))}
    (named,) = list(adopted(wb.Discovery(data), [book["a law of textbooks, c*exp(-r*x) + d"]], lambda: False, rival=True))
    assert odd.length + NATS_PER_NODE < named.length < odd.length + 2 * NATS_PER_NODE
    assert shortest([odd, named], lambda _: False) is named
    assert shortest([odd, replace(named, named=named.named + 3.0)], lambda _: False) is odd


def test_a_law_with_a_name_does_not_give_way_to_a_longer_one() -> None:
    """Forbes' water boils, c*exp(-b/T): in so narrow a range c and b trade against each other, and a logarithm four nats longer would not."""
    data = wb.load_sample("forbes1857")
    law, line = (replace(each, named=4.7) for each in findings(data, "2.1e7*exp(-9041.1/(bp + 45967/100))", "346.829*log(bp + 45967/100) - 2228.0"))
    line = replace(line, named=line.named + law.length + 4.0 - line.length)
    assert law.length + NATS_PER_NODE < line.length < law.length + 2 * NATS_PER_NODE
    assert shortest([law, line], lambda each: each is law) is law


def test_a_law_of_whole_numbers_does_not_give_way_to_one_with_a_name_and_fitted_constants() -> None:
    """Kepler's third law: a^(3/2), and the power law of textbooks with an exponent of 1.4998."""
    planets = wb.load_sample("planets").table.values
    data = wb.Dataset.from_table({"a": planets["a_au"].astype(float), "t": planets["period_yr"].astype(float)}, "t")
    kepler, power = findings(data, "a**(3/2)", "0.9999*a**1.4998")
    named = replace(power, named=kepler.length + 0.5 - replace(power, named=0.0).length)  # were its name so cheap
    assert kepler.length < named.length < kepler.length + NATS_PER_NODE
    assert shortest([named, kepler], lambda _: False) is kepler


def test_a_product_of_powers_needs_no_name() -> None:
    """Cherry trees are cones, c*d^2*h; textbooks have c*d*exp(k*d)*h, which 25 rows do not clearly refuse."""
    data = wb.load_sample("cherry_trees")
    cone, curve = findings(data, "0.0021*Girth**2*Height", "0.0101*Girth*Height*exp(0.0745*Girth)")
    named = replace(curve, named=cone.length + 1.5 - replace(curve, named=0.0).length)  # of weighted rows its name is so cheap
    assert cone.length < named.length < cone.length + NATS_PER_NODE
    assert shortest([named, cone], lambda _: False) is cone


def test_six_rows_that_two_formulas_follow_show_no_law() -> None:
    data = wb.load_sample("danwood")
    found = judged(data, [Proposal(parse(text), "scripted") for text in ("T_1000K**(7/2) - 0.446", "0.56*exp(1.5813*T_1000K) - 2.304")])
    assert found.verdict == "approximation"
    assert any("Another formula describes the rows as shortly, or as well" in reason for reason in found.reasons)


def test_a_finding_says_whether_it_is_a_rival(mercury: wb.Dataset) -> None:
    assert finding(wb.Discovery(mercury).suppose(parse(ABSOLUTE)), rival=True).rival


def test_the_zero_of_a_temperature_scale_is_no_constant_of_the_law(mercury: wb.Dataset) -> None:
    """8.6e7*exp(-7306/(t + 273.15)): the rows say how well they know two numbers; 273.15 is known from the unit."""
    found = wb.Discovery(mercury).suppose(ABSOLUTE, "textbook")
    told = law(found, found.state, "textbook")
    assert [round(constant.value / size, 1) for constant, size in zip(told.constants, (8.6e7, -7306.0), strict=True)] == [1.0, 1.0]
