"""Transforms of the target under which a law may be a plain sum: 1/y, y^2, sqrt(y), log(y), exp(y), sin(y) ...

    T(h) = sum of terms     ->     h = T^-1(sum of terms)

Rows are weighted by gain / |T'(h)|: to first order the weighted residuals of T(h) are then residuals of y, in its own unit. Where a transform
asks for one sign, rows of the other sign get no weight: with noise, a few values beyond zero must not switch off logarithms.

Noise biases T(h), and the weight with it. Where a smooth surrogate s leaves nothing but noise, T is taken as linear about it, which is unbiased:

    T(s) + T'(s) (h - s)        with the weight gain / |T'(s)|        (the working response of a generalised linear model)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np

from workbench.expression import Expression, Number, add, call, mul, power
from workbench.search.native.state import State
from workbench.search.native.surrogate import smoothed

_HEAVIEST = 20.0  # weights above this multiple of the median are cut: one row must not make the fit
_FEW_ROWS = 250
_ONE_SIGN = 0.9  # least share of rows with the target's usual sign

Array = np.ndarray
Domain = Literal["any", "one sign", "share", "half turn", "turn", "moderate"]


@dataclass(frozen=True)
class Transform:
    """T, |T'|, the inverse as an expression (times the sign of the target), and where T is one-to-one."""

    name: str
    forward: Callable[[Array], Array]
    slope: Callable[[Array], Array]
    inverse: Callable[[Expression], Expression]
    domain: Domain = "one sign"
    signed: bool = True  # the inverse gives |h|


_HALF = Fraction(1, 2)


def _logistic(e: Expression) -> Expression:
    return power(add(1, call("exp", mul(-1, e))), -1)


TRANSFORMS: dict[str, Transform] = {
    transform.name: transform
    for transform in (
        Transform("y", lambda h: h, np.ones_like, lambda e: e, "any", signed=False),
        Transform("1/y", lambda h: 1 / h, lambda h: h**-2, lambda e: power(e, -1), signed=False),
        Transform("y^2", lambda h: h * h, lambda h: 2 * np.abs(h), lambda e: power(e, _HALF)),
        Transform("1/y^2", lambda h: h**-2, lambda h: 2 * np.abs(h) ** -3, lambda e: power(e, -_HALF)),
        Transform("sqrt(y)", lambda h: np.sqrt(np.abs(h)), lambda h: 0.5 / np.sqrt(np.abs(h)), lambda e: power(e, 2)),
        Transform("1/sqrt(y)", lambda h: np.abs(h) ** -0.5, lambda h: 0.5 * np.abs(h) ** -1.5, lambda e: power(e, -2)),
        Transform("cbrt(y)", np.cbrt, lambda h: np.abs(h) ** (-2 / 3) / 3, lambda e: power(e, 3), "any", signed=False),
        Transform("log(y)", lambda h: np.log(np.abs(h)), lambda h: 1 / np.abs(h), lambda e: call("exp", e)),
        Transform("log(1-y)", lambda h: np.log(1 - h), lambda h: 1 / (1 - h), lambda e: add(1, mul(-1, call("exp", e))), "share", signed=False),
        Transform("logit(y)", lambda h: np.log(h / (1 - h)), lambda h: 1 / (h * (1 - h)), _logistic, "share", signed=False),
        Transform("exp(y)", np.exp, np.exp, lambda e: call("log", e), "moderate", signed=False),
        Transform("sin(y)", np.sin, lambda h: np.abs(np.cos(h)), lambda e: call("asin", e), "half turn", signed=False),
        Transform("tan(y)", np.tan, lambda h: 1 + np.tan(h) ** 2, lambda e: call("atan", e), "half turn", signed=False),
        Transform("cos(y)", np.cos, lambda h: np.abs(np.sin(h)), lambda e: call("acos", e), "turn", signed=False),
    )
}

PLAIN = ("y", "1/y", "y^2", "1/y^2", "sqrt(y)", "1/sqrt(y)")
OF_SHARES = ("log(1-y)", "logit(y)")
ALL = tuple(TRANSFORMS)


@dataclass(frozen=True, eq=False)
class Target:
    """The target of a state under one transform, and the weight of each row.

    Parameters
    ----------
    values : (n_rows,)
    weights : (n_rows,)     a residual of `values` times this is one of y
    about : (n_rows,)     the same without its noise, as far as that is known
    """

    transform: Transform
    values: Array
    weights: Array
    sign: int
    about: Array

    @property
    def name(self) -> str:
        return self.transform.name

    def back(self, inner: Expression) -> Expression:
        """Return h for an expression of T(h)."""
        h = self.transform.inverse(inner)
        return mul(Number(-1), h) if self.sign < 0 and self.transform.signed else h


def targets(state: State, names: Iterable[str]) -> Iterator[Target]:
    """Yield the target under every transform that is defined for it; few rows do not tell noise from a law, so there it is yielded both ways."""
    smooth = smoothed(state)
    ways = (smooth, None) if smooth is not None and state.n_rows < _FEW_ROWS else (smooth,)
    for name in names:
        for way in ways:
            target = _transformed(state, TRANSFORMS[name], way)
            if target is not None:
                yield target


def transformed(state: State, transform: Transform) -> Target | None:
    """Return the target under one transform; None where that is not one-to-one."""
    return _transformed(state, transform, smoothed(state))


def _transformed(state: State, transform: Transform, smooth: Array | None) -> Target | None:
    """Return the target under one transform, taken as linear about a smooth surrogate where there is one."""
    h = state.target if smooth is None else smooth
    sign = -1 if np.median(h) < 0 else 1
    if not _defined(h, sign, transform.domain):
        return None
    with np.errstate(all="ignore"):
        values = transform.forward(h)
        weights = state.gain / transform.slope(h)
    usable = np.isfinite(values) & np.isfinite(weights)
    if transform.domain == "one sign":
        usable &= sign * h > 0
    if usable.mean() < _ONE_SIGN:
        return None
    weights = np.where(usable, weights, 0.0)
    weights = np.minimum(weights, _HEAVIEST * np.median(weights))
    if not weights.any():
        return None
    about = np.where(usable, values, 0.0)
    return Target(transform, about if smooth is None else _linear(about, state, smooth, transform, usable), weights, sign, about)


def _linear(about: Array, state: State, smooth: Array, transform: Transform, usable: Array) -> Array:
    """Return T(s) + T'(s) (h - s)."""
    highest, lowest = np.argmax(np.where(usable, smooth, -np.inf)), np.argmin(np.where(usable, smooth, np.inf))
    rising = 1.0 if about[highest] >= about[lowest] else -1.0  # T is one-to-one
    with np.errstate(all="ignore"):
        return np.where(usable, about + rising * transform.slope(smooth) * (state.target - smooth), 0.0)


def _defined(h: Array, sign: int, domain: Domain) -> bool:
    match domain:
        case "one sign":
            return bool((sign * h > 0).mean() >= _ONE_SIGN)
        case "share":
            return bool(h.min() >= 0.0 and h.max() <= 1.0)
        case "half turn":
            return bool(np.abs(h).max() <= 0.5 * np.pi)
        case "turn":
            return bool(h.min() >= 0.0 and h.max() <= np.pi)
        case "moderate":
            return bool(np.abs(h).max() < 20.0)
    return True
