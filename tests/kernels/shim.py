"""A device that runs the CUDA text on this CPU: the text is compiled by g++ with cuda_shim.h, every thread of a block is a fiber."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.kernels.entries import ENTRIES
from workbench.ops.device import Compilation, source

HERE = Path(__file__).parent
COMPILER = shutil.which("g++")
FAILURES = {1: "a wrong number of arguments", 2: "a barrier that not every thread of the block reached"}


class ShimDevice:
    """Runs kernels as an `ops.device.Device`, one unit a shared library.

    Parameters
    ----------
    folder : where libraries are built
    mutate : what is done to a text first: a planted fault
    flags : more of the compiler, for sanitizers
    """

    multiprocessors = 3

    def __init__(self, folder: Path, mutate: Callable[[str], str] = str, flags: Sequence[str] = ()) -> None:
        self.folder, self.flags = folder, tuple(flags)
        self.mutate = mutate
        self.order = 0
        self._libraries: dict[Compilation, ctypes.CDLL] = {}

    def launch(self, unit: Compilation, kernel: str, grid: Sequence[int], block: Sequence[int], arguments: Sequence[int]) -> None:
        library = self._libraries.get(unit) or self._libraries.setdefault(unit, self.build(unit))
        library.shim_set_order(self.order)
        sizes = [(ctypes.c_uint * 3)(*(*size, 1, 1)[:3]) for size in (grid, block)]
        failure = getattr(library, f"shim_{kernel}")(*sizes, (ctypes.c_int64 * len(arguments))(*arguments), len(arguments))
        if failure:
            raise RuntimeError(f"{kernel}: {FAILURES[failure]}")

    def build(self, unit: Compilation) -> ctypes.CDLL:
        text = self.folder / unit.text
        text.write_text(self.mutate(source(unit.text)), encoding="utf-8")
        library = self.folder / ("_".join([unit.text, *unit.definitions.values()]) + ".so")
        defined = [f"-D{name}={value}" for name, value in unit.definitions.items()]
        exports = " ".join(f"SHIM_EXPORT({kernel})" for kernel in sorted(ENTRIES[unit.text]))
        # no contraction: every fused multiply-add is written out, so that float64 has the bits of the GPU
        command = [COMPILER, "-std=c++17", "-O1", "-fPIC", "-shared", "-ffp-contract=off", "-Wall", "-Wextra", "-Wno-unknown-pragmas", "-Werror"]
        command += [*self.flags, *defined, f'-DSHIM_SOURCE="{text}"', f"-DSHIM_EXPORTS={exports}", f"-I{HERE}", str(HERE / "shim.cpp"), "-o", str(library)]
        answer = subprocess.run(command, capture_output=True, text=True)
        assert answer.returncode == 0, answer.stderr
        return ctypes.CDLL(str(library))
