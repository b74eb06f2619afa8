"""The tasks a worker knows: functions with a name, each in the module of `workbench.worker.tasks` that its name begins with."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np

from workbench.exceptions import JobError, did_you_mean
from workbench.worker.context import Context

Arguments = Mapping[str, object]
Arrays = Mapping[str, np.ndarray]
Function = Callable[[Arguments, Arrays, Context], object]

_PACKAGE = "workbench.worker.tasks"


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


class Registry:
    """All tasks by name. The module of a task is imported when the task is first asked for: "table.read" in `tasks/table.py`.

    So a worker is ready at once, and a module that cannot be imported costs its own tasks and no others.

    Parameters
    ----------
    files : further Python files, imported at once; their tasks may have any name
    """

    def __init__(self, files: Iterable[Path] = ()) -> None:
        self._tasks: dict[str, Task] = {}
        self._waiting = {info.name for info in pkgutil.iter_modules(importlib.import_module(_PACKAGE).__path__)}
        self._modules = frozenset(self._waiting)
        for name in [name for file in files for name in self._add(_import_file(file))]:
            self._load(name.partition(".")[0])  # only to see that nothing has its name already

    def find(self, name: str) -> Task:
        """Return a task, or raise JobError where there is none of this name."""
        if name not in self._tasks:
            self._load(name.partition(".")[0])
        if name in self._tasks:
            return self._tasks[name]
        known = sorted({*self._tasks, *self._waiting})
        raise JobError(f"There is no task {name!r}.{did_you_mean(name, known)} Known: {', '.join(known)}.")

    def load_all(self) -> tuple[Task, ...]:
        """Import every module of tasks, and return all tasks in the order of their names."""
        for module in sorted(self._modules):
            self._load(module)
        return tuple(self._tasks[name] for name in sorted(self._tasks))

    def _load(self, module: str) -> None:
        if module not in self._waiting:
            return
        imported = importlib.import_module(f"{_PACKAGE}.{module}")
        self._waiting.remove(module)
        strangers = [name for name in self._add(imported) if name.partition(".")[0] != module]
        if strangers:
            raise JobError(f"The task {strangers[0]!r} is in tasks/{module}.py, where nobody looks for it. Name it {module!r} or '{module}.…'.")

    def _add(self, module: ModuleType) -> list[str]:
        found = [entry for entry in vars(module).values() if isinstance(entry, Task)]
        for entry in found:
            if self._tasks.setdefault(entry.name, entry) is not entry:
                raise JobError(f"Two tasks are named {entry.name!r}. Give one of them another name.")
        return [entry.name for entry in found]


def _import_file(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise JobError(f"--tasks {file}: not a Python file. Give one that ends in .py.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
