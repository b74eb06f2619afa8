"""A discovery as a project file: data, every state, the cursor; JSON and arrays, nothing that could run.

The file is the one that the app exports and imports (`workbench.store.Archive`): what is saved in Python opens in the app, and the other way
round.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from workbench import store
from workbench.dataset import Dataset
from workbench.discovery.moves import Move
from workbench.discovery.state import Metrics, State
from workbench.exceptions import DatasetError, DiscoveryError, NetworkError, ProjectError
from workbench.networks import storage as networks

if TYPE_CHECKING:
    from workbench.discovery.discovery import Discovery

Arrays = dict[str, np.ndarray]
D = TypeVar("D", bound="Discovery")


def network_record(state: State) -> tuple[dict[str, Any], Arrays]:
    """Return the networks of a state as JSON and arrays, as the store keeps them."""
    structures, arrays = [], {}
    for group, network in enumerate(state.networks):
        structure, numbers = networks.to_arrays(network)
        structures.append(structure)
        arrays |= {f"{group}/{name}": value for name, value in numbers.items()}
    return {"networks": structures, "roughness": state.roughness}, arrays


def state_from_store(stored: store.State) -> State:
    """Return a state from what the store keeps of it; what does not fit together is refused with a ProjectError."""
    try:
        made = []
        for group, structure in enumerate(stored.network["networks"]):
            prefix = f"{group}/"
            own = {name.removeprefix(prefix): array for name, array in stored.arrays.items() if name.startswith(prefix)}
            made.append(networks.from_arrays(structure, own))
        step = stored.step
        metrics = Metrics(**{name: step.metrics[name] for name in Metrics.__dataclass_fields__})
        return State(step.id, step.parent, Move.from_json(step.move), tuple(made), float(stored.network["roughness"]), metrics)
    except (KeyError, TypeError, ValueError, NetworkError, DiscoveryError) as problem:
        raise ProjectError(f"State {stored.step.id} of the file does not fit together: {problem}. Open the table again instead.") from None


def to_archive(found: Discovery) -> store.Archive:
    """Return a whole discovery as a project."""
    content, numbers = found.data.to_arrays()
    now, states = time.time(), []
    for state in found.states:
        network, arrays = network_record(state)
        step = store.Step(
            state.id, state.parent, found.next_from(state.id), 1, state.move.label, state.move.to_json(), state.metrics.to_json(), now
        )
        states.append(store.State(step, network, arrays))
    summary = {"verdict": found.verdict, "reasons": list(found.reasons), "front": list(found.front)}
    return store.Archive(
        found.data.name or "discovery", tuple(states), (store.Data(1, content, numbers),), found.state.id, 1, summary
    )


def from_archive(archive: store.Archive, kind: type[D]) -> D:
    """Return the discovery that a project holds."""
    if archive.dataset is None or not archive.states:
        raise ProjectError("The project holds no fitted network yet. Open it in the app and press Fit.")
    data = next(data for data in archive.datasets if data.id == archive.dataset)
    try:
        found = kind(Dataset.from_arrays(data.content, data.arrays))
    except (KeyError, TypeError, ValueError, DatasetError) as problem:
        raise ProjectError(f"The data in the file do not fit together: {problem}. Open the table again instead.") from None
    transformers = {state.step.id for state in archive.states if "kat" in state.network}
    if archive.cursor in transformers:
        raise ProjectError("The project stands at a transformer, not at a network. Read it with Transformer.load, or go back to a network in the app.")
    for stored in archive.states:
        if stored.step.dataset in (archive.dataset, None) and stored.step.id not in transformers:
            step = replace(stored.step, parent=None) if stored.step.parent in transformers else stored.step
            found.adopt(state_from_store(replace(stored, step=step)))
    _recall(found, archive.summary)
    return found.go_to(archive.cursor) if archive.cursor is not None else found


def _recall(found: Discovery, summary: Mapping[str, Any]) -> None:
    """Take over what was said of the states, as far as it can be true: a summary comes from a file."""
    verdict, reasons, front = summary.get("verdict"), summary.get("reasons", []), summary.get("front", [])
    known = {state.id for state in found.states}
    if verdict in ("law", "approximation", "none") and isinstance(front, list) and all(isinstance(state, int) and state in known for state in front):
        found.verdict, found.front = verdict, tuple(front)
        if isinstance(reasons, list) and all(isinstance(reason, str) for reason in reasons):
            found.reasons = tuple(reasons)


def save(found: Discovery, path: str | os.PathLike[str]) -> None:
    """Write a discovery to a file."""
    store.write_project(path, *to_archive(found).to_parts())


def load(path: str | os.PathLike[str], kind: type[D]) -> D:
    """Read a discovery from a file."""
    return from_archive(store.Archive.from_parts(*store.read_project(path)), kind)

