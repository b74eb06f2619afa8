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


def test_every_planned_row_is_measured() -> None:
    assert len(rational_layers.PLAN) == len(rational_layers.SIDES) * (len(rational_layers.GROUPS) + len(rational_layers.LAYERS))
    assert len({row.what for row in rational_layers.PLAN}) == len(rational_layers.PLAN)
