"""A small discovery that every test may branch from; branches share its states, which never change."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

import workbench as wb
from workbench.networks.storage import to_arrays


@pytest.fixture(scope="session")
def hello() -> wb.Dataset:
    """exp(sin(pi x) + y^2) on 401 rows: 80 of them to check on, 80 to report on."""
    X = np.random.default_rng(1).uniform(-1, 1, (401, 2))
    return wb.Dataset.from_table({"x": X[:, 0], "y": X[:, 1], "f": np.exp(np.sin(np.pi * X[:, 0]) + X[:, 1] ** 2)}, "f")


@pytest.fixture(scope="session")
def _fitted(hello: wb.Dataset) -> wb.Discovery:
    return wb.Discovery(hello).fit(hidden_layer_sizes=(2,), n_starts=2, intervals=(5,), sparsity=1e-4, random_state=3)


@pytest.fixture
def found(_fitted: wb.Discovery) -> wb.Discovery:
    return _fitted.branch()


def fingerprint(found: wb.Discovery) -> str:
    """Return a digest of every byte of the networks of the present state."""
    digest = hashlib.sha256()
    for network in found.state.networks:
        structure, arrays = to_arrays(network)
        digest.update(repr(structure).encode())
        for name in sorted(arrays):
            digest.update(arrays[name].tobytes())
    return digest.hexdigest()
