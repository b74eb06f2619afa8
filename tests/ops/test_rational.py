"""The Numba kernels of rational functions: what is theirs alone. That they compute what the reference does, `test_engines.py` holds for every engine."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from workbench.exceptions import NetworkError
from workbench.ops import rational, starts

ROWS, CHANNELS, GROUPS = 701, 798, 7       # more than two parts


def arrays(dtype: type = np.float32, seed: int = 2) -> tuple[np.ndarray, ...]:
    generator = np.random.default_rng(seed)
    shapes = [(ROWS, CHANNELS), (GROUPS, 6), (GROUPS, 4), (ROWS, CHANNELS)]
    return tuple(generator.normal(size=shape).astype(dtype) for shape in shapes)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_any_number_of_threads_gives_the_same_bits(dtype: type) -> None:
    x, a, b, g = arrays(dtype)
    one = rational.group_forward(x, a, b, "sum_abs"), *rational.group_backward(x, a, b, "sum_abs", g)
    for threads in (2, 3, 8):
        many = rational.group_forward(x, a, b, "sum_abs", threads), *rational.group_backward(x, a, b, "sum_abs", g, threads)
        for mine, theirs in zip(one, many, strict=True):
            assert_array_equal(mine, theirs)


def test_large_sums_of_single_precision_numbers_keep_their_digits() -> None:
    x, a, b, g = arrays()
    exact = rational.group_backward(*(values.astype(float) for values in (x, a, b)), "square", g.astype(float))
    for mine, theirs in zip(rational.group_backward(x, a, b, "square", g)[1:], exact[1:], strict=True):
        assert mine.dtype == np.float32
        assert_allclose(mine, theirs, rtol=0, atol=2e-6 * np.abs(theirs).max())


@pytest.mark.parametrize("form", rational.FORMS)
def test_one_function_by_numpy_is_one_group(form: str) -> None:
    x, a, b, _ = arrays(np.float64)
    assert_allclose(rational.group_forward(x[:, :1], a[:1], b[:1], form)[:, 0], starts.evaluate(x[:, 0], a[0], b[0], form), rtol=1e-12, atol=1e-13)


def test_what_was_given_is_left_as_it_was() -> None:
    x, a, b, g = arrays()
    before = [values.copy() for values in (x, a, b, g)]
    rational.group_backward(x, a, b, "sum_abs", g)
    rational.edge_backward(x[:3], a.T[:, :, None] + np.zeros(3), b.T[:, :, None] + np.zeros(3), "sum_abs", g[:GROUPS])
    for mine, kept in zip((x, a, b, g), before, strict=True):
        assert_array_equal(mine, kept)


@pytest.mark.parametrize(
    ("shapes", "words"),
    [
        ([(3, 8), (3, 6), (3, 4)], "8 channels out to 3 groups"),
        ([(3, 8), (4, 6), (2, 4)], r"got \(3, 8\), \(4, 6\), \(2, 4\)"),
        ([(3, 8), (4, 10), (4, 4)], r"from \(0, 0\) to \(8, 8\); got \(9, 4\)"),
        ([(3, 8), (4, 0), (4, 4)], r"got \(-1, 4\)"),
    ],
)
def test_groups_that_do_not_fit_are_refused(shapes: list[tuple[int, ...]], words: str) -> None:
    with pytest.raises(NetworkError, match=words):
        rational.group_forward(*(np.ones(shape) for shape in shapes), "square")


def test_edges_and_types_that_do_not_fit_are_refused() -> None:
    with pytest.raises(NetworkError, match=r"numerator \(m \+ 1, n_out, n_in\)"):
        rational.edge_forward(np.ones((3, 7)), np.ones((6, 2, 2)), np.ones((4, 2, 2)), "square")
    with pytest.raises(NetworkError, match="float32 or float64 numbers; got float16"):
        rational.group_forward(np.ones((3, 8), np.float16), np.ones((4, 6)), np.ones((4, 4)), "square")


def test_neither_kernels_nor_starts_need_torch() -> None:
    code = "import sys, workbench.ops.rational, workbench.ops.starts; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "False"
