"""Moving knots: every input's range follows what it receives; a finer grid takes over the old curve.

Knots stay uniform per input and the *range* moves (clustered data make adaptive knots rank deficient). The curve before the move is projected
onto the new basis, so the function of the network is kept up to the new basis' resolution.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from workbench.bases import bspline
from workbench.networks.kan import KAN, Layer

_POINTS_PER_INTERVAL = 12


def _moved(layer: Layer, domain: np.ndarray, n_intervals: int) -> Layer:
    """Return the layer with its curves projected onto new ranges (n_in, 2) and a new number of intervals."""
    n_out = len(layer.targets)
    coefficients = np.zeros((n_intervals + 3, n_out, len(layer.sources)))
    base = layer.base.copy()
    for column, (low, high) in enumerate(domain):
        x = np.linspace(low, high, _POINTS_PER_INTERVAL * max(n_intervals, layer.n_intervals) + 1)
        old, _ = bspline.terms(x, tuple(layer.domain[column]), layer.n_intervals)
        new, _ = bspline.terms(x, (low, high), n_intervals)
        stretch = (high - low) / (layer.domain[column, 1] - layer.domain[column, 0])
        base[:, column] = layer.base[:, column] * stretch  # the same slope at the right-hand end
        curves = layer.coefficients[:, :, column].T @ old[:-1] + np.outer(layer.base[:, column], old[-1]) - np.outer(base[:, column], new[-1])
        coefficients[:, :, column] = bspline.project(curves, x, (low, high), n_intervals).T
    return replace(layer, domain=domain, coefficients=coefficients, base=base)


def refined(network: KAN, n_intervals: int) -> KAN:
    """Return the network with `n_intervals` intervals on every spline; the ranges stay."""
    return KAN(tuple(_moved(layer, np.array(layer.domain), n_intervals) for layer in network.layers))


def gauged(network: KAN, slots: Sequence[np.ndarray], inputs: Sequence[np.ndarray]) -> tuple[KAN, list[np.ndarray]]:
    """Return the same function with every hidden sum node scaled to [-1, 1], and what its layers receive then.

    A spline edge sees its input through its own range, so scaling a node and the ranges above it together changes nothing. It fixes what
    a fit leaves open: without it the roughness penalty would be dodged by making hidden values small.
    Nodes with a snapped or locked edge on either side, and product nodes, are left alone.

    Parameters
    ----------
    slots : per layer (n_out, n_rows), the sums its edges made
    inputs : per layer (n_in, n_rows), what its edges received
    """
    received = list(inputs)
    for level in range(len(network.layers) - 1):
        below, above = network.layers[level], network.layers[level + 1]
        if below.symbolic or below.locked or above.symbolic or above.locked or any(len(n.factors) > 1 for n in below.nodes):
            continue
        low, high = slots[level].min(1), slots[level].max(1)
        middle, half = (low + high) / 2, (high - low) / 2
        half = np.where(half > 1e-6 * np.maximum(np.abs(middle), 1.0), half, 1.0)  # a dead node keeps its scale
        received[level + 1] = (received[level + 1] - middle[:, None]) / half[:, None]
        network = network.with_layer(
            level,
            coefficients=below.coefficients / half[:, None],
            base=below.base / half[:, None],
            bias=(below.bias - middle) / half,
        ).with_layer(level + 1, domain=(above.domain - middle[:, None]) / half[:, None])
    return network, received


def followed(network: KAN, inputs: Sequence[np.ndarray], margin: float = 0.1) -> KAN:
    """Return the network with every hidden range moved to what its layer received, (n_in, n_rows), widened by `margin` of its width.

    The inputs' own ranges stay: they are the data's. A range is moved only when the activations have left it or use less than half of it.
    """
    layers = [network.layers[0]]
    for layer, x in zip(network.layers[1:], inputs[1:], strict=False):
        low, high = x.min(1), x.max(1)
        present = layer.domain
        used = (high - low) / (present[:, 1] - present[:, 0])
        width = np.maximum(high - low, 1e-3 * (present[:, 1] - present[:, 0]))
        wanted = np.stack([low - margin * width, high + margin * width], axis=1)
        left = (low < present[:, 0]) | (high > present[:, 1])
        idle = (used < 0.5) & (used > 1e-3)  # a dead node keeps its range
        move = (left | idle)[:, None]
        layers.append(_moved(layer, np.where(move, wanted, present), layer.n_intervals) if move.any() else layer)
    return KAN(tuple(layers))
