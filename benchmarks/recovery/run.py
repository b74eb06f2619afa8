"""One trial: the command line is run as a user runs it, in a process of its own, by the clock on the wall."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.recovery.trials import Trial

GRACE = 2.0  # seconds that a run may last beyond its budget before it counts as late
PATIENCE = 1.5  # times the budget, and a minute, after which the whole process group is killed


@dataclass(frozen=True)
class Conditions:
    """What a set is run under; trials under other conditions are another line of the table."""

    name: str
    noise: float
    budget: float
    n_rows: int | None = None

    @property
    def stem(self) -> str:
        """The name of the file that keeps the results."""
        rows = "own" if self.n_rows is None else f"{self.n_rows}"
        return f"{Path(self.name).stem}_noise-{self.noise:g}_{self.budget:g}s_{rows}-rows"


def examined(trial: Trial, command: Sequence[str], conditions: Conditions) -> dict:
    """Run one trial and judge it; return its record, whatever happened."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "answer.json"
        words = [*trial.arguments(Path(folder)), "--time-budget", f"{conditions.budget:g}", "--random-state", str(trial.seed), "--json", str(out)]
        began = time.monotonic()
        error = _run([*command, *words], PATIENCE * conditions.budget + 60)
        seconds = time.monotonic() - began
        answer, error = _read(out, error)
    return {
        "id": trial.id,
        "seed": trial.seed,
        "seconds": round(seconds, 2),
        "late": seconds > conditions.budget + GRACE,
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "verdict": answer.get("verdict"),
        "error": error,
        **trial.verdicts(answer),
    }


def _run(command: Sequence[str], seconds: float) -> str:
    """Run a command; return what it complained about when it failed. Its children end with it."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        _, complaint = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        _kill(process)
        return f"killed after {seconds:.0f} s"
    return "" if process.returncode == 0 else f"exit code {process.returncode}: {complaint.strip()[-300:]}"


def _kill(process: subprocess.Popen) -> None:
    if hasattr(os, "killpg"):
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.communicate()


def _read(path: Path, error: str) -> tuple[dict, str]:
    """Read the answer; a run without one is a failure with its reason."""
    try:
        return json.loads(path.read_text(encoding="utf-8")), error
    except (OSError, ValueError):
        return {}, error or "it ended well and wrote no answer"
