"""From tensors to launches of `kernels/rational.cu`: what is compiled, how the work is shared out, and what a kernel is given.

Nothing here knows who runs the kernels: see `ops.device`. So what is tested without a GPU are these very launches.

Tensors are contiguous, on the device, and of one storage type; coefficients have the type of computation (float64 for float64, float32 for all others).
Memory is torch's. A gradient comes back complete or not at all: outputs are made here and handed out after the last launch.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from workbench.exceptions import NetworkError
from workbench.ops.device import MOST_TILES, NAMES, Device, Gradients, addresses, summed
from workbench.ops.rational import FORMS

_EDGE_THREADS = 128  # as rational.cu has them
_FEW_COEFFICIENTS = 10  # as degrees (5, 4) have


@dataclass(frozen=True)
class Unit:
    """One compilation of the rational kernels.

    Parameters
    ----------
    dtype : how numbers are stored
    form : name of the denominator
    m, n : degrees, 0 to 8 and 1 to 8
    """

    dtype: torch.dtype
    form: str
    m: int
    n: int

    text = "rational.cu"

    @property
    def wide(self) -> int:
        """Channels that 16 bytes hold."""
        return 16 // self.dtype.itemsize

    @property
    def threads(self) -> int:
        """Most threads of a block of the group kernels: so many that their coefficients and sums find registers, and none spills."""
        return 384 if self.dtype != torch.float64 and self.m + 1 + self.n <= _FEW_COEFFICIENTS else 256

    @property
    def blocks(self) -> int:
        """Blocks of them that a multiprocessor has registers for."""
        return 1 if self.dtype == torch.float64 else 2

    @property
    def definitions(self) -> dict[str, str]:
        """What the text is compiled with."""
        values = {"FORM": FORMS.index(self.form), "M": self.m, "N": self.n, "WIDE": self.wide, "THREADS": self.threads, "BLOCKS": self.blocks}
        return {"NUMBER_TYPE": NAMES[self.dtype]} | {f"RATIONAL_{name}": str(value) for name, value in values.items()}


# ------------------------------------------------------------------------------------------------------------- groups


@dataclass(frozen=True)
class GroupPlan:
    """How the group kernels share out (rows, channels): see rational.cu for the words."""

    entry: str
    columns: int
    depth: int
    span: int
    tiles: int
    pieces: int  # of a tile
    shares: int  # of the rows, backward
    forward_shares: int

    @property
    def block(self) -> int:
        """Threads of a block: whole warps."""
        return -(-self.columns * self.depth // 32) * 32


@functools.lru_cache(maxsize=256)
def group_plan(unit: Unit, rows: int, channels: int, groups: int, aligned: bool, multiprocessors: int) -> GroupPlan:
    """Share out the work of the group kernels."""
    size = channels // groups
    is_wide = aligned and size % unit.wide == 0
    group_columns = size // unit.wide if is_wide else size
    if group_columns <= unit.threads:
        tiles = -(-groups // (unit.threads // group_columns))
        columns = -(-groups // tiles) * group_columns
        span, pieces = columns, 1
    else:
        span, pieces = group_columns, -(-group_columns // unit.threads)
        columns, tiles = -(-group_columns // pieces), groups
    if max(tiles, pieces) > MOST_TILES or channels >= 2**31:
        raise NetworkError(f"{channels} channels in {groups} groups are more than a GPU kernel takes: {tiles * pieces} tiles, at most {MOST_TILES}.")
    depth = max(1, min(unit.threads // columns, rows))
    shares = max(1, min(-(-rows // depth), -(-unit.blocks * multiprocessors // (tiles * pieces))))
    forward_shares = max(1, min(-(-rows // (4 * depth)), 16 * multiprocessors // (tiles * pieces)))
    return GroupPlan("wide" if is_wide else "narrow", columns, depth, span, tiles, pieces, shares, forward_shares)


def group_forward(device: Device, x: torch.Tensor, a: torch.Tensor, b: torch.Tensor, form: str) -> torch.Tensor:
    """Evaluate one function per group: x (..., n_channels), a (n_groups, m + 1), b (n_groups, n)."""
    y = torch.empty_like(x)
    if x.numel():
        unit, plan, sizes = _of_groups(device, (x, y), a, b, form)
        device.launch(unit, f"group_forward_{plan.entry}", (plan.forward_shares, plan.tiles, plan.pieces), (plan.block,), (*addresses(x, a, b, y), *sizes))
    return y


def group_backward(device: Device, x: torch.Tensor, a: torch.Tensor, b: torch.Tensor, form: str, upstream: torch.Tensor) -> Gradients:
    """Return dL/dx, dL/da and dL/db."""
    into_x = torch.empty_like(x)
    if not x.numel():
        return into_x, torch.zeros_like(a), torch.zeros_like(b)
    unit, plan, sizes = _of_groups(device, (x, upstream, into_x), a, b, form)
    partials = a.new_empty(plan.shares * plan.pieces, unit.m + 1 + unit.n, len(a))
    arguments = (*addresses(x, upstream, a, b, into_x, partials), *sizes)
    device.launch(unit, f"group_backward_{plan.entry}", (plan.shares, plan.tiles, plan.pieces), (plan.block,), arguments)
    total = summed(device, unit, partials)
    return into_x, total[: unit.m + 1].T, total[unit.m + 1 :].T  # (n_terms, n_groups) -> (n_groups, ...)


def _of_groups(device: Device, tensors: Sequence[torch.Tensor], a: torch.Tensor, b: torch.Tensor, form: str) -> tuple[Unit, GroupPlan, tuple[int, ...]]:
    """Return what is compiled, how the work is shared out, and the sizes that the kernels are given."""
    x, groups = tensors[0], len(a)
    unit, channels = Unit(x.dtype, form, a.shape[1] - 1, b.shape[1]), x.shape[-1]
    rows = x.numel() // channels
    aligned = all(tensor.data_ptr() % 16 == 0 for tensor in tensors)
    plan = group_plan(unit, rows, channels, groups, aligned, device.multiprocessors)
    return unit, plan, (rows, channels, channels // groups, plan.columns, plan.depth, plan.span)


# -------------------------------------------------------------------------------------------------------------- edges


def edge_forward(device: Device, x: torch.Tensor, a: torch.Tensor, b: torch.Tensor, form: str) -> torch.Tensor:
    """Evaluate a layer: x (n_in, n_rows), a (m + 1, n_out, n_in), b (n, n_out, n_in) -> (n_out, n_rows)."""
    unit, n_out, n_in, rows = _of_edges(x, a, b, form)
    y = x.new_empty(n_out, rows)
    if rows:
        grid = (_row_blocks(unit, rows), n_out)
        device.launch(unit, "edge_forward", grid, (_EDGE_THREADS,), (*addresses(x, a, b, y), n_in, n_out, rows))
    return y


def edge_backward(device: Device, x: torch.Tensor, a: torch.Tensor, b: torch.Tensor, form: str, upstream: torch.Tensor) -> Gradients:
    """Return dL/dx, dL/da and dL/db."""
    unit, n_out, n_in, rows = _of_edges(x, a, b, form)
    into_x = torch.empty_like(x)
    if not rows:
        return into_x, torch.zeros_like(a), torch.zeros_like(b)
    grid = (_row_blocks(unit, rows), n_in)
    device.launch(unit, "edge_backward_x", grid, (_EDGE_THREADS,), (*addresses(x, upstream, a, b, into_x), n_in, n_out, rows))
    share = 4096 if rows >= 65_536 else 1024
    shares = -(-rows // share)
    columns = max(1, min(n_out, -(-4 * device.multiprocessors // (shares * n_in))))  # enough blocks for everybody
    partials = a.new_empty(shares, unit.m + 1 + unit.n, n_out, n_in)
    arguments = (*addresses(x, upstream, a, b, partials), n_in, n_out, rows, share)
    device.launch(unit, "edge_backward_coefficients", (shares, n_in, columns), (_EDGE_THREADS,), arguments)
    total = summed(device, unit, partials)
    return into_x, total[: unit.m + 1], total[unit.m + 1 :]


def _of_edges(x: torch.Tensor, a: torch.Tensor, b: torch.Tensor, form: str) -> tuple[Unit, int, int, int]:
    n_out, n_in = a.shape[1:]
    if max(n_out, n_in) > MOST_TILES:
        raise NetworkError(f"A rational layer {n_in} -> {n_out} is more than a GPU kernel takes: at most {MOST_TILES} nodes on either side.")
    return Unit(x.dtype, form, len(a) - 1, len(b)), n_out, n_in, x.shape[1]


def _row_blocks(unit: Unit, rows: int) -> int:
    rows_a_thread = 1 if unit.dtype == torch.float64 else 4
    return -(-rows // (_EDGE_THREADS * rows_a_thread))
