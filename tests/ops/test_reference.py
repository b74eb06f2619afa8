"""The specification of rational functions against what was published about them, finite differences and NumPy."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from workbench.ops import reference
from workbench.ops.rational import FORMS

# Coefficients as published (Yang & Wang 2024, kat_rational's init.json): name, form, a_0 ... a_5, b_1 ... b_4, worst error on [-3, 3].
GELU = ([-0.00153969, 0.51692871, 0.44075827, 0.0972553, -0.00884418, -0.00378675], [-0.14171056, -0.06481231, -0.0444695, 0.01283776])
SILU = (
    [3.0549e-07, 0.5000007854, 0.2499978342, 0.0532662827, 0.0058030346, 0.0002751961],
    [-4.1116e-06, 0.1065289934, -1.2690e-06, 0.0005502331],
)
PUBLISHED = {
    "gelu in the form it was fitted in": (GELU, "abs_sum", "gelu", 2.95e-3),
    "gelu in the form of the GPU kernels": (GELU, "sum_abs", "gelu", 1.46),
    "silu": (SILU, "sum_abs", "silu", 1.2e-6),
    "silu in the other form": (SILU, "abs_sum", "silu", 1.3e-4),
}
TRUTH = {"gelu": lambda x: 0.5 * x * (1 + torch.erf(x / math.sqrt(2))), "silu": lambda x: x * torch.sigmoid(x)}


def numbers(*shape: int, seed: int = 5) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape))


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_coefficients_have_the_errors_that_were_found_in_them(name: str) -> None:
    (a, b), form, activation, error = PUBLISHED[name]
    x = torch.linspace(-3, 3, 6001, dtype=torch.float64)
    y = reference.group_rational(x[:, None], torch.tensor([a], dtype=torch.float64), torch.tensor([b], dtype=torch.float64), form)[:, 0]
    assert_allclose(float((y - TRUTH[activation](x)).abs().max()), error, rtol=0.06)     # the errors are published with two digits


@pytest.mark.parametrize("form", FORMS)
def test_values_are_the_quotient_written_out(form: str) -> None:
    x, a, b = numbers(7, 6), numbers(3, 4), numbers(3, 2, seed=6)
    y = reference.group_rational(x, a, b, form)
    for (row, channel), value in np.ndenumerate(x.numpy()):
        (a0, a1, a2, a3), (b1, b2) = a[channel // 2].numpy(), b[channel // 2].numpy()
        q = b1 * value + b2 * value**2
        d = {"sum_abs": 1 + abs(b1 * value) + abs(b2 * value**2), "abs_sum": 1 + abs(q), "square": 1 + q**2}[form]
        assert_allclose(float(y[row, channel]), (a0 + a1 * value + a2 * value**2 + a3 * value**3) / d, rtol=1e-12)


@pytest.mark.parametrize("form", FORMS)
def test_an_edge_layer_is_a_sum_of_groups(form: str) -> None:
    x, a, b = numbers(3, 7), numbers(4, 2, 3), numbers(2, 2, 3, seed=6)
    y = reference.edge_rational(x, a, b, form)
    for o in range(2):
        groups = reference.group_rational(x.T, a[:, o].T, b[:, o].T, form)      # one group an input
        assert_allclose(y[o].numpy(), groups.sum(1).numpy(), rtol=1e-12)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("op", ["group", "edge"])
def test_autograd_agrees_with_finite_differences_twice(op: str, form: str) -> None:
    shapes = {"group": [(3, 4), (2, 3), (2, 2)], "edge": [(2, 3), (3, 2, 2), (2, 2, 2)]}[op]
    inputs = tuple(numbers(*shape, seed=seed).requires_grad_() for seed, shape in enumerate(shapes))
    function = {"group": reference.group_rational, "edge": reference.edge_rational}[op]
    assert torch.autograd.gradcheck(lambda *given: function(*given, form), inputs)
    assert torch.autograd.gradgradcheck(lambda *given: function(*given, form), inputs)


@pytest.mark.parametrize("form", ["sum_abs", "abs_sum"])
def test_an_identity_start_can_learn_its_denominator(form: str) -> None:
    x, a, b = numbers(5, 1), torch.tensor([[0.0, 1.0]], dtype=torch.float64), torch.zeros(1, 2, dtype=torch.float64, requires_grad=True)
    reference.group_rational(x, a, b, form).sum().backward()
    z = x.abs() if form == "sum_abs" else x
    assert_allclose(b.grad[0].numpy(), [float(-(x * z**j).sum()) for j in (1, 2)], rtol=1e-12)       # sign(0) = +1: dL/db_j = -sum of x z^j


def test_the_slope_of_a_magnitude_at_nought_is_one_whatever_the_sign_of_nought() -> None:
    x = torch.tensor([[0.0], [-0.0]], dtype=torch.float64, requires_grad=True)
    a, b = torch.tensor([[2.0]], dtype=torch.float64), torch.tensor([[3.0]], dtype=torch.float64)
    reference.group_rational(x, a, b, "sum_abs").sum().backward()
    assert_allclose(x.grad.numpy(), [[-6.0], [-6.0]])
