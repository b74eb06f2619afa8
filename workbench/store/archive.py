"""A project as one document and its arrays, for a `.kanwb` file: what the store exports and a saved discovery is.

    document = {"name", "summary", "plan", "cursor", "dataset",
                "datasets": [{"id", "content"}],
                "states": [{"id", "parent", "redo", "dataset", "label", "move", "metrics", "created", "network", "view"}]}
    arrays   = {"dataset/1/NAME": ..., "state/7/NAME": ...}

Reading believes nothing: every field must be there, be of its type and point to something that exists, and no other
field may be there. The file as such (cut short, damaged, newer version) is checked before, in `workbench.store.file`;
whether a network makes sense is checked after, by whoever builds it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NoReturn, cast

import numpy as np

from workbench.exceptions import ProjectError
from workbench.store.projects import checked_name
from workbench.store.records import Arrays, Data, Json, State, Step

_STATE = {
    "id": int, "parent": int | None, "redo": int | None, "dataset": int | None, "label": str, "move": dict, "metrics": dict,
    "created": float | int, "network": dict, "view": dict,
}  # fmt: skip
_DATASET = {"id": int, "content": dict}
_DOCUMENT = {"name": str, "summary": dict, "plan": dict, "cursor": int | None, "dataset": int | None, "datasets": list, "states": list}
_MAX_ID = 2**31
_MAX_TIME = 1e11  # seconds: the year 5138


@dataclass(frozen=True)
class Archive:
    """Everything a project is, without a store.

    Parameters
    ----------
    states : in the order of their ids; a parent comes before its children
    cursor, dataset : the state that is looked at and the dataset that new ones are made from, by id
    """

    name: str
    states: tuple[State, ...] = ()
    datasets: tuple[Data, ...] = ()
    cursor: int | None = None
    dataset: int | None = None
    summary: Json = field(default_factory=dict)
    plan: Json = field(default_factory=dict)

    def to_parts(self) -> tuple[dict[str, object], dict[str, np.ndarray]]:
        """Return (document, arrays), for `write_project`."""
        document = {
            "name": self.name, "summary": dict(self.summary), "plan": dict(self.plan), "cursor": self.cursor, "dataset": self.dataset,
            "datasets": [{"id": data.id, "content": dict(data.content)} for data in self.datasets],
            "states": [_state_record(state) for state in self.states],
        }  # fmt: skip
        arrays = {f"dataset/{data.id}/{name}": array for data in self.datasets for name, array in data.arrays.items()}
        arrays |= {f"state/{state.step.id}/{name}": array for state in self.states for name, array in state.arrays.items()}
        return document, arrays

    @classmethod
    def from_parts(cls, document: Mapping[str, object], arrays: Arrays) -> Archive:
        """Return the archive that a document describes, or raise ProjectError with the first thing that is wrong."""
        _check_fields(document, _DOCUMENT, "the document")
        shelves = _sort_arrays(arrays)
        datasets = tuple(_dataset(record, shelves) for record in cast("list[object]", document["datasets"]))
        states = tuple(_state(record, shelves) for record in cast("list[object]", document["states"]))
        if shelves:
            _refuse(f"arrays belong to {'/'.join(map(str, next(iter(shelves))))}, which it does not have")
        archive = cls(
            checked_name(cast("str", document["name"])), states, datasets, cast("int | None", document["cursor"]),
            cast("int | None", document["dataset"]), cast("Json", document["summary"]), cast("Json", document["plan"]),
        )  # fmt: skip
        _check_links(archive)
        return archive


def _state_record(state: State) -> dict[str, object]:
    step = state.step
    return {
        "id": step.id, "parent": step.parent, "redo": step.redo, "dataset": step.dataset, "label": step.label, "move": dict(step.move),
        "metrics": dict(step.metrics), "created": step.created, "network": dict(state.network), "view": dict(state.view),
    }  # fmt: skip


def _state(record: object, shelves: dict[tuple[str, int], dict[str, np.ndarray]]) -> State:
    fields = _check_fields(record, _STATE, "a state")
    network, view = cast("Json", fields.pop("network")), cast("Json", fields.pop("view"))
    step = Step(**fields)  # pyright: ignore[reportArgumentType]
    if not 0 <= step.created < _MAX_TIME:  # NaN is neither
        _refuse(f"state {step.id} was created at no time")
    return State(step, network, shelves.pop(("state", step.id), {}), view)


def _dataset(record: object, shelves: dict[tuple[str, int], dict[str, np.ndarray]]) -> Data:
    fields = _check_fields(record, _DATASET, "a dataset")
    number = cast("int", fields["id"])
    return Data(number, cast("Json", fields["content"]), shelves.pop(("dataset", number), {}))


def _check_fields(record: object, known: Mapping[str, object], what: str) -> dict[str, object]:
    if not isinstance(record, Mapping):
        _refuse(f"{what} is not a record")
    if missing := known.keys() - record.keys():
        _refuse(f"{what} lacks {min(missing)!r}")
    if unknown := record.keys() - known.keys():
        _refuse(f"{what} has {min(unknown)[:40]!r}, which is unknown")
    for name, kind in known.items():
        value = record[name]
        if isinstance(value, bool) or not isinstance(value, kind):  # pyright: ignore[reportArgumentType]
            _refuse(f"{name!r} of {what} is {str(value)[:40]!r}")
    return dict(record)


def _sort_arrays(arrays: Arrays) -> dict[tuple[str, int], dict[str, np.ndarray]]:
    """Put each array to its owner: "state/7/coefficients" -> ("state", 7) -> "coefficients"."""
    shelves: dict[tuple[str, int], dict[str, np.ndarray]] = {}
    for key, array in arrays.items():
        owner, _, rest = key.partition("/")
        number, _, name = rest.partition("/")
        if owner not in ("state", "dataset") or not (number.isascii() and number.isdigit() and len(number) <= 10) or not name:
            _refuse(f"the array {key[:40]!r} belongs to nothing")
        shelves.setdefault((owner, int(number)), {})[name] = array
    return shelves


def _check_links(archive: Archive) -> None:
    """Ids must grow, parents come first (so the states are a tree), and every reference lead somewhere."""
    datasets, states = [data.id for data in archive.datasets], [state.step.id for state in archive.states]
    for ids, what in ((datasets, "datasets"), (states, "states")):
        if any(not 0 < number < _MAX_ID for number in ids) or any(a >= b for a, b in pairwise(ids)):
            _refuse(f"its {what} are not numbered upwards")
    parents = {state.step.id: state.step.parent for state in archive.states}
    for step in (state.step for state in archive.states):
        if step.parent is not None and (step.parent not in parents or step.parent >= step.id):
            _refuse(f"state {step.id} was made from state {step.parent}, which does not come before it")
        if step.redo is not None and parents.get(step.redo, -1) != step.id:
            _refuse(f"redo at state {step.id} leads to {step.redo}, which was not made from it")
        _check_reference(step.dataset, datasets, f"state {step.id} was made from dataset")
    _check_reference(archive.dataset, datasets, "it uses dataset")
    _check_reference(archive.cursor, states, "it stands at state")
    if states and archive.cursor is None:
        _refuse("it has states and stands at none")


def _check_reference(number: int | None, known: Sequence[int], what: str) -> None:
    if number is not None and number not in known:
        _refuse(f"{what} {number}, which it does not have")


def _refuse(reason: str) -> NoReturn:
    raise ProjectError(f"This project file cannot be opened: {reason}. It was damaged or edited; save the project anew.")
