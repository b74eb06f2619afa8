"""The formulas of a project side by side: what a search found, what a person typed, what was named by hand.

Each lies with its state in the store (worker/lines.py), so that a list fills while a search runs, and is the same in every tab. A formula that
was fitted further, or found twice, is one line.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

from workbench.exceptions import WorkbenchError
from workbench.store import Project, Step
from workbench.ui.services import Services
from workbench.ui.state.jobs import Jobs
from workbench.ui.state.memory import TYPED, Asked, Memory

SEARCHES = ("discovery.auto",)  # long jobs that find formulas

Line = dict[str, Any]


class Laws:
    """The list of one project, for one visitor."""

    def __init__(self, services: Services, project: str, memory: Memory) -> None:
        self._store, self._pool, self._jobs = services.store, services.pool, Jobs(services)
        self.project, self.memory = project, memory

    def payload(self, project: Project, steps: Sequence[Step], searching: bool, height: int) -> dict[str, Any] | None:
        """Return what the component draws; None while the project has no data."""
        if project.dataset is None:
            return None
        memory, summary = self.memory, project.summary
        found = self._lines(project, steps)
        known = {line["state"] for line in found}
        return {
            "laws": found, "here": project.cursor if project.cursor in known else None, "searching": searching,
            "verdict": summary.get("verdict") if summary.get("picked") in known else None,
            **self._columns(project.dataset), "message": memory.message if memory.about == TYPED else None,
            "busy": any(asked.about == TYPED for asked in memory.moves) or memory.comparing is not None,
            "comparison": memory.comparison, "revision": memory.revision, "height": height,
        }  # fmt: skip

    def _lines(self, project: Project, steps: Sequence[Step]) -> list[Line]:
        memory, by_id = self.memory, {step.id: step for step in steps}
        last = max(by_id, default=0)
        if last > memory.read:
            memory.laws |= self._store.states.entries(self.project, "law", memory.read)
            memory.read = last
        own = {number: law for number, law in memory.laws.items() if number in by_id and by_id[number].dataset == project.dataset}
        kept = distinct(own, by_id, project.cursor)
        front = on_front(kept) | {number for number in project.summary.get("front", []) if number in kept}
        picked = project.summary.get("picked")
        lines = [{**law, "state": number, "front": number in front, "picked": number == picked} for number, law in kept.items()]
        return sorted(lines, key=lambda line: (line["complexity"], _size(line["share"]), line["state"]))

    def _columns(self, dataset: int) -> dict[str, Any]:
        """Return the inputs by their name and by the symbol they have in formulas, and the target's name."""
        if dataset not in self.memory.columns:
            content = cast("Mapping[str, Any]", self._store.projects.data(self.project, dataset).content)
            columns = [{"name": made["column"]["name"], "symbol": made["column"]["symbol"]} for made in content["inputs"]]
            self.memory.columns[dataset] = {"columns": columns, "target": content["targets"][0]}
        return self.memory.columns[dataset]

    # ---- what a person asks for

    def suppose(self, text: str) -> None:
        """Have a typed formula fitted; it becomes the present state."""
        job = self._jobs.submit(self.project, "discovery.suppose", {"formula": text}, lane="interactive")
        self.memory.moves.append(Asked(job.id, TYPED))

    def compare(self, other: int | str) -> None:
        """Have the present formula compared with that of another state, or with a typed one."""
        if self.memory.comparing is None:
            job = self._jobs.submit(self.project, "discovery.compare", {"other": other}, lane="interactive")
            self.memory.comparing, self.memory.comparison = Asked(job.id, TYPED), None

    def settle(self) -> None:
        """Take note of a comparison that is finished."""
        asked = self.memory.comparing
        if asked is None:
            return
        try:
            self.memory.comparison = cast("Mapping[str, Any]", self._pool.wait(asked.job, 0).value)
        except TimeoutError:
            return
        except WorkbenchError as problem:
            self.memory.refuse(str(problem), TYPED)
        self.memory.comparing = None
        self.memory.revision += 1


def distinct(laws: Mapping[int, Line], steps: Mapping[int, Step], here: int | None) -> dict[int, Line]:
    """Leave out what was only fitted further, and what says the same as an earlier line; the present state always stays."""
    refined = {steps[number].parent for number in laws if steps[number].move.get("name") == "refit"}
    kept: dict[str, int] = {}
    for number in sorted(laws, key=lambda number: (number != here, number)):
        if number == here or number not in refined:
            kept.setdefault(laws[number]["copy"]["text"], number)
    return {number: laws[number] for number in sorted(kept.values())}


def on_front(laws: Mapping[int, Line]) -> set[int]:
    """Return the formulas that no other one beats in both complexity and error on checked rows."""
    front, least = set(), math.inf
    for number in sorted(laws, key=lambda number: (laws[number]["complexity"], _size(laws[number]["share"]))):
        if _size(laws[number]["share"]) < least:
            front.add(number)
            least = _size(laws[number]["share"])
    return front


def _size(share: float | None) -> float:
    return math.inf if share is None else share
