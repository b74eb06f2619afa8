"""Weights to begin with, such that values keep their variance on the way through a block.

    Var(w) = alpha / d_in,    alpha = Var(x) / E[F(x)^2]  at  x ~ N(0, 1)

for a linear map behind the activation F: 1 behind an identity, 2.35 behind a GELU, 2.81 behind a SiLU, computed here from the coefficients that F
really begins with. Linear maps without an activation have alpha = 1. Source: Yang & Wang (2024), section 4.4; in the model published with it
these weights are overwritten afterwards by a truncated normal of 0.02. Here every parameter is written exactly once, in one pass.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from workbench.exceptions import NetworkError
from workbench.networks.kat.block import RationalFeedForward
from workbench.networks.kat.rational import GroupRational
from workbench.ops.starts import evaluate, start

_SMALL = 0.02  # standard deviation of class token and positions, as in vision transformers
_NODES = 101  # of the quadrature; the functions are smooth


def initialise(model: nn.Module, generator: torch.Generator) -> None:
    """Write every parameter of a model, in its own memory, all randomness from the generator.

    Raises
    ------
    NetworkError : a parameter that no rule writes
    """
    gains = {}
    for module in model.modules():
        if isinstance(module, RationalFeedForward):
            gains[module.fc1], gains[module.fc2] = gain(module.act1), gain(module.act2)
    with torch.no_grad():
        for name, module in model.named_modules():
            _write(module, name, gains.get(module, 1.0), generator)


def gain(rational: GroupRational) -> float:
    """Return alpha = 1 / E[F(x)^2] at x ~ N(0, 1) for what a rational begins as, by Gauss-Hermite quadrature.

    >>> round(gain(GroupRational(activation="silu")), 2)
    2.81
    """
    begun = start(rational.activation, rational.form)
    nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    near = np.abs(nodes) < 8  # beyond, the weight is below 1e-14 and the start bends away
    values = evaluate(nodes[near], np.array(begun.numerator), np.array(begun.denominator), rational.form)
    return float(weights.sum() / (weights[near] @ values**2))


def _write(module: nn.Module, name: str, alpha: float, generator: torch.Generator) -> None:
    """Write the parameters that a module holds itself, those of its children left out."""
    if isinstance(module, GroupRational):
        module.reset_parameters()
        return
    for own, parameter in module.named_parameters(recurse=False):
        if isinstance(module, nn.LayerNorm):
            parameter.fill_(1.0 if own == "weight" else 0.0)
        elif own == "bias" and parameter.dim() == 1:
            parameter.zero_()
        elif isinstance(module, nn.Linear | nn.Conv2d):
            parameter.normal_(0.0, (alpha / parameter[0].numel()) ** 0.5, generator=generator)
        elif own in ("cls_token", "pos_embed"):
            parameter.normal_(0.0, _SMALL, generator=generator)
        elif isinstance(module, nn.Embedding) or own in ("weight", "bias"):  # of an embedding: tokens begin with variance 1 at most 2
            parameter.normal_(0.0, 1.0, generator=generator)
        else:
            raise NetworkError(f"initialise: no rule for the parameter {own!r} of {name or 'the model'} ({type(module).__name__}).")
