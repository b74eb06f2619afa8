"""The peer of the rational benchmark computes what ours does: else the ratio would mean nothing."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from benchmarks import rational_layers


@pytest.mark.parametrize(
    ("op", "shapes"),
    [("group", ((7, 3, 40), (8, 6), (8, 4))), *(("edge", shapes) for *shapes, _, _ in rational_layers.LAYERS)],
)
def test_all_sides_agree_in_values_and_all_gradients(op: str, shapes: tuple[tuple[int, ...], ...]) -> None:
    sides = rational_layers.sides(op, *shapes)
    peer = [tensor.detach().numpy() for tensor in sides["peer"]()]
    for side in ("op", "autograd"):
        for ours, theirs in zip(sides[side](), peer, strict=True):
            found = np.asarray(ours.detach() if hasattr(ours, "detach") else ours)
            assert found.shape == theirs.shape
            assert_allclose(found, theirs, rtol=0, atol=2e-5 * np.abs(theirs).max())


@pytest.mark.parametrize("shapes", [shapes for *shapes, _, _ in rational_layers.LAYERS])
def test_the_peer_with_rows_first_is_the_other_turned(shapes: tuple[tuple[int, ...], ...]) -> None:
    sides = rational_layers.sides("edge", *shapes)
    for turned, peer in zip(sides["natural"](), sides["peer"](), strict=True):
        expected = peer.detach().transpose(-1, -2).numpy()
        assert_allclose(turned.detach().numpy(), expected, rtol=0, atol=2e-5 * np.abs(expected).max())


def test_every_planned_row_is_measured() -> None:
    cases = {"group": rational_layers.GROUPS, "edge": rational_layers.LAYERS}
    assert len(rational_layers.PLAN) == sum(len(pairs) * len(cases[op]) for op, pairs in rational_layers.PAIRS.items())
    assert len({(row.what, row.peer) for row in rational_layers.PLAN}) == len(rational_layers.PLAN)
