"""Results of other programs, opened: their formulas become networks, are fitted again, and join the front."""

from __future__ import annotations

import os
from pathlib import Path

from workbench.discovery.discovery import Discovery
from workbench.discovery.findings import finding, pareto, shortest
from workbench.discovery.hall_of_fame import aliases
from workbench.discovery.proposals import adopted
from workbench.discovery.verdict import DIGITS, digits_lost
from workbench.exceptions import DiscoveryError


def opened(found: Discovery, path: str | os.PathLike[str]) -> Discovery:
    """Take in the formulas of a hall_of_fame.csv of PySR; the verdict is that of our own search, if there was one.

    Raises
    ------
    TableError : there is no such file, or it is none of PySR's
    DiscoveryError : none of its formulas can be read, or has a finite value on every row
    """
    from workbench.search.pysr import open_hall_of_fame

    hall = open_hall_of_fame(Path(path), [column.symbol for column in found.data.features], aliases=aliases(found.data))
    known = [finding(found.go_to(state)) for state in found.front]
    new = list(adopted(found, hall.proposals, lambda: False))
    if not new:
        reason = hall.notes[-1] if hall.notes and not hall.proposals else "None of its formulas has a finite value on every row."
        raise DiscoveryError(f"{os.fspath(path)!r} holds no formula for these data. {reason}")
    front = pareto([*known, *new])
    found.front = tuple(each.state for each in front)
    return found.go_to(shortest(front, lambda each: digits_lost(found, each) > DIGITS).state)
