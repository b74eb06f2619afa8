"""A transformer block with rational activations.

    x = x + Attention(LayerNorm(x))
    x = x + W2 F2(W1 F1(LayerNorm(x)) + b1) + b2          F1 begins as the identity, F2 as a GELU or SiLU

The activation stands before the linear map, as on the edges of a KAN: channel i of W F(x) is a sum of functions w_ij F_g(j)(x_j) of one variable
each, alike but for a factor within a group (Yang & Wang, 2024, section 4.2). Attention is that of a plain transformer.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from workbench.networks.kat.rational import GroupRational


class RationalFeedForward(nn.Module):
    """rational -> linear -> rational -> linear, (..., width) -> (..., width).

    Parameters
    ----------
    width, hidden : channels outside and inside
    n_groups : groups of either rational; divides both
    activation : what the second rational begins as
    form : of the denominators
    dropout : share of channels left out behind either rational in training
    """

    def __init__(self, width: int, hidden: int, n_groups: int = 8, activation: str = "gelu", form: str = "sum_abs", dropout: float = 0.0) -> None:
        super().__init__()
        self.act1 = GroupRational(n_groups, "identity", form)
        self.drop1 = nn.Dropout(dropout)
        self.fc1 = nn.Linear(width, hidden)
        self.act2 = GroupRational(n_groups, activation, form)
        self.drop2 = nn.Dropout(dropout)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.fc1(self.drop1(self.act1(x)))  # (..., width) -> (..., hidden)
        return self.fc2(self.drop2(self.act2(x)))


class Attention(nn.Module):
    """Multi-head self-attention, (n_rows, n_tokens, width) -> the same."""

    def __init__(self, width: int, n_heads: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        mixed = functional.scaled_dot_product_attention(*self._heads(x))
        return self.proj(mixed.transpose(1, 2).flatten(2))  # (n_rows, n_heads, n_tokens, head) -> (n_rows, n_tokens, width)

    def maps(self, x: torch.Tensor) -> torch.Tensor:
        """Return how much every token attends to every other, (n_rows, n_heads, n_tokens, n_tokens); the last axis sums to 1."""
        queries, keys, _ = self._heads(x)
        return (queries @ keys.transpose(-1, -2) / queries.shape[-1] ** 0.5).softmax(-1)

    def _heads(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return queries, keys and values, each (n_rows, n_heads, n_tokens, head)."""
        return self.qkv(x).unflatten(-1, (3, self.n_heads, -1)).permute(2, 0, 3, 1, 4).unbind(0)


class Block(nn.Module):
    """Attention and a rational feed-forward part, each normalised before and added to what came in."""

    def __init__(self, norm1: nn.LayerNorm, attn: nn.Module, norm2: nn.LayerNorm, mlp: RationalFeedForward) -> None:
        super().__init__()
        self.norm1, self.attn, self.norm2, self.mlp = norm1, attn, norm2, mlp

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))
