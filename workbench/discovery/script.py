"""A discovery as a Python script: the decisions, in order, and nothing else.

Run on the same data, versions and machine, the script makes the same networks to the last byte.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from workbench.dataset import Dataset, sample_names

if TYPE_CHECKING:
    from workbench.discovery.discovery import Discovery


def to_script(found: Discovery) -> str:
    """Return the script of the path from the first state to the present one."""
    lines = [
        f'"""How {found.data.targets[0].name} was discovered from {", ".join(c.name for c in found.data.features)}."""',
        "",
        "import workbench as wb",
        "",
        *_data_lines(found.data, found.file),
        f"assert data.fingerprint == {found.data.fingerprint!r}, 'these are other data'",
        "",
        "found = wb.Discovery(data)",
        *(step.move.to_python() for step in found.path),
        f"print(found.formula({'nice=True' if found.state.id in found.front else ''}))",
        "",
    ]
    return "\n".join(lines)


def _data_lines(data: Dataset, file: str | None) -> list[str]:
    if data.name in sample_names():
        seen = f".with_transforms({dict(data.transforms)!r})" if data.transforms else ""
        return [f"data = wb.load_sample({data.name!r}){_without(data)}{seen}"]
    return [
        "# the file this discovery was saved to holds its data, roles, units and split",
        f"data = wb.load_discovery({file or data.name + '.kanwb'!r}).data",
    ]


def _without(data: Dataset) -> str:
    """Return the calls that leave out the rows of a sample that a search has set aside; a row is known by its place among those still there."""
    calls, there = "", np.arange(data.table.n_rows)
    for rows, reason in data.left_out:
        calls += f".without({np.flatnonzero(np.isin(there, rows)).tolist()}, {reason!r})"
        there = np.setdiff1d(there, rows)
    return calls
