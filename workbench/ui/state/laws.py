"""The formulas of a project side by side: what a search found, what a person typed, what was named by hand.

Each lies with its state in the store (worker/lines.py), so that a list fills while a search runs, and is the same in every tab. A formula that
was fitted further, or found twice, is one line.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from workbench.exceptions import WorkbenchError
from workbench.store import Project, Step
from workbench.ui.services import Services
from workbench.ui.state.data import Preparation
from workbench.ui.state.jobs import Jobs
from workbench.ui.state.memory import TYPED, Asked, Memory

SEARCHES = ("discovery.auto", "discovery.search")  # long jobs that find formulas

_CALL = re.compile(r"^\w+\((?:\.\.\.|'[^']*'|\"[^\"]*\")\): ")
_WITHIN = re.compile(r"parse\((?:'[^']*'|\"[^\"]*\")\): ")
_ALLOWED = re.compile(r" (?:Did you mean [^?]*\?)?(?: ?Functions| ?Names| ?Allowed): .*$", re.DOTALL)
MOST_NOTES = 3  # of a file, that are said in full
Line = dict[str, Any]


class Laws:
    """The list of one project, for one visitor."""

    def __init__(self, services: Services, project: str, memory: Memory) -> None:
        self._services, self._store, self._pool, self._jobs = services, services.store, services.pool, Jobs(services)
        self.project, self.memory = project, memory

    def payload(self, project: Project, steps: Sequence[Step], searching: bool, height: int) -> dict[str, Any] | None:
        """Return what the component draws; None while the project has no data, or it is not said what is to be predicted from what."""
        columns = self._columns(project)
        if columns is None:
            return None
        memory, summary = self.memory, project.summary
        found = self._lines(project, steps)
        known = {line["state"] for line in found}
        return {
            "laws": found, "here": project.cursor if project.cursor in known else None, "searching": searching,
            **(verdict_of(summary) if summary.get("picked") in known else {"verdict": None, "reasons": []}),
            **columns, "message": plain(memory.message) if memory.message and memory.about == TYPED else None,
            "busy": self._doing(),
            "comparison": memory.comparison if memory.comparison and memory.comparison["state"] == project.cursor else None, "revision": memory.revision, "height": height,
        }  # fmt: skip

    def _doing(self) -> str | None:
        """Say what the list waits for, in a word or two."""
        if any(asked.about == TYPED for asked in self.memory.moves):
            return "Fitting …"
        if self.memory.opening is not None:
            return "Reading the file …"
        return "Comparing …" if self.memory.comparing is not None else None

    def _lines(self, project: Project, steps: Sequence[Step]) -> list[Line]:
        memory, by_id = self.memory, {step.id: step for step in steps}
        last = max(by_id, default=0)
        if last > memory.read:
            memory.laws |= self._store.states.entries(self.project, "law", memory.read)
            memory.read = last
        own = {number: law for number, law in memory.laws.items() if number in by_id and by_id[number].dataset == project.dataset}
        picked = project.summary.get("picked")
        kept = distinct(own, by_id, project.cursor, picked)
        front = on_front(kept) | {number for number in project.summary.get("front", []) if number in kept}
        lines = [{**law, "state": number, "front": number in front, "picked": number == picked} for number, law in kept.items()]
        return sorted(lines, key=lambda line: (line["complexity"], _size(line["share"]), line["state"]))

    def _columns(self, project: Project) -> dict[str, Any] | None:
        """Return the inputs by their name and by the symbol they have in formulas, and the target's name."""
        known, number = self.memory.columns, project.dataset
        if number is None:
            return None
        if number not in known:
            content = cast("Mapping[str, Any]", self._store.projects.data(self.project, number).content)
            if "inputs" not in content:  # a table, of which the plan will make a dataset
                return self._planned()
            columns = [{"name": made["column"]["name"], "symbol": made["column"]["symbol"]} for made in content["inputs"]]
            known[number] = {"columns": columns, "target": content["targets"][0]}
        return known[number]

    def _planned(self) -> dict[str, Any] | None:
        try:
            data = Preparation(self._services, self.project).dataset()
        except WorkbenchError:
            return None
        return {"columns": [{"name": c.name, "symbol": c.symbol} for c in data.features], "target": data.targets[0].name}

    def prepare(self) -> None:
        """Make a dataset of the table as the plan says, where there is none yet.

        Raises
        ------
        WorkbenchError : the plan does not say what is to be predicted from what
        """
        project = self._store.projects.get(self.project)
        self._columns(project)
        if project.dataset is not None and project.dataset not in self.memory.columns:
            Preparation(self._services, self.project).ready()

    def columns(self, project: Project) -> tuple[str, ...]:
        """Return the inputs by their symbols."""
        columns = self._columns(project)
        return () if columns is None else tuple(column["symbol"] for column in columns["columns"])

    # ---- what a person asks for

    def suppose(self, text: str) -> None:
        """Have a typed formula fitted; it becomes the present state."""
        self.prepare()
        job = self._jobs.submit(self.project, "discovery.suppose", {"formula": text}, lane="interactive")
        self.memory.moves.append(Asked(job.id, TYPED))

    def compare(self, other: int | str) -> None:
        """Have the present formula compared with that of another state, or with a typed one."""
        if self.memory.comparing is None:
            job = self._jobs.submit(self.project, "discovery.compare", {"other": other}, lane="interactive")
            self.memory.comparing, self.memory.comparison = Asked(job.id, TYPED), None

    def open_results(self, content: bytes) -> None:
        """Have the formulas of a hall_of_fame.csv of PySR taken in."""
        if self.memory.opening is None:
            self.prepare()
            text = content.decode("utf-8", errors="replace")
            self.memory.opening = Asked(self._jobs.submit(self.project, "discovery.hall_of_fame", {"text": text}).id, TYPED)

    def settle(self) -> None:
        """Take note of what is finished."""
        memory = self.memory
        memory.comparing, compared = self._answer(memory.comparing)
        memory.comparison = compared or memory.comparison
        memory.opening, opened = self._answer(memory.opening)
        if opened is not None:
            memory.refuse(told_of(opened), TYPED)

    def _answer(self, asked: Asked | None) -> tuple[Asked | None, Mapping[str, Any] | None]:
        """Return what is still waited for, and what came of it."""
        if asked is None:
            return None, None
        self.memory.revision += 1
        try:
            return None, cast("Mapping[str, Any]", self._pool.wait(asked.job, 0).value)
        except TimeoutError:
            self.memory.revision -= 1
            return asked, None
        except WorkbenchError as problem:
            self.memory.refuse(str(problem), TYPED)
            return None, None


