"""A plain transformer becomes a KAT that computes the same: every weight is kept, and rationals begin as the activations they replace.

    W2 act(W1 x + b1) + b2      ->      W2 F2(W1 F1(x) + b1) + b2,      F1 the identity exactly, F2 = act within the fit error of its start

Two makes of feed-forward part are known: torch's own `nn.TransformerEncoderLayer`, and any module with `fc1`, `act` and `fc2`, as timm's vision
transformers and many others have it. Attention, norms, masks and dropout stay as they were. The tanh approximation of GELU counts as
GELU, from which it differs by 5e-4 at most.
"""

from __future__ import annotations

import copy

import torch
from torch import nn
from torch.nn import functional

from workbench.exceptions import NetworkError
from workbench.networks.kat.block import RationalFeedForward
from workbench.networks.kat.rational import GroupRational

_FUNCTIONS = {functional.gelu: "gelu", functional.relu: "relu", functional.silu: "silu", torch.tanh: "tanh", torch.sigmoid: "sigmoid"}
_MODULES = {nn.GELU: "gelu", nn.ReLU: "relu", nn.SiLU: "silu", nn.Tanh: "tanh", nn.Sigmoid: "sigmoid", nn.Identity: "identity"}


def from_transformer(plain: nn.Module, n_groups: int = 8, form: str = "sum_abs") -> nn.Module:
    """Return a copy of a plain transformer with rational feed-forward parts; the one given stays as it is.

    Parameters
    ----------
    plain : a model with nn.TransformerEncoderLayer, or with parts that have fc1, act and fc2
    n_groups : groups of channels that share an activation
    form : of the denominators

    Raises
    ------
    NetworkError : no feed-forward part that is known, or an activation without a start

    >>> plain = nn.TransformerEncoderLayer(8, 2, dim_feedforward=16, dropout=0.0, activation="gelu", batch_first=True, norm_first=True)
    >>> x = torch.linspace(-1, 1, 48).reshape(2, 3, 8)
    >>> bool((from_transformer(plain, n_groups=4)(x) - plain(x)).abs().max() < 0.01)
    True
    """
    converted = _converted(copy.deepcopy(plain), n_groups, form)
    if not any(isinstance(module, GroupRational) for module in converted.modules()):
        raise NetworkError(
            f"from_transformer({type(plain).__name__}): it holds no feed-forward part that is known. Known are nn.TransformerEncoderLayer, "
            "and modules with fc1, act and fc2."
        )
    return converted


def _converted(module: nn.Module, n_groups: int, form: str) -> nn.Module:
    """Return what takes the place of a module of our own copy; what is no feed-forward part keeps its place and gets new children."""
    if all(isinstance(getattr(module, name, None), nn.Linear) for name in ("fc1", "fc2")) and hasattr(module, "act"):
        return _feed_forward(module, n_groups, form)
    if isinstance(module, nn.TransformerEncoderLayer):
        module.activation = GroupRational(n_groups, _name(module.activation), form).to(module.linear1.weight)
        module.linear1 = nn.Sequential(GroupRational(n_groups, "identity", form).to(module.linear1.weight), module.linear1)
        module.activation_relu_or_gelu = 0  # torch would otherwise compute the layer in one stroke, with the old activation
    for name, child in module.named_children():
        setattr(module, name, _converted(child, n_groups, form))
    return module


def _feed_forward(plain: nn.Module, n_groups: int, form: str) -> RationalFeedForward:
    made = RationalFeedForward(plain.fc1.in_features, plain.fc1.out_features, n_groups, _name(plain.act), form).to(plain.fc1.weight)
    made.fc1, made.fc2 = plain.fc1, plain.fc2
    return made.train(plain.training)


def _name(activation: object) -> str:
    """Return the start that stands for an activation, a module or a function."""
    name = _MODULES.get(type(activation)) or (_FUNCTIONS.get(activation) if callable(activation) else None)
    if name is None:
        raise NetworkError(f"from_transformer: there is no start for the activation {activation}. Known: {', '.join(_MODULES.values())}.")
    return name
