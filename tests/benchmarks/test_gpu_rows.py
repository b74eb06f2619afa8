"""The GPU rows: what can be held without a GPU. Both sides compute the same, peers are found where they are, the bits are compared in earnest."""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from benchmarks import gpu
from benchmarks.timing import Bench
from tests.kernels.shim import COMPILER, ShimDevice
from workbench.ops.device import Compilation

PEER = """
import torch
from workbench.ops import reference

def rational_bwd_triton(grad_output, x, n, d{group}):
    given = [tensor.detach().requires_grad_() for tensor in (x, n, d)]
    return torch.autograd.grad(reference.group_rational(*given, "sum_abs"), given, grad_output)
"""


@pytest.fixture
def peers(tmp_path: Path) -> Path:
    """Checkouts as a person has them, with the signatures of the published functions."""
    flash, kat = tmp_path / "FlashKAT" / "rational_kat" / "kernels", tmp_path / "kat" / "kat_rational"
    for folder in (flash, kat):
        folder.mkdir(parents=True)
    (flash / "flash_rational_triton.py").write_text(PEER.format(group=""))
    (kat / "rational_triton.py").write_text(PEER.format(group=", group"))
    return tmp_path


def test_without_a_gpu_no_row_is_measured_and_all_say_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    rows = gpu.rows(Bench())
    assert [row.what for row in rows] == [row.what for row in gpu.PLAN]
    assert {row.verdict for row in rows} == {"not measured"}
    assert all("engine='cuda' needs a GPU" in row.note for row in rows)


def test_a_peer_that_was_not_given_is_said_to_be_missing(peers: Path, tmp_path: Path) -> None:
    assert gpu.peer_at(None, gpu.FLASH) is None
    assert gpu.peer_at(tmp_path / "FlashKAT", gpu.KAT) is None
    measured = gpu._measured(Bench(), "cpu")
    assert [row.peer for row, measure in zip(gpu.PLAN, measured, strict=True) if measure is None] == [gpu.FLASH, gpu.FLASH, gpu.KAT, gpu.FLASH]
    assert gpu._filled(gpu.PLAN[2], None).note == "peer not given"
    assert None not in gpu._measured(Bench(peers=peers), "cpu")


@pytest.mark.parametrize("name", gpu.FILES)
def test_our_gradients_are_those_of_the_peers(peers: Path, name: str) -> None:
    ours, theirs = (side() for side in gpu.backward_sides(name, gpu.peer_at(peers, name), (3, 7, 40), "cpu").values())
    for mine, other in zip(ours, theirs, strict=True):
        assert_allclose(mine.numpy(), other.numpy(), rtol=0, atol=2e-6 * float(other.abs().max()))


def test_both_sides_of_a_layer_compute_the_same() -> None:
    ours, theirs = (side() for side in gpu.rational_sides(5, 37, "cpu").values())
    for mine, other in zip(ours, theirs, strict=True):
        assert_allclose(mine.numpy(), other.detach().numpy(), rtol=0, atol=1e-5 * float(other.abs().max()))
    (y, dx, dc, dw), (their_y, their_dx, their_dc, their_dw) = (side() for side in gpu.spline_sides(5, 37, "cpu").values())
    for mine, other in ((y, their_y.T), (dx, their_dx.T), (dc, their_dc.permute(2, 0, 1)), (dw, their_dw)):
        assert_allclose(mine.numpy(), other.numpy(), rtol=0, atol=2e-5 * float(other.abs().max()))


def test_times_and_errors_are_positive_and_as_many_as_rounds(peers: Path) -> None:
    for dtype in (torch.float32, torch.bfloat16):
        ours, copies = gpu.beside_copying((3, 7, 40), dtype, "cpu", 3)
        assert len(ours) == len(copies) == 3
        assert min(*ours, *copies) > 0
    (ours,), (theirs,) = gpu.errors(gpu.peer_at(peers, gpu.FLASH), (64, 7, 40), "cpu")
    assert 0 < ours < 1e-5
    assert 0 < theirs < 1e-5


@pytest.mark.skipif(COMPILER is None, reason="no g++ here to run the CUDA texts on this CPU")
def test_bits_that_differ_end_the_run(shim_device: ShimDevice) -> None:
    assert gpu.check_bits(shim_device) == "float64 bits equal those of the CPU run of the same text"

    class Sloppy:
        multiprocessors = shim_device.multiprocessors

        def launch(self, unit: Compilation, kernel: str, grid: tuple, block: tuple, arguments: tuple) -> None:
            shim_device.launch(unit, kernel, grid, block, arguments)
            if kernel == "edge_forward":
                first = ctypes.c_double.from_address(arguments[3])      # of y
                first.value = np.nextafter(first.value, np.inf)

    with pytest.raises(AssertionError, match="edge: float64 bits of the GPU differ"):
        gpu.check_bits(Sloppy())


def test_the_table_names_the_device_and_every_gate() -> None:
    text = gpu.to_markdown(gpu.PLAN)
    assert "Device:" in text
    for row in gpu.PLAN:
        assert f"| {row.what} | - | {row.peer} | - | - | {row.gate:g}x | {row.stretch:g}x | not measured |" in text
