"""The tasks a worker knows: functions with a name, found in the modules of `workbench.worker.tasks`."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np

from workbench.exceptions import JobError
from workbench.worker.context import Context

Arguments = Mapping[str, object]
Arrays = Mapping[str, np.ndarray]
Function = Callable[[Arguments, Arrays, Context], object]


@dataclass(frozen=True)
class Task:
    """A named function and what it may use.

    Parameters
    ----------
    memory : bytes it may take on top of what the worker has (Linux; macOS and Windows do not enforce it), or None
    seconds : the longest it may run; then it is stopped like a cancelled one. None: as long as it likes
    """

    name: str
    function: Function
    memory: int | None = None
    seconds: float | None = None

    def __call__(self, arguments: Arguments, arrays: Arrays, context: Context) -> object:
        """Run it, in whatever process this is: a test, or a worker."""
        return self.function(arguments, arrays, context)


def task(name: str, *, memory: int | None = None, seconds: float | None = None) -> Callable[[Function], Task]:
    """Make a function a task.

    Examples
    --------
    >>> @task("double", seconds=5)
    ... def double(arguments, arrays, context):
    ...     return 2 * arguments["x"]
    >>> double.name, double({"x": 21}, {}, None)
    ('double', 42)
    """
    return lambda function: Task(name, function, memory, seconds)


def load_tasks(files: Iterable[Path] = ()) -> dict[str, Task]:
    """Return all tasks of the package, and those in further Python files, by name.

    Raises
    ------
    JobError
        Two tasks have one name, or a file cannot be imported.
    """
    package = importlib.import_module("workbench.worker.tasks")
    modules = [importlib.import_module(f"{package.__name__}.{info.name}") for info in pkgutil.iter_modules(package.__path__)]
    modules += [_import_file(file) for file in files]
    found: dict[str, Task] = {}
    for entry in (entry for module in modules for entry in vars(module).values() if isinstance(entry, Task)):
        if found.setdefault(entry.name, entry) is not entry:
            raise JobError(f"Two tasks are named {entry.name!r}. Give one of them another name.")
    return found


def _import_file(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise JobError(f"--tasks {file}: not a Python file. Give one that ends in .py.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
