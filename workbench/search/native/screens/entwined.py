"""Functions of two columns at once that no sum or product of functions of one column is: u^v, (1 + u)^v, exp(-u v), cos(u - v), sqrt(u^2 + v^2) ...

A law that holds one of them is a low polynomial, or a ratio of two, in the columns and that one: interest, saturation, damping, distance.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from fractions import Fraction

import numpy as np

from workbench.expression import Expression, add, call, mul, power
from workbench.search.native.screens.composed import Composed, moderate
from workbench.search.native.state import State

_HALF = Fraction(1, 2)
Rule = tuple[Callable[[np.ndarray, np.ndarray], np.ndarray], Callable[[Expression, Expression], Expression]]

_EITHER_WAY: tuple[Rule, ...] = (  # u and v may change places
    (lambda u, v: np.exp(-u * v), lambda a, b: call("exp", mul(-1, a, b))),
    (lambda u, v: np.cos(u * v), lambda a, b: call("cos", mul(a, b))),
    (lambda u, v: np.sin(u * v), lambda a, b: call("sin", mul(a, b))),
    (lambda u, v: np.cos(u - v), lambda a, b: call("cos", a - b)),
    (lambda u, v: np.cos(u + v), lambda a, b: call("cos", a + b)),
    (lambda u, v: np.sin(u - v), lambda a, b: call("sin", a - b)),
    (lambda u, v: np.sin(u + v), lambda a, b: call("sin", a + b)),
    (lambda u, v: np.exp(u - v), lambda a, b: call("exp", a - b)),
    (lambda u, v: np.log(u + v), lambda a, b: call("log", a + b)),
    (lambda u, v: np.log(1 + u * v), lambda a, b: call("log", add(1, mul(a, b)))),
    (lambda u, v: np.sqrt(u * u + v * v), lambda a, b: power(add(power(a, 2), power(b, 2)), _HALF)),
    (lambda u, v: np.sqrt(u + v), lambda a, b: power(a + b, _HALF)),
    (lambda u, v: np.sqrt(1 + u * v), lambda a, b: power(add(1, mul(a, b)), _HALF)),
    (lambda u, v: np.sqrt(1 - u * v), lambda a, b: power(add(1, -mul(a, b)), _HALF)),
)
_PRODUCTS = 3  # the first rules
_ONE_WAY: tuple[Rule, ...] = (
    (lambda u, v: np.power(u, v), lambda a, b: power(a, b)),
    (lambda u, v: np.power(1 + u, v), lambda a, b: power(add(1, a), b)),
    (lambda u, v: np.power(1 + u, -v), lambda a, b: power(add(1, a), -b)),
    (lambda u, v: np.power(u, 1 / v), lambda a, b: power(a, power(b, -1))),
    (lambda u, v: np.exp(-u / v), lambda a, b: call("exp", -mul(a, power(b, -1)))),
    (lambda u, v: np.exp(-u * (1 - v)), lambda a, b: call("exp", -mul(a, add(1, -b)))),
    (lambda u, v: np.exp(-u * (1 + v)), lambda a, b: call("exp", -mul(a, add(1, b)))),
    (lambda u, v: np.log(u - v), lambda a, b: call("log", a - b)),
    (lambda u, v: np.log(1 + u / v), lambda a, b: call("log", add(1, mul(a, power(b, -1))))),
    (lambda u, v: np.sqrt(u * u - v * v), lambda a, b: power(power(a, 2) - power(b, 2), _HALF)),
    (lambda u, v: np.sqrt(u - v), lambda a, b: power(a - b, _HALF)),
    (lambda u, v: np.sqrt(1 + u / v), lambda a, b: power(add(1, mul(a, power(b, -1))), _HALF)),
)


def products_inside(state: State) -> Iterator[Composed]:
    """Yield exp(-u v), cos(u v) and sin(u v)."""
    for i, j in itertools.combinations(range(state.n_columns), 2):
        for values, written in _EITHER_WAY[:_PRODUCTS]:
            with np.errstate(all="ignore"):
                column = values(state.columns[:, i], state.columns[:, j])
            if moderate(column):
                yield Composed(column, written(state.names[i], state.names[j]), (i, j))


def entwined(state: State) -> Iterator[Composed]:
    """Yield the functions of every pair of columns that are defined on all rows."""
    for i, j in itertools.combinations(range(state.n_columns), 2):
        for rules, places in ((_EITHER_WAY, ((i, j),)), (_ONE_WAY, ((i, j), (j, i)))):
            for (first, second), (values, written) in itertools.product(places, rules):
                with np.errstate(all="ignore"):
                    column = values(state.columns[:, first], state.columns[:, second])
                if moderate(column):
                    yield Composed(column, written(state.names[first], state.names[second]), (i, j))
