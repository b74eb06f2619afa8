"""A reduced problem: the law is known up to one inner function of fewer, or other, variables.

    y = shell(h),   h = h(u_1, ..., u_k)        e.g.   y = m1*m2 * h(r1/r2)

A reduction makes a new state and leaves the old one as it is. What a screen finds for h goes back through the shell as one expression of the
problem's own symbols, so whatever is proposed is judged on the original target. `gain` carries the scale: an error e of h is an error gain*e of y,
which is how a fit to h, or to a transform of it, weighs its rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from workbench.expression import Expression, Symbol, mul, substitute

HOLE = Symbol("_inner_")  # where h stands in a shell


@dataclass(frozen=True)
class Candidate:
    """A whole expression, unpolished, and how it was reached."""

    expression: Expression
    path: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class State:
    """What is left to be found.

    Parameters
    ----------
    columns : (n_rows, n_columns)     the variables u of the inner function
    names : what each of them is in the problem's symbols
    target : (n_rows,)     values of h
    gain : (n_rows,)     |dy/dh|, times the root of the row's weight
    shell : y as an expression of HOLE and the symbols
    path : the reductions so far, in words
    """

    columns: np.ndarray
    names: tuple[Expression, ...]
    target: np.ndarray
    gain: np.ndarray
    shell: Expression
    path: tuple[str, ...] = ()

    @property
    def n_columns(self) -> int:
        return self.columns.shape[1]

    @property
    def n_rows(self) -> int:
        return self.columns.shape[0]

    @property
    def is_root(self) -> bool:
        """Whether nothing was reduced yet."""
        return self.shell == HOLE and all(isinstance(name, Symbol) for name in self.names)

    @property
    def positive(self) -> np.ndarray:
        """(n_columns,)     whether a column lies above zero throughout."""
        return (self.columns > 0).all(axis=0)

    @property
    def size(self) -> float:
        """Root mean square of the target, in units of y."""
        return float(np.sqrt(np.mean((self.target * self.gain) ** 2)))

    def candidate(self, inner: Expression, *notes: str) -> Candidate:
        """Put an expression for h into the shell."""
        return Candidate(substitute(self.shell, {HOLE.name: inner}), (*self.path, *notes))

    def without(self, dropped: Sequence[int], note: str = "") -> State:
        """Return the state on which h does not depend on some columns."""
        kept = [i for i in range(self.n_columns) if i not in dropped]
        return replace(self, columns=self.columns[:, kept], names=tuple(self.names[i] for i in kept), path=self._longer(note))

    def with_column(self, values: np.ndarray, name: Expression, note: str = "") -> State:
        """Return the state with one more column."""
        columns = np.column_stack([self.columns, values])
        return replace(self, columns=columns, names=(*self.names, name), path=self._longer(note))

    def divided(self, values: np.ndarray, factor: Expression, note: str = "") -> State:
        """Return the state of h / factor."""
        shell = substitute(self.shell, {HOLE.name: mul(factor, HOLE)})
        with np.errstate(all="ignore"):
            target = self.target / values
        return replace(self, target=target, gain=self.gain * np.abs(values), shell=shell, path=self._longer(note))

    def reduced_by(self, values: np.ndarray, term: Expression, note: str = "") -> State:
        """Return the state of h - term."""
        shell = substitute(self.shell, {HOLE.name: HOLE + term})
        return replace(self, target=self.target - values, shell=shell, path=self._longer(note))

    def finite(self) -> State | None:
        """Return the state on the rows where everything is finite; None where less than four fifths are left."""
        good = np.isfinite(self.columns).all(axis=1) & np.isfinite(self.target) & np.isfinite(self.gain)
        if good.all():
            return self
        if good.mean() < 0.8:
            return None
        return replace(self, columns=self.columns[good], target=self.target[good], gain=self.gain[good])

    def thinned(self, n_rows: int) -> State:
        """Return the state on at most so many rows, the first ones: rows come in random order."""
        if self.n_rows <= n_rows:
            return self
        return replace(self, columns=self.columns[:n_rows], target=self.target[:n_rows], gain=self.gain[:n_rows])

    def _longer(self, note: str) -> tuple[str, ...]:
        return (*self.path, note) if note else self.path
