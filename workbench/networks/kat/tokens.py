"""From data to tokens: what a transformer sees of a table, an image or a sequence.

    Columns   a table        one token per column, x_j w_j + b_j            X (n_rows, n_columns)
    Patches   images         one token per square patch, a linear map       X (n_rows, channels, height, width)
    Steps     sequences      one token per step: numbers or words           X (n_rows, length, n_features), or (n_rows, length) of whole numbers

Numbers are centred and scaled by constants that the embedding owns (`centre`, `spread`, from the rows it was trained on), so that a
model takes data in their own units. A class token goes first: what it has become at the end is what the head reads.

Gorishniy et al. (2021) for columns; Dosovitskiy et al. (2021) for patches.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from workbench.exceptions import NetworkError


@dataclass(frozen=True)
class Columns:
    """A table of n_columns numbers."""

    n_columns: int

    n_tokens = property(lambda self: self.n_columns)
    shape = property(lambda self: (self.n_columns,))


@dataclass(frozen=True)
class Patches:
    """Images, cut into squares of `size` times `size` pixels."""

    height: int
    width: int
    size: int
    channels: int = 1

    def __post_init__(self) -> None:
        if self.size < 1 or self.height % self.size or self.width % self.size:
            raise NetworkError(f"{self}: patches of {self.size} x {self.size} do not tile {self.height} x {self.width} pixels. Choose a size that divides both.")

    n_tokens = property(lambda self: (self.height // self.size) * (self.width // self.size))
    shape = property(lambda self: (self.channels, self.height, self.width))


@dataclass(frozen=True)
class Steps:
    """Sequences of n_features numbers per step, or of words: whole numbers from 0 to below `vocabulary`."""

    length: int
    n_features: int = 1
    vocabulary: int | None = None

    n_tokens = property(lambda self: self.length)
    shape = property(lambda self: (self.length,) if self.vocabulary else (self.length, self.n_features))


Tokens = Columns | Patches | Steps


class Embedding(nn.Module):
    """What the three embeddings share: numbers are centred and scaled before anything is learned of them.

    `axes` are those of X over which one constant is taken.
    """

    axes: ClassVar[tuple[int, ...]]

    def __init__(self, constants: tuple[int, ...]) -> None:
        super().__init__()
        self.register_buffer("centre", torch.zeros(constants))
        self.register_buffer("spread", torch.ones(constants))

    def reset_scale(self, X: torch.Tensor | None = None) -> None:
        """Take centre and spread from rows; without any, leave numbers as they are."""
        with torch.no_grad():
            self.centre.zero_()
            self.spread.fill_(1.0)
            if X is not None and X.is_floating_point():
                spread, centre = torch.std_mean(X.double(), self.axes, correction=0)
                self.centre.copy_(centre.reshape(self.centre.shape))
                self.spread.copy_(torch.where(spread > 0, spread, 1.0).reshape(self.spread.shape))

    def scaled(self, X: torch.Tensor) -> torch.Tensor:
        return (X - self.centre) / self.spread


class ColumnEmbedding(Embedding):
    """(n_rows, n_columns) -> (n_rows, n_columns, width). The bias of a column says which one it is: no position is added."""

    axes = (0,)

    def __init__(self, tokens: Columns, width: int) -> None:
        super().__init__((tokens.n_columns,))
        self.weight = nn.Parameter(torch.empty(tokens.n_columns, width))
        self.bias = nn.Parameter(torch.empty(tokens.n_columns, width))

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return self.scaled(X)[..., None] * self.weight + self.bias


class PatchEmbedding(Embedding):
    """(n_rows, channels, height, width) -> (n_rows, n_patches, width of the model), row by row of patches."""

    axes = (0, 2, 3)

    def __init__(self, tokens: Patches, width: int) -> None:
        super().__init__((tokens.channels, 1, 1))
        self.proj = nn.Conv2d(tokens.channels, width, tokens.size, tokens.size)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return self.proj(self.scaled(X)).flatten(2).transpose(1, 2)


class StepEmbedding(Embedding):
    """(n_rows, length, n_features) or (n_rows, length) of words -> (n_rows, length, width)."""

    axes = (0, 1)

    def __init__(self, tokens: Steps, width: int) -> None:
        super().__init__(() if tokens.vocabulary else (tokens.n_features,))
        self.vocabulary = tokens.vocabulary
        self.proj = nn.Embedding(tokens.vocabulary, width) if tokens.vocabulary else nn.Linear(tokens.n_features, width)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return self.proj(X.long() if self.vocabulary else self.scaled(X))


_EMBEDDINGS = {Columns: ColumnEmbedding, Patches: PatchEmbedding, Steps: StepEmbedding}


def embedding(tokens: Tokens, width: int) -> Embedding:
    """Return the module that makes tokens."""
    return _EMBEDDINGS[type(tokens)](tokens, width)
