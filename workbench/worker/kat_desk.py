"""A project laid out for work on a transformer in a worker: its store, its data, and one state that is read."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Any, cast

from workbench import store
from workbench.dataset import Dataset
from workbench.exceptions import DiscoveryError, ProjectError, UnknownEdgeError
from workbench.transformer import KATSettings
from workbench.transformer.lessons import Lessons
from workbench.transformer.storage import from_store, is_transformer, lessons_from, record
from workbench.transformer.transformer import Transformer
from workbench.transformer.view import summary_of, view_of
from workbench.worker.desk import open_store
from workbench.worker.registry import Arguments

_KEPT = 12  # states, each with what it has received, that stay laid out

_lessons: OrderedDict[Hashable, Lessons] = OrderedDict()
_states: OrderedDict[Hashable, Transformer] = OrderedDict()


class KATDesk:
    """A project on the desk.

    Parameters
    ----------
    arguments : of a task: `workspace`, `project`, and `state` (the one that is looked at, when left out)
    """

    def __init__(self, arguments: Arguments) -> None:
        self.workspace, self.project = str(arguments["workspace"]), str(arguments["project"])
        self.store = open_store(self.workspace)
        self.stored = self.store.states.get(self.project, cast("int | None", arguments.get("state")))

    @property
    def parent(self) -> int | None:
        """The state that what is made here hangs on."""
        return None if self.stored is None else self.stored.step.id

    @property
    def has_transformer(self) -> bool:
        """Whether the state that is worked on is a transformer."""
        return self.stored is not None and is_transformer(self.stored.network)

    @property
    def state(self) -> Transformer:
        """The transformer of the state that is worked on."""
        if self.stored is None or not self.has_transformer:
            raise DiscoveryError("There is no transformer here. Train one on the page Data, with KAT as the model.")
        key = (self.workspace, self.project, self.stored.step.id)
        if key not in _states:
            _keep(_states, key, from_store(self.stored, self._get, self._taught(self.stored)), _KEPT)
        _states.move_to_end(key)
        return _states[key]

    def data(self) -> tuple[int, Dataset]:
        """Return the present data of the project, with their number."""
        number = self.store.projects.get(self.project).dataset
        if number is None:
            raise ProjectError("The project has no data yet. Choose the columns on the page Data first.")
        return number, self._dataset(number)

    def address(self, function: object) -> tuple[str, int]:
        """Return the path and group of a function that the page calls "place.group"."""
        place, _, group = str(function).partition(".")
        paths = list(self.state.reading.places)
        if not (place.isdigit() and group.isdigit() and int(place) < len(paths)):
            raise UnknownEdgeError(f"{function!r} is not the address of an activation function. An address reads activation.group, as in 0.2.")
        return paths[int(place)], int(group)

    def keep(self, state: Transformer, parent: int | None, dataset: int | None = None) -> int:
        """Append the state a move has made to the project's history; return its number."""
        network, arrays = record(state)
        number = dataset if dataset is not None else None if self.stored is None else self.stored.step.dataset
        draft = store.Draft(state.label, state.move, network, arrays, state.metrics(), view_of(state), number)
        step = self.store.states.append(self.project, draft, parent=parent)
        self.store.projects.summarise(self.project, summary_of(state))
        _keep(_states, (self.workspace, self.project, step.id), state, _KEPT)
        return step.id

    def path(self) -> list[store.Step]:
        """Return the steps from the training to the state that is worked on."""
        steps = {step.id: step for step in self.store.states.history(self.project)}
        found = [cast("store.State", self.stored).step]
        while found[0].move.get("name") != "fit_kat" and found[0].parent is not None:
            found.insert(0, steps[found[0].parent])
        return found

    def _get(self, number: int) -> store.State:
        return cast("store.State", self.store.states.get(self.project, number))

    def _taught(self, stored: store.State) -> Lessons:
        number = cast("int", stored.step.dataset)
        key = (self.workspace, self.project, number, repr(stored.network.get("settings")))
        if key not in _lessons:
            _keep(_lessons, key, lessons_from(stored, self._dataset(number)), _KEPT)
        return _lessons[key]

    def _dataset(self, number: int) -> Dataset:
        kept = self.store.projects.data(self.project, number)
        if kept is None:
            raise ProjectError("The project has no data yet. Choose the columns on the page Data first.")
        return Dataset.from_arrays(kept.content, kept.arrays)


def settings_of(arguments: Arguments) -> KATSettings:
    """Return the settings that a task was given."""
    return KATSettings.from_json(cast("dict[str, Any]", arguments.get("settings", {})))


def _keep(shelf: OrderedDict[Hashable, Any], key: Hashable, value: Any, most: int) -> None:
    shelf[key] = value
    shelf.move_to_end(key)
    while len(shelf) > most:
        shelf.popitem(last=False)
