"""Both sides of the comparison are one block, but for its activations."""

from __future__ import annotations

import torch
from numpy.testing import assert_allclose

from benchmarks.kat_block import TOKENS, WIDTH, blocks, step


def test_the_block_with_gelu_computes_what_ours_begins_with() -> None:
    ours, peer = blocks().values()
    x = torch.randn(3, TOKENS, WIDTH, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        assert_allclose(ours(x), peer(x), atol=0.05)  # beyond [-4, 4] a start bends away from its GELU
        assert (ours(x) - peer(x)).square().mean().sqrt() < 5e-3


def test_a_step_trains_every_parameter() -> None:
    for block in blocks().values():
        before = {name: value.clone() for name, value in block.state_dict().items()}
        step(block)()
        assert [name for name, value in block.state_dict().items() if torch.equal(before[name], value)] == []
