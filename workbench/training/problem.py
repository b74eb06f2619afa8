"""What a network is fitted to: rows, weights, a loss, and how an error is checked.

The loss is a sum over rows; its curvature is given as Gauss-Newton factors, so that every loss trains by the same Levenberg-Marquardt step:

    squared         1/2 sum_n w_n sum_t (f_t - y_t)^2 / s_t^2            s_t = spread of target t: errors carry no unit
    cross_entropy   - sum_n w_n log softmax(f)_{y_n}                      one target column of class numbers (two classes: one logit)
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from workbench.exceptions import TrainingError

if TYPE_CHECKING:
    from workbench.dataset import Dataset

Fold = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, eq=False)
class Problem:
    """Rows to fit.

    Parameters
    ----------
    x : (n_inputs, n_rows), C-contiguous
    y : (n_targets, n_rows); for cross entropy (1, n_rows) of class numbers
    weights : (n_rows,) with mean 1, or None
    loss : "squared" or "cross_entropy"
    n_classes : number of classes for cross entropy
    folds : (fit rows, check rows) for data too few for a validation part
    validation : rows kept apart to check on, or None
    scale : (n_targets,) spread of each target; made from y when left out
    """

    x: np.ndarray
    y: np.ndarray
    weights: np.ndarray | None = None
    loss: Literal["squared", "cross_entropy"] = "squared"
    n_classes: int = 0
    folds: tuple[Fold, ...] = ()
    validation: Problem | None = None
    scale: np.ndarray = field(default_factory=lambda: np.empty(0))

    def __post_init__(self) -> None:
        x = np.ascontiguousarray(self.x, dtype=float)
        y = np.ascontiguousarray(self.y, dtype=float)
        if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1]:
            raise TrainingError(f"A problem takes x (n_inputs, n_rows) and y (n_targets, n_rows); got {x.shape} and {y.shape}.")
        if x.shape[1] == 0:
            raise TrainingError("There are no rows to fit. Give at least two rows.")
        object.__setattr__(self, "x", x)
        object.__setattr__(self, "y", y)
        if self.scale.size == 0:
            object.__setattr__(self, "scale", _spread(y, self.weights))

    @classmethod
    def from_dataset(cls, dataset: Dataset, group: int | None = None) -> Problem:
        """Return the training rows of a dataset as the network sees them, with its validation rows or folds; `group` keeps one group's rows."""
        split = dataset.split
        X, y, weights = dataset.seen(dataset.X), dataset.seen_targets(dataset.y), dataset.seen_weights
        classes = len(dataset.classes) if dataset.task == "classification" else 0
        keep = np.ones(len(dataset.X), dtype=bool) if group is None else dataset.groups == group

        def part(rows: np.ndarray) -> Problem:
            w = None if weights is None else weights[rows] / weights[rows].mean()
            return cls(X[rows].T, y[rows].T, w, "cross_entropy" if classes else "squared", classes)

        train = split.train[keep[split.train]]
        held_out = split.validation[keep[split.validation]]
        place = {int(row): k for k, row in enumerate(train)}
        folds = tuple(
            tuple(np.array([place[int(r)] for r in rows if int(r) in place], dtype=np.int64) for rows in fold)
            for fold in split.folds
        )
        folds = tuple((fit, check) for fit, check in folds if len(fit) and len(check))
        problem = part(train)
        checked = replace(part(held_out), scale=problem.scale) if len(held_out) else None
        return replace(problem, folds=folds, validation=checked)

    @property
    def n_rows(self) -> int:
        return self.x.shape[1]

    @property
    def mass(self) -> float:
        """What all rows weigh together: their number where they have no weights."""
        return float(self.n_rows) if self.weights is None else float(self.weights.sum())

    @property
    def ridge(self) -> float:
        """Weight of the ridge penalty: next to nothing for least squares; for classes enough that separable ones have a minimum."""
        return 1e-9 if self.loss == "squared" else 1e-6

    @property
    def n_outputs(self) -> int:
        """How many outputs a network for this problem has: one per target, or one logit per class (one for two classes)."""
        if self.loss == "squared":
            return self.y.shape[0]
        return 1 if self.n_classes == 2 else self.n_classes

    @property
    def output_scale(self) -> np.ndarray:
        """(n_outputs,): what counts as a change of order one of each output."""
        return self.scale if self.loss == "squared" else np.ones(self.n_outputs)

    @property
    def ranges(self) -> np.ndarray:
        """(n_inputs, 2): the range of every input; a constant input gets a range of width one around it."""
        low, high = self.x.min(1), self.x.max(1)
        flat = ~(high > low)
        return np.stack([np.where(flat, low - 0.5, low), np.where(flat, high + 0.5, high)], axis=1)

    def rows(self, index: np.ndarray) -> Problem:
        """Return the same problem on some of its rows, in the same scale, without checks."""
        weights = None if self.weights is None else self.weights[index]
        return replace(self, x=self.x[:, index], y=self.y[:, index], weights=weights, folds=(), validation=None)

    def thinned(self, most: int) -> Problem:
        """Return the problem on an even choice of at most so many rows, fitted and checked; the same problem where there are no more."""
        held_out = self.validation
        if held_out is not None and held_out.n_rows > most:
            held_out = held_out.rows(_even(held_out.n_rows, most))
        few = self.rows(_even(self.n_rows, most)) if self.n_rows > most else self
        return self if few is self and held_out is self.validation else replace(few, validation=held_out)

    # ---- the loss

    def objective(self, outputs: np.ndarray) -> float:
        """Return the loss of outputs (n_outputs, n_rows)."""
        if self.loss == "squared":
            r = (outputs - self.y) / self.scale[:, None]
            squares = np.einsum("tn,tn->n", r, r)
            return 0.5 * float(squares.sum() if self.weights is None else squares @ self.weights)
        losses = _log_partition(self._logits(outputs)) - self._chosen(outputs)
        return float(losses.sum() if self.weights is None else losses @ self.weights)

    def residuals(self, outputs: np.ndarray) -> np.ndarray:
        """Return (n_targets, n_rows) whose squares add up to twice the objective; of squared loss only. Their curvature seeds go with them."""
        root = 1.0 if self.weights is None else np.sqrt(self.weights)
        return (outputs - self.y) / self.scale[:, None] * root

    def slope(self, outputs: np.ndarray) -> np.ndarray:
        """Return d objective / d outputs, (n_outputs, n_rows)."""
        if self.loss == "squared":
            slope = (outputs - self.y) / self.scale[:, None] ** 2
        else:
            p = self.probabilities(outputs)
            truth = self.y[0].astype(int)
            p[truth, np.arange(self.n_rows)] -= 1.0
            slope = p[1:] if self.n_outputs == 1 else p
        return slope if self.weights is None else slope * self.weights

    def curvature(self, outputs: np.ndarray) -> list[tuple[np.ndarray, float]]:
        """Return (seed, sign) pairs: the Gauss-Newton matrix is the sum of sign J(seed) J(seed)^T, seeds (n_outputs, n_rows)."""
        root = np.ones(self.n_rows) if self.weights is None else np.sqrt(self.weights)
        if self.loss == "squared":
            scales = root / self.scale[:, None]
            return [(_one_row(self.n_outputs, t, scales[t]), 1.0) for t in range(self.n_outputs)]
        p = self.probabilities(outputs)
        if self.n_outputs == 1:  # logistic: p (1 - p)
            return [((root * np.sqrt(p[1] * p[0]))[None], 1.0)]
        seeds = [(_one_row(self.n_outputs, t, root * np.sqrt(p[t])), 1.0) for t in range(self.n_outputs)]
        return [*seeds, (root * p, -1.0)]  # diag(p) - p p^T

    def probabilities(self, outputs: np.ndarray) -> np.ndarray:
        """Return class probabilities (n_classes, n_rows) for outputs (n_outputs, n_rows)."""
        logits = self._logits(outputs)
        return np.exp(logits - _log_partition(logits))

    def _logits(self, outputs: np.ndarray) -> np.ndarray:
        return np.vstack([np.zeros_like(outputs), outputs]) if self.n_outputs == 1 else outputs

    def _chosen(self, outputs: np.ndarray) -> np.ndarray:
        return self._logits(outputs)[self.y[0].astype(int), np.arange(self.n_rows)]


def _even(n_rows: int, most: int) -> np.ndarray:
    return np.linspace(0, n_rows - 1, most).astype(int)


def _one_row(n: int, t: int, values: np.ndarray) -> np.ndarray:
    seed = np.zeros((n, values.size))
    seed[t] = values
    return seed


def _log_partition(logits: np.ndarray) -> np.ndarray:
    top = logits.max(0)
    return top + np.log(np.exp(logits - top).sum(0))


def _spread(y: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
    """Standard deviation of every target; a constant target counts by its size, zero by one."""
    middle = np.average(y, axis=1, weights=weights)
    spread = np.sqrt(np.average((y - middle[:, None]) ** 2, axis=1, weights=weights))
    size = np.abs(y).max(1)
    spread = np.where(spread > 1e-12 * size, spread, size)
    return np.where(spread > 0, spread, 1.0)
