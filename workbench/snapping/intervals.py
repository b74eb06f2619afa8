"""Confidence intervals of the constants of a snapped edge, from the curvature of the whole model.

    covariance = s^2 N^+ (J J^T) N^+,     N = J J^T + penalty,     s^2 = residual squares / (n_rows - effective constants)

with J the whitened Jacobian of all free constants at the fit, so that what other edges can absorb widens the interval. N^+ is a
pseudo-inverse: directions in which the model does not change at all are left out, and a constant with a part along one of them is *not
identifiable*: c of an edge below a spline, whose scale the spline takes over, has no value of its own to be confident of.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.exceptions import SnapError
from workbench.networks.kan import KAN, Edge
from workbench.snapping.checks import Linear
from workbench.training import Problem

_FLAT = 1e-10  # eigenvalues of N, in units of its diagonal, below which a direction changes nothing
_PART = 1e-3  # share of a constant along flat directions above which it is not identifiable


@dataclass(frozen=True)
class Interval:
    """A constant and what the data say about it.

    Parameters
    ----------
    name : of the constant; "d" is the offset, the bias of the edge's slot
    value : the fitted constant
    standard_error, low, high : infinite where it is not identifiable
    identifiable : False where other constants can take over its role without any change of the model
    """

    name: str
    value: float
    standard_error: float
    low: float
    high: float
    identifiable: bool


def intervals(network: KAN, edge: Edge, problem: Problem, level: float = 0.95, roughness: float = 1e-6) -> tuple[Interval, ...]:
    """Return the confidence interval of every free constant of a snapped edge, and of the bias of its slot.

    Parameters
    ----------
    network : fitted, with a form on the edge
    edge : (layer, source, target)
    problem : the rows it was fitted to, with squared loss
    level : confidence, between 0 and 1
    roughness : weight of the roughness penalty of learned edges

    Raises
    ------
    SnapError : the edge is not snapped, or the loss is not squared
    """
    snapped = network.symbolic_edge(edge)
    if snapped is None:
        raise SnapError(f"intervals(edge={edge}): this edge has no form yet. Snap it first.")
    if problem.loss != "squared":
        raise SnapError("intervals: confidence intervals are for measured targets; a classification has none here.")
    from scipy.special import stdtrit  # 0.2 s to import, needed when somebody asks how sure a constant is

    linear = Linear.of(network, problem, roughness)
    errors, flat, freedom = _standard_errors(linear)
    quantile = float(stdtrit(freedom, 0.5 + 0.5 * level)) if freedom > 0 else np.inf
    made = []
    for name, place in _places(linear, network, edge):
        found = np.flatnonzero(linear.free == place)
        if not found.size:
            continue
        k = int(found[0])
        identifiable = bool(flat[k] < _PART and freedom > 0)
        error = float(errors[k]) if identifiable else np.inf
        value = float(linear.program.parameters[place])
        reach = quantile * error
        made.append(Interval(name, value, error, value - reach, value + reach, identifiable))
    return tuple(made)


def _standard_errors(linear: Linear) -> tuple[np.ndarray, np.ndarray, float]:
    """Return the standard error of every free constant, its share along flat directions, and the degrees of freedom of the residual."""
    data = linear.jacobian @ linear.jacobian.T
    normal = data + linear.penalty
    units = 1.0 / np.sqrt(np.maximum(normal.diagonal(), 1e-300))
    values, vectors = np.linalg.eigh(normal * units * units[:, None])
    kept = values > _FLAT * max(float(values.max(initial=0.0)), 1e-300)
    inverse = (vectors[:, kept] / values[kept]) @ vectors[:, kept].T
    scaled = data * units * units[:, None]
    freedom = linear.residual.size - float(np.einsum("ij,ji->", inverse, scaled))
    variance = float(linear.residual @ linear.residual) / max(freedom, 1e-300)
    covariance = inverse @ scaled @ inverse
    errors = np.sqrt(np.maximum(covariance.diagonal(), 0.0) * variance) * units
    flat = np.einsum("ij,ij->i", vectors[:, ~kept], vectors[:, ~kept])
    return errors, flat, freedom


def _places(linear: Linear, network: KAN, edge: Edge) -> list[tuple[str, int]]:
    """Return (name, place in the parameter vector) of the edge's constants and its slot's bias."""
    level, row, column = network.position(edge)
    layer = linear.program.layers[level]
    block = next(b for b in layer.forms if (b.row, b.column) == (row, column))
    names = block.snapped.form.parameter_names
    return [*((name, block.start + k) for k, name in enumerate(names)), ("d", layer.bias + row)]
