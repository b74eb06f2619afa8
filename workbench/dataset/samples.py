"""Ten small real tables with a known law, to try things on and to measure ourselves by.

The tables and laws.json lie in the package (workbench/sample_data, as a wheel has it) or beside it (sample_data, as a source checkout has it).
laws.json holds, for each table, its columns and units, the law as a formula with named constants, and what a least-squares fit of that law
gives on exactly these numbers, with the tolerance the data allow (a 99 % confidence interval).
"""

from __future__ import annotations

import importlib.resources
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Literal

from workbench.dataset.data import Dataset
from workbench.dataset.tasks import load_task, task_names
from workbench.exceptions import DatasetError, did_you_mean
from workbench.table import read_table

_LAWS = "laws.json"


@dataclass(frozen=True)
class Constant:
    """A constant of a law: what least squares gives, and half the width of its 99 % confidence interval."""

    value: float
    tolerance: float


@dataclass(frozen=True)
class Fit:
    """One least-squares fit of a law.

    scale : "linear": of the target itself; "log": of its logarithm, where the scatter is a factor
    group : the group it was fitted on, or None for all rows
    constants : {name in the skeleton: Constant}
    r2 : on that scale
    """

    scale: Literal["linear", "log"]
    group: str | None
    constants: Mapping[str, Constant]
    r2: float


@dataclass(frozen=True)
class Sample:
    """What is known about a sample table.

    skeleton : the law in our expression syntax, such as "c*Girth**p*Height**q"; its constants are named in `fits`
    law : the law in words
    n_rows : rows of the table
    group : the column that has a fit of its own for every value, or None
    """

    name: str
    title: str
    description: str
    source: str
    target: str
    features: tuple[str, ...]
    group: str | None
    units: Mapping[str, str]
    law: str
    skeleton: str
    fits: tuple[Fit, ...]
    n_rows: int


def sample_names() -> tuple[str, ...]:
    """Return the names of the sample tables with a law; those of the tasks are told by `task_names`.

    >>> sample_names()[:3]
    ('planets', 'hubble1929', 'boyle1662')
    """
    return tuple(_laws())


def sample_info(name: str) -> Sample:
    """Return what is known about a sample table: its title, columns, units and law.

    >>> sample_info("boyle1662").skeleton
    'C/volume'
    """
    known = _laws()
    if name not in known:
        every = (*known, *task_names())
        raise DatasetError(f"load_sample({name!r}): no such sample.{did_you_mean(name, every)} Samples: {', '.join(every)}.")
    described = known[name]
    fits = tuple(
        Fit(fit["scale"], fit["group"], {key: Constant(**constant) for key, constant in fit["constants"].items()}, fit["r2"])
        for fit in described["fits"]
    )
    texts = {key: described[key] for key in ("title", "description", "source", "target", "group", "units", "law", "skeleton")}
    return Sample(name=name, features=tuple(described["features"]), fits=fits, n_rows=len(_content(name).splitlines()) - 1, **texts)


def load_sample(name: str, random_state: int = 0) -> Dataset:
    """Return a sample table, or a sample task, as a dataset, with its units and roles.

    >>> load_sample("cherry_trees")
    Dataset('cherry_trees': Volume from Girth, Height; 31 rows, kfold)
    """
    if name in task_names():
        return load_task(name, random_state)
    sample = sample_info(name)
    table = read_table(_content(name), name=f"{name}.csv").with_units(sample.units)
    return Dataset.from_table(table, sample.target, features=sample.features, group=sample.group, random_state=random_state)


def _laws() -> dict[str, dict]:
    return json.loads((_folder() / _LAWS).read_text(encoding="utf-8"))["samples"]


def _content(name: str) -> bytes:
    return (_folder() / f"{name}.csv").read_bytes()


def _folder() -> Traversable:
    """Return where the sample tables are: in the package, or beside it in a source checkout."""
    package = importlib.resources.files("workbench")
    beside = Path(str(package)).parent / "sample_data"
    for folder in (package / "sample_data", beside):
        if (folder / _LAWS).is_file():
            return folder
    raise DatasetError(f"The sample tables are not there: neither in the package nor in {str(beside)!r}. Install kan-workbench again.")
