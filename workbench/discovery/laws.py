"""The formulas of a discovery side by side: how long each is, how wrong, where it comes from, and how far it can be trusted.

A law is a state in which every edge has a name, or one of the autopilot's front. It is judged on checked rows; its constants come with their
95 % intervals and its stability under resampling (formula/stability.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.discovery.moves import Move
from workbench.discovery.reading import assembled, read_formula
from workbench.exceptions import WorkbenchError
from workbench.formula import ConstantInterval, Formula
from workbench.formula.dimensions import absolute_zeros, fits_units, loosened

if TYPE_CHECKING:
    from workbench.dataset import Dataset
    from workbench.discovery.discovery import Discovery
    from workbench.discovery.state import State

BEGIN = ("fit", "model", "suppose")  # moves that depend on no state before them
_ORIGINS = {"operon": "Operon", "pysr": "PySR"}


@dataclass(frozen=True)
class Law:
    """A formula as one line of the list.

    Parameters
    ----------
    state : the state it was read from
    formula : with its certificate
    error : on checked rows, in units of the target's spread, on the scale that is fitted
    r2 : on checked rows; for classes the share that is right
    origin : "named curves", "screens", "textbook", "Operon", "PySR" or "typed"
    stability : share of resamplings in which the constants stay where they are; None where that has no meaning
    fits_units : whether only like quantities are added; None where units are not known
    constants : of the formula, plain ones too (`freed`), with their 95 % intervals; empty where curves have no name, for groups and for classes
    """

    state: int
    formula: Formula
    error: float
    r2: float
    origin: str
    stability: float | None
    fits_units: bool | None
    constants: tuple[ConstantInterval, ...]

    @property
    def complexity(self) -> int:
        return self.formula.complexity

    def to_record(self) -> dict[str, Any]:
        """Return it as one record of a table.

        "constants" holds (value, low, high) for each; what is unknown is None.
        """
        return {
            "formula": self.formula.python_expression(),
            "complexity": self.complexity,
            "error": self.error,
            "r2": self.r2,
            "origin": self.origin,
            "stability": self.stability,
            "fits_units": self.fits_units,
            "constants": tuple((c.value, c.low, c.high) for c in self.constants),
            "state": self.state,
        }


def law(found: Discovery, state: State, origin: str, nice: bool = True, formula: Formula | None = None) -> Law:
    """Judge the formula of a state.

    Parameters
    ----------
    origin : where it comes from (`origin_of`)
    nice : whether constants become plain where the data cannot tell the difference
    formula : that of the state, where it was read already
    """
    data = found.data
    read = read_formula(data, state, None, nice) if formula is None else formula
    rows = data.split.train
    weights = None if data.seen_weights is None else data.seen_weights[rows]
    constants: tuple[ConstantInterval, ...] = ()
    stable = None
    if data.task == "regression" and data.groups is None and not read.definitions and len(data.targets) == 1:
        with suppress(WorkbenchError):  # a row on which it has no value
            measured = freed(read, data.X[rows], data.y[rows], weights)
            constants = measured.intervals(data.X[rows], data.y[rows], weights)
            stable = measured.stability(data.X[rows], data.y[rows], weights)
    fits = fits_its_units(data, state, origin)
    return Law(state.id, read, state.metrics.rmse_validation, state.metrics.r2_validation, origin, stable, fits, constants)


def fits_its_units(data: Dataset, state: State, origin: str) -> bool | None:
    """Say whether the formula of a state fits the units of the columns; None where they say nothing. Plain numbers may have a unit, unless they were typed."""
    if not any(column.unit for column in (*data.features, *data.targets)):
        return None
    exact = assembled(data, state.networks)
    return fits_units(exact) if origin == "typed" else exact.fits_units


def freed(formula: Formula, X: np.ndarray, y: np.ndarray, weights: np.ndarray | None) -> Formula:
    """Return a formula with its plain factors and terms (the 2 of 2*a^2/b) fitted as well, so that the data say how well they know them.

    Exponents stay. Where the data cannot tell the constants apart any more, the formula is returned as it is.
    """
    loose = with_loose_numbers(formula)
    if len(loose.constants) == len(formula.constants):
        return formula
    loose = loose.refit(X, y, weights)
    return loose if all(constant.identified for constant in loose.intervals(X, y, weights)) else formula


def with_loose_numbers(formula: Formula) -> Formula:
    """Return a formula whose plain factors and terms are constants, but for the zeros of temperature scales."""
    zeros = absolute_zeros(formula.inputs)
    return replace(formula, outputs=tuple(replace(output, expression=loosened(output.expression, zeros)) for output in formula.outputs))


def is_law(state: State) -> bool:
    """Whether every edge of a state has a name."""
    return state.metrics.n_symbolic == state.metrics.n_edges > 0


def origin_of(moves: Sequence[Move]) -> str:
    """Say where a formula comes from whose path these moves are.

    >>> origin_of([Move("fit"), Move("snap", {"edge": [0, "x", 0], "form": "sin"})]), origin_of([Move("suppose", {"formula": "a*x"})])
    ('named curves', 'typed')
    """
    begin = max((k for k, move in enumerate(moves) if move.name in BEGIN), default=None)
    if begin is None or moves[begin].name != "suppose":
        return "named curves"
    origin = moves[begin].arguments.get("origin", "typed")
    extended = any(move.name == "extend" for move in moves[begin:])
    return _ORIGINS.get(origin, origin) + (", extended" if extended else "")


def laws(found: Discovery, states: Iterable[State]) -> list[Law]:
    """Judge several states; simplest first, and of two that are as long the better one first."""
    by_id = {state.id: state for state in found.states}
    judged = [law(found, state, origin_of([step.move for step in _path(state, by_id)]), state.id in found.front) for state in states]
    return sorted(judged, key=lambda each: (each.complexity, each.error))


def of_their_own(states: Sequence[State]) -> list[State]:
    """Return the states that are laws, but for those that were only fitted further."""
    refined = {state.parent for state in states if state.move.name == "refit"}
    return [state for state in states if is_law(state) and state.id not in refined]


def _path(state: State, by_id: dict[int, State]) -> list[State]:
    steps = [state]
    while steps[0].parent is not None:
        steps.insert(0, by_id[steps[0].parent])
    return steps
