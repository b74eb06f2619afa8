"""The hello task: exp(sin(pi x) + y^2) is fitted, pruned, snapped and read from the network, with no other search."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
from workbench.discovery.autopilot.shapes import name_edges

SLOW = [pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 10)]


@pytest.mark.parametrize("seed", [0, 1, *SLOW])
def test_the_exact_formula_is_read_from_the_network(seed: int) -> None:
    X = np.random.default_rng(1000 + seed).uniform(-1, 1, (1000, 2))
    data = wb.Dataset.from_table({"x": X[:, 0], "y": X[:, 1], "f": np.exp(np.sin(np.pi * X[:, 0]) + X[:, 1] ** 2)}, "f")
    found = wb.Discovery(data).fit(hidden_layer_sizes=(5,), sparsity=1e-4, n_starts=2, random_state=seed).eliminate()
    name_edges(found)
    formula = found.refit(100).formula(nice=True)
    assert formula.to_text() == "f = exp(sin(pi*x) + y**2)"
    assert formula.certificate.max_abs["fresh"] < 1e-8
