"""Cubic B-splines on uniform knots with a smooth base term: the learned function of a KAN edge.

    phi(x) = w silu(u) + sum_k c_k B((x - lo) / h - k + 1),     u = (2x - lo - hi) / (hi - lo),   h = (hi - lo) / n_intervals

The n_intervals + 3 bases sum to one on [lo, hi]; beyond hi + 3h and lo - 3h they are zero and the base term alone remains. The range
[lo, hi] belongs to the input, not to the data: data are never shifted or scaled (Liu et al., 2024, eq. 2.10-2.12; the base term's argument
is mapped to [-1, 1] by the range, which their networks get by scaling the data).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from workbench.bases.basis import Basis, Places, carried
from workbench.exceptions import NetworkError
from workbench.ops import cpu

_POINTS_PER_INTERVAL = 12  # of a projection onto another range or grid
_NOISE = 0.1  # standard deviation of the coefficients of a start
_MARGIN = 0.1  # of what an input takes, on both sides of its new range

# The cardinal cubic pieces on u in [0, 1), constant term first: B(s) for s in [-2,-1), [-1,0), [0,1), [1,2).
_PIECES = np.array([[0, 0, 0, 1], [1, 3, 3, -3], [4, 0, -6, 3], [1, -3, 3, -1]]) / 6.0


def terms(x: np.ndarray, domain: tuple[float, float], n_intervals: int) -> tuple[np.ndarray, np.ndarray]:
    """Evaluate every basis and the base term, with derivatives.

    Parameters
    ----------
    x : (n_rows,)
    domain : (lo, hi)
    n_intervals : int

    Returns
    -------
    values, slopes : (n_intervals + 4, n_rows); the last row is the base term silu(u)
    """
    values = np.empty((1, n_intervals + 4, x.size))
    slopes = np.empty_like(values)
    rows = np.ascontiguousarray(x, dtype=float).reshape(1, -1)
    cpu.spline_terms(rows, np.array([domain], dtype=float), values, slopes)
    return values[0], slopes[0]


def project(curves: np.ndarray, x: np.ndarray, domain: tuple[float, float], n_intervals: int, ridge: float = 1e-9) -> np.ndarray:
    """Fit spline coefficients to curves given on points, by least squares with a little ridge.

    Parameters
    ----------
    curves : (n_curves, n_points)     values to reproduce
    x : (n_points,)
    domain, n_intervals : the range and resolution of the new spline

    Returns
    -------
    (n_curves, n_intervals + 3)
    """
    values, _ = terms(x, domain, n_intervals)
    design = values[:-1].T
    normal = design.T @ design
    normal[np.diag_indices_from(normal)] += ridge * max(1.0, x.size / n_intervals)
    return np.linalg.solve(normal, design.T @ curves.T).T


@dataclass(frozen=True)
class Spline:
    """Splines with so many intervals; theta is c_0 ... c_{n_intervals + 2}, w."""

    n_intervals: int

    def __str__(self) -> str:
        return f"{self.n_intervals} intervals"

    @property
    def family(self) -> Literal["spline"]:
        return "spline"

    @property
    def n_coefficients(self) -> int:
        return self.n_intervals + 3

    @property
    def n_terms(self) -> int:
        return self.n_intervals + 4

    @property
    def cancels(self) -> bool:
        return False

    @property
    def carries_unit(self) -> np.ndarray:
        return np.ones(self.n_terms, dtype=bool)

    def start(self, generator: np.random.Generator, shape: tuple[int, int], noise: float | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return noise on every coefficient and base weights of order 1 / sqrt(n_in)."""
        coefficients = generator.normal(size=(self.n_coefficients, *shape)) * (_NOISE if noise is None else noise)
        return coefficients, generator.normal(size=shape) / np.sqrt(shape[1])

    def value(self, theta: np.ndarray, x: np.ndarray, domain: tuple[float, float]) -> np.ndarray:
        return theta @ terms(x, domain, self.n_intervals)[0]

    def add_values(self, x: np.ndarray, places: Places, theta: np.ndarray, output: np.ndarray) -> None:
        cpu.spline_value(x, places.domain, places.source, places.target, theta, output)

    def edges(self, places: Places, n_rows: int) -> SplineEdges:
        return SplineEdges(self, places, n_rows)

    def penalty(self, roughness: float, ridge: float) -> np.ndarray:
        """Return the second differences of the coefficients, squared: a P-spline (Eilers & Marx, 1996)."""
        difference = np.diff(np.eye(self.n_coefficients), 2, axis=0)
        form = ridge * np.eye(self.n_terms)
        form[:-1, :-1] += roughness * difference.T @ difference
        return form

    def projected(self, curves: np.ndarray, x: np.ndarray, domain: tuple[float, float]) -> np.ndarray:
        """Return splines without a base term through the curves."""
        coefficients = project(curves, x, domain, self.n_intervals)
        return np.column_stack([coefficients, np.zeros(len(coefficients))])

    def moved(self, theta: np.ndarray, old: tuple[float, float], new: tuple[float, float], onto: Spline) -> np.ndarray:
        """Project the curves onto the new range and grid: they stay what they were up to the new resolution."""
        x = np.linspace(*new, _POINTS_PER_INTERVAL * max(onto.n_intervals, self.n_intervals) + 1)
        before, after = terms(x, old, self.n_intervals)[0], terms(x, new, onto.n_intervals)[0]
        base = theta[:, -1] * ((new[1] - new[0]) / (old[1] - old[0]))  # the same slope at the right-hand end
        curves = theta[:, :-1] @ before[:-1] + np.outer(theta[:, -1], before[-1]) - np.outer(base, after[-1])
        return np.column_stack([project(curves, x, new, onto.n_intervals), base])

    def common(self, other: Basis) -> Spline:
        if not isinstance(other, Spline):
            raise NetworkError(f"Splines cannot be added to rational functions in one layer: {self} and {other}. Fit both with the same basis.")
        return max(self, other, key=lambda basis: basis.n_intervals)

    def range_for(self, present: np.ndarray, low: float, high: float) -> tuple[float, float] | None:
        """Return the values with a margin where they have left the range or use less than half of it; a dead node keeps its width."""
        inside, used = low >= present[0] and high <= present[1], high - low
        dead = used <= 1e-3 * (present[1] - present[0])
        if inside and (dead or used >= 0.5 * (present[1] - present[0])):
            return None
        if dead:
            return carried(present, low, high)
        margin = _MARGIN * used
        return low - margin, high + margin

    def definition(self, name: str, theta: np.ndarray, domain: tuple[float, float]) -> SplineDefinition:
        return definition(name, theta[:-1], float(theta[-1]), domain)


