"""Read a table from a file, from bytes or from arrays, and say what was done.

The first bytes decide what a file is, not its name. Every reader hands over columns; here they get different names, units and symbols, rows
without any value are dropped, and the table is looked through.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from workbench.exceptions import TableError
from workbench.table.cells import Cells, Decimal
from workbench.table.columns import Column, Note, Table, counted
from workbench.table.containers import columns_of_arrays, read_json, read_numpy, read_parquet, series_of_frame
from workbench.table.delimited import TextOptions, read_delimited
from workbench.table.headers import different_names, unit_in
from workbench.table.inspection import inspect
from workbench.table.limits import Limits, check_file_size, check_shape, format_of
from workbench.table.spreadsheet import Sheets, read_sheet, sheets_of
from workbench.table.symbols import safe_symbols
from workbench.table.values import cells_of_objects, cells_of_series

Source = str | Path | bytes | pd.DataFrame | Mapping[str, Sequence | np.ndarray] | np.ndarray
Columns = list[tuple[str, Cells]]


@dataclass(frozen=True)
class _Options:
    sheet: str | int | None
    header: int | None
    cells: str | None
    text: TextOptions
    limits: Limits


def read_table(  # noqa: PLR0913  each keyword is one thing that a person can overrule
    source: Source,
    *,
    name: str | None = None,
    sheet: str | int | None = None,
    header: int | None = None,
    cells: str | None = None,
    delimiter: str | None = None,
    decimal: Decimal | None = None,
    encoding: str | None = None,
    limits: Limits | None = None,
) -> Table:
    """Read a table from a file, its bytes, a pandas frame or arrays.

    Readable are CSV and its relatives (any delimiter, decimal sign and encoding), Excel (.xlsx), Parquet, JSON, .npy and .npz. Delimiter,
    decimal sign, encoding, row of names, missing values, dates and units are found; what was found is said in `table.notes`.

    Parameters
    ----------
    source : a path, the bytes of a file, a DataFrame, {name: values}, or an array (n_rows, n_columns)
    name : what to call it; for bytes, the name of the file
    sheet : Excel: name of the sheet, or its number from 0; None takes the first with a table of numbers
    header : the row of the names, counted from 1 as in an editor or in Excel; 0: there is none
    cells : Excel: the range to read, such as "B2:F40"
    delimiter : CSV: one character; " " is any run of blanks
    decimal : CSV: "." or ","
    encoding : CSV: such as "utf-8", "utf-16" or "latin-1"
    limits : how large a table may be

    Raises
    ------
    TableError
        It is no table that can be read; the sentence says why and what to do.

    Examples
    --------
    >>> read_table(b"length (m);period (s)\\n0,5;1,42\\n1,0;2,01\\n", name="pendulum.csv")
    Table('pendulum', 2 rows: length (m) [m], period (s) [s])
    """
    options = _Options(sheet, header, cells, TextOptions(delimiter, decimal, encoding, header), limits or Limits())
    _check_options(options)
    if isinstance(source, str | Path | bytes | bytearray | memoryview):
        data, label = _content(source, name, options.limits)
        columns, notes = _read_file(data, label, options)
    else:
        label = name or "table"
        columns, notes = _read_values(source, label), []
    return _assemble(Path(label).stem or label, columns, notes, options.limits)


def sheets(source: str | Path | bytes, *, name: str | None = None, limits: Limits | None = None) -> Sheets:
    """Return the names of the sheets of an Excel workbook, and which of them `read_table` takes when none is chosen; another file has none."""
    data, label = _content(source, name, limits or Limits())
    return sheets_of(data, label, limits or Limits()) if format_of(data, label) == "xlsx" else Sheets()


def _check_options(options: _Options) -> None:
    if options.text.decimal not in (None, ".", ","):
        raise TableError(f"read_table(decimal={options.text.decimal!r}): the decimal sign is '.' or ','.")
    delimiter = options.text.delimiter
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n\0'):
        raise TableError(f"read_table(delimiter={delimiter!r}): a delimiter is one character, such as ',' ';' '\\t' '|'; ' ' is any run of blanks.")
    if options.header is not None and (not isinstance(options.header, int) or options.header < 0):
        raise TableError(f"read_table(header={options.header!r}): give the number of the row of names, from 1, or 0 when there is none.")


def _content(source: str | Path | bytes, name: str | None, limits: Limits) -> tuple[bytes, str]:
    """Return the bytes of a file and what it is called."""
    if not isinstance(source, str | Path):
        check_file_size(len(source), name or "data", limits)
        return bytes(source), name or "data"
    path = Path(source).expanduser()
    label = name or path.name
    try:
        check_file_size(path.stat().st_size, label, limits)
        return path.read_bytes(), label
    except IsADirectoryError:
        raise TableError(f"{str(source)!r} is a folder. Give one of the files in it.") from None
    except FileNotFoundError:
        raise TableError(f"There is no file {str(source)!r}. Check the spelling, or give the whole path.") from None
    except (OSError, ValueError) as error:
        raise TableError(f"{str(source)!r} cannot be read ({error}).") from None


def _read_file(data: bytes, label: str, options: _Options) -> tuple[Columns, list[Note]]:
    kind = format_of(data, label)
    if kind == "delimited":
        found, notes = read_delimited(data, label, options.text)
        return list(found.items()), notes
    if kind == "xlsx":
        values, notes = read_sheet(data, label, options.limits, options.sheet, options.header, options.cells)
        return [(key, cells_of_objects(key, column)) for key, column in values], notes
    if kind == "parquet":
        return [(key, cells_of_series(key, column)) for key, column in read_parquet(data, label, options.limits)], []
    if kind == "json":
        return [(key, cells_of_objects(key, column)) for key, column in read_json(data, label)], []
    return [(key, cells_of_series(key, pd.Series(column))) for key, column in read_numpy(data, label, options.limits)], []


def _read_values(source: object, label: str) -> Columns:
    if isinstance(source, pd.DataFrame):
        return [(key, cells_of_series(key, column)) for key, column in series_of_frame(source)]
    if isinstance(source, Mapping):
        arrays = {str(key): np.asarray(values) for key, values in source.items()}
        return [(key, cells_of_series(key, pd.Series(column))) for key, column in columns_of_arrays(arrays, label)]
    if isinstance(source, np.ndarray):
        return [(key, cells_of_series(key, pd.Series(column))) for key, column in columns_of_arrays({"x": source}, label)]
    raise TableError(f"read_table({type(source).__name__}): give a path, the bytes of a file, a DataFrame, a dict of columns or a NumPy array.")


def _assemble(name: str, columns: Columns, notes: list[Note], limits: Limits) -> Table:
    """Give columns names, units and symbols, drop what is empty, and look the table through."""
    if not columns:
        raise TableError(f"{name!r} has no columns. Give a row of names and rows of values.")
    names, renamed = different_names([key for key, _ in columns])
    cells = [replace(found, notes=()) for _, found in columns]
    notes = [*notes, *renamed, *(note for _, found in columns for note in found.notes if note not in notes)]
    check_shape(len(cells[0].values), len(cells), name, limits)
    kept = [k for k, key in enumerate(names) if key != f"column {k + 1}" or not _all_missing(cells[k])] or list(range(len(names)))
    notes = [note for note in notes if all(column in {names[k] for k in kept} or column not in names for column in note.columns)]
    table = Table(name, *_columns([(names[k], cells[k]) for k in kept], notes))
    table = _without_empty_rows(table, notes)
    if not table.n_rows:
        names = "1 column name" if len(kept) == 1 else f"{len(kept)} column names"
        raise TableError(f"{name!r} has {names} and no rows of values. Give at least a few rows of measurements.")
    return replace(table, notes=(*notes, *inspect(table)))


def _columns(columns: Columns, notes: list[Note]) -> tuple[tuple[Column, ...], dict[str, np.ndarray]]:
    symbols = safe_symbols([key for key, _ in columns])
    made = []
    for (key, found), symbol in zip(columns, symbols):
        unit = found.unit or unit_in(key)
        if unit:
            notes.append(Note("unit", (key,), f"Column {key!r}: the unit {unit!r} was taken from its {'values' if found.unit else 'name'}."))
        made.append(Column(key, symbol, unit, found.kind))
    return tuple(made), {key: found.values for key, found in columns}


def _without_empty_rows(table: Table, notes: list[Note]) -> Table:
    empty = np.ones(table.n_rows, dtype=bool)
    for key in table.names:
        if empty.any():
            empty &= table.missing(key)
    if not empty.any():
        return table
    if not empty.all():
        notes.append(Note("rows", (), f"Rows without any value were dropped: {counted((np.flatnonzero(empty) + 1).tolist())}."))
    return table.rows(~empty)


def _all_missing(found: Cells) -> bool:
    return bool(pd.isna(found.values).all())
