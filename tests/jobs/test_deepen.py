"""Search deeper, as the inspector asks for it: an engine's forms join the candidates of an edge, are judged alike, and can be snapped by their name."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest

import workbench as wb
from workbench.exceptions import JobCancelled
from workbench.primitives import LIBRARY
from workbench.store import Store
from workbench.worker import Context, Wishes
from workbench.worker.registry import Registry


@pytest.fixture
def opened(tmp_path: Path) -> tuple[Registry, dict]:
    """A project with one curve that no form of the library is."""
    x = np.random.default_rng(0).uniform(0.5, 4, 300)
    store = Store(tmp_path)
    project = store.projects.create("p").id
    data = wb.Dataset.from_table({"x": x, "y": x * np.exp(-x) / (x + 1)}, target="y")
    store.projects.set_data(project, *data.to_arrays())
    tasks, base = Registry(), {"workspace": str(tmp_path), "project": project}
    tasks.find("discovery.fit")({**base, "settings": {"hidden_layer_sizes": []}}, {}, Context(lambda *told: None, Wishes()))
    return tasks, base


def test_forms_of_an_engine_join_the_candidates_and_can_be_snapped(opened: tuple[Registry, dict]) -> None:
    pytest.importorskip("pyoperon", reason="Operon has wheels for Linux x86-64 and macOS arm64 only")
    tasks, base = opened
    told: list[str] = []
    context = Context(lambda fraction, words, payload: told.append(words), Wishes())
    answer = tasks.find("discovery.deepen")({**base, "edge": [0, 0, 0], "time_budget": 8.0}, {}, context)
    new = [candidate for candidate in answer["candidates"] if candidate["name"] not in LIBRARY]
    assert new
    assert all(candidate["refitted"] for candidate in new)
    assert any(words.startswith("operon: ") for words in told)
    move = {"name": "snap", "arguments": {"edge": [0, 0, 0], "form": new[0]["name"]}}
    assert "state" in tasks.find("discovery.move")({**base, "move": move}, {}, context)


def test_a_search_that_is_stopped_ends_soon(opened: tuple[Registry, dict]) -> None:
    pytest.importorskip("pyoperon", reason="Operon has wheels for Linux x86-64 and macOS arm64 only")
    tasks, base = opened
    wishes = Wishes()
    timer = threading.Timer(3.0, wishes.cancel)
    timer.start()
    began = time.monotonic()
    with pytest.raises(JobCancelled):
        tasks.find("discovery.deepen")({**base, "edge": [0, 0, 0], "time_budget": 8.000}, {}, Context(lambda *told: None, wishes))
    timer.join()
    assert time.monotonic() - began < 60
