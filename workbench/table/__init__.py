"""Tables of measurements: read as people have them, every column with a unit and a safe symbol, everything noticed said in plain words.

    table = read_table("pendulum.csv")
    table.columns        Column(name="length (m)", symbol="length_m", unit="m", kind="number"), ...
    table.values         {"length (m)": array, ...}
    table.notes          Note("missing", ("period (s)",), "Column 'period (s)' has 2 missing values."), ...

A table is frozen. What it is good for (inputs, target, weights, splits) is decided in workbench.dataset.
"""

from __future__ import annotations

from workbench.table.columns import KINDS, Column, Kind, Note, Table, counted, described, listed
from workbench.table.headers import is_unit, unit_in
from workbench.table.inspection import HIGH_CORRELATION, Summary, content_key, correlated, correlation, inspect, is_constant, summarise
from workbench.table.limits import Limits
from workbench.table.reading import Source, read_table, sheets
from workbench.table.storage import arrays_of_table, table_of_arrays
from workbench.table.symbols import RESERVED, safe_symbols

__all__ = [
    "read_table",
    "sheets",
    "Table",
    "Column",
    "Note",
    "Kind",
    "KINDS",
    "Limits",
    "Source",
    "Summary",
    "summarise",
    "inspect",
    "correlated",
    "correlation",
    "is_constant",
    "content_key",
    "HIGH_CORRELATION",
    "safe_symbols",
    "RESERVED",
    "unit_in",
    "is_unit",
    "arrays_of_table",
    "table_of_arrays",
    "described",
    "listed",
    "counted",
]
