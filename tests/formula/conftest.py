"""Networks with forms whose values are written in NumPy here, outside the code under test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from workbench.expression import Expression, Number, call, power
from workbench.networks import KAN, SymbolicEdge
from workbench.networks.kan import initial, nodes_of

ELEMENTARY = {
    "sin": (np.sin, np.cos, lambda z: call("sin", z)),
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2, lambda z: call("tanh", z)),
    "exp": (np.exp, np.exp, lambda z: call("exp", z)),
    "log": (np.log, lambda z: 1 / z, lambda z: call("log", z)),
    "x^2": (lambda z: z * z, lambda z: 2 * z, lambda z: power(z, 2)),
    "x": (lambda z: z, np.ones_like, lambda z: z),
}


@dataclass(frozen=True)
class ElementaryForm:
    """c f(a x + b) for a function of NumPy: the Form protocol as far as networks and formulas use it."""

    name: str

    def evaluate(self, x: np.ndarray, parameters: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
        c, a, b = parameters
        value, slope, _ = ELEMENTARY[self.name]
        with np.errstate(all="ignore"):
            return c * value(a * x + b), c * a * slope(a * x + b)

    def expression(self, argument: Expression, parameters: tuple[float, ...]) -> Expression:
        c, a, b = (Number(float(value)) for value in parameters)
        return c * ELEMENTARY[self.name][2](a * argument + b)


def snapped(name: str, *parameters: float) -> SymbolicEdge:
    return SymbolicEdge(ElementaryForm(name), parameters, (True,) * len(parameters))


@pytest.fixture(scope="session")
def snap():
    """Return the function that makes a snapped edge: snap("sin", c, a, b)."""
    return snapped


@pytest.fixture
def generator() -> np.random.Generator:
    return np.random.default_rng(11)


@pytest.fixture
def hello(generator) -> KAN:
    """exp(sin(pi x1) + x2^2), spelled as a snapped network spells it: every edge with its own scale and shift."""
    network = initial([nodes_of(1), nodes_of(1)], np.array([[-1.0, 1.0], [-1.0, 1.0]]), generator)
    network = network.with_symbolic((0, 0, 0), snapped("sin", 0.5, np.pi, 0.0)).with_symbolic((0, 1, 0), snapped("x^2", 2.0, 0.5, 0.0))
    return network.with_symbolic((1, 0, 0), snapped("exp", np.exp(0.3), 2.0, -0.3)).with_bias(0, 0, 0.0)


@pytest.fixture
def mixed(generator) -> KAN:
    """A network of everything: 3 inputs, 2 sums and a product of 3 factors, 2 outputs; splines, forms, a lock, pruned edges."""
    network = initial([nodes_of(2, (3,)), nodes_of(2)], np.array([[-1.0, 1.0], [0.0, 4.0], [-3.0, -1.0]]), generator)
    network = network.with_symbolic((0, 0, 0), snapped("sin", 1.3, 2.1, 0.2)).with_symbolic((1, 2, 1), snapped("tanh", 0.7, 1.9, -0.4))
    return network.with_lock((0, 0, 0)).with_lock((0, 1, 1)).without_edges([(0, 2, 1), (0, 1, 3), (1, 0, 1)])
