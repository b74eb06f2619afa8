"""A GPU as an `ops.device.Device`: CuPy compiles the kernels when they are first asked for and launches them on torch's current stream.

Nothing is copied between torch and CuPy: a kernel is given the addresses of torch's own memory. CuPy allocates nothing and waits for nothing, so
that launches can be captured in a CUDA graph, once the kernels are compiled: run the step once before it is captured. Compiled kernels
are kept by CuPy in the user's folder (~/.cupy/kernel_cache).

CuPy is imported when a device is asked for. What is missing then is said with the command that helps; another engine is never taken in silence.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import torch

from workbench.exceptions import MissingEngineError
from workbench.ops.device import OPTIONS, Compilation, source


class CupyDevice:
    """One GPU.

    Parameters
    ----------
    index : its number, as torch counts
    """

    def __init__(self, index: int) -> None:
        self._cupy = _cupy()
        self._device = torch.device("cuda", index)
        self.multiprocessors = torch.cuda.get_device_properties(index).multi_processor_count
        self._modules: dict[Compilation, Any] = {}

    def launch(self, unit: Compilation, kernel: str, grid: Sequence[int], block: Sequence[int], arguments: Sequence[int]) -> None:
        """Run a kernel of a unit behind what torch has asked for before."""
        with torch.cuda.device(self._device):
            stream = _Stream(torch.cuda.current_stream(self._device).cuda_stream)
            self._module(unit).get_function(kernel)(tuple(grid), tuple(block), tuple(arguments), stream=stream)

    def _module(self, unit: Compilation) -> Any:
        module = self._modules.get(unit)
        if module is None:
            options = (*OPTIONS, *(f"-D{name}={value}" for name, value in unit.definitions.items()))
            module = self._cupy.RawModule(code=source(unit.text), options=options, backend="nvrtc")
            try:
                module.compile()
            except (self._cupy.cuda.compiler.CompileException, RuntimeError, OSError, ImportError) as error:
                raise MissingEngineError(
                    f"engine='cuda': CuPy {self._cupy.__version__} cannot compile the kernels for {torch.cuda.get_device_name(self._device)}: "
                    f"{_first_line(error)}. If its NVRTC is missing or too old for this GPU: {_install()}"
                ) from error
            self._modules[unit] = module
        return module


class _Stream:
    """All that CuPy's launch reads of a stream."""

    __slots__ = ("ptr",)

    def __init__(self, ptr: int) -> None:
        self.ptr = ptr


@functools.cache
def device(index: int) -> CupyDevice:
    """Return a GPU, or say what is missing."""
    if not torch.cuda.is_available():
        reason = "this torch is built for CPUs" if torch.version.cuda is None else "no NVIDIA GPU with a driver that works was found (try nvidia-smi)"
        raise MissingEngineError(f"engine='cuda' needs a GPU: {reason}. Take engine='cpu', or a machine and a torch with CUDA.")
    return CupyDevice(index)


def _cupy() -> Any:
    try:
        import cupy
    except ImportError as error:
        raise MissingEngineError(f"engine='cuda' needs CuPy, which cannot be imported ({_first_line(error)}): {_install()}") from error
    try:
        driver, runtime = cupy.cuda.runtime.driverGetVersion(), cupy.cuda.runtime.runtimeGetVersion()
    except (RuntimeError, OSError) as error:  # CuPy's CUDARuntimeError is a RuntimeError
        raise MissingEngineError(f"engine='cuda': CuPy {cupy.__version__} cannot reach the CUDA driver ({_first_line(error)}). Try nvidia-smi.") from error
    if driver // 1000 < runtime // 1000:  # 12040 is CUDA 12.4; within a major version an older driver runs what a newer toolkit made
        raise MissingEngineError(
            f"engine='cuda': CuPy {cupy.__version__} is made for CUDA {runtime // 1000}, the driver here goes up to "
            f"CUDA {driver // 1000}.{driver % 1000 // 10}: pip uninstall cupy-cuda{runtime // 1000}x, then {_install(driver // 1000)}"
        )
    return cupy


def _install(major: int | None = None) -> str:
    """Return the command that installs CuPy for a CUDA version: that of the driver if it is known, else that of torch."""
    if major is None:
        major = int((torch.version.cuda or "13").partition(".")[0])
    return f"pip install 'kan-workbench[cuda{12 if major < 13 else 13}]'"


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
