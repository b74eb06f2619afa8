"""A part of the law that is known beforehand: the search fills in the rest.

    mass*g + ?          y = A + B * ?          the engines see (y - A) / B, and what they propose stands where the ? is

The formula must be linear in the ?: a term, a factor, or both. Rows are weighted by B^2, so that an error counts as it does in y.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from workbench.dataset import Dataset
from workbench.discovery import hypothesis
from workbench.exceptions import DiscoveryError
from workbench.expression import Expression, Number, evaluate, fold, substitute, symbols

if TYPE_CHECKING:
    from workbench.search import Proposal, SearchProblem

_HOLE = "unknown_part"
_LINEAR = 1e-9


@dataclass(frozen=True)
class Known:
    """A formula with a hole.

    Parameters
    ----------
    text : as it was typed
    expression : in the symbols of the dataset, the hole a symbol of its own
    """

    text: str
    expression: Expression

    def around(self, proposal: Proposal) -> Proposal:
        """Return a proposal for the hole as one for the whole."""
        return replace(proposal, expression=fold(substitute(self.expression, {_HOLE: proposal.expression})))

    def problem(self, whole: SearchProblem) -> SearchProblem:
        """Return the problem of what is not known.

        Raises
        ------
        DiscoveryError : the formula is not linear in the ?, or the ? does not matter on any row
        """
        rows, y, weights = self._solved(whole.X, whole.y, whole)
        checked = (None, None) if whole.X_checked is None else self._solved(whole.X_checked, whole.y_checked, whole)[:2]
        base = np.ones(len(whole.y)) if whole.weights is None else whole.weights
        used = np.isfinite(y)
        own = replace(whole, X=rows[used], y=y[used], weights=(base * weights)[used], X_checked=checked[0], y_checked=checked[1])
        return replace(own, units=(), target_unit=None, dimensions=None)

    def _solved(self, X: np.ndarray, y: np.ndarray, whole: SearchProblem) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the rows, what the ? is on them, and their weights; NaN where it does not matter."""
        columns = dict(zip(whole.symbols, X.T, strict=True))
        with np.errstate(all="ignore"):
            none, one, two = (np.broadcast_to(evaluate(substitute(self.expression, {_HOLE: Number(k)}), columns), y.shape) for k in (0, 1, 2))
            slope = one - none
            size = np.nanmax(np.abs([none, one, two]), initial=0.0)
            if not np.nanmax(np.abs(two - one - slope), initial=0.0) <= _LINEAR * size:
                raise DiscoveryError(f"known={self.text!r}: the ? must be a term or a factor, such as 3*a + ? or exp(-a)*?.")
            if not np.isfinite(slope).any() or not slope.any():
                raise _without_effect(self.text)
            return X, np.where(slope == 0.0, np.nan, (y - none) / slope), slope**2


def read(text: str, data: Dataset) -> Known:
    """Read a formula with one ? in it.

    Raises
    ------
    DiscoveryError : there is no ?, a name that is no column, or a target that formulas are not searched for
    ExpressionError : it cannot be read
    """
    if text.count("?") != 1:
        raise DiscoveryError(f"known={text!r}: write what is known, and one ? for what is not, such as 3*a + ?.")
    if data.task != "regression" or data.groups is not None or len(data.targets) > 1:
        raise DiscoveryError("known=...: a part of the law can be given for one measured target, without groups of rows.")
    expression, names = hypothesis.read(text.replace("?", f"({_HOLE})"), data)
    if others := [name for name in names if name != _HOLE]:
        raise DiscoveryError(f"known={text!r}: {others[0]!r} is no column. Give a number for it, or leave it to the ?.")
    if _HOLE not in symbols(expression):
        raise _without_effect(text)
    return Known(text, expression)


def _without_effect(text: str) -> DiscoveryError:
    return DiscoveryError(f"known={text!r}: the ? makes no difference to any row. Write it as a term or a factor, such as 3*a + ?.")
