"""Columns that come as values instead of text: from Excel, JSON, Parquet, NumPy and pandas.

Each becomes one of the five kinds of workbench.table.columns. Times of day and durations become seconds. A column of mixed values is written
out as text and read like the text of a file, so that "1,5" among the numbers of a sheet is understood.
"""

from __future__ import annotations

import json
import numbers
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import pandas as pd

from workbench.exceptions import TableError
from workbench.table.cells import Cells, read_cells
from workbench.table.columns import Note

_LARGEST_INTEGER = 2**63 - 1


def cells_of_series(name: str, series: pd.Series) -> Cells:
    """Return the cells of a pandas column of any type."""
    kind = series.dtype
    if isinstance(kind, pd.SparseDtype):
        return cells_of_series(name, series.sparse.to_dense())
    if pd.api.types.is_bool_dtype(kind) and not isinstance(kind, pd.CategoricalDtype):
        return Cells("boolean", series.to_numpy(dtype=np.float64, na_value=np.nan))
    if pd.api.types.is_complex_dtype(kind):
        raise TableError(f"Column {name!r} holds complex numbers. Give real and imaginary parts, or amplitude and phase, as two columns.")
    if pd.api.types.is_numeric_dtype(kind):
        return Cells("number", _numbers(series))
    if pd.api.types.is_datetime64_any_dtype(kind):
        return _dates(name, series)
    if pd.api.types.is_timedelta64_dtype(kind):
        return _seconds(name, series.dt.total_seconds().to_numpy(dtype=np.float64))
    if isinstance(kind, pd.PeriodDtype):
        return _dates(name, series.dt.to_timestamp())
    return cells_of_objects(name, series.astype(object).tolist())


def cells_of_objects(name: str, values: Sequence[object]) -> Cells:
    """Return the cells of a column of Python values: numbers, texts, dates, times, yes/no, None, or a mixture."""
    cleaned = [None if value is None or value is pd.NaT or value is pd.NA or value != value else value for value in values]  # NaN != NaN
    present = [value for value in cleaned if value is not None]
    if not present:
        return Cells("number", np.full(len(cleaned), np.nan))
    if all(isinstance(value, bool | np.bool_) for value in present):
        return Cells("boolean", np.array([np.nan if value is None else float(value) for value in cleaned]))
    if all(isinstance(value, numbers.Real) for value in present) and not any(isinstance(value, bool) for value in present):
        return Cells("number", _real(cleaned, present))
    if all(isinstance(value, date) for value in present):
        return _dates(name, pd.Series([_moment(value) for value in cleaned], dtype="datetime64[us]"))
    if all(isinstance(value, time | timedelta) for value in present):
        return _seconds(name, np.array([_elapsed(value) for value in cleaned]))
    return read_cells(name, np.array([_text(value) for value in cleaned], dtype=object))


def _numbers(series: pd.Series) -> np.ndarray:
    is_integer = pd.api.types.is_integer_dtype(series.dtype) and not series.hasnans and abs(series).max() <= _LARGEST_INTEGER
    return series.to_numpy(dtype=np.int64).copy() if is_integer else series.to_numpy(dtype=np.float64, na_value=np.nan).copy()


def _real(values: Sequence[object], present: Sequence[object]) -> np.ndarray:
    integers = len(present) == len(values) and all(isinstance(value, int | np.integer) and abs(value) <= _LARGEST_INTEGER for value in present)
    if integers:
        return np.array(values, dtype=np.int64)
    return np.array([np.nan if value is None else _float(value) for value in values])


def _float(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]  every numbers.Real has __float__
    except OverflowError:  # an integer of more than 308 digits
        return float("inf") if value > 0 else float("-inf")  # type: ignore[operator]


def _dates(name: str, series: pd.Series) -> Cells:
    notes: tuple[Note, ...] = ()
    if isinstance(series.dtype, pd.DatetimeTZDtype):
        notes = (Note("date", (name,), f"Column {name!r}: the times were turned from {series.dtype.tz} into UTC."),)
        series = series.dt.tz_convert("UTC").dt.tz_localize(None)
    return Cells("date", series.to_numpy(dtype="datetime64[us]").copy(), notes=notes)


def _seconds(name: str, seconds: np.ndarray) -> Cells:
    note = Note("date", (name,), f"Column {name!r} holds times of day or durations: they were turned into seconds.")
    return Cells("number", seconds, "s", (note,))


def _moment(value: object) -> datetime | None:
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    return datetime.combine(value, time()) if isinstance(value, date) else None


def _elapsed(value: object) -> float:
    if isinstance(value, time):
        return value.hour * 3600 + value.minute * 60 + value.second + value.microsecond / 1e6
    return value.total_seconds() if isinstance(value, timedelta) else np.nan


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    return str(value)
