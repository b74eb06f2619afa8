"""Rational functions as an op on a CPU: values and all gradients, float32 and float64, for groups of channels and for edges.

    F(x) = P(x) / D(x),    P(x) = a_0 + a_1 x + ... + a_m x^m,    q(z) = b_1 z + ... + b_n z^n

    "sum_abs"   D = 1 + q(|x|) with |b_j|        "abs_sum"   D = 1 + |q(x)|        "square"   D = 1 + q(x)^2

`ops.reference` is the specification and has the sources; |v| has the slope +1 at 0. With r = 1 / D, s = dD/dq and g = dL/dF

    dL/da_i = sum of g r x^i        dL/db_j = - sum of g F r s z^j        dL/dx = g r P'(x) - g F r s dq/dx

Groups: x (n_rows, n_channels), numerator (n_groups, m + 1), denominator (n_groups, n): neighbouring channels share a function. Edges: x (n_in,
n_rows), numerator (m + 1, n_out, n_in), denominator (n, n_out, n_in), y_o = sum over i of F_oi(x_i).

The kernels stand in `ops.rational_strips`. Large groups are shared out among threads in parts that depend on the shape alone, and coefficient
gradients end in float64 sums of a fixed order: the same bits on every run, with any number of threads.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np

from workbench.exceptions import NetworkError, did_you_mean
from workbench.ops import rational_strips as strips

FORMS = ("sum_abs", "abs_sum", "square")  # the place of a form is its number in kernels, here and on a GPU
MOST = 8  # highest degree of numerator and denominator

_PART = 1 << 18  # numbers that are worth a thread

Part = TypeVar("Part")
Arrays = tuple[np.ndarray, np.ndarray, np.ndarray]


def group_forward(x: np.ndarray, numerator: np.ndarray, denominator: np.ndarray, form: str, threads: int = 1) -> np.ndarray:
    """Evaluate one function per group of channels: (n_rows, n_channels), in the precision of x.

    >>> group_forward(np.array([[-2.0, 1.0]]), np.array([[0.0, 1.0], [3.0, 0.0]]), np.array([[-0.5], [2.0]]), "sum_abs")
    array([[-1.,  1.]])
    """
    check_form(form)
    check_group(x.shape, numerator.shape, denominator.shape)
    x, a, b = _prepared(x, numerator, denominator)
    y, zeros, compiled = np.empty_like(x), _zeros(a.shape[1], b.shape[1], x.dtype), strips.group_forward(FORMS.index(form))
    flat_x, flat_y = x.reshape(-1), y.reshape(-1)

    def part(start: int, stop: int) -> None:
        compiled(flat_x[start:stop], a, b, x.shape[1], *zeros, flat_y[start:stop])

    _in_parts(x, threads, part)
    return y


def group_backward(
    x: np.ndarray, numerator: np.ndarray, denominator: np.ndarray, form: str, upstream: np.ndarray, threads: int = 1
) -> Arrays:
    """Return dL/dx, dL/dnumerator and dL/ddenominator from dL/dy (n_rows, n_channels)."""
    check_form(form)
    check_group(x.shape, numerator.shape, denominator.shape)
    x, a, b = _prepared(x, numerator, denominator)
    upstream = np.ascontiguousarray(upstream, dtype=x.dtype)
    into_x, zeros, compiled = np.empty_like(x), _zeros(a.shape[1], b.shape[1], x.dtype), strips.group_backward(FORMS.index(form))
    flat_x, flat_g, flat_into = x.reshape(-1), upstream.reshape(-1), into_x.reshape(-1)

    def part(start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        sums = np.zeros(a.shape), np.zeros(b.shape)
        compiled(flat_x[start:stop], flat_g[start:stop], a, b, x.shape[1], *zeros, flat_into[start:stop], *sums)
        return sums

    into_a, into_b = np.zeros(a.shape), np.zeros(b.shape)
    for for_a, for_b in _in_parts(x, threads, part):
        into_a += for_a
        into_b += for_b
    return into_x, into_a.astype(x.dtype), _lent(into_b, denominator).astype(x.dtype)


def edge_forward(x: np.ndarray, numerator: np.ndarray, denominator: np.ndarray, form: str) -> np.ndarray:
    """Evaluate a layer: (n_out, n_rows), in the precision of x.

    >>> edge_forward(np.array([[-2.0, 1.0]]), np.array([[[0.0]], [[1.0]]]), np.array([[[0.5]]]), "square")
    array([[-1. ,  0.8]])
    """
    check_form(form)
    check_edges(x.shape, numerator.shape, denominator.shape)
    x, a, b = _prepared(x, numerator, denominator)
    y = np.zeros((a.shape[1], x.shape[1]), x.dtype)
    strips.edge_forward(FORMS.index(form))(x, a, b, *_zeros(len(a), len(b), x.dtype), y)
    return y


def edge_backward(x: np.ndarray, numerator: np.ndarray, denominator: np.ndarray, form: str, upstream: np.ndarray) -> Arrays:
    """Return dL/dx, dL/dnumerator and dL/ddenominator from dL/dy (n_out, n_rows)."""
    check_form(form)
    check_edges(x.shape, numerator.shape, denominator.shape)
    x, a, b = _prepared(x, numerator, denominator)
    upstream = np.ascontiguousarray(upstream, dtype=x.dtype)
    into_x, sums = np.zeros(x.shape, x.dtype), np.zeros((len(a) + len(b), *a.shape[1:]))  # those of a, then those of b
    strips.edge_backward(FORMS.index(form))(x, upstream, a, b, *_zeros(len(a), len(b), x.dtype), into_x, sums)
    sums = sums.astype(x.dtype, copy=False)
    return into_x, sums[: len(a)], _lent(sums[len(a) :], denominator)


def edge_forward_at(form: str, dtype: np.dtype, sizes: Sequence[int], *addresses: int) -> None:
    """Fill y as `edge_forward`, for memory that is no array: making arrays of tensors takes as long as a small layer.

    Parameters
    ----------
    form, dtype : of the denominator, and of every number
    sizes : m + 1, n >= 1, n_in, n_out, n_rows
    addresses : of x, numerator, denominator and y, contiguous
    """
    above, below, n_in, n_out, n_rows = sizes
    strips.edge_forward_at(FORMS.index(form))(*addresses, n_in, n_out, n_rows, *_zeros(above, below, dtype))


def edge_backward_at(form: str, dtype: np.dtype, sizes: Sequence[int], *addresses: int) -> None:
    """Fill dL/dx, dL/dnumerator and dL/ddenominator likewise: addresses of x, dL/dy, numerator, denominator and the three."""
    above, below, n_in, n_out, n_rows = sizes
    strips.edge_backward_at(FORMS.index(form))(*addresses, n_in, n_out, n_rows, *_zeros(above, below, dtype))


# -------------------------------------------------------------------------------------------------------------- checks


def check_form(form: str) -> None:
    """Refuse a form that there is none of."""
    if form not in FORMS:
        raise NetworkError(f"form={form!r}: no such denominator.{did_you_mean(form, FORMS)} Known: {', '.join(FORMS)}.")


def check_group(x: tuple[int, ...], numerator: tuple[int, ...], denominator: tuple[int, ...]) -> None:
    """Refuse shapes that are no group rational; x may have any number of leading axes."""
    given = f"got {tuple(x)}, {tuple(numerator)}, {tuple(denominator)}"
    if not x or len(numerator) != 2 or len(denominator) != 2 or numerator[0] != denominator[0]:
        raise NetworkError(f"A group rational takes x (..., n_channels), numerator (n_groups, m + 1), denominator (n_groups, n); {given}.")
    if numerator[0] == 0 or x[-1] == 0 or x[-1] % numerator[0]:
        raise NetworkError(f"A group rational shares {x[-1]} channels out to {numerator[0]} groups: the groups must divide the channels; {given}.")
    _check_degrees(numerator[1] - 1, denominator[1])


def check_edges(x: tuple[int, ...], numerator: tuple[int, ...], denominator: tuple[int, ...]) -> None:
    """Refuse shapes that are no layer of rational edges."""
    fits = len(x) == 2 and len(numerator) == len(denominator) == 3 and numerator[1:] == denominator[1:] and numerator[2] == x[0]
    if not fits or 0 in numerator[1:]:
        raise NetworkError(
            "A rational layer takes x (n_in, n_rows), numerator (m + 1, n_out, n_in), denominator (n, n_out, n_in); "
            f"got {tuple(x)}, {tuple(numerator)}, {tuple(denominator)}."
        )
    _check_degrees(numerator[0] - 1, denominator[0])


def _check_degrees(m: int, n: int) -> None:
    if not (0 <= m <= MOST and 0 <= n <= MOST):
        raise NetworkError(f"A rational function has degrees from (0, 0) to ({MOST}, {MOST}); got ({m}, {n}).")


# ---------------------------------------------------------------------------------------------------------------- parts


def _prepared(x: np.ndarray, a: np.ndarray, b: np.ndarray) -> Arrays:
    """Return contiguous arrays of one precision; the denominator has at least one coefficient."""
    if x.dtype not in (np.float32, np.float64):
        raise NetworkError(f"A rational function on a CPU takes float32 or float64 numbers; got {x.dtype}.")
    if b.size == 0:
        b = np.zeros((1, *b.shape[1:]) if b.ndim == 3 else (len(b), 1))
    return np.ascontiguousarray(x), np.ascontiguousarray(a, dtype=x.dtype), np.ascontiguousarray(b, dtype=x.dtype)


def _lent(gradient: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Return dL/db without the coefficient that a polynomial was lent."""
    return gradient if denominator.size else np.zeros(denominator.shape, gradient.dtype)


@functools.lru_cache(maxsize=256)
def _zeros(n_above: int, n_below: int, dtype: np.dtype) -> tuple[tuple, tuple]:
    """Return zeros for the sums of one function's a and b: their number is what a kernel is compiled for."""
    return (dtype.type(0),) * n_above, (dtype.type(0),) * n_below


def _in_parts(x: np.ndarray, threads: int, part: Callable[[int, int], Part]) -> list[Part]:
    """Call `part` with ranges of x as one line of numbers, whole rows each, and return what it gives, in order.

    The threads are Python's own (kernels release the GIL): small arrays never see them, and nothing waits in a loop on a busy machine.
    """
    n_rows, n_channels = x.shape
    n_parts = max(1, min(n_rows, x.size // _PART))
    edges = [n_rows * index // n_parts * n_channels for index in range(n_parts + 1)]
    if threads == 1 or n_parts == 1:
        return [part(start, stop) for start, stop in zip(edges, edges[1:])]
    with ThreadPoolExecutor(min(threads, n_parts)) as pool:
        return list(pool.map(part, edges[:-1], edges[1:]))
