"""What a network asks of a family of edge functions, whichever it is.

    Basis            how many constants an edge has and which of them carry a unit; starts, ranges, penalty, projection of curves
    BasisEdges       the edges of one layer on fixed rows: values, slopes and exact derivatives by every constant
    EdgeDefinition   the exact function of one edge, as formulas and exports carry it

An edge is a row of constants, theta (n_terms,), in the order of its family; the edges of a layer are theta (n_edges, n_terms), sorted by
source. What an edge sees of its input x is u = (2x - lo - hi) / (hi - lo): the range [lo, hi] belongs to the input, data are never shifted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

Family = Literal["spline", "rational"]


@dataclass(frozen=True, eq=False)
class Places:
    """Where the edges of a layer run: the range (n_in, 2) of every input, and per edge its source and its target, sorted by source."""

    domain: np.ndarray
    source: np.ndarray
    target: np.ndarray


def carried(present: np.ndarray, low: float, high: float) -> tuple[float, float]:
    """Return a range of the present width around the values of a dead node, which say where it is and nothing of how far it will reach."""
    middle, half = 0.5 * (low + high), 0.5 * float(present[1] - present[0])
    return middle - half, middle + half


class EdgeDefinition(Protocol):
    """The exact function of an edge that has no name yet, under the name that formulas call it by."""

    name: str
    domain: tuple[float, float]

    @property
    def n_constants(self) -> int:
        """How many constants a fit has chosen in it."""

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Evaluate at x (any shape) in float64."""

    def value_and_slope(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Evaluate phi and d phi / dx at x (any shape) in float64."""


class BasisEdges(Protocol):
    """The edges of one layer on fixed rows. Everything after `forward` speaks of the constants it was given."""

    def forward(self, x: np.ndarray, theta: np.ndarray, output: np.ndarray) -> None:
        """Add every edge at x (n_in, n_rows) to output (n_out, n_rows), and keep what the others need."""

    def values(self, theta: np.ndarray) -> np.ndarray:
        """Return what every edge gives, (n_edges, n_rows)."""

    def backward(self, sensitivity: np.ndarray, upstream: np.ndarray) -> None:
        """Add the slope of every edge times the sensitivity (n_out, n_rows) of its target to upstream (n_in, n_rows)."""

    def jacobian(self, theta: np.ndarray, sensitivity: np.ndarray, out: np.ndarray) -> None:
        """Fill out (n_edges n_terms, n_rows) with the derivative of every edge by its constants times the sensitivity of its target."""

    def scaled_jacobian(self, theta: np.ndarray, sensitivity: np.ndarray, out: np.ndarray) -> np.ndarray:
        """Fill out with the Jacobian, each row divided by a unit of its own, and return the units (n_edges n_terms,)."""

    def gradient(self, theta: np.ndarray, sensitivity: np.ndarray, out: np.ndarray) -> None:
        """Fill out (n_edges n_terms,) with the sums over rows of the Jacobian."""

    def covariances(self, theta: np.ndarray, share: np.ndarray) -> np.ndarray:
        """Return C (n_edges, n_terms, n_terms) with theta C theta the variance of the edge; `share` (n_rows,) weighs rows and sums to 1."""


class Basis(Protocol):
    """A family of edge functions at one resolution; its text says which, in a few words."""

    @property
    def family(self) -> Family:
        """Which family it is; also the state of an edge that has no name yet."""

    @property
    def n_coefficients(self) -> int:
        """How many of an edge's constants stand in the `coefficients` of a layer; a further one is its base weight."""

    @property
    def n_terms(self) -> int:
        """Constants of an edge."""

    @property
    def cancels(self) -> bool:
        """Whether the constants of an edge may nearly cancel among themselves, so that the last digits of a fit ask for care."""

    @property
    def carries_unit(self) -> np.ndarray:
        """Which constants are in the unit of what the edge gives, (n_terms,): an edge times c has these times c."""

    def start(self, generator: np.random.Generator, shape: tuple[int, int], noise: float | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return coefficients (n_coefficients, n_out, n_in) with so much noise (None: as usual) and random base weights (n_out, n_in)."""

    def value(self, theta: np.ndarray, x: np.ndarray, domain: tuple[float, float]) -> np.ndarray:
        """Evaluate edges theta (n_edges, n_terms) of one input at x (n_points,): (n_edges, n_points)."""

    def add_values(self, x: np.ndarray, places: Places, theta: np.ndarray, output: np.ndarray) -> None:
        """Add every edge to output (n_out, n_rows), keeping nothing."""

    def edges(self, places: Places, n_rows: int) -> BasisEdges:
        """Return the buffers of a layer on so many rows."""

    def penalty(self, roughness: float, ridge: float) -> np.ndarray:
        """Return the quadratic form (n_terms, n_terms) that keeps an edge smooth, for values of order one."""

    def projected(self, curves: np.ndarray, x: np.ndarray, domain: tuple[float, float]) -> np.ndarray:
        """Return edges (n_curves, n_terms) through curves (n_curves, n_points) at x (n_points,), as closely as the family can."""

    def moved(self, theta: np.ndarray, old: tuple[float, float], new: tuple[float, float], onto: Basis) -> np.ndarray:
        """Return the edges of one input on another range, and in another resolution `onto` of the same family."""

    def common(self, other: Basis) -> Basis:
        """Return the basis of the same family that has room for the edges of both.

        Raises
        ------
        NetworkError : the other one is of another family
        """

    def range_for(self, present: np.ndarray, low: float, high: float) -> tuple[float, float] | None:
        """Return the range (lo, hi) to move to for an input that takes values from `low` to `high`, or None to stay at the present one."""

    def definition(self, name: str, theta: np.ndarray, domain: tuple[float, float]) -> EdgeDefinition:
        """Return the exact function of one edge theta (n_terms,)."""
