"""`python -m benchmarks [GROUP ...]`: run the groups on one core and write benchmarks/RESULTS.md."""

from __future__ import annotations

import os

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"  # before anything imports NumPy; the processes that are timed inherit it

import argparse
import importlib.util
import sys
import traceback
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from benchmarks import browser, digits, edge_forms, interactive, kat_block, process, pykan_fit, rational_layers, spline_layer
from benchmarks.results import to_markdown
from benchmarks.timing import Bench, Row

GROUPS = {
    module.GROUP: module
    for module in (pykan_fit, rational_layers, spline_layer, kat_block, edge_forms, digits, interactive, process, browser)
}
RESULTS = Path(__file__).with_name("RESULTS.md")


def main() -> int:
    """Run what was asked for; every group that was not is named in the table as not measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Every speed figure, against its peer in the same run.")
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"of {', '.join(GROUPS)}; all when left out")
    parser.add_argument("--rounds", type=int, default=15, help="samples of every comparison (default 15)")
    parser.add_argument("--out", type=Path, default=RESULTS, help="where the table is written")
    options = parser.parse_args()
    if unknown := set(options.groups) - set(GROUPS):
        parser.error(f"no such group: {', '.join(sorted(unknown))}. Groups: {', '.join(GROUPS)}")
    _pin()
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    bench = _bench(options.rounds)
    rows = []
    for name, module in GROUPS.items():
        if options.groups and name not in options.groups:
            rows += [replace(row, note="this group was not asked for in this run") for row in module.PLAN]
            continue
        print(f"{name} ...", flush=True)
        rows += _measured(module, bench)
    text = to_markdown(rows, bench, load)
    options.out.write_text(text, encoding="utf-8")
    print(text)
    return 0


def _measured(module: ModuleType, bench: Bench) -> list[Row]:
    """Run a group; when it fails its rows say so, and the others are measured all the same."""
    try:
        return module.rows(bench)
    except Exception as error:  # noqa: BLE001   one group's fault must not lose an hour of the others
        traceback.print_exception(error)
        why = " ".join(str(error).split())[:200]
        return [replace(row, note=f"the run failed: {type(error).__name__}: {why}") for row in module.PLAN]


def _pin() -> None:
    """Keep this process, and those it starts, on one core where the system can."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def _bench(rounds: int) -> Bench:
    """Find the Python that has pykan: the one named in PYKAN_PYTHON (make bench names it), or this one."""
    python = os.environ.get("PYKAN_PYTHON") or (sys.executable if importlib.util.find_spec("kan") else None)
    why = "" if python else "pykan is not installed: `make bench` installs it in an environment of its own, or name a Python that has it in PYKAN_PYTHON"
    return Bench(rounds, python, why, lambda text: print(f"  {text}", flush=True))


if __name__ == "__main__":
    sys.exit(main())
