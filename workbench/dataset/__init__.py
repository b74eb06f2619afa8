"""Datasets: a table with roles, cleaned rows and honest splits.

data = Dataset.from_table("runs.csv", target="period", units={"length": "m"})
data.X_train, data.y_train          (n_rows, n_inputs), (n_rows, n_targets), values as they were measured
data.split                          which rows fit, judge and test
data.notes                          what was done, in plain words
data.with_transforms({"y": "log"})  the same rows; the network sees y as its logarithm
data = load_sample("cherry_trees")  one of ten small real tables with a known law
"""

from __future__ import annotations

from workbench.dataset.data import Categories, Dataset, LeftOut, Missing, Task
from workbench.dataset.encoding import Encoded, Input
from workbench.dataset.pixels import Pixels, pixels_of
from workbench.dataset.roles import ROLES, Role
from workbench.dataset.samples import Constant, Fit, Sample, load_sample, sample_info, sample_names
from workbench.dataset.split import FOLD_ROWS, HOLDOUT_ROWS, N_FOLDS, N_REPEATS, Split, SplitPlan, divide
from workbench.dataset.tasks import SampleTask, task_info, task_names
from workbench.dataset.transforms import Transform
from workbench.exceptions import DatasetError, UnknownColumnError

__all__ = [
    "Dataset",
    "load_sample",
    "sample_names",
    "sample_info",
    "Sample",
    "task_names",
    "task_info",
    "SampleTask",
    "Pixels",
    "pixels_of",
    "Fit",
    "Constant",
    "Split",
    "SplitPlan",
    "divide",
    "HOLDOUT_ROWS",
    "FOLD_ROWS",
    "N_FOLDS",
    "N_REPEATS",
    "Input",
    "Encoded",
    "LeftOut",
    "Role",
    "ROLES",
    "Task",
    "Categories",
    "Transform",
    "Missing",
    "DatasetError",
    "UnknownColumnError",
]
