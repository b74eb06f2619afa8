"""What a person should know about a table before anything is fitted: gaps, infinities, constants, copies, columns that move together.

Nothing is changed here. Each finding is one plain sentence; what is done about it is decided, and said, when a dataset is made.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workbench.table.columns import Note, described

if TYPE_CHECKING:
    from workbench.table.columns import Column, Table

HIGH_CORRELATION = 0.95
_CORRELATED_COLUMNS = 60  # at most so many columns are compared in pairs,
_CORRELATED_ROWS = 20_000  # on at most so many rows, evenly spread
_ROUGH = 0.1  # how far the quick correlation of columns with gaps may be off
_MOST_PAIRS = 10
_BINS = 16


@dataclass(frozen=True)
class Summary:
    """One line about a column, for a person who chooses roles.

    missing, different : how many values are missing, and how many different ones there are
    minimum, maximum : of the finite values; None for text
    histogram : how many finite values lie in each of 16 equal parts of the range (numbers), or the counts of the most frequent texts
    """

    column: Column
    missing: int
    different: int
    minimum: float | str | None
    maximum: float | str | None
    histogram: tuple[int, ...]


def inspect(table: Table) -> tuple[Note, ...]:
    """Return a note for everything in a table that a person should know before fitting."""
    notes: list[Note] = []
    for column in table.columns:
        notes.extend(_about(column, table.values[column.name]))
    return (*notes, *_copies(table), *correlated(table))


def summarise(table: Table) -> tuple[Summary, ...]:
    """Return one line for each column of a table."""
    return tuple(_summary(table, column) for column in table.columns)


def is_constant(values: np.ndarray) -> bool:
    """Say whether all values that are there are the same; true of a column without values.

    >>> is_constant(np.array([2.0, np.nan, 2.0])), is_constant(np.array([2.0, 3.0]))
    (True, False)
    """
    there = values[~_is_missing(values)]
    return len(there) == 0 or bool(np.all(there == there[0]))


def content_key(values: np.ndarray) -> bytes:
    """Return a digest that is the same for columns with the same values, whatever their number type."""
    if values.dtype.kind in "fiu":
        return hashlib.sha256((values.astype(np.float64) + 0.0).tobytes()).digest()  # -0.0 + 0.0 is 0.0
    if values.dtype.kind == "M":
        return hashlib.sha256(b"date" + values.astype("datetime64[us]").tobytes()).digest()
    return hashlib.sha256("\x1f".join("\x00" if value is None else value for value in values).encode("utf-8", "surrogatepass")).digest()


def correlated(table: Table, names: tuple[str, ...] | None = None) -> tuple[Note, ...]:
    """Return a note for each pair of number columns whose correlation is above 0.95 in size.

    Compared are the first 60 columns on at most 20,000 rows; copies are left to their own note.
    """
    numeric = [column.name for column in table.columns if column.kind == "number" and (names is None or column.name in names)]
    rows = np.linspace(0, table.n_rows - 1, min(table.n_rows, _CORRELATED_ROWS)).astype(np.int64) if table.n_rows else np.empty(0, np.int64)
    seen = {name: table.values[name][rows].astype(np.float64) for name in numeric[:_CORRELATED_COLUMNS]}
    chosen = [name for name, values in seen.items() if not is_constant(values[np.isfinite(values)])]
    near = np.argwhere(np.triu(np.abs(_rough_correlations([seen[name] for name in chosen])) > HIGH_CORRELATION - _ROUGH, 1))
    pairs = [
        (chosen[k], chosen[m], r)
        for k, m in near
        if abs(r := correlation(seen[chosen[k]], seen[chosen[m]])) > HIGH_CORRELATION
        and not np.array_equal(seen[chosen[k]], seen[chosen[m]], equal_nan=True)
    ]
    notes = [
        Note("correlated", (a, b), f"{a!r} and {b!r} {'rise and fall together' if r > 0 else 'move against each other'} (correlation {r:.3f}).")
        for a, b, r in pairs[:_MOST_PAIRS]
    ]
    if len(pairs) > _MOST_PAIRS:
        notes.append(Note("correlated", (), f"{len(pairs) - _MOST_PAIRS} more pairs of columns have a correlation above {HIGH_CORRELATION}."))
    return tuple(notes)


def correlation(x: np.ndarray, y: np.ndarray) -> float:
    """Return the correlation of two columns over the rows where both are finite, 0 where it is not defined."""
    x, y = x.astype(np.float64), y.astype(np.float64)
    both = np.isfinite(x) & np.isfinite(y)
    if both.sum() < 3:
        return 0.0
    x, y = x[both], y[both]
    x, y = x / (np.abs(x).max() or 1.0), y / (np.abs(y).max() or 1.0)  # squares of 1e200 would overflow
    x, y = x - x.mean(), y - y.mean()
    size = np.sqrt((x @ x) * (y @ y))
    return float(x @ y / size) if size > 0 else 0.0


def _rough_correlations(columns: list[np.ndarray]) -> np.ndarray:
    """Return the correlations of all pairs at once, with gaps taken as mean values: enough to find the few pairs worth a closer look."""
    if not columns:
        return np.zeros((0, 0))
    Z = np.stack(columns)
    Z[~np.isfinite(Z)] = np.nan
    Z /= np.nanmax(np.abs(Z), axis=1, keepdims=True, initial=1e-300)
    there = np.isfinite(Z)
    Z = np.where(there, Z - np.nanmean(Z, axis=1, keepdims=True), 0.0)
    squares = (Z * Z) @ there.T  # sum of squares of each column over the rows where the other is there
    sizes = np.sqrt(squares * squares.T)
    return np.divide(Z @ Z.T, sizes, out=np.zeros_like(sizes), where=sizes > 0)


def _about(column: Column, values: np.ndarray) -> list[Note]:
    name, notes = column.name, []
    missing = int(_is_missing(values).sum())
    if missing == len(values):
        return [Note("missing", (name,), f"Column {name!r} has no values.")]
    if missing:
        notes.append(Note("missing", (name,), f"Column {name!r} has {missing} missing {'value' if missing == 1 else 'values'}."))
    infinite = int(np.isinf(values).sum()) if values.dtype.kind == "f" else 0
    if infinite:
        count = "one infinite value: it counts" if infinite == 1 else f"{infinite} infinite values: they count"
        notes.append(Note("infinite", (name,), f"Column {name!r} has {count} as missing."))
    if is_constant(values) and len(values) > 1:
        notes.append(Note("constant", (name,), f"Column {name!r} has the same value in every row: it explains nothing."))
    if column.kind != "number":
        extra = f" ({len(set(values[~_is_missing(values)].tolist()))} different)" if column.kind == "category" else ""
        notes.append(Note(column.kind, (name,), f"Column {name!r} holds {described(column.kind)}{extra}."))
    return notes


def _copies(table: Table) -> list[Note]:
    notes: list[Note] = []
    seen: dict[bytes, str] = {}
    for column in table.columns:
        values = table.values[column.name]
        if is_constant(values):
            continue
        first = seen.setdefault(content_key(values), column.name)
        if first != column.name:
            notes.append(Note("duplicate", (first, column.name), f"Column {column.name!r} is a copy of {first!r}."))
    return notes


def _summary(table: Table, column: Column) -> Summary:
    values = table.values[column.name]
    there = values[~_is_missing(values)]
    missing = len(values) - len(there)
    if column.kind in ("text", "category"):
        different, counts = np.unique(there.astype(str), return_counts=True)
        return Summary(column, missing, len(different), None, None, tuple(int(count) for count in np.sort(counts)[::-1][:_BINS]))
    different = len(np.unique(there))
    if column.kind == "date":
        if not len(there):
            return Summary(column, missing, 0, None, None, ())
        lowest, highest = (str(edge).split("T00:00:00.000000")[0] for edge in (there.min(), there.max()))
        return Summary(column, missing, different, lowest, highest, _counts(there.astype(np.int64).astype(np.float64)))
    finite = there[np.isfinite(there)].astype(np.float64)
    edges = (float(finite.min()), float(finite.max())) if len(finite) else (None, None)
    return Summary(column, missing + len(there) - len(finite), different, *edges, _counts(finite))


def _counts(values: np.ndarray) -> tuple[int, ...]:
    if not len(values):
        return ()
    scale = np.abs(values).max() or 1.0
    return tuple(int(count) for count in np.histogram(values / scale, bins=_BINS)[0])


def _is_missing(values: np.ndarray) -> np.ndarray:
    if values.dtype.kind == "O":
        return np.array([value is None for value in values], dtype=bool)
    return np.isnat(values) if values.dtype.kind == "M" else np.isnan(values)
