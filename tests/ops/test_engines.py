"""One body of contracts for rational functions on every engine.

Truth is the reference in float64 on the numbers that an engine was given, rounded to its own type.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from numpy.testing import assert_allclose

from workbench.exceptions import NetworkError
from workbench.ops import engines, reference
from workbench.ops.autograd import edge_rational, group_rational
from workbench.ops.device import COMPUTE
from workbench.ops.rational import FORMS

if TYPE_CHECKING:
    from tests.kernels.shim import ShimDevice

OURS = {"group": group_rational, "edge": edge_rational}
TRUTH = {"group": reference.group_rational, "edge": reference.edge_rational}
DTYPES = list(COMPUTE)

# Largest error in units of the largest number of the truth. Sums of float32 run over some thousand terms; what is stored in 16 bits is rounded to
# them at the end (half a unit of the last place: 2^-9 and 2^-12), while coefficient gradients stay float32.
TOLERANCE = {torch.float64: 1e-13, torch.float32: 1e-5, torch.bfloat16: 2**-8, torch.float16: 2**-11}

# (shape of x, groups): odd sizes, one row, one channel a group, a group wider than a block, as many groups as channels nearly, many small groups
GROUPS = [((3, 7, 40), 5), ((257, 7), 7), ((1, 257), 1), ((7,), 1), ((5, 64), 8), ((37, 2, 96), 4), ((2, 3072), 1), ((3, 6000), 2), ((5, 2056), 257)]
LAYERS = [(2, 5, 257), (1, 1, 7), (7, 3, 1), (37, 35, 3), (3, 2, 1031)]     # n_in, n_out, rows


def place(engine: str) -> str:
    return "cuda" if engine == "cuda" else "cpu"


def numbers(shape: tuple[int, ...], seed: int) -> torch.Tensor:
    """Return numbers between -2 and 2, so that no power of one drowns the others."""
    return 4 * torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) - 2


def a_group(shape: tuple[int, ...], groups: int, degrees: tuple[int, int] = (5, 4), seed: int = 0) -> list[torch.Tensor]:
    """Return x, numerator, denominator and a gradient from above."""
    m, n = degrees
    return [numbers(shape, seed), numbers((groups, m + 1), seed + 1), numbers((groups, n), seed + 2), numbers(shape, seed + 3)]


def a_layer(n_in: int, n_out: int, rows: int, degrees: tuple[int, int] = (5, 4), seed: int = 0) -> list[torch.Tensor]:
    m, n = degrees
    shapes = (n_in, rows), (m + 1, n_out, n_in), (n, n_out, n_in), (n_out, rows)
    return [numbers(shape, seed + place) for place, shape in enumerate(shapes)]


def inputs(op: str, degrees: tuple[int, int] = (5, 4)) -> list[torch.Tensor]:
    return a_group((11, 21), 3, degrees) if op == "group" else a_layer(3, 2, 17, degrees)


def stored(given: list[torch.Tensor], dtype: torch.dtype, device: str) -> list[torch.Tensor]:
    x, a, b, upstream = given
    return [x.to(device, dtype), a.to(device, COMPUTE[dtype]), b.to(device, COMPUTE[dtype]), upstream.to(device, dtype)]


def passed(function: Callable[..., torch.Tensor], given: list[torch.Tensor], **options: str) -> list[torch.Tensor]:
    """Return the value and all gradients."""
    *learned, upstream = given
    learned = [tensor.detach().clone().requires_grad_() for tensor in learned]
    y = function(*learned, **options)
    return [y.detach(), *torch.autograd.grad(y, learned, upstream, materialize_grads=True)]    # degree 0 has nothing to learn below


def assert_right(engine: str, op: str, given: list[torch.Tensor], form: str, dtype: torch.dtype) -> None:
    given = stored(given, dtype, place(engine))
    mine = passed(OURS[op], given, form=form, engine=engine)
    truth = passed(TRUTH[op], [tensor.cpu().double() for tensor in given], form=form)
    kinds = dtype, dtype, COMPUTE[dtype], COMPUTE[dtype]
    for name, found, expected, kind in zip(("y", "dx", "da", "db"), mine, truth, kinds, strict=True):
        assert (found.dtype, found.shape) == (kind, expected.shape), name
        error = (found.cpu().double() - expected).abs().max() if expected.numel() else 0.0
        assert error <= TOLERANCE[kind] * expected.abs().max() if expected.numel() else True, (name, tuple(given[0].shape), float(error))


# -------------------------------------------------------------------------------------------------- values and gradients


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_groups_have_the_values_and_gradients_of_the_reference(engine: str, dtype: torch.dtype, form: str) -> None:
    for shape, groups in GROUPS:
        assert_right(engine, "group", a_group(shape, groups), form, dtype)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_edges_have_the_values_and_gradients_of_the_reference(engine: str, dtype: torch.dtype, form: str) -> None:
    for sizes in LAYERS:
        assert_right(engine, "edge", a_layer(*sizes), form, dtype)


@pytest.mark.parametrize(("degrees", "form"), [((8, 8), "square"), ((0, 1), "abs_sum"), ((2, 7), "sum_abs"), ((3, 0), "square")])
@pytest.mark.parametrize("op", OURS)
def test_all_degrees_that_are_offered_work(engine: str, op: str, degrees: tuple[int, int], form: str) -> None:
    given = inputs(op, degrees)
    given[0] = given[0] / 2     # 2^16 from one term of the square would hide the others
    assert_right(engine, op, given, form, torch.float64)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("op", OURS)
def test_nought_has_the_slope_of_the_positive_side(engine: str, op: str, form: str) -> None:
    given = inputs(op)
    given[2].zero_()            # an identity start
    given[0].view(-1)[::3] = 0.0
    given[0].view(-1)[1::3] = -0.0
    assert_right(engine, op, given, form, torch.float32)
    db = passed(OURS[op], stored(given, torch.float32, place(engine)), form=form, engine=engine)[3]
    assert (db.abs().sum() > 0) == (form != "square")       # 1 + q^2 is flat at q = 0


HUGE = [1e3, -1e3, 1e4, -1e5, 1e7, -1e8, 1e12, -1e20, 3e38, math.inf, -math.inf]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("degrees", [(5, 4), (8, 8)])
def test_huge_numbers_give_what_is_right_or_what_is_not_finite(engine: str, degrees: tuple[int, int], form: str) -> None:
    given = a_group((len(HUGE), 1), 1, degrees)
    given[0][:, 0] = torch.tensor(HUGE, dtype=torch.float64)
    given[3].fill_(1.0)
    given = stored(given, torch.float32, place(engine))
    y, dx, *_ = passed(group_rational, given, form=form, engine=engine)
    truth = passed(reference.group_rational, [tensor.cpu().double() for tensor in given], form=form)
    for found, expected in zip((y, dx), truth):
        kept = torch.isfinite(found.cpu()) & torch.isfinite(expected)
        assert_allclose(found.cpu().double()[kept].numpy(), expected[kept].numpy(), rtol=1e-3, atol=1e-6)
    assert torch.isfinite(y[:2]).all()      # a thousand is no reason to give up


@pytest.mark.parametrize("op", OURS)
def test_a_gradient_is_not_lost_on_the_way_where_its_factors_are_small(engine: str, op: str) -> None:
    """1 / D^2 = 1e-40 is no float32, 2 q / D^2 is one."""
    given = [torch.ones(1, 1), torch.ones(1, 1), torch.full((1, 1), 1e10), torch.ones(1, 1)]
    given = [tensor if op == "group" or number in (0, 3) else tensor[None] for number, tensor in enumerate(given)]
    slope = passed(OURS[op], stored(given, torch.float32, place(engine)), form="square", engine=engine)[3]
    assert_allclose(slope.cpu().reshape(-1).numpy(), [-2e-30], rtol=1e-5)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_a_nan_spoils_its_own_number_and_its_own_group(engine: str, dtype: torch.dtype, form: str) -> None:
    given = stored(a_group((13, 6), 3), dtype, place(engine))
    clean = passed(group_rational, given, form=form, engine=engine)
    given[0][4, 3] = math.nan               # of the second group
    y, dx, da, db = passed(group_rational, given, form=form, engine=engine)
    where = torch.zeros(13, 6, dtype=torch.bool)
    where[4, 3] = True
    for found, before in ((y, clean[0]), (dx, clean[1])):
        assert torch.equal(found.isnan().cpu(), where)
        assert torch.equal(found.cpu()[~where], before.cpu()[~where])
    for found, before in ((da, clean[2]), (db, clean[3])):
        assert found[1].isnan().all()
        assert torch.equal(found[::2], before[::2])


def test_a_nan_spoils_its_row_of_a_layer_and_the_edges_it_came_by(engine: str) -> None:
    given = stored(a_layer(3, 2, 17), torch.float32, place(engine))
    given[0][1, 5] = math.nan
    y, dx, da, db = passed(edge_rational, given, form="sum_abs", engine=engine)
    assert y.isnan().any(0).nonzero().tolist() == [[5]]
    assert dx.isnan().nonzero().tolist() == [[1, 5]]
    assert da.isnan().any(0).tolist() == db.isnan().any(0).tolist() == [[False, True, False]] * 2


# ------------------------------------------------------------------------------------------------------ what is promised


@pytest.mark.parametrize("op", OURS)
def test_the_same_bits_come_out_again(engine: str, op: str) -> None:
    given = stored(inputs(op), torch.float32, place(engine))
    first = passed(OURS[op], given, form="sum_abs", engine=engine)
    for mine, again in zip(first, passed(OURS[op], given, form="sum_abs", engine=engine)):
        assert torch.equal(mine, again)


@pytest.mark.parametrize("op", OURS)
def test_strides_change_nothing(engine: str, op: str) -> None:
    given = stored(inputs(op), torch.float32, place(engine))
    strided = [torch.stack([tensor, tensor], -1).transpose(0, 1).contiguous().transpose(0, 1)[..., 0] for tensor in given]
    assert not any(tensor.is_contiguous() for tensor in strided)
    for mine, theirs in zip(passed(OURS[op], given, form="square", engine=engine), passed(OURS[op], strided, form="square", engine=engine)):
        assert torch.equal(mine, theirs)


def test_an_address_that_is_not_aligned_changes_no_value(engine: str) -> None:
    x, a, b, _ = stored(a_group((5, 64), 8), torch.float32, place(engine))
    moved = torch.empty(x.numel() + 1, device=x.device)[1:].view_as(x).copy_(x)
    assert moved.data_ptr() % 16
    assert torch.equal(group_rational(moved, a, b, form="square", engine=engine), group_rational(x, a, b, form="square", engine=engine))


def test_no_rows_give_no_values_and_gradients_of_nought(engine: str) -> None:
    for op, given in (("group", a_group((0, 3, 8), 2)), ("edge", a_layer(3, 2, 0))):
        mine = passed(OURS[op], stored(given, torch.float32, place(engine)), form="square", engine=engine)
        assert mine[0].shape == given[3].shape
        assert mine[1].shape == given[0].shape
        for found, coefficients in zip(mine[2:], given[1:3]):
            assert torch.equal(found.cpu(), torch.zeros_like(coefficients, dtype=torch.float32))


def test_one_numerator_is_shared_by_all_groups(engine: str) -> None:
    x, a, b, upstream = stored(a_group((11, 21), 3), torch.float64, place(engine))
    y, dx, da, db = passed(group_rational, [x, a[:1], b, upstream], form="abs_sum", engine=engine)
    each = passed(group_rational, [x, a[:1].repeat(3, 1), b, upstream], form="abs_sum", engine=engine)
    assert torch.equal(y, each[0])
    assert da.shape == (1, 6)
    assert_allclose(da[0].cpu().numpy(), each[2].sum(0).cpu().numpy(), rtol=1e-13)


@pytest.mark.parametrize("op", OURS)
def test_only_what_is_learned_gets_a_gradient(engine: str, op: str) -> None:
    x, a, b, upstream = stored(inputs(op), torch.float64, place(engine))
    a.requires_grad_()
    OURS[op](x, a, b, form="square", engine=engine).backward(upstream)
    assert_allclose(a.grad.cpu().numpy(), passed(OURS[op], [x, a, b, upstream], form="square", engine=engine)[2].cpu().numpy(), rtol=0)
    assert x.grad is None
    assert b.grad is None


@pytest.mark.parametrize("op", OURS)
def test_second_derivatives_agree_with_finite_differences(engine: str, op: str) -> None:
    given = a_group((3, 4), 2, (2, 2)) if op == "group" else a_layer(2, 2, 3, (2, 2))
    learned = [tensor.to(place(engine)).requires_grad_() for tensor in given[:3]]
    assert torch.autograd.gradgradcheck(lambda *tensors: OURS[op](*tensors, form="square", engine=engine), learned)


def test_second_derivatives_do_not_go_twice_along_a_way_between_the_inputs(engine: str) -> None:
    x = numbers((3, 4), 7).to(place(engine)).requires_grad_()

    def by(function: Callable[..., torch.Tensor], **options: str) -> list[torch.Tensor]:
        a = x.mean(0)[:3].reshape(1, 3)     # the numerator comes from x itself
        y = function(x, a, a[:, 1:], form="square", **options)
        (slope,) = torch.autograd.grad(y.square().sum(), x, create_graph=True)
        return [slope.detach(), *torch.autograd.grad(slope.square().sum(), x)]

    for mine, truth in zip(by(group_rational, engine=engine), by(reference.group_rational)):
        assert_allclose(mine.cpu().numpy(), truth.cpu().numpy(), rtol=1e-10)


# -------------------------------------------------------------------------------------------------------- torch.compile


@pytest.mark.parametrize("op", OURS)
def test_a_compiled_graph_is_whole_and_gives_the_same(engine: str, op: str) -> None:
    given = stored(inputs(op), torch.float32, place(engine))

    def twice(*tensors: torch.Tensor) -> torch.Tensor:
        return OURS[op](*tensors, form="sum_abs", engine=engine) * 2

    compiled = torch.compile(twice, fullgraph=True, backend="aot_eager")
    for mine, eager in zip(passed(compiled, given), passed(twice, given)):
        assert torch.equal(mine, eager)


def test_the_choice_of_an_engine_is_no_part_of_a_compiled_graph() -> None:
    given = stored(inputs("group"), torch.float32, "cpu")
    compiled = torch.compile(lambda *tensors: group_rational(*tensors, form="square"), fullgraph=True, backend="aot_eager")
    for mine, eager in zip(passed(compiled, given), passed(group_rational, given, form="square", engine="cpu")):
        assert torch.equal(mine, eager)


@pytest.mark.parametrize("op", OURS)
def test_the_operator_keeps_what_torch_asks_of_operators(engine: str, op: str) -> None:
    if engine == "reference":
        pytest.skip("the reference is no operator of a graph: it is traced")
    learned = [tensor.requires_grad_() for tensor in stored(inputs(op), torch.float32, place(engine))[:3]]
    torch.library.opcheck(torch.ops.kan_workbench.op.default, (learned, op, "square", engine))


# ------------------------------------------------------------------------------------------------------------ on a device


@pytest.mark.gpu
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("op", OURS)
def test_a_gpu_gives_the_float64_bits_of_the_text_on_a_cpu(shim_device: ShimDevice, monkeypatch: pytest.MonkeyPatch, op: str, form: str) -> None:
    """The same text, shared out for the same number of multiprocessors; every a b + c in it is written as one operation."""
    monkeypatch.setattr(shim_device, "multiprocessors", torch.cuda.get_device_properties(0).multi_processor_count)
    monkeypatch.setitem(engines.ENGINES, "shim", engines.DeviceEngine(lambda x: shim_device))
    on_cpu = passed(OURS[op], inputs(op), form=form, engine="shim")
    for mine, theirs in zip(passed(OURS[op], stored(inputs(op), torch.float64, "cuda"), form=form, engine="cuda"), on_cpu, strict=True):
        assert torch.equal(mine.cpu(), theirs)


@pytest.mark.gpu
@pytest.mark.parametrize("op", OURS)
def test_a_step_can_be_captured_in_a_graph(op: str) -> None:
    given = stored(inputs(op), torch.float32, "cuda")
    eager = passed(OURS[op], given, form="square", engine="cuda")       # compiles the kernels, too
    *learned, upstream = given
    learned = [tensor.requires_grad_() for tensor in learned]
    stream, graph = torch.cuda.Stream(), torch.cuda.CUDAGraph()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        torch.autograd.grad(OURS[op](*learned, form="square", engine="cuda"), learned, upstream)
    torch.cuda.current_stream().wait_stream(stream)
    with torch.cuda.graph(graph):
        y = OURS[op](*learned, form="square", engine="cuda")
        captured = [y.detach(), *torch.autograd.grad(y, learned, upstream)]
    for _ in range(2):
        graph.replay()
        for mine, theirs in zip(captured, eager, strict=True):
            assert torch.equal(mine, theirs)


# ---------------------------------------------------------------------------------------------------------------- refusals


@pytest.fixture
def fresh_choice() -> Iterator[None]:
    """Forget what was chosen and said before this test, and afterwards what this test chose."""
    for remembered in (engines._choice, engines._say_once):
        remembered.cache_clear()
    yield
    for remembered in (engines._choice, engines._say_once):
        remembered.cache_clear()


def small(dtype: torch.dtype = torch.float32, device: str = "cpu") -> list[torch.Tensor]:
    return [torch.ones(2, 4, dtype=dtype, device=device), torch.ones(2, 3, device=device), torch.ones(2, 2, device=device)]


@pytest.mark.usefixtures("fresh_choice")
def test_auto_says_once_what_it_took(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="workbench.ops")
    for _ in range(3):
        group_rational(*small(), form="square")
    assert [record.message for record in caplog.records] == ["engine='auto' took 'cpu' for tensors on cpu."]


@pytest.mark.parametrize(
    ("given", "options", "words"),
    [
        (small(), {"engine": "cpuu"}, r"no such engine. Did you mean 'cpu'\? Known: auto, cpu, cuda, reference"),
        (small(), {"engine": "cuda"}, r"engine='cuda' works on tensors of a cuda device; x is on cpu. Move it"),
        (small(device="meta"), {"engine": "cpu"}, r"engine='cpu' works on tensors of a cpu device; x is on meta"),
        (small(), {"form": "sum_abz"}, r"no such denominator. Did you mean 'sum_abs'\?"),
        (small(torch.int64), {}, "takes float64, float32, bfloat16 or float16 numbers; x is torch.int64"),
        ([small(device="meta")[0], *small()[1:]], {}, "x is on meta, the numerator on cpu, the denominator on cpu: move all to one device"),
        ([torch.ones(2, 5), *small()[1:]], {}, "5 channels out to 2 groups: the groups must divide the channels"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_reason(given: list[torch.Tensor], options: dict[str, str], words: str) -> None:
    with pytest.raises(NetworkError, match=words):
        group_rational(*given, **{"form": "square"} | options)


def test_a_layer_that_does_not_fit_is_refused() -> None:
    with pytest.raises(NetworkError, match=r"x \(n_in, n_rows\), numerator \(m \+ 1, n_out, n_in\)"):
        edge_rational(torch.ones(3, 7), torch.ones(6, 2, 2), torch.ones(4, 2, 2), form="square")


BARE_MACHINE = """
import sys

class Absent:
    names = {"hypothesis", "pandas", "pyarrow", "sklearn", "streamlit", "plotly", "platformdirs", "threadpoolctl", "playwright", "importlinter", "safetensors"}

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Absent())
import pytest
sys.exit(pytest.main(["-m", "gpu", "--collect-only", "-q", "tests"]))
"""


def test_contracts_for_a_gpu_need_only_what_such_a_machine_has() -> None:
    """`pytest -m gpu` must do with torch, cupy, numpy, numba, scipy, sympy and pytest."""
    environment = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-c", BARE_MACHINE]
    answer = subprocess.run(command, cwd=Path(__file__).parents[2], env=environment, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout[-3000:] + answer.stderr[-3000:]
    assert "test_engines.py" in answer.stdout
