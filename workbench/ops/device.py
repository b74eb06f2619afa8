"""What runs a CUDA text: a `Device`, which is `ops.cuda` with CuPy on a GPU, and in tests a compiler for the CPU.

A text of `kernels/` is compiled as it is, with the text it includes put in that place: NVRTC needs no folder of headers.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import torch

from workbench.exceptions import NetworkError

COMPUTE = {torch.float64: torch.float64, torch.float32: torch.float32, torch.bfloat16: torch.float32, torch.float16: torch.float32}
NAMES = {torch.float64: "double", torch.float32: "float", torch.bfloat16: "bf16", torch.float16: "fp16"}  # as numbers.cuh has them
MOST_TILES = 65_535  # CUDA's limit of gridDim.y and gridDim.z

# No product and sum is fused but where a text says so: float64 results are the same bits on every machine. CuPy adds the architecture, and -ftz=true.
OPTIONS = ("-std=c++17", "--fmad=false")

_SUM_BLOCK = (32, 16)  # as numbers.cuh has it
_INCLUDED = "numbers.cuh"

Gradients = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


class Compilation(Protocol):
    """One compilation of a text; equal ones are made once."""

    @property
    def text(self) -> str:
        """Name of the file."""

    @property
    def definitions(self) -> Mapping[str, str]:
        """What it is compiled with."""


class Device(Protocol):
    """Who runs kernels. Arguments are integers of 8 bytes: addresses of tensors, and sizes."""

    multiprocessors: int

    def launch(self, unit: Compilation, kernel: str, grid: Sequence[int], block: Sequence[int], arguments: Sequence[int]) -> None:
        """Run a kernel of a unit behind what torch has asked for before."""


@functools.cache
def source(name: str) -> str:
    """Return a text of the kernels, whole."""
    return _read(name).replace(f'#include "{_INCLUDED}"', _read(_INCLUDED))


def _read(name: str) -> str:
    """Return a file: in the package, as a wheel has it, or beside it in a source checkout."""
    here = Path(__file__).parent
    for path in (here / "kernels" / name, here.parents[1] / "kernels" / name):
        if path.is_file():
            return path.read_text(encoding="utf-8")
    raise NetworkError(f"The CUDA source {name} is not there, neither in the package nor beside it. Install kan-workbench again.")


def summed(device: Device, unit: Compilation, partials: torch.Tensor) -> torch.Tensor:
    """Return the sum of partials over their first axis, made in float64 and in a fixed order."""
    total = partials.new_empty(partials.shape[1:])
    blocks = -(-total.numel() // _SUM_BLOCK[0])
    device.launch(unit, "sum_partials", (blocks,), _SUM_BLOCK, (*addresses(partials, total), len(partials), total.numel()))
    return total


def addresses(*tensors: torch.Tensor) -> tuple[int, ...]:
    """Return where tensors lie."""
    return tuple(tensor.data_ptr() for tensor in tensors)
