"""A search from a discovery: its network is kept, what is locked stays, the rest is pruned and named."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
from workbench.exceptions import DiscoveryError

A, B, C = np.random.default_rng(11).uniform(0.5, 2.0, (3, 233))


@pytest.fixture(scope="module")
def started() -> wb.Discovery:
    """y = exp(a) + b^2, with a column that does not matter, and the edge of a locked as what a person knows it to be: 2 sinh(a)."""
    data = wb.Dataset.from_table({"a": A, "b": B, "c": C, "y": np.exp(A) + B**2}, "y")
    found = wb.Discovery(data).fit(hidden_layer_sizes=(), n_starts=1)
    return found.snap((0, "a", 0), "sinh").lock((0, "a", 0))


def test_a_locked_edge_stays_and_the_others_are_pruned_and_named(started: wb.Discovery) -> None:
    before, here = started.network.symbolic_edge((0, 0, 0)), started.state.id
    best = wb.discover(started, time_budget=20)
    kept = best.network.symbolic_edge((0, 0, 0))
    assert (kept.form.name, kept.parameters) == (before.form.name, before.parameters)
    assert best.network.edges("locked") == ((0, 0, 0),)
    assert "sinh" in str(best.formula())
    assert not any(source == 2 for _, source, _ in best.network.edges())
    assert best.state.id in best.front
    assert started.state.id == here
    assert len(started.states) < len(best.states)


def test_nothing_locked_names_the_present_network(started: wb.Discovery) -> None:
    free = started.branch().undo().undo()
    best = wb.discover(free, time_budget=20, functions=["exp"])
    assert best.metrics.rmse_validation < 1e-3
    assert {name for name in ("exp", "sinh", "sin") if name in str(best.formula())} == {"exp"}
    assert best.verdict in ("law", "approximation")


@pytest.mark.parametrize("bound", [{"known": "exp(a) + ?"}, {"hidden_layer_sizes": (3,)}])
def test_what_would_need_another_network_is_refused(started: wb.Discovery, bound: dict) -> None:
    with pytest.raises(DiscoveryError, match="within a network there is no other shape and no known part"):
        wb.discover(started, time_budget=5, **bound)


def test_a_discovery_without_a_network_is_answered() -> None:
    data = wb.Dataset.from_table({"a": A, "y": np.exp(A)}, "y")
    with pytest.raises(DiscoveryError, match="Nothing is fitted yet"):
        wb.discover(wb.Discovery(data), time_budget=5)
