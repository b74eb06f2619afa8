"""Foreign files are opened here, in a process that may be killed, never in the one that serves the page.

    table.read      arrays {"file": bytes}, arguments {"name", and any option of read_table} -> table_of_arrays takes the result
    table.sheets    arrays {"file": bytes}, arguments {"name"}                               -> {"names": of an Excel file's sheets, "first": table}
"""

from __future__ import annotations

from typing import Any

from workbench.exceptions import JobError, did_you_mean
from workbench.jobs import Result
from workbench.worker.context import Context
from workbench.worker.registry import Arguments, Arrays, task

MEMORY = 4 * 2**30  # bytes: a file of 256 MB becomes a table of about 1 GB, and readers hold it twice
SECONDS = 180.0
OPTIONS = ("name", "sheet", "header", "cells", "delimiter", "decimal", "encoding")


@task("table.read", memory=MEMORY, seconds=SECONDS)
def read(arguments: Arguments, arrays: Arrays, context: Context) -> Result:
    """Read a file as a table."""
    from workbench.table import arrays_of_table, read_table

    unknown = next((name for name in arguments if name not in OPTIONS), None)
    if unknown is not None:
        raise JobError(f"table.read({unknown}=...): no such option.{did_you_mean(unknown, OPTIONS)} Known: {', '.join(OPTIONS)}.")
    context.progress(0.0, f"Reading {arguments.get('name', 'the file')}")
    table = read_table(_content(arrays), **arguments)  # pyright: ignore[reportArgumentType]  read_table checks what it is given
    return Result(*arrays_of_table(table))


@task("table.sheets", memory=MEMORY, seconds=SECONDS)
def sheets(arguments: Arguments, arrays: Arrays, context: Context) -> dict[str, Any]:
    """Name the sheets of a workbook, so that a person can choose one, and the one that is read when nobody does."""
    from workbench import table

    return table.sheets(_content(arrays), name=str(arguments.get("name", "file.xlsx")))._asdict()


def _content(arrays: Arrays) -> bytes:
    if "file" not in arrays:
        raise JobError("table tasks read the array 'file'. Send the bytes: arrays={'file': numpy.frombuffer(content, numpy.uint8)}.")
    return arrays["file"].tobytes()
