"""Pruning: what matters is kept, an output is never cut off, addresses stay."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from workbench import pruning
from workbench.exceptions import DiscoveryError
from workbench.networks import KAN
from workbench.networks.kan import initial, nodes_of
from workbench.trace import trace
from workbench.training import FitConfig, Problem, fitted


@pytest.fixture(scope="module")
def problem() -> Problem:
    X = np.random.default_rng(1).uniform(-1, 1, (503, 3))  # the third input does nothing
    y = np.exp(np.sin(np.pi * X[:, 0]) + X[:, 1] ** 2)
    first = Problem(X[:400].T, y[None, :400])
    return replace(first, validation=Problem(X[400:].T, y[None, 400:], scale=first.scale))


@pytest.fixture(scope="module")
def network(problem: Problem) -> KAN:
    return fitted(problem, FitConfig(sparsity=1e-4, intervals=(5, 10), n_starts=2)).network


def shares_of(network: KAN, problem: Problem) -> pruning.Importance:
    return pruning.importance(trace(network, problem.x))


def test_an_edge_that_gives_nothing_has_no_importance(problem: Problem) -> None:
    network = initial([nodes_of(2), nodes_of(1)], problem.ranges, np.random.default_rng(0))
    network = network.with_spline((0, 1, 0), np.zeros(8))
    assert shares_of(network, problem)[0, 1, 0] == 0.0


def test_prune_with_threshold_zero_changes_nothing(network: KAN, problem: Problem) -> None:
    same = pruning.prune(network, shares_of(network, problem), 0.0)
    assert_array_equal(same(problem.x.T), network(problem.x.T))
    assert same.edges() == network.edges()


def test_an_output_is_never_cut_off(network: KAN, problem: Problem) -> None:
    bare = pruning.prune(network, shares_of(network, problem), 1e9)
    assert pruning.reaches_inputs(bare, 0)
    assert len(bare.edges()) == 2
    last = [edge for edge in network.edges() if edge[0] == 1]
    with pytest.raises(DiscoveryError, match="cut output 0 off"):
        pruning.without(network, shares_of(network, problem), last)


def test_pruning_a_nodes_exit_prunes_what_enters_it(network: KAN, problem: Problem) -> None:
    node = network.layers[1].sources[0]
    lighter = pruning.without(network, shares_of(network, problem), [(1, node, 0)])
    assert not [edge for edge in lighter.edges() if edge[0] == 0 and edge[2] == node]


def test_the_mean_of_a_pruned_edge_goes_to_the_bias(problem: Problem) -> None:
    network = initial([nodes_of(1)], problem.ranges, np.random.default_rng(3))
    lighter = pruning.without(network, shares_of(network, problem), [(0, 2, 0)])
    assert_allclose(lighter(problem.x.T).mean(), network(problem.x.T).mean(), rtol=1e-12)


def test_elimination_finds_the_planted_structure(network: KAN, problem: Problem) -> None:
    steps = pruning.elimination((network,), (problem,))
    three = next(step for step in steps if step.n_edges == 3)
    edges = three.networks[0].edges()
    node = edges[-1][1]
    assert edges == ((0, 0, node), (0, 1, node), (1, node, 0))
    assert three.error**0.5 < 1e-2
    assert steps[-1].error**0.5 > 0.1  # two edges are not enough


def test_elimination_leaves_the_network_as_it_was(network: KAN, problem: Problem) -> None:
    before = network(problem.x.T)
    pruning.elimination((network,), (problem,), max_iter=2)
    assert_array_equal(network(problem.x.T), before)