def plain(sentence: str) -> str:
    """Return why something was refused without the call in front of it, which nobody typed here.

    >>> plain("suppose('k*A'): there is no column 'A'."), plain("It was stopped.")
    ("There is no column 'A'.", 'It was stopped.')
    """
    rest = _CALL.sub("", sentence)
    return rest[:1].upper() + rest[1:]


def brief(note: str) -> str:
    """Return a note without the call that was refused in it, and without what would have been allowed.

    >>> brief("Row 4 is left out: parse('what(a)'): found the unknown function 'what' at position 0. Functions: exp, log.")
    "Row 4 is left out: found the unknown function 'what' at position 0."
    """
    return _ALLOWED.sub("", _WITHIN.sub("", note))


def told_of(opened: Mapping[str, Any]) -> str:
    """Say what came of a file in a few sentences.

    >>> told_of({"count": 2, "notes": ["Row 3 is left out: no."]})
    '2 formulas were read, fitted again and judged. Row 3 is left out: no.'
    """
    count, notes = opened["count"], [brief(note) for note in opened["notes"]]
    read = "1 formula was read, fitted again and judged." if count == 1 else f"{count} formulas were read, fitted again and judged."
    more = [f"{len(notes) - MOST_NOTES} more rows were left out."] if len(notes) > MOST_NOTES else []
    return " ".join([read, *notes[:MOST_NOTES], *more])


def verdict_of(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a search said of the formula it picked, and why; a summary may come from somebody's file.

    >>> verdict_of({"verdict": "law", "reasons": ["It is exact.", 3]})
    {'verdict': 'law', 'reasons': ['It is exact.']}
    """
    reasons = summary.get("reasons")
    return {"verdict": summary.get("verdict"), "reasons": [why for why in reasons if isinstance(why, str)] if isinstance(reasons, list) else []}


def distinct(laws: Mapping[int, Line], steps: Mapping[int, Step], here: int | None, picked: int | None = None) -> dict[int, Line]:
    """Leave out what was only fitted further, and what says the same as an earlier line; the present state always stays, and then the one picked."""
    first = [number for number in (here, picked) if number in laws]
    refined = {steps[number].parent for number in laws if steps[number].move.get("name") == "refit"}
    kept: dict[str, int] = {}
    for number in [*first, *sorted(set(laws) - set(first))]:
        if number in first or number not in refined:
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
