"""A task that answers: for tests of the transport, and for `kan-workbench doctor`."""

from __future__ import annotations

from workbench.jobs import Result
from workbench.worker.context import Context
from workbench.worker.registry import Arguments, Arrays, task


@task("echo")
def echo(arguments: Arguments, arrays: Arrays, context: Context) -> Result:
    """Return what was given."""
    return Result(dict(arguments), dict(arrays))
