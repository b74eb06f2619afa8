"""A fit that a worker watches: where it rests, how far a step goes, and that none of it changes a byte. In this process."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
from workbench.discovery.storage import network_record
from workbench.worker import Context, Wishes
from workbench.worker.live import Live

SETTINGS = {"hidden_layer_sizes": (2,), "n_starts": 2, "intervals": (5,), "roughness": (1e-4,), "max_iter": 12, "random_state": 1}


@pytest.fixture(scope="module")
def data() -> wb.Dataset:
    x = np.random.default_rng(1).uniform(-1, 1, (307, 2))
    return wb.Dataset.from_table({"a": x[:, 0], "b": x[:, 1], "y": np.sin(3 * x[:, 0]) * x[:, 1]}, "y")


class Person:
    """Tells a fit to pause at an iteration, and says the next thing of a list each time that it rests."""

    def __init__(self, data: wb.Dataset, pause_at: int, then: list[str]) -> None:
        self.wishes, self.pause_at, self.then = Wishes(), pause_at, then
        self.frames: list[dict] = []
        self.rests: list[int] = []
        found = wb.Discovery(data)
        self.live = Live(found, Context(lambda fraction, words, frame: self.frames.append(frame), self.wishes, self.turn))
        found.fit(watch=self.watch, **SETTINGS)
        self.found = found

    def watch(self, progress) -> bool:
        if progress.iterations == self.pause_at and not self.rests:
            self.wishes.tell("pause")
        return self.live(progress)

    def turn(self, resting: bool) -> None:
        if resting:
            self.rests.append(self.frames[-1]["iterations"])
            self.wishes.tell(self.then[len(self.rests) - 1])

    @property
    def made(self) -> list[bytes]:
        _, arrays = network_record(self.found.state)
        return [arrays[name].tobytes() for name in sorted(arrays)]


@pytest.fixture(scope="module")
def undisturbed(data: wb.Dataset) -> list[bytes]:
    return Person(data, 0, []).made


@pytest.mark.parametrize("first", range(1, 10))
def test_a_step_always_takes_iterations_wherever_it_begins_and_changes_no_byte(data: wb.Dataset, undisturbed: list[bytes], first: int) -> None:
    person = Person(data, first, ["step", "step", "step", "go on"])
    block = first // 4 + 1  # the starts go by blocks of four
    assert person.rests == [first, 4 * block, 4 * block + 4, 4 * block + 8]
    assert person.made == undisturbed


def test_what_is_kept_is_told_by_the_iterations(data: wb.Dataset) -> None:
    person = Person(data, 7, ["step", "finish"])
    assert person.found.state.move.arguments["stop_after"] == 8
    assert wb.Discovery(data).fit(stop_after=8, **SETTINGS).metrics == person.found.metrics


def test_a_frame_is_the_whole_network_and_frames_are_few(data: wb.Dataset, undisturbed: list[bytes]) -> None:
    person = Person(data, 5, ["go on"])
    assert len(person.frames[0]["edges"]) == 2 * 2 + 2
    assert person.frames[0]["layers"][0]["nodes"][0]["label"] == "a"
    assert len(person.frames) < 15
    assert person.made == undisturbed
