"""The CUDA text through NVIDIA's own compiler, without a GPU or a driver: it compiles for every architecture, and its machine code stays in its budget.

The compiler is 150 MB and the tests take a minute, so `make test` does without: `make nvrtc` installs it, `make test-all` runs it too.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from tests.kernels import nvrtc
from tests.kernels.entries import ENTRIES
from workbench.ops.device import COMPUTE, Compilation
from workbench.ops.launch import Unit
from workbench.ops.rational import FORMS
from workbench.ops.spline_launch import SplineUnit

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (nvrtc.LIBRARY and nvrtc.CUOBJDUMP and nvrtc.NVDISASM), reason="no NVRTC with its disassembler here: make nvrtc, on Linux x86-64"),
]

ARCHITECTURES = [75, 80, 90, 120]
# Instructions an element in the hot loop of the wide group kernels, degrees (5, 4): with 50 the backward pass in bfloat16 came to 69 % of a copy's speed.
MOST_FORWARD, MOST_BACKWARD = 20, 49
# Instructions that put numbers aside, at most: one number on its way past the loops costs nothing; on the last architecture the 16-bit backward pass has
# a few more, nearly all outside the loops.
SPILL = re.compile(r"\b(?:STL|LDL)\b")
PAST_THE_LOOPS, SPILLING, MOST_SPILLED, MOST_SPILLED_IN_LOOP = 3, 120, 24, 6


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", list(COMPUTE), ids=str)
def test_every_entry_compiles_within_its_registers(tmp_path: Path, dtype: torch.dtype, form: str, architecture: int) -> None:
    unit, cubin = Unit(dtype, form, 5, 4), tmp_path / "unit.cubin"
    cubin.write_bytes(nvrtc.compiled(unit, architecture))
    used = nvrtc.resources(cubin)
    assert set(used) == ENTRIES[unit.text]
    assert [name for name, usage in used.items() if usage["LOCAL"]] == []
    spilled = _spilled(cubin)
    if architecture == SPILLING and dtype.itemsize == 2:
        in_loops, all_in_all = spilled.pop("group_backward_wide", (0, 0))
        assert in_loops <= MOST_SPILLED_IN_LOOP
        assert all_in_all <= MOST_SPILLED
    assert spilled == {}
    registers = 65_536 // (unit.blocks * unit.threads)      # what a multiprocessor has, for the blocks that the plan counts on
    assert max(usage["REG"] for usage in used.values()) <= registers


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("dtype", list(COMPUTE), ids=str)
def test_every_spline_kernel_compiles_within_its_registers(tmp_path: Path, dtype: torch.dtype, architecture: int) -> None:
    unit, cubin = SplineUnit(dtype), tmp_path / "unit.cubin"
    cubin.write_bytes(nvrtc.compiled(unit, architecture))
    used = nvrtc.resources(cubin)
    assert set(used) == ENTRIES[unit.text]
    assert [name for name, usage in used.items() if usage["LOCAL"]] == []
    assert nvrtc.spills(cubin) == {}
    assert max(usage["REG"] for usage in used.values()) <= 128      # four blocks of 128 threads on a multiprocessor


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("degrees", [(8, 8), (0, 1), (8, 1), (3, 8)])
@pytest.mark.parametrize("dtype", list(COMPUTE), ids=str)
def test_no_other_degrees_spill(tmp_path: Path, dtype: torch.dtype, degrees: tuple[int, int], form: str) -> None:
    unit, cubin = Unit(dtype, form, *degrees), tmp_path / "unit.cubin"
    cubin.write_bytes(nvrtc.compiled(unit, 90))
    assert set(nvrtc.resources(cubin)) == ENTRIES[unit.text]
    assert _spilled(cubin) == {}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
def test_an_element_costs_no_more_instructions_than_memory_leaves_time_for(tmp_path: Path, dtype: torch.dtype, form: str) -> None:
    unit, cubin = Unit(dtype, form, 5, 4), tmp_path / "unit.cubin"
    cubin.write_bytes(nvrtc.compiled(unit, 90))
    loops = nvrtc.inner_loops(cubin)
    assert _per_element(loops["group_forward_wide"], 4, 4 * unit.wide) <= MOST_FORWARD
    assert _per_element(loops["group_backward_wide"], 2, unit.wide) <= MOST_BACKWARD


# kernel of edges -> functions of one turn of the hot loop, most instructions for each. The spline kernels' loops hold two ways, with and without the base
# term, of which one is taken: they cost less than is counted.
EDGES = {"edge_forward": (4, 28), "edge_backward_x": (4, 45), "edge_backward_coefficients": (1, 60)}
SPLINES = {"spline_forward": (32, 28), "spline_backward_x": (8, 20), "spline_backward_coefficients": (8, 36)}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
def test_a_rational_edge_costs_no_more_than_its_budget(tmp_path: Path, dtype: torch.dtype, form: str) -> None:
    _assert_budget(tmp_path, Unit(dtype, form, 5, 4), EDGES)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
def test_a_spline_edge_costs_no_more_than_its_budget(tmp_path: Path, dtype: torch.dtype) -> None:
    _assert_budget(tmp_path, SplineUnit(dtype), SPLINES)


def _spilled(cubin: Path) -> dict[str, tuple[int, int]]:
    """Return the kernels whose spills cost something: how many instructions in inner loops, how many in all."""
    loops = nvrtc.inner_loops(cubin)
    counts = {name: (sum(bool(SPILL.search(instruction)) for loop in loops[name] for instruction in loop), count) for name, count in nvrtc.spills(cubin).items()}
    return {name: (inside, count) for name, (inside, count) in counts.items() if inside or count > PAST_THE_LOOPS}


def _assert_budget(folder: Path, unit: Compilation, budget: dict[str, tuple[int, int]]) -> None:
    """Hold the loop with the most fused multiply-adds of those that read memory."""
    cubin = folder / "unit.cubin"
    cubin.write_bytes(nvrtc.compiled(unit, 90))
    loops = nvrtc.inner_loops(cubin)
    for kernel, (functions, most) in budget.items():
        reading = [loop for loop in loops[kernel] if any("LDG" in instruction for instruction in loop)]
        hot = max(reading, key=lambda loop: sum("FFMA" in instruction for instruction in loop))
        assert 9 < len(hot) / functions <= most, kernel


def _per_element(loops: list[list[str]], reads: int, elements: int) -> float:
    """Return the instructions an element of the one loop with so many reads of 16 bytes."""
    (hot,) = (loop for loop in loops if sum("LDG.E.128" in instruction for instruction in loop) == reads)
    assert not any(SPILL.search(instruction) for instruction in hot)       # nothing is spilled where it would be paid for
    return len(hot) / elements


def test_the_gate_sees_a_spill(tmp_path: Path) -> None:
    """Twice the blocks on a multiprocessor leave half the registers."""
    unit, cubin = Unit(torch.float32, "sum_abs", 8, 8), tmp_path / "unit.cubin"
    cubin.write_bytes(nvrtc.compiled(unit, 90, BLOCKS=6))
    assert nvrtc.spills(cubin)["group_backward_wide"] > 0


def test_a_fault_of_the_text_is_told_in_the_words_of_the_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nvrtc.device, "source", lambda name: "__global__ void k() { undeclared(); }")
    with pytest.raises(AssertionError, match="undeclared"):
        nvrtc.compiled(Unit(torch.float32, "square", 5, 4), 90)
