"""Levenberg-Marquardt on all constants of a network, with exact Jacobians.

One iteration solves

    (A + lam diag(A)) step = -g,      A = sum of J J^T over the loss's curvature seeds + penalty,      g = gradient + penalty

for the free constants, by Cholesky. The damping follows Nielsen (1999): with the gain ratio rho of actual to predicted decrease,
lam <- lam max(1/3, 1 - (2 rho - 1)^3) when a step is taken, lam <- lam nu, nu <- 2 nu when it is not. A step that makes the objective worse
is never kept.

Marquardt's scaling by diag(A) makes the path independent of the units of the data (Marquardt, 1963). Rows come in blocks, so that memory does
not grow with their number.

Where the constants of the edges nearly cancel, as those of rational functions do, the last steps come from J itself (`training.orthogonal`).

Summing J J^T is most of an iteration. While lam is above 1e-3 and rows are many it is done in single precision, twice as fast: what is lost
there is less than a thousandth of what the damping adds. The gradient, and so the place where a descent ends, is always double.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.linalg.blas import dsyrk, ssyrk
from scipy.linalg.lapack import dpotrf, dpotrs

from workbench.exceptions import TrainingError
from workbench.networks.program import Evaluation, Program
from workbench.training.orthogonal import Orthogonal
from workbench.training.penalty import Penalty
from workbench.training.problem import Problem

_BLOCK = 8192
_LARGEST, _SMALLEST = 1e12, 1e-14
_COARSE = 1e-3  # damping above which the matrix is summed in single precision,
_MANY_ROWS = 300  # and rows from which that is worth it
_FINE, _FINEST = 1e-6, 1e-26  # damping below which few constants that nearly cancel are factorised orthogonally, and the least there
_FEW = 120  # such constants


@dataclass(frozen=True)
class Step:
    """One iteration: the constants after it, the objective and whether the step was taken."""

    parameters: np.ndarray
    objective: float
    loss: float
    taken: bool


class Normal:
    """The normal equations of a program on a problem, accumulated over blocks of rows."""

    def __init__(self, program: Program, problem: Problem) -> None:
        self.program, self.problem = program, problem
        self.blocks = row_blocks(problem)
        self._jacobians: dict[tuple[int, type], np.ndarray] = {}
        self._one = Evaluation(program, problem.x) if len(self.blocks) == 1 else None

    def loss(self, parameters: np.ndarray) -> float:
        """Return the loss alone; with one block the pass is kept for the next `equations`."""
        if self._one is not None:
            return self.problem.objective(self._one.forward(parameters))
        return sum(block.objective(self.program.predict(parameters, block.x)) for block in self.blocks)

    def evaluation(self, parameters: np.ndarray) -> Evaluation:
        """Return an evaluation on the first block, run at these constants."""
        evaluation = self._one or Evaluation(self.program, self.blocks[0].x)
        evaluation.forward(parameters)
        return evaluation

    def floor(self, parameters: np.ndarray) -> np.ndarray:
        """Return the least curvature (P,) to assume: moving an edge or bias by a quarter of its slot's range changes the loss by 1e-8 a row.

        A constant that carries no unit, such as one in a denominator, moves its edge by about that range when it moves by one.

        `loss` must have run at `parameters`.
        """
        floor = np.zeros(len(parameters))
        evaluation = self._one or self.evaluation(parameters)
        for layer, slots in zip(self.program.layers, evaluation.slots, strict=True):
            size = np.ptp(slots, axis=1) / 4 + 1e-3 * np.abs(slots).max(1)  # of the range: repeated rows count no more than weighted ones
            least = np.divide(1e-8 * self.problem.mass, size**2, out=np.zeros_like(size), where=size > 1e-150)
            unit = layer.basis.carries_unit
            floor[layer.learned] = np.where(unit, least[layer.edge_target][:, None], 1e-8 * self.problem.mass).ravel()
            floor[layer.bias : layer.stop] = least
        return floor

    def equations(self, parameters: np.ndarray, coarse: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Return the Gauss-Newton matrix (lower triangle, Fortran order) and the gradient; `loss` must have run at `parameters`.

        `coarse` sums the matrix in single precision, each block of rows in units of its own.
        """
        n = len(parameters)
        matrix, gradient = np.zeros((n, n), order="F"), np.zeros(n)
        add = self._add_coarse if coarse else self._add
        for block in self.blocks:
            evaluation = self._one or Evaluation(self.program, block.x)
            outputs = evaluation.inputs[-1] if self._one is not None else evaluation.forward(parameters)
            gradient += evaluation.gradient(parameters, block.slope(outputs))
            for seed, sign in block.curvature(outputs):
                matrix = add(matrix, evaluation, parameters, seed, sign)
        return matrix, gradient

    @property
    def fine(self) -> bool:
        """Whether the last digits are worth an orthogonal factorisation: few constants that nearly cancel, fitted to few rows."""
        few = self._one is not None and self.problem.loss == "squared" and int(self.program.free.sum()) <= _FEW
        return few and any(layer.basis.cancels and len(layer.edge_source) for layer in self.program.layers)

    def damped(self, parameters: np.ndarray, penalty: Penalty, free: np.ndarray, floor: np.ndarray, damping: float) -> Damped:
        """Return the system of the free constants from the normal equations, coarse while the damping is large."""
        matrix, gradient = self.equations(parameters, coarse=damping > _COARSE and self.problem.n_rows >= _MANY_ROWS)
        penalty.add_to(matrix, gradient, parameters)
        if len(free) < len(parameters):
            matrix, gradient = np.asfortranarray(matrix[np.ix_(free, free)]), gradient[free]
        return Damped(matrix, gradient, floor)

    def orthogonal(self, parameters: np.ndarray, penalty: Penalty, free: np.ndarray, floor: np.ndarray, _: float) -> Orthogonal:
        """Return the system of the free constants from the Jacobian itself; `loss` must have run at `parameters`."""
        evaluation, columns = self._one, []
        outputs = evaluation.inputs[-1]
        for seed, _ in self.problem.curvature(outputs):
            columns.append(evaluation.jacobian(parameters, seed, self._buffer(seed, np.float64))[free].T)
        residuals = self.problem.residuals(outputs)
        rows = penalty.rows(len(parameters))
        return Orthogonal(np.vstack([*columns, rows[:, free]]), np.concatenate([*residuals, rows @ parameters]), floor)

    def _add(self, matrix: np.ndarray, evaluation: Evaluation, parameters: np.ndarray, seed: np.ndarray, sign: float) -> np.ndarray:
        jacobian = evaluation.jacobian(parameters, seed, self._buffer(seed, np.float64))
        return dsyrk(sign, jacobian.T, beta=1.0, c=matrix, trans=1, lower=1, overwrite_c=1)

    def _add_coarse(self, matrix: np.ndarray, evaluation: Evaluation, parameters: np.ndarray, seed: np.ndarray, sign: float) -> np.ndarray:
        jacobian = self._buffer(seed, np.float32)
        units = evaluation.scaled_jacobian(parameters, seed, jacobian)
        part = ssyrk(sign, jacobian.T, trans=1, lower=1) * units[:, None]
        part *= units
        matrix += part
        return matrix

    def _buffer(self, seed: np.ndarray, dtype: type) -> np.ndarray:
        """Return the array a Jacobian is written to, made once for every number of rows and precision."""
        key = (seed.shape[1], dtype)
        if key not in self._jacobians:
            self._jacobians[key] = np.empty((len(self.program.parameters), seed.shape[1]), dtype=dtype)
        return self._jacobians[key]