class SplineEdges:
    """The spline edges of one layer on fixed rows; the terms of an input are made once and used by all its edges."""

    def __init__(self, basis: Spline, places: Places, n_rows: int) -> None:
        self.places, self.n_terms = places, basis.n_terms
        self.features = np.empty((len(places.domain), basis.n_terms, n_rows))
        self.slopes = np.empty((len(places.source), n_rows))

    def forward(self, x: np.ndarray, theta: np.ndarray, output: np.ndarray) -> None:
        places = self.places
        cpu.spline_layer(x, places.domain, places.source, places.target, theta, output, self.features, self.slopes)

    def values(self, theta: np.ndarray) -> np.ndarray:
        return np.stack([own @ self.features[source] for own, source in zip(theta, self.places.source, strict=True)])

    def backward(self, sensitivity: np.ndarray, upstream: np.ndarray) -> None:
        cpu.edges_backward(self.slopes, self.places.source, self.places.target, sensitivity, upstream)

    def jacobian(self, theta: np.ndarray, sensitivity: np.ndarray, out: np.ndarray) -> None:
        cpu.spline_jacobian(self.features, self.places.source, self.places.target, sensitivity, out)

    def scaled_jacobian(self, theta: np.ndarray, sensitivity: np.ndarray, out: np.ndarray) -> np.ndarray:
        """Fill out; bases are at most 1, a base term is not for an input far outside its range, and then gets a unit of its own."""
        self.jacobian(theta, sensitivity, out)
        units, base = np.ones(len(out)), self.features[:, -1]
        largest = np.abs(base).max(1)
        for edge in np.flatnonzero(largest[self.places.source] > 1.0):
            source, row = self.places.source[edge], (edge + 1) * self.n_terms - 1
            out[row] = base[source] / largest[source] * sensitivity[self.places.target[edge]]
            units[row] = largest[source]
        return units

    def gradient(self, theta: np.ndarray, sensitivity: np.ndarray, out: np.ndarray) -> None:
        cpu.spline_gradient(self.features, self.places.source, self.places.target, sensitivity, out)

    def covariances(self, theta: np.ndarray, share: np.ndarray) -> np.ndarray:
        centred = self.features - (self.features @ share)[:, :, None]
        return np.einsum("ikn,iln->ikl", centred * share, centred)[self.places.source]


