"""Which GPU this machine has and what the engine "cuda" lacks, found out without importing torch or CuPy, which take seconds.

The driver's own tool names the device, the metadata of packages say what is installed. `ops.cuda` looks again, closer, when a kernel is launched.
"""

from __future__ import annotations

import importlib.metadata
import shutil
import subprocess
from dataclasses import dataclass

_CUPY = ("cupy-cuda13x", "cupy-cuda12x", "cupy")


@dataclass(frozen=True)
class Gpu:
    """What was found.

    Parameters
    ----------
    devices : name, memory and driver of every device, as nvidia-smi says; "" where there is none
    missing : why engine="cuda" cannot work here, in one sentence; "" where it can
    remedy : what to type for it; "" where nothing is missing or nothing helps
    """

    devices: str
    missing: str = ""
    remedy: str = ""

    @property
    def usable(self) -> bool:
        return not self.missing


def find() -> Gpu:
    """Look for a GPU, and for what the kernels need."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return Gpu("", "There is no NVIDIA driver here.")
    query = [tool, "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=20, check=True).stdout.strip()
    except (subprocess.SubprocessError, OSError) as error:
        return Gpu("", f"nvidia-smi does not answer ({type(error).__name__}).")
    devices = "; ".join(line.strip() for line in answer.splitlines())
    if not devices:
        return Gpu("", "There is an NVIDIA driver here and no device.")
    if (version("torch") or "").endswith("+cpu"):
        return Gpu(devices, "This torch is built for CPUs.", "pip install --force-reinstall torch   (a build for CUDA; pytorch.org has the command)")
    if cupy() is None:
        return Gpu(devices, "CuPy is not installed.", "pip install 'kan-workbench[cuda13]'   (or [cuda12], as the driver supports)")
    return Gpu(devices)


def cupy() -> str | None:
    """Return the installed distribution of CuPy with its version, such as "cupy-cuda13x 14.2.0", or None."""
    return next((f"{name} {installed}" for name in _CUPY if (installed := version(name)) is not None), None)


def version(distribution: str) -> str | None:
    """Return the installed version of a distribution, or None."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None
