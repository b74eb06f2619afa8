"""Sample tasks beside the sample tables: no law of a few variables is behind them, they are there to be learned and looked into.

    digits   1797 handwritten digits, 8 x 8 pixels of 0 to 16; the test part of the UCI set of Alpaydin & Kaynak (1998), as scikit-learn carries it
"""

from __future__ import annotations

from dataclasses import dataclass

from workbench.dataset.data import Dataset
from workbench.exceptions import DatasetError, did_you_mean
from workbench.table import read_table


@dataclass(frozen=True)
class SampleTask:
    """What is known about a sample task."""

    name: str
    title: str
    description: str
    source: str
    target: str
    inputs: str
    n_rows: int


_TASKS = {
    "digits": SampleTask(
        "digits",
        "Handwritten digits",
        "Images of 8 × 8 pixels, to be read by a transformer",
        "E. Alpaydin and C. Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, CC BY 4.0",
        "digit",
        "64 pixels",
        1797,
    )
}


def task_names() -> tuple[str, ...]:
    """Return the names of the sample tasks.

    >>> task_names()
    ('digits',)
    """
    return tuple(_TASKS)


def task_info(name: str) -> SampleTask:
    """Return what is known about a sample task."""
    if name not in _TASKS:
        raise DatasetError(f"{name!r}: no such task.{did_you_mean(name, _TASKS)} Tasks: {', '.join(_TASKS)}.")
    return _TASKS[name]


def load_task(name: str, random_state: int = 0) -> Dataset:
    """Return a sample task as a dataset; scikit-learn, which carries it, is imported for that."""
    task = task_info(name)
    from sklearn.datasets import load_digits

    found = load_digits()
    pixels = found.images.astype(int)
    columns = {f"pixel_{row}_{column}": pixels[:, row, column] for row in range(8) for column in range(8)}
    table = read_table({**columns, task.target: found.target}, name=name)
    return Dataset.from_table(table, task.target, task="classification", random_state=random_state)
