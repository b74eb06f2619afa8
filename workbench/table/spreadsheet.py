"""Excel workbooks (.xlsx): a sheet, a row of names, a range of cells; values, not formulas.

A workbook is a zip archive of XML. A small file can unpack to gigabytes, so what the archive announces is checked before it is opened.
"""

from __future__ import annotations

import io
import itertools
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from workbench.exceptions import TableError, did_you_mean
from workbench.table.columns import Note, listed
from workbench.table.headers import Cell, find_header
from workbench.table.limits import Limits, check_archive, check_shape

if TYPE_CHECKING:
    from openpyxl import Workbook

_SAMPLE_ROWS = 1000
Bounds = tuple[int, int, int | None, int | None]  # left, top, right, bottom, counted from 1; None: as far as there is anything
_ERRORS = frozenset({"#DIV/0!", "#VALUE!", "#REF!", "#NUM!", "#NAME?", "#N/A", "#NULL!"})


class Sheets(NamedTuple):
    """The sheets of a workbook in order, and the one that is read when none is chosen; None when all are empty."""

    names: tuple[str, ...] = ()
    first: str | None = None


def sheets_of(data: bytes, name: str, limits: Limits) -> Sheets:
    """Return what sheets a workbook has."""
    workbook = _open(data, name, limits)
    try:
        titles = tuple(sheet.title for sheet in workbook.worksheets)
        return Sheets(titles, _first_table(workbook, titles, _bounds(None), name, limits))
    finally:
        workbook.close()


def read_sheet(
    data: bytes, name: str, limits: Limits, sheet: str | int | None = None, header: int | None = None, cells: str | None = None
) -> tuple[list[tuple[str, Sequence[Cell]]], list[Note]]:
    """Return the (name, values) of each column of a sheet, and notes.

    Parameters
    ----------
    sheet : its name, or its number from 0; None takes the first that holds a table of numbers, or else the first that is not empty
    header : the row of the names as Excel counts, from 1; 0 says that there is none; None finds out
    cells : the range to read, such as "B2:F40"; None reads all
    """
    bounds = _bounds(cells)
    top = bounds[1]
    if header and header < top:
        raise TableError(f"Row {header}, asked for as the row of names, lies above the range {cells!r}. Let the range begin with the names.")
    workbook = _open(data, name, limits)
    try:
        titles = [worksheet.title for worksheet in workbook.worksheets]
        title = _chosen(sheet, titles, name) if sheet is not None else _first_table(workbook, titles, bounds, name, limits)
        rows = [] if title is None else _rows(workbook, title, bounds, name, limits)
        if title is None or not _is_filled(rows):
            wanted = titles if title is None else [title]
            raise TableError(f"{name!r}: there is nothing in {listed(wanted)}{f' at {cells}' if cells else ''}. Sheets: {listed(titles)}.")
    finally:
        workbook.close()
    columns, notes = _columns(rows, header - top + 1 if header else header, name)
    if sheet is None and len(titles) > 1:
        notes.insert(0, Note("sheet", (), f"The workbook has {len(titles)} sheets ({listed(titles)}): {title!r} was read."))
    return columns, notes


def _open(data: bytes, name: str, limits: Limits) -> Workbook:
    import openpyxl

    check_archive(data, name, limits).close()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl tells of styles and extensions it does not keep; we need values only
            return openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
    except Exception as error:  # noqa: BLE001  openpyxl raises whatever its XML parser and its models raise
        raise TableError(f"{name!r} is no Excel workbook that can be read ({type(error).__name__}). Save it again as .xlsx.") from None


def _chosen(sheet: str | int, titles: Sequence[str], name: str) -> str:
    if isinstance(sheet, int) and 0 <= sheet < len(titles):
        return titles[sheet]
    if sheet in titles:
        return str(sheet)
    raise TableError(f"{name!r} has no such sheet as {sheet!r}.{did_you_mean(sheet, titles)} Sheets: {listed(titles)}.")


