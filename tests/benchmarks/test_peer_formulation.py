"""The peer of the layer benchmark is the function it claims to be, and the same one as ours: else the ratio would mean nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from scipy.interpolate import BSpline

from benchmarks import spline_layer
from benchmarks.efficient_kan import EfficientKANLayer
from workbench.ops import spline


def layer(n_in: int, n_out: int, n_bases: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(2)
    return generator.normal(size=(n_bases, n_out, n_in)), generator.normal(size=(n_out, n_in))


@pytest.mark.parametrize("n_bases", [5, 8, 13])
def test_the_recursion_gives_the_splines_of_scipy(n_bases: int) -> None:
    coefficients, base = (torch.from_numpy(values) for values in layer(3, 2, n_bases))
    x = np.random.default_rng(3).uniform(-1, 1, (101, 3))
    bases = EfficientKANLayer(coefficients, base).bases(torch.from_numpy(x)).numpy()
    knots = -1 + 2 / (n_bases - 3) * np.arange(-3, n_bases + 1)
    for i in range(3):
        assert_allclose(bases[:, i], BSpline.design_matrix(x[:, i], knots, 3).toarray(), atol=1e-14)


@pytest.mark.parametrize(("n_in", "n_out"), [(2, 5), (13, 17)])
def test_peer_and_op_agree_in_values_and_all_gradients(n_in: int, n_out: int) -> None:
    coefficients, base = layer(n_in, n_out, 8)
    generator = np.random.default_rng(7)
    x, upstream = generator.uniform(-1, 1, (n_in, 211)), generator.normal(size=(n_out, 211))
    domain = np.tile([-1.0, 1.0], (n_in, 1))
    peer = EfficientKANLayer(torch.from_numpy(coefficients), torch.from_numpy(base))
    rows = torch.from_numpy(x.T.copy()).requires_grad_()
    y = peer(rows)
    y.backward(torch.from_numpy(upstream.T.copy()))
    assert_allclose(spline.forward(x, coefficients, base, domain), y.detach().numpy().T, atol=1e-12)
    into_x, into_coefficients, into_base = spline.backward(x, coefficients, base, domain, upstream)
    assert_allclose(into_x, rows.grad.numpy().T, atol=1e-11)
    assert_allclose(into_coefficients, peer.spline_weight.grad.numpy().transpose(2, 0, 1), atol=1e-11)
    assert_allclose(into_base, peer.base_weight.grad.numpy(), atol=1e-11)


def test_the_sides_that_are_timed_return_the_same_numbers() -> None:
    answers = {name: [np.asarray(v.detach() if torch.is_tensor(v) else v) for v in side()] for name, side in spline_layer.sides(3, 7).items()}
    y, into_x, into_coefficients, into_base = answers["peer"]
    for name in ("op", "autograd"):
        for mine, theirs in zip(answers[name], (y.T, into_x.T, into_coefficients.transpose(2, 0, 1), into_base), strict=True):
            assert_allclose(mine, theirs, rtol=0, atol=2e-4 * np.abs(theirs).max())     # float32 sums over 1000 rows
