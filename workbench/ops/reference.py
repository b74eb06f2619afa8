"""Rational functions and splines in plain torch: the specification that every engine is held against.

    F(x) = P(x) / D(x),    P(x) = a_0 + a_1 x + ... + a_m x^m,    q(z) = b_1 z + ... + b_n z^n

    "sum_abs"   D = 1 + sum_j |b_j| |x|^j     as the published GPU kernels of the KAT compute it
    "abs_sum"   D = 1 + |q(x)|                as its paper has it (Yang & Wang, 2024, eq. 11; Molina et al., 2020)
    "square"    D = 1 + q(x)^2                smooth, without absolute values

D is never below 1: there are no poles. |v| has the slope +1 at v = 0, where torch.abs has 0: a start with all b_j = 0 must be able to learn its
denominator. Splines are cubic, on uniform knots:

    phi(x) = w silu(u) + sum_k c_k B((x - lo) / h - k + 1),    u = 2 (x - lo) / (hi - lo) - 1,    h = (hi - lo) / (n_bases - 3)

Gradients of any order come from autograd. Run it in float64 for the truth; in another precision it is the engine "reference".
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


def edge_spline(x: torch.Tensor, coefficients: torch.Tensor, base: torch.Tensor, domain: torch.Tensor) -> torch.Tensor:
    """Evaluate a layer with one spline on every edge: y_o = sum over i of phi_oi(x_i).

    Parameters
    ----------
    x : (n_in, n_rows)
    coefficients : (n_bases, n_out, n_in)
    base : (n_out, n_in)
    domain : (n_in, 2)

    Returns
    -------
    (n_out, n_rows)

    >>> x = torch.tensor([[-1.0, 0.0, 1.0]])
    >>> edge_spline(x, torch.ones(8, 1, 1), torch.zeros(1, 1), torch.tensor([[-1.0, 1.0]])).round(decimals=6)      # bases sum to one
    tensor([[1., 1., 1.]])
    """
    low, width = domain[:, :1], domain[:, 1:] - domain[:, :1]  # (n_in, 1)
    place = (x - low) * ((len(coefficients) - 3) / width) + 1
    bases = torch.stack([_cardinal(place - k) for k in range(len(coefficients))])  # (n_bases, n_in, n_rows)
    u = (x - low) * (2 / width) - 1
    return torch.einsum("koi,kin->on", coefficients, bases) + base @ (u * torch.sigmoid(u))


def _cardinal(t: torch.Tensor) -> torch.Tensor:
    """Return B(t) = (max(2 - |t|, 0)^3 - 4 max(1 - |t|, 0)^3) / 6, written so that its second derivative is right at t = 0 too."""
    s = t.abs()
    near = torch.where(s < 1, t, torch.zeros_like(t))
    return torch.where(s < 1, (4 - 6 * near * near + 3 * near * near * near.abs()) / 6, (2 - s).clamp(min=0) ** 3 / 6)


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
