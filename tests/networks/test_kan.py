"""A network as a value: what it computes, how its edges are addressed, what changes leave alone."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.interpolate import BSpline

from workbench.exceptions import NetworkError, UnknownEdgeError
from workbench.networks import KAN, LEARNED
from workbench.networks.kan import initial, nodes_of
from workbench.networks.storage import from_arrays, to_arrays


def scipy_edge(network: KAN, level: int, row: int, column: int, x: np.ndarray) -> np.ndarray:
    """phi of a spline edge from scipy's B-splines and NumPy's exp: nothing of ours."""
    layer = network.layers[level]
    low, high = layer.domain[column]
    h = (high - low) / layer.basis.n_intervals
    knots = low + h * np.arange(-3, layer.basis.n_intervals + 4)
    spline = BSpline(knots, layer.coefficients[:, row, column], 3, extrapolate=False)(x)
    u = (2 * x - low - high) / (high - low)
    return np.nan_to_num(spline) + layer.base[row, column] * u / (1 + np.exp(-u))


def test_a_sum_network_agrees_with_scipys_splines(rows: np.ndarray) -> None:
    network = initial([nodes_of(3), nodes_of(2)], np.array([[-2.0, 3.0], [10.0, 17.0]]), np.random.default_rng(3))
    hidden = network.layers[0].bias[:, None] + np.array(
        [sum(scipy_edge(network, 0, row, column, rows[:, column]) for column in range(2)) for row in range(3)]
    )
    outputs = np.array([sum(scipy_edge(network, 1, row, column, np.clip(hidden[column], -1.59, 1.59)) for column in range(3)) for row in range(2)])
    inside = (np.abs(hidden) < 1.59).all(0)
    assert inside.sum() > 50
    assert_allclose(network(rows)[inside], outputs.T[inside], rtol=0, atol=1e-13)


def test_a_product_node_multiplies_its_factors(mixed: KAN, rows: np.ndarray) -> None:
    first = KAN(mixed.layers[:1])
    slots = []
    for row, target in enumerate(first.layers[0].targets):
        edges = [edge for edge in first.edges() if edge[2] == target]
        slots.append(first.layers[0].bias[row] + sum(first.edge_value(edge, rows[:, edge[1]]) for edge in edges))
    assert_allclose(first(rows), np.column_stack([*slots[:3], slots[3] * slots[4] * slots[5]]), rtol=1e-13, atol=1e-13)


def test_addresses_survive_pruning(mixed: KAN) -> None:
    before = mixed.edges()
    pruned = mixed.without_edges([(0, 1, 0)])
    assert pruned.edges() == tuple(edge for edge in before if edge != (0, 1, 0))
    assert pruned.state((0, 1, 0)) == "pruned"
    assert mixed.edges() == before


def test_states_of_edges_are_told(mixed: KAN) -> None:
    assert mixed.state((0, 1, 2)) == "snapped"
    assert mixed.state((0, 0, 4)) == "pruned"
    assert mixed.state((1, 1, 0)) == "locked"
    assert mixed.state((0, 0, 0)) == mixed.layers[0].basis.family
    assert (0, 0, 0) in mixed.edges(*LEARNED)


@pytest.mark.parametrize("edge", [(0, 2, 0), (2, 0, 0), (-1, 0, 0), (0, 0, 7), (0, 0), "edge"])
def test_an_edge_that_does_not_exist_is_refused_with_a_hint(mixed: KAN, edge: object) -> None:
    with pytest.raises(UnknownEdgeError, match=r"There is no edge .*An edge is \(layer, source, target\)"):
        mixed.position(edge)


def test_a_close_address_is_suggested(mixed: KAN) -> None:
    with pytest.raises(UnknownEdgeError, match=r"Did you mean \(0, 0, 5\)\?|Did you mean"):
        mixed.position((0, 0, 55))


def test_rows_of_the_wrong_width_are_refused(mixed: KAN) -> None:
    with pytest.raises(NetworkError, match="rows of 2 inputs; got an array of shape"):
        mixed(np.zeros((7, 3)))


def test_a_product_of_one_factor_is_refused() -> None:
    with pytest.raises(NetworkError, match="at least 2 factors"):
        nodes_of(1, (1,))


def test_storage_brings_every_byte_back(mixed: KAN, rows: np.ndarray) -> None:
    structure, arrays = to_arrays(mixed)
    again = from_arrays(structure, arrays)
    assert_array_equal(again(rows), mixed(rows))
    assert to_arrays(again)[0] == structure
    for name, array in arrays.items():
        assert_array_equal(to_arrays(again)[1][name], array)


@pytest.mark.parametrize("damage", ["layers", "nodes", "domain"])
def test_a_damaged_network_is_refused(mixed: KAN, damage: str) -> None:
    structure, arrays = to_arrays(mixed)
    if damage == "layers":
        structure = {}
    elif damage == "nodes":
        structure["layers"][0]["nodes"] = structure["layers"][0]["nodes"][:-1]
    else:
        del arrays["0.domain"]
    with pytest.raises(NetworkError):
        from_arrays(structure, arrays)


@pytest.mark.parametrize(
    "record",
    [{}, {"family": "wavelet"}, {"family": "rational", "numerator_degree": 7}, {"family": "rational", "numerator_degree": "five"},
     {"family": "rational", "form": "cube"}, {"family": "rational", "order": 3}],
)  # fmt: skip
def test_a_basis_that_does_not_fit_is_refused(mixed: KAN, record: dict[str, object]) -> None:
    structure, arrays = to_arrays(mixed)
    structure["layers"][0]["basis"] = record
    with pytest.raises(NetworkError):
        from_arrays(structure, arrays)


def test_arrays_of_a_network_cannot_be_written(mixed: KAN) -> None:
    with pytest.raises(ValueError, match="read-only"):
        mixed.layers[0].bias[0] = 1.0
