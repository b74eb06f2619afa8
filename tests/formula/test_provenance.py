"""Which edges a part of a formula came from: moving an edge changes the parts that are said to hold it, and no other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.formula.conftest import snapped
from tests.formula.test_assembly import bytes_of, networks
from workbench.expression import evaluate, to_text
from workbench.formula import Formula, Input, Quantity, assemble
from workbench.formula.provenance import Part, part_at, parts
from workbench.networks import KAN
from workbench.networks.kan import initial, nodes_of
from workbench.primitives import LIBRARY, PrimitiveForm

Told = dict[str, tuple[set, set]]  # a part as text -> its own edges, all its edges


def network_of(*layers, n_inputs: int = 2, **edges) -> KAN:
    """Return a network in which only the named edges are left: e0_1_0=("sin", c, a, b), or None for a spline."""
    network = initial(list(layers), np.array([[0.5, 2.0]] * n_inputs), np.random.default_rng(5))
    wanted = {tuple(int(part) for part in name[1:].split("_")): form for name, form in edges.items()}
    for edge in network.edges():
        if edge not in wanted:
            network = network.without_edges([edge])
        elif wanted[edge] is not None:
            network = network.with_symbolic(edge, snapped(*wanted[edge]))
    return network


def short(network: KAN, **names) -> Told:
    rounded = assemble(network, **names).rounded(2)
    return {
        to_text(part_at(rounded.outputs[part.output].expression, part.path)): (set(part.own), set(part.edges))
        for part in parts(network, **names)
    }


def alone(*edges) -> tuple[set, set]:
    return set(edges), set(edges)


def test_terms_of_a_sum():
    network = network_of(nodes_of(1), n_inputs=3, e0_0_0=("sin", 0.98, 3.01, 0.2), e0_1_0=("x^2", 1.2, 1.1, 0.3))
    assert short(network) == {"0.98*sin(3.01*x1 + 0.2)": alone((0, 0, 0)), "1.45*(x2 + 0.27)**2": alone((0, 1, 0))}


def test_two_edges_that_met_in_one_term_share_it():
    network = network_of(nodes_of(1), nodes_of(1), n_inputs=1, e0_0_0=("sin", 0.9, 3.0, 0.2), e1_0_0=("x", 1.7, 1.3, 0.6))
    first, second = (0, 0, 0), (1, 0, 0)
    assert short(network) == {"1.99*sin(3.0*x1 + 0.2)": ({first, second}, {first, second}), "1.02": alone(second)}


def test_a_part_lies_in_the_part_of_the_edge_above_it():
    network = network_of(nodes_of(1), nodes_of(1), e0_0_0=("sin", 0.5, 3.0, 0.3), e0_1_0=("x^2", 2.1, 0.57, 0.0), e1_0_0=("exp", 1.3, 1.1, 0.2))
    x, y, above = (0, 0, 0), (0, 1, 0), (1, 0, 0)
    assert short(network) == {
        "1.59*exp(0.55*sin(3.0*x1 + 0.3) + 0.75*x2**2)": ({above}, {x, y, above}),
        "0.55*sin(3.0*x1 + 0.3)": ({x}, {x, above}),
        "0.75*x2**2": ({y}, {y, above}),
    }


def test_a_factor_of_one_that_is_not_written_hides_no_edge(hello):
    x, y, above = hello.edges()
    assert short(hello) == {
        "exp(sin(3.14*x1) + x2**2)": ({above}, {x, y, above}), "sin(3.14*x1)": ({x}, {x, above}), "x2**2": ({y}, {y, above}),
    }  # fmt: skip


def test_factors_of_a_product_are_told_apart_and_the_number_in_front_is_of_both():
    network = network_of(nodes_of(0, [2]), e0_0_0=("x^2", 0.9, 1.2, 0.2), e0_1_1=("x^2", 1.3, 1.1, 0.7))
    network = network.with_bias(0, 0, 0.0).with_bias(0, 1, 0.0)
    first, second = (0, 0, 0), (0, 1, 1)
    assert short(network) == {"2.04": ({first, second}, {first, second}), "(x1 + 0.17)**2": alone(first), "(x2 + 0.64)**2": alone(second)}


def test_splines_stand_for_themselves_and_pruned_edges_for_nothing():
    network = network_of(nodes_of(1), nodes_of(2), e0_0_0=None, e0_1_0=("tanh", 0.9, 1.2, 0.1), e1_0_0=None)
    inner, named, above = (0, 0, 0), (0, 1, 0), (1, 0, 0)
    assert short(network) == {
        "phi_1_0_0(phi_0_0_0(x1) + 0.9*tanh(1.2*x2 + 0.1))": ({above}, {inner, named, above}),
        "phi_0_0_0(x1)": alone(inner), "0.9*tanh(1.2*x2 + 0.1)": alone(named),
    }  # fmt: skip
    assert parts(network.without_edges([above])) == ()


def test_a_spline_that_no_input_reaches_is_in_the_constant():
    network = network_of(nodes_of(2), nodes_of(1), n_inputs=1, e0_0_0=("sin", 0.9, 3.0, 0.2), e1_0_0=("sin", 1.1, 1.3, 0.4), e1_1_0=None)
    assert [(part.own, part.edges) for part in parts(network) if part.path == (1,)] == [(((1, 1, 0),), ((1, 1, 0),))]


def test_an_edge_that_leads_to_two_targets_has_a_part_in_each():
    network = network_of(nodes_of(1), nodes_of(2), e0_0_0=("sin", 0.9, 3.0, 0.2), e1_0_0=("tanh", 1.1, 1.3, 0.4), e1_0_1=None)
    assert [(part.output, part.own) for part in parts(network)] == [(0, ((1, 0, 0),)), (0, ((0, 0, 0),)), (1, ((1, 0, 1),)), (1, ((0, 0, 0),))]


def test_a_form_whose_scale_is_fixed_is_a_part_as_a_whole():
    form = PrimitiveForm(LIBRARY["sin"])
    network = network_of(nodes_of(1), n_inputs=1, e0_0_0=("sin", 1.0, 1.0, 0.0))
    edge = network.symbolic_edge((0, 0, 0))
    network = network.with_symbolic((0, 0, 0), type(edge)(form, (1.0, 3.0, 0.0), (False, True, False)))
    assert short(network) == {"sin(3.0*x1)": alone((0, 0, 0))}


def test_names_and_transforms_are_those_of_assemble():
    network = network_of(nodes_of(1), n_inputs=1, e0_0_0=("x", 0.75, 1.0, 0.0))
    names = {"inputs": (Input("body", "body", "kg", 0.1, 10.0, "log"),), "targets": (Quantity("brain", "brain", "g", "log"),)}
    assert short(network, **names) == {"body**0.75": alone((0, 0, 0))}


def values_of(formula: Formula, told: tuple[Part, ...], X: np.ndarray) -> list[np.ndarray]:
    columns = {column.symbol: X[:, k] for k, column in enumerate(formula.inputs)}
    with np.errstate(all="ignore"):
        return [evaluate(part_at(formula.outputs[part.output].expression, part.path), columns, formula.definitions) for part in told]


def moved(network: KAN, edge: tuple[int, int, int]) -> KAN:
    """Change what an edge computes; by other numbers than those in the code under test."""
    symbolic = network.symbolic_edge(edge)
    if symbolic is None:
        level, row, column = network.position(edge)
        layer = network.layers[level]
        return network.with_spline(edge, layer.coefficients[:, row, column] * 1.07, float(layer.base[row, column]) * 1.07)
    return network.with_symbolic(edge, type(symbolic)(symbolic.form, tuple(value * (1.07 - 0.02 * k) for k, value in enumerate(symbolic.parameters)), symbolic.free))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_an_edge_that_is_moved_changes_only_parts_that_are_said_to_hold_it(snap, data):
    network = data.draw(networks(snap))
    before = bytes_of(network)
    told, formula = parts(network), assemble(network)
    assert bytes_of(network) == before
    domain = network.layers[0].domain
    X = np.random.default_rng(3).uniform(size=(7, network.n_inputs)) * (domain[:, 1] - domain[:, 0]) + domain[:, 0]
    here = values_of(formula, told, X)
    for edge in network.edges():
        other = assemble(moved(network, edge))
        there = values_of(other, told, X)
        for part, a, b in zip(told, here, there, strict=True):
            if edge not in part.edges:
                assert np.array_equal(a, b, equal_nan=True), (part, to_text(part_at(formula.outputs[part.output].expression, part.path)))
        changed = any(not np.array_equal(a, b, equal_nan=True) for a, b in zip(network(X).T, moved(network, edge)(X).T, strict=True))
        assert not changed or any(edge in part.own for part in told)
    assert all(set(part.own) <= set(part.edges) and part.own for part in told)


@pytest.mark.parametrize("edge", [(0, 0, 0), (0, 1, 0), (1, 0, 0)])
def test_and_all_of_those_do_change(edge):
    network = network_of(nodes_of(1), nodes_of(1), e0_0_0=None, e0_1_0=("x^2", 2.1, 0.57, 0.1), e1_0_0=("exp", 0.3, 1.1, 0.2))
    X = np.random.default_rng(3).uniform(0.5, 2.0, size=(7, 2))
    told = parts(network)
    here, there = values_of(assemble(network), told, X), values_of(assemble(moved(network, edge)), told, X)
    assert [bool(np.all(a != b)) for a, b in zip(here, there, strict=True)] == [edge in part.edges for part in told]
