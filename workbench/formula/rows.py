"""Rows in whatever form a person has them: an array, a frame, a table, a mapping of columns, a dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from workbench.exceptions import DatasetError, UnknownColumnError, did_you_mean

if TYPE_CHECKING:
    from workbench.formula.formula import Input, Output


class Columns(Protocol):
    """Anything that gives a column by its name: a mapping, a pandas frame, a Table."""

    def __getitem__(self, name: str, /) -> Sequence[float] | np.ndarray: ...


Rows = np.ndarray | Sequence[Sequence[float]] | Columns


def input_rows(X: Rows, inputs: Sequence[Input]) -> np.ndarray:
    """Return (n_rows, n_inputs) in float64.

    Columns are found by their own name, or else by their symbol. An array must have its columns in the order of the inputs.
    """
    names = [column.name for column in inputs]
    if [getattr(column, "name", None) for column in getattr(X, "features", ())] == names:
        return np.asarray(X.X, dtype=float)  # type: ignore[union-attr]  # a Dataset of the same inputs
    if isinstance(X, Mapping) or hasattr(X, "columns"):
        return _from_columns(X, inputs)
    rows = _numbers(X, "X")
    if rows.ndim == 1 and len(inputs) == 1:
        rows = rows[:, None]
    if rows.ndim != 2 or rows.shape[1] != len(inputs):
        raise DatasetError(f"X: the formula takes rows of {len(inputs)} inputs ({', '.join(names)}); got an array of shape {rows.shape}.")
    return rows


def target_rows(y: object, n_rows: int, n_outputs: int) -> np.ndarray:
    """Return (n_rows, n_outputs) in float64."""
    values = _numbers(y, "y")
    if values.ndim == 1:
        values = values[:, None]
    if values.shape != (n_rows, n_outputs):
        raise DatasetError(f"y: needed are {n_rows} rows of {n_outputs} outputs, as X has and the formula gives; got shape {values.shape}.")
    return values


def seen(values: np.ndarray, columns: Sequence[Input] | Sequence[Output]) -> np.ndarray:
    """Return values (n_rows, n_columns) as the network sees them: logarithms where a column's transform says so."""
    return _where(values, columns, np.log)


def original(values: np.ndarray, columns: Sequence[Input] | Sequence[Output]) -> np.ndarray:
    """Return values (n_rows, n_columns) in the columns' own units: the way back from `seen`."""
    return _where(values, columns, np.exp)


def _where(values: np.ndarray, columns: Sequence[Input] | Sequence[Output], function: np.ufunc) -> np.ndarray:
    places = [k for k, column in enumerate(columns) if column.transform == "log"]
    if not places:
        return values
    result = np.array(values, dtype=float)
    with np.errstate(all="ignore"):
        result[:, places] = function(result[:, places])
    return result


def group_labels(groups: Sequence[object], n_rows: int) -> np.ndarray:
    """Return (n_rows,) labels as text."""
    labels = np.array([str(label) for label in groups], dtype=object)
    if len(labels) != n_rows:
        raise DatasetError(f"groups: one label per row is needed, {n_rows}; got {len(labels)}.")
    return labels


def _from_columns(X: object, inputs: Sequence[Input]) -> np.ndarray:
    known = list(_column_names(X))
    columns = []
    for column in inputs:
        name = column.name if column.name in known else column.symbol
        if name not in known:
            hint = did_you_mean(column.name, known)
            raise UnknownColumnError(f"The formula needs the column {column.name!r}.{hint} There are: {', '.join(known[:30])}.")
        columns.append(X.numbers(name) if hasattr(X, "numbers") else _numbers(X[name], name))  # type: ignore[index]  # a Table, else a frame
    return np.column_stack(columns)


def _column_names(X: object) -> Sequence[str]:
    if isinstance(X, Mapping):
        return [str(name) for name in X]
    return [str(getattr(column, "name", column)) for column in X.columns]  # type: ignore[attr-defined]


def _numbers(values: object, name: str) -> np.ndarray:
    """Return float64 values of an array, a pandas column, or a column object with `values`."""
    if not isinstance(values, (np.ndarray, Sequence)) and hasattr(values, "values"):
        values = values.values
    try:
        return np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise DatasetError(f"{name}: numbers are needed; got {str(values)[:60]!r}.") from None
