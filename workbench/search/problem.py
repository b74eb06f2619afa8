"""What every engine is given and what it yields."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

import numpy as np

from workbench.expression import Expression

Vector = tuple[Fraction, ...]  # exponents of base units, the same ones in the same order for all quantities of a problem


@dataclass(frozen=True)
class Dimensions:
    """What the quantities of a problem measure; None where nobody knows: no unit was given, it cannot be read, or it does not count from zero (°C).

    Parameters
    ----------
    inputs : one per symbol
    target : of the target
    constants : of quantities that have one value in every row, and so are no inputs: a table may have a column for g
    """

    inputs: tuple[Vector | None, ...]
    target: Vector | None
    constants: tuple[Vector, ...] = ()


@dataclass(frozen=True, eq=False)
class SearchProblem:
    """A table whose law is sought, and what binds the search.

    Parameters
    ----------
    X : (n_rows, n_inputs)     finite, in the columns' own units: never shifted or scaled
    y : (n_rows,)
    symbols : names of the inputs in expressions
    weights : (n_rows,)     1 / sigma^2, where the errors are known
    X_checked, y_checked : rows that no constant may be fitted to, for the choice among proposals; none where rows are few
    units, target_unit : units as text, where they are known
    dimensions : the same as exponents of base units, for engines that reckon with them; None where no unit says anything
    functions : names of the functions that may be used (`workbench.expression.FUNCTIONS`); None for all
    max_complexity : largest number of nodes of a proposal
    """

    X: np.ndarray
    y: np.ndarray
    symbols: tuple[str, ...]
    weights: np.ndarray | None = None
    X_checked: np.ndarray | None = None
    y_checked: np.ndarray | None = None
    units: tuple[str | None, ...] = ()
    target_unit: str | None = None
    dimensions: Dimensions | None = None
    functions: frozenset[str] | None = None
    max_complexity: int | None = None


@dataclass(frozen=True)
class Proposal:
    """An expression of the inputs' symbols with fitted constants: free ones are floats, exact ones are numbers.

    Parameters
    ----------
    expression : the right-hand side
    origin : name of the engine, such as "screens" or "operon"
    path : how it was reached, in short sentences: "log y is linear in the logs", "symmetry x - y"
    named : nats it takes to name its form, of a law that has a name in textbooks
    """

    expression: Expression
    origin: str
    path: tuple[str, ...] = ()
    named: float | None = None


class Engine(Protocol):
    """One way to search."""

    name: str

    def search(self, problem: SearchProblem, stop: Callable[[], bool], random_state: int = 0) -> Iterator[Proposal]:
        """Yield proposals as they are found, until there is nothing left to try or `stop()` is true; it is asked often.

        The sequence is fixed by the problem and the seed; time only cuts it.
        """