def _first_table(workbook: Workbook, titles: Sequence[str], bounds: Bounds, name: str, limits: Limits) -> str | None:
    """Return the title of the first sheet whose first rows hold numbers in two columns, for a cover is no table; else of the first not empty."""
    left, top, right, bottom = bounds
    last = top + _SAMPLE_ROWS - 1
    head = (left, top, right, last if bottom is None else min(bottom, last))
    for title in titles:
        if _n_columns_of_numbers(_rows(workbook, title, head, name, limits)) >= 2:
            return title
    return next((title for title in titles if _is_filled(_rows(workbook, title, bounds, name, limits))), None)


def _is_filled(rows: Sequence[Sequence[Cell]]) -> bool:
    return any(cell is not None for row in rows for cell in row)


def _n_columns_of_numbers(rows: Sequence[Sequence[Cell]]) -> int:
    """Count the columns in which at least two cells are numbers."""
    counts = Counter(k for row in rows for k, cell in enumerate(row) if isinstance(cell, int | float) and not isinstance(cell, bool))
    return sum(count >= 2 for count in counts.values())


def _bounds(cells: str | None) -> Bounds:
    """Return the bounds of a range."""
    from openpyxl.utils import range_boundaries

    if cells is None:
        return 1, 1, None, None
    try:
        left, top, right, bottom = range_boundaries(cells.replace(" ", "").upper())
    except (ValueError, TypeError):
        raise TableError(f'{cells!r} is not a range of cells. Write the two corners, such as "B2:F40".') from None
    return left or 1, top or 1, right, bottom


def _rows(workbook: Workbook, title: str, bounds: Bounds, name: str, limits: Limits) -> list[tuple[Cell, ...]]:
    left, top, right, bottom = bounds
    worksheet = workbook[title]
    worksheet.reset_dimensions()  # what the file says of its own size may be wrong
    rows: list[tuple[Cell, ...]] = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for row in worksheet.iter_rows(min_row=top, max_row=bottom, min_col=left, max_col=right, values_only=True):
                rows.append(_trimmed(row))
                check_shape(len(rows), len(rows[-1]), name, limits)
    except TableError:
        raise
    except Exception as error:  # noqa: BLE001  as in _open
        raise TableError(f"{name!r}: sheet {title!r} is damaged ({type(error).__name__}). Save the workbook again.") from None
    while rows and not rows[-1]:
        rows.pop()
    return rows


def _trimmed(row: Sequence[Cell]) -> tuple[Cell, ...]:
    """Return a row without the empty cells at its end; the errors of a sheet are empty cells."""
    cells = [None if isinstance(cell, str) and (cell in _ERRORS or not cell.strip()) else cell for cell in row]
    while cells and cells[-1] is None:
        cells.pop()
    return tuple(cells)


def _columns(rows: list[tuple[Cell, ...]], header: int | None, name: str) -> tuple[list[tuple[str, Sequence[Cell]]], list[Note]]:
    """Return the columns below the row of names; columns that are empty left of the table are dropped."""
    if header is not None and not 0 <= header <= min(len(rows), _SAMPLE_ROWS):
        raise TableError(f"The row asked for as the row of names is not there: {name!r} has {len(rows)} rows that are read. Count rows as Excel does, from 1.")
    margin = min((_first_filled(row) for row in rows if row), default=0)
    rows = [row[margin:] for row in rows]
    found = find_header(rows[:_SAMPLE_ROWS], header=header)
    width = max(len(found.names), max(map(len, rows[found.first :]), default=0))
    names = [*found.names, *(f"column {number}" for number in range(len(found.names) + 1, width + 1))]
    body = rows[found.first :]
    columns = itertools.zip_longest(*body) if body else iter(())
    padded = [*_padded(columns, width, len(body))]
    return list(zip(names, padded)), list(found.notes)


def _padded(columns: Iterator[Sequence[Cell]], width: int, n_rows: int) -> Iterator[Sequence[Cell]]:
    empty: Sequence[Cell] = (None,) * n_rows
    for _ in range(width):
        yield next(columns, empty)


def _first_filled(row: Sequence[Cell]) -> int:
    return next((k for k, cell in enumerate(row) if cell is not None), len(row))
