"""Datasets that nobody uploaded.

    dataset.sample  arguments {"name"} -> Dataset.from_arrays takes the result
"""

from __future__ import annotations

from workbench.jobs import Result
from workbench.worker.context import Context
from workbench.worker.registry import Arguments, Arrays, task


@task("dataset.sample")
def sample(arguments: Arguments, arrays: Arrays, context: Context) -> Result:
    """Load a sample table as a dataset with its roles and units."""
    from workbench.dataset import load_sample

    return Result(*load_sample(str(arguments["name"])).to_arrays())
