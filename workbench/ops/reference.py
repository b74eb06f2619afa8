"""Rational functions in plain torch: the specification that every engine is held against.

    F(x) = P(x) / D(x),    P(x) = a_0 + a_1 x + ... + a_m x^m,    q(z) = b_1 z + ... + b_n z^n

    "sum_abs"   D = 1 + sum_j |b_j| |x|^j     as the published GPU kernels of the KAT compute it
    "abs_sum"   D = 1 + |q(x)|                as its paper has it (Yang & Wang, 2024, eq. 11; Molina et al., 2020)
    "square"    D = 1 + q(x)^2                smooth, without absolute values

D is never below 1: there are no poles. |v| has the slope +1 at v = 0, where torch.abs has 0: a start with all b_j = 0 must be able to learn its
denominator. Gradients of any order come from autograd. Run it in float64 for the truth; in another precision it is the engine "reference".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch


def group_rational(x: torch.Tensor, numerator: torch.Tensor, denominator: torch.Tensor, form: str) -> torch.Tensor:
    """Evaluate one rational function per group of neighbouring channels.

    Parameters
    ----------
    x : (..., n_channels)
    numerator : (n_groups, m + 1)     a_0 ... a_m; n_groups divides n_channels
    denominator : (n_groups, n)       b_1 ... b_n
    form : "sum_abs", "abs_sum" or "square"

    Returns
    -------
    (..., n_channels)

    >>> x = torch.tensor([[-2.0, 1.0]])
    >>> group_rational(x, torch.tensor([[0.0, 1.0], [3.0, 0.0]]), torch.tensor([[-0.5], [2.0]]), "sum_abs")
    tensor([[-1.,  1.]])
    """
    grouped = x.unflatten(-1, (numerator.shape[0], -1))  # (..., n_channels) -> (..., n_groups, group_size)
    a, b = ([c.unsqueeze(-1) for c in coefficients.unbind(-1)] for coefficients in (numerator, denominator))  # each (n_groups, 1)
    return _rational(grouped, a, b, form).flatten(-2)


def edge_rational(x: torch.Tensor, numerator: torch.Tensor, denominator: torch.Tensor, form: str) -> torch.Tensor:
    """Evaluate a layer with one rational function on every edge: y_o = sum over i of F_oi(x_i).

    Parameters
    ----------
    x : (n_in, n_rows)
    numerator : (m + 1, n_out, n_in)
    denominator : (n, n_out, n_in)
    form : "sum_abs", "abs_sum" or "square"

    Returns
    -------
    (n_out, n_rows)
    """
    a, b = ([c.unsqueeze(-1) for c in coefficients] for coefficients in (numerator, denominator))  # each (n_out, n_in, 1)
    return _rational(x, a, b, form).sum(1)  # (n_out, n_in, n_rows) -> (n_out, n_rows)


def _rational(x: torch.Tensor, a: Sequence[torch.Tensor], b: Sequence[torch.Tensor], form: str) -> torch.Tensor:
    return _polynomial(x, a) / _DENOMINATORS[form](x, b)


def _polynomial(x: torch.Tensor, coefficients: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return c_0 + c_1 x + ... by Horner's rule; 0 where there are none."""
    value = torch.zeros_like(x)
    for c in reversed(coefficients):
        value = value * x + c
    return value


def _magnitude(v: torch.Tensor) -> torch.Tensor:
    """Return |v| with the slope +1 at 0."""
    return torch.where(v < 0, -v, v)


def _sum_abs(x: torch.Tensor, b: Sequence[torch.Tensor]) -> torch.Tensor:
    z = _magnitude(x)
    return 1 + z * _polynomial(z, [_magnitude(c) for c in b])


def _abs_sum(x: torch.Tensor, b: Sequence[torch.Tensor]) -> torch.Tensor:
    return 1 + _magnitude(x * _polynomial(x, b))


def _square(x: torch.Tensor, b: Sequence[torch.Tensor]) -> torch.Tensor:
    return 1 + (x * _polynomial(x, b)).square()


_DENOMINATORS: dict[str, Callable] = {"sum_abs": _sum_abs, "abs_sum": _abs_sum, "square": _square}
