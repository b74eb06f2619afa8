"""What this machine offers, as `kan-workbench doctor` tells it, and Julia for PySR on a person's word.

Both run as programs of their own: nothing here imports an engine, and PySR is never imported by the process of the page.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.exceptions import MissingEngineError
from workbench.search.engines import TITLES, installed

DOCTOR = (sys.executable, "-m", "workbench.cli", "doctor")
COST = "An estimate: a few hundred MB to download, 1 to 2 GB on disk, 5 to 20 minutes, once. Nothing else changes."
TAIL = 12  # lines of the log that are shown


@dataclass(frozen=True)
class Finding:
    """One line of the doctor: what it looked at, "ready", "absent" or "broken", and how to get what is missing."""

    name: str
    state: str
    detail: str
    remedy: str


def findings(command: Sequence[str] = (*DOCTOR, "--json")) -> tuple[Finding, ...]:
    """Ask the doctor.

    Raises
    ------
    MissingEngineError
        It did not answer; the sentence says what to type to see why.
    """
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        return tuple(Finding(*(str(entry[name]) for name in ("name", "state", "detail", "remedy"))) for entry in json.loads(done.stdout))
    except (subprocess.SubprocessError, OSError, ValueError, KeyError) as problem:
        raise MissingEngineError(f"The doctor did not answer ({type(problem).__name__}). Type kan-workbench doctor to see why.") from None


def engines() -> dict[str, str]:
    """Return the engines for whole formulas that can be used here, by name, with what a person calls them."""
    return {name: TITLES[name] for name in installed()}


class Setup:
    """A running installation of Julia for PySR; it goes on when the page is closed."""

    def __init__(self, command: Sequence[str] = (*DOCTOR, "--install", "pysr", "--yes")) -> None:
        self._log = Path(tempfile.mkdtemp(prefix="kan-workbench-")) / "julia.log"
        with self._log.open("w", encoding="utf-8") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    @property
    def failed(self) -> bool:
        return self._process.poll() not in (None, 0)

    @property
    def said(self) -> str:
        """The last lines of what it has said so far."""
        return "\n".join(self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL:])
