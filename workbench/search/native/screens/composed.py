"""Columns made of columns: cos(u), exp(-u), sin(u/2), cos(u - v), 1 + u ... in place of, or beside, the plain ones."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from workbench.expression import Expression, add, call, mul, power
from workbench.search.native.state import State

_LARGEST = 1e6
_STEEPEST = 50.0  # exponents beyond are cut: the column is not finite there anyway


@dataclass(frozen=True, eq=False)
class Composed:
    """One column, what it is, and which columns it is made of."""

    values: np.ndarray
    name: Expression
    parts: tuple[int, ...]


_HALF = Fraction(1, 2)
Rule = tuple[Callable[[np.ndarray], np.ndarray], Callable[[Expression], Expression]]

ONE_COLUMN: tuple[Rule, ...] = (
    (np.cos, lambda e: call("cos", e)),
    (np.sin, lambda e: call("sin", e)),
    (lambda u: np.sin(u / 2), lambda e: call("sin", mul(_HALF, e))),
    (lambda u: np.exp(np.minimum(u, _STEEPEST)), lambda e: call("exp", e)),
    (lambda u: np.exp(-np.maximum(u, -_STEEPEST)), lambda e: call("exp", -e)),
    (lambda u: np.log(np.abs(u)), lambda e: call("log", e)),
)


def function_columns(state: State) -> Iterator[Composed]:
    """Yield a function of one column, or the cosine of a difference of two."""
    for i in range(state.n_columns):
        for values, name in ONE_COLUMN:
            if name(state.names[i]) == call("log", state.names[i]) and not state.positive[i]:
                continue
            composed = Composed(_evaluated(values, state.columns[:, i]), name(state.names[i]), (i,))
            if moderate(composed.values):
                yield composed
    for i, j in itertools.combinations(range(state.n_columns), 2):
        difference = state.columns[:, i] - state.columns[:, j]
        yield Composed(np.cos(difference), call("cos", state.names[i] - state.names[j]), (i, j))


def factors(state: State) -> Iterator[Composed]:
    """Yield what a product may be made of: a column, functions of it, and its distance from one."""
    for i in range(state.n_columns):
        u, name = state.columns[:, i], state.names[i]
        rules = (
            (lambda v: v, lambda e: e),
            *ONE_COLUMN[:4],
            (lambda v: 1 + v, lambda e: add(1, e)),
            (lambda v: 1 - v, lambda e: add(1, -e)),
            (lambda v: 1 + v * v, lambda e: add(1, power(e, 2))),
            (lambda v: 1 - v * v, lambda e: add(1, -power(e, 2))),
        )
        for values, written in rules:
            composed = Composed(_evaluated(values, u), written(name), (i,))
            if moderate(composed.values):
                yield _above_zero(composed)


def logarithms(state: State) -> Iterator[Composed]:
    """Yield log u, log(1 + u) and the like: the factors of the logarithm of a power."""
    for i in range(state.n_columns):
        u, name = state.columns[:, i], state.names[i]
        with np.errstate(all="ignore"):
            choices = ((u, name), (1 + u, add(1, name)), (1 - u, add(1, -name)), (1 + 1 / u, add(1, power(name, -1))))
        for values, written in choices:
            if (values > 0).all() and np.isfinite(values).all():
                yield Composed(np.log(values), call("log", written), (i,))


def _above_zero(composed: Composed) -> Composed:
    """Return u - 1 for 1 - u where that is negative throughout, so that it may stand under a root."""
    return replace(composed, values=-composed.values, name=-composed.name) if (composed.values < 0).all() else composed


def with_function(state: State, composed: Composed) -> State:
    """Return the state with a composed column in place of its parts."""
    return state.without(composed.parts).with_column(composed.values, composed.name)


def _evaluated(function: Callable[[np.ndarray], np.ndarray], u: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        return function(u)


def moderate(values: np.ndarray) -> bool:
    """Whether values are finite, not huge, and not all the same."""
    return bool(np.isfinite(values).all() and np.abs(values).max() < _LARGEST and values.std() > 1e-9 * (np.abs(values).max() + 1e-300))
