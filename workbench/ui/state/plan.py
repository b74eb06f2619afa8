"""What a person chose on the page Data, as one frozen value that is kept with the project from the first click on.

    Plan      roles, units and transforms of the columns; how rows are treated and divided
    Network   the settings of the fit, as they were typed
    Blocks    those of a transformer
    Reading   how the file was read

A plan comes back from the store or from somebody's project file, so reading it believes nothing: what is not of its
type, or not among the values allowed, is replaced by the default.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal, Self, TypeVar, cast, get_args

from workbench.bases.basis import Family
from workbench.dataset import ROLES, Categories, Dataset, Missing, Role, Task
from workbench.dataset.split import Way
from workbench.exceptions import DatasetError, TrainingError
from workbench.table import Table, is_constant
from workbench.transformer.settings import KINDS, KATSettings, Kind

MOST_LAYERS, WIDEST_LAYER, MOST_FACTORS = 6, 100, 6
FEW_ROWS = 200
DEFAULT_SPARSITY = 1e-3
Json = dict[str, Any]
Model = Literal["kan", "kat"]


@dataclass(frozen=True)
class Reading:
    """How a file was read; None is what was found out.

    sheets : the sheets of an Excel file, for the choice
    """

    file: str = ""
    sheets: tuple[str, ...] = ()
    sheet: str | None = None
    header: int | None = None
    cells: str | None = None
    delimiter: str | None = None
    decimal: str | None = None

    def options(self) -> Json:
        """Return the options of `read_table` that were chosen."""
        chosen = {name: getattr(self, name) for name in ("sheet", "header", "cells", "delimiter", "decimal")}
        return {name: value for name, value in chosen.items() if value is not None}


@dataclass(frozen=True)
class Network:
    """Settings of the fit, as typed.

    hidden : "" leaves it to us; "none"; or sizes such as "5" or "4, 3"
    products : "" for none; arities of the product nodes such as "2, 2", hidden layers separated by ";"
    basis : what the edges are, splines or rational functions
    gpu : train on the GPU, as suits networks of thousands of constants
    """

    hidden: str = ""
    products: str = ""
    sparsity: float = DEFAULT_SPARSITY
    seed: int = 0
    seconds: float = 60.0
    basis: Family = "spline"
    gpu: bool = False

    def settings(self, n_inputs: int, n_rows: int) -> Json:
        """Return the settings of `training.FitConfig`.

        Left to us, the shape is the smallest that can hold a law: a curve for one input; for several, one hidden node while rows are few
        (a product of powers, say, is the exponential of a sum of logarithms), else five.

        Raises
        ------
        TrainingError
            The text is not a list of sizes.
        """
        hidden = hidden_layers(self.hidden)
        if hidden is None:
            hidden = () if n_inputs == 1 else (1,) if n_rows < FEW_ROWS else (5,)
        products = product_nodes(self.products, len(hidden))
        return {"hidden_layer_sizes": list(hidden), "product_nodes": [list(arities) for arities in products],
                "sparsity": self.sparsity if hidden else 0.0, "random_state": self.seed,
                **({} if self.basis == "spline" else {"basis": self.basis}), **({"engine": "cuda"} if self.gpu else {})}  # fmt: skip


@dataclass(frozen=True)
class Blocks:
    """Settings of a transformer, as typed; patch_size 0 leaves it to us."""

    tokens: Kind = "auto"
    patch_size: int = 0
    width: int = 48
    depth: int = 2
    n_heads: int = 4
    n_groups: int = 4
    epochs: int = 40
    jitter: float = 1.0

    def settings(self, seed: int) -> KATSettings:
        """Return the settings of a training, or raise the TrainingError that says why they cannot be."""
        return KATSettings(**asdict(self), random_state=seed)


@dataclass(frozen=True)
class Plan:
    """Everything chosen on the page Data. The names are those of `Dataset.from_table`."""

    roles: Mapping[str, Role] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    transforms: Mapping[str, str] = field(default_factory=dict)
    task: Task = "regression"
    categories: Categories = "indicators"
    missing: Missing = "drop"
    split: Way = "random"
    split_by: str | None = None
    test_fraction: float = 0.2
    validation_fraction: float = 0.2
    model: Model = "kan"
    network: Network = Network()
    blocks: Blocks = Blocks()
    reading: Reading = Reading()

    @property
    def targets(self) -> tuple[str, ...]:
        """The columns that are predicted."""
        return tuple(name for name, role in self.roles.items() if role == "target")

    def with_target(self, name: str) -> Plan:
        """Return the plan with this one target; what was a target becomes an input."""
        roles: dict[str, Role] = {column: "input" if role == "target" else role for column, role in self.roles.items()}
        return replace(self, roles={**roles, name: "target"})

    def dataset(self, table: Table) -> Dataset:
        """Make the dataset, or raise a WorkbenchError that says in one sentence what is in the way."""
        roles = {name: self.roles.get(name, "ignore") for name in table.names}
        units = {name: unit for name, unit in self.units.items() if name in table}
        transforms = {name: how for name, how in self.transforms.items() if roles.get(name) in ("input", "target")}
        if "target" not in roles.values():
            raise DatasetError("No column is predicted yet. Choose one under Predict, or give one the role target.")
        split_by = self.split_by if self.split != "random" else None
        if self.split == "groups" and split_by is None:
            raise DatasetError("Rows are to stay together in groups: choose the column that says which belong together.")
        return Dataset.from_table(
            table, units=units, roles=roles, task=self.task, categories=self.categories, missing=self.missing, split=self.split,
            split_by=split_by, test_fraction=self.test_fraction, validation_fraction=self.validation_fraction,
            random_state=self.network.seed, **({"transforms": transforms} if transforms else {}),
        )  # fmt: skip

    def to_json(self) -> Json:
        """Return the plan as JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Return the plan that was kept; what does not fit is left at its default."""
        checked = _checked(cls(), stored)
        roles = {name: role for name, role in _texts(stored.get("roles")).items() if role in ROLES}
        return replace(
            checked,
            roles=cast("Mapping[str, Role]", roles),
            units=_texts(stored.get("units")),
            transforms=_texts(stored.get("transforms")),
            network=_checked(Network(), stored.get("network")),
            blocks=_checked(Blocks(), stored.get("blocks")),
            reading=replace(_checked(Reading(), stored.get("reading")), sheets=_sheets(stored.get("reading"))),
        )


Value = TypeVar("Value", Plan, Network, Blocks, Reading)
_CHOICES = {"model": get_args(Model), "tokens": KINDS, "task": get_args(Task), "categories": get_args(Categories), "missing": get_args(Missing), "split": get_args(Way),
            "basis": get_args(Family)}  # fmt: skip
_OPTIONAL = {"split_by": str, "sheet": str, "header": int, "cells": str, "delimiter": str, "decimal": str}


def _checked(default: Value, stored: object) -> Value:
    """Return `default` with every plain field that `stored` has, is of its type, and is allowed."""
    if not isinstance(stored, Mapping):
        return default
    given = {one.name: stored[one.name] for one in fields(default) if one.name in stored}
    return replace(default, **{name: value for name, value in given.items() if _fits(name, getattr(default, name), value)})


def _fits(name: str, default: object, value: object) -> bool:
    if name in _CHOICES:
        return value in _CHOICES[name]
    if name in _OPTIONAL:
        return value is None or (isinstance(value, _OPTIONAL[name]) and not isinstance(value, bool))
    if isinstance(default, str | bool):
        return isinstance(value, type(default))
    if isinstance(default, float | int) and not isinstance(value, bool):
        kinds = (int,) if isinstance(default, int) else (int, float)
        return isinstance(value, kinds) and math.isfinite(value) and value >= 0
    return False


def _texts(stored: object) -> dict[str, str]:
    if not isinstance(stored, Mapping):
        return {}
    return {name: text for name, text in stored.items() if isinstance(name, str) and isinstance(text, str)}


def _sheets(stored: object) -> tuple[str, ...]:
    sheets = stored.get("sheets") if isinstance(stored, Mapping) else None
    return tuple(name for name in sheets if isinstance(name, str)) if isinstance(sheets, list | tuple) else ()


def plan_of(data: Dataset) -> Plan:
    """Return the plan that a dataset was made by, as far as it can be seen in it."""
    sources = {made.source for made in data.inputs}
    targets = {column.name for column in data.targets}

    def role(name: str) -> Role:
        if name in targets:
            return "target"
        return "group" if name in data.group_columns else "input" if name in sources else "ignore"

    return Plan(roles={name: role(name) for name in data.table.names}, units=data.table.units, transforms=dict(data.transforms),
                task=data.task, split=data.split.way)  # fmt: skip


def first_plan(table: Table) -> Plan:
    """Return a plan for a table that nobody has said anything about.

    The last column that varies, of numbers or of categories, is predicted from all that can be an input: tables are written so. Categories
    make it a question of classes.
    """
    able = [column for column in table.columns if column.kind in ("number", "category")]
    target = next((column for column in reversed(able) if not is_constant(table.values[column.name])), able[-1] if able else None)
    name = None if target is None else target.name
    task: Task = "classification" if target is not None and target.kind == "category" else "regression"
    try:
        return plan_of(Dataset.from_table(table, name, task=task))
    except DatasetError:  # a person will see why, and choose
        usable = {column.name for column in table.columns if column.kind != "text"}
        roles: dict[str, Role] = {column: "input" if column in usable else "ignore" for column in table.names}
        return Plan(roles=roles | ({name: "target"} if name else {}), units=table.units, task=task)


def hidden_layers(text: str) -> tuple[int, ...] | None:
    """Read the sizes of hidden layers; None when that is left to us.

    >>> hidden_layers("4, 3"), hidden_layers("none"), hidden_layers("")
    ((4, 3), (), None)
    """
    if not text.strip() or text.strip().lower() == "auto":
        return None
    if text.strip().lower() in ("none", "0", "-"):
        return ()
    sizes = _whole_numbers(text)
    if sizes is None or not (len(sizes) <= MOST_LAYERS and all(1 <= size <= WIDEST_LAYER for size in sizes)):
        raise TrainingError(
            f"Hidden layers {text.strip()[:40]!r}: write the size of each, such as 5, or 4, 3 for two layers, or none; "
            f"at most {MOST_LAYERS} layers of at most {WIDEST_LAYER} nodes."
        )
    return sizes


def product_nodes(text: str, n_layers: int) -> tuple[tuple[int, ...], ...]:
    """Read the arities of product nodes, one list for each hidden layer.

    >>> product_nodes("2, 2; 3", n_layers=2)
    ((2, 2), (3,))
    """
    if not text.strip() or text.strip().lower() == "none":
        return ()
    layers = [() if part.strip() in ("", "-") else _whole_numbers(part) for part in text.split(";")]
    if any(arities is None or any(not 2 <= arity <= MOST_FACTORS for arity in arities) for arities in layers):
        raise TrainingError(
            f"Product nodes {text.strip()[:40]!r}: write the number of factors of each, from 2 to {MOST_FACTORS}, such as 2, 2; "
            f"a semicolon begins the next hidden layer."
        )
    if len(layers) > n_layers:
        raise TrainingError(f"Product nodes {text.strip()[:40]!r} need {len(layers)} hidden layers, and there are {n_layers}. Add a hidden layer.")
    return tuple(arities for arities in layers if arities is not None)


def _whole_numbers(text: str) -> tuple[int, ...] | None:
    parts = [part for part in re.split(r"[,\s]+", text.strip().strip("()[]")) if part]
    return tuple(int(part) for part in parts) if all(part.isascii() and part.isdigit() and len(part) < 6 for part in parts) else None
