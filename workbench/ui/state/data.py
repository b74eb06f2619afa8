"""The page Data: the columns of a project's table, what they are for, and what will be fitted.

Whatever a person changes goes into the project's plan at once. The dataset that workers fit is made from table and plan
when a fit is asked for; until then it is only looked at, to say what it would be or why it cannot be.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from workbench.dataset import ROLES, Dataset, Role, pixels_of
from workbench.dataset.transforms import TRANSFORMS
from workbench.exceptions import JobError, ProjectError, WorkbenchError
from workbench.jobs import Job
from workbench.ops import gpu
from workbench.ops.gpu import Gpu
from workbench.store import Data, Project
from workbench.table import Note, Summary, Table, described, summarise
from workbench.transformer.settings import KATSettings
from workbench.ui.services import Services
from workbench.ui.state.jobs import Jobs
from workbench.ui.state.plan import Plan, Reading, first_plan, plan_of
from workbench.ui.state.reading import read_file, stored_table
from workbench.ui.state.shelf import Shelf

PREVIEW_ROWS = 200
LONGEST_UNIT = 60
NAMED = 6  # columns that a sentence names one by one
NO_TRANSFORM = "none"


@dataclass(frozen=True)
class ColumnRow:
    """One line of the column table; numbers as text, because dates stand there too."""

    name: str
    role: Role
    unit: str
    kind: str
    transform: str
    missing: int
    distribution: tuple[int, ...]
    lowest: str
    highest: str
    symbol: str


@dataclass(frozen=True)
class Outlook:
    """What a fit would be.

    title : such as "Volume from Girth, Height"
    detail : the rows and what they are for
    problem : the sentence that says why nothing can be fitted yet, or None
    notes : what was done and noticed
    """

    title: str
    detail: str
    problem: str | None
    notes: tuple[Note, ...]


class Preparation:
    """The data of one project on their way to a fit.

    Raises
    ------
    ProjectError
        There is no such project.
    """

    def __init__(self, services: Services, project: str) -> None:
        self._services, self._store, self._jobs = services, services.store, Jobs(services)
        self.project: Project = self._store.projects.get(project)
        self.plan: Plan = self._stored_plan()

    @property
    def has_data(self) -> bool:
        """Whether there is a table."""
        return self.project.dataset is not None

    @property
    def table(self) -> Table:
        """The table, without units that were typed later (those are in the plan)."""
        return _recall(("table", *self._key), lambda: stored_table(self._data.content, self._data.arrays))

    def columns(self) -> tuple[ColumnRow, ...]:
        """Return a line for each column."""
        summaries = _recall(("summaries", *self._key), lambda: summarise(self.table))
        return tuple(self._row(summary) for summary in summaries)

    def change(self, **changes: Any) -> None:
        """Change fields of the plan and keep it."""
        self._keep(replace(self.plan, **changes))

    def change_network(self, **changes: Any) -> None:
        """Change settings of the fit and keep them."""
        self.change(network=replace(self.plan.network, **changes))

    def change_blocks(self, **changes: Any) -> None:
        """Change settings of the transformer and keep them."""
        self.change(blocks=replace(self.plan.blocks, **changes))

    def choose_target(self, name: str) -> None:
        """Predict this column and no other."""
        self.table.column(name)
        self._keep(self._with_task(self.plan.with_target(name)))

    def edit(self, edits: Mapping[Any, Mapping[str, Any]]) -> None:
        """Take over what was typed into the column table: {row: {"role" | "unit" | "transform": value}}. It comes from a browser."""
        roles, units, transforms = dict(self.plan.roles), dict(self.plan.units), dict(self.plan.transforms)
        names = self.table.names
        for row, cells in edits.items():
            if not str(row).isdigit() or int(row) >= len(names):
                raise ProjectError(f"There is no row {row!r} in the column table. Reload the page.")
            name = names[int(row)]
            if (role := cells.get("role")) in ROLES:
                roles[name] = cast("Role", role)
            if "unit" in cells:
                units[name] = str(cells["unit"] or "").strip()[:LONGEST_UNIT]
            if (transform := cells.get("transform")) in TRANSFORMS:
                transforms[name] = str(transform)
            elif "transform" in cells:
                transforms.pop(name, None)
        self._keep(self._with_task(replace(self.plan, roles=roles, units=units, transforms=transforms)))

    def dataset(self) -> Dataset:
        """Return what would be fitted, or raise the WorkbenchError that says why nothing can be."""
        key = ("dataset", *self._key, json.dumps(self.plan.to_json(), sort_keys=True))
        return _recall(key, lambda: self.plan.dataset(self.table))

    def outlook(self) -> Outlook:
        """Say what would be fitted, or what is in the way."""
        try:
            data = self.dataset()
            _, settings = self._wanted(data)
        except WorkbenchError as problem:
            return Outlook("", "", str(problem), self.table.notes)
        targets = _named([data.seen_name(column.name) for column in data.targets])
        title = f"{targets} from {_named([data.seen_name(name) for name in data.names])}"
        detail = _about_rows(data)
        return Outlook(title, f"{detail}. {_about_tokens(data, settings)}" if self.plan.model == "kat" else detail, None, data.notes)

    def patch_sizes(self) -> tuple[int, ...]:
        """Return the sides of squares that tile the images; none where the columns are no pixels."""
        try:
            pixels = pixels_of(self.dataset())
        except WorkbenchError:
            return ()
        return () if pixels is None else pixels.sizes()

    def _wanted(self, data: Dataset) -> tuple[str, dict[str, Any]]:
        """Return the task of a fit and its settings, or raise the WorkbenchError that says what is in the way."""
        if self.plan.model == "kan":
            return "discovery.fit", self.plan.network.settings(len(data.inputs), data.n_rows)
        settings = self.plan.blocks.settings(self.plan.network.seed)
        settings.pixels(data)
        return "kat.fit", settings.to_json()

    @staticmethod
    def gpu() -> Gpu:
        """Say which GPU there is to fit on, or why there is none."""
        return _gpu()

    def running(self) -> Job | None:
        """Return the fit or search that is under way, if there is one."""
        return self._jobs.running(self.project.id)

    def fit(self) -> Job:
        """Fit a network, or train a transformer, in a worker."""
        task, settings = self._wanted(self.ready())
        return self._jobs.submit(self.project.id, task, {"settings": settings})

    def search(self) -> Job:
        """Let the autopilot look for the law, in a worker."""
        self.ready()
        return self._jobs.submit(self.project.id, "discovery.auto", {"time_budget": self.plan.network.seconds})

    def can_read_again(self) -> bool:
        """Whether the file is still here, so that it can be read in another way."""
        return self._store.projects.source(self.project.id) is not None

    def read_again(self, reading: Reading) -> None:
        """Read the file in another way: sheet, row of names, range; delimiter, decimal sign. Roles stay where names stay."""
        source = self._store.projects.source(self.project.id)
        if source is None:
            raise ProjectError("The file is not here any more. Drop it again on the page Projects.")
        read = read_file(self._jobs, source.content, replace(reading, file=source.name))
        table = read.table
        plan = self.plan if table.names == self.table.names else first_plan(table)
        self._store.projects.set_data(self.project.id, read.content, read.arrays)
        self.project = self._store.projects.get(self.project.id)
        self._keep(replace(plan, reading=read.reading))

    @property
    def _key(self) -> tuple[str, str, int | None]:
        return str(self._store.path), self.project.id, self.project.dataset

    @property
    def _data(self) -> Data:
        data = self._store.projects.data(self.project.id, self.project.dataset)
        if data is None:
            raise ProjectError("This project has no data yet. Drop a table on the page Projects.")
        return data

    def _stored_plan(self) -> Plan:
        """A project saved by a Python program has a dataset and no plan: then the dataset says what was chosen."""
        if self.project.plan or not self.has_data:
            return Plan.from_json(self.project.plan)
        data = self._data
        if "inputs" in data.content:
            plan = plan_of(Dataset.from_arrays(data.content, data.arrays))
            return replace(plan, model="kat") if self.project.summary.get("model") == "kat" else plan
        return first_plan(stored_table(data.content, data.arrays))

    def _with_task(self, plan: Plan) -> Plan:
        """A new target brings its own task: categories and yes/no values are classes, numbers are measurements."""
        if plan.targets == self.plan.targets or len(plan.targets) != 1:
            return plan
        is_class = self.table.column(plan.targets[0]).kind in ("category", "boolean")
        return replace(plan, task="classification" if is_class else "regression")

    def _keep(self, plan: Plan) -> None:
        self.project = self._store.projects.set_plan(self.project.id, plan.to_json())
        self.plan = plan

    def ready(self) -> Dataset:
        """Make the dataset and store it for the workers; the same one is not stored twice."""
        job = self.running()
        if job is not None:
            raise JobError(f"A fit of this project is {'paused' if job.status == 'paused' else 'under way'}. Wait for it, or stop it first.")
        data = self.dataset()
        self._wanted(data)
        content, arrays = data.to_arrays()
        if not _is_same(self._data, content, arrays):
            self._store.projects.set_data(self.project.id, content, arrays)
            self.project = self._store.projects.get(self.project.id)
        return data

    def _row(self, summary: Summary) -> ColumnRow:
        column = summary.column
        return ColumnRow(
            name=column.name,
            role=self.plan.roles.get(column.name, "ignore"),
            unit=self.plan.units.get(column.name, column.unit),
            kind=described(column.kind),
            transform=self.plan.transforms.get(column.name, NO_TRANSFORM),
            missing=summary.missing,
            distribution=summary.histogram,
            lowest=_short(summary.minimum),
            highest=_short(summary.maximum),
            symbol=column.symbol,
        )


_recall = Shelf(size=12).recall


def _is_same(stored: Data, content: Mapping[str, object], arrays: Mapping[str, np.ndarray]) -> bool:
    if json.loads(json.dumps(content)) != dict(stored.content) or arrays.keys() != stored.arrays.keys():
        return False
    return all(np.array_equal(values, stored.arrays[name], equal_nan=values.dtype.kind == "f") for name, values in arrays.items())


def _about_rows(data: Dataset) -> str:
    split = data.split
    rows = f"{data.n_rows:,} {'row' if data.n_rows == 1 else 'rows'}"
    if split.kind == "leave_one_out":
        return f"{rows}: all are fitted, each is checked by a fit of the others, none is left to report on"
    report = f"{len(split.test):,} to report on" if len(split.test) else "none to report on"
    if split.kind == "holdout":
        return f"{rows}: {len(split.train):,} to fit, {len(split.validation):,} to choose by, {report}"
    return f"{rows}: {len(split.train):,} to fit, {report}, {_checks(len(split.folds), split.way)}"


def _about_tokens(data: Dataset, settings: Mapping[str, Any]) -> str:
    chosen = KATSettings.from_json(settings)
    pixels = chosen.pixels(data)
    if pixels is None:
        return f"{len(data.inputs)} tokens, one for each input"
    side = chosen.side(pixels)
    count = pixels.height * pixels.width // side**2
    return f"{count} tokens, squares of {side} × {side} pixels from images of {pixels.height} × {pixels.width}"


def _checks(n_folds: int, way: str) -> str:
    if way == "time":
        return f"{n_folds} checks forward in time"
    return f"{n_folds // 2}-fold checks, twice" if n_folds == 10 else f"{n_folds}-fold checks"


def _named(names: list[str]) -> str:
    more = len(names) - NAMED
    return f"{', '.join(names[:NAMED])} and {more} more" if more > 0 else ", ".join(names)


def _short(value: float | str | None) -> str:
    return "" if value is None else value if isinstance(value, str) else f"{value:.5g}"


@functools.cache
def _gpu() -> Gpu:
    """Look for a GPU once: the driver's tool takes a second, and a page is drawn at every click."""
    return gpu.find()
