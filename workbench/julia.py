"""Where PySR's Julia is, found without importing PySR, which would start it, or download it where it is missing."""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class JuliaState:
    """What is installed of PySR and its Julia.

    Parameters
    ----------
    pysr : version of the Python package, or None
    julia : version of the Julia that PySR's packages are installed for, or None
    executable : of that Julia, or of one that is on the path without the packages
    fault : why what is there cannot be used, in words; empty when nothing is wrong
    """

    pysr: str | None
    julia: str | None = None
    executable: str | None = None
    fault: str = ""

    @property
    def ready(self) -> bool:
        """Whether a search can be started."""
        return self.pysr is not None and self.julia is not None


def julia_state() -> JuliaState:
    """Look into the folders where PySR's installer puts what it needs."""
    try:
        version = importlib.metadata.version("pysr")
    except importlib.metadata.PackageNotFoundError:
        return JuliaState(None, fault="not installed")
    meta = julia_environment() / "pyjuliapkg" / "meta.json"
    try:
        julia = json.loads(meta.read_text(encoding="utf-8"))
        return JuliaState(version, str(julia["version"]), str(julia["executable"]))
    except FileNotFoundError:
        return JuliaState(version, executable=shutil.which("julia"), fault="its Julia packages are not installed")
    except (OSError, ValueError, KeyError, TypeError) as error:
        return JuliaState(version, fault=f"{meta} cannot be read ({type(error).__name__})")


def julia_environment() -> Path:
    """Return the folder where juliapkg keeps PySR's Julia packages (juliapkg 0.1, state.py)."""
    project = os.environ.get("PYTHON_JULIAPKG_PROJECT")
    if project:
        return Path(project)
    prefix = sys.prefix if sys.prefix != sys.base_prefix else os.environ.get("CONDA_PREFIX")
    if prefix:
        return Path(prefix).absolute() / "julia_env"
    depot = os.environ.get("JULIA_DEPOT_PATH", "").split(os.pathsep)[0] or Path.home() / ".julia"
    return Path(depot).absolute() / "environments" / "pyjuliapkg"
