"""What keeps a spline fit honest: roughness, a little ridge, and sparsity.

    penalty = 1/2 mass sum over spline edges e of
                  roughness |D2 c_e|^2 / s_e^2 + ridge |theta_e|^2 / s_e^2 + sparsity (g_e / v_e) var(phi_e)

- `D2 c` are the second differences of the coefficients: a P-spline (Eilers & Marx, 1996).
- `s_e` is the scale of the slot the edge enters: the target's spread in the last layer, 1 below it, so that no unit changes the fit.
- Sparsity is a group lasso on the importance g_e std(phi_e) of an edge, made quadratic by iterative reweighting: v_e is the edge's present
  size, so the term equals sparsity * g_e * v_e at the present point and an edge of no use is pulled to a constant.
  (Liu et al., 2024, section 2.5.1 penalise the mean of |phi|; the importance makes it independent of hidden scales.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.networks.program import Evaluation, Program
from workbench.trace import attribution, edge_outputs
from workbench.training.problem import Problem


@dataclass(frozen=True, eq=False)
class Penalty:
    """A quadratic form: one (n_terms, n_terms) block per spline edge, at its place in the parameter vector."""

    starts: np.ndarray
    blocks: list[np.ndarray]
    mass: float

    def value(self, parameters: np.ndarray) -> float:
        total = 0.0
        for start, block in zip(self.starts, self.blocks, strict=True):
            theta = parameters[start : start + len(block)]
            total += theta @ block @ theta
        return 0.5 * self.mass * total

    def add_gradient(self, gradient: np.ndarray, parameters: np.ndarray) -> None:
        """Add the first derivative to gradient (P,), in place."""
        for start, block in zip(self.starts, self.blocks, strict=True):
            stop = start + len(block)
            gradient[start:stop] += self.mass * (block @ parameters[start:stop])

    def add_to(self, matrix: np.ndarray, gradient: np.ndarray, parameters: np.ndarray) -> None:
        """Add second and first derivative to matrix (P, P) and gradient (P,), in place."""
        self.add_gradient(gradient, parameters)
        for start, block in zip(self.starts, self.blocks, strict=True):
            stop = start + len(block)
            matrix[start:stop, start:stop] += self.mass * block


def smoothness(program: Program, problem: Problem, roughness: float) -> Penalty:
    """Return the roughness and ridge penalty of every spline edge of a program, for the rows of a problem."""
    starts, blocks = [], []
    last = len(program.layers) - 1
    for level, layer in enumerate(program.layers):
        n_terms = layer.n_terms
        difference = np.diff(np.eye(n_terms - 1), 2, axis=0)
        unit = problem.ridge * np.eye(n_terms)
        unit[:-1, :-1] += roughness * difference.T @ difference
        slot_scale = np.ones(layer.n_out)
        if level == last:
            for node, rows in enumerate(layer.factors):
                if len(rows) == 1:
                    slot_scale[rows[0]] = problem.output_scale[node]
        for e, row in enumerate(layer.edge_target):
            starts.append(layer.start + e * n_terms)
            blocks.append(unit / slot_scale[row] ** 2)
    return Penalty(np.array(starts, dtype=int), blocks, problem.mass)


def with_sparsity(
    penalty: Penalty, evaluation: Evaluation, parameters: np.ndarray, sparsity: float, weights: np.ndarray | None = None
) -> Penalty:
    """Add the reweighted group lasso to a smoothness penalty, at the present point (after `evaluation.forward`).

    Parameters
    ----------
    sparsity : weight; 1e-3 asks an edge to explain about a thousandth of the target's variance to stay
    """
    program, blocks, k = evaluation.program, [], 0
    outputs = edge_outputs(evaluation, parameters)
    importances = attribution(program.network, outputs, tuple(evaluation.slots), weights)
    for level, layer in enumerate(program.layers):
        features = evaluation.features[level]
        share = np.full(features.shape[2], 1.0) if weights is None else weights
        share = share / share.sum()
        centred = features - (features @ share)[:, :, None]
        covariance = np.einsum("ikn,iln->ikl", centred * share, centred)
        for e, (source, target) in enumerate(zip(layer.edge_source, layer.edge_target, strict=True)):
            start = layer.start + e * layer.n_terms
            theta = parameters[start : start + layer.n_terms]
            variance = float(theta @ covariance[source] @ theta)
            importance = float(importances[level][target, source])
            # I_e = g_e v_e, so g_e / v_e = I_e / v_e^2; the floor keeps a dead edge from an infinite weight
            weight = sparsity * max(importance, 1e-4) / max(variance, 1e-12)
            blocks.append(penalty.blocks[k] + weight * covariance[source])
            k += 1
    return Penalty(penalty.starts, blocks, penalty.mass)
