"""The drawing JSON: what the canvas and the report rely on."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest
from numpy.testing import assert_allclose

from workbench.exceptions import NetworkError
from workbench.figures.drawing import drawing
from workbench.networks import SymbolicEdge
from workbench.networks.kan import initial, nodes_of
from workbench.primitives import PrimitiveForm, find
from workbench.trace import trace


def edge(drawn, name):
    return next(item for item in drawn["edges"] if item["id"] == name)


def test_every_edge_is_there_in_order_of_target_and_source(network, rows):
    assert [item["id"] for item in drawing(network, rows)["edges"]] == [
        "0.0.0", "0.1.0", "0.2.0", "0.0.1", "0.1.1", "0.2.1", "0.0.2", "0.1.2", "0.2.2", "1.0.0", "1.1.0",
    ]  # fmt: skip


def test_states_and_nodes_are_told(network, rows):
    drawn = drawing(network, rows)
    assert edge(drawn, "0.0.0")["state"] == "snapped"
    assert edge(drawn, "0.1.0")["state"] == "locked"
    assert edge(drawn, "0.2.1")["state"] == "pruned"
    assert edge(drawn, "0.2.2")["state"] == "spline"
    assert edge(drawn, "0.2.2")["node"] == 1, "the slot 2 is a factor of node 1"
    assert [[node["kind"] for node in layer["nodes"]] for layer in drawn["layers"]] == [["input"] * 3, ["sum", "product"], ["output"]]
    assert drawn["layers"][1]["nodes"][1]["factors"] == [1, 2]


def test_curve_is_the_edge_over_the_values_it_receives(network, rows):
    drawn = drawing(network, rows)
    for name, source in (("0.2.2", rows[:, 2]), ("1.1.0", trace(network, rows.T).inputs[1][1])):
        item = edge(drawn, name)
        assert_allclose(item["x"], [source.min(), source.max()], rtol=1e-12)
        low, high = item["range"]
        curve = network.edge_value(tuple(map(int, name.split("."))), np.linspace(*item["x"], 64))
        assert_allclose(low + np.array(item["y"]) / 1000 * (high - low), curve, atol=1e-4 * (high - low))


def test_names_and_units_come_from_the_columns(network, rows, labels):
    drawn = drawing(network, rows, labels=labels)
    assert [(node["label"], node["unit"]) for node in drawn["layers"][0]["nodes"]] == [(c.name, c.unit) for c in labels.features]
    assert drawn["layers"][2]["nodes"][0] == {"id": 0, "label": "Volume", "kind": "output", "unit": "ft³", "factors": [0]}
    assert edge(drawn, "0.0.0")["label"] == "Girth → h0"
    assert edge(drawn, "0.0.2")["label"] == "Girth → h1 factor 2"
    assert edge(drawn, "1.1.0")["label"] == "h1 → Volume"


def test_form_is_written_with_few_digits(network, rows):
    assert edge(drawing(network, rows), "0.0.0")["form"] == "1.23*sin(3.0*x + 0.2)"
    assert edge(drawing(network, rows), "0.1.0")["form"] is None


def test_importance_is_given_or_computed_from_the_rows(network, rows):
    given = [np.full((3, 3), 0.25), np.full((1, 2), 0.5)]
    assert {item["importance"] for item in drawing(network, rows, given)["edges"]} == {0.25, 0.5}
    computed = drawing(network, rows)
    assert_allclose(edge(computed, "0.2.1")["importance"], 0.0)
    assert edge(computed, "1.1.0")["importance"] > 0.01


def test_form_without_a_value_leaves_a_gap(network, rows):
    log = SymbolicEdge(PrimitiveForm(find("log")), (1.0, 1.0, 0.0), (True, True, False))
    y = edge(drawing(network.with_symbolic((0, 2, 2), log), rows), "0.2.2")["y"]
    assert None in y[:30]
    assert None not in y[50:]


def test_it_is_json_and_the_network_stays_as_it_was(network, rows):
    before = [layer.coefficients.tobytes() + layer.alive.tobytes() for layer in network.layers]
    first = json.dumps(drawing(network, rows, selected=(0, 0, 0), busy=[(1, 0, 0)]), allow_nan=False)
    again = json.dumps(drawing(network, rows, selected=(0, 0, 0), busy=[(1, 0, 0)]), allow_nan=False)
    assert first == again
    assert json.loads(first)["selected"] == "0.0.0"
    assert json.loads(first)["busy"] == ["1.0.0"]
    assert before == [layer.coefficients.tobytes() + layer.alive.tobytes() for layer in network.layers]


def test_without_rows_the_knots_give_the_ranges(network):
    assert edge(drawing(network, np.empty((0, 3))), "0.0.1")["x"] == [-2.0, 1.5]


def test_dead_edge_is_a_flat_line(rows):
    flat = initial([nodes_of(1)], np.array([[-2.0, 1.5]] * 3), np.random.default_rng(0), noise=0.0)
    flat = flat.with_spline((0, 1, 0), np.zeros(8), 0.0)
    item = edge(drawing(flat, rows), "0.1.0")
    assert set(item["y"]) == {500.0}
    assert item["range"] == [0.0, 0.0]


def test_wrong_width_of_rows_is_refused(network):
    with pytest.raises(NetworkError, match=r"rows of 3 inputs; got an array of shape \(5, 2\)"):
        drawing(network, np.zeros((5, 2)))


def test_wrong_number_of_names_is_refused(network, rows, labels):
    with pytest.raises(NetworkError, match="3 inputs; got names for 1"):
        drawing(network, rows, labels=type(labels)(labels.targets, labels.targets))


def test_drawing_a_usual_network_takes_less_than_20_ms():
    usual = initial([nodes_of(5), nodes_of(1)], np.array([[-1.0, 1.0]] * 4), np.random.default_rng(0))
    X = np.random.default_rng(1).uniform(-1, 1, (1000, 4))
    drawing(usual, X)
    times = []
    for _ in range(5):
        start = time.perf_counter()
        drawing(usual, X)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.020
