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


def edge_rational_of_rows(x: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Evaluate the same layer with rows first, as torch programs hold them: x (n_rows, n_in), a (m + 1, n_in, n_out), b (n, n_in, n_out) -> (n_rows, n_out)."""
    x = x.unsqueeze(-1)
    q = x * polynomial(x, b.unbind())
    return (polynomial(x, a.unbind()) / (1 + q * q)).sum(1)  # (n_rows, n_in, n_out) -> (n_rows, n_out)


def polynomial(x: torch.Tensor, coefficients: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return c_0 + c_1 x + ..."""
    value = coefficients[-1]
    for c in reversed(coefficients[:-1]):
        value = value * x + c
    return value
