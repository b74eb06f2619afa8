"""The peer of the rational benchmarks: Horner's rule in eager torch, as one writes a rational activation without kernels of one's own."""

from __future__ import annotations

from collections.abc import Sequence

import torch


def group_rational(x: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Evaluate P(x) / (1 + sum |b_j| |x|^j) per group: x (..., n_channels), a (n_groups, m + 1), b (n_groups, n)."""
    grouped = x.unflatten(-1, (len(a), -1))  # (..., n_channels) -> (..., n_groups, group_size)
    p = polynomial(grouped, a.unsqueeze(-1).unbind(1))
    z = grouped.abs()
    q = z * polynomial(z, b.abs().unsqueeze(-1).unbind(1))
    return (p / (1 + q)).flatten(-2)


def edge_rational(x: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Evaluate a layer of P(x) / (1 + q(x)^2): x (n_in, n_rows), a (m + 1, n_out, n_in), b (n, n_out, n_in)."""
    q = x * polynomial(x, b.unsqueeze(-1).unbind())
    return (polynomial(x, a.unsqueeze(-1).unbind()) / (1 + q * q)).sum(1)  # (n_out, n_in, n_rows) -> (n_out, n_rows)


def polynomial(x: torch.Tensor, coefficients: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return c_0 + c_1 x + ..."""
    value = coefficients[-1]
    for c in reversed(coefficients[:-1]):
        value = value * x + c
    return value
