"""Problems with a known law and networks fitted to them, made once."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.networks.kan import KAN
from workbench.training import FitConfig, Problem, fitted


def held_out(x: np.ndarray, y: np.ndarray, n_fit: int) -> Problem:
    """Return a problem on the first rows, checked on the rest; x (n_inputs, n_rows), y (n_targets, n_rows)."""
    return Problem(x[:, :n_fit], y[:, :n_fit], validation=Problem(x[:, n_fit:], y[:, n_fit:]))


def leave_one_out(x: np.ndarray, y: np.ndarray) -> Problem:
    """Return a problem of one input and one target, checked row by row."""
    rows = np.arange(x.size)
    return Problem(x[None], y[None], folds=tuple((np.delete(rows, i), rows[i : i + 1]) for i in rows))


def one_edge(problem: Problem, roughness: float = 1e-6) -> KAN:
    """Return a fitted network of a single edge per input and target, whose splines bear one penalty from the first step to the last."""
    return fitted(problem, FitConfig(hidden_layer_sizes=(), roughness=(roughness,), n_starts=1)).network


def bytes_of(network: KAN) -> bytes:
    """Return everything a network holds."""
    parts = []
    for layer in network.layers:
        parts += [np.ascontiguousarray(a).tobytes() for a in (layer.domain, layer.coefficients, layer.base, layer.bias, layer.alive, layer.free_bias)]
        parts.append(repr((layer.sources, layer.nodes, sorted(layer.locked))).encode())
        parts.append(repr([(k, s.form.name, s.parameters, s.free) for k, s in sorted(layer.symbolic.items())]).encode())
    return b"|".join(parts)


@pytest.fixture(scope="session")
def kepler() -> Problem:
    """Semi-major axis (AU) and period (yr) of the eight planets: P = a^1.5. NASA planetary fact sheet."""
    a = np.array([0.387098, 0.723332, 1.0, 1.523679, 5.2044, 9.5826, 19.2184, 30.11])
    period = np.array([0.240846, 0.615198, 1.000017, 1.880848, 11.8618, 29.4571, 84.0205, 164.8])
    return leave_one_out(a, period)


@pytest.fixture(scope="session")
def hello() -> tuple[KAN, Problem]:
    """exp(sin(pi x) + y^2) and the network of its own shape fitted to it."""
    x = np.random.default_rng(0).uniform(-1, 1, (2, 701))
    problem = held_out(x, np.exp(np.sin(np.pi * x[0]) + x[1] ** 2)[None], 499)
    result = fitted(problem, FitConfig(hidden_layer_sizes=(1,), roughness=(1e-2, 1e-4, 1e-6), n_starts=5))
    assert result.report.rmse < 1e-2
    return result.network, problem
