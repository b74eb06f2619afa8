"""A file becomes a table: in a worker, because a file comes from anywhere and may be anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from workbench.dataset import Dataset
from workbench.exceptions import TableError
from workbench.store import Data
from workbench.table import Table, table_of_arrays
from workbench.ui.state.jobs import Jobs
from workbench.ui.state.plan import Reading

ZIP = b"PK\x03\x04"
_TABLE = "table/"


@dataclass(frozen=True)
class Read:
    """A table as the store keeps it, and how it was read."""

    content: Mapping[str, Any]
    arrays: Mapping[str, np.ndarray]
    reading: Reading

    @property
    def table(self) -> Table:
        """The table itself."""
        return stored_table(self.content, self.arrays)


def read_file(jobs: Jobs, content: bytes, reading: Reading) -> Read:
    """Read a file in a worker.

    Of an Excel file the first sheet with a table of numbers is taken; a person may choose another.

    Raises
    ------
    TableError
        Why it cannot be read, and what to do, in one sentence.
    """
    file = {"file": np.frombuffer(content, np.uint8)}
    result = jobs.ask("table.read", {"name": reading.file, **reading.options()}, file)  # where no sheet was chosen it notes which one it took
    if content.startswith(ZIP):
        found = cast("Mapping[str, Any]", jobs.ask("table.sheets", {"name": reading.file}, file).value)
        reading = replace(reading, sheets=tuple(found["names"]), sheet=reading.sheet or found["first"])
    arrays = {f"{_TABLE}{name}": values for name, values in result.arrays.items()}
    return Read({"table": result.value}, arrays, reading)


def read_sample(jobs: Jobs, name: str) -> tuple[Dataset, Data]:
    """Load a sample in a worker; return it, and as the store keeps it."""
    result = jobs.ask("dataset.sample", {"name": name})
    content = cast("Mapping[str, Any]", result.value)
    return Dataset.from_arrays(content, result.arrays), Data(0, content, result.arrays)


def stored_table(content: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Table:
    """Return the table that a project holds, whether it has been made a dataset or not."""
    if "table" not in content:
        raise TableError("The project holds no table that can be shown. Drop the file again on the page Projects.")
    own = {name.removeprefix(_TABLE): values for name, values in arrays.items() if name.startswith(_TABLE)}
    return table_of_arrays(cast("Mapping[str, Any]", content["table"]), own)
