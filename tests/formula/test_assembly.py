"""Promise 1: the formula is the model, for every mix of edges; asking for it changes nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import workbench as wb
from workbench.exceptions import NetworkError
from workbench.expression import evaluate, named_functions, parse, symbols, to_text
from workbench.formula import Input, Quantity, assemble, certify, edge_definition, joined
from workbench.formula.certificate import combined
from workbench.networks import KAN
from workbench.networks.kan import SymbolicEdge, initial, nodes_of
from workbench.primitives import LIBRARY, PrimitiveForm

HARMLESS = ("sin", "tanh", "x")  # of bounded growth: a chain of them does not magnify rounding errors
FORMS = (*HARMLESS, "x^2", "exp")


def bytes_of(network: KAN) -> list[bytes]:
    arrays = [getattr(layer, name) for layer in network.layers for name in ("domain", "coefficients", "base", "bias", "alive", "free_bias")]
    return [array.tobytes() for array in arrays] + [repr([sorted(layer.symbolic.items(), key=lambda kv: kv[0])]).encode() for layer in network.layers]


@st.composite
def layer_nodes(draw, last: bool):
    products = draw(st.lists(st.integers(2, 3), max_size=2 if not last else 1))
    sums = draw(st.integers(0 if products else 1, 2))
    return nodes_of(sums, products)


@st.composite
def networks(draw, snap):
    """Draw a network: any nodes, every edge spline, snapped, locked or pruned, ranges of any place and width."""
    depth = draw(st.integers(1, 3))
    layers = [draw(layer_nodes(last=level == depth - 1)) for level in range(depth)]
    low = np.array([draw(st.floats(-5, 5)) for _ in range(draw(st.integers(1, 3)))])
    width = np.array([draw(st.floats(0.1, 10)) for _ in low])
    generator = np.random.default_rng(draw(st.integers(0, 2**16)))
    network = initial(layers, np.column_stack([low, low + width]), generator, n_intervals=draw(st.integers(1, 7)))
    for edge in network.edges():
        kind = draw(st.sampled_from(("spline", "snapped", "locked", "pruned")))
        if kind in ("snapped", "locked"):
            name = draw(st.sampled_from(FORMS if edge[0] == 0 else HARMLESS))
            network = network.with_symbolic(edge, snap(name, *generator.uniform(-1.5, 1.5, 3)), offset=0.25)
        if kind == "pruned":
            network = network.without_edges([edge])
        if kind == "locked" or draw(st.integers(0, 5)) == 0:
            network = network.with_lock(edge)
    return network


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_formula_equals_network_on_fresh_points_for_every_mix_of_edges(snap, data):
    network = data.draw(networks(snap))
    before = bytes_of(network)
    formula = assemble(network)
    domain = network.layers[0].domain
    X = np.random.default_rng(3).uniform(size=(53, network.n_inputs)) * (domain[:, 1] - domain[:, 0]) + domain[:, 0]
    expected = network(X)
    values = formula.predict(X).reshape(expected.shape)
    rounding = np.abs(network(X * (1 + 1e-14)) - expected).max()  # what the last digits of the inputs do to the outputs of this network
    assert_allclose(values, expected, rtol=0, atol=1e-10 * max(1.0, np.abs(expected).max()) + 10 * rounding)
    assert bytes_of(network) == before


def test_hello_task_reads_like_the_textbook(hello):
    (output,) = assemble(hello).outputs
    assert output.symbol == "y"
    assert to_text(output.expression) == "exp(sin(3.141592653589793*x1) + x2**2)"


def test_spline_edges_stand_by_name_with_their_exact_definition(mixed):
    formula = assemble(mixed)
    named = set().union(*(named_functions(output.expression) for output in formula.outputs))
    assert named == set(formula.definitions)
    assert "phi_0_1_1" in named, "a locked spline stays a spline"
    assert "phi_0_2_1" not in named, "a pruned edge is gone"
    x = np.linspace(-0.5, 4.5, 101)
    assert_allclose(formula.definitions["phi_0_1_1"](x), mixed.edge_value((0, 1, 1), x), rtol=1e-12, atol=1e-13)
    assert_allclose(edge_definition(mixed, (0, 1, 1))(x), formula.definitions["phi_0_1_1"](x), rtol=0, atol=0)


def test_notes_name_the_edges_that_are_still_splines(mixed, hello):
    assert "phi_0_0_1" in assemble(mixed).notes[0]
    assert assemble(hello).notes == ()


def test_node_without_inputs_is_a_constant_in_the_bias(generator, snap):
    network = initial([nodes_of(2), nodes_of(1)], np.array([[-1.0, 1.0]]), generator)
    network = network.with_symbolic((0, 0, 0), snap("x", 2.0, 1.0, 0.0)).with_symbolic((1, 0, 0), snap("x", 1.0, 1.0, 0.0))
    network = network.without_edges([(0, 0, 1)]).with_bias(0, 1, 0.7).with_bias(0, 0, 0.0)
    (output,) = assemble(network).outputs
    constant = float(network.edge_value((1, 1, 0), np.array([0.7]))[0])  # still a spline, of a number
    assert symbols(output.expression) == {"x1"}
    assert not named_functions(output.expression)
    assert_allclose(assemble(network).predict([[0.0]]), [constant], rtol=1e-13)


def test_network_with_every_edge_pruned_is_its_bias(generator):
    network = initial([nodes_of(1), nodes_of(2)], np.array([[-1.0, 1.0]]), generator)
    network = network.without_edges(network.edges()).with_bias(1, 0, -1.5).with_bias(1, 1, 2.5)
    formula = assemble(network)
    assert_allclose(formula.predict([[0.3], [0.4]]), [[-1.5, 2.5], [-1.5, 2.5]])


def test_fixed_bias_of_zero_is_no_constant_of_the_formula(hello):
    line = initial([nodes_of(1)], np.array([[-1.0, 1.0]]), np.random.default_rng(0))
    line = line.with_symbolic((0, 0, 0), next(iter(hello.layers[0].symbolic.values()))).with_bias(0, 0, 0.0, free=False)
    assert len(assemble(line).constants) == 2


def test_names_units_and_ranges_are_kept(hello):
    inputs = [Input("Girth (in)", "girth", "in", 8.3, 20.6), Input("β", "beta", None, 63.0, 87.0)]
    formula = assemble(hello, inputs, [Quantity("Volume", "volume", "ft³")])
    assert formula.inputs == tuple(inputs)
    assert formula.outputs[0].unit == "ft³"
    assert str(formula) == "volume = exp(sin(3.141592653589793*girth) + beta**2)"


def test_wrong_number_of_names_is_refused(hello):
    with pytest.raises(NetworkError, match="2 inputs and 1 outputs; got names for 1 and 1"):
        assemble(hello, [Input("x", "x")], [Quantity("y", "y")])


def test_network_whose_formula_has_no_end_is_refused_with_advice(generator):
    deep = initial([nodes_of(12)] * 4 + [nodes_of(1)], np.array([[-1.0, 1.0]] * 3), generator)
    with pytest.raises(NetworkError, match=r"at most 5000 are written out\. Prune"):
        assemble(deep)


def test_text_parses_back_to_the_same_expression(mixed):
    formula = assemble(mixed)
    for output, line in zip(formula.outputs, formula.to_text().splitlines(), strict=True):
        assert parse(line.split(" = ", 1)[1], functions=tuple(formula.definitions)) == output.expression


class TestCertificate:
    def test_exact_formula_is_certified_on_every_part(self, mixed, generator):
        formula = assemble(mixed)
        parts = {"train": generator.uniform(-1, 1, (31, 3)), "validation": generator.uniform(-1, 1, (7, 3)), "test": np.empty((0, 3))}
        certificate = certify(mixed, formula, parts)
        assert certificate.exact
        assert set(certificate.max_abs) == {"train", "validation", "fresh"}
        assert certificate.n_rows == {"train": 31, "validation": 7, "fresh": 1000}
        assert_allclose(certificate.y_rms, np.sqrt(np.mean(mixed(np.vstack([parts["train"], parts["validation"]])) ** 2)), rtol=1e-12)
        assert "The formula is the network" in certificate.text

    def test_difference_is_the_largest_one_and_is_said(self, hello, generator):
        formula = assemble(hello)
        shifted = formula.with_constants([3.0])
        X = generator.uniform(-1, 1, (97, 2))
        certificate = certify(hello, shifted, {"train": X})
        expected = np.abs(np.exp(np.sin(3.0 * X[:, 0]) + X[:, 1] ** 2) - np.exp(np.sin(np.pi * X[:, 0]) + X[:, 1] ** 2)).max()
        assert_allclose(certificate.max_abs["train"], expected, rtol=1e-9)
        assert not certificate.exact
        assert "not exactly" in certificate.text

    def test_fresh_points_fill_the_ranges_and_are_the_same_every_time(self, hello):
        wide = [Input("x1", "x1", None, -4.0, 4.0), Input("x2", "x2", None, -1.0, 1.0)]
        formula = assemble(hello, wide, [Quantity("y", "y")]).with_constants([3.0])
        narrow = assemble(hello).with_constants([3.0])
        first, again = certify(hello, formula, {}), certify(hello, formula, {})
        assert first.max_abs == again.max_abs
        assert first.max_abs["fresh"] > 2 * certify(hello, narrow, {}).max_abs["fresh"]

    def test_value_on_one_side_only_is_an_infinite_difference(self, generator, snap):
        network = initial([nodes_of(1)], np.array([[-1.0, 1.0]]), generator).with_symbolic((0, 0, 0), snap("log", 1.0, 1.0, 0.0))
        agreed = certify(network, assemble(network), {"train": [[0.5], [-0.5]]})
        assert agreed.exact
        assert "neither has a finite value" in agreed.text
        spline = initial([nodes_of(1)], np.array([[-1.0, 1.0]]), generator)
        parted = certify(spline, assemble(network), {"train": [[0.5], [-0.5]]})
        assert not parted.exact
        assert parted.to_json()["max_abs"]["train"] is None

    def test_certifying_changes_nothing(self, mixed, generator):
        before = bytes_of(mixed)
        certify(mixed, assemble(mixed), {"train": generator.uniform(-1, 1, (5, 3))})
        assert bytes_of(mixed) == before

    def test_certificates_of_groups_are_combined_into_one(self, mixed, hello, generator):
        rough = certify(hello, assemble(hello).with_constants([3.0]), {"train": generator.uniform(-1, 1, (31, 2))})
        exact = certify(hello, assemble(hello), {"train": generator.uniform(-1, 1, (7, 2)), "test": generator.uniform(-1, 1, (3, 2))})
        both = combined([exact, rough])
        assert both.max_abs == {**rough.max_abs, "test": exact.max_abs["test"]}
        assert both.n_rows == {"train": 38, "test": 3, "fresh": 2000}
        assert_allclose(both.y_rms, np.sqrt((10 * exact.y_rms**2 + 31 * rough.y_rms**2) / 41))
        assert not both.exact


@pytest.mark.parametrize("name", list(LIBRARY))
def test_every_form_of_the_library_is_in_the_formula_as_it_is_in_the_network(name):
    form = PrimitiveForm(LIBRARY[name])
    shape = [own.starts[0] for own in LIBRARY[name].shape]
    shift = 1.1 if LIBRARY[name].domain == "above_one" else 0.1
    network = initial([nodes_of(1), nodes_of(1)], np.array([[0.2, 0.8]]), np.random.default_rng(5))
    network = network.with_symbolic((0, 0, 0), SymbolicEdge(form, (1.3, 0.9, shift, *shape), form.free))
    network = network.with_symbolic((1, 0, 0), SymbolicEdge(PrimitiveForm(LIBRARY["x"]), (0.7, 1.0, 0.0), (True, False, False)))
    X = np.linspace(0.2, 0.8, 31)[:, None]
    expected = network(X)[:, 0]
    assert np.isfinite(expected).all()
    assert_allclose(assemble(network).predict(X), expected, rtol=1e-12, atol=1e-13)


class TestGroups:
    def test_spline_edges_of_every_group_are_their_own(self, mixed, generator):
        other = mixed.with_spline((0, 1, 1), generator.normal(size=8), 0.5)
        law = joined({"treated": assemble(mixed), "untreated": assemble(other)})
        X = generator.uniform(-1, 1, (23, 3))
        labels = np.where(np.arange(23) % 2 == 0, "treated", "untreated")
        expected = np.where((labels == "treated")[:, None], mixed(X), other(X))
        assert_allclose(law.prediction(X, labels).values, expected, atol=1e-12)
        assert "phi_0_1_1_0" in law.definitions
        assert law.definitions["phi_0_1_1_1"].name == "phi_0_1_1_1"

    def test_without_labels_the_first_group_answers(self, mixed, hello, generator):
        law = joined({"one": assemble(hello), "two": assemble(hello).with_constants([2.0])})
        X = generator.uniform(-1, 1, (5, 2))
        assert_allclose(law.predict(X), hello(X)[:, 0], rtol=1e-12)

    def test_no_groups_at_all_is_refused(self):
        with pytest.raises(NetworkError, match="at least one formula"):
            joined({})


def test_a_power_with_a_varying_exponent_is_written_as_one():
    x, y = np.random.default_rng(4).uniform(0.2, 1.0, (2, 53))
    found = wb.Discovery(wb.Dataset.from_table({"x": x, "y": y, "z": 2 * x**y}, "z")).suppose("c*x**y")
    formula = found.formula(nice=True)
    assert str(formula) == "z = 2*x**y"
    assert_allclose(evaluate(formula.outputs[0].expression, {"x": x, "y": y}), 2 * x**y, rtol=1e-9)
