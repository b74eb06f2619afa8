"""The dataset: inputs, targets, weights and splits, ready to be fitted, with the story of how they came about."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Literal, NamedTuple

import numpy as np

from workbench.dataset.encoding import Encoded, Input, encode
from workbench.dataset.roles import Role
from workbench.dataset.split import Split, Way
from workbench.dataset.transforms import NOTE, Transform, checked, notes_of, original, seen
from workbench.exceptions import DatasetError
from workbench.table import Column, Note, Source, Table, counted, read_table

Task = Literal["regression", "classification"]
Categories = Literal["indicators", "group", "ignore"]
Missing = Literal["drop", "median"]


class LeftOut(NamedTuple):
    """Rows of the table that are not in the dataset, by their number from 0, and why."""

    rows: np.ndarray
    reason: str


@dataclass(frozen=True, eq=False)
class Dataset:
    """A table with roles: what is predicted from what, by which rows. Frozen; its arrays cannot be written to.

    Values are those of the table: nothing is shifted or scaled. `seen` and `seen_targets` are what the network is given: the same, but for
    columns that a person wants seen as their logarithm.

    Attributes
    ----------
    name, table : the table it was made from
    inputs : how each input is made from the table (see Input)
    targets : the columns that are predicted
    X : (n_rows, n_inputs)
    y : (n_rows, n_targets); for classification (n_rows, 1), the codes 0, 1, ... of `classes`
    rows : (n_rows,) the row of the table, from 0, that each row was
    split : training, validation and test rows, and folds (see Split)
    weights : (n_rows,) with mean 1, or None
    errors : (n_rows,) measurement errors of the target in its unit, or None
    groups : (n_rows,) codes into group_labels: one fit for each group, with a shared form; or None
    task, classes : "regression", or "classification" with the label of each code
    notes : what was done and noticed, in plain words
    left_out : rows of the table that are not here, and why
    transforms : {column: "log"} for inputs and targets that the network sees as their natural logarithm
    """

    name: str
    table: Table
    inputs: tuple[Input, ...]
    targets: tuple[Column, ...]
    X: np.ndarray
    y: np.ndarray
    rows: np.ndarray
    split: Split
    weights: np.ndarray | None = None
    errors: np.ndarray | None = None
    groups: np.ndarray | None = None
    group_columns: tuple[str, ...] = ()
    group_labels: tuple[str, ...] = ()
    task: Task = "regression"
    classes: tuple[str | float, ...] = ()
    notes: tuple[Note, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    transforms: Mapping[str, Transform] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "transforms", MappingProxyType(dict(self.transforms)))
        for values in (self.X, self.y, self.rows, self.weights, self.errors, self.groups, *(left.rows for left in self.left_out)):
            if values is not None:
                values.setflags(write=False)

    @classmethod
    def from_table(  # noqa: PLR0913  the public face: each keyword is one decision that a person can take
        cls,
        table: Table | Source,
        target: str | Sequence[str] | None = None,
        *,
        features: Sequence[str] | None = None,
        units: Mapping[str, str] | None = None,
        roles: Mapping[str, Role] | None = None,
        weight: str | None = None,
        error: str | None = None,
        group: str | None = None,
        task: Task = "regression",
        categories: Categories = "indicators",
        missing: Missing = "drop",
        transforms: Mapping[str, Transform] | None = None,
        split: Way = "random",
        split_by: str | None = None,
        test_fraction: float = 0.2,
        validation_fraction: float = 0.2,
        random_state: int = 0,
    ) -> Dataset:
        """Make a dataset from a table, or from anything that `read_table` reads.

        Parameters
        ----------
        table : a Table, a path, a DataFrame, {name: values}, ...
        target : the column, or columns, to predict
        features : the inputs; None takes every column that can be one and has no other role
        units : {column: unit}
        roles : {column: "input" | "target" | "weight" | "error" | "group" | "ignore"}
        weight : a column of weights, not negative
        error : a column with the measurement error (standard deviation) of the target: rows are weighted by 1 / error**2
        group : a column whose every value gets a fit of its own, all of one form
        task : "regression", or "classification" (then the target may be text)
        categories : what becomes of categories: "indicators" (0 or 1 for each value but the first), "group", or "ignore"
        missing : rows with missing inputs: "drop" leaves them out, "median" fills in the median of the training rows
        transforms : {column: "log"}: inputs and targets, all above 0, that the network sees as their natural logarithm
        split : "random"; "groups": rows with the same `split_by` stay together; "time": the last rows by `split_by` (or as they stand) are tested
        test_fraction, validation_fraction : shares of the rows
        random_state : the seed of the split

        Raises
        ------
        DatasetError
            The columns or values cannot be used so; UnknownColumnError names the closest column.

        Examples
        --------
        >>> Dataset.from_table({"length": [0.5, 1, 2, 3], "period": [1.42, 2.01, 2.84, 3.47]}, "period", units={"length": "m"})
        Dataset('table': period from length; 4 rows, leave_one_out)
        """
        from workbench.dataset.making import Choices, make_dataset
        from workbench.dataset.roles import resolve
        from workbench.dataset.split import SplitPlan

        table = table if isinstance(table, Table) else read_table(table)
        table = table.with_units(units or {})
        resolved = resolve(table, target, features, roles, {"weight": weight, "error": error, "group": group})
        plan = SplitPlan(split, test_fraction, validation_fraction, random_state)
        data = make_dataset(table, resolved, Choices(task, categories, missing, split_by), plan)
        return data.with_transforms(transforms) if transforms else data

    def __repr__(self) -> str:
        targets, inputs = (", ".join(column.name for column in columns) for columns in (self.targets, self.features))
        return f"Dataset({self.name!r}: {targets} from {inputs}; {self.n_rows} rows, {self.split.kind})"

    def __len__(self) -> int:
        return self.n_rows

    @property
    def n_rows(self) -> int:
        return len(self.X)

    @property
    def features(self) -> tuple[Column, ...]:
        """The columns of X, as the formula names them."""
        return tuple(made.column for made in self.inputs)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.features)

    @property
    def symbols(self) -> tuple[str, ...]:
        return tuple(column.symbol for column in self.features)

    @property
    def units(self) -> tuple[str, ...]:
        return tuple(column.unit for column in self.features)

    @property
    def X_train(self) -> np.ndarray:
        return self.X[self.split.train]

    @property
    def y_train(self) -> np.ndarray:
        return self.y[self.split.train]

    @property
    def X_validation(self) -> np.ndarray:
        return self.X[self.split.validation]

    @property
    def y_validation(self) -> np.ndarray:
        return self.y[self.split.validation]

    @property
    def X_test(self) -> np.ndarray:
        return self.X[self.split.test]

    @property
    def y_test(self) -> np.ndarray:
        return self.y[self.split.test]

    @property
    def folds(self) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
        return self.split.folds

    @cached_property
    def ranges(self) -> np.ndarray:
        """(n_inputs, 2): smallest and largest value of each input on the training rows; a prediction beyond is extrapolation."""
        X = self.X_train
        ranges = np.stack([X.min(axis=0), X.max(axis=0)], axis=1)
        ranges.setflags(write=False)
        return ranges

    # ---- what the network sees

    @property
    def target_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.targets)

    def seen(self, X: np.ndarray) -> np.ndarray:
        """Return inputs (n_rows, n_inputs) as the network sees them: the logarithm of transformed columns, all others as they are."""
        return seen(X, self.names, self.transforms)

    def seen_targets(self, y: np.ndarray) -> np.ndarray:
        """Return targets (n_rows, n_targets) on the scale that the network is fitted on."""
        return seen(y, self.target_names, self.transforms)

    def original_targets(self, outputs: np.ndarray) -> np.ndarray:
        """Return outputs of the network (n_rows, n_targets) in the scale of the table: the way back from `seen_targets`."""
        return original(outputs, self.target_names, self.transforms)

    @property
    def seen_weights(self) -> np.ndarray | None:
        """(n_rows,) weights on the scale that is fitted: where y has the error s, log(y) has the error s / y; or None."""
        if self.errors is None or self.weights is None or self.targets[0].name not in self.transforms:
            return self.weights
        weights = self.weights * self.y[:, 0] ** 2
        return weights / weights.mean()

    def seen_name(self, name: str) -> str:
        """Return how an input or target is called where the network is drawn: "log body" for a transformed column, else its name."""
        return f"{self.transforms[name]} {name}" if name in self.transforms else name

    def with_transforms(self, transforms: Mapping[str, Transform]) -> Dataset:
        """Return the same rows and split, seen by the network on other scales; {} sees every column as it is.

        Raises
        ------
        DatasetError
            A column has no logarithm on some row; UnknownColumnError names the closest column.

        Examples
        --------
        >>> from workbench.dataset import load_sample
        >>> load_sample("mammals").with_transforms({"brain": "log", "body": "log"}).seen_name("body")
        'log body'
        """
        wanted = checked(self, transforms)
        kept = tuple(note for note in self.notes if note.kind != NOTE)
        return replace(self, transforms=wanted, notes=(*kept, *notes_of(wanted, self.target_names)))

    def without(self, rows: Sequence[int] | np.ndarray, reason: str) -> Dataset:
        """Return the dataset without some of its rows, which are named in `left_out` with the reason; the other rows stay in their parts.

        Parameters
        ----------
        rows : their numbers in this dataset, from 0
        reason : why, in words that follow "because": "the sensor was off"

        Raises
        ------
        DatasetError
            There is no such row, a part would have no rows left, or a group or class.

        Examples
        --------
        >>> from workbench.dataset import load_sample
        >>> load_sample("planets").without([4], "it was an asteroid").left_out
        (LeftOut(rows=array([4]), reason='it was an asteroid'),)
        """
        rows = np.unique(np.asarray(rows, dtype=np.int64))
        if len(rows) and not (0 <= rows[0] and rows[-1] < self.n_rows):
            raise DatasetError(f"without(rows): there is no row {rows[-1] if rows[-1] >= self.n_rows else rows[0]}; rows are 0 to {self.n_rows - 1}.")
        gone = np.zeros(self.n_rows, dtype=bool)
        gone[rows] = True
        split, kept = self.split.without(gone), ~gone
        if any(len(before) and not len(after) for before, after in ((self.split.train, split.train), (self.split.validation, split.validation))):
            raise DatasetError("without(rows): no row would be left to fit, or to check by. Leave out fewer.")
        for codes, labels in ((self.groups, self.group_labels), (self.y[:, 0] if self.classes else None, self.classes)):
            if codes is not None and (lost := sorted(set(range(len(labels))) - set(codes[kept].astype(int)))):
                raise DatasetError(f"without(rows): {labels[lost[0]]!r} would have no row left.")
        numbers = self.rows[rows]
        note = Note("rows", (), f"Left out: {counted((numbers + 1).tolist())}, because {reason}.")
        weights, errors, groups = (None if values is None else values[kept] for values in (self.weights, self.errors, self.groups))
        return replace(self, X=self.X[kept], y=self.y[kept], rows=self.rows[kept], split=split,
                       weights=None if weights is None else weights / weights.mean(), errors=errors, groups=groups,
                       notes=(*self.notes, note), left_out=(*self.left_out, LeftOut(numbers, reason)))  # fmt: skip

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the names, roles, transforms and values that are fitted; it does not depend on units, notes or the split."""
        named = {"inputs": self.names, "targets": [column.name for column in self.targets], "task": self.task}
        named |= {"classes": self.classes, "groups": self.group_labels, "rows": self.n_rows}
        if self.transforms:  # named only where there are some: datasets stored before there were any keep their fingerprint
            named["transforms"] = dict(self.transforms)
        digest = hashlib.sha256(json.dumps(named, sort_keys=True).encode())
        for values in (self.X, self.y, self.weights, self.groups):
            digest.update(b"none" if values is None else np.ascontiguousarray(values, dtype="<f8").tobytes())
        return digest.hexdigest()

    def encode(self, table: Table | Source) -> Encoded:
        """Return the inputs of a new table, made as this dataset's were; the columns are found by name.

        Raises
        ------
        UnknownColumnError
            The table lacks a column that an input is made from.
        """
        table = table if isinstance(table, Table) else read_table(table)
        return encode(table, self.inputs, self.group_columns, self.group_labels)

    def with_split(self, split: Split) -> Dataset:
        """Return the same rows divided in another way."""
        return replace(self, split=split)

    def to_arrays(self) -> tuple[dict[str, object], dict[str, np.ndarray]]:
        """Return the dataset as a JSON object and plain arrays; `from_arrays` brings it back without loss."""
        from workbench.dataset.storage import arrays_of_dataset

        return arrays_of_dataset(self)

    @classmethod
    def from_arrays(cls, described: Mapping, arrays: Mapping[str, np.ndarray]) -> Dataset:
        """Return the dataset that `to_arrays` described."""
        from workbench.dataset.storage import dataset_of_arrays

        return dataset_of_arrays(described, arrays)
