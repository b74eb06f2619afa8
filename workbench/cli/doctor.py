"""`kan-workbench doctor`: what this machine offers the workbench, and how to get what it lacks.

Nothing heavy is imported to find out: a version comes from the package's metadata, a GPU from the driver's own tool, Julia from the folders where
PySR's installer puts it. `import torch` takes seconds, and `import pysr` would download Julia, which is a person's decision:

    kan-workbench doctor --install pysr       says how much and how long, asks, then lets juliapkg do it in a process of its own
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import os
import platform
import subprocess
import sys
from dataclasses import asdict, dataclass
from typing import Literal

import workbench
from workbench.exceptions import JobError, MissingEngineError, WorkbenchError
from workbench.julia import julia_environment, julia_state
from workbench.ops import gpu
from workbench.ops.gpu import Gpu

INSTALL_COST = "a few hundred MB to download, 1 to 2 GB on disk and 5 to 20 minutes"      # an estimate: it depends on what Julia compiles


class ConsentError(WorkbenchError):
    """Something was to be installed and nobody could be asked."""


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Parameters
    ----------
    name : what was looked for
    state : "ready", "absent" (optional, not installed) or "broken" (the workbench needs it and cannot use it)
    detail : what was found, in plain words
    remedy : what to type to get it; empty where nothing is missing
    """

    name: str
    state: Literal["ready", "absent", "broken"]
    detail: str
    remedy: str = ""


def doctor(options: argparse.Namespace) -> int:
    """Print the findings, or install what was asked for. Exit code 1 when something that is needed is broken."""
    if options.install:
        return install_julia(assume_yes=options.yes)
    findings = examine()
    if options.json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        width = max(len(finding.name) for finding in findings)
        for finding in findings:
            print(f"{finding.name:<{width}}  {finding.state:<6}  {finding.detail}")
            if finding.remedy:
                print(f"{'':<{width}}          -> {finding.remedy}")
    return int(any(finding.state == "broken" for finding in findings))


def examine() -> list[Finding]:
    """Look at the machine and return what was found, in the order in which it matters to a fit."""
    found = gpu.find()
    return [_workbench(), _processor(), _memory(), *_libraries(), _gpu(found), _cupy(), _engines(found), _operon(), _julia()]


def install_julia(assume_yes: bool = False) -> int:
    """Let juliapkg download Julia and PySR's packages, after a person has agreed.

    Raises
    ------
    MissingEngineError : pysr itself is not installed
    JobError : the download or the compilation failed
    ConsentError : nobody can be asked (no terminal) and `assume_yes` is off
    """
    if importlib.util.find_spec("pysr") is None:
        raise MissingEngineError(f"PySR is not installed in {sys.prefix}. Type: {sys.executable} -m pip install pysr")
    print(f"PySR searches with Julia. Installing Julia and its packages takes {INSTALL_COST}; they go to {julia_environment()}.", flush=True)
    if not assume_yes and not _agreed("Install now? [y/N] "):
        print("Nothing was installed.")
        return 0
    # A process of its own: juliapkg keeps global state, and importing pysr starts Julia inside the process that does it.
    for step in ("import juliapkg; juliapkg.resolve()", "import pysr"):
        if subprocess.run([sys.executable, "-c", step], check=False).returncode:
            raise JobError(f"Julia could not be installed: `{step}` failed, its reason stands above. Is the network reachable?")
    print("PySR is ready.")
    return 0


def _agreed(question: str) -> bool:
    """Ask a person at the terminal; only "y" or "yes" is agreement."""
    if not sys.stdin or not sys.stdin.isatty():
        raise ConsentError("doctor --install pysr: nobody can be asked here. Add --yes to install without asking.")
    try:
        return input(question).strip().lower() in {"y", "yes"}
    except EOFError:
        return False


def _version(distribution: str) -> str | None:
    """Return the installed version of a distribution, or None, without importing it."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _workbench() -> Finding:
    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return Finding("KAN Workbench", "ready", f"{workbench.__version__} on {system}")


def _processor() -> Finding:
    cores = os.cpu_count() or 1
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else cores      # not on macOS and Windows
    limits = [f"{name}={os.environ[name]}" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS") if name in os.environ]
    return Finding("Processor", "ready", f"{usable} of {cores} threads usable" + (f" ({', '.join(limits)})" if limits else ""))


def _memory() -> Finding:
    total = total_memory()
    return Finding("Memory", "ready", "size unknown" if total is None else f"{total / 2**30:.1f} GiB")


def total_memory() -> int | None:
    """Return the size of the main memory in bytes, or None where the system does not tell."""
    if sys.platform == "win32":
        return _windows_memory()
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return None


def _windows_memory() -> int | None:
    import ctypes

    kilobytes = ctypes.c_ulonglong()
    if not ctypes.windll.kernel32.GetPhysicallyInstalledSystemMemory(ctypes.byref(kilobytes)):
        return None
    return kilobytes.value * 1024


def _libraries() -> list[Finding]:
    """Report the libraries under every fit; each is an ordinary dependency, so a missing one means a broken installation."""
    findings = []
    for name in ("numpy", "scipy", "numba", "torch", "scikit-learn", "sympy", "streamlit"):
        version = _version(name)
        if version is None:
            findings.append(Finding(name, "broken", "not installed", f"{sys.executable} -m pip install --upgrade kan-workbench"))
        else:
            findings.append(Finding(name, "ready", version + (f" ({_torch_build(version)})" if name == "torch" else "")))
    return findings


def _torch_build(version: str) -> str:
    """Read torch's build off its version: "2.13.0+cpu", "2.13.0+cu130", or the registry's default build with no mark.

    >>> _torch_build("2.13.0+cpu")
    'CPU build'
    """
    mark = version.partition("+")[2]
    if mark == "cpu":
        return "CPU build"
    return f"CUDA build {mark}" if mark.startswith("cu") else "default build of this platform"


def _gpu(found: Gpu) -> Finding:
    if not found.devices:
        return Finding("GPU", "absent", f"{found.missing.removesuffix('.')}; everything runs on the processor")
    return Finding("GPU", "ready", found.devices)


def _cupy() -> Finding:
    installed = gpu.cupy()
    if installed is None:
        return Finding("CuPy", "absent", "needed for the GPU kernels only", "pip install 'kan-workbench[cuda13]'   (or [cuda12], as the driver supports)")
    return Finding("CuPy", "ready", installed)


def _engines(found: Gpu) -> Finding:
    """Say who can compute the ops: rational functions, spline layers, and networks trained on an engine."""
    ready = "native, cpu, reference"
    if found.usable:
        return Finding("Engines", "ready", f"{ready}, cuda")
    return Finding("Engines", "ready", f"{ready}; not cuda: {found.missing}", found.remedy)


def _operon() -> Finding:
    version = _version("pyoperon")
    if version is not None:
        return Finding("Operon", "ready", version)
    return Finding("Operon", "absent", "its wheels are for Linux x86-64 and macOS arm64; the built-in search is used instead")


def _julia() -> Finding:
    """Report PySR and its Julia without importing either."""
    state, remedy = julia_state(), "kan-workbench doctor --install pysr"
    if state.pysr is None:
        return Finding("PySR", "absent", "not installed", f"{sys.executable} -m pip install pysr")
    if state.ready:
        return Finding("PySR", "ready", f"{state.pysr} with Julia {state.julia} ({state.executable})")
    return Finding("PySR", "absent", f"{state.pysr}, but {state.fault}" + (f" (Julia itself: {state.executable})" if state.executable else ""), remedy)
