"""A table as JSON and plain arrays, and back, without loss and without pickle.

number     the values, float64 or int64
boolean    the values, float64
date       microseconds since 1970, int64 (NaT is the smallest integer)
text       codes into the list of different texts in the JSON, int32; -1 is missing
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

import numpy as np
import pandas as pd

from workbench.exceptions import TableError
from workbench.table.columns import KINDS, Column, Note, Table

Json = dict[str, object]


def arrays_of_table(table: Table) -> tuple[Json, dict[str, np.ndarray]]:
    """Return a table as a JSON object and arrays named "0", "1", ... in the order of its columns."""
    arrays: dict[str, np.ndarray] = {}
    texts: dict[str, list[str]] = {}
    for number, column in enumerate(table.columns):
        values = table.values[column.name]
        if column.kind in ("text", "category"):
            codes, different = pd.factorize(values)
            values, texts[str(number)] = codes.astype(np.int32), [str(text) for text in different]
        elif column.kind == "date":
            values = values.astype("datetime64[us]").astype(np.int64)
        arrays[str(number)] = values
    described = {"name": table.name, "columns": [asdict(column) for column in table.columns], "texts": texts}
    return described | {"notes": [notes_to_json(note) for note in table.notes]}, arrays


def table_of_arrays(described: Mapping, arrays: Mapping[str, np.ndarray]) -> Table:
    """Return the table that `arrays_of_table` described, or raise TableError when the two do not fit."""
    try:
        columns = tuple(Column(**column) for column in described["columns"])
        values = {column.name: _values(column, arrays[str(k)], described["texts"].get(str(k))) for k, column in enumerate(columns)}
        notes = tuple(note_of_json(note) for note in described["notes"])
        name = str(described["name"])
    except (KeyError, TypeError, IndexError, AttributeError, ValueError) as error:
        raise TableError(f"The stored table is damaged ({type(error).__name__}: {error}). Open an older copy, or read the data again.") from None
    if any(column.kind not in KINDS for column in columns) or len({len(column) for column in values.values()}) > 1:
        raise TableError("The stored table is damaged: its columns do not fit each other. Open an older copy, or read the data again.")
    return Table(name, columns, values, notes)


def notes_to_json(note: Note) -> Json:
    """Return a note as a JSON object."""
    return {"kind": note.kind, "columns": list(note.columns), "text": note.text}


def note_of_json(described: Mapping) -> Note:
    """Return the note that `notes_to_json` described."""
    return Note(str(described["kind"]), tuple(str(column) for column in described["columns"]), str(described["text"]))


def _values(column: Column, stored: np.ndarray, texts: list[str] | None) -> np.ndarray:
    if column.kind in ("text", "category"):
        return np.array([*(texts or ()), None], dtype=object)[stored.astype(np.int64)]  # code -1 is the None at the end
    if column.kind == "date":
        return stored.astype("datetime64[us]")
    return np.array(stored)
