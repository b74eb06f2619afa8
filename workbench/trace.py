"""What each edge received and gave on a set of rows.

A trace is evaluated once and then only read: importance, drawing, snapping and certificates all look at the same numbers.
Shapes: layer inputs (n_in, n_rows), slots (n_out, n_rows), edge outputs (n_rows, n_out, n_in).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.networks.kan import KAN, Edge
from workbench.networks.program import Evaluation, Program


@dataclass(frozen=True, eq=False)
class Trace:
    """The activations of a network on rows.

    Parameters
    ----------
    network : KAN
    inputs : per layer, what its edges received, (n_in, n_rows)
    slots : per layer, the sums its edges made, (n_out, n_rows)
    outputs : (n_outputs, n_rows)
    edge_outputs : per layer (n_rows, n_out, n_in); 0 where pruned
    """

    network: KAN
    inputs: tuple[np.ndarray, ...]
    slots: tuple[np.ndarray, ...]
    outputs: np.ndarray
    edge_outputs: tuple[np.ndarray, ...]

    def of(self, edge: Edge) -> tuple[np.ndarray, np.ndarray]:
        """Return what one edge received and gave, two arrays (n_rows,)."""
        level, row, column = self.network.position(edge)
        return self.inputs[level][column], self.edge_outputs[level][:, row, column]


def trace(network: KAN, x: np.ndarray) -> Trace:
    """Run a network on x (n_inputs, n_rows) and keep what every edge received and gave."""
    program = Program(network)
    evaluation = Evaluation(program, np.ascontiguousarray(x, dtype=float))
    outputs = evaluation.forward(program.parameters).copy()
    return Trace(
        network,
        tuple(inputs.copy() for inputs in evaluation.inputs[:-1]),
        tuple(slots.copy() for slots in evaluation.slots),
        outputs,
        edge_outputs(evaluation, program.parameters),
    )


def edge_outputs(evaluation: Evaluation, parameters: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return what every edge gives on the rows of an evaluation, after its `forward`: per layer (n_rows, n_out, n_in)."""
    result = []
    for level, layer in enumerate(evaluation.program.layers):
        x = evaluation.inputs[level]
        given = np.zeros((x.shape[1], layer.n_out, len(layer.domain)))
        theta = parameters[layer.learned].reshape(-1, layer.n_terms)
        if len(theta):
            given[:, layer.edge_target, layer.edge_source] = evaluation.edges[level].values(theta).T
        for block in layer.forms:
            constants = parameters[block.start : block.stop]
            given[:, block.row, block.column] = block.snapped.form.evaluate(x[block.column], constants)[0]
        result.append(given)
    return tuple(result)


def attribution(
    network: KAN, outputs: tuple[np.ndarray, ...], slots: tuple[np.ndarray, ...], weights: np.ndarray | None = None
) -> tuple[np.ndarray, ...]:
    """Return the share of every edge in the outputs, going back from them: per layer (n_out, n_in).

    share of an edge = share of its node * std(edge) / std(slot);  share of a node = sum over the edges that leave it.
    An output has share 1 / n_outputs; a product node passes its share to each of its factors. `weights` (n_rows,) count rows.

    Liu et al. (2024) "KAN 2.0", section 4.1, compute the same with an added 1e-4; we leave it out, so that no unit matters, and give an
    edge into a constant slot the share 0.
    """
    node_share = np.full(len(network.layers[-1].nodes), 1.0 / network.n_outputs)
    shares: list[np.ndarray] = []
    for layer, given, slot in zip(network.layers[::-1], outputs[::-1], slots[::-1], strict=True):
        slot_share = np.concatenate([np.full(len(n.factors), s) for n, s in zip(layer.nodes, node_share, strict=True)])
        spread, of_edges = _spread(slot.T, weights), _spread(given, weights)  # (n_rows, n_out, n_in) -> (n_out, n_in)
        moving = spread > 1e-12 * np.maximum(np.abs(slot).max(1), 1e-300)
        share = np.where(moving[:, None], slot_share[:, None] * of_edges / np.where(moving, spread, 1.0)[:, None], 0.0)
        shares.append(share)
        node_share = share.sum(0)
    return tuple(shares[::-1])


def _spread(values: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
    """Return the standard deviation over the first axis."""
    if weights is None:
        return values.std(0)
    centred = values - np.average(values, axis=0, weights=weights)
    return np.sqrt(np.average(centred**2, axis=0, weights=weights))
