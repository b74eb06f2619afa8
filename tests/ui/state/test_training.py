"""A fit that is paused, stepped, gone on with, kept and discarded: by real workers, without a page."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from numpy.testing import assert_allclose

import workbench as wb
from tests.ui.state.test_bench import until
from workbench.discovery.storage import network_record, state_from_store
from workbench.ui.canvas import Action
from workbench.ui.services import Services
from workbench.ui.state import training
from workbench.ui.state.bench import Bench
from workbench.ui.state.jobs import Jobs
from workbench.ui.state.memory import Memory

SETTINGS = {"hidden_layer_sizes": (3,), "n_starts": 2, "intervals": (5, 10), "random_state": 2}
EDGE = (0, 0, 0)


def waves() -> wb.Dataset:
    generator = np.random.default_rng(3)
    x = generator.uniform(-2, 2, (1009, 2))
    return wb.Dataset.from_table({"a": x[:, 0], "b": x[:, 1], "y": np.sin(2 * x[:, 0]) * x[:, 1] + 0.1 * generator.normal(size=1009)}, "y")


@pytest.fixture
def project(opened: Services) -> str:
    project = opened.store.projects.create("waves").id
    opened.store.projects.set_data(project, *waves().to_arrays())
    return project


@pytest.fixture
def bench(opened: Services, project: str) -> Bench:
    return Bench(opened, project, Memory())


def paused(opened: Services, project: str) -> str:
    """Hand in a fit that pauses at its first iteration; return its job."""
    begin = threading.Event()
    opened.pool._scheduler.call(begin.wait)  # both orders are there before either is looked at
    job = Jobs(opened).submit(project, "discovery.fit", {"settings": SETTINGS})
    opened.pool.steer(job.id, "pause")
    begin.set()
    until(lambda: opened.pool.get(job.id).status == "paused")
    return job.id


def stored(opened: Services, project: str) -> list[bytes]:
    """Return the network that is looked at, byte for byte."""
    _, arrays = network_record(state_from_store(opened.store.states.get(project)))
    return [arrays[name].tobytes() for name in sorted(arrays)]


def made(found: wb.Discovery) -> list[bytes]:
    _, arrays = network_record(found.state)
    return [arrays[name].tobytes() for name in sorted(arrays)]


def act(bench: Bench, operation: str, order: int) -> None:
    bench.act([Action(operation, order, None if operation in ("undo", "redo") else EDGE)], "canvas")


def test_a_fit_that_was_paused_and_stepped_ends_with_the_same_bytes(opened: Services, project: str, bench: Bench) -> None:
    job = paused(opened, project)
    iterations = [bench.training.live(job).iterations]
    for _ in range(3):
        bench.training.step()
        until(lambda: opened.pool.get(job).status == "paused" and bench.training.live(job).iterations > iterations[-1])
        iterations.append(bench.training.live(job).iterations)
    assert iterations == [1, 4, 8, 12]
    bench.go_on()
    bench.training.pause()
    bench.go_on()
    until(lambda: opened.pool.get(job).finished)
    assert [step.label for step in bench.scene().steps] == ["fit"]
    assert stored(opened, project) == made(wb.Discovery(waves()).fit(**SETTINGS))


def test_stop_and_keep_is_one_state_that_can_be_made_again(opened: Services, project: str, bench: Bench) -> None:
    job = paused(opened, project)
    bench.training.step()
    bench.training.keep()
    until(lambda: opened.pool.get(job).finished)
    scene = bench.scene()
    assert (scene.running, [step.label for step in scene.steps]) == (None, ["fit, stopped"])
    assert scene.state.step.move["arguments"]["stop_after"] == 4
    assert "stop_after=4" in scene.view["code"]
    assert stored(opened, project) == made(wb.Discovery(waves()).fit(stop_after=4, **SETTINGS))


@pytest.mark.parametrize("resting", [True, False])
def test_discard_leaves_everything_as_it_was(opened: Services, project: str, bench: Bench, resting: bool) -> None:
    opened.pool.wait(Jobs(opened).submit(project, "discovery.fit", {"settings": {"hidden_layer_sizes": ()}}).id, 60)
    before = stored(opened, project)
    paused(opened, project)
    if not resting:
        bench.go_on()
    bench.training.discard()
    until(lambda: bench.training.job is None)
    scene = bench.scene()
    assert (scene.training, len(scene.steps), bench.refusal) == (None, 1, None)
    assert stored(opened, project) == before


def test_whoever_comes_to_a_paused_fit_sees_its_network_and_its_curve(opened: Services, project: str) -> None:
    job = paused(opened, project)
    bench = Bench(opened, project, Memory(selected="0.0.0"))  # a tab that was opened later
    scene = bench.scene()
    payload = bench.canvas(scene, 500)
    assert len(payload["edges"]) == 2 * 3 + 3
    assert (payload["job"]["status"], payload["job"]["title"], payload["job"]["iterations"]) == ("paused", "Fitting", 1)
    frames = [event for event in opened.pool.events(job, 0, 0.0) if event.payload]
    assert payload["job"]["errors"] == tuple(event.payload["rmse"] for event in frames)
    assert payload["streams"] == [f"{payload['job']['stream']}?after={list(opened.pool.events(job, 0, 0.0))[-1].number}"]
    told = bench.inspector(scene, 500)
    drawn = payload["edges"][0]
    assert (told["live"], told["label"], told["x_label"]) == (True, drawn["label"], "a")
    assert_allclose([min(told["y"]), max(told["y"])], drawn["range"])
    assert "still being learned" in told["message"]


def test_two_tabs_steer_one_fit(opened: Services, project: str) -> None:
    mine, theirs = Bench(opened, project, Memory()), Bench(opened, project, Memory())
    job = paused(opened, project)
    mine.training.pause()
    theirs.training.pause()
    assert theirs.scene().training.status == "paused"
    theirs.training.step()
    mine.training.step()
    until(lambda: opened.pool.get(job).status == "paused" and mine.training.live(job).iterations == 8)
    mine.training.keep()
    theirs.training.keep()
    until(lambda: theirs.scene().training is None)
    assert [step.label for step in mine.scene().steps] == ["fit, stopped"]


def test_steering_what_has_ended_meanwhile_does_nothing(opened: Services, project: str, bench: Bench) -> None:
    job = paused(opened, project)
    bench.go_on()
    until(lambda: opened.pool.get(job).finished)
    for button in (bench.training.pause, bench.training.step, bench.training.keep, bench.training.discard):
        button()
    assert (bench.refusal, bench.memory.pausing, len(bench.scene().steps)) == (None, None, 1)


def test_a_pause_that_takes_its_time_is_remembered_until_it_is_there(opened: Services, project: str, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    job = paused(opened, project)
    bench.go_on()
    monkeypatch.setattr(training, "PATIENCE", 0.0)
    monkeypatch.setattr(opened.pool, "steer", lambda job, wish: None)  # nobody has heard it yet
    bench.training.pause()
    assert bench.memory.pausing in (job, None if opened.pool.get(job).finished else job)
    monkeypatch.undo()
    opened.pool.cancel(job)


def test_a_snap_waits_for_the_network_that_comes_of_the_fit(opened: Services, project: str, bench: Bench) -> None:
    job = paused(opened, project)
    bench.select("0.0.0")
    act(bench, "lock", 1)
    act(bench, "snap", 2)
    scene = bench.scene()
    assert bench.canvas(scene, 500)["busy"] == ["0.0.0", "0.0.0"]
    assert bench.inspector(scene, 500)["message"] == "Snap waits until the fit is finished or kept."
    act(bench, "undo", 3)
    assert bench.inspector(bench.scene(), 500)["message"] == "Lock waits until the fit is finished or kept."
    assert scene.steps == ()
    bench.training.keep()
    until(lambda: opened.pool.get(job).finished)
    until(lambda: bench.scene() and not bench.memory.moves)
    assert [step.label for step in bench.scene().steps] == ["fit, stopped", "lock a → h0"]
    assert bench.refusal is None


def test_what_waits_for_a_fit_that_is_discarded_is_dropped_and_that_is_said(opened: Services, project: str, bench: Bench) -> None:
    paused(opened, project)
    act(bench, "snap", 1)
    bench.training.discard()
    until(lambda: bench.training.job is None)
    assert bench.scene().steps == ()
    assert "what waited for it was dropped" in bench.refusal


def test_continue_trains_a_finished_network_further_and_undo_takes_it_back(opened: Services, project: str, bench: Bench) -> None:
    opened.pool.wait(Jobs(opened).submit(project, "discovery.fit", {"settings": {**SETTINGS, "max_iter": 4}}).id, 60)
    before = stored(opened, project)
    bench.go_on()
    until(lambda: bench.scene().running is None)
    scene = bench.scene()
    assert scene.state.step.move == {"name": "refit", "arguments": {"max_iter": 100}}
    assert scene.state.step.metrics["rmse_train"] < scene.steps[0].metrics["rmse_train"]
    after = stored(opened, project)
    assert after == made(wb.Discovery(waves()).fit(**{**SETTINGS, "max_iter": 4}).refit())
    bench.history("undo")
    assert stored(opened, project) == before != after


@pytest.mark.parametrize(("rows", "lane"), [(1009, "interactive"), (1_000_000, "batch")])
def test_what_takes_long_is_not_trained_by_the_worker_that_answers_clicks(opened: Services, project: str, bench: Bench, rows: int, lane: str) -> None:
    opened.pool.wait(Jobs(opened).submit(project, "discovery.fit", {"settings": {**SETTINGS, "max_iter": 4}}).id, 60)
    bench.training.further(opened.store.states.get(project), rows)
    assert opened.store.jobs.all(project)[0].lane == lane


def test_a_further_training_is_stopped_and_kept_like_a_fit(opened: Services, project: str, bench: Bench) -> None:
    opened.pool.wait(Jobs(opened).submit(project, "discovery.fit", {"settings": {**SETTINGS, "max_iter": 4}}).id, 60)
    job = Jobs(opened).submit(project, "discovery.refit")
    opened.pool.steer(job.id, "step")
    until(lambda: opened.pool.get(job.id).status == "paused")
    assert bench.training.live(job.id).iterations == 4
    bench.training.keep()
    until(lambda: opened.pool.get(job.id).finished)
    assert bench.scene().state.step.move["arguments"] == {"max_iter": 100, "stop_after": 4}
    assert stored(opened, project) == made(wb.Discovery(waves()).fit(**{**SETTINGS, "max_iter": 4}).refit(stop_after=4))


def test_a_server_that_ends_under_a_paused_fit_leaves_it_interrupted(opened: Services, project: str) -> None:
    paused(opened, project)
    assert Jobs(opened).pill(project).text == "Fit paused at 2 %"
    assert opened.store.jobs.interrupt() == 1  # what the next server does first
    (job,) = opened.store.jobs.all(project)
    assert (job.status, "Start it again" in job.error) == ("interrupted", True)
