"""The table that benchmarks/RESULTS.md holds, with versions, machine and date."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import statistics
import subprocess
from collections.abc import Sequence
from pathlib import Path

from benchmarks.timing import Bench, Row

_PACKAGES = ("numpy", "scipy", "numba", "pandas", "streamlit", "torch")
_VERDICTS = {"stretch": "**stretch**", "gate": "gate", "no": "**no**", "not measured": "not measured"}


def to_markdown(rows: Sequence[Row], bench: Bench, load_before: float | None) -> str:
    """Return the whole file."""
    lines = [
        "# Speed",
        "",
        "Written by `make bench`. Seconds are median (minimum) over the samples; a ratio is the median over pairs of samples, peer / ours. Layers and"
        " imports take turns; pykan is timed just before ours, once a seed for its fits and twice for its forms.",
        "One core, and all of them for the app in the browser; one thread of linear algebra. The machine is shared: single times move by a factor of two, ratios and minima less."
        " What a GPU makes of the kernels stands in GPU.md (`python -m benchmarks.gpu`).",
        "",
        *table(rows),
        "",
        *_circumstances(bench, load_before),
    ]
    return "\n".join(lines) + "\n"


def table(rows: Sequence[Row]) -> list[str]:
    """Return the lines of a table, and of the notes below it."""
    return [
        "| what | ours | peer | peer's time | ratio | gate | stretch | reached |",
        "|---|---|---|---|---|---|---|---|",
        *map(_line, rows),
        "",
        "Notes, in the order of the table:",
        "",
        *(f"{number}. {row.what}: {row.note.removesuffix('.')}." for number, row in enumerate(rows, 1) if row.note),
    ]


def _line(row: Row) -> str:
    unit = (lambda value: f"{value:g}x") if row.peer else seconds
    ratio = "-" if row.ratio is None else f"{row.ratio:.3g}x"
    cells = [row.what, _taken(row.ours, row.unit), row.peer or "-", _taken(row.theirs, row.unit), ratio, unit(row.gate), unit(row.stretch), _VERDICTS[row.verdict]]
    return "| " + " | ".join(cells) + " |"


def _taken(samples: Sequence[float], unit: str) -> str:
    if not samples:
        return "-"
    written = seconds if unit == "s" else "{:.2g}".format
    middle, least = statistics.median(samples), min(samples)
    return written(middle) if len(set(samples)) == 1 else f"{written(middle)} ({written(least)})"


def seconds(value: float) -> str:
    """Return a time in the unit that suits it.

    >>> seconds(0.0123), seconds(4.5e-05), seconds(17.25)
    ('12.3 ms', '45 us', '17.2 s')
    """
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if value >= size or unit == "us":
            return f"{value / size:.3g} {unit}"
    raise AssertionError("microseconds take every value")


def _circumstances(bench: Bench, load_before: float | None) -> list[str]:
    versions = [f"Python {platform.python_version()}", *(f"{name} {importlib.metadata.version(name)}" for name in _PACKAGES)]
    if bench.pykan_python is not None:
        code = "import importlib.metadata as m; print('pykan', m.version('pykan'), '(with torch', m.version('torch') + ')')"
        versions.append(subprocess.run([bench.pykan_python, "-c", code], capture_output=True, text=True, check=True).stdout.strip())
    load = "" if load_before is None else f", load average {load_before:.1f} before and {os.getloadavg()[0]:.1f} after the run"
    return [
        f"Versions: {', '.join(versions)}.",
        "",
        f"Machine: {_processor()}, {os.cpu_count()} logical cores, {platform.system()} {platform.machine()}{load}.",
        "",
        f"Date: {datetime.datetime.now(tz=datetime.UTC):%Y-%m-%d}.",
    ]


def _processor() -> str:
    described = Path("/proc/cpuinfo")
    if described.is_file():
        for line in described.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown processor"
