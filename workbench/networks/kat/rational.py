"""A rational activation that groups of channels share.

    y = P(x) / D_g(x),    g the group of a channel,    P of degree 5, D_g of degree 4 in one of the forms of `ops.reference`

The groups share the numerator, as the published code has it and its paper has not: 6 + 4 g coefficients. They carry the published names,
`weight_numerator` (1, 6) and `weight_denominator` (n_groups, 4), by which a checkpoint finds them and `activations` recognises them.

The form is "sum_abs" when nobody says anything: that of the published kernels, and one in which an identity learns its denominator. Under
"square" it never does, for 1 + q^2 is flat at q = 0.
"""

from __future__ import annotations

import torch
from torch import nn

from workbench.ops.autograd import group_rational
from workbench.ops.starts import start


class GroupRational(nn.Module):
    """One rational function per group of neighbouring channels: (..., n_channels) -> (..., n_channels).

    Parameters
    ----------
    n_groups : how many functions; it divides the number of channels
    activation : what they are at the start: "identity", "gelu", "silu", "relu", "tanh" or "sigmoid"
    form : of the denominator: "sum_abs", "abs_sum" or "square"

    >>> GroupRational(4)(torch.tensor([[-1.0, 0.0, 2.0, 30.0]])).tolist()
    [[-1.0, 0.0, 2.0, 30.0]]
    """

    def __init__(self, n_groups: int = 8, activation: str = "identity", form: str = "sum_abs") -> None:
        super().__init__()
        self.n_groups, self.activation, self.form = n_groups, activation, form
        begun = start(activation, form)
        self.weight_numerator = nn.Parameter(torch.empty(1, len(begun.numerator)))
        self.weight_denominator = nn.Parameter(torch.empty(n_groups, len(begun.denominator)))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Write the coefficients of the start."""
        begun = start(self.activation, self.form)
        with torch.no_grad():
            self.weight_numerator.copy_(torch.tensor([begun.numerator]))
            self.weight_denominator.copy_(torch.tensor(begun.denominator).expand(self.n_groups, -1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return group_rational(x, self.weight_numerator, self.weight_denominator, form=self.form)

    def extra_repr(self) -> str:
        return f"{self.n_groups} groups, begun as {self.activation}, form={self.form}"
