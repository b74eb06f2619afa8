"""An existing hall of fame of PySR, opened as a discovery: its formulas become networks, are fitted again, certified, judged and exported like any others."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.dataset import Dataset
from workbench.discovery.autopilot.front import with_more
from workbench.discovery.autopilot.pilot import judged
from workbench.discovery.autopilot.proposals import adopted
from workbench.discovery.discovery import Discovery
from workbench.exceptions import DiscoveryError

if TYPE_CHECKING:
    from workbench.search.pysr import HallOfFame, Template


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
    opened = _read(data, path, template)
    return judged(data, opened.proposals, random_state), opened.notes


def joined(found: Discovery, path: str | os.PathLike[str]) -> Discovery:
    """Take the formulas of a hall_of_fame.csv into a discovery and its front; the verdict is that of our own search, if there was one.

    Raises
    ------
    TableError : there is no such file, or it is none of PySR's
    DiscoveryError : none of its formulas can be read, or has a finite value on every row
    """
    hall = _read(found.data, path)
    new = list(adopted(found, hall.proposals, lambda: False))
    if not new:
        reason = hall.notes[-1] if hall.notes and not hall.proposals else "None of its formulas has a finite value on every row."
        raise DiscoveryError(f"{os.fspath(path)!r} holds no formula for these data. {reason}")
    return with_more(found, new)


def _read(data: Dataset, path: str | os.PathLike[str], template: Template | None = None) -> HallOfFame:
    from workbench.search import pysr

    return pysr.open_hall_of_fame(Path(path), [column.symbol for column in data.features], template, aliases(data))


def aliases(data: Dataset) -> dict[str, str]:
    """Return the names under which PySR knows the columns, with the symbols they have here: it writes _ for a space."""
    return {column.name.replace(" ", "_"): column.symbol for column in data.features}
