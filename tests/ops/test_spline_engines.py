"""One body of contracts for spline layers on every engine.

Truth is the reference in float64 on the numbers that an engine was given, rounded to its own type; that the reference itself is right, scipy says.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from scipy.interpolate import BSpline

from workbench.exceptions import NetworkError
from workbench.ops import engines, reference
from workbench.ops.autograd import edge_spline
from workbench.ops.device import COMPUTE

if TYPE_CHECKING:
    from tests.kernels.shim import ShimDevice

DTYPES = list(COMPUTE)

# Largest error in units of the largest number of the truth. A float32 input is known to 6e-8 of its range, and the slope of a spline near a knot with
# it; what is stored in 16 bits is rounded to them at the end (half a unit of the last place: 2^-9 and 2^-12), while coefficient gradients stay float32.
TOLERANCE = {torch.float64: 1e-13, torch.float32: 2e-5, torch.bfloat16: 2**-8, torch.float16: 2**-11}

# n_in, n_out, bases, rows: one of everything; fewer, as many and more bases than are taken at once; more nodes than a block takes; many rows
LAYERS = [(1, 1, 4, 1), (2, 5, 8, 257), (7, 3, 13, 41), (37, 35, 9, 3), (3, 2, 23, 1031)]


def place(engine: str) -> str:
    return "cuda" if engine == "cuda" else "cpu"


def a_layer(n_in: int, n_out: int, bases: int, rows: int) -> list[torch.Tensor]:
    """Return x, coefficients, base weights, domain and a gradient from above; one x in four lies beyond its range."""
    generator = np.random.default_rng(n_in)
    low = generator.uniform(-3, 3, n_in)
    domain = np.stack([low, low + generator.uniform(0.5, 4, n_in)], axis=1)
    x = low[:, None] + (domain[:, 1] - low)[:, None] * generator.uniform(-0.2, 1.2, (n_in, rows))
    shapes = (bases, n_out, n_in), (n_out, n_in), (n_out, rows)
    c, w, upstream = (generator.normal(size=shape) for shape in shapes)
    return [torch.from_numpy(values) for values in (x, c, w, domain, upstream)]


def stored(given: list[torch.Tensor], dtype: torch.dtype, device: str) -> list[torch.Tensor]:
    kinds = (dtype, *(COMPUTE[dtype],) * 3, dtype)
    return [tensor.to(device, kind) for tensor, kind in zip(given, kinds, strict=True)]


def passed(given: list[torch.Tensor], engine: str = "") -> list[torch.Tensor]:
    """Return the value and all gradients, of the reference itself where no engine is named."""
    x, c, w, domain, upstream = given
    learned = [tensor.detach().clone().requires_grad_() for tensor in (x, c, w)]
    y = edge_spline(*learned, domain, engine=engine) if engine else reference.edge_spline(*learned, domain)
    return [y.detach(), *torch.autograd.grad(y, learned, upstream)]


# -------------------------------------------------------------------------------------------------- values and gradients


def test_the_reference_is_a_b_spline_of_scipy() -> None:
    x, c, w, domain, _ = (tensor.numpy() for tensor in a_layer(3, 2, 9, 101))
    y = np.zeros((2, 101))
    for i, (low, high) in enumerate(domain):
        knots = low + (high - low) / 6 * np.arange(-7, 14)     # four more at both ends: zero beyond the support, not extrapolated
        padded = np.concatenate([np.zeros((4, 2)), c[:, :, i], np.zeros((4, 2))])
        u = (2 * x[i] - low - high) / (high - low)
        y += BSpline(knots, padded, 3)(x[i]).T + np.outer(w[:, i], u / (1 + np.exp(-u)))
    assert_allclose(reference.edge_spline(*map(torch.from_numpy, (x, c, w, domain))).numpy(), y, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_splines_have_the_values_and_gradients_of_the_reference(engine: str, dtype: torch.dtype) -> None:
    for sizes in LAYERS:
        given = stored(a_layer(*sizes), dtype, place(engine))
        truth = passed([tensor.cpu().double() for tensor in given])
        kinds = dtype, dtype, COMPUTE[dtype], COMPUTE[dtype]
        for name, found, expected, kind in zip(("y", "dx", "dc", "dw"), passed(given, engine), truth, kinds, strict=True):
            assert (found.dtype, found.shape) == (kind, expected.shape), name
            error = (found.cpu().double() - expected).abs().max()
            assert error <= TOLERANCE[kind] * expected.abs().max(), (name, sizes, float(error))


def test_a_layer_at_its_knots_has_the_slope_of_the_reference(engine: str) -> None:
    x = torch.linspace(-4.0, 4.0, 33, dtype=torch.float64)[None]       # every knot of a domain from -1 to 1, and half way between
    _, c, w, _, upstream = a_layer(1, 2, 8, 33)
    given = stored([x, c, w, torch.tensor([[-1.0, 1.0]]), upstream], torch.float64, place(engine))
    for mine, truth in zip(passed(given, engine), passed([tensor.cpu() for tensor in given]), strict=True):
        assert_allclose(mine.cpu().numpy(), truth.numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("dtype", "huge"), [(torch.float64, 1e200), (torch.float32, 1e30), (torch.bfloat16, 1e30)])
def test_far_from_the_range_only_the_base_term_is_left(engine: str, dtype: torch.dtype, huge: float) -> None:
    x = torch.tensor([[-huge, huge]], dtype=torch.float64)
    given = stored([x, torch.ones(8, 1, 1), torch.full((1, 1), 2.0), torch.tensor([[-1.0, 1.0]]), torch.ones(1, 2)], dtype, place(engine))
    y, dx, dc, _ = passed(given, engine)
    assert_allclose(y.cpu().double().numpy(), [[0.0, 2 * huge]], rtol=1e-2)
    assert_allclose(dx.cpu().double().numpy(), [[0.0, 2.0]])
    assert not dc.any()


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_a_nan_spoils_its_row_and_the_base_gradients_of_its_input(engine: str, dtype: torch.dtype) -> None:
    given = stored(a_layer(3, 2, 13, 17), dtype, place(engine))
    clean = passed(given, engine)
    given[0][1, 5] = math.nan
    y, dx, _, dw = passed(given, engine)
    assert y.isnan().any(0).nonzero().tolist() == [[5]]
    assert y[:, 5].isnan().all()
    assert dx.isnan().nonzero().tolist() == [[1, 5]]
    assert dw.isnan().tolist() == [[False, True, False]] * 2
    assert torch.equal(dw[:, ::2], clean[3][:, ::2])


# ------------------------------------------------------------------------------------------------------ what is promised


def test_the_same_bits_come_out_again(engine: str) -> None:
    given = stored(a_layer(3, 2, 13, 1031), torch.float32, place(engine))
    for mine, again in zip(passed(given, engine), passed(given, engine), strict=True):
        assert torch.equal(mine, again)


def test_strides_and_a_coarser_type_of_coefficients_change_nothing(engine: str) -> None:
    given = stored(a_layer(3, 2, 8, 17), torch.float64, place(engine))
    given[1:4] = [tensor.float().double() for tensor in given[1:4]]     # numbers that float32 holds
    coarse = [given[0], *(tensor.float() for tensor in given[1:4]), given[4]]
    strided = [torch.stack([tensor, tensor], -1).transpose(0, 1).contiguous().transpose(0, 1)[..., 0] for tensor in given]
    assert not any(tensor.is_contiguous() for tensor in strided)
    for mine, theirs, others in zip(passed(given, engine), passed(strided, engine), passed(coarse, engine), strict=True):
        assert torch.equal(mine, theirs)
        assert_allclose(others.double().cpu().numpy(), mine.cpu().numpy(), rtol=1e-6, atol=1e-6)


def test_no_rows_give_no_values_and_gradients_of_nought(engine: str) -> None:
    given = stored(a_layer(3, 2, 8, 0), torch.float32, place(engine))
    y, dx, dc, dw = passed(given, engine)
    assert (y.shape, dx.shape) == ((2, 0), (3, 0))
    assert torch.equal(dc.cpu(), torch.zeros(8, 2, 3))
    assert torch.equal(dw.cpu(), torch.zeros(2, 3))


def test_second_derivatives_agree_with_finite_differences(engine: str) -> None:
    x, c, w, domain, _ = stored(a_layer(2, 2, 5, 3), torch.float64, place(engine))
    learned = [tensor.requires_grad_() for tensor in (x, c, w)]
    assert torch.autograd.gradgradcheck(lambda *given: edge_spline(*given, domain, engine=engine), learned)


def test_a_compiled_graph_is_whole_and_gives_the_same(engine: str) -> None:
    x, c, w, domain, upstream = stored(a_layer(3, 2, 8, 17), torch.float32, place(engine))
    learned = [tensor.requires_grad_() for tensor in (x, c, w)]

    def twice(*given: torch.Tensor) -> torch.Tensor:
        return edge_spline(*given, domain, engine=engine) * 2

    compiled = torch.compile(twice, fullgraph=True, backend="aot_eager")
    for mine, eager in zip(*(torch.autograd.grad(function(*learned), learned, upstream) for function in (compiled, twice)), strict=True):
        assert torch.equal(mine, eager)


def test_the_operator_keeps_what_torch_asks_of_operators(engine: str) -> None:
    if engine == "reference":
        pytest.skip("the reference is no operator of a graph: it is traced")
    x, c, w, domain, _ = stored(a_layer(3, 2, 8, 17), torch.float32, place(engine))
    tensors = [*(tensor.requires_grad_() for tensor in (x, c, w)), domain]
    torch.library.opcheck(torch.ops.kan_workbench.op.default, (tensors, "spline", "", engine))


# ------------------------------------------------------------------------------------------------------------ on a device


@pytest.mark.gpu
def test_a_gpu_gives_the_float64_bits_of_the_text_on_a_cpu(shim_device: ShimDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(engines.ENGINES, "shim", engines.DeviceEngine(lambda x: shim_device))
    given = a_layer(3, 2, 13, 1031)
    for mine, theirs in zip(passed(stored(given, torch.float64, "cuda"), "cuda"), passed(given, "shim"), strict=True):
        assert torch.equal(mine.cpu(), theirs)


@pytest.mark.gpu
def test_a_step_can_be_captured_in_a_graph() -> None:
    x, c, w, domain, upstream = stored(a_layer(3, 2, 13, 1031), torch.float32, "cuda")
    eager = passed([x, c, w, domain, upstream], "cuda")       # compiles the kernels, too
    learned = [tensor.requires_grad_() for tensor in (x, c, w)]
    stream, graph = torch.cuda.Stream(), torch.cuda.CUDAGraph()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        torch.autograd.grad(edge_spline(*learned, domain, engine="cuda"), learned, upstream)
    torch.cuda.current_stream().wait_stream(stream)
    with torch.cuda.graph(graph):
        y = edge_spline(*learned, domain, engine="cuda")
        captured = [y.detach(), *torch.autograd.grad(y, learned, upstream)]
    graph.replay()
    for mine, theirs in zip(captured, eager, strict=True):
        assert torch.equal(mine, theirs)


# ---------------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({1: torch.ones(8, 2, 2)}, r"got \(3, 7\), \(8, 2, 2\), \(2, 3\) and \(3, 2\)"),
        ({1: torch.ones(3, 2, 3)}, "n_bases >= 4"),
        ({0: torch.ones(3, 7, dtype=torch.int64)}, r"A spline layer takes float64, float32, bfloat16 or float16 numbers; x is torch\.int64"),
        ({2: torch.ones(2, 3, device="meta")}, "x is on cpu, the coefficients on cpu, the base weights on meta, the domain on cpu: move all to one device"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_reason(change: dict[int, torch.Tensor], words: str) -> None:
    given = [torch.ones(3, 7), torch.ones(8, 2, 3), torch.ones(2, 3), torch.tensor([[-1.0, 1.0]] * 3)]
    for number, tensor in change.items():
        given[number] = tensor
    with pytest.raises(NetworkError, match=words):
        edge_spline(*given)
