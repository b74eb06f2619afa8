"""A workspace for each test, and a project in it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from workbench.store import Draft, Store


@pytest.fixture
def store(tmp_path) -> Iterator[Store]:
    """Return an empty workspace."""
    with Store(tmp_path / "workspace") as opened:
        yield opened


@pytest.fixture
def grown(store) -> tuple[Store, str]:
    """Return a workspace and the id of a project with a dataset and the tree 1 - 2 - 3, 2 - 4; the cursor is at 4."""
    project = store.projects.create("Cherry trees").id
    store.projects.set_data(project, {"target": "Volume", "unit": "m^3"}, {"X": np.arange(14.0).reshape(7, 2).T, "y": np.arange(7.0)})
    for label in ("fit", "prune", "snap"):
        store.states.append(project, draft(label))
    store.states.undo(project)
    store.states.append(project, draft("lock"))
    store.projects.summarise(project, {"r2": 0.97, "formula": "Volume = c·Girth²"})
    store.projects.set_plan(project, {"roles": {"Volume": "target"}})
    return store, project


def draft(label: str) -> Draft:
    """Return a move's outcome that can be told from others by its label."""
    return Draft(
        label=label,
        move={"move": label, "edge": [0, 1, 2]},
        network={"layers": [2, 1], "label": label},
        arrays={"coefficients": np.full((2, 3, 5), len(label), dtype=float), "mask": np.array([True, False])},
        metrics={"r2": 0.5 + len(label) / 100},
        view={"drawn": label},
    )


@pytest.fixture
def make_draft():
    """Return `draft`."""
    return draft
