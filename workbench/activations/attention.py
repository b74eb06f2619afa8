"""Attention maps: how much every token of a row looks at every other, per block and head.

    map = softmax(q k^T / sqrt(d)),     (n_rows, n_heads, n_tokens, n_tokens), each row of a map sums to 1

They are computed beside the model from what each attention part received. Known are ours, parts with `qkv` and `num_heads` as timm's vision
transformers have them, and torch's own nn.MultiheadAttention.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from workbench.exceptions import NetworkError
from workbench.networks.kat import Attention
from workbench.training.adam import outputs_of


def attention_maps(module: nn.Module, X: torch.Tensor) -> dict[str, np.ndarray]:
    """Return the attention maps of every attention part on rows, by its path; the module stays as it is.

    Raises
    ------
    NetworkError : no attention part that is known
    """
    parts = {path: part for path, part in module.named_modules() if _maps_of(part) is not None}
    if not parts:
        raise NetworkError(f"attention({type(module).__name__}): no attention part that is known; known are parts with qkv and num_heads, and nn.MultiheadAttention.")
    found: dict[str, list[torch.Tensor]] = {path: [] for path in parts}
    handles = [part.register_forward_pre_hook(_keeper(part, found[path]), with_kwargs=True) for path, part in parts.items()]
    try:
        outputs_of(module, X)
    finally:
        for handle in handles:
            handle.remove()
    return {path: torch.cat(maps).double().cpu().numpy() for path, maps in found.items() if maps}


def _maps_of(part: nn.Module) -> Callable[..., torch.Tensor] | None:
    """Return what computes the maps of a part from its arguments, None for a module that is no attention."""
    if isinstance(part, Attention):
        return part.maps
    if isinstance(part, nn.MultiheadAttention):
        return lambda *args, **kwargs: _of_torch(part, *args, **kwargs)
    if isinstance(getattr(part, "qkv", None), nn.Linear) and isinstance(getattr(part, "num_heads", None), int):
        return lambda x, *_, **__: _of_qkv(part, x)
    return None


def _keeper(part: nn.Module, kept: list[torch.Tensor]) -> Callable:
    maps = _maps_of(part)
    busy = []  # torch's attention is asked by running it once more, which calls this hook again

    def keep(_: nn.Module, args: tuple, kwargs: dict) -> None:
        if not busy:
            busy.append(True)
            kept.append(maps(*args, **kwargs).detach())
            busy.clear()

    return keep


def _of_torch(part: nn.MultiheadAttention, *args: object, **kwargs: object) -> torch.Tensor:
    given = inspect.signature(part.forward).bind(*args, **kwargs).arguments
    return part(**{**given, "need_weights": True, "average_attn_weights": False})[1]


def _of_qkv(part: nn.Module, x: torch.Tensor) -> torch.Tensor:
    queries, keys, _ = part.qkv(x).unflatten(-1, (3, part.num_heads, -1)).permute(2, 0, 3, 1, 4)
    queries, keys = (getattr(part, name, nn.Identity())(values) for name, values in (("q_norm", queries), ("k_norm", keys)))
    scale = getattr(part, "scale", queries.shape[-1] ** -0.5)
    return (queries @ keys.transpose(-1, -2) * scale).softmax(-1)
