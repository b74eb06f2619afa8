"""A dataset as JSON and plain arrays, and back, without loss and without pickle; for project files and worker processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

import numpy as np

from workbench.dataset.data import Dataset, LeftOut
from workbench.dataset.encoding import Input
from workbench.dataset.split import Split
from workbench.dataset.transforms import TRANSFORMS, Transform
from workbench.exceptions import DatasetError, TableError
from workbench.table import Column, Note, arrays_of_table, table_of_arrays

VERSION = 2  # 2: transforms
_OPTIONAL = ("weights", "errors", "groups")


def arrays_of_dataset(data: Dataset) -> tuple[dict[str, object], dict[str, np.ndarray]]:
    """Return a dataset as a JSON object and named arrays."""
    table, table_arrays = arrays_of_table(data.table)
    arrays = {f"table/{name}": values for name, values in table_arrays.items()}
    arrays |= {"X": data.X, "y": data.y, "rows": data.rows}
    arrays |= {name: values for name in _OPTIONAL if (values := getattr(data, name)) is not None}
    arrays |= {f"split/{part}": getattr(data.split, part) for part in ("train", "validation", "test")}
    for k, (fit, check) in enumerate(data.split.folds):
        arrays |= {f"fold/{k}/fit": fit, f"fold/{k}/check": check}
    arrays |= {f"left_out/{k}": left.rows for k, left in enumerate(data.left_out)}
    described: dict[str, object] = {
        "version": VERSION,
        "name": data.name,
        "table": table,
        "inputs": [asdict(made) for made in data.inputs],
        "targets": [column.name for column in data.targets],
        "split": {"kind": data.split.kind, "way": data.split.way, "folds": len(data.split.folds)},
        "group_columns": list(data.group_columns),
        "group_labels": list(data.group_labels),
        "task": data.task,
        "classes": list(data.classes),
        "notes": [asdict(note) for note in data.notes],
        "left_out": [left.reason for left in data.left_out],
        "transforms": dict(data.transforms),
        "fingerprint": data.fingerprint,
    }
    return described, arrays


def dataset_of_arrays(described: Mapping, arrays: Mapping[str, np.ndarray]) -> Dataset:
    """Return the dataset that `arrays_of_dataset` described, or raise DatasetError when it is damaged or from a newer version."""
    if not isinstance(described, Mapping) or not isinstance(described.get("version"), int):
        raise DatasetError("This is no stored dataset: its description has no version.")
    if described["version"] > VERSION:
        raise DatasetError(
            f"The dataset was stored by a newer version (format {described['version']}; this one reads up to {VERSION}). Update kan-workbench."
        )
    try:
        data = _dataset(described, {name: np.array(values) for name, values in arrays.items()})
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, TableError) as error:
        raise DatasetError(f"The stored dataset is damaged ({type(error).__name__}: {error}). Open an older copy, or read the data again.") from None
    if data.fingerprint != described.get("fingerprint"):
        raise DatasetError("The stored dataset is damaged: its values do not have the fingerprint they were stored with. Read the data again.")
    return data


def _dataset(described: Mapping, arrays: Mapping[str, np.ndarray]) -> Dataset:
    table_arrays = {name.removeprefix("table/"): values for name, values in arrays.items() if name.startswith("table/")}
    table = table_of_arrays(described["table"], table_arrays)
    split = described["split"]
    return Dataset(
        name=described["name"],
        table=table,
        inputs=tuple(_input(made) for made in described["inputs"]),
        targets=tuple(table.column(name) for name in described["targets"]),
        X=arrays["X"],
        y=arrays["y"],
        rows=arrays["rows"],
        split=Split(
            kind=split["kind"],
            train=arrays["split/train"],
            validation=arrays["split/validation"],
            test=arrays["split/test"],
            folds=tuple((arrays[f"fold/{k}/fit"], arrays[f"fold/{k}/check"]) for k in range(split["folds"])),
            way=split["way"],
        ),
        **{name: arrays.get(name) for name in _OPTIONAL},
        group_columns=tuple(described["group_columns"]),
        group_labels=tuple(described["group_labels"]),
        task=described["task"],
        classes=tuple(described["classes"]),
        notes=tuple(Note(note["kind"], tuple(note["columns"]), note["text"]) for note in described["notes"]),
        left_out=tuple(LeftOut(arrays[f"left_out/{k}"], reason) for k, reason in enumerate(described["left_out"])),
        transforms=_transforms(described),
    )


def _transforms(described: Mapping) -> dict[str, Transform]:
    """Return the transforms; version 1 had none."""
    stored = dict(described.get("transforms", {}))
    if any(transform not in TRANSFORMS for transform in stored.values()):
        raise ValueError(f"unknown transforms {stored!r}")
    return stored


def _input(described: Mapping) -> Input:
    return Input(**{**described, "column": Column(**described["column"]), "levels": tuple(described["levels"])})
