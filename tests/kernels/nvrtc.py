"""NVIDIA's run-time compiler from its wheel, driven without a GPU or a driver, and what its machine code costs.

`make test-all` puts the wheels into a folder of their own, .venv-nvrtc: a torch that is built for CUDA pins an NVRTC, and this one must not take its place.
"""

from __future__ import annotations

import ctypes
import importlib.util
import re
import subprocess
from pathlib import Path

from workbench.ops import device
from workbench.ops.device import Compilation

FOLDERS = [Path(__file__).parents[2] / ".venv-nvrtc" / "nvidia"]
if _installed := importlib.util.find_spec("nvidia"):
    FOLDERS += map(Path, _installed.submodule_search_locations or ())


def _wheel_file(pattern: str) -> Path | None:
    """Return a file of the wheels, all of which share the package `nvidia`, or None."""
    return next((path for folder in FOLDERS for path in sorted(folder.glob(pattern))), None)


LIBRARY = _wheel_file("*/lib/libnvrtc.so.*")
CUOBJDUMP = _wheel_file("*/bin/cuobjdump")
NVDISASM = _wheel_file("*/bin/nvdisasm")


def compiled(unit: Compilation, architecture: int, **others: int) -> bytes:
    """Return the machine code of a unit, with the options that CuPy gives; a failure carries the compiler's own words.

    `others` are definitions in the place of the unit's.
    """
    library = ctypes.CDLL(str(LIBRARY))
    program, size = ctypes.c_void_p(), ctypes.c_size_t()
    assert library.nvrtcCreateProgram(ctypes.byref(program), device.source(unit.text).encode(), unit.text.encode(), 0, None, None) == 0
    definitions = {**unit.definitions, **{f"RATIONAL_{name}": str(value) for name, value in others.items()}}
    defined = (f"-D{name}={value}" for name, value in definitions.items())
    options = [option.encode() for option in (*device.OPTIONS, "-ftz=true", f"--gpu-architecture=sm_{architecture}", *defined)]
    failed = library.nvrtcCompileProgram(program, len(options), (ctypes.c_char_p * len(options))(*options))
    library.nvrtcGetProgramLogSize(program, ctypes.byref(size))
    log = ctypes.create_string_buffer(size.value)
    library.nvrtcGetProgramLog(program, log)
    assert not failed, log.value.decode()
    assert not log.value.strip(), log.value.decode()        # a warning is an error
    library.nvrtcGetCUBINSize(program, ctypes.byref(size))
    code = ctypes.create_string_buffer(size.value)
    library.nvrtcGetCUBIN(program, code)
    library.nvrtcDestroyProgram(ctypes.byref(program))
    return code.raw


def resources(cubin: Path) -> dict[str, dict[str, int]]:
    """Return registers (REG), bytes of local memory (LOCAL) and so on of every kernel."""
    text = subprocess.run([CUOBJDUMP, "-res-usage", cubin], capture_output=True, text=True, check=True).stdout
    return {
        name: {key: int(value) for key, value in re.findall(r"(\w+(?:\[\d\])?):(\d+)", line)}
        for name, line in re.findall(r"Function (\w+):\n(.*)", text)
    }


def spills(cubin: Path) -> dict[str, int]:
    """Return the kernels that keep something in local memory, with the number of instructions that read or write there."""
    counts = {name: len(re.findall(r"\b(?:STL|LDL)\b", body)) for name, body in _bodies(cubin).items()}
    return {name: count for name, count in counts.items() if count}


def inner_loops(cubin: Path) -> dict[str, list[list[str]]]:
    """Return the instructions of every loop of every kernel that has no other loop inside."""
    return {name: _loops_of(body) for name, body in _bodies(cubin).items()}


def _bodies(cubin: Path) -> dict[str, str]:
    text = subprocess.run([NVDISASM, "-c", cubin], capture_output=True, text=True, check=True).stdout
    return dict(re.findall(r"^\.text\.(\w+):\n(.*?)(?=^\s*\.section|\Z)", text, re.MULTILINE | re.DOTALL))


def _loops_of(body: str) -> list[list[str]]:
    labels: dict[str, int] = {}
    instructions: list[str] = []
    back: list[tuple[int, int]] = []
    for line in body.splitlines():
        if label := re.match(r"^(\.L_x_\d+):", line):
            labels[label[1]] = len(instructions)
        elif instruction := re.match(r"^\s+/\*[0-9a-f]+\*/\s+(.*?)\s*;", line):
            instructions.append(instruction[1])
            jump = re.search(r"\bBRA\b.*\(?(\.L_x_\d+)", instruction[1])
            if jump and jump[1] in labels and labels[jump[1]] < len(instructions) - 1:
                back.append((labels[jump[1]], len(instructions)))
    inner = [(start, stop) for start, stop in back if not any(start <= s and e <= stop and (s, e) != (start, stop) for s, e in back)]
    return [instructions[start:stop] for start, stop in inner]
