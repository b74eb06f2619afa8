"""A discovery as one file: data, every state, the cursor; JSON and arrays, nothing that could run."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from workbench.dataset import Dataset
from workbench.discovery.moves import Move
from workbench.discovery.state import Metrics, State
from workbench.exceptions import DiscoveryError, NetworkError, ProjectError
from workbench.networks import storage as networks
from workbench.store.file import read_project, write_project

if TYPE_CHECKING:
    from workbench.discovery.discovery import Discovery

Arrays = dict[str, np.ndarray]
D = TypeVar("D", bound="Discovery")


def state_to_arrays(state: State) -> tuple[dict[str, Any], Arrays]:
    """Return a state as JSON and arrays."""
    structures, arrays = [], {}
    for group, network in enumerate(state.networks):
        structure, numbers = networks.to_arrays(network)
        structures.append(structure)
        arrays |= {f"{group}/{name}": value for name, value in numbers.items()}
    document = {
        "id": state.id,
        "parent": state.parent,
        "move": state.move.to_json(),
        "networks": structures,
        "roughness": state.roughness,
        "metrics": state.metrics.to_json(),
    }
    return document, arrays


def state_from_arrays(document: dict[str, Any], arrays: Arrays) -> State:
    """Return the state of `state_to_arrays`."""
    made = []
    for group, structure in enumerate(document["networks"]):
        prefix = f"{group}/"
        made.append(networks.from_arrays(structure, {n.removeprefix(prefix): a for n, a in arrays.items() if n.startswith(prefix)}))
    return State(
        int(document["id"]),
        None if document["parent"] is None else int(document["parent"]),
        Move.from_json(document["move"]),
        tuple(made),
        float(document["roughness"]),
        Metrics(**document["metrics"]),
    )


def to_document(found: Discovery) -> tuple[dict[str, Any], Arrays]:
    """Return a whole discovery as JSON and arrays."""
    data, numbers = found.data.to_arrays()
    arrays: Arrays = {f"data/{name}": value for name, value in numbers.items()}
    states = []
    for state in found.states:
        document, own = state_to_arrays(state)
        states.append(document)
        arrays |= {f"state/{state.id}/{name}": value for name, value in own.items()}
    return {"kind": "discovery", "data": data, "states": states, "cursor": found.state.id}, arrays


def from_document(document: dict[str, Any], arrays: Arrays, kind: type[D]) -> D:
    """Return the discovery of `to_document`; what does not fit together is refused with a ProjectError."""
    try:
        data = Dataset.from_arrays(document["data"], _under("data/", arrays))
        found = kind(data)
        for record in document["states"]:
            found.adopt(state_from_arrays(record, _under(f"state/{int(record['id'])}/", arrays)))
        return found.go_to(int(document["cursor"]))
    except (KeyError, TypeError, ValueError, IndexError, NetworkError, DiscoveryError) as problem:
        raise ProjectError(f"The file does not hold a discovery that fits together: {problem}. Open the table again instead.") from None


def _under(prefix: str, arrays: Arrays) -> Arrays:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def save(found: Discovery, path: str | os.PathLike[str]) -> None:
    """Write a discovery to a file."""
    document, arrays = to_document(found)
    write_project(path, document, arrays)


def load(path: str | os.PathLike[str], kind: type[D]) -> D:
    """Read a discovery from a file."""
    document, arrays = read_project(path)
    if document.get("kind") != "discovery":
        raise ProjectError(f"{os.fspath(path)!r} is a project file but not a saved discovery. Open it in the app, on the page Projects.")
    return from_document(document, arrays, kind)

