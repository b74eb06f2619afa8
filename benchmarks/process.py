"""Whole processes, from the start of the interpreter to its end: imports, the command line, the first fit after an installation."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from benchmarks.interactive import table
from benchmarks.timing import Bench, Row, in_turn

GROUP = "process"
PLAN = [
    Row("warm `kan-workbench fit` of 1000 x 4, whole process", 4.0, 2.5),
    Row("first fit after a fresh install, compilation included, whole process", 20.0, 5.0),
    Row("`import workbench`, whole process", 1.0, 0.3),
]
_FIRST_RUNS = 3
_BESIDE = {"nothing": "an empty program", "numpy": "`import numpy`", "discovery": "`workbench.Discovery` with all it needs"}


def rows(bench: Bench) -> list[Row]:
    """Warm fit, first fit with empty caches, and imports with numpy alone beside them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        _write(path)
        return [*_fits(bench, path), *_imports(bench)]


def _fits(bench: Bench, path: Path) -> list[Row]:
    command = [sys.executable, "-m", "workbench.cli", "fit", str(path), "--target", "y"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    warm = in_turn({"fit": lambda: _run(command)}, max(5, bench.rounds // 2))["fit"]
    bench.say(f"warm fit {min(warm):.2f} s at best: {answer}")
    first = tuple(_first(command) for _ in range(_FIRST_RUNS))
    note = "kernels compiled into an empty cache; .pyc files as an installer leaves them"
    return [replace(PLAN[0], ours=warm, note=answer), replace(PLAN[1], ours=first, note=note)]


def _first(command: list[str]) -> float:
    """Time one run with nowhere to find a compiled kernel."""
    with tempfile.TemporaryDirectory() as cache:
        began = time.perf_counter()
        _run(command, NUMBA_CACHE_DIR=cache)
        return time.perf_counter() - began


def _imports(bench: Bench) -> list[Row]:
    programs = {
        "workbench": "import workbench",
        "numpy": "import numpy",
        "discovery": "import workbench; workbench.Discovery",
        "nothing": "pass",
    }
    taken = in_turn({name: lambda code=code: _run([sys.executable, "-c", code]) for name, code in programs.items()}, bench.rounds)
    middle = {name: sorted(seconds)[len(seconds) // 2] for name, seconds in taken.items()}
    beside = ", ".join(f"{words} {middle[name]:.2f} s" for name, words in _BESIDE.items())
    return [replace(PLAN[2], ours=taken["workbench"], note=f"names load when first used; in the same run: {beside}")]


def _run(command: list[str], **environment: str) -> None:
    """Run a program as a user would: with .pyc files written and read."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run(command, env={**kept, **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)


def _write(path: Path) -> None:
    columns = table()
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*(values.tolist() for values in columns.values())))
