"""A fit that is watched and ended: what it keeps can be made again to the same bytes, and looking at it changes nothing."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import workbench as wb
from tests.discovery.test_discovery import fingerprint
from workbench.exceptions import DiscoveryError
from workbench.training import FitProgress

SMALL = {"hidden_layer_sizes": (2,), "n_starts": 2, "intervals": (5, 10), "random_state": 3}


def courses(data: wb.Dataset, **settings: object) -> list[FitProgress]:
    seen: list[FitProgress] = []
    wb.Discovery(data).fit(watch=seen.append, **{**SMALL, **settings})
    return seen


@pytest.fixture(scope="module")
def course(hello: wb.Dataset) -> list[FitProgress]:
    return courses(hello)


@pytest.fixture(scope="module")
def grouped() -> wb.Dataset:
    generator = np.random.default_rng(5)
    x, group = generator.uniform(0, 3, 211), np.array(["ab"[k % 2] for k in range(211)])
    return wb.Dataset.from_table({"x": x, "kind": group, "y": np.where(group == "a", x**2, np.exp(-x))}, "y", group="kind")


def test_progress_only_ever_grows(course: list[FitProgress]) -> None:
    for name in ("iterations", "blocks", "fraction"):
        values = [getattr(progress, name) for progress in course]
        assert values == sorted(values), name
    assert course[0].iterations == 1
    assert 0.0 < course[0].fraction < course[-1].fraction <= 1.0
    assert course[-1].blocks > 5
    assert max(later.iterations - sooner.iterations for sooner, later in zip(course, course[1:], strict=False)) == 1


def test_looking_at_every_network_on_the_way_changes_nothing(hello: wb.Dataset) -> None:
    unwatched = wb.Discovery(hello).fit(**SMALL)
    watched = wb.Discovery(hello).fit(watch=lambda progress: progress.network(hello.X_train) is None, **SMALL)
    assert fingerprint(watched) == fingerprint(unwatched)
    assert watched.state.move == unwatched.state.move


@pytest.mark.parametrize("share", [0.0, 0.2, 0.35, 0.5, 0.77, 0.99])
def test_a_fit_that_was_ended_is_made_again_to_the_same_bytes(hello: wb.Dataset, course: list[FitProgress], share: float) -> None:
    last = course[int(share * len(course))].iterations
    ended = wb.Discovery(hello).fit(watch=lambda progress: progress.iterations >= last, **SMALL)
    assert ended.state.move.arguments["stop_after"] == last
    again = wb.Discovery(hello).fit(stop_after=last, **SMALL)
    assert fingerprint(again) == fingerprint(ended)
    assert again.state.move == ended.state.move
    assert f"stop_after={last}" in ended.to_script()


def test_an_ended_fit_keeps_the_best_it_has_met(hello: wb.Dataset, course: list[FitProgress]) -> None:
    errors = [wb.Discovery(hello).fit(stop_after=n, **SMALL).metrics.rmse_validation for n in (1, course[-1].iterations // 2)]
    whole = wb.Discovery(hello).fit(**SMALL).metrics.rmse_validation
    assert errors[0] > errors[1] >= whole


def test_a_refit_is_watched_and_ended_like_a_fit(found: wb.Discovery) -> None:
    seen: list[int] = []
    found.fit(stop_after=9, **SMALL)
    start = found.state.id
    found.refit(50, watch=lambda progress: seen.append(progress.iterations) or progress.iterations >= 7)
    assert seen == [1, 2, 3, 4, 5, 6, 7]
    assert found.state.move.to_python() == "found.refit(max_iter=50, stop_after=7)"
    ended = fingerprint(found)
    assert fingerprint(found.go_to(start).refit(50, stop_after=7)) == ended
    assert fingerprint(found.go_to(start).refit(7)) == ended
    assert fingerprint(found.go_to(start).refit(50)) != ended


@pytest.mark.parametrize("part", [0, 1])
def test_groups_are_one_fit_to_whoever_watches_and_ends_it(grouped: wb.Dataset, part: int) -> None:
    course = courses(grouped, hidden_layer_sizes=())
    fractions = [progress.fraction for progress in course]
    assert fractions == sorted(fractions)
    last = next(progress for progress in course if progress.stage.startswith(f"group {part + 1} of 2") and "intervals" in progress.stage)
    settings = {**SMALL, "hidden_layer_sizes": ()}
    ended = wb.Discovery(grouped).fit(watch=lambda progress: progress.iterations >= last.iterations, **settings)
    assert ended.state.move.arguments["stop_after"] == last.iterations
    assert len(ended.state.networks) == 2
    assert fingerprint(wb.Discovery(grouped).fit(stop_after=last.iterations, **settings)) == fingerprint(ended)


def test_a_large_table_can_be_left_while_every_row_has_its_say() -> None:
    x = np.random.default_rng(2).uniform(-2, 2, 40_009)
    data = wb.Dataset.from_table({"x": x, "y": np.tanh(2 * x) + 0.05 * np.random.default_rng(4).normal(size=len(x))}, "y")
    settings = {"hidden_layer_sizes": (), "n_starts": 1, "intervals": (5,), "roughness": (1e-4,), "max_iter": 8}
    seen: list[FitProgress] = []
    wb.Discovery(data).fit(watch=seen.append, **settings)
    polishing = [progress.iterations for progress in seen if progress.stage == "every row"]
    assert len(polishing) == 400
    ended = wb.Discovery(data).fit(watch=lambda progress: progress.iterations >= polishing[20], **settings)
    assert fingerprint(wb.Discovery(data).fit(stop_after=polishing[20], **settings)) == fingerprint(ended)


def test_a_network_too_large_for_newton_is_told_of_and_ended_between_any_two_iterations(hello: wb.Dataset) -> None:
    settings = {"hidden_layer_sizes": (40,), "n_starts": 1, "intervals": (5,), "roughness": (1e-4,), "max_iter": 8}
    seen = courses(hello, **settings)
    assert max(later.iterations - sooner.iterations for sooner, later in zip(seen, seen[1:], strict=False)) == 1
    ended = wb.Discovery(hello).fit(watch=lambda progress: progress.iterations >= 45, **settings)
    assert ended.state.move.arguments["stop_after"] == 45
    assert fingerprint(wb.Discovery(hello).fit(stop_after=45, **settings)) == fingerprint(ended)
    assert not any(thread.name == "stepwise" for thread in threading.enumerate())


def test_no_fit_ends_before_it_begins(hello: wb.Dataset) -> None:
    with pytest.raises(DiscoveryError, match="from 1 up"):
        wb.Discovery(hello).fit(stop_after=0, **SMALL)