@dataclass(frozen=True)
class SplineDefinition:
    """The exact function of a spline edge that has no name yet: a piecewise cubic plus its base term.

    phi(x) = base u / (1 + exp(-u)) + p_j(x - knots[j]) for knots[j] <= x < knots[j + 1]; the polynomial part is 0 outside the knots.

    Parameters
    ----------
    name : how formulas call it, such as "phi_0_1_2"
    knots : (n_pieces + 1,)     ascending
    polynomials : (n_pieces, 4)     constant term first, in x - knots[j]
    base : weight of the base term
    domain : (lo, hi), which maps x to u = (2x - lo - hi) / (hi - lo)
    """

    name: str
    knots: np.ndarray
    polynomials: np.ndarray
    base: float
    domain: tuple[float, float]

    @property
    def n_constants(self) -> int:
        return len(self.polynomials) - 2  # n_bases + 3 pieces: n_bases weights, 1 of the base

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Evaluate at x (any shape) in float64, from the pieces themselves."""
        return self.value_and_slope(x)[0]

    def value_and_slope(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Evaluate phi and d phi / dx at x (any shape) in float64."""
        x = np.asarray(x, dtype=float)
        low, high = self.domain
        stretch = 2.0 / (high - low)
        u = (2.0 * x - low - high) / (high - low)
        with np.errstate(over="ignore"):
            s = 1.0 / (1.0 + np.exp(-u))
        value = self.base * u * s
        slope = self.base * stretch * s * (1.0 + u * (1.0 - s))  # d silu/du = s + u s (1 - s)
        piece = np.searchsorted(self.knots, x, side="right") - 1
        inside = (piece >= 0) & (piece < len(self.polynomials))
        j = np.where(inside, piece, 0)
        local = x - self.knots[j]
        c = self.polynomials[j]
        spline = ((c[..., 3] * local + c[..., 2]) * local + c[..., 1]) * local + c[..., 0]
        bend = (3.0 * c[..., 3] * local + 2.0 * c[..., 2]) * local + c[..., 1]
        return value + np.where(inside, spline, 0.0), slope + np.where(inside, bend, 0.0)


def definition(name: str, coefficients: np.ndarray, base: float, domain: tuple[float, float]) -> SplineDefinition:
    """Return the exact piecewise cubic of an edge with coefficients (n_intervals + 3,)."""
    n_bases = len(coefficients)
    low, high = float(domain[0]), float(domain[1])
    h = (high - low) / (n_bases - 3)
    polynomials = np.zeros((n_bases + 3, 4))
    for k, c in enumerate(coefficients):  # basis k covers the four cells from knot k on
        polynomials[k : k + 4] += c * _PIECES
    polynomials /= h ** np.arange(4)
    knots = low + h * np.arange(-3, n_bases + 1)
    return SplineDefinition(name, knots, polynomials, float(base), (low, high))
