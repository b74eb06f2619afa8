"""Rational edges of a layer against float64 NumPy and finite differences: every form, degrees from (0, 0) to (8, 8), odd sizes, bad numbers."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from workbench.ops import rational_layer
from workbench.ops.rational import FORMS

SIZES = [(2, 3, 5, 4, 1), (3, 2, 0, 0, 7), (5, 3, 8, 8, 257), (2, 5, 3, 0, 601), (7, 2, 0, 3, 101)]  # n_in, n_out, m, n, n_rows


class Layer:
    """A layer with edges left out, and its function in plain NumPy."""

    def __init__(self, n_in: int, n_out: int, m: int, n: int, n_rows: int, form: str) -> None:
        generator = np.random.default_rng(3)
        low = generator.uniform(-3, 3, n_in)
        self.domain = np.stack([low, low + generator.uniform(0.5, 4, n_in)], axis=1)
        self.x = low[:, None] + np.diff(self.domain) * generator.uniform(-0.4, 1.4, (n_in, n_rows))  # beyond both ends too
        places = [(i, o) for i in range(n_in) for o in range(n_out) if (i, o) != (1, 0)]
        self.source, self.target = map(np.array, zip(*places, strict=True))
        self.theta = generator.normal(size=(len(places), m + 1 + n))
        self.m, self.form, self.n_out = m, form, n_out
        self.kind = (m + 1, FORMS.index(form))

    def edges(self, theta: np.ndarray, x: np.ndarray) -> np.ndarray:
        """What every edge gives, (n_edges, n_rows)."""
        given = []
        for e, i in enumerate(self.source):
            low, high = self.domain[i]
            u = (2 * x[i] - low - high) / (high - low)
            p = sum(a * u**k for k, a in enumerate(theta[e, : self.m + 1]))
            b = list(enumerate(theta[e, self.m + 1 :], start=1))
            q = sum((b_j * u**j for j, b_j in b), np.zeros_like(u))
            d = {"square": q**2, "abs_sum": np.abs(q), "sum_abs": sum((abs(b_j) * np.abs(u) ** j for j, b_j in b), np.zeros_like(u))}[self.form]
            given.append(p / (1 + d))
        return np.array(given)

    def forward(self) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
        output = np.zeros((self.n_out, self.x.shape[1]))
        kept = tuple(np.full((3, len(self.source), self.x.shape[1]), np.nan))
        rational_layer.rational_layer(self.x, self.domain, self.source, self.target, self.theta, self.kind, output, kept)
        return output, kept

    def jacobian(self, sensitivity: np.ndarray, kept: tuple[np.ndarray, ...], units: tuple[np.ndarray, ...] | None = None, dtype: type = float) -> np.ndarray:
        units = (np.ones(len(self.x)), *np.ones((2, len(self.source)))) if units is None else units
        jacobian = np.full((self.theta.size, self.x.shape[1]), np.nan, dtype=dtype)
        rational_layer.rational_jacobian(
            self.x, self.domain, self.source, self.target, self.theta, self.kind, kept, sensitivity, units, jacobian
        )
        return jacobian


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.mark.parametrize("size", SIZES)
def test_values_are_those_of_numpy_and_what_was_there_stays(size: tuple[int, ...], form: str) -> None:
    layer = Layer(*size, form)
    expected = np.zeros((layer.n_out, size[-1]))
    np.add.at(expected, layer.target, layer.edges(layer.theta, layer.x))
    assert_allclose(layer.forward()[0], expected, rtol=1e-12, atol=1e-12)
    added = np.full_like(expected, 3.0)
    rational_layer.rational_value(layer.x, layer.domain, layer.source, layer.target, layer.theta, layer.kind, added)
    assert_allclose(added, expected + 3.0, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("size", SIZES)
def test_slopes_are_differences_of_values(size: tuple[int, ...], form: str) -> None:
    layer = Layer(*size, form)
    h = 1e-6
    expected = (layer.edges(layer.theta, layer.x + h) - layer.edges(layer.theta, layer.x - h)) / (2 * h)
    assert_allclose(layer.forward()[1][2], expected, rtol=1e-6, atol=2e-7 * max(1.0, np.abs(expected).max()))


@pytest.mark.parametrize("size", SIZES)
def test_the_jacobian_is_differences_of_values_times_the_sensitivity(size: tuple[int, ...], form: str) -> None:
    layer = Layer(*size, form)
    sensitivity = np.random.default_rng(4).normal(size=(layer.n_out, size[-1]))
    jacobian = layer.jacobian(sensitivity, layer.forward()[1]).reshape(*layer.theta.shape, -1)
    for k in range(layer.theta.shape[1]):
        up, down = layer.theta.copy(), layer.theta.copy()
        up[:, k] += 1e-6
        down[:, k] -= 1e-6
        difference = (layer.edges(up, layer.x) - layer.edges(down, layer.x)) / 2e-6
        assert_allclose(jacobian[:, k], difference * sensitivity[layer.target], rtol=1e-6, atol=2e-7 * max(1.0, np.abs(difference).max()))


@pytest.mark.parametrize("size", SIZES)
def test_the_gradient_is_the_jacobian_summed_over_rows(size: tuple[int, ...], form: str) -> None:
    layer = Layer(*size, form)
    sensitivity = np.random.default_rng(4).normal(size=(layer.n_out, size[-1]))
    kept, gradient = layer.forward()[1], np.full(layer.theta.size, np.nan)
    rational_layer.rational_gradient(layer.x, layer.domain, layer.source, layer.target, layer.theta, layer.kind, kept, sensitivity, gradient)
    assert_allclose(gradient, layer.jacobian(sensitivity, kept).sum(1), rtol=1e-11, atol=1e-11)


def test_many_rows_are_taken_in_blocks(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    layer = Layer(3, 5, 4, 3, 1009, form)
    output, kept = layer.forward()
    sensitivity = np.random.default_rng(4).normal(size=output.shape)
    monkeypatch.setattr(rational_layer, "_BLOCK_NUMBERS", 1)
    blocks, gradient = np.zeros_like(output), np.empty(layer.theta.size)
    rational_layer.rational_value(layer.x, layer.domain, layer.source, layer.target, layer.theta, layer.kind, blocks)
    rational_layer.rational_gradient(layer.x, layer.domain, layer.source, layer.target, layer.theta, layer.kind, kept, sensitivity, gradient)
    assert_allclose(blocks, output, rtol=1e-13, atol=1e-13)
    assert_allclose(gradient, layer.jacobian(sensitivity, kept).sum(1), rtol=1e-11, atol=1e-11)


def test_units_keep_a_jacobian_in_single_precision_whatever_is_measured_in_what(form: str) -> None:
    """Far outside the range r leaves single precision, and a target of 1e40 does so anyhow: with units the rows are the same to its 24 bits."""
    layer = Layer(3, 2, 8, 8, 101, form)
    layer.theta[:, :9] *= 1e40
    layer.x[0] += 3e5
    output, kept = layer.forward()
    sensitivity = np.random.default_rng(4).normal(size=output.shape)
    u = np.abs((2 * layer.x - layer.domain.sum(1)[:, None]) / np.diff(layer.domain)).max(1)
    reach, r, t = np.maximum(u, 1.0), kept[0].max(1), np.abs(kept[1]).max(1)
    powers = np.concatenate([np.arange(9), np.arange(1, 9)])
    units = reach[layer.source][:, None] ** powers * np.where(np.arange(17) < 9, r[:, None], t[:, None])
    small = layer.jacobian(sensitivity, kept, (reach, r, t), np.float32)
    large = layer.jacobian(sensitivity, kept)
    assert_allclose(small, large / units.ravel()[:, None], rtol=1e-5, atol=1e-36)
    assert np.abs(small).max(1).min() > 1e-3
    with np.errstate(over="ignore"):
        as_they_are = np.abs(large.astype(np.float32)).max(1)
    assert not (np.isfinite(as_they_are) & (as_they_are > 0)).all()


def test_an_identity_start_can_learn_its_denominator_but_not_under_square() -> None:
    for form, moves in (("sum_abs", True), ("abs_sum", True), ("square", False)):
        layer = Layer(2, 2, 1, 2, 11, form)
        layer.theta[:] = [0.0, 1.0, 0.0, 0.0]
        output, kept = layer.forward()
        jacobian = layer.jacobian(np.ones_like(output), kept).reshape(len(layer.theta), 4, -1)
        assert (np.abs(jacobian[:, 2:]).max() > 0) == moves


def test_nan_comes_out_as_nan_and_nowhere_else(form: str) -> None:
    layer = Layer(2, 3, 5, 4, 300, form)
    expected = layer.forward()[0]
    layer.x[0, 7] = np.nan
    output = layer.forward()[0]
    assert np.isnan(output[:, 7]).all()
    assert_array_equal(np.delete(output, 7, axis=1), np.delete(expected, 7, axis=1))


def test_there_are_no_poles(form: str) -> None:
    layer = Layer(2, 3, 5, 4, 2003, form)
    layer.x[:] = np.linspace(-1e3, 1e3, 2003)
    assert np.abs(layer.forward()[1][0]).max() <= 1.0  # 1 / D
