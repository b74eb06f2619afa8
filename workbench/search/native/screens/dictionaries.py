"""What an exact law may be spanned by: the columns of a state with one or two functions beside them, or in their place.

A dictionary is a state with those columns and the products of them that are tried together: all of a total degree, or powers of single columns alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from workbench.expression import add, call, power
from workbench.search.native import monomials
from workbench.search.native.screens.composed import Composed, Rule, moderate
from workbench.search.native.screens.entwined import entwined, products_inside
from workbench.search.native.state import State

_HALF, _THREE_HALVES = monomials.exact_exponent(0.5), monomials.exact_exponent(1.5)
_ONE_COLUMN: tuple[Rule, ...] = (
    (np.cos, lambda e: call("cos", e)),
    (np.sin, lambda e: call("sin", e)),
    (lambda u: np.exp(-u), lambda e: call("exp", -e)),
    (np.exp, lambda e: call("exp", e)),
    (np.log, lambda e: call("log", e)),
    (lambda u: u**1.5, lambda e: power(e, _THREE_HALVES)),
    (lambda u: (1 + u) ** 1.5, lambda e: power(add(1, e), _THREE_HALVES)),
    (np.sqrt, lambda e: power(e, _HALF)),
    (lambda u: np.log(1 + u), lambda e: call("log", add(1, e))),
    (lambda u: np.log(1 - u), lambda e: call("log", add(1, -e))),
    (lambda u: np.log(1 + 1 / u), lambda e: call("log", add(1, power(e, -1)))),
    (lambda u: np.sqrt(1 + u), lambda e: power(add(1, e), _HALF)),
    (lambda u: np.sqrt(1 - u), lambda e: power(add(1, -e), _HALF)),
    (lambda u: np.sqrt(1 + u * u), lambda e: power(add(1, power(e, 2)), _HALF)),
    (lambda u: np.sqrt(1 - u * u), lambda e: power(add(1, -power(e, 2)), _HALF)),
    (lambda u: np.sqrt(u * u - 1), lambda e: power(add(power(e, 2), -1), _HALF)),
    (np.tanh, lambda e: call("tanh", e)),
    (np.arctan, lambda e: call("atan", e)),
    (lambda u: np.exp(-u * u), lambda e: call("exp", -power(e, 2))),
    (lambda u: np.sin(u * u), lambda e: call("sin", power(e, 2))),
    (lambda u: np.cos(u * u), lambda e: call("cos", power(e, 2))),
)
_IN_PLACE = 5  # the first rules: cos, sin, exp(-u), exp, log
_HIGHEST = 4  # power of a column in a sum without products


@dataclass(frozen=True, eq=False)
class Dictionary:
    """A state with all columns, and exponents of their products: several sets, the small ones first."""

    state: State
    shapes: tuple[np.ndarray, ...]


def dictionaries(state: State, pairs: bool) -> Iterator[Dictionary]:
    """Yield dictionaries with one function of one or two columns, and then, if wanted, with two."""
    n = state.n_columns
    single, double = list(_of_one(state)), list(entwined(state))
    for composed in (*single, *double):
        yield Dictionary(_beside(state, composed), _degrees(n + 1, 2, 3))
    if not pairs:
        return
    if n <= 2:
        degrees = (2, 3) if n == 1 else (2,)
        shapes = (*_degrees(n + 2, *degrees), _additive(n, 2))
        for two in (*itertools.combinations(single, 2), *itertools.product(products_inside(state), single)):
            yield Dictionary(_beside(state, *two), shapes)
        return
    for first, second in itertools.combinations(_of_one(state, _ONE_COLUMN[:_IN_PLACE]), 2):
        if first.parts != second.parts:
            yield Dictionary(_in_place(state, first, second), _degrees(n, 2, 3))


def _beside(state: State, *functions: Composed) -> State:
    for composed in functions:
        state = state.with_column(composed.values, composed.name)
    return state


def _in_place(state: State, *functions: Composed) -> State:
    return _beside(state.without([place for composed in functions for place in composed.parts]), *functions)


def _degrees(n_columns: int, *degrees: int) -> tuple[np.ndarray, ...]:
    return tuple(monomials.total_degree(n_columns, degree) for degree in degrees)


def _additive(n_columns: int, n_functions: int) -> np.ndarray:
    """Return the powers of each column, and the functions, without products."""
    both = np.eye(n_columns + n_functions)
    return np.vstack([0 * both[:1], *(k * both[:n_columns] for k in range(1, _HIGHEST + 1)), both[n_columns:]])


def _of_one(state: State, rules: tuple[Rule, ...] = _ONE_COLUMN) -> Iterator[Composed]:
    for (values, written), i in itertools.product(rules, range(state.n_columns)):
        with np.errstate(all="ignore"):
            column = values(state.columns[:, i])
        if moderate(column):
            yield Composed(column, written(state.names[i]), (i,))
