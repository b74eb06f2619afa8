"""The usual fast KAN layer in torch, written for this benchmark: the Cox-de Boor recursion for all bases, then one matrix product.

    B_i,0(x) = 1 on [t_i, t_i+1)        B_i,p(x) = (x - t_i) / (t_i+p - t_i) B_i,p-1 + (t_i+p+1 - x) / (t_i+p+1 - t_i+1) B_i+1,p-1
    y = silu(x) W^T + B(x) C^T          B(x) (n_rows, n_in n_bases), C (n_out, n_in n_bases)

The formulation is that of github.com/Blealtan/efficient-kan (2024), without its optional spline scaler, which costs it time; knots are uniform
on [-1, 1] with degree 3, as there.
"""

from __future__ import annotations

import torch


class EfficientKANLayer(torch.nn.Module):
    """x (n_rows, n_in) -> (n_rows, n_out).

    Parameters
    ----------
    coefficients : (n_bases, n_out, n_in)
    base : (n_out, n_in)
    """

    degree = 3

    def __init__(self, coefficients: torch.Tensor, base: torch.Tensor) -> None:
        super().__init__()
        n_bases, _, n_in = coefficients.shape
        h = 2.0 / (n_bases - self.degree)
        knots = torch.arange(-self.degree, n_bases + 1, dtype=base.dtype) * h - 1.0
        self.register_buffer("knots", knots.expand(n_in, -1).contiguous())
        self.base_weight = torch.nn.Parameter(base.clone())
        self.spline_weight = torch.nn.Parameter(coefficients.permute(1, 2, 0).contiguous())  # (n_out, n_in, n_bases)

    def bases(self, x: torch.Tensor) -> torch.Tensor:
        """Return every basis of every input: (n_rows, n_in, n_bases)."""
        t, x = self.knots, x.unsqueeze(-1)
        b = ((x >= t[:, :-1]) & (x < t[:, 1:])).to(x.dtype)
        for p in range(1, self.degree + 1):
            left = (x - t[:, : -(p + 1)]) / (t[:, p:-1] - t[:, : -(p + 1)]) * b[:, :, :-1]
            right = (t[:, p + 1 :] - x) / (t[:, p + 1 :] - t[:, 1:(-p)]) * b[:, :, 1:]
            b = left + right
        return b.contiguous()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        base = torch.nn.functional.linear(torch.nn.functional.silu(x), self.base_weight)
        spline = torch.nn.functional.linear(self.bases(x).view(len(x), -1), self.spline_weight.view(len(self.spline_weight), -1))
        return base + spline
