"""The whole model around one edge: which forms are worth a refit, all of them at the price of one Gauss-Newton step.

A candidate is judged by the whole model after a refit, but a refit of every form of the library would take seconds. All candidates for an edge
share the rest of the network, so that the first step of their refits can be had together. With r the constants of the rest, p those of a form,

    | H    U | |dr|     |g_r|         H = J J^T + penalty + damping       the same for all candidates: factorised once
    |        | |  | = - |   |         U = J K^T                           K = the form's Jacobian times the sensitivity of its slot
    | U^T  C | |dp|     |g_p|         C = K K^T

and the objective that this step promises needs the Schur complement S = C - U^T H^-1 U of the form's own few columns alone. The promise is that
of the linearised model: good for telling which forms deserve Levenberg-Marquardt (`training.refit`), too bright to rank them by.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from workbench.networks.kan import KAN, Edge, SymbolicEdge
from workbench.networks.program import Evaluation, Program
from workbench.snapping.edge_fit import EdgeFit
from workbench.training import Problem
from workbench.training.penalty import smoothness

_DAMPING = 0.1  # of H: the linearised rest would otherwise promise to imitate any curve, by steps it cannot take
_OWN_DAMPING = 1e-6


def with_fit(network: KAN, edge: Edge, fit: EdgeFit) -> KAN:
    """Return the network with a fitted form on the edge; the offset becomes the bias of the slot, which is fixed at 0 for a law without one.

    The fit must have been made to the edge's curve plus the bias of its slot.
    """
    snapped = network.with_symbolic(edge, SymbolicEdge(fit.form, fit.parameters, fit.free))
    return snapped.with_bias(edge[0], edge[2], fit.offset, free=fit.free_offset)


class Whole:
    """A fitted network seen from one of its edges.

    Parameters
    ----------
    network : the fitted network
    edge : the edge whose form is in question
    problem : the rows it was fitted to
    roughness : weight of the roughness penalty of learned edges

    Attributes
    ----------
    x, y : (n_rows,)     what the edge received, and what it gave plus the bias of its slot
    """

    def __init__(self, network: KAN, edge: Edge, problem: Problem, roughness: float = 1e-6) -> None:
        self.network, self.problem = network, problem
        self.level, self.row, self.column = network.position(edge)
        self.program = Program(network)
        self.evaluation = Evaluation(self.program, problem.x)
        self.outputs = self.evaluation.forward(self.program.parameters)
        self.x = self.evaluation.inputs[self.level][self.column]
        self.y = network.edge_value(edge, self.x) + network.layers[self.level].bias[self.row]
        self._penalty = smoothness(self.program, problem, roughness)

    def promises(self, fits: Sequence[EdgeFit]) -> np.ndarray:
        """Return what the objective will be after one step from every fit, as the linearised model has it, (n_fits,).

        With D = form minus curve at the edge, s the slot's sensitivity, all products summed over rows:

            objective + slope.D + 1/2 (s D)^2 - 1/2 g_r^T H^-1 g_r - 1/2 h^T S^-1 h,      g_r = g_0 + J (s D),  h = g_p - U^T H^-1 g_r
        """
        with np.errstate(all="ignore"):  # a form may overflow where it is hopeless: its promise is then infinite
            return self._promises(fits)

    def _promises(self, fits: Sequence[EdgeFit]) -> np.ndarray:
        parameters, slope = self.program.parameters, self.problem.slope(self.outputs)
        gradient = self.evaluation.gradient(parameters, slope)
        of_slot = self.evaluation.sensitivities(slope)[self.level][self.row]
        self._penalty.add_gradient(gradient, parameters)
        change = np.stack([fit.value(self.x) for fit in fits]) - self.y  # (n_fits, n_rows)
        jacobians = [fit.form.jacobian(self.x, fit.parameters)[np.array(fit.free)] for fit in fits]
        rest, factor, c, u = self._normal_equations(np.vstack([*jacobians, change]))
        solved = cho_solve(factor, np.column_stack([u, gradient[rest]]), check_finite=False)
        result, start = np.empty(len(fits)), 0
        for k, jacobian in enumerate(jacobians):
            own, d = slice(start, start + len(jacobian)), u.shape[1] - len(fits) + k
            start = own.stop
            pull = solved[:, -1] + solved[:, d]
            h = jacobian @ of_slot + c[own, d] - u[:, own].T @ pull
            gained = (gradient[rest] + u[:, d]) @ pull + _gain(c[own, own] - u[:, own].T @ solved[:, own], c[own, own], h)
            result[k] = of_slot @ change[k] + 0.5 * (c[d, d] - gained)
        objective = self.problem.objective(self.outputs) + self._penalty.value(parameters)
        return np.maximum(np.where(np.isfinite(result), objective + result, np.inf), 0.0)

    def _normal_equations(self, columns: np.ndarray) -> tuple[np.ndarray, tuple, np.ndarray, np.ndarray]:
        """Return the free constants of the rest, the factor of H, C and U for functions of the edge's input (m, n_rows)."""
        parameters = self.program.parameters
        free = self.program.free.copy()
        free[self._own()] = False
        rest = np.flatnonzero(free)
        matrix = np.zeros((len(free), len(free)))
        self._penalty.add_to(matrix, np.zeros(len(free)), parameters)
        h = matrix[np.ix_(rest, rest)]
        c, u = np.zeros((len(columns), len(columns))), np.zeros((len(rest), len(columns)))
        jacobian = np.empty((len(parameters), self.problem.n_rows))
        for seed, sign in self.problem.curvature(self.outputs):
            self.evaluation.jacobian(parameters, seed, jacobian)
            j, k = jacobian[rest], columns * jacobian[self._bias()]
            h += sign * (j @ j.T)
            c += sign * (k @ k.T)
            u += sign * (j @ k.T)
        diagonal = np.maximum(h.diagonal(), 1e-9 * h.diagonal().max(initial=0.0))
        h[np.diag_indices_from(h)] += _DAMPING * diagonal + 1e-300
        return rest, cho_factor(h, lower=True, overwrite_a=True, check_finite=False), c, u

    def _own(self) -> np.ndarray:
        """Return where the constants of the edge lie."""
        layer = self.program.layers[self.level]
        for block in layer.forms:
            if (block.row, block.column) == (self.row, self.column):
                return np.arange(block.start, block.stop)
        number = np.flatnonzero((layer.edge_source == self.column) & (layer.edge_target == self.row))[0]
        return layer.start + number * layer.n_terms + np.arange(layer.n_terms)

    def _bias(self) -> int:
        return self.program.layers[self.level].bias + self.row


def _gain(schur: np.ndarray, c: np.ndarray, h: np.ndarray) -> float:
    """Return h^T S^-1 h, in units in which C has a unit diagonal; directions that the rest can imitate are left out."""
    units = 1.0 / np.sqrt(np.maximum(c.diagonal(), 1e-300))
    if not (np.isfinite(schur).all() and np.isfinite(h).all()):
        return -np.inf
    values, vectors = np.linalg.eigh(schur * units * units[:, None] + _OWN_DAMPING * np.eye(len(c)))
    along = vectors.T @ (h * units)
    kept = values > 1e-12
    return float(along[kept] ** 2 @ (1.0 / values[kept]))
