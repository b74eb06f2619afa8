"""The spline layer against scipy's B-splines and finite differences: both engines, both precisions, odd sizes, and numbers nobody wants."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.interpolate import BSpline

from workbench.exceptions import NetworkError
from workbench.ops import spline

# (n_in, n_out, n_bases, n_rows): fused and by matrix products; fewer, as many and more bases than are taken at once
SIZES = [(2, 5, 8, 1), (5, 2, 4, 7), (3, 7, 13, 257), (7, 3, 23, 601), (13, 11, 8, 101), (17, 13, 11, 1009)]
# float32 keeps 24 bits: an input is known to 6e-8 of its range and a spline of order one bends by 10 over it
TOLERANCE = {np.float64: 2e-13, np.float32: 2e-5}


def layer(n_in: int, n_out: int, n_bases: int, n_rows: int, seed: int = 3) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(seed)
    low = generator.uniform(-3, 3, n_in)
    domain = np.stack([low, low + generator.uniform(0.5, 4, n_in)], axis=1)
    x = low[:, None] + (domain[:, 1] - low)[:, None] * generator.uniform(-0.4, 1.4, (n_in, n_rows))     # beyond both ends too
    return {
        "x": x,
        "coefficients": generator.normal(size=(n_bases, n_out, n_in)),
        "base": generator.normal(size=(n_out, n_in)),
        "domain": domain,
    }


def truth(x: np.ndarray, coefficients: np.ndarray, base: np.ndarray, domain: np.ndarray) -> np.ndarray:
    """The layer by scipy's Cox-de Boor recursion, in float64."""
    n_bases, n_out, _ = coefficients.shape
    y = np.zeros((n_out, x.shape[1]))
    for i, (low, high) in enumerate(domain):
        h = (high - low) / (n_bases - 3)
        knots = low + h * np.arange(-3, n_bases + 1)
        inside = (x[i] >= knots[0]) & (x[i] < knots[-1])
        # four knots more at both ends, so that scipy's splines are zero beyond their support instead of extrapolated
        wide = low + h * np.arange(-7, n_bases + 5)
        padded = np.concatenate([np.zeros((4, n_out)), coefficients[:, :, i], np.zeros((4, n_out))])
        values = BSpline(wide, padded, 3, extrapolate=False)(np.where(inside, x[i], low))
        u = (2 * x[i] - low - high) / (high - low)
        y += np.where(inside[:, None], values, 0.0).T + np.outer(base[:, i], u / (1 + np.exp(-u)))
    return y


def in_precision(arrays: dict[str, np.ndarray], dtype: type) -> dict[str, np.ndarray]:
    return {name: array.astype(dtype) for name, array in arrays.items()}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("size", SIZES)
def test_values_are_those_of_scipy(size: tuple[int, ...], dtype: type) -> None:
    arrays = layer(*size)
    y = spline.forward(**in_precision(arrays, dtype))
    expected = truth(**arrays)
    assert y.dtype == dtype
    assert_allclose(y, expected, rtol=0, atol=TOLERANCE[dtype] * np.abs(expected).max())


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ["x", "coefficients", "base"])
def test_gradients_are_those_of_finite_differences(size: tuple[int, ...], name: str) -> None:
    arrays = layer(*size)
    generator = np.random.default_rng(8)
    upstream, direction = generator.normal(size=(size[1], size[3])), generator.normal(size=arrays[name].shape)
    gradient = dict(zip(["x", "coefficients", "base"], spline.backward(**arrays, upstream=upstream), strict=True))[name]
    step = 1e-6
    up, down = (truth(**{**arrays, name: arrays[name] + sign * step * direction}) for sign in (1, -1))
    expected = (upstream * (up - down)).sum() / (2 * step)
    assert_allclose((gradient * direction).sum(), expected, rtol=1e-6, atol=1e-6 * np.abs(gradient * direction).max())


@pytest.mark.parametrize("size", SIZES)
def test_single_precision_gradients_are_those_of_double(size: tuple[int, ...]) -> None:
    arrays = layer(*size)
    upstream = np.random.default_rng(8).normal(size=(size[1], size[3]))
    exact = spline.backward(**arrays, upstream=upstream)
    single = spline.backward(**in_precision(arrays, np.float32), upstream=upstream.astype(np.float32))
    for mine, theirs in zip(single, exact, strict=True):
        assert mine.dtype == np.float32
        assert_allclose(mine, theirs, rtol=0, atol=1e-4 * np.abs(theirs).max())       # the slope of a float32 input that lies near a knot


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_both_engines_compute_the_same(monkeypatch: pytest.MonkeyPatch, dtype: type) -> None:
    arrays = in_precision(layer(5, 7, 11, 613), dtype)
    upstream = np.random.default_rng(1).normal(size=(7, 613)).astype(dtype)
    fused = (spline.forward(**arrays), *spline.backward(**arrays, upstream=upstream))
    monkeypatch.setattr(spline, "_FUSED_EDGES", 0)
    monkeypatch.setattr(spline, "_BLOCK_NUMBERS", 300 * 5 * 12)     # 613 rows in three blocks
    product = (spline.forward(**arrays), *spline.backward(**arrays, upstream=upstream))
    for one, other in zip(fused, product, strict=True):
        assert_allclose(one, other, rtol=0, atol=TOLERANCE[dtype] * np.abs(one).max())


@pytest.mark.parametrize("size", [(3, 7, 8, 257), (17, 13, 8, 257)])
def test_the_same_bits_come_out_every_time(size: tuple[int, ...]) -> None:
    arrays = layer(*size)
    upstream = np.ones((size[1], size[3]))
    for first, second in zip(spline.backward(**arrays, upstream=upstream), spline.backward(**arrays, upstream=upstream), strict=True):
        assert_array_equal(first, second)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("n_in", "n_out"), [(1, 2), (13, 11)])
def test_a_number_that_is_none_spoils_its_own_row_only(n_in: int, n_out: int, dtype: type) -> None:
    arrays = in_precision(layer(n_in, n_out, 8, 41), dtype)
    arrays["x"][0, 17] = np.nan
    y = spline.forward(**arrays)
    assert np.isnan(y[:, 17]).all()
    assert np.isfinite(np.delete(y, 17, axis=1)).all()
    into_x, *_ = spline.backward(**arrays, upstream=np.ones_like(y))
    assert np.isnan(into_x[0, 17])
    assert np.isfinite(np.delete(into_x, 17, axis=1)).all()


@pytest.mark.parametrize(("dtype", "huge"), [(np.float64, 1e200), (np.float32, 1e30)])
def test_far_from_the_range_only_the_base_term_is_left(dtype: type, huge: float) -> None:
    x = np.array([[-huge, huge]], dtype=dtype)
    y = spline.forward(x, np.ones((8, 1, 1), dtype), np.full((1, 1), 2, dtype), np.array([[-1, 1]], dtype))
    assert_allclose(y, [[0.0, 2 * huge]], rtol=1e-6)


def test_shapes_and_types_that_do_not_fit_are_refused() -> None:
    arrays = layer(2, 3, 8, 5)
    with pytest.raises(NetworkError, match=r"got \(2, 5\), \(8, 3, 2\), \(2, 3\)"):
        spline.forward(**{**arrays, "base": arrays["base"].T})
    with pytest.raises(NetworkError, match="float32 or float64 numbers; got int64"):
        spline.forward(**{**arrays, "x": np.ones((2, 5), dtype=int)})
