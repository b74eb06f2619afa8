"""The CUDA text on a CPU: order of threads, sanitizers, and faults planted in it that its tests must notice.

That the text computes what the reference does is a contract of all engines: tests/ops/test_engines.py runs it, engine "shim".
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from tests.kernels.shim import COMPILER, ShimDevice
from workbench.exceptions import NetworkError
from workbench.ops import engines, launch, reference, spline_launch
from workbench.ops.autograd import group_rational
from workbench.ops.device import COMPUTE, Device, source
from workbench.ops.launch import Unit
from workbench.ops.rational import FORMS

pytestmark = pytest.mark.skipif(COMPILER is None, reason="no g++ here to compile the CUDA text for this CPU: install Debian's package g++")

ROOT = Path(__file__).parents[2]
TEXT = {"group": "rational.cu", "edge": "rational.cu", "spline": "spline.cu"}


def numbers(*shape: int, seed: int = 0) -> torch.Tensor:
    return 4 * torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) - 2


def groups(dtype: torch.dtype, shape: tuple[int, ...] = (401, 42), n_groups: int = 6) -> list[torch.Tensor]:
    """Return x, numerator, denominator and a gradient from above."""
    kind = COMPUTE[dtype]
    return [numbers(*shape).to(dtype), numbers(n_groups, 6, seed=1).to(kind), numbers(n_groups, 4, seed=2).to(kind), numbers(*shape, seed=3).to(dtype)]


def layer(dtype: torch.dtype, n_in: int = 37, n_out: int = 35, rows: int = 261) -> list[torch.Tensor]:
    kind = COMPUTE[dtype]
    a, b = numbers(6, n_out, n_in, seed=1).to(kind), numbers(4, n_out, n_in, seed=2).to(kind)
    return [numbers(n_in, rows).to(dtype), a, b, numbers(n_out, rows, seed=3).to(dtype)]


def splines(dtype: torch.dtype, n_in: int = 37, n_out: int = 35, rows: int = 261, bases: int = 13) -> list[torch.Tensor]:
    """Return x, coefficients, base weights, domain and a gradient from above; some x lie beyond their range."""
    kind = COMPUTE[dtype]
    c, w = numbers(bases, n_out, n_in, seed=1).to(kind), numbers(n_out, n_in, seed=2).to(kind)
    domain = torch.stack([numbers(n_in, seed=4) - 3, numbers(n_in, seed=5) + 3], 1).to(kind)
    return [numbers(n_in, rows).to(dtype), c, w, domain, numbers(n_out, rows, seed=3).to(dtype)]


MADE = {"group": groups, "edge": layer, "spline": splines}


def passed(device: Device, op: str, given: Sequence[torch.Tensor], form: str) -> tuple[torch.Tensor, ...]:
    """Return value and gradients as the launches give them; splines have no form."""
    *learned, upstream = given
    if op == "spline":
        return spline_launch.forward(device, *learned), *spline_launch.backward(device, *learned, upstream)
    forward, backward = {"group": (launch.group_forward, launch.group_backward), "edge": (launch.edge_forward, launch.edge_backward)}[op]
    return forward(device, *learned, form), *backward(device, *learned, form, upstream)


def error(device: Device, op: str, given: Sequence[torch.Tensor], form: str) -> float:
    """Return the largest distance of value and gradients from float64 autograd, in units of the largest number of each; NaN where there is one."""
    *learned, upstream = (tensor.double() for tensor in given)
    learned = [tensor.requires_grad_() for tensor in learned]
    function = {"group": reference.group_rational, "edge": reference.edge_rational, "spline": reference.edge_spline}[op]
    y = function(*learned) if op == "spline" else function(*learned, form)
    truth = y.detach(), *torch.autograd.grad(y, learned[:3], upstream)
    distances = [(mine.double() - true).abs().max() / true.abs().max() for mine, true in zip(passed(device, op, given, form), truth)]
    return float(torch.stack(distances).max())


# -------------------------------------------------------------------------------------------------------------- order


@pytest.mark.parametrize("op", MADE)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_no_order_of_threads_and_blocks_changes_a_bit(shim_device: ShimDevice, dtype: torch.dtype, op: str) -> None:
    given = groups(dtype, (67, 1600), 4) if op == "group" else MADE[op](dtype)
    try:
        results = []
        for shim_device.order in range(4):
            results.append(passed(shim_device, op, given, "sum_abs"))
    finally:
        shim_device.order = 0
    for other in results[1:]:
        for mine, first in zip(other, results[0], strict=True):
            assert torch.equal(mine, first)


@pytest.mark.parametrize("multiprocessors", [1, 2, 13, 132])
def test_every_size_of_gpu_gets_all_the_work_done(shim_device: ShimDevice, monkeypatch: pytest.MonkeyPatch, multiprocessors: int) -> None:
    monkeypatch.setattr(shim_device, "multiprocessors", multiprocessors)
    assert error(shim_device, "group", groups(torch.float64), "square") < 1e-13
    assert error(shim_device, "edge", layer(torch.float64, 5, 3, 3001), "square") < 1e-13
    assert error(shim_device, "spline", splines(torch.float64, 5, 3, 3001), "") < 1e-13


def test_wide_and_narrow_entries_give_the_same_values(shim_device: ShimDevice) -> None:
    x, a, b, _ = groups(torch.float32, (67, 48), 6)
    assert launch.group_plan(Unit(x.dtype, "square", 5, 4), 67, 48, 6, True, 3).entry == "wide"
    moved = torch.empty(x.numel() + 1)[1:].view_as(x).copy_(x)
    assert torch.equal(launch.group_forward(shim_device, x, a, b, "square"), launch.group_forward(shim_device, moved, a, b, "square"))


# ----------------------------------------------------------------------------------------------------------- sanitizers

SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-DSHIM_SANITIZED", "-g")


def under_sanitizers(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run Python with the sanitizers of g++ loaded before everything else."""
    libraries = [subprocess.run([COMPILER, f"-print-file-name=lib{name}"], capture_output=True, text=True, check=True).stdout.strip()
                 for name in ("asan.so", "ubsan.so", "stdc++.so.6")]
    if not all(Path(path).is_absolute() for path in libraries):
        pytest.skip("the sanitizers of g++ are not installed here: install Debian's package libgcc-dev of this g++")
    environment = os.environ | {
        "LD_PRELOAD": ":".join(libraries),
        "ASAN_OPTIONS": "detect_leaks=0:detect_stack_use_after_return=0",     # Python keeps its memory, and threads are fibers
        "PYTHONMALLOC": "malloc",
    }
    return subprocess.run([sys.executable, "-c", code, str(folder)], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


SANITIZED_RUN = """
import sys
from pathlib import Path
import torch
from tests.kernels import test_text as text
from tests.kernels.shim import ShimDevice

device = ShimDevice(Path(sys.argv[1]), {mutate}, text.SANITIZERS)
for op, form, given in {cases}:
    print(op, text.error(device, op, given, form))
"""
CLEAN_CASES = """[
    (op, form, given)
    for form, dtype in (("sum_abs", torch.float32), ("square", torch.bfloat16))
    for op, given in (
        *(("group", text.groups(dtype, (rows, channels), n)) for rows, channels, n in ((1, 7, 7), (37, 40, 5), (5, 257, 1), (3, 3200, 1), (2, 771, 257))),
        *(("edge", text.layer(dtype, *sizes)) for sizes in ((1, 1, 7), (2, 5, 257), (37, 35, 3))),
        *(("spline", text.splines(dtype, *sizes)) for sizes in ((1, 1, 7, 4), (2, 5, 257, 8), (37, 35, 3, 13))),
    )
]"""


def test_sanitizers_find_nothing(tmp_path: Path) -> None:
    answer = under_sanitizers(SANITIZED_RUN.format(mutate="str", cases=CLEAN_CASES), tmp_path)
    assert answer.returncode == 0, answer.stderr[-3000:]
    assert len(answer.stdout.splitlines()) == 22
    assert all(float(line.split()[1]) < 1e-2 for line in answer.stdout.splitlines())


OUT_OF_BOUNDS = {
    "columns": ("group", "groups(torch.float32, (3, 3250), 1)", "at.inside = down < t.depth && within < t.span && at.column < at.row_length;", "at.inside = down < t.depth;"),
    "the row after the last": ("group", "groups(torch.float32, (5, 3250), 1)", "if (left > 1) {", "{"),
    "shared memory": ("edge", "layer(torch.float32)", "Real few[TERMS * LANES]", "Real few[TERMS * LANES - 1]"),
    "rows": ("spline", "splines(torch.float32, 3, 5, 257)", "if (at < rows && target + o < n_out) store", "if (target + o < n_out) store"),
    "targets": ("spline", "splines(torch.float32, 3, 5, 257)", "there = target + o < n_out && source", "there = (target + o < n_out || true) && source"),
}


@pytest.mark.parametrize("where", [where if where in ("columns", "shared memory", "targets") else pytest.param(where, marks=pytest.mark.slow) for where in OUT_OF_BOUNDS])
def test_sanitizers_find_an_access_out_of_bounds(tmp_path: Path, where: str) -> None:
    op, given, right, wrong = OUT_OF_BOUNDS[where]
    assert source(TEXT[op]).count(right) == 1
    answer = under_sanitizers(SANITIZED_RUN.format(mutate=f"lambda text: text.replace({right!r}, {wrong!r})", cases=f"[({op!r}, 'sum_abs', text.{given})]"), tmp_path)
    assert answer.returncode != 0
    assert re.search("heap-buffer-overflow|global-buffer-overflow|out of bounds", answer.stderr)


# -------------------------------------------------------------------------------------------------------- planted faults

GROUP_BARRIER = "shared + threadIdx.x);\n    }\n    __syncthreads();"
FAULTS = {
    "a barrier left out of the groups": ("group", "sum_abs", GROUP_BARRIER, GROUP_BARRIER.replace("\n    __syncthreads();", "")),
    "a barrier left out of the edges": ("edge", "square", "    __syncthreads();                    // nobody reads", "    // nobody reads"),
    "coefficients used before all are there": ("edge", "square", "        waiting[item] = c;\n    }\n    __syncthreads();", "        waiting[item] = c;\n    }"),
    "lanes added before all are there": ("edge", "square", "            few[item] = sum;\n        }\n        __syncthreads();", "            few[item] = sum;\n        }"),
    "the last sum before all are there": ("group", "square", "threadIdx.x] = sum;\n    __syncthreads();", "threadIdx.x] = sum;"),
    "a signed power for one of |x|": ("group", "sum_abs", "const Real z = FORM == 0 && j % 2 == 0 ? magnitude(power[j]) : power[j];", "const Real z = power[j];"),
    "the sign of b forgotten": ("group", "sum_abs", "denominator[(int64)group * N + (k - M - 1)] < Real(0)) sum = -sum;", "false) sum = -sum;"),
    "the sign of b forgotten on an edge": ("edge", "sum_abs", "denominator[(k - M - 1) * edges + edge] < Real(0)) sum = -sum;", "false) sum = -sum;"),
    "the sign of q forgotten": ("group", "abs_sum", "to.q = with_sign_of(to.p * f, q);", "to.q = to.p * f;"),
    "the slope of q^2 without its two": ("edge", "square", "to.q = to.p * (q + q) * f;", "to.q = to.p * q * f;"),
    "a short sum in the place of the long one": ("group", "square", "total[k * LINE] += (double)sums[k];", "total[k * LINE] = sums[k];"),
    "rows past the first stretch left out": ("edge", "square", "for (int64 start = 0; start < n_out; start += STRETCH)", "for (int64 start = 0; start < 1; start += STRETCH)"),
    "splines: coefficients taken before all are there": ("spline", "", "[(first + k) * n_out * n_in + edge];\n    }\n    __syncthreads();", "[(first + k) * n_out * n_in + edge];\n    }"),
    "splines: a barrier left out behind them": ("spline", "", "    __syncthreads();                    // nobody reads", "    // nobody reads"),
    "splines: lanes added before all are there": ("spline", "", "            few[item] = sum;\n        }\n        __syncthreads();", "            few[item] = sum;\n        }"),
    "splines: the slope of a falling flank": ("spline", "", "with_sign_of(fused(Real(2), f.near * f.near, Real(-0.5) * (f.wide * f.wide)) * range.inverse, f.t)", "fused(Real(2), f.near * f.near, Real(-0.5) * (f.wide * f.wide)) * range.inverse"),
    "splines: the base weight in every stretch": ("spline", "", "(is_base ? first == 0 : first + k < bases)", "(is_base || first + k < bases)"),
    "splines: only eight bases": ("spline", "", "for (int first = 0; first < (int)bases; first += BASES)\n        for", "for (int first = 0; first < 1; first += BASES)\n        for"),
    "splines: one knot too far": ("spline", "", "Real(1 - k)", "Real(-k)"),
    "splines: the stretch of u forgotten in its slope": ("spline", "", "s * fused(u, Real(1) - s, Real(1)) * range.stretch", "s * fused(u, Real(1) - s, Real(1))"),
    "splines: the base gradient in the place of another stretch": ("spline", "", "term >= bases : first > 0", "term >= bases : false"),
    "a slot that is one too high": ("group", "square", "const int64 slot = (int64)blockIdx.x * gridDim.z", "const int64 slot = (int64)blockIdx.x / 2 * gridDim.z"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_noticed(tmp_path: Path, fault: str) -> None:
    """As wrong numbers in one order of the threads or another: a device promises none."""
    op, form, right, wrong = FAULTS[fault]
    assert source(TEXT[op]).count(right) == 1
    device = ShimDevice(tmp_path, lambda text: text.replace(right, wrong))
    given = MADE[op](torch.float64)
    noticed = False
    for device.order in (0, 1, 2):
        noticed = noticed or not error(device, op, given, form) < 1e-9        # NaN is not below
    assert noticed


def test_a_thread_that_leaves_before_a_barrier_is_noticed(tmp_path: Path) -> None:
    device = ShimDevice(tmp_path, lambda text: text.replace("    if (at.inside) {\n        Coefficients c;", "    if (!at.inside) return;\n    {\n        Coefficients c;"))
    with pytest.raises(RuntimeError, match="group_backward_wide: a barrier that not every thread of the block reached"):
        passed(device, "group", groups(torch.float32, (67, 40), 5), "square")     # 380 threads of 384 have a place


def test_an_argument_too_few_is_noticed(shim_device: ShimDevice) -> None:
    x, a, *_ = groups(torch.float32)
    with pytest.raises(RuntimeError, match="sum_partials: a wrong number of arguments"):
        shim_device.launch(Unit(torch.float32, "square", 5, 4), "sum_partials", (1,), (32, 16), (x.data_ptr(), a.data_ptr(), 1))


# ------------------------------------------------------------------------------------------------------------- launches


def test_a_kernel_that_fails_leaves_no_gradient_behind(shim_device: ShimDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing:
        multiprocessors = 3

        def launch(self, unit: Unit, kernel: str, *rest: Sequence[int]) -> None:
            if kernel == "sum_partials":
                raise RuntimeError("the device is gone")
            shim_device.launch(unit, kernel, *rest)

    monkeypatch.setitem(engines.ENGINES, "failing", engines.DeviceEngine(lambda x: Failing()))
    learned = [tensor.requires_grad_() for tensor in groups(torch.float32)[:3]]
    y = group_rational(*learned, form="square", engine="failing")
    with pytest.raises(RuntimeError, match="the device is gone"):
        y.sum().backward()
    assert [tensor.grad for tensor in learned] == [None] * 3


def test_more_than_a_grid_takes_is_refused(shim_device: ShimDevice) -> None:
    with pytest.raises(NetworkError, match=r"140000 channels in 70000 groups|at most 65535"):
        launch.group_plan(Unit(torch.float32, "square", 5, 4), 1, 40_000_000, 20_000_000 * 2, True, 132)
    a, b = torch.empty(1, 70_000, 1), torch.empty(1, 70_000, 1)
    with pytest.raises(NetworkError, match="A rational layer 1 -> 70000 is more than a GPU kernel takes: at most 65535 nodes"):
        launch.edge_forward(shim_device, torch.ones(1, 3), a, b, "square")


@pytest.mark.parametrize("rows", [1, 7, 197 * 64, 10**9])
@pytest.mark.parametrize(("channels", "n_groups"), [(1, 1), (40, 8), (257, 257), (768, 8), (3072, 1), (100_003, 1), (65_536, 16_384)])
@pytest.mark.parametrize("dtype", list(COMPUTE), ids=str)
@pytest.mark.parametrize("degrees", [(5, 4), (8, 8)])
def test_a_plan_covers_every_channel_once_within_the_limits_of_a_gpu(
    dtype: torch.dtype, channels: int, n_groups: int, rows: int, degrees: tuple[int, int]
) -> None:
    unit = Unit(dtype, "sum_abs", *degrees)
    plan = launch.group_plan(unit, rows, channels, n_groups, True, 132)
    wide = unit.wide if plan.entry == "wide" else 1
    covered = [
        tile * plan.span + within
        for tile in range(plan.tiles)
        for piece in range(plan.pieces)
        for within in range(piece * plan.columns, min(plan.span, (piece + 1) * plan.columns))
    ]
    assert [column for column in covered if column < channels // wide] == list(range(channels // wide))
    assert plan.columns * plan.depth <= plan.block <= unit.threads
    assert plan.span % (channels // n_groups // wide) == 0      # a tile is whole groups, or one that is cut
    assert 1 <= plan.shares <= rows
    assert 1 <= plan.forward_shares <= rows
    bytes_shared = (unit.m + 1 + unit.n) * (unit.threads + 1) * torch.float64.itemsize
    assert bytes_shared <= 48 * 1024        # what every GPU gives without being asked


@pytest.mark.parametrize("rows", [1, 1031, 65_536, 131_135, 262_207, 10**9 + 7])
@pytest.mark.parametrize("wanted", [0, 1, 64, 10_000])
def test_spline_sums_are_shared_out_in_few_whole_blocks(rows: int, wanted: int) -> None:
    share = spline_launch._share(rows, wanted)
    assert share % 128 == 0
    assert -(-rows // share) <= 64


def test_a_spline_layer_that_no_grid_holds_is_refused(shim_device: ShimDevice) -> None:
    c, w = torch.empty(8, 1, 70_000), torch.empty(1, 70_000)
    with pytest.raises(NetworkError, match="A spline layer 70000 -> 1 of 8 bases is more than a GPU kernel takes: at most 65535 nodes"):
        spline_launch.forward(shim_device, torch.ones(70_000, 1), c, w, torch.ones(70_000, 2))


def test_every_form_is_another_function(shim_device: ShimDevice) -> None:
    x, a, b, _ = groups(torch.float64)
    values = [launch.group_forward(shim_device, x, a, b, form) for form in FORMS]
    assert not any(torch.allclose(one, other) for place, one in enumerate(values) for other in values[:place])
