"""Rational functions: a learned edge of a KAN that is a formula from the start.

    phi(x) = P(u) / D(u),    u = (2x - lo - hi) / (hi - lo),    P(u) = a_0 + a_1 u + ... + a_m u^m,    q(z) = b_1 z + ... + b_n z^n

    "sum_abs"   D = 1 + sum_j |b_j| |u|^j        "abs_sum"   D = 1 + |q(u)|        "square"   D = 1 + q(u)^2, smooth, the default

D is never below 1: there are no poles (Molina, Schramowski & Kersting, 2020, for "abs_sum"; Yang & Wang, 2024, for "sum_abs" in their
kernels). `ops.reference` is the specification, `ops.rational_layer` computes layers of them, with |v| of slope +1 at 0.

The range [lo, hi] belongs to the input and only says where u is of order one, so that powers of u are: a rational function has no end at lo
or hi. On a range of the same middle it is the same function with other constants, exactly; on one of another middle D has a constant that
the form has no place for, and the curve is fitted anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from numbers import Integral
from typing import Literal

import numpy as np
from numpy.polynomial import Polynomial, polynomial

from workbench.bases.basis import Basis, Places, carried
from workbench.exceptions import NetworkError
from workbench.expression import Expression, Number, Symbol, add, call, mul
from workbench.ops import cpu, rational_layer
from workbench.ops.rational import FORMS, MOST, check_form

Form = Literal["sum_abs", "abs_sum", "square"]

_BEND, _STEEP = 50.0, 50.0  # weights of the two parts of the penalty
_NOISE = 0.3  # standard deviation of the numerators of a start
_DENOMINATOR = 0.3  # and of b_j: 1 + q^2 is flat at q = 0, where a denominator would never be learned
_NEAR, _FAR, _NARROW = 0.5, 1.5, 0.4  # in half ranges: how far an input may lie off the middle, reach, and the least it may fill
_MARGIN = 0.1
_POINTS, _STARTS, _STEPS = 129, 8, 120  # of a curve that is fitted anew


@dataclass(frozen=True)
class Rational:
    """Rational functions of given degrees, from (0, 0) to (8, 8); theta is a_0 ... a_m, b_1 ... b_n."""

    numerator_degree: int = 5
    denominator_degree: int = 4
    form: Form = "square"

    def __post_init__(self) -> None:
        check_form(self.form)
        degrees = (self.numerator_degree, self.denominator_degree)
        if not all(isinstance(degree, Integral) and 0 <= degree <= MOST for degree in degrees):
            raise NetworkError(f"A rational function has degrees from (0, 0) to ({MOST}, {MOST}); got {degrees}.")

    def __str__(self) -> str:
        return f"degrees {self.numerator_degree} over {self.denominator_degree}"

    @property
    def family(self) -> Literal["rational"]:
        return "rational"

    @property
    def n_above(self) -> int:
        """Constants of the numerator."""
        return self.numerator_degree + 1

    @property
    def n_coefficients(self) -> int:
        return self.n_above + self.denominator_degree

    @property
    def n_terms(self) -> int:
        return self.n_coefficients

    @property
    def cancels(self) -> bool:
        """A factor that numerator and denominator have in common says nothing."""
        return True

    @property
    def carries_unit(self) -> np.ndarray:
        return np.arange(self.n_terms) < self.n_above

    @property
    def kind(self) -> tuple[int, int]:
        """How the kernels are told of degrees and form."""
        return self.n_above, FORMS.index(self.form)

    def start(self, generator: np.random.Generator, shape: tuple[int, int], noise: float | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return a line of random slope of order 1 / sqrt(n_in) with noise on the numerator, over denominators that can be learned."""
        a = generator.normal(size=(self.n_above, *shape)) * (_NOISE if noise is None else noise) / np.sqrt(max(1.0, shape[1] / 4))
        b = generator.normal(size=(self.denominator_degree, *shape)) * _DENOMINATOR
        if self.numerator_degree > 0:
            a[1] += generator.normal(size=shape) / np.sqrt(shape[1])
        return np.concatenate([a, b]), np.zeros(shape)

    def value(self, theta: np.ndarray, x: np.ndarray, domain: tuple[float, float]) -> np.ndarray:
        return self._on(_mapped(x, domain), theta)[0]

    def add_values(self, x: np.ndarray, places: Places, theta: np.ndarray, output: np.ndarray) -> None:
        rational_layer.rational_value(x, places.domain, places.source, places.target, theta, self.kind, output)

    def edges(self, places: Places, n_rows: int) -> RationalEdges:
        return RationalEdges(self, places, n_rows)

    def penalty(self, roughness: float, ridge: float) -> np.ndarray:
        """Return the mean square of P'' and of q' on [-1, 1], weighted: a numerator bends no more, a denominator differs no more than it must.

        It goes with the square of what splines take: few constants wiggle less, and a sharp resonance is a quotient of large numbers.
        """
        form = np.diag(np.where(self.carries_unit, ridge**2, 0.0))
        form[: self.n_above, : self.n_above] += roughness**2 * _BEND * _mean_square(np.arange(self.n_above), 2)
        form[self.n_above :, self.n_above :] += roughness**2 * _STEEP * _mean_square(np.arange(1, self.denominator_degree + 1), 1)
        return form

    def projected(self, curves: np.ndarray, x: np.ndarray, domain: tuple[float, float]) -> np.ndarray:
        """Return rational functions through the curves: the best of several starts, each with the numerator that suits its denominator."""
        u, curves = _mapped(x, domain), np.asarray(curves, dtype=float)
        drawn = np.random.default_rng(0).normal(size=(_STARTS, self.denominator_degree)) * np.logspace(-2, 0.5, _STARTS)[:, None]
        starts = np.vstack([self._with_numerator(curve, u, b) for curve in curves for b in drawn])
        every = np.repeat(curves, _STARTS, axis=0)
        theta, errors = self._fitted(starts, every, u)
        best = errors.reshape(-1, _STARTS).argmin(1) + _STARTS * np.arange(len(curves))
        return theta[best]

    def moved(self, theta: np.ndarray, old: tuple[float, float], new: tuple[float, float], onto: Rational) -> np.ndarray:
        """Return the same functions on another range: exact where the middle stays, else fitted to the curves on the new range."""
        stretch, shift = (new[1] - new[0]) / (old[1] - old[0]), (new[0] + new[1] - old[0] - old[1]) / (old[1] - old[0])
        substituted = np.stack([self._substituted(edge, stretch, shift, onto) for edge in theta])
        if shift == 0.0:
            return substituted
        u = np.linspace(-1.0, 1.0, _POINTS)
        curves = self._on(stretch * u + shift, theta)[0]
        near, error = onto._fitted(substituted, curves, u)
        anew = onto.projected(curves, u, (-1.0, 1.0))
        better = ((onto._on(u, anew)[0] - curves) ** 2).sum(1) < error
        return np.where(better[:, None], anew, near)

    def common(self, other: Basis) -> Rational:
        if not isinstance(other, Rational) or other.form != self.form:
            raise NetworkError(f"One layer has one kind of edges; got {self!r} and {other!r}. Fit both with the same basis and form.")
        degrees = zip((self.numerator_degree, self.denominator_degree), (other.numerator_degree, other.denominator_degree), strict=True)
        return Rational(*map(max, degrees), self.form)

    def range_for(self, present: np.ndarray, low: float, high: float) -> tuple[float, float] | None:
        """Return a range of the same middle, which changes nothing, unless the values lie far to one side of it; a dead node keeps its width."""
        middle, half = 0.5 * (present[0] + present[1]), 0.5 * (present[1] - present[0])
        centre, width, reach = 0.5 * (low + high), 0.5 * (high - low), max(high - middle, middle - low)
        dead = width <= 1e-3 * half
        if reach <= _FAR * half and (dead or width >= _NARROW * half):
            return None
        if dead:
            return carried(present, low, high)
        if abs(centre - middle) <= _NEAR * reach:
            return middle - reach, middle + reach
        margin = _MARGIN * width
        return low - margin, high + margin

    def definition(self, name: str, theta: np.ndarray, domain: tuple[float, float]) -> RationalDefinition:
        a, b = theta[: self.n_above], theta[self.n_above :]
        return RationalDefinition(name, tuple(map(float, a)), tuple(map(float, b)), self.form, (float(domain[0]), float(domain[1])))

    # ---- a few curves at a time, in NumPy

    def _on(self, u: np.ndarray, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return P r, r and t (n_edges, n_points) at u: r = 1 / D, t = - P r^2 dD/dq, as the kernels have them."""
        a, b = theta[:, : self.n_above], theta[:, self.n_above :]
        z, b = (np.abs(u), np.abs(b)) if self.form == "sum_abs" else (u, b)
        p, q = polynomial.polyval(u, a.T), z * (polynomial.polyval(z, b.T) if b.shape[1] else np.zeros((len(b), 1)))
        with np.errstate(over="ignore", invalid="ignore"):
            if self.form == "square":
                r = 1.0 / (1.0 + q * q)
                return p * r, r, -2.0 * q * (p * r) * r
            r = 1.0 / (1.0 + np.abs(q))
            return p * r, r, np.where(q < 0, p, -p) * r * r

    def _jacobian(self, u: np.ndarray, theta: np.ndarray, r: np.ndarray, t: np.ndarray) -> np.ndarray:
        """Return d phi / d theta, (n_edges, n_terms, n_points)."""
        above = r[:, None] * u ** np.arange(self.n_above)[:, None]
        z = np.abs(u) if self.form == "sum_abs" else u
        below = t[:, None] * z ** np.arange(1, self.denominator_degree + 1)[:, None]
        if self.form == "sum_abs":
            below *= np.where(theta[:, self.n_above :, None] < 0, -1.0, 1.0)
        return np.concatenate([above, below], axis=1)

    def _with_numerator(self, curve: np.ndarray, u: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return the function with this denominator that is nearest to a curve."""
        _, r, _ = self._on(u, np.concatenate([np.zeros(self.n_above), b])[None])
        design = r[0][:, None] * u[:, None] ** np.arange(self.n_above)
        return np.concatenate([np.linalg.lstsq(design, curve, rcond=1e-12)[0], b])

    def _substituted(self, theta: np.ndarray, stretch: float, shift: float, onto: Rational) -> np.ndarray:
        """Return an edge with u = stretch v + shift put in, without the constant that q may have got."""
        inner = Polynomial([shift, stretch])
        a = Polynomial(theta[: self.n_above])(inner).coef
        q = Polynomial(np.concatenate([[0.0], theta[self.n_above :]]))(inner).coef if self.denominator_degree else np.zeros(1)
        whole = 1.0 + (q[0] ** 2 if self.form == "square" else abs(q[0]))  # D = whole (1 + ...) where q has a constant
        size = whole**0.5 if self.form == "square" else whole
        parts = a / whole, q[1:] / size
        return np.concatenate([np.resize(np.append(part, np.zeros(n)), n) for part, n in zip(parts, (onto.n_above, onto.denominator_degree), strict=True)])

    def _fitted(self, theta: np.ndarray, curves: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Fit functions (n_curves, n_terms) to curves at u by Levenberg-Marquardt, all at once; return them and their squared errors."""
        value, r, t = self._on(u, theta)
        error, damping = ((value - curves) ** 2).sum(1), np.full(len(theta), 1e-3)
        for _ in range(_STEPS):
            jacobian = self._jacobian(u, theta, r, t)
            matrix = jacobian @ jacobian.transpose(0, 2, 1)
            units = np.sqrt(np.maximum(np.einsum("eii->ei", matrix), 1e-300))
            scaled = matrix / (units[:, :, None] * units[:, None, :]) + (damping[:, None, None] + 1e-14) * np.eye(self.n_terms)
            gradient = np.einsum("ekn,en->ek", jacobian, value - curves) / units
            trial = theta - np.linalg.solve(scaled, gradient[:, :, None])[:, :, 0] / units
            value_there, r_there, t_there = self._on(u, trial)
            there = ((value_there - curves) ** 2).sum(1)
            good = there < error
            theta, error = np.where(good[:, None], trial, theta), np.where(good, there, error)
            value, r, t = (np.where(good[:, None], after, before) for after, before in ((value_there, value), (r_there, r), (t_there, t)))
            damping = np.clip(np.where(good, damping / 3, damping * 4), 1e-14, 1e12)
        return theta, error


def _mapped(x: np.ndarray, domain: tuple[float, float]) -> np.ndarray:
    """Return u = 2 (x - lo) / (hi - lo) - 1."""
    return (np.asarray(x, dtype=float) - domain[0]) * (2.0 / (domain[1] - domain[0])) - 1.0


def _mean_square(powers: np.ndarray, order: int) -> np.ndarray:
    """Return the quadratic form of the mean square on [-1, 1] of a derivative of sum_k c_k u^{powers[k]}."""
    factors = np.ones(len(powers))
    for k in range(order):
        factors = factors * (powers - k)
    total = powers[:, None] + powers - 2 * order
    with np.errstate(divide="ignore"):
        means = np.where((total >= 0) & (total % 2 == 0), 1.0 / (total + 1), 0.0)
    return factors[:, None] * factors * means


class RationalEdges:
    """The rational edges of one layer on fixed rows: r, t and the slope of every edge are kept."""

    def __init__(self, basis: Rational, places: Places, n_rows: int) -> None:
        self.basis, self.places = basis, places
        self.x = np.empty((len(places.domain), n_rows))
        self.kept = tuple(np.empty((3, len(places.source), n_rows)))  # r, t, d phi/dx

    def forward(self, x: np.ndarray, theta: np.ndarray, output: np.ndarray) -> None:
        places, self.x = self.places, x
        rational_layer.rational_layer(x, places.domain, places.source, places.target, theta, self.basis.kind, output, self.kept)

    def values(self, theta: np.ndarray) -> np.ndarray:
        return np.stack([polynomial.polyval(u, a) * r for a, u, r in self._each(theta)])

    def backward(self, sensitivity: np.ndarray, upstream: np.ndarray) -> None:
        cpu.edges_backward(self.kept[2], self.places.source, self.places.target, sensitivity, upstream)

    def jacobian(self, theta: np.ndarray, sensitivity: np.ndarray, out: np.ndarray) -> None:
        self._fill(theta, sensitivity, (np.ones(len(self.x)), np.ones(len(theta)), np.ones(len(theta))), out)

    def scaled_jacobian(self, theta: np.ndarray, sensitivity: np.ndarray, out: np.ndarray) -> np.ndarray:
        """Fill out in units of the largest u of an input, where it is above 1, and of the largest r and t of an edge."""
        ends = np.stack([self.x.min(1), self.x.max(1)], axis=1)
        u = np.abs(2.0 * (ends - self.places.domain[:, :1]) / np.diff(self.places.domain, axis=1) - 1.0).max(1)
        reach, r, t = np.maximum(u, 1.0), self.kept[0].max(1), np.abs(self.kept[1]).max(1)
        r, t = (np.where(largest > 0, largest, 1.0) for largest in (r, t))
        self._fill(theta, sensitivity, (reach, r, t), out)
        powers = np.concatenate([np.arange(self.basis.n_above), np.arange(1, self.basis.denominator_degree + 1)])
        return (reach[self.places.source][:, None] ** powers * np.where(self.basis.carries_unit, r[:, None], t[:, None])).ravel()

    def gradient(self, theta: np.ndarray, sensitivity: np.ndarray, out: np.ndarray) -> None:
        places = self.places
        rational_layer.rational_gradient(
            self.x, places.domain, places.source, places.target, theta, self.basis.kind, self.kept, sensitivity, out
        )

    def covariances(self, theta: np.ndarray, share: np.ndarray) -> np.ndarray:
        """An edge is linear in its numerator: a C a is its variance as long as the denominator stays."""
        n = self.basis.n_above
        result = np.zeros((len(theta), self.basis.n_terms, self.basis.n_terms))
        for own, (_, u, r) in zip(result, self._each(theta), strict=True):
            features = r * u ** np.arange(n)[:, None]
            centred = features - (features @ share)[:, None]
            own[:n, :n] = (centred * share) @ centred.T
        return result

    def _fill(self, theta: np.ndarray, sensitivity: np.ndarray, units: tuple[np.ndarray, ...], out: np.ndarray) -> None:
        places = self.places
        rational_layer.rational_jacobian(
            self.x, places.domain, places.source, places.target, theta, self.basis.kind, self.kept, sensitivity, units, out
        )

    def _each(self, theta: np.ndarray) -> Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Return the numerator, u and r of every edge."""
        u = [_mapped(x, domain) for x, domain in zip(self.x, self.places.domain, strict=True)]
        return [(own[: self.basis.n_above], u[source], r) for own, source, r in zip(theta, self.places.source, self.kept[0], strict=True)]


@dataclass(frozen=True)
class RationalDefinition:
    """The exact function of a rational edge that has no name yet.

    phi(x) = (a_0 + a_1 u + ...) / D(u), u = (2x - lo - hi) / (hi - lo), with D in one of the forms of this module.

    Parameters
    ----------
    name : how formulas call it, such as "phi_0_1_2"
    numerator : a_0 ... a_m
    denominator : b_1 ... b_n
    form : "sum_abs", "abs_sum" or "square"
    domain : (lo, hi)
    """

    name: str
    numerator: tuple[float, ...]
    denominator: tuple[float, ...]
    form: Form
    domain: tuple[float, float]

    @property
    def n_constants(self) -> int:
        return len(self.numerator) + len(self.denominator)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Evaluate at x (any shape) in float64."""
        return self.value_and_slope(x)[0]

    def value_and_slope(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Evaluate phi and d phi / dx at x (any shape) in float64."""
        u, stretch = _mapped(x, self.domain), 2.0 / (self.domain[1] - self.domain[0])
        below = (0.0, *self.denominator)
        z, b = (np.abs(u), np.abs(below)) if self.form == "sum_abs" else (u, np.array(below))
        with np.errstate(over="ignore", invalid="ignore"):
            p, q = polynomial.polyval(u, self.numerator), polynomial.polyval(z, b)
            dp, dq = polynomial.polyval(u, polynomial.polyder(self.numerator)), polynomial.polyval(z, polynomial.polyder(b))
            if self.form == "square":
                d, dd = 1.0 + q * q, 2.0 * q * dq
            elif self.form == "abs_sum":
                d, dd = 1.0 + np.abs(q), np.where(q < 0, -dq, dq)
            else:
                d, dd = 1.0 + q, np.where(u < 0, -dq, dq)
            return p / d, (dp - p / d * dd) / d * stretch

    @cached_property
    def inner(self) -> Expression:
        """u as an expression of x."""
        low, high = self.domain
        return add(mul(add(Symbol("x"), Number(-low)), Number(2.0 / (high - low))), -1)

    @cached_property
    def outer(self) -> Expression:
        """phi as an expression of u, by Horner's rule."""
        u = Symbol("u")
        z, b = self._below(u)
        return self._quotient(_horner(self.numerator, u), mul(z, _horner(b, z)) if b else Number(0))

    @cached_property
    def by_powers(self) -> Expression:
        """phi as an expression of u, its polynomials written by powers: to read, not to compute with."""
        u = Symbol("u")
        z, b = self._below(u)
        above, below = ([mul(Number(c), base**k) for k, c in enumerate(cs, first)] for cs, base, first in ((self.numerator, u, 0), (b, z, 1)))
        return self._quotient(add(*above), add(*below))

    def _below(self, u: Expression) -> tuple[Expression, tuple[float, ...]]:
        """Return what q is a polynomial of, and its coefficients."""
        return (call("abs", u), tuple(map(abs, self.denominator))) if self.form == "sum_abs" else (u, self.denominator)

    def _quotient(self, p: Expression, q: Expression) -> Expression:
        return mul(p, add(1, {"square": q**2, "abs_sum": call("abs", q), "sum_abs": q}[self.form]) ** -1)


def _horner(coefficients: Sequence[float], u: Expression) -> Expression:
    """Return c_0 + u (c_1 + u (c_2 + ...))."""
    value: Expression = Number(float(coefficients[-1]))
    for c in reversed(coefficients[:-1]):
        value = add(Number(float(c)), mul(u, value))
    return value
