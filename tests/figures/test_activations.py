"""Figures of a transformer show what its functions received and gave."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from workbench.activations import KATReading, open_kat
from workbench.figures.activations import attention_heads, function_curves
from workbench.figures.plots import COLOURS
from workbench.networks.kat import Columns, KATConfig, build


@pytest.fixture(scope="module")
def reading() -> KATReading:
    X = torch.randn(101, 3, generator=torch.Generator().manual_seed(0))
    module = build(KATConfig(Columns(3), n_outputs=1, width=6, depth=1, n_heads=3, n_groups=2), torch.Generator().manual_seed(1))
    return open_kat(module, X, X[:, :1]).snap(("blocks.0.mlp.act2", 1), "gelu", epochs=0)


def test_every_function_is_drawn_over_its_density(reading: KATReading) -> None:
    figure = function_curves(reading)
    assert len(figure.data) == 2 * 4
    density, curve = figure.data[6], figure.data[7]
    seen = reading.received(("blocks.0.mlp.act2", 1))
    assert_allclose(np.interp(seen.x, curve.x, curve.y), seen.y, atol=2e-3)
    height, low = np.ptp(curve.y), curve.y.min()
    assert (density.x.min(), density.x.max()) == pytest.approx((seen.low, seen.high))
    assert density.y.min() == pytest.approx(low)
    assert density.y.max() == pytest.approx(low + 0.4 * height)
    area = np.trapezoid(density.y - density.y.min(), density.x)
    heights, edges = seen.density
    assert area == pytest.approx((heights * np.diff(edges)).sum() * 0.4 * height / heights.max())


def test_a_name_shows_in_colour_and_title(reading: KATReading) -> None:
    figure = function_curves(reading)
    assert [trace.line.color for trace in figure.data[1::2]] == [COLOURS["spline"]] * 3 + [COLOURS["snapped"]]
    assert [note.text for note in figure.layout.annotations][2:] == ["blocks.0.mlp.act2[0]", "blocks.0.mlp.act2[1]: gelu"]


def test_every_head_has_its_square(reading: KATReading) -> None:
    maps = reading.attention(torch.zeros(2, 3))["blocks.0.attn"][1]
    figure = attention_heads(maps)
    assert len(figure.data) == 3
    assert_allclose(figure.data[2].z, maps[2])
    assert list(figure.data[0].x) == ["class", "1", "2", "3"]
    assert figure.layout.yaxis.autorange == "reversed"  # who looks first stands on top
