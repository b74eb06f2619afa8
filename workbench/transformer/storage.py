"""A transformer as the store and a `.kanwb` file keep it: JSON and arrays, nothing that could run.

    network = {"kat": {"config", "names"}, "settings": {...}}        arrays: the numbers of the model

A state does not carry the model it was opened as: that is the state of the training it comes from, further up the history.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from workbench import store
from workbench.dataset import Dataset
from workbench.exceptions import DatasetError, NetworkError, ProjectError, TrainingError
from workbench.networks.kat import KAT
from workbench.networks.kat.storage import from_arrays, to_arrays
from workbench.transformer.lessons import Lessons, lessons_of
from workbench.transformer.settings import KATSettings
from workbench.transformer.transformer import MOVES, Transformer
from workbench.transformer.view import summary_of, view_of

Get = Callable[[int], store.State]


def record(state: Transformer) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return the model of a state as JSON and arrays."""
    described, arrays = to_arrays(state.module)
    return {"kat": described, "settings": state.lessons.settings.to_json()}, arrays


def is_transformer(network: Mapping[str, Any]) -> bool:
    """Say whether what the store keeps of a state is a transformer."""
    return "kat" in network


def lessons_from(stored: store.State, data: Dataset) -> Lessons:
    """Return what a stored state was taught."""
    try:
        return lessons_of(data, KATSettings.from_json(stored.network["settings"]))
    except (KeyError, TypeError, AttributeError, TrainingError) as problem:
        raise _refused(stored, problem) from None


def from_store(stored: store.State, get: Get, lessons: Lessons) -> Transformer:
    """Return a state from what the store keeps of it.

    Parameters
    ----------
    stored : the state
    get : returns other states of the project, for the training it comes from
    lessons : of its data
    """
    module = _module(stored, lessons)
    root = stored
    while root.step.move.get("name") != "fit_kat":
        if root.step.parent is None or root.step.move.get("name") not in MOVES:
            raise _refused(stored, "it comes from no training")
        root = get(root.step.parent)
    opened = module if root is stored else _module(root, lessons)
    return Transformer(lessons, module, opened, stored.step.move)


def _module(stored: store.State, lessons: Lessons) -> KAT:
    try:
        module = from_arrays(stored.network["kat"], stored.arrays)
    except (KeyError, TypeError, NetworkError) as problem:
        raise _refused(stored, problem) from None
    if module.config != lessons.config:
        raise _refused(stored, "the model is not one for these data")
    return module


def _refused(stored: store.State, problem: object) -> ProjectError:
    return ProjectError(f"State {stored.step.id} of the project does not fit together: {problem}. Train anew instead.")


def save(state: Transformer, path: str | os.PathLike[str]) -> None:
    """Write a state with its data, and the training it comes from, to a file."""
    trained = Transformer(state.lessons, state.opened, state.opened, {"name": "fit_kat", "arguments": state.lessons.settings.to_json()})
    states = [trained] if state.module is state.opened else [trained, state]
    kept = []
    for number, one in enumerate(states, start=1):
        network, arrays = record(one)
        step = store.Step(number, number - 1 or None, number + 1 if number < len(states) else None, 1, one.label, one.move, one.metrics(), time.time())
        kept.append(store.State(step, network, arrays, view_of(one)))
    content, arrays = state.data.to_arrays()
    archive = store.Archive(state.data.name or "transformer", tuple(kept), (store.Data(1, content, arrays),), len(kept), 1, summary_of(state))
    store.write_project(path, *archive.to_parts())


def load(path: str | os.PathLike[str]) -> Transformer:
    """Read the transformer that a file stands at."""
    return from_archive(store.Archive.from_parts(*store.read_project(path)))


def from_archive(archive: store.Archive) -> Transformer:
    """Return the transformer that a project stands at."""
    states = {state.step.id: state for state in archive.states}
    if archive.cursor is None or not is_transformer(states[archive.cursor].network):
        raise ProjectError("The project does not stand at a transformer. Open it in the app, or read it by load_discovery.")
    stored = states[archive.cursor]
    kept = next((data for data in archive.datasets if data.id == stored.step.dataset), None)
    if kept is None:
        raise ProjectError("The project does not hold the data of its transformer. Train anew instead.")
    try:
        data = Dataset.from_arrays(kept.content, kept.arrays)
    except (KeyError, TypeError, ValueError, DatasetError) as problem:
        raise ProjectError(f"The data in the file do not fit together: {problem}. Open the table again instead.") from None
    return from_store(stored, states.__getitem__, lessons_from(stored, data))
