"""A network on logarithms, read as a formula of the original columns: it is exp(network(log x)), to rounding."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from workbench.expression import parse
from workbench.formula import Formula, Input, Output, Quantity, assemble, certify
from workbench.formula.constants import refit
from workbench.networks import SymbolicEdge
from workbench.networks.kan import initial, nodes_of
from workbench.primitives import PrimitiveForm, find

BODY = Input("body", "body", "kg", 0.005, 6654.0, "log")
SPAN = Input("life span", "span", "yr", 2.0, 100.0)
BRAIN = Quantity("brain", "brain", "g", "log")
SEEN = np.array([[np.log(0.005), np.log(6654.0)], [2.0, 100.0]])


def rows(count=97):
    generator = np.random.default_rng(31)
    return np.column_stack([np.exp(generator.uniform(*SEEN[0], count)), generator.uniform(*SEEN[1], count)])


def seen(X):
    return np.column_stack([np.log(X[:, 0]), X[:, 1]])


@pytest.fixture
def splines():
    """Two sums and an output, every edge a spline."""
    return initial([nodes_of(2), nodes_of(1)], SEEN, np.random.default_rng(13))


def test_the_formula_is_exp_of_the_network_of_the_logarithm(splines):
    X = rows()
    formula = assemble(splines, [BODY, SPAN], [BRAIN])
    assert_allclose(formula.predict(X), np.exp(splines(seen(X))[:, 0]), rtol=1e-12)


def test_the_formula_of_an_untransformed_target_is_the_network_of_the_logarithm(splines):
    X = rows()
    formula = assemble(splines, [BODY, SPAN], [replace(BRAIN, transform=None)])
    assert_allclose(formula.predict(X), splines(seen(X))[:, 0], rtol=1e-12, atol=1e-12)


def straight(slope, offset):
    network = initial([nodes_of(1)], SEEN[:1], np.random.default_rng(1))
    form = PrimitiveForm(find("x"))
    return network.with_symbolic((0, 0, 0), SymbolicEdge(form, (slope, 1.0, 0.0), form.free)).with_bias(0, 0, offset)


def test_a_straight_line_of_logarithms_reads_as_a_power_law():
    formula = assemble(straight(0.75, np.log(8.4)), [BODY], [BRAIN])
    power = formula.outputs[0].expression
    assert str(formula).replace("8.400000000000002", "8.4").replace("8.399999999999999", "8.4") == "brain = 8.4*body**0.75"
    assert power == parse(str(power))


def test_two_straight_lines_read_as_a_product_of_powers():
    network = initial([nodes_of(1)], np.log([[8.3, 20.6], [63.0, 87.0]]), np.random.default_rng(1))
    form = PrimitiveForm(find("x"))
    for source, slope in ((0, 1.98), (1, 1.12)):
        network = network.with_symbolic((0, source, 0), SymbolicEdge(form, (slope, 1.0, 0.0), form.free))
    inputs = [Input("Girth", "Girth", "in", 8.3, 20.6, "log"), Input("Height", "Height", "ft", 63.0, 87.0, "log")]
    formula = assemble(network.with_bias(0, 0, 0.0, free=False), inputs, [Quantity("Volume", "Volume", "ft^3", "log")])
    assert str(formula) == "Volume = Girth**1.98*Height**1.12"


def test_the_certificate_compares_in_the_columns_own_units(splines):
    X = rows()
    formula = assemble(splines, [BODY, SPAN], [BRAIN])
    proof = certify(splines, formula, {"train": X})
    assert proof.exact
    assert proof.n_rows == {"train": 97, "fresh": 1000}
    assert_allclose(proof.y_rms, np.sqrt(np.mean(np.exp(splines(seen(X))) ** 2)), rtol=1e-12)


def test_the_certificate_tells_a_wrong_exponent():
    network = straight(0.75, np.log(8.4))
    wrong = assemble(network, [BODY], [BRAIN]).with_constants([8.4, 0.7500001])
    proof = certify(network, wrong, {"train": rows()[:, :1]})
    assert not proof.exact
    assert proof.max_abs["train"] > 1e-5


def test_constants_are_fitted_on_the_scale_of_the_logarithm():
    X = rows()[:, :1]
    noise = np.random.default_rng(5).normal(size=len(X))
    y = 8.4 * X[:, 0] ** 0.75 * np.exp(0.3 * noise)
    start = Formula((Output("brain", "brain", "g", parse("5.0*body**0.9"), "log"),), (BODY,))
    fitted = start.refit(X, y)
    slope, offset = np.polyfit(np.log(X[:, 0]), np.log(y), 1)  # least squares on logarithms, by NumPy
    assert_allclose(fitted.constants, [np.exp(offset), slope], rtol=1e-8)
    assert fitted.outputs[0].transform == "log"
    plain = refit(replace(start, outputs=(replace(start.outputs[0], transform=None),)), X, y)
    assert abs(plain.constants[1] - slope) > 1e-3, "least squares on the values themselves is another fit"


def test_intervals_of_an_exponent_are_those_of_a_straight_line():
    X = rows()[:, :1]
    y = 8.4 * X[:, 0] ** 0.75 * np.exp(0.3 * np.random.default_rng(5).normal(size=len(X)))
    formula = Formula((Output("brain", "brain", "g", parse("8.0*body**0.7"), "log"),), (BODY,)).refit(X, y)
    found = formula.intervals(X, y)[1]
    (slope, _), covariance = np.polyfit(np.log(X[:, 0]), np.log(y), 1, cov=True)
    assert_allclose(found.value, slope, rtol=1e-8)
    assert_allclose(found.standard_error, np.sqrt(covariance[0, 0]), rtol=1e-6)


def test_score_is_in_the_targets_own_unit():
    X = rows()[:, :1]
    y = 8.4 * X[:, 0] ** 0.75 * np.exp(0.3 * np.random.default_rng(5).normal(size=len(X)))
    formula = assemble(straight(0.75, np.log(8.4)), [BODY], [BRAIN])
    values = 8.4 * X[:, 0] ** 0.75
    assert_allclose(formula.score(X, y), 1 - np.sum((y - values) ** 2) / np.sum((y - y.mean()) ** 2), rtol=1e-10)
