"""The page Projects: what its cards say, and everything one can do with a project as a whole."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Literal

from workbench.dataset import Sample, SampleTask, sample_info, sample_names, task_info, task_names
from workbench.exceptions import ProjectError, WorkbenchError
from workbench.store import SUFFIX, Data, Project, SourceFile
from workbench.table import Table
from workbench.ui.services import Services
from workbench.ui.state.history import score_of
from workbench.ui.state.jobs import Jobs, Pill, age
from workbench.ui.state.plan import Plan, Reading, first_plan, plan_of
from workbench.ui.state.reading import read_file, read_sample
from workbench.ui.state.shelf import Shelf

KEPT_SOURCE = 64 * 2**20  # bytes; a larger file is not kept for another reading
MAX_NAME = 200
LONGEST_LATEX = 400  # a longer formula is no help on a card
Stage = Literal["empty", "data", "fitted", "formula"]


@dataclass(frozen=True)
class Card:
    """What the list shows of a project.

    stage : how far it has come: nothing, data, a fitted network, a formula without any learned curve left
    facts : such as "31 rows · predicts Volume"
    r2 : on checked rows, or None
    score : what that is, "R²" or "accuracy"
    latex : the formula, where it is symbolic and short enough to be read
    progress : such as "2 of 5 curves named", where a network is fitted
    job : what workers do for it or what became of it, or None
    age : such as "3 min ago"
    """

    id: str
    name: str
    stage: Stage
    facts: str
    r2: float | None
    latex: str | None
    progress: str
    job: Pill | None
    age: str
    score: str = "R²"


@dataclass(frozen=True)
class _Reached:
    """The part of a card that follows from the state that is looked at; a state never changes."""

    stage: Stage
    r2: float | None
    latex: str | None
    progress: str
    score: str = "R²"


_recall = Shelf(size=500).recall


class Projects:
    """The projects of a workspace."""

    def __init__(self, services: Services) -> None:
        self._store, self._jobs = services.store, Jobs(services)

    def cards(self, now: float | None = None) -> tuple[Card, ...]:
        """Return one card for each project, the last touched first."""
        now = time.time() if now is None else now
        return tuple(self._card(project, now) for project in self._store.projects.all())

    def trash(self) -> tuple[Project, ...]:
        """Return what was deleted and can be taken back, the last first."""
        return self._store.projects.all(deleted=True)

    def samples(self) -> tuple[Sample, ...]:
        """Return the sample tables."""
        return tuple(sample_info(name) for name in sample_names())

    def tasks(self) -> tuple[SampleTask, ...]:
        """Return the sample tasks of transformers."""
        return tuple(task_info(name) for name in task_names())

    def open_file(self, name: str, content: bytes) -> str:
        """Make a project of a file, a table or a project file, and return its id.

        Raises
        ------
        WorkbenchError
            It cannot be read; no project has been made then.
        """
        if name.lower().endswith(SUFFIX):
            return self._store.import_file(content).id
        read = read_file(self._jobs, content, Reading(file=PurePath(name).name))
        table = read.table
        plan = replace(first_plan(table), reading=read.reading)
        source = SourceFile(name, content) if len(content) <= KEPT_SOURCE else None
        return self._make(_title(table.name), plan, table, Data(0, read.content, read.arrays), source)

    def open_sample(self, name: str) -> str:
        """Make a project of a sample, with its roles and units, ready to fit; return its id."""
        dataset, stored = read_sample(self._jobs, name)
        task = name in task_names()
        plan = replace(plan_of(dataset), reading=Reading(file=f"{name}.csv"), model="kat" if task else "kan")
        return self._make((task_info(name) if task else sample_info(name)).title, plan, dataset.table, stored, None)

    def rename(self, project: str, name: str) -> None:
        """Give a project another name."""
        self._store.projects.rename(project, name)

    def duplicate(self, project: str) -> str:
        """Copy a project with all it has; return the id of the copy."""
        return self._store.projects.duplicate(project).id

    def delete(self, project: str) -> None:
        """Put a project into the trash, and stop what works for it."""
        job = self._jobs.running(project)
        if job is not None:
            self._jobs.stop(job.id)
        self._store.projects.delete(project)

    def restore(self, project: str) -> None:
        """Take a project out of the trash."""
        self._store.projects.restore(project)

    def purge(self, project: str) -> None:
        """Delete a project for good."""
        self._store.projects.purge(project)

    def export(self, project: str) -> bytes:
        """Return a project as the bytes of a `.kanwb` file."""
        return self._store.export(project)

    def file_name(self, project: str) -> str:
        """Return what to call the file of a project."""
        return file_name(self._store.projects.get(project).name)

    def _make(self, name: str, plan: Plan, table: Table, data: Data, source: SourceFile | None) -> str:
        """Create a project with all it begins with, or, where it cannot be stored, none."""
        projects, summary = self._store.projects, {"rows": table.n_rows, "target": next(iter(plan.targets), None)}
        project = projects.create(name).id
        try:
            projects.set_data(project, data.content, data.arrays)
            projects.set_source(project, source)
            projects.set_plan(project, plan.to_json())
            projects.summarise(project, summary)
        except WorkbenchError:
            projects.purge(project)
            raise
        return project

    def _card(self, project: Project, now: float) -> Card:
        reached = _recall((str(self._store.path), project.id, project.cursor), lambda: self._reached(project))
        return Card(
            id=project.id,
            name=project.name,
            stage="data" if reached.stage == "empty" and project.dataset is not None else reached.stage,
            facts=_facts(project.summary),
            r2=reached.r2,
            latex=reached.latex,
            progress=reached.progress,
            job=self._jobs.pill(project.id, now),
            age=age(project.updated, now),
            score=reached.score,
        )

    def _reached(self, project: Project) -> _Reached:
        """Say what the state that is looked at is worth. It may come from somebody's file, so nothing in it is taken for granted."""
        try:
            state = None if project.cursor is None else self._store.states.get(project.id, project.cursor)
        except ProjectError:  # one damaged project must not hide the others; its own pages say what is wrong
            return _Reached("fitted", None, None, "cannot be read")
        if state is None:
            return _Reached("empty", None, None, "")
        metrics, formula = state.step.metrics, state.view.get("formula")
        edges, symbolic = _number(metrics.get("n_edges")), _number(metrics.get("n_symbolic"))
        named = edges is not None and edges > 0 and symbolic == edges
        latex = formula.get("latex") if isinstance(formula, Mapping) else None
        return _Reached(
            "formula" if named else "fitted",
            _number(metrics.get("r2_validation")),
            latex if named and isinstance(latex, str) and 0 < len(latex) <= LONGEST_LATEX else None,
            "" if edges is None else f"{symbolic or 0:.0f} of {edges:.0f} {'curve' if edges == 1 else 'curves'} named",
            score_of(state.step),
        )


def file_name(project: str) -> str:
    """Return a file name that every system takes.

    >>> file_name("Länge / Zeit: ☃")
    'Länge Zeit.kanwb'
    """
    words = " ".join(re.sub(r"[^\w\-. ]+", " ", project).split()).strip(". ")
    return f"{words[:80] or 'project'}{SUFFIX}"


def sentence(problem: WorkbenchError, file: str) -> str:
    """Say that a file was not opened, and why."""
    return str(problem) if file in str(problem) else f"{file} was not opened. {problem}"


def _title(name: str) -> str:
    return name.strip()[:MAX_NAME] or "table"


def _facts(summary: Mapping[str, object]) -> str:
    rows, target = _number(summary.get("rows")), summary.get("target")
    parts = [f"{rows:,.0f} {'row' if rows == 1 else 'rows'}"] if rows is not None else []
    return " · ".join([*parts, *([f"predicts {target}"] if isinstance(target, str) and target else [])])


def _number(value: object) -> float | None:
    """A summary comes from somebody's file: anything may stand in it."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) else None
