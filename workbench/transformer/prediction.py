"""Predictions of a transformer for a new table, read as its own data were."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from workbench.dataset import Dataset
from workbench.exceptions import TrainingError
from workbench.networks.kat import KAT
from workbench.table import Source, Table
from workbench.training.adam import outputs_of
from workbench.transformer.lessons import Lessons, rows_of


@dataclass(frozen=True, eq=False)
class Prediction:
    """Predicted values of every row of a table.

    Parameters
    ----------
    columns : name -> (n_rows,)     a value per target; or the most probable class and its probability
    outside : (n_rows,)     whether a row lies outside the range of at least one input
    complete : (n_rows,)     where a prediction could be made
    message : plain sentences about it, empty when there is nothing to say
    """

    columns: Mapping[str, np.ndarray]
    outside: np.ndarray
    complete: np.ndarray
    message: str


def predicted(lessons: Lessons, module: KAT, table: Table | Source) -> Prediction:
    """Predict every row of a table; one without all inputs gets no prediction."""
    data = lessons.data
    encoded = data.encode(table)
    complete = encoded.complete
    if not complete.any():
        raise TrainingError("No row of this table has all inputs of the model, so there is nothing to predict. Give rows without gaps.")
    X = encoded.X[complete]
    outputs = outputs_of(copy.deepcopy(module).double(), rows_of(data, lessons.pixels, X).double())
    low, high = data.ranges.T
    outside = np.zeros(len(complete), dtype=bool)
    outside[complete] = ((X < low) | (X > high)).any(1)
    said = [note.text for note in encoded.notes]
    if outside.any():
        said.insert(0, f"{outside.sum()} of {len(outside)} rows lie outside the range that was learned from.")
    return Prediction(_columns(data, outputs, complete), outside, complete, " ".join(said))


def _columns(data: Dataset, outputs: torch.Tensor, complete: np.ndarray) -> dict[str, np.ndarray]:
    if data.task == "regression":
        values = data.original_targets(outputs.numpy())
        return {target.name: _spread(values[:, k], complete) for k, target in enumerate(data.targets)}
    chances = outputs.softmax(1).numpy()
    likely = np.full(len(complete), None, dtype=object)
    likely[complete] = [data.classes[code] for code in chances.argmax(1)]
    return {data.targets[0].name: likely, "probability": _spread(chances.max(1), complete)}


def _spread(values: np.ndarray, complete: np.ndarray) -> np.ndarray:
    column = np.full(len(complete), np.nan)
    column[complete] = values
    return column
