"""From tensors to launches of `kernels/spline.cu`, as `ops.launch` does for rational functions.

Tensors are contiguous, on the device, x and y of one storage type; coefficients, base weights and domain have the type of computation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from workbench.exceptions import NetworkError
from workbench.ops.device import MOST_TILES, NAMES, Device, Gradients, addresses, summed

_THREADS, _BASES = 128, 8  # as spline.cu has them
_SHARES = 1024, 4096  # rows of a block that sums for coefficients: more cost less, and must leave work for everybody
_MOST_SHARES = 64  # so that partials of many rows keep their size


@dataclass(frozen=True)
class SplineUnit:
    """One compilation of the spline kernels.

    Parameters
    ----------
    dtype : how numbers are stored
    """

    dtype: torch.dtype

    text = "spline.cu"

    @property
    def definitions(self) -> Mapping[str, str]:
        """What the text is compiled with."""
        return {"NUMBER_TYPE": NAMES[self.dtype]}

    @property
    def rows(self) -> int:
        """Rows of a block."""
        return _THREADS * (1 if self.dtype == torch.float64 else 2)

    @property
    def targets(self) -> int:
        """Targets of a block, forward."""
        return 8 if self.dtype == torch.float64 else 16

    @property
    def sources(self) -> int:
        """Sources of a block, backward to x."""
        return 1 if self.dtype == torch.float64 else 2

    @property
    def summed(self) -> int:
        """Targets whose coefficients a block sums for."""
        return 2 if self.dtype == torch.float64 else 8


def forward(device: Device, x: torch.Tensor, coefficients: torch.Tensor, base: torch.Tensor, domain: torch.Tensor) -> torch.Tensor:
    """Evaluate a layer: x (n_in, n_rows), coefficients (n_bases, n_out, n_in), base (n_out, n_in), domain (n_in, 2) -> (n_out, n_rows)."""
    unit, sizes = _of_layer(x, coefficients)
    _, n_out, rows, _ = sizes
    y = x.new_empty(n_out, rows)
    if rows:
        grid = (-(-rows // unit.rows), -(-n_out // unit.targets))
        device.launch(unit, "spline_forward", grid, (_THREADS,), (*addresses(x, coefficients, base, domain, y), *sizes))
    return y


def backward(
    device: Device, x: torch.Tensor, coefficients: torch.Tensor, base: torch.Tensor, domain: torch.Tensor, upstream: torch.Tensor
) -> Gradients:
    """Return dL/dx, dL/dcoefficients and dL/dbase."""
    unit, sizes = _of_layer(x, coefficients)
    n_in, n_out, rows, bases = sizes
    into_x = torch.empty_like(x)
    if not rows:
        return into_x, torch.zeros_like(coefficients), torch.zeros_like(base)
    grid = (-(-rows // unit.rows), -(-n_in // unit.sources))
    device.launch(unit, "spline_backward_x", grid, (_THREADS,), (*addresses(x, upstream, coefficients, base, domain, into_x), *sizes))
    tiles, stretches = -(-n_out // unit.summed), -(-bases // _BASES)
    share = _share(rows, 16 * device.multiprocessors // (n_in * tiles * stretches))
    shares = -(-rows // share)
    partials = base.new_empty(shares, bases + 1, n_out, n_in)
    arguments = (*addresses(x, upstream, domain, partials), *sizes, share, tiles)
    device.launch(unit, "spline_backward_coefficients", (shares, n_in, tiles * stretches), (_THREADS,), arguments)
    total = summed(device, unit, partials)
    return into_x, total[:bases], total[bases]


def _share(rows: int, wanted: int) -> int:
    """Return the rows of a block that sums for coefficients, a multiple of its threads, where so many shares are wanted."""
    few, many = _SHARES
    least = max(few, -(-rows // _MOST_SHARES))
    return -(-max(least, min(many, rows // max(wanted, 1))) // _THREADS) * _THREADS


def _of_layer(x: torch.Tensor, coefficients: torch.Tensor) -> tuple[SplineUnit, tuple[int, int, int, int]]:
    """Return what is compiled, and the sizes that every kernel is given."""
    bases, n_out, n_in = coefficients.shape
    unit = SplineUnit(x.dtype)
    if n_in > MOST_TILES or -(-n_out // unit.summed) * -(-bases // _BASES) > MOST_TILES:
        raise NetworkError(f"A spline layer {n_in} -> {n_out} of {bases} bases is more than a GPU kernel takes: at most {MOST_TILES} nodes on either side.")
    return unit, (n_in, n_out, x.shape[1], bases)
