"""A formula as a network: it computes what NumPy computes, has no constants of its own, and reads as the formula it was made of."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_allclose

from workbench.exceptions import NetworkError
from workbench.expression import complexity, fold, free_constants, parse
from workbench.formula import Input, Quantity, assemble
from workbench.networks.compile import compile_expression
from workbench.networks.program import Program
from workbench.networks.storage import from_arrays, to_arrays

LAWS: dict[str, Callable[..., np.ndarray]] = {
    "a*b": lambda a, b, c, d: a * b,
    "2*a": lambda a, b, c, d: 2 * a,
    "6.67*a*b/c**2": lambda a, b, c, d: 6.67 * a * b / c**2,
    "a*(1 + b*cos(c))": lambda a, b, c, d: a * (1 + b * np.cos(c)),
    "a*(exp(b/(1.5*c)) - 1)": lambda a, b, c, d: a * (np.exp(b / (1.5 * c)) - 1),
    "(1 + a/b)/sqrt(81 - a**2/b**2)": lambda a, b, c, d: (1 + a / b) / np.sqrt(81 - a**2 / b**2),
    "sqrt((a - b)**2 + (c - d)**2)": lambda a, b, c, d: np.hypot(a - b, c - d),
    "a + b*c + 0.5*b*c**2": lambda a, b, c, d: a + b * c + 0.5 * b * c**2,
    "0.25*a*(b**2 + c**2)*d": lambda a, b, c, d: 0.25 * a * (b**2 + c**2) * d,
    "3*(a + b)*(c + d)": lambda a, b, c, d: 3 * (a + b) * (c + d),
    "a*b*exp(a*b)": lambda a, b, c, d: a * b * np.exp(a * b),
    "1/(1/a + b/c)": lambda a, b, c, d: 1 / (1 / a + b / c),
    "a**b": lambda a, b, c, d: a**b,
    "a*exp(-b*c)*sin(pi*d)/b": lambda a, b, c, d: a * np.exp(-b * c) * np.sin(np.pi * d) / b,
    "log(a)/(1 + exp(-1.7*(b - 0.4)))": lambda a, b, c, d: np.log(a) / (1 + np.exp(-1.7 * (b - 0.4))),
    "x**2*(a + k1)": lambda a, b, c, d: c**2 * (a + d),
}
NAMES = {"x**2*(a + k1)": ("a", "b", "x", "k1")}  # what edges call their variable and constants may be a column's name


@pytest.mark.parametrize("text", LAWS)
def test_it_computes_the_formula(text: str) -> None:
    X = np.random.default_rng(3).uniform(0.3, 2.1, (211, 4))
    network = compile_expression(parse(text), NAMES.get(text, ("a", "b", "c", "d")), X)
    assert_allclose(network(X)[:, 0], LAWS[text](*X.T), rtol=1e-13)


@pytest.mark.parametrize("text", LAWS)
def test_its_free_constants_are_those_of_the_formula(text: str) -> None:
    X = np.random.default_rng(3).uniform(0.3, 2.1, (31, 4))
    program = Program(compile_expression(parse(text), NAMES.get(text, ("a", "b", "c", "d")), X))
    constants = np.abs(free_constants(fold(parse(text))))
    assert_allclose(np.sort(np.abs(program.parameters[program.free])), np.sort(constants), rtol=1e-15)


@pytest.mark.parametrize("text", [text for text in LAWS if text != "a**b"])
def test_it_reads_as_the_formula_it_was_made_of(text: str) -> None:
    names = NAMES.get(text, ("a", "b", "c", "d"))
    network = compile_expression(parse(text), names, np.random.default_rng(3).uniform(0.3, 2.1, (31, 4)))
    formula = assemble(network, [Input(name, name) for name in names], [Quantity("y", "y")])
    assert not formula.definitions
    assert formula.complexity <= complexity(fold(parse(text)))


def test_functions_of_one_variable_are_one_edge_and_products_one_node() -> None:
    X = np.random.default_rng(3).uniform(0.3, 2.1, (31, 2))
    assert compile_expression(parse("exp(-x**2)*sin(x) + x"), ("x", "z"), X).shape == (2, 1)
    network = compile_expression(parse("x*exp(-z)*x"), ("x", "z"), X)
    assert network.layers[0].nodes[0].kind == "product"
    assert {network.symbolic_edge(edge).form.name for edge in network.edges()} == {"x^2", "exp"}


def test_it_is_stored_and_brought_back() -> None:
    X = np.random.default_rng(3).uniform(0.3, 2.1, (31, 4))
    network = compile_expression(parse(text := "a*(1 + b*cos(c))"), ("a", "b", "c", "d"), X)
    assert_allclose(from_arrays(*to_arrays(network))(X)[:, 0], LAWS[text](*X.T), rtol=1e-13)


def test_ranges_are_those_of_what_every_node_receives() -> None:
    X = np.column_stack([np.linspace(1, 3, 17), np.linspace(-2, 5, 17)])
    network = compile_expression(parse("sin(a*b)"), ("a", "b"), X)
    assert_allclose(network.layers[0].domain, [[1, 3], [-2, 5]])
    assert_allclose(network.layers[1].domain, [[(X[:, 0] * X[:, 1]).min(), (X[:, 0] * X[:, 1]).max()]])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("3.5", "depends on no input"),
        ("a + q", "'q' is neither an input nor a function"),
        ("log(a - 1)", "no finite value on 14 of 29 rows"),
    ],
)
def test_what_has_no_network_is_refused(text: str, words: str) -> None:
    X = np.linspace(0.1, 2.0, 29)[:, None]
    with pytest.raises(NetworkError, match=words):
        compile_expression(parse(text), ("a",), X)
