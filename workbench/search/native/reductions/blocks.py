"""Several families of smooth functions fitted together: the parts of h = A(u) + B(v), or of h = A(u) + B(u) f.

The terms of all families stand by rising degree, and the fit takes those up to the degree that predicts left-out rows best: with noise a low one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workbench.search.native.surrogate import Fit, leave_one_out


@dataclass(frozen=True, eq=False)
class Blocks:
    """The terms of some families.

    Parameters
    ----------
    values : (n_rows, n_terms)     by rising degree
    order : (n_terms,)     where each of them stands when the families stand side by side
    ends : the numbers of terms up to each degree
    """

    values: np.ndarray
    order: np.ndarray
    ends: list[int]

    @classmethod
    def of(cls, families: Sequence[np.ndarray], degrees: Sequence[np.ndarray]) -> Blocks:
        """Join families (n_rows, n_terms), given the degree of each term."""
        degree = np.concatenate(degrees)
        order = np.argsort(degree, kind="stable")
        ends = np.searchsorted(degree[order], np.unique(degree), side="right")
        return cls(np.column_stack(families)[:, order], order, ends.tolist())

    def error(self, target: np.ndarray, weights: np.ndarray) -> float:
        """Return the leave-one-out error of the best degree, in weighted units."""
        return leave_one_out(self.values, target, weights, self.ends)

    def coefficients(self, target: np.ndarray, weights: np.ndarray, smallest: float) -> tuple[np.ndarray, float] | None:
        """Return the coefficients of the families side by side, and the leave-one-out error; None where there is no fit.

        Parameters
        ----------
        smallest : singular values below this share of the largest are zero
        """
        fit = Fit.of(self.values, target, weights, self.ends)
        if fit is None:
            return None
        weighted = self.values[:, : fit.n_terms] * weights[:, None]
        size = np.linalg.norm(weighted, axis=0)
        kept, *_ = np.linalg.lstsq(weighted / size, target * weights, rcond=smallest)  # more accurate than the fit by its normal matrix
        found = np.zeros(self.values.shape[1])
        found[self.order[: fit.n_terms]] = kept / size
        return found, fit.error
