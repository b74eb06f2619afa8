"""What keeps a fit honest: roughness, a little ridge, and sparsity.

    penalty = 1/2 mass sum over learned edges e of
                  roughness |R theta_e / s_e|^2 + ridge |theta_e / s_e|^2 + sparsity (g_e / v_e) var(phi_e)

- `R theta` is what the basis calls rough: the second differences of a spline's coefficients, the curvature of a numerator, a denominator
  that is not 1. Constants that carry no unit are not divided by s_e.
- `s_e` is the scale of the slot the edge enters: the target's spread in the last layer, 1 below it, so that no unit changes the fit.
- Sparsity is a group lasso on the importance g_e std(phi_e) of an edge, made quadratic by iterative reweighting: v_e is the edge's present
  size, so the term equals sparsity * g_e * v_e at the present point and an edge of no use is pulled to a constant.
  (Liu et al., 2024, section 2.5.1 penalise the mean of |phi|; the importance makes it independent of hidden scales.)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from workbench.networks.program import Evaluation, Program
from workbench.trace import attribution, edge_outputs
from workbench.training.problem import Problem


@dataclass(frozen=True, eq=False)
class Penalty:
    """A quadratic form: one block per learned edge. The edges of a layer lie side by side in the parameter vector.

    Parameters
    ----------
    starts : where each layer's learned edges begin
    blocks : per layer (n_edges, n_terms, n_terms)
    mass : what all rows weigh together
    """

    starts: tuple[int, ...]
    blocks: tuple[np.ndarray, ...]
    mass: float

    def value(self, parameters: np.ndarray) -> float:
        return 0.5 * self.mass * sum(float(np.vdot(theta, slope)) for _, theta, slope in self._layers(parameters))

    def add_gradient(self, gradient: np.ndarray, parameters: np.ndarray) -> None:
        """Add the first derivative to gradient (P,), in place."""
        for part, _, slope in self._layers(parameters):
            gradient[part] += self.mass * slope.ravel()

    def add_to(self, matrix: np.ndarray, gradient: np.ndarray, parameters: np.ndarray) -> None:
        """Add second and first derivative to matrix (P, P) and gradient (P,), in place."""
        self.add_gradient(gradient, parameters)
        for places, blocks in zip(self._places, self.blocks, strict=True):
            matrix[places[:, :, None], places[:, None, :]] += self.mass * blocks

    def rows(self, n_parameters: int) -> np.ndarray:
        """Return R (n, P) with |R parameters|^2 twice the value."""
        matrix = np.zeros((n_parameters, n_parameters))
        self.add_to(matrix, np.zeros(n_parameters), np.zeros(n_parameters))
        values, vectors = np.linalg.eigh(matrix)
        return np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T

    def _layers(self, parameters: np.ndarray) -> Iterator[tuple[slice, np.ndarray, np.ndarray]]:
        """Yield, per layer, where its constants lie, the constants, and block times constants, each (n_edges, n_terms)."""
        for start, blocks in zip(self.starts, self.blocks, strict=True):
            n_edges, n_terms, _ = blocks.shape
            part = slice(start, start + n_edges * n_terms)
            theta = parameters[part].reshape(n_edges, n_terms)
            yield part, theta, (blocks @ theta[:, :, None])[:, :, 0]

    @cached_property
    def _places(self) -> tuple[np.ndarray, ...]:
        """Per layer (n_edges, n_terms): where the constants of every edge lie."""
        return tuple(
            np.arange(start, start + blocks[:, :, 0].size).reshape(blocks.shape[:2])
            for start, blocks in zip(self.starts, self.blocks, strict=True)
        )


def smoothness(program: Program, problem: Problem, roughness: float) -> Penalty:
    """Return the roughness and ridge penalty of every learned edge of a program, for the rows of a problem."""
    blocks, last = [], len(program.layers) - 1
    for level, layer in enumerate(program.layers):
        slot_scale = np.ones(layer.n_out)
        if level == last:
            for node, rows in enumerate(layer.factors):
                if len(rows) == 1:
                    slot_scale[rows[0]] = problem.output_scale[node]
        of_edges = np.where(layer.basis.carries_unit, slot_scale[layer.edge_target][:, None], 1.0)  # (n_edges, n_terms)
        blocks.append(layer.basis.penalty(roughness, problem.ridge) / (of_edges[:, :, None] * of_edges[:, None, :]))
    return Penalty(tuple(layer.start for layer in program.layers), tuple(blocks), problem.mass)


def with_sparsity(
    penalty: Penalty, evaluation: Evaluation, parameters: np.ndarray, sparsity: float, weights: np.ndarray | None = None
) -> Penalty:
    """Add the reweighted group lasso to a smoothness penalty, at the present point (after `evaluation.forward`).

    Parameters
    ----------
    sparsity : weight; 1e-3 asks an edge to explain about a thousandth of the target's variance to stay
    """
    program, blocks = evaluation.program, []
    outputs = edge_outputs(evaluation, parameters)
    importances = attribution(program.network, outputs, tuple(evaluation.slots), weights)
    for level, layer in enumerate(program.layers):
        share = np.ones(evaluation.inputs[level].shape[1]) if weights is None else weights
        theta = parameters[layer.learned].reshape(-1, layer.n_terms)
        covariance = evaluation.edges[level].covariances(theta, share / share.sum())  # (n_edges, n_terms, n_terms)
        variance = np.einsum("ek,ekl,el->e", theta, covariance, theta)
        importance = importances[level][layer.edge_target, layer.edge_source]
        # I_e = g_e v_e, so g_e / v_e = I_e / v_e^2; the floor keeps a dead edge from an infinite weight
        weight = sparsity * np.maximum(importance, 1e-4) / np.maximum(variance, 1e-12)
        blocks.append(penalty.blocks[level] + weight[:, None, None] * covariance)
    return Penalty(penalty.starts, tuple(blocks), penalty.mass)
