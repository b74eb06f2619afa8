"""A primitive: one named form f(z; shape) that an edge can be snapped to, with its derivatives and where it is defined.

An edge uses it as phi(x) = c*f(a*x + b; shape). What of a and b can be told from data depends on f; `affine` says it:

    none    f(a*x + b) is c*x again: only c counts                x
    scale   b can be moved into c: exp(a*x + b) = e^b exp(a*x)    exp, and forms that start at the origin, such as x/(K + x)
    shift   a can be moved into c: (a*x + b)^2 = a^2 (x + b/a)^2  powers, log (up to an offset); the sign of a remains a choice
    both    a and b both count                                    sin, tanh, gaussian

`domain` says how z may lie. Poles are never crossed: on one edge 1/z has all its data on one side, tan on one branch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np

from workbench.expression import Expression, parse

Array = np.ndarray
Affine = Literal["none", "scale", "shift", "both"]
Domain = Literal["any", "positive", "nonnegative", "nonzero", "unit", "above_one", "above_minus_one", "tan"]


@dataclass(frozen=True)
class Shape:
    """A shape parameter of a primitive: its name, values worth starting from, and its bounds."""

    name: str
    starts: tuple[float, ...]
    bounds: tuple[float, float]


@dataclass(frozen=True)
class Primitive:
    """One row of the library.

    Parameters
    ----------
    name, title : how it is called in code, and in words
    text : the form in the variable z and its shape parameters; `expression` is its tree
    complexity : see `library`
    affine : which of a and b in z = a*x + b can be told from data
    domain : how z may lie
    formula : value from (z, *shape)
    slope : derivative by z, from (z, value, *shape)
    shape : shape parameters
    shape_slopes : derivatives by the shape parameters, from (z, value, *shape); one row each
    """

    name: str
    title: str
    text: str
    complexity: int
    affine: Affine
    domain: Domain
    formula: Callable[..., Array]
    slope: Callable[..., Array]
    shape: tuple[Shape, ...] = ()
    shape_slopes: Callable[..., tuple[Array, ...]] | None = None

    @property
    def expression(self) -> Expression:
        """The form as an expression in Symbol("z") and the shape parameters."""
        return _template(self.text, tuple(shape.name for shape in self.shape))

    def value(self, z: Array, *shape: float) -> Array:
        """Evaluate f(z; shape) elementwise; NaN or infinite outside the domain."""
        with np.errstate(all="ignore"):
            return self.formula(np.asarray(z, dtype=np.float64), *shape)

    def derivative(self, z: Array, *shape: float) -> Array:
        """Evaluate df/dz elementwise."""
        return self.value_and_derivative(z, *shape)[1]

    def value_and_derivative(self, z: Array, *shape: float) -> tuple[Array, Array]:
        """Evaluate f and df/dz together, which costs little more than f alone."""
        z = np.asarray(z, dtype=np.float64)
        with np.errstate(all="ignore"):
            value = self.formula(z, *shape)
            return value, self.slope(z, value, *shape)

    def shape_derivatives(self, z: Array, *shape: float) -> Array:
        """Evaluate df/d(shape parameter) elementwise: (n_shape, *z.shape)."""
        z = np.asarray(z, dtype=np.float64)
        if self.shape_slopes is None:
            return np.empty((0, *z.shape))
        with np.errstate(all="ignore"):
            return np.stack(self.shape_slopes(z, self.formula(z, *shape), *shape))

    def inside(self, z: Array) -> Array:
        """Return for every z whether it lies in the domain, and on the branch of the first z along the last axis."""
        z = np.asarray(z, dtype=np.float64)
        with np.errstate(all="ignore"):
            return np.isfinite(z) & _DOMAINS[self.domain](np.atleast_1d(z)).reshape(z.shape)


@cache
def _template(text: str, shape: tuple[str, ...]) -> Expression:
    return parse(text, symbols=("z", *shape))


def _one_branch_of_tan(z: Array) -> Array:
    branch = np.round(z / np.pi)
    return (branch == branch[..., :1]) & (np.abs(z - np.pi * branch) < np.pi / 2 * (1 - 1e-9))


_DOMAINS: dict[str, Callable[[Array], Array]] = {
    "any": lambda z: np.ones(z.shape, dtype=bool),
    "positive": lambda z: z > 0,
    "nonnegative": lambda z: z >= 0,
    "nonzero": lambda z: (z != 0) & ((z > 0) == (z[..., :1] > 0)),
    "unit": lambda z: np.abs(z) <= 1,
    "above_one": lambda z: z >= 1,
    "above_minus_one": lambda z: z > -1,
    "tan": _one_branch_of_tan,
}
