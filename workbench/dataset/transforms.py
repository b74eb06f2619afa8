"""Columns that a network sees on a logarithmic scale.

    inputs     the network is given log(x) in place of x           brain = exp(phi(log(body)))
    targets    the network is fitted to log(y) in place of y       pressure = exp(phi(temperature))

Some laws live there. Brains and bodies of mammals span six orders of magnitude: on the values themselves an elephant is all that a fit can see,
and every shrew lies at zero. Least squares on log(y) also says that the scatter is a factor, the same share of every value, where least squares
on y says that it is the same amount everywhere.

The dataset itself stays in the scale of the table, and so does the formula: a transform only says what the network is given. Only a column
of numbers above 0 has logarithms.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from workbench.exceptions import DatasetError, UnknownColumnError, did_you_mean
from workbench.table import Note, listed

if TYPE_CHECKING:
    from workbench.dataset.data import Dataset

Transform = Literal["log"]
TRANSFORMS: tuple[Transform, ...] = ("log",)
NOTE = "transform"


def seen(values: np.ndarray, names: Sequence[str], transforms: Mapping[str, Transform]) -> np.ndarray:
    """Return values (n_rows, n_columns) as the network sees them; the same array where no column is transformed."""
    columns = [k for k, name in enumerate(names) if name in transforms]
    if not columns:
        return values
    result = np.array(values, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):  # a new table may hold what has no logarithm: no prediction there
        result[:, columns] = np.log(result[:, columns])
    return result


def original(values: np.ndarray, names: Sequence[str], transforms: Mapping[str, Transform]) -> np.ndarray:
    """Return values (n_rows, n_columns) in the scale of the table: the way back from `seen`."""
    columns = [k for k, name in enumerate(names) if name in transforms]
    if not columns:
        return values
    result = np.array(values, dtype=np.float64)
    with np.errstate(over="ignore"):
        result[:, columns] = np.exp(result[:, columns])
    return result


def checked(data: Dataset, wanted: Mapping[str, str]) -> dict[str, Transform]:
    """Return transforms in the order of the columns, inputs first.

    Raises
    ------
    DatasetError
        A column has another role, holds no numbers, or has a value without a logarithm; the message says which, where, and what to do.
    """
    for name, transform in wanted.items():
        _check_name(data, name)
        if transform not in TRANSFORMS:
            raise DatasetError(f"transforms={{{name!r}: {transform!r}}}: no such transform. Allowed: 'log', the natural logarithm.")
        _check_kind(data, name)
        _check_values(data, name)
    targets = [column.name for column in data.targets]
    if data.errors is not None and len(targets) > 1 and any(name in wanted for name in targets):
        raise DatasetError(f"transforms={dict(wanted)!r}: one measurement error for {len(targets)} targets has no logarithmic scale. Choose one target.")
    return {name: "log" for name in (*data.names, *targets) if name in wanted}


def notes_of(transforms: Mapping[str, Transform], targets: Sequence[str]) -> tuple[Note, ...]:
    """Say in plain words what is seen as its logarithm."""
    return tuple(
        Note(
            NOTE,
            (name,),
            f"The network sees {'the target' if name in targets else 'column'} {name!r} as its natural logarithm; "
            + ("errors count as shares of the value, and " if name in targets else "")
            + "the formula is in the values of the table.",
        )
        for name in transforms
    )


def _check_name(data: Dataset, name: str) -> None:
    known = (*data.names, *(column.name for column in data.targets))
    if name in known:
        return
    if name in data.table.names:
        raise DatasetError(
            f"transforms={{{name!r}: ...}}: column {name!r} is neither an input nor a target of this dataset. Those are: {listed(known)}."
        )
    raise UnknownColumnError(f"transforms={{{name!r}: ...}}: there is no such column.{did_you_mean(name, known)} Inputs and targets: {listed(known)}.")


def _check_kind(data: Dataset, name: str) -> None:
    if name in data.names:
        made = data.inputs[data.names.index(name)]
        if made.how == "number" and made.column.kind == "number":
            return
        kind = {"date": "a time since a date", "indicator": "one value of a category"}.get(made.how, "yes/no values")
        raise DatasetError(f"transforms={{{name!r}: 'log'}}: {name!r} is {kind}. Only a column of numbers has logarithms; leave it as it is.")
    if data.task != "regression":
        raise DatasetError(f"transforms={{{name!r}: 'log'}}: {name!r} holds classes, which have no logarithm. Only targets of a regression have.")


def _check_values(data: Dataset, name: str) -> None:
    values = data.X[:, data.names.index(name)] if name in data.names else data.y[:, [c.name for c in data.targets].index(name)]
    bad = np.flatnonzero(~(values > 0.0))
    if len(bad):
        more = f" (and in {len(bad) - 1} more)" if len(bad) > 1 else ""
        raise DatasetError(
            f"transforms={{{name!r}: 'log'}}: {name!r} is {values[bad[0]]:g} in row {int(data.rows[bad[0]]) + 1}{more}, and a logarithm needs values "
            "above 0. Leave such rows out of the table, or leave this column as it is."
        )
