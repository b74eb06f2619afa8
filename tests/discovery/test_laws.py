"""The formulas of a discovery side by side, a search that is listened to and ended, results of other programs, and one edge searched deeper."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from workbench.discovery import Move
from workbench.discovery.deeper import search_edge
from workbench.discovery.laws import law, origin_of
from workbench.discovery.library import allowed_forms
from workbench.exceptions import DiscoveryError, JobCancelled, TableError, UnknownPrimitiveError


@pytest.fixture(scope="module")
def data() -> wb.Dataset:
    generator = np.random.default_rng(4)
    a, b = generator.uniform(0.5, 2.0, (2, 211))
    frame = pd.DataFrame({"a": a, "b": b, "y": 2.0 * a**2 / b + 0.02 * generator.normal(size=len(a))})
    return wb.Dataset.from_table(frame, target="y", units={"a": "m", "b": "s", "y": "m^2/s"})


def test_a_law_knows_its_error_its_constants_and_its_units(data: wb.Dataset) -> None:
    found = wb.Discovery(data).suppose("k*a^2/b")
    judged = law(found, found.state, "typed", nice=False)
    assert judged.error == found.metrics.rmse_validation < 0.05
    assert judged.complexity == found.formula().complexity
    (constant,) = judged.constants
    assert constant.low < 2.0 < constant.high
    assert judged.stability > 0.85
    assert judged.fits_units is True
    plain = wb.Discovery(data).suppose("2*a^2/b + 3")
    assert [law(plain, plain.state, origin).fits_units for origin in ("typed", "screens")] == [False, True]  # an engine's 3 may be 3 m^2/s
    other = wb.Discovery(data).suppose("exp(a) + k*b")
    assert law(other, other.state, "typed").fits_units is False


def test_a_plain_number_comes_with_what_the_data_say_of_it(data: wb.Dataset) -> None:
    found = wb.Discovery(data).suppose("2*a^2/b")
    judged = law(found, found.state, "typed")
    assert str(judged.formula) == "y = 2*a**2/b"
    (constant,) = judged.constants
    assert constant.low < 2.0 < constant.high < 2.02
    assert judged.stability < 1.0
    twice = wb.Discovery(data).suppose("2*a^2/(3*b)*sin(1*a)")  # the 2 and the 3 would trade against each other
    assert all(c.identified for c in law(twice, twice.state, "typed").constants)


def test_where_a_formula_comes_from_is_the_last_beginning_on_its_path() -> None:
    fit, snap = Move("fit"), Move("snap", {"edge": [0, "a", 0], "form": "sin"})
    typed, engine = Move("suppose", {"formula": "a*x"}), Move("suppose", {"formula": "a*x", "origin": "pysr"})
    assert origin_of([fit, snap]) == "named curves"
    assert origin_of([fit, snap, typed]) == "typed"
    assert origin_of([engine, Move("extend"), snap]) == "PySR, extended"
    assert origin_of([typed, fit]) == "named curves"


def test_the_history_names_a_formula_with_short_numbers() -> None:
    move = Move("suppose", {"formula": "1.1606643823*sin(x1)**0.25 + 2.5", "origin": "screens"})
    assert move.label == "screens: 1.161*sin(x1)**0.25 + 2.5"
    assert "1.1606643823" in move.to_python()


def test_the_table_of_a_discovery_by_hand_holds_every_named_network_once(data: wb.Dataset) -> None:
    found = wb.Discovery(data)
    found.leave().suppose("k*a").refit()
    found.leave().suppose("k*a^2/b")
    table = pd.DataFrame(found.pareto_table())
    assert table["origin"].tolist() == ["typed", "typed"]
    assert table["complexity"].is_monotonic_increasing
    assert table["state"].tolist() == [2, 3]  # the refit, not what it began with


def test_who_listens_hears_every_formula_while_the_discovery_stands_at_it(data: wb.Dataset) -> None:
    heard = []

    def listen(found: wb.Discovery, finding: object) -> None:
        assert found.state.id == finding.state
        heard.append(str(finding.formula))

    best = wb.discover(data, time_budget=2.5, listen=listen)
    assert {str(formula) for formula in best.pareto} <= set(heard)


def test_a_search_that_is_ended_concludes_with_what_it_has(data: wb.Dataset) -> None:
    found = []
    best = wb.discover(data, time_budget=60, watch=lambda fraction, words: bool(found), listen=lambda _, each: found.append(each))
    assert best.front
    assert len(best.states) < 40
    with pytest.raises(DiscoveryError, match="stopped before it had found a formula"):
        wb.discover(data, time_budget=60, hidden_layer_sizes=(2,), watch=lambda fraction, words: True)


def test_what_is_forbidden_binds_the_search() -> None:
    x = np.linspace(0.1, 6.0, 120)
    data = wb.Dataset.from_table({"x": x, "y": np.sin(1.3 * x)}, "y")
    best = wb.discover(data, time_budget=2.5, functions=["exp", "sqrt"])
    assert not any(name in record["formula"] for record in best.pareto_table(every=True) for name in ("sin", "cos", "tan", "log"))


def test_forms_follow_the_functions_that_are_allowed() -> None:
    forms = allowed_forms(["log"])
    assert {"x", "x^2", "1/x", "x^p", "log", "x*log"} <= set(forms)
    assert not {"exp", "gaussian", "sin", "tanh"} & set(forms)
    assert allowed_forms(None) is None
    with pytest.raises(UnknownPrimitiveError, match="Did you mean 'sin'"):
        allowed_forms(["sine"])


HALL = '''Complexity,Loss,Equation
1,1.9,"2.1"
3,0.5,"(a * 2.3)"
5,0.0004,"((a * 2.0) * (a / b))"
7,0.0003,"log(a - 9.0)"
'''


def test_a_hall_of_fame_joins_the_front_and_can_be_exported(data: wb.Dataset, tmp_path: Path) -> None:
    file = tmp_path / "hall_of_fame.csv"
    file.write_text(HALL)
    found = wb.Discovery(data).open_hall_of_fame(file)
    assert "a**2" in str(found.formula())
    assert {record["origin"] for record in found.pareto_table()} == {"PySR"}
    assert found.state.id in found.front
    assert "log" not in " ".join(record["formula"] for record in found.pareto_table(every=True))  # it has no value anywhere
    assert "found.suppose(" in found.to_script()
    assert "origin='pysr'" in found.to_script()
    (tmp_path / "empty.csv").write_text('Complexity,Loss,Equation\n1,0.1,"log(a - 9.0)"\n')
    with pytest.raises(DiscoveryError, match="holds no formula for these data"):
        wb.Discovery(data).open_hall_of_fame(tmp_path / "empty.csv")
    with pytest.raises(TableError, match="no such file"):
        wb.Discovery(data).open_hall_of_fame(tmp_path / "none.csv")


@pytest.fixture(scope="module")
def hard() -> wb.Discovery:
    """One curve that no form of the library fits: a sine of a square."""
    x = np.linspace(0.2, 3.0, 211)
    data = wb.Dataset.from_table({"x": x, "y": 1.5 * np.sin(x**2) / x}, "y")
    return wb.Discovery(data).fit(hidden_layer_sizes=(), intervals=(20,), n_starts=1)


def test_engines_find_a_form_for_an_edge_and_the_whole_model_is_refitted_with_it(hard: wb.Discovery) -> None:
    before = hard.state
    choices = list(search_edge(hard, (0, 0, 0), 4.0))
    assert choices
    assert all(choice.refitted and choice.rmse_validation is not None for choice in choices)
    assert min(choice.rmse_validation for choice in choices) < 0.1
    assert hard.state is before
    assert len(hard.states) == 1


def test_a_deeper_search_is_stopped_by_who_watches(hard: wb.Discovery) -> None:
    def stop(fraction: float, words: str) -> None:
        raise JobCancelled("It was stopped.")

    with pytest.raises(JobCancelled):
        list(search_edge(hard, (0, 0, 0), 30.0, stop))


@pytest.mark.parametrize(
    ("known", "law", "truth"),
    [
        ("3*a + ?", lambda a, b: 3 * a + 0.7 * np.exp(b), "3*a"),
        ("exp(-a)*?", lambda a, b: np.exp(-a) * (2.0 * b**2), "exp(-a)"),
        ("y = a - b*?", lambda a, b: a - b * np.sqrt(a), "a"),
    ],
)
def test_a_known_part_stays_and_the_rest_is_found(known: str, law: object, truth: str) -> None:
    a, b = np.random.default_rng(8).uniform(0.5, 2.0, (2, 157))
    best = wb.discover(wb.Dataset.from_table({"a": a, "b": b, "y": law(a, b)}, "y"), time_budget=4, known=known)
    assert best.verdict == "law"
    assert truth in best.formula().python_expression()
    assert best.metrics.rmse_validation < 1e-9
    assert best.state.move.name == "suppose"


@pytest.mark.parametrize(
    ("known", "words"),
    [("3*a", "one ? for what is not"), ("a*sin(?)", "must be a term or a factor"), ("k*a + ?", "'k' is no column"), ("a + 0*?", "makes no difference"), ("? + ?", "one ?")],
)
def test_a_known_part_that_cannot_be_used_is_answered(data: wb.Dataset, known: str, words: str) -> None:
    with pytest.raises(DiscoveryError, match=words.replace("?", r"\?")):
        wb.discover(data, time_budget=2, known=known)


@pytest.mark.parametrize(("unit", "zero"), [("°C", 273.15), pytest.param("degF", 459.67, marks=pytest.mark.slow), ("V", None)])
def test_a_law_of_temperature_is_offered_in_absolute_temperature_too(unit: str, zero: float | None) -> None:
    t = np.linspace(10.0, 90.0, 25)
    y = 3e6 * np.exp(-4000.0 / (t + (zero or 273.15))) * (1 + 0.02 * np.random.default_rng(1).normal(size=25))
    best = wb.discover(wb.Dataset.from_table({"t": t, "y": y}, "y", units={"t": unit}), time_budget=25)
    offered = [each["formula"] for each in best.pareto_table(every=True)]
    assert any("5463/20" in text or "45967/100" in text for text in offered) is (zero is not None)
