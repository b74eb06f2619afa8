"""An existing hall of fame of PySR, opened as a discovery: its formulas become networks, are fitted again, certified, judged and exported like any others."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.dataset import Dataset
from workbench.discovery.autopilot import judged
from workbench.discovery.discovery import Discovery

if TYPE_CHECKING:
    from workbench.search.pysr import Template


def open_hall_of_fame(
    data: Dataset, path: str | os.PathLike[str], template: Template | None = None, random_state: int = 0
) -> tuple[Discovery, tuple[str, ...]]:
    """Open a hall_of_fame.csv, or the folder of a run, on the rows it was made from.

    Parameters
    ----------
    data : the dataset whose columns the formulas are about
    template : how the pieces of its equations make the whole, where the search had a template
    random_state : seed of the network that the formulas are compared with

    Returns
    -------
    The discovery, and in plain words what was left out of the file or read in a particular way.

    Raises
    ------
    TableError : no such file, or none of PySR's
    DiscoveryError : none of its formulas can be used on these rows
    """
    from workbench.search import pysr

    opened = pysr.open_hall_of_fame(Path(path), [column.symbol for column in data.features], template, aliases(data))
    return judged(data, opened.proposals, random_state), opened.notes


def aliases(data: Dataset) -> dict[str, str]:
    """Return the names under which PySR knows the columns, with the symbols they have here: it writes _ for a space."""
    return {column.name.replace(" ", "_"): column.symbol for column in data.features}
