"""Networks of every kind to test on; layer sizes are different primes, so that a transposition fails."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.bases.basis import Basis
from workbench.bases.bspline import Spline
from workbench.bases.rational import Rational
from workbench.networks import KAN, SymbolicEdge
from workbench.networks.kan import initial, nodes_of
from workbench.primitives import PrimitiveForm, find


@pytest.fixture(params=[Spline(5), Rational(5, 4), Rational(3, 2, "abs_sum"), Rational(4, 5, "sum_abs")], ids=str)
def basis(request: pytest.FixtureRequest) -> Basis:
    return request.param


@pytest.fixture
def mixed(basis: Basis) -> KAN:
    """[2 -> 3 sums and one product of 3 -> 2]: learned edges, a sine, a pruned and a locked edge."""
    generator = np.random.default_rng(11)
    network = initial([nodes_of(3, (3,)), nodes_of(2)], np.array([[-2.0, 3.0], [10.0, 17.0]]), generator, basis=basis)
    sine = SymbolicEdge(PrimitiveForm(find("sin")), (1.3, 0.7, 0.2), (True, True, True))
    network = network.with_symbolic((0, 1, 2), sine, offset=0.4)
    return network.without_edges([(0, 0, 4)]).with_lock((1, 1, 0))


@pytest.fixture
def rows() -> np.ndarray:
    generator = np.random.default_rng(5)
    return np.column_stack([generator.uniform(-2, 3, 101), generator.uniform(10, 17, 101)])
