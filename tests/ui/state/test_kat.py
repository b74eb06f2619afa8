"""The Workbench page of a transformer without a page: real workers train, rank, snap and name; the store remembers."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from tests.transformer.conftest import SETTINGS, table
from workbench.exceptions import WorkbenchError
from workbench.ui.canvas.events import Action, parse_actions, parse_function
from workbench.ui.services import Services
from workbench.ui.state.data import Preparation
from workbench.ui.state.history import lines
from workbench.ui.state.jobs import Jobs
from workbench.ui.state.kat import KATBench
from workbench.ui.state.memory import Memory
from workbench.ui.state.miniature import picture_of
from workbench.ui.state.projects import Projects

LONG = {**SETTINGS, "epochs": 400}


def until(condition: Callable[[], Any], seconds: float = 90.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.03)
    return found


def project_of(services: Services) -> str:
    data = wb.Dataset.from_table(table("classification"), "y", task="classification")
    project = services.store.projects.create("sides").id
    services.store.projects.set_data(project, *data.to_arrays())
    return project


def ask(services: Services, project: str, task: str, **arguments: object) -> Any:
    return services.pool.wait(Jobs(services).submit(project, task, arguments, lane="interactive").id, 120).value


@pytest.fixture
def sides(opened: Services) -> str:
    """Return a project with a trained transformer."""
    project = project_of(opened)
    ask(opened, project, "kat.fit", settings=SETTINGS)
    return project


@pytest.fixture
def bench(opened: Services, sides: str) -> KATBench:
    return KATBench(opened, sides, Memory())


_order = iter(range(1, 10_000))


def do(bench: KATBench, operation: str, function: tuple[int, int] | None = None, **more: object) -> None:
    """Do an action, and wait for everything it started."""
    bench.act([Action(operation, next(_order), function, **more)], "canvas")
    until(lambda: bench.scene() and not bench.memory.moves)


def told(bench: KATBench, ranked: bool = True) -> dict[str, Any]:
    """Return what the inspector says when it knows all."""

    def answer() -> dict[str, Any] | None:
        found = bench.inspector(bench.scene(), 500)
        return found if found and (not ranked or (found["candidates"] and found["candidates"][0]["refitted"])) else None

    return until(answer)


def test_every_function_is_drawn_over_what_it_receives(bench: KATBench) -> None:
    scene = bench.scene()
    assert scene.is_transformer
    drawn = bench.canvas(scene, 500)
    assert [one["id"] for one in drawn["functions"]] == ["0.0", "0.1", "1.0", "1.1"]
    assert [(place["label"], place["detail"], place["channels"]) for place in drawn["places"]] == [
        ("Block 1", "first activation", 8), ("Block 1", "second activation", 16),
    ]  # fmt: skip
    assert (drawn["selected"], drawn["streams"], drawn["job"]) == (None, [], None)
    json.dumps(drawn, allow_nan=False)


def test_a_function_is_inspected_and_candidates_are_judged_by_the_whole_model(bench: KATBench) -> None:
    bench.select("1.1")
    first = bench.inspector(bench.scene(), 500)
    assert first["chips"] == ["shared by 16 channels"]
    assert len(first["density"]) > 10
    found = told(bench)
    assert (found["label"], found["score"], found["moves"]) == ("block 1, second, group 2", "accuracy", ["snap", "release"])
    judged = [one for one in found["candidates"] if one["refitted"]]
    assert len(judged) >= 3
    assert all(one["validation_rmse"] >= 0 and abs(one["delta_r2"]) <= 1 for one in judged)
    assert len(found["candidates"][0]["y"]) == len(found["x"])
    json.dumps(found, allow_nan=False)


def test_a_snap_is_recorded_undone_redone_and_released(opened: Services, sides: str, bench: KATBench) -> None:
    do(bench, "snap", (1, 0), form="gelu")
    scene = bench.scene()
    assert scene.state.step.label == "block 1, second, group 1 is gelu"
    assert scene.view["metrics"]["n_symbolic"] == 1
    assert scene.view["certificate"]["n_named"] == 1
    assert [one["state"] for one in bench.canvas(scene, 500)["functions"]] == ["spline", "spline", "snapped", "spline"]
    assert scene.change == pytest.approx(scene.view["metrics"]["r2_validation"] - opened.store.states.history(sides)[0].metrics["r2_validation"])
    bench.history("undo")
    assert bench.scene().view["certificate"]["n_named"] == 0
    bench.history("redo")
    do(bench, "release", (1, 0))
    assert bench.scene().view["certificate"]["n_named"] == 0
    found = lines(opened.store.states.history(sides), opened.store.projects.get(sides).cursor)
    assert [line.label for line in found] == ["train a KAT", "block 1, second, group 1 is gelu", "release block 1, second, group 1"]
    assert {line.score for line in found} == {"accuracy"}


def test_a_snap_without_a_form_takes_the_best(bench: KATBench) -> None:
    bench.select("1.0")
    best = told(bench)["candidates"][0]["name"]
    do(bench, "snap", (1, 0))
    assert bench.scene().view["functions"][2]["form"] == best


def test_a_form_of_ones_own_is_fitted_and_placed(bench: KATBench) -> None:
    bench.select("1.0")
    told(bench)
    do(bench, "fit_form", (1, 0), text="a*x + b*x**2")
    own = until(lambda: next((one for one in told(bench)["candidates"] if one["name"] == "a*x + b*x**2"), None))
    assert own["refitted"]


def test_what_cannot_be_done_is_said_beside_the_function(bench: KATBench) -> None:
    bench.select("1.0")
    do(bench, "snap", (1, 0), form="log")
    assert "is not defined everywhere" in bench.inspector(bench.scene(), 500)["message"]
    do(bench, "release", (1, 0))
    assert "nothing to release" in bench.inspector(bench.scene(), 500)["message"]


def test_all_functions_are_named_each_by_a_move(opened: Services, sides: str, bench: KATBench) -> None:
    bench.start("kat.name_all", max_complexity=5)
    until(lambda: bench.scene().running is None)
    moves = [step.move["name"] for step in opened.store.states.history(sides)]
    assert moves == ["fit_kat", *["name"] * 4, "refit"]
    view = bench.scene().view
    assert view["certificate"]["n_named"] == 4
    assert view["certificate"]["parts"]["test"]["score_opened"] > 0.9
    bench.move("refit", epochs=1)
    until(lambda: len(opened.store.states.history(sides)) == 7)


def test_a_snap_while_all_are_named_is_refused(opened: Services, sides: str, bench: KATBench) -> None:
    bench.start("kat.name_all")
    until(lambda: bench.scene().running is not None)
    bench.select("1.0")
    bench.act([Action("snap", next(_order), (1, 0), form="gelu")], "canvas")
    assert "are being named" in bench.inspector(bench.scene(), 500)["message"]
    bench.stop()
    until(lambda: bench.scene().running is None)
    assert all(step.move["name"] != "snap" for step in opened.store.states.history(sides))


def test_a_project_that_the_command_line_made_opens_as_a_transformer(opened: Services, tmp_path: Path) -> None:
    data = wb.Dataset.from_table(table("classification"), "y", task="classification")
    wb.Transformer.fit(data, **SETTINGS | {"epochs": 1}).save(tmp_path / "sides.kanwb")
    project = Projects(opened).open_file("sides.kanwb", (tmp_path / "sides.kanwb").read_bytes())
    assert Preparation(opened, project).plan.model == "kat"
    assert KATBench(opened, project, Memory()).scene().is_transformer


def test_questions_change_nothing(opened: Services, sides: str, bench: KATBench) -> None:
    before = opened.store.states.get(sides)
    bench.select("0.0")
    told(bench)
    bench.attention(bench.scene(), 500)
    assert bench.script(before.step.id).startswith("# How the activations")
    after = opened.store.states.get(sides)
    assert (after.step, after.network, after.view) == (before.step, before.network, before.view)
    assert all((after.arrays[name] == values).all() for name, values in before.arrays.items())


def test_attention_to_a_row_that_is_picked(bench: KATBench) -> None:
    found = until(lambda: (told := bench.attention(bench.scene(), 500)) and not told["waiting"] and told)
    assert found["inputs"] == {"kind": "patches", "height": 4, "width": 4, "size": 2}
    assert [(one["block"], one["head"]) for one in found["heads"]] == [(1, 1), (1, 2)]
    for one in found["heads"]:
        assert [pytest.approx(1, abs=1e-3)] * 5 == [sum(row) for row in one["map"]]
    assert len(found["image"]) == 4
    assert found["n_rows"] == 52
    other = next(one for one in found["offered"] if one["row"] != found["row"])
    bench.look_at(other["row"])
    picked = until(lambda: (told := bench.attention(bench.scene(), 500)) and not told["waiting"] and told)
    assert (picked["row"], picked["truth"], picked["image"]) == (other["row"], other["truth"], other["image"])
    bench.look_at("0; drop table")
    assert bench.memory.row is None


def test_a_training_is_watched_paused_stepped_and_kept(opened: Services) -> None:
    project = project_of(opened)
    bench = KATBench(opened, project, Memory())
    Jobs(opened).submit(project, "kat.fit", {"settings": LONG})
    until(lambda: bench.canvas(bench.scene(), 500)["functions"])
    scene = bench.scene()
    assert scene.is_transformer
    assert bench.canvas(scene, 500)["job"]["measure"] == "loss"
    bench.select("1.0")
    assert bench.inspector(scene, 500)["live"]
    bench.training.pause()
    until(lambda: bench.scene().training.status == "paused")
    before = bench.scene().training.message
    assert before.startswith("epoch ")
    assert "held-out accuracy" in before
    bench.training.step()
    until(lambda: bench.scene().training.status == "paused" and bench.scene().training.message != before)
    bench.training.keep()
    until(lambda: bench.scene().training is None)
    (step,) = opened.store.states.history(project)
    assert step.label == "train a KAT, stopped"
    assert 1 <= step.move["arguments"]["stop_after"] < 400


def test_until_the_first_epoch_what_was_there_before_is_shown(opened: Services, sides: str, bench: KATBench) -> None:
    before = bench.scene().view["functions"]
    blocker = Jobs(opened).submit(project_of(opened), "kat.fit", {"settings": LONG})  # the one batch worker is busy
    Jobs(opened).submit(sides, "kat.fit", {"settings": LONG})
    scene = until(lambda: (scene := bench.scene()).training and scene)
    assert scene.training.status == "queued"
    assert bench.canvas(scene, 500)["functions"] == before
    bench.select("1.0")
    assert bench.inspector(scene, 500)["live"]
    bench.training.discard()
    opened.pool.cancel(blocker.id)


def test_a_training_that_is_discarded_leaves_nothing(opened: Services) -> None:
    project = project_of(opened)
    bench = KATBench(opened, project, Memory())
    Jobs(opened).submit(project, "kat.fit", {"settings": LONG})
    until(lambda: bench.canvas(bench.scene(), 500)["functions"])
    bench.training.discard()
    until(lambda: bench.scene().training is None)
    assert opened.store.states.history(project) == ()


def test_the_page_data_trains_a_transformer_as_it_was_planned(opened: Services) -> None:
    project = Projects(opened).open_sample("digits")
    data = Preparation(opened, project)
    assert data.plan.model == "kat"
    assert data.plan.task == "classification"
    assert "4 tokens, squares of 4 × 4 pixels from images of 8 × 8" in data.outlook().detail
    assert data.patch_sizes() == (1, 2, 4)
    data.change_blocks(width=50)
    assert "cannot be shared out to 4" in data.outlook().problem
    data.change_blocks(width=16, depth=1, epochs=1)
    job = data.fit()
    opened.pool.wait(job.id, 120)
    (step,) = opened.store.states.history(project)
    assert {name: step.move["arguments"][name] for name in ("width", "depth", "epochs", "tokens")} == {"width": 16, "depth": 1, "epochs": 1, "tokens": "auto"}
    card = next(card for card in Projects(opened).cards() if card.id == project)
    assert (card.score, card.progress) == ("accuracy", "0 of 8 curves named")


def test_a_plan_of_columns_makes_a_token_of_each(opened: Services) -> None:
    data = Preparation(opened, Projects(opened).open_sample("digits"))
    data.change_blocks(tokens="columns")
    assert "61 tokens, one for each input" in data.outlook().detail


def test_few_rows_are_no_task_for_a_transformer(opened: Services) -> None:
    data = Preparation(opened, Projects(opened).open_sample("cherry_trees"))
    data.change(model="kat")
    assert "this table has 31" in data.outlook().problem
    with pytest.raises(WorkbenchError, match="this table has 31"):
        data.fit()


def test_a_state_in_small_is_a_bar_for_every_function(bench: KATBench) -> None:
    do(bench, "snap", (1, 0), form="gelu")
    drawn = picture_of(bench.scene().view)
    named, learned = (drawn.split(f"class='{state}'")[1].split("'/>")[0].count("M") for state in ("snapped", "spline"))
    assert (named, learned) == (1, 3)
    assert picture_of({}) is None


@pytest.mark.parametrize("address", ["0", "0.1.2", "a.b", "0.-1", None, 3, "1234567890.0"])
def test_an_address_that_is_none_is_refused(address: object, bench: KATBench) -> None:
    with pytest.raises(WorkbenchError, match="not the address of an activation function"):
        parse_actions([{"op": "snap", "order": 1, "edge": address}], 0, parse_function)
    bench.select(address if isinstance(address, str) else None)
    assert bench.memory.selected is None
