"""The whole model: tokens, blocks, and a head that reads the class token.

    X -> tokens -> [class token, tokens] + positions -> block 1 ... block n -> LayerNorm -> class token -> linear head
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from workbench.exceptions import NetworkError
from workbench.networks.kat.block import Attention, Block, RationalFeedForward
from workbench.networks.kat.initialisation import initialise
from workbench.networks.kat.tokens import Columns, Tokens, embedding

_EPSILON = 1e-6  # of every LayerNorm, as in vision transformers


@dataclass(frozen=True)
class KATConfig:
    """The shape of a KAT.

    Parameters
    ----------
    tokens : Columns, Patches or Steps
    n_outputs : numbers that the head gives per row
    width : channels of a token
    depth : blocks
    n_heads : attention heads of a block; divides the width
    expansion : channels inside a feed-forward part, in units of the width
    n_groups : groups of channels that share an activation; divides the width
    activation : what the second rational of a block begins as
    form : of the denominators; "sum_abs" is that of the published kernels
    dropout : share of channels left out behind a rational in training

    >>> KATConfig(Columns(5), n_outputs=1, width=30)
    Traceback (most recent call last):
    ...
    workbench.exceptions.NetworkError: width=30 is shared out to n_heads=3 and n_groups=8: both must divide it. Take width=24, for example.
    """

    tokens: Tokens
    n_outputs: int
    width: int = 192
    depth: int = 12
    n_heads: int = 3
    expansion: int = 4
    n_groups: int = 8
    activation: str = "gelu"
    form: str = "sum_abs"
    dropout: float = 0.0

    def __post_init__(self) -> None:
        sizes = {name: getattr(self, name) for name in ("n_outputs", "width", "depth", "n_heads", "expansion", "n_groups")}
        if min(sizes.values()) < 1:
            raise NetworkError(f"A KAT has whole numbers from 1 up for {', '.join(sizes)}; got {', '.join(map(str, sizes.values()))}.")
        if self.width % self.n_heads or self.width % self.n_groups:
            step = torch.tensor(self.n_heads).lcm(torch.tensor(self.n_groups)).item()
            raise NetworkError(
                f"width={self.width} is shared out to n_heads={self.n_heads} and n_groups={self.n_groups}: both must divide it. "
                f"Take width={step * max(1, self.width // step)}, for example."
            )


class KAT(nn.Module):
    """A Kolmogorov-Arnold transformer, (n_rows, *config.tokens.shape) -> (n_rows, n_outputs).

    The constructor only makes room for parameters as torch does; `build` gives a model to train.
    """

    def __init__(self, config: KATConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.patch_embed = embedding(config.tokens, width)
        self.cls_token = nn.Parameter(torch.empty(1, 1, width))
        positions = None if isinstance(config.tokens, Columns) else nn.Parameter(torch.empty(1, 1 + config.tokens.n_tokens, width))
        self.register_parameter("pos_embed", positions)
        self.blocks = nn.ModuleList(_block(config) for _ in range(config.depth))
        self.norm = nn.LayerNorm(width, _EPSILON)
        self.head = nn.Linear(width, config.n_outputs)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        if tuple(X.shape[1:]) != self.config.tokens.shape:
            wanted = ", ".join(map(str, ("n_rows", *self.config.tokens.shape)))
            raise NetworkError(f"This KAT takes X ({wanted}); got {tuple(X.shape)}.")
        tokens = self.patch_embed(X)
        x = torch.cat([self.cls_token.expand(len(tokens), -1, -1), tokens], 1)  # (n_rows, 1 + n_tokens, width)
        if self.pos_embed is not None:
            x = x + self.pos_embed
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x)[:, 0])


def build(config: KATConfig, generator: torch.Generator, X: torch.Tensor | None = None) -> KAT:
    """Return a KAT with random weights, all of them from the generator.

    Parameters
    ----------
    config : its shape
    generator : source of randomness; nothing else is drawn from, the global generators least of all
    X : rows to take the centre and spread of numbers from; left as they are without
    """
    with torch.device("meta"):  # room for parameters without a number drawn
        model = KAT(config)
    model = model.to_empty(device="cpu")
    initialise(model, generator)
    model.patch_embed.reset_scale(X)
    return model


def _block(config: KATConfig) -> Block:
    width = config.width
    feed_forward = RationalFeedForward(width, config.expansion * width, config.n_groups, config.activation, config.form, config.dropout)
    return Block(nn.LayerNorm(width, _EPSILON), Attention(width, config.n_heads), nn.LayerNorm(width, _EPSILON), feed_forward)
