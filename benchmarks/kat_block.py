"""A training step of a transformer block with rational activations, against the same block with GELU, in one process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from benchmarks.timing import Bench, Row, in_turn

if TYPE_CHECKING:
    import torch

GROUP = "kat_block"
BATCH, TOKENS, WIDTH, HEADS = 64, 65, 192, 3
PLAN = [Row(f"step of a KAT block, batch {BATCH}, {TOKENS} tokens, width {WIDTH}, float32", 0.87, 0.95, peer="the same block with GELU")]


def rows(bench: Bench) -> list[Row]:
    """One row."""
    import torch

    torch.set_num_threads(1)
    taken = in_turn({side: step(block) for side, block in blocks().items()}, bench.rounds)
    return [replace(PLAN[0], ours=taken["ours"], theirs=taken["peer"], note="a gate of 0.87 is 1.15 times the time of the block with GELU")]


def blocks() -> dict[str, torch.nn.Module]:
    """Return both blocks, with the same weights."""
    import torch

    from workbench.networks.kat import Columns, KATConfig, build

    shape = KATConfig(Columns(1), 1, width=WIDTH, depth=1, n_heads=HEADS)
    ours, peer = (build(shape, torch.Generator().manual_seed(0)).blocks[0] for _ in range(2))
    peer.mlp.act1, peer.mlp.act2 = torch.nn.Identity(), torch.nn.GELU()
    return {"ours": ours, "peer": peer}


def step(block: torch.nn.Module) -> Callable[[], None]:
    """Return forward, backward and update of a block."""
    import torch

    generator = torch.Generator().manual_seed(1)
    x, wanted = (torch.randn(BATCH, TOKENS, WIDTH, generator=generator) for _ in range(2))
    optimizer = torch.optim.AdamW(block.parameters(), 1e-4)

    def once() -> None:
        optimizer.zero_grad()
        (block(x) - wanted).square().mean().backward()
        optimizer.step()

    return once
