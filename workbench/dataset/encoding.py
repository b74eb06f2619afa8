"""From the columns of a table to the inputs of a network, and the same way again for a new table.

    number, yes/no   the value itself, never shifted or scaled
    date             days (or seconds, when the column spans less than two days) since its first date
    category         one indicator column for each value but the first: 1 where the row has that value, else 0

An input remembers how it was made. So a saved discovery can predict on a new table: the same first date, the same categories, the same
median for a missing value.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from workbench.exceptions import DatasetError
from workbench.table import Column, Note, Table, counted, described, safe_symbols

How = Literal["number", "date", "indicator"]
SECONDS_A_DAY = 86400.0
_SHORT_SPAN = 2 * SECONDS_A_DAY


@dataclass(frozen=True)
class Input:
    """One input of a network, and how it is made from a table.

    column : name, symbol and unit under which the network and its formula know it
    source : the column of the table
    how : what is done with its values
    origin : "date": the date that is zero, ISO 8601
    level, levels : "indicator": the value that is 1, and all values the column had
    fill : what stands for a missing value; None leaves the row out
    """

    column: Column
    source: str
    how: How = "number"
    origin: str = ""
    level: str = ""
    levels: tuple[str, ...] = ()
    fill: float | None = None

    def values(self, table: Table) -> np.ndarray:
        """Return the input for every row of a table, float64 (n_rows,); NaN where it is missing, infinite or an unknown category."""
        column = table.column(self.source)
        allowed = {"number": ("number", "boolean"), "date": ("date",), "indicator": ("category", "text")}[self.how]
        if column.kind not in allowed:
            raise DatasetError(
                f"Column {self.source!r} holds {described(column.kind)}; allowed are {' or '.join(map(described, allowed))}, "
                "as in the data that were fitted."
            )
        raw = table.values[self.source]
        if self.how == "indicator":
            return np.where(np.isin(raw, self.levels), (raw == self.level).astype(np.float64), np.nan)
        if self.how == "date":
            values = (raw - np.datetime64(self.origin, "us")) / np.timedelta64(1, "us") / (1e6 * (SECONDS_A_DAY if self.column.unit == "d" else 1))
        else:
            values = raw.astype(np.float64)
            values[~np.isfinite(values)] = np.nan
        return values if self.fill is None else np.where(np.isnan(values), self.fill, values)


@dataclass(frozen=True, eq=False)
class Encoded:
    """A new table as a network takes it.

    X : (n_rows, n_inputs), NaN where a value is missing
    groups : (n_rows,) codes of the groups, -1 where the group is unknown; None when there are no groups
    complete : (n_rows,) where a prediction can be made
    notes : what was noticed
    """

    X: np.ndarray
    groups: np.ndarray | None
    complete: np.ndarray
    notes: tuple[Note, ...]


def inputs_of(table: Table, name: str) -> tuple[Input, ...]:
    """Return the inputs that a column gives; text gives none."""
    column = table.column(name)
    if column.kind in ("number", "boolean"):
        return (Input(column, name),)
    if column.kind == "date":
        return (_date_input(table, column),)
    if column.kind == "category":
        return _indicators(table, column)
    return ()


def matrix(table: Table, inputs: tuple[Input, ...]) -> np.ndarray:
    """Return the inputs for every row of a table, (n_rows, n_inputs)."""
    X = np.empty((table.n_rows, len(inputs)))
    for k, made in enumerate(inputs):
        X[:, k] = made.values(table)
    return X


def encode(table: Table, inputs: tuple[Input, ...], group_columns: tuple[str, ...] = (), group_labels: tuple[str, ...] = ()) -> Encoded:
    """Turn a new table into inputs as the dataset's own table was."""
    X = matrix(table, inputs)
    groups = None
    complete = np.isfinite(X).all(axis=1)
    if group_columns:
        groups = codes_of(labels_of(table, group_columns), group_labels)
        complete &= groups >= 0
    notes = []
    if not complete.all():
        rows = (np.flatnonzero(~complete) + 1).tolist()
        notes.append(Note("missing", (), f"No prediction where an input is missing or unknown: {counted(rows)}."))
    return Encoded(X, groups, complete, tuple(notes))


def labels_of(table: Table, columns: tuple[str, ...]) -> np.ndarray:
    """Return what each row belongs to as text, None where it is not known; several columns are joined by " · "."""
    parts = [_as_text(table, name) for name in columns]
    return np.array([None if None in row else " · ".join(row) for row in zip(*parts)], dtype=object)


def codes_of(labels: np.ndarray, known: tuple[str, ...]) -> np.ndarray:
    """Return the place of each label in the known ones, int64, -1 for any other.

    >>> codes_of(np.array(["b", None, "a"], dtype=object), ("a", "b")).tolist()
    [1, -1, 0]
    """
    place = {label: code for code, label in enumerate(known)}
    return np.array([place.get(label, -1) for label in labels], dtype=np.int64)


def _date_input(table: Table, column: Column) -> Input:
    dates = table.values[column.name]
    dates = dates[~np.isnat(dates)]
    if not len(dates):
        return Input(replace(column, unit="d"), column.name, "date", "1970-01-01")
    span = (dates.max() - dates.min()) / np.timedelta64(1, "s")
    return Input(replace(column, unit="s" if span < _SHORT_SPAN else "d"), column.name, "date", str(dates.min()))


def _indicators(table: Table, column: Column) -> tuple[Input, ...]:
    levels = tuple(sorted({value for value in table.values[column.name] if value is not None}))
    names = [f"{column.name} = {level}" for level in levels[1:]]
    symbols = safe_symbols([*table.names, *names])[len(table.names) :]
    return tuple(
        Input(Column(name, symbol, "", "boolean"), column.name, "indicator", level=level, levels=levels)
        for name, symbol, level in zip(names, symbols, levels[1:])
    )


def _as_text(table: Table, name: str) -> list[str | None]:
    column, values = table.column(name), table.values[name]
    if column.kind == "date":
        raise DatasetError(f"Column {name!r} holds dates, which are no groups. Allowed are categories, text, yes/no values and numbers.")
    if column.kind in ("category", "text"):
        return values.tolist()
    return [None if not np.isfinite(value) else str(int(value)) if float(value).is_integer() else repr(float(value)) for value in values.tolist()]
