"""Columns, notes and the table they make: what was measured, in which unit, and what was noticed about it.

Five kinds of column, and how their values are kept:

    number     int64, or float64 with NaN for a missing value
    boolean    0.0, 1.0 or NaN
    date       datetime64[us], NaT for a missing value, without a time zone (UTC where the source had one)
    category   text with few different values, None for a missing value
    text       any other text, None for a missing value

A table never changes. Whatever reading it did or noticed is said in its notes, each one plain sentence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

import numpy as np
import pandas as pd

from workbench.exceptions import UnknownColumnError, did_you_mean

Kind = Literal["number", "category", "text", "date", "boolean"]
KINDS: tuple[Kind, ...] = ("number", "category", "text", "date", "boolean")


@dataclass(frozen=True)
class Column:
    """One column: its own name, the symbol that stands for it in formulas, its unit ("" when none is known) and its kind."""

    name: str
    symbol: str
    unit: str = ""
    kind: Kind = "number"


@dataclass(frozen=True)
class Note:
    """Something that was done or noticed, in one plain sentence.

    kind : what it is about, for icons and filters: "missing", "constant", "duplicate", "correlated", "renamed", "unit", "split" ...
    columns : the names of the columns concerned; empty when it is about the whole table
    text : the sentence
    """

    kind: str
    columns: tuple[str, ...]
    text: str


@dataclass(frozen=True, eq=False)
class Table:
    """A table of measurements with named columns; `read_table` makes one from a file or from arrays.

    name : what to call it, such as the file's name without its ending
    columns : one Column for each column, in order; names and symbols are all different
    values : {column name: its values, one for each row}, kept as this module's docstring says
    notes : what was done or noticed while reading
    """

    name: str
    columns: tuple[Column, ...]
    values: Mapping[str, np.ndarray]
    notes: tuple[Note, ...] = ()

    def __post_init__(self) -> None:
        for values in self.values.values():
            values.setflags(write=False)
        object.__setattr__(self, "values", MappingProxyType(dict(self.values)))

    def __repr__(self) -> str:
        return f"Table({self.name!r}, {self.n_rows} rows: {', '.join(_labelled(column) for column in self.columns)})"

    def __len__(self) -> int:
        return self.n_rows

    def __contains__(self, name: object) -> bool:
        return name in self.values

    @property
    def n_rows(self) -> int:
        return len(self.values[self.columns[0].name]) if self.columns else 0

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def symbols(self) -> tuple[str, ...]:
        return tuple(column.symbol for column in self.columns)

    @property
    def units(self) -> dict[str, str]:
        """{column name: unit} of the columns whose unit is known."""
        return {column.name: column.unit for column in self.columns if column.unit}

    @property
    def frame(self) -> pd.DataFrame:
        """The values as a pandas frame of its own, for display; changing it does not change the table."""
        return pd.DataFrame({name: values.copy() for name, values in self.values.items()})

    def column(self, name: str) -> Column:
        """Return the column of that name, or raise UnknownColumnError with the closest name."""
        for column in self.columns:
            if column.name == name:
                return column
        raise UnknownColumnError(f"There is no column {name!r}.{did_you_mean(name, self.names)} Columns: {listed(self.names)}.")

    def numbers(self, name: str) -> np.ndarray:
        """Return a number or boolean column as float64 (n_rows,), NaN where a value is missing."""
        column = self.column(name)
        if column.kind not in ("number", "boolean"):
            raise UnknownColumnError(f"Column {name!r} holds {described(column.kind)}, not numbers.")
        return self.values[name].astype(np.float64)

    def missing(self, name: str) -> np.ndarray:
        """Return where values are missing: True for NaN, NaT and None, (n_rows,). Infinities are not missing here."""
        self.column(name)
        return np.asarray(pd.isna(self.values[name]))

    def with_units(self, units: Mapping[str, str]) -> Table:
        """Return the same table with other units; a column that is not named keeps its unit."""
        for name in units:
            self.column(name)
        columns = tuple(replace(column, unit=units.get(column.name, column.unit)) for column in self.columns)
        return replace(self, columns=columns)

    def rows(self, index: np.ndarray) -> Table:
        """Return a table of some rows, in the order of `index` (row numbers from 0, or a mask)."""
        return replace(self, values={name: values[index] for name, values in self.values.items()})


def described(kind: Kind) -> str:
    """Say in plain words what a column of that kind holds."""
    return {"number": "numbers", "category": "categories", "text": "text", "date": "dates", "boolean": "yes/no values"}[kind]


def listed(names: Iterable[object], most: int = 12) -> str:
    """Join names for a sentence, and say how many more there are.

    >>> listed(["a", "b", "c"], most=2)
    "'a', 'b' and 1 more"
    """
    given = [repr(str(name)) for name in names]
    hidden = len(given) - most
    return f"{', '.join(given[:most])} and {hidden} more" if hidden > 0 else ", ".join(given)


def counted(rows: Sequence[int], most: int = 5) -> str:
    """Say how many rows there are, and the first of their numbers.

    >>> counted([2, 3, 5, 7], most=3)
    '4 rows (2, 3, 5 ...)'
    """
    shown = ", ".join(str(row) for row in rows[:most])
    return f"{len(rows)} {'row' if len(rows) == 1 else 'rows'} ({shown}{' ...' if len(rows) > most else ''})"


def _labelled(column: Column) -> str:
    return f"{column.name} [{column.unit}]" if column.unit else column.name
