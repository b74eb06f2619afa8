"""The page Export: the formula as a person wants it, in every language, and predictions for a new table.

A worker writes everything. Answers are kept per state and choice of constants: a state never changes, so an answer holds for good.
"""

from __future__ import annotations

import base64
from abc import ABC
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import numpy as np

from workbench.exceptions import ProjectError
from workbench.jobs import Lane
from workbench.store import State
from workbench.ui.services import Services
from workbench.ui.state.jobs import Jobs

KEPT = 40  # answers
PATIENCE = 60.0  # seconds for a shorter form


@dataclass(frozen=True)
class Wish:
    """How constants are to be written: as they are, to so many decimals, or plain (0.5, pi, 1/3) where the data allow."""

    decimals: int | None = None
    nice: bool = False


AS_IT_IS = Wish()


@dataclass(frozen=True)
class Document:
    """An export as a file."""

    name: str
    mime: str
    content: bytes

    @property
    def text(self) -> str:
        """The content as text."""
        return self.content.decode("utf-8")


@dataclass(frozen=True)
class Predictions:
    """What came of a new table: what to say about it, the first rows, and the table with the predictions as a CSV file.

    outside : how many rows lie outside the range that the formula was fitted on
    """

    rows: int
    predicted: int
    outside: int
    message: str
    columns: tuple[str, ...]
    preview: tuple[tuple[Any, ...], ...]
    csv: bytes


class _Answers(ABC):
    """What a worker says and writes of the state that a project stands at.

    Parameters
    ----------
    services, project : the store with its workers, and the id of the project
    memory : where answers are kept, such as the session of one visitor
    """

    predicting: ClassVar[str]  # task that predicts

    def __init__(self, services: Services, project: str, memory: OrderedDict[Hashable, Any]) -> None:
        self._store, self._jobs, self._memory = services.store, Jobs(services), memory
        self.project = services.store.projects.get(project)
        self.state: State | None = services.store.states.get(project)

    def project_file(self) -> bytes:
        """Return the whole project as a `.kanwb` file."""
        return self._store.export(self.project.id)

    def predict(self, name: str, content: bytes, wish: Wish = AS_IT_IS) -> Predictions:
        """Read a file as a table and predict its rows.

        Raises
        ------
        WorkbenchError
            The file is no table, or lacks a column that is needed.
        """
        read = self._jobs.ask("table.read", {"name": name}, {"file": np.frombuffer(content, dtype=np.uint8)})
        answer = self._ask(self.predicting, wish, read.arrays, table=read.value)
        told = cast("Mapping[str, Any]", answer.value)
        return Predictions(
            rows=told["rows"],
            predicted=told["predicted"],
            outside=told["outside"],
            message=" ".join([told["message"], *told["notes"]]).strip(),
            columns=tuple(told["columns"]),
            preview=tuple(map(tuple, told["preview"])),
            csv=answer.arrays["csv"].tobytes(),
        )

    def _ask(
        self, task: str, wish: Wish, arrays: Mapping[str, np.ndarray] | None = None, lane: Lane = "interactive", timeout: float = 180.0,
        **more: object,
    ) -> Any:  # fmt: skip
        if self.state is None:
            raise ProjectError("There is no network yet, so there is nothing to export. Fit one on the page Data.")
        given = {
            "workspace": str(self._store.path), "project": self.project.id, "state": self.state.step.id,
            "decimals": wish.decimals, "nice": wish.nice, **more,
        }  # fmt: skip
        return self._jobs.ask(task, given, arrays, timeout=timeout, lane=lane)

    def _kept(self, what: tuple[Hashable, ...], make: Any) -> Any:
        key = (self.project.id, None if self.state is None else self.state.step.id, what)
        if key not in self._memory:
            self._memory[key] = make()
            if len(self._memory) > KEPT:
                self._memory.popitem(last=False)
        return self._memory[key]


class Exports(_Answers):
    """Exports of the network and the formula that a project stands at."""

    predicting = "discovery.predict"

    def formula(self, wish: Wish) -> Mapping[str, Any]:
        """Return the formula with its certificate, constants, ranges and the data of its plots (see worker/exporting.py)."""
        return self._kept(("formula", wish), lambda: self._ask("discovery.formula", wish).value)

    def document(self, target: str, wish: Wish) -> Document:
        """Return an export; `target` is one of workbench.export.TARGETS, or "svg" for the drawing."""

        def write() -> Document:
            told = cast("Mapping[str, str]", self._ask("discovery.export", wish, target=target).value)
            return Document(told["name"], told["mime"], base64.b64decode(told["content"]))

        return self._kept((target, wish), write)

    def shorter(self, wish: Wish) -> Mapping[str, Any]:
        """Return the shortest form of the formula that was found within a minute; a batch worker looks, so that nothing else waits."""
        return self._kept(("shorter", wish), lambda: self._ask("formula.simplify", wish, lane="batch", timeout=PATIENCE).value)


class KATExports(_Answers):
    """Exports of the transformer that a project stands at."""

    predicting = "kat.predict"

    def described(self) -> Mapping[str, Any]:
        """Return certificate, scores, functions and script (see worker/kat_exporting.py)."""
        return self._kept(("kat",), lambda: self._ask("kat.described", AS_IT_IS).value)

    def document(self, target: str) -> Document:
        """Return an export: "torch", "code", "csv", "markdown", "latex", "names", "svg" or "report"."""

        def write() -> Document:
            told = cast("Mapping[str, str]", self._ask("kat.export", AS_IT_IS, target=target).value)
            return Document(told["name"], told["mime"], base64.b64decode(told["content"]))

        return self._kept(("kat", target), write)
