"""Kolmogorov-Arnold transformers: a transformer whose activations are rational functions that can be learned, looked at and named.

    config = KATConfig(Patches(height=8, width=8, size=2), n_outputs=10, width=32, depth=2, n_heads=4)
    model = build(config, torch.Generator().manual_seed(0))       # X (n_rows, 1, 8, 8) -> (n_rows, 10)

Only the feed-forward part of a block differs from a plain transformer: a rational before either linear map, shared by groups of channels, the
first an identity at the start, the second a GELU or SiLU (Yang & Wang, 2024). Parameters carry the names of the published checkpoints
(blocks.0.attn.qkv, blocks.0.mlp.act1.weight_numerator ...), so that those fit in.

All of it is torch: import this package where torch is wanted.
"""

from workbench.networks.kat.block import Attention, Block, RationalFeedForward
from workbench.networks.kat.conversion import from_transformer
from workbench.networks.kat.initialisation import initialise
from workbench.networks.kat.rational import GroupRational
from workbench.networks.kat.tokens import Columns, Patches, Steps
from workbench.networks.kat.transformer import KAT, KATConfig, build

__all__ = [
    "KAT",
    "Attention",
    "Block",
    "Columns",
    "GroupRational",
    "KATConfig",
    "Patches",
    "RationalFeedForward",
    "Steps",
    "build",
    "from_transformer",
    "initialise",
]
