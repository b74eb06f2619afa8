"""What an edge received and gave, ready for a fit: points in order, their weights, and a coarse copy of them.

The points are those that the data really sent through the edge, so their density is the data's own and a form is judged where it is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from workbench.exceptions import SnapError

_COARSE = 128  # groups of the coarse copy: enough for every shape of the library, an eighth of the cost
_FINE = 2000  # points of a fit: a smooth curve is not known better from more

NODES = np.linspace(-1.0, 1.0, 96)  # places u on which starts are compared with a curve


@dataclass(frozen=True, eq=False)
class Curve:
    """Points of one edge function, ascending in x.

    Parameters
    ----------
    x, y : (n_points,)
    weights : (n_points,)     sum 1
    low, high : the range on which a form must be defined; it holds every x
    """

    x: np.ndarray
    y: np.ndarray
    weights: np.ndarray
    low: float
    high: float

    @classmethod
    def of(cls, x: np.ndarray, y: np.ndarray, weights: np.ndarray | None = None, reach: np.ndarray | None = None) -> Curve:
        """Return the curve through points in any order; above 2000 points, an even choice of their ranks.

        Parameters
        ----------
        x, y : (n_points,)
        weights : (n_points,) or None for equal ones
        reach : further places where a form must be defined, such as the checked rows

        Raises
        ------
        SnapError : fewer than two different places, or values that are not finite
        """
        x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
        if x.shape != y.shape or x.ndim != 1:
            raise SnapError(f"A curve takes x and y of one length; got shapes {x.shape} and {y.shape}.")
        if not (np.isfinite(x).all() and np.isfinite(y).all()):
            raise SnapError("The curve of this edge is not finite on the data. Refit the network, or leave out the rows that are infinite.")
        if x.size == 0 or not x.max() > x.min():
            where = f"the single value {x[0]:.6g}" if x.size else "nothing"
            raise SnapError(f"The edge receives {where} on these rows: no form can be told from another. Prune it, or give rows that differ.")
        order = np.argsort(x, kind="stable")
        if x.size > _FINE:
            order = order[np.round(np.linspace(0, x.size - 1, _FINE)).astype(int)]
        w = np.full(order.size, 1.0) if weights is None else np.asarray(weights, dtype=float)[order]
        ends = x if reach is None else np.concatenate([x, np.asarray(reach, dtype=float)])
        return cls(x[order], y[order], w / w.sum(), float(ends.min()), float(ends.max()))

    @property
    def middle(self) -> float:
        return 0.5 * (self.low + self.high)

    @property
    def half(self) -> float:
        """Half the width of the range: one unit of u = (x - middle) / half."""
        return 0.5 * (self.high - self.low)

    @cached_property
    def variance(self) -> float:
        """Weighted variance of y."""
        return float(self.weights @ (self.y - self.weights @ self.y) ** 2)

    @cached_property
    def coarse(self) -> Curve:
        """The means of at most 128 groups of neighbours, on the same range."""
        n = self.x.size
        if n <= _COARSE:
            return self
        starts = np.linspace(0, n, _COARSE + 1).astype(int)[:-1]
        weights = np.add.reduceat(self.weights, starts)
        safe = np.where(weights > 0, weights, 1.0)
        x, y = (np.add.reduceat(self.weights * v, starts) / safe for v in (self.x, self.y))
        kept = weights > 0
        return Curve(x[kept], y[kept], weights[kept], self.low, self.high)

    def at(self, u: np.ndarray) -> np.ndarray:
        """Return y at places u in [-1, 1] of the range, by straight lines between the points."""
        return np.interp(self.middle + self.half * u, self.x, self.y)

    def on_nodes(self, centred: bool) -> np.ndarray:
        """Return y on NODES as float32, its mean removed where `centred`."""
        return self._nodes[int(centred)]

    @cached_property
    def _nodes(self) -> tuple[np.ndarray, np.ndarray]:
        y = self.at(NODES)
        return y.astype(np.float32), (y - y.mean()).astype(np.float32)
