"""Moving ranges: every input's range follows what it receives; a finer grid takes over the old curve.

Knots stay uniform per input and the *range* moves (clustered data make adaptive knots rank deficient). The curve before the move is taken over
by the basis on the new range, so the function of the network is kept up to what the basis can say there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from workbench.bases.basis import Basis
from workbench.networks.kan import KAN, Layer

_FARTHEST = 1e9  # of a range's own width, for its values to be subtracted from it


def _moved(layer: Layer, domain: np.ndarray, basis: Basis) -> Layer:
    """Return the layer with its curves on new ranges (n_in, 2), in a basis of the same family."""
    n_out, n_in = len(layer.targets), len(layer.sources)
    every = np.arange(n_out)
    moved = np.empty((n_in, n_out, basis.n_terms))
    for column, (low, high) in enumerate(domain):
        old = (float(layer.domain[column, 0]), float(layer.domain[column, 1]))
        moved[column] = layer.basis.moved(layer.theta(every, np.full(n_out, column)), old, (float(low), float(high)), basis)
    n = basis.n_coefficients
    base = moved[:, :, n].T if basis.n_terms > n else layer.base
    return replace(layer, domain=domain, coefficients=moved[:, :, :n].transpose(2, 1, 0), base=base, basis=basis)


def refined(network: KAN, basis: Basis) -> KAN:
    """Return the network with every learned edge in another basis of its family, such as splines of more intervals; the ranges stay."""
    return KAN(tuple(_moved(layer, np.array(layer.domain), basis) for layer in network.layers))


def gauged(network: KAN, slots: Sequence[np.ndarray], inputs: Sequence[np.ndarray]) -> tuple[KAN, list[np.ndarray]]:
    """Return the same function with every hidden sum node scaled to [-1, 1], and what its layers receive then.

    A learned edge sees its input through its own range, so scaling a node and the ranges above it together changes nothing. It fixes what
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
        near = np.abs(middle) < _FARTHEST * (above.domain[:, 1] - above.domain[:, 0])
        middle, half = np.where(near, middle, 0.0), np.where(near, half, 1.0)  # a range so far away would be lost in rounding: it moves first
        received[level + 1] = (received[level + 1] - middle[:, None]) / half[:, None]
        coefficients, base = below.in_units(half)
        network = network.with_layer(
            level,
            coefficients=coefficients,
            base=base,
            bias=(below.bias - middle) / half,
        ).with_layer(level + 1, domain=(above.domain - middle[:, None]) / half[:, None])
    return network, received


def followed(network: KAN, inputs: Sequence[np.ndarray]) -> KAN:
    """Return the network with every hidden range moved to what its layer received, (n_in, n_rows), where its basis asks for that.

    The inputs' own ranges stay: they are the data's.
    """
    layers = [network.layers[0]]
    for layer, x in zip(network.layers[1:], inputs[1:], strict=False):
        wanted = [layer.basis.range_for(present, *ends) for present, ends in zip(layer.domain, np.stack([x.min(1), x.max(1)], axis=1), strict=True)]
        moves = {column: new for column, new in enumerate(wanted) if new is not None}
        domain = np.array([moves.get(column, present) for column, present in enumerate(layer.domain)])
        layers.append(_moved(layer, domain, layer.basis) if moves else layer)
    return KAN(tuple(layers))