def row_blocks(problem: Problem) -> list[Problem]:
    """Cut a problem into blocks of rows that bound the memory; one block when rows are few."""
    if problem.n_rows <= _BLOCK:
        return [problem]
    edges = range(0, problem.n_rows, _BLOCK)
    return [problem.rows(np.arange(start, min(start + _BLOCK, problem.n_rows))) for start in edges]


class Damped:
    """The damped system of one iteration, scaled to a unit diagonal so that no unit of measurement matters.

    With d = sqrt(max(diag A, floor)):   (A / (d d^T) + lam I) z = -g / d,   step = z / d.   A constant that nothing depends on (d = 0) is
    not moved; the floor keeps one that next to nothing depends on from running away. The matrix is taken over and scaled in place.
    """

    def __init__(self, matrix: np.ndarray, gradient: np.ndarray, floor: np.ndarray) -> None:
        root = np.sqrt(np.maximum(matrix.diagonal(), floor))
        self._inverse = np.divide(1.0, root, out=np.zeros_like(root), where=root > 1e-150)
        matrix *= self._inverse[:, None]
        matrix *= self._inverse[None, :]
        self._scaled = matrix
        self._diagonal = np.where(self._inverse > 0, self._scaled.diagonal() + 1e-13, 1.0)
        self._gradient = gradient * self._inverse

    def step(self, damping: float) -> tuple[np.ndarray, float] | None:
        """Return the step and the decrease it predicts, or None when the matrix is not positive."""
        damped = self._scaled.copy(order="F")
        np.einsum("ii->i", damped)[:] = self._diagonal + damping  # a view of the diagonal
        factor, failed = dpotrf(damped, lower=1, overwrite_a=1)
        if failed:
            return None
        z = dpotrs(factor, -self._gradient, lower=1)[0]
        return z * self._inverse, 0.5 * float(z @ (damping * z - self._gradient))


def iterate(
    normal: Normal, parameters: np.ndarray, penalty: Penalty, damping: float = 1e-2, max_iter: int = 100
) -> Iterator[Step]:
    """Yield one Step per iteration, until no step helps.

    Raises
    ------
    TrainingError : the network is not finite on the rows it is asked to fit
    """
    free = np.flatnonzero(normal.program.free)
    parameters = parameters.copy()
    loss = normal.loss(parameters)
    objective = loss + penalty.value(parameters)
    if not np.isfinite(objective):
        raise TrainingError("The network is not finite on these rows. Look for a form outside its domain, such as log of a negative.")
    if not len(free):
        return
    growth, floor = 2.0, normal.floor(parameters)[free]
    for _ in range(max_iter):
        fine = normal.fine and damping < _FINE
        damped = (normal.orthogonal if fine else normal.damped)(parameters, penalty, free, floor, damping)
        taken = False
        while not taken and damping < _LARGEST:
            solved = damped.step(damping)
            if solved is None:
                damping = max(4.0 * damping, 1e-10)
                continue
            step, predicted = solved
            trial = parameters.copy()
            trial[free] += step
            new_loss = normal.loss(trial)
            new = new_loss + penalty.value(trial)
            gain = (objective - new) / predicted if predicted > 0 and np.isfinite(new) else -1.0
            taken = gain > 1e-4
            if taken:
                parameters, objective, loss = trial, new, new_loss
                damping = max(damping * max(1 / 3, 1 - (2 * gain - 1) ** 3), _FINEST if fine else _SMALLEST)
                growth = 2.0
            else:
                damping *= growth
                growth *= 2.0
        if not taken:
            normal.loss(parameters)
            return
        yield Step(parameters, objective, loss, taken)
