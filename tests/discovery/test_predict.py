"""A saved discovery on a new table: categories, dates and groups mean what they meant in the fit; extrapolation is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

import workbench as wb


def test_groups_are_predicted_by_their_own_constants(tmp_path: Path) -> None:
    found = wb.Discovery(wb.load_sample("puromycin")).fit(hidden_layer_sizes=(), n_starts=1).snap((0, "conc", 0), "x/(1+x)")
    found.save(tmp_path / "puromycin.kanwb")
    new = {"state": ["treated", "untreated", "boiled", "treated"], "conc": [0.22, 0.22, 0.22, 5.0]}
    prediction = wb.load_discovery(tmp_path / "puromycin.kanwb").predict(new)
    assert_allclose(prediction.values[:2], [212.7 * 0.22 / (0.0641 + 0.22), 160.3 * 0.22 / (0.0477 + 0.22)], rtol=0.03)
    assert np.isnan(prediction.values[2])
    assert_array_equal(prediction.outside, [False, False, False, True])
    assert "No prediction where an input is missing or unknown: 1 row (3)." in prediction.message
    assert "(rows 4)" in prediction.message


def test_categories_are_encoded_as_in_the_fit() -> None:
    generator = np.random.default_rng(4)
    x, kind = generator.uniform(1, 2, 211), np.array(["low", "high", "mid"])[generator.integers(0, 3, 211)]
    y = x**2 + np.select([kind == "low", kind == "mid"], [-5.0, 3.0], 0.0)
    found = wb.Discovery(wb.Dataset.from_table({"x": x, "kind": kind, "y": y}, "y")).fit(hidden_layer_sizes=())
    new = {"kind": ["mid", "low", "high"], "x": [1.5, 1.5, 1.5]}
    assert_allclose(found.predict(new).values, [2.25 + 3, 2.25 - 5, 2.25], atol=0.02)
