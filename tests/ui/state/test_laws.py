"""The list of formulas without a page: real workers search, fit, compare and read; the store remembers."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
from tests.ui.state.test_bench import do, inspected, until
from workbench.store import Step
from workbench.ui.services import Services
from workbench.ui.state.bench import Bench
from workbench.ui.state.jobs import Jobs
from workbench.ui.state.laws import distinct, on_front
from workbench.ui.state.memory import Memory
from workbench.ui.state.projects import Projects


@pytest.fixture
def bench(opened: Services) -> Bench:
    """Return the bench of a project with data and nothing else."""
    project = opened.store.projects.create("drops").id
    generator = np.random.default_rng(6)
    a, b = generator.uniform(0.5, 2.0, (2, 211))
    table = {"a": a, "b": b, "y": 2.0 * a**2 / b + 0.02 * generator.normal(size=len(a))}
    opened.store.projects.set_data(project, *wb.Dataset.from_table(table, "y", units={"a": "m", "b": "s", "y": "m^2/s"}).to_arrays())
    return Bench(opened, project, Memory())


def listed(bench: Bench) -> dict:
    return bench.laws(bench.scene(), 500)


def by_text(bench: Bench, part: str) -> dict:
    return next(law for law in listed(bench)["laws"] if part in law["text"])


def test_before_anything_is_fitted_a_formula_can_be_typed(bench: Bench) -> None:
    told = listed(bench)
    assert (told["laws"], told["here"], told["verdict"]) == ([], None, None)
    assert told["columns"] == [{"name": "a", "symbol": "a"}, {"name": "b", "symbol": "b"}]
    do(bench, "suppose", text="k*a^p/b")
    scene, told = bench.scene(), listed(bench)
    assert scene.state.step.label == "suppose: k*a^p/b"
    assert scene.view["code"] == "found.suppose('k*a^p/b')"
    (law,) = told["laws"]
    assert (law["origin"], law["front"], law["symbolic"]) == ("typed", True, True)
    assert law["state"] == told["here"]
    assert law["rmse"] == pytest.approx(0.02, rel=0.3)
    assert [c["low"] < truth < c["high"] for c, truth in zip(law["constants"], (2.0, 2.0), strict=True)] == [True, True]
    assert told["can_extend"]


def test_a_table_that_was_only_dropped_is_made_ready_by_the_first_formula(opened: Services) -> None:
    bench = Bench(opened, Projects(opened).open_sample("cherry_trees"), Memory())
    assert [column["name"] for column in listed(bench)["columns"]] == ["Girth", "Height"]
    do(bench, "suppose", text="k*Girth^2*Height")
    assert listed(bench)["message"] is None
    assert [law["complexity"] for law in listed(bench)["laws"]] == [7]


def test_what_cannot_be_read_is_said_in_the_list_and_changes_nothing(bench: Bench) -> None:
    do(bench, "suppose", text="k*A")
    assert listed(bench)["message"] == "There is no column 'A'. Did you mean 'a'?"
    assert bench.refusal is None
    assert bench.scene().state is None
    do(bench, "suppose", text="k*a")
    assert listed(bench)["message"] is None


def test_a_click_goes_to_a_formula_and_undo_leads_back(bench: Bench) -> None:
    do(bench, "suppose", text="k*a")
    do(bench, "suppose", text="k*a^2/b")
    first, second = by_text(bench, "*a")["state"], listed(bench)["here"]
    do(bench, "open", state=first)
    assert listed(bench)["here"] == first
    do(bench, "open", state=second)
    do(bench, "undo")
    assert listed(bench)["here"] == first
    do(bench, "open", state=99)
    assert "no state 99" in listed(bench)["message"]


def test_what_a_formula_misses_is_fitted_and_then_named(bench: Bench) -> None:
    do(bench, "suppose", text="k*a/b")
    do(bench, "extend")
    until(lambda: bench.scene().running is None)
    scene = bench.scene()
    assert scene.state.step.label == "fit what it misses"
    assert scene.change > 0.0
    assert not listed(bench)["can_extend"]
    assert listed(bench)["here"] is None  # its curves have no name: it is no formula yet
    script = bench.script(scene.state.step.id)
    assert script.index("found.suppose('k*a/b')") < script.index("found.extend(")
    do(bench, "undo")
    assert listed(bench)["can_extend"]


def test_a_search_fills_the_list_while_the_page_stays_where_it_is(bench: Bench) -> None:
    do(bench, "suppose", text="k*a")
    typed = listed(bench)["here"]
    bench.start("discovery.auto", time_budget=4.0)
    until(lambda: len(listed(bench)["laws"]) > 1)
    seen = listed(bench)
    if seen["searching"]:
        assert seen["here"] == typed
    until(lambda: bench.scene().running is None)
    told = listed(bench)
    picked = next(law for law in told["laws"] if law["picked"])
    assert told["here"] == picked["state"]
    assert told["verdict"] in ("law", "approximation")
    assert "a**2" in picked["text"]
    assert picked["fits_units"] is True
    assert picked["origin"] in ("screens", "textbook", "Operon")
    assert {law["origin"] for law in told["laws"]} >= {"typed", picked["origin"]}
    shares = [law["share"] for law in told["laws"] if law["front"]]
    assert [law["complexity"] for law in told["laws"]] == sorted(law["complexity"] for law in told["laws"])
    assert shares[-1] == min(shares)


def test_a_person_who_moves_during_a_search_stays_where_they_went(bench: Bench) -> None:
    do(bench, "suppose", text="k*a")
    bench.start("discovery.auto", time_budget=3.0)
    do(bench, "suppose", text="k*b")
    here = listed(bench)["here"]
    until(lambda: bench.scene().running is None)
    assert listed(bench)["here"] == here
    assert any(law["picked"] for law in listed(bench)["laws"])


def test_one_engine_searches_on_and_the_page_stays_where_it_is(bench: Bench) -> None:
    do(bench, "suppose", text="k*a")
    here = listed(bench)["here"]
    bench.start("discovery.search", engine="screens", time_budget=4.0)
    until(lambda: bench.scene().running is None)
    told = listed(bench)
    assert bench.refusal is None
    assert told["here"] == here
    assert any("a**2" in law["text"] and law["origin"] == "screens" for law in told["laws"])


def test_an_engine_that_is_not_here_is_answered(bench: Bench, opened: Services) -> None:
    bench.start("discovery.search", engine="eureqa", time_budget=4.0)
    until(lambda: bench.scene().running is None)
    job = next(job for job in opened.pool.jobs(bench.project) if job.task == "discovery.search")
    assert "There is no engine 'eureqa'. Engines: screens, operon, pysr." in job.error


def test_a_locked_edge_binds_the_search(bench: Bench) -> None:
    do(bench, "suppose", text="k*a^2 + c*b")
    do(bench, "lock", edge=[0, 0, 0])
    assert bench.scene().locked == 1
    typed = bench.scene().state.step.id
    bench.start("discovery.auto", time_budget=10.0, known="3*a + ?")
    until(lambda: bench.scene().running is None)
    told, scene = listed(bench), bench.scene()
    assert bench.refusal is None
    assert told["here"] == next(law for law in told["laws"] if law["picked"])["state"]
    assert scene.locked == 1
    assert "a**2" in next(law for law in told["laws"] if law["picked"])["text"]
    path, steps = [], {step.id: step for step in scene.steps}
    here = scene.state.step.id
    while here is not None:
        path.append(here)
        here = steps[here].parent
    assert typed in path


def test_a_search_that_is_stopped_keeps_what_it_found(bench: Bench) -> None:
    bench.start("discovery.auto", time_budget=60.0)
    until(lambda: listed(bench)["laws"])
    bench.stop()
    until(lambda: bench.scene().running is None)
    told = listed(bench)
    assert any(law["picked"] for law in told["laws"])
    assert told["here"] is not None


def test_a_search_that_is_cancelled_leaves_its_list(bench: Bench, opened: Services) -> None:
    bench.start("discovery.auto", time_budget=60.0)
    until(lambda: listed(bench)["laws"])
    opened.pool.cancel(bench.scene().running.id)
    until(lambda: bench.scene().running is None)
    assert listed(bench)["laws"]
    assert listed(bench)["verdict"] is None


def compared(bench: Bench, other: dict) -> dict:
    do(bench, "compare", **other)
    until(lambda: bench.scene() and bench.memory.comparing is None)
    return listed(bench)["comparison"]


def test_two_formulas_are_compared_until_one_looks_elsewhere(bench: Bench) -> None:
    do(bench, "suppose", text="k*a")
    first = listed(bench)["here"]
    do(bench, "suppose", text="2*a^2/b")
    apart = compared(bench, {"state": first})
    assert apart["relation"] == "different"
    assert "m^2/s" in apart["text"]
    assert len(apart["curve"]["x"]) == len(apart["curve"]["difference"])
    same = compared(bench, {"text": "a*a*2/b"})
    assert (same["relation"], same["curve"]) == ("proven", None)
    do(bench, "open", state=first)
    assert listed(bench)["comparison"] is None
    do(bench, "open", state=listed(bench)["laws"][-1]["state"])
    do(bench, "forget")
    assert listed(bench)["comparison"] is None
    assert compared(bench, {"text": "a + ("}) is None
    assert listed(bench)["message"].startswith("Found the end of the formula")


def test_a_hall_of_fame_is_read_into_the_list(bench: Bench) -> None:
    bench.open_results(b'Complexity,Loss,Equation\n3,0.5,"(a * 2.3)"\n5,0.0004,"((a * 2.0) * (a / b))"\n6,0.1,"what(a)"\n')
    until(lambda: bench.scene() and bench.memory.opening is None)
    told = listed(bench)
    assert [law["origin"] for law in told["laws"]] == ["PySR", "PySR"]
    assert told["message"].startswith("2 formulas were read, fitted again and judged. Row 4 is left out")
    bench.open_results(b"a,b\n1,2\n")
    until(lambda: bench.scene() and bench.memory.opening is None)
    assert "no hall of fame" in listed(bench)["message"]


def test_the_list_gives_way_to_an_edge_in_hand(bench: Bench) -> None:
    do(bench, "suppose", text="k*a")
    bench.select("0.0.0")
    assert bench.laws(bench.scene(), 500) is None


def line(size: int, share: float, text: str) -> dict:
    return {"complexity": size, "share": share, "copy": {"text": text}}


def step(number: int, name: str, parent: int | None = None) -> Step:
    return Step(number, parent, None, 1, name, {"name": name, "arguments": {}}, {}, 0.0)


def test_what_was_fitted_further_or_found_twice_is_one_line() -> None:
    laws = {1: line(5, 0.2, "a"), 2: line(5, 0.1, "b"), 3: line(5, 0.1, "b")}
    steps = {1: step(1, "suppose"), 2: step(2, "refit", 1), 3: step(3, "suppose")}
    assert list(distinct(laws, steps, None)) == [2]
    assert list(distinct(laws, steps, 1)) == [1, 2]
    assert list(distinct(laws, steps, 3)) == [3]
    assert list(distinct(laws, steps, None, 3)) == [3]  # what a search picked stays, wherever one looks


def test_on_the_front_is_what_no_other_beats_in_both() -> None:
    laws = {1: line(5, 0.2, "a"), 2: line(7, 0.3, "b"), 3: line(9, 0.1, "c"), 4: line(9, 0.15, "d"), 5: line(11, 0.1, "e"), 6: {"complexity": 3, "share": None}}
    assert on_front(laws) == {1, 3}


def test_a_form_that_an_engine_found_for_an_edge_is_snapped_as_it_was_found(opened: Services) -> None:
    x = np.linspace(0.2, 3.0, 211)
    project = opened.store.projects.create("waves").id
    opened.store.projects.set_data(project, *wb.Dataset.from_table({"x": x, "y": 1.5 * np.sin(x**2) / x}, "y").to_arrays())
    settings = {"hidden_layer_sizes": (), "intervals": (20,), "n_starts": 1}
    opened.pool.wait(Jobs(opened).submit(project, "discovery.fit", {"settings": settings}, lane="interactive").id, 60)
    bench = Bench(opened, project, Memory())
    bench.select("0.0.0")
    inspected(bench)
    do(bench, "search", (0, 0, 0))
    until(lambda: bench.scene() and bench.memory.deeper is None)
    forms = [form for form in bench.inspector(bench.scene(), 500)["candidates"] if form["title"] == "found form"]
    assert forms
    best = min(forms, key=lambda form: form["validation_rmse"])
    do(bench, "snap", (0, 0, 0), form=best["name"])
    scene = bench.scene()
    assert scene.state.step.metrics["rmse_validation"] == pytest.approx(best["validation_rmse"], rel=0.05)
    assert ("parameters={" in scene.view["code"]) == bool(best["parameters"])  # a form with whole numbers has none
    (law,) = listed_without_edge(bench)["laws"]
    assert law["origin"] == "named curves"


def listed_without_edge(bench: Bench) -> dict:
    bench.select(None)
    return listed(bench)
