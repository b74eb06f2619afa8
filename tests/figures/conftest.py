"""A small network of every kind of edge, and columns with hostile names."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from workbench.networks import KAN, SymbolicEdge
from workbench.networks.kan import initial, nodes_of
from workbench.primitives import PrimitiveForm, find


@dataclass(frozen=True)
class Column:
    name: str
    unit: str | None


@dataclass(frozen=True)
class Labels:
    features: tuple[Column, ...]
    targets: tuple[Column, ...]


HOSTILE = '</text><script>alert("x")</script>&\x00\u202e'


@pytest.fixture
def labels() -> Labels:
    return Labels((Column("Girth", "in"), Column(HOSTILE, '"><b>'), Column("温度", None)), (Column("Volume", "ft³"),))


@pytest.fixture
def rows() -> np.ndarray:
    return np.random.default_rng(5).uniform(-2.0, 1.5, (89, 3))


@pytest.fixture
def network() -> KAN:
    """3 inputs, a sum and a product of 2 factors, 1 output: spline, snapped, locked and pruned edges."""
    made = initial([nodes_of(1, (2,)), nodes_of(1)], np.array([[-2.0, 1.5]] * 3), np.random.default_rng(3))
    made = made.with_symbolic((0, 0, 0), SymbolicEdge(PrimitiveForm(find("sin")), (1.2345, 3.0, 0.2), (True, True, True)))
    return made.with_lock((0, 1, 0)).without_edges([(0, 2, 1)])
