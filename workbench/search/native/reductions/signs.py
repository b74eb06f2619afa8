"""What a law changes its sign with is a factor of it: h < 0 where u < v, and h > 0 where u > v, is (u - v) times a law of one sign.

A law of one sign has a logarithm, under which products part; and where h vanishes together with a factor, what is left of it is smoother.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from workbench.expression import Expression, add, call, mul
from workbench.search.native.state import State

_AGREE = 0.999  # share of sum |h| in rows of the same sign as the factor, or of the other sign
_BOTH = 0.02  # least share of rows of either sign
_NEAR = 1e-6  # of the factor's size: rows nearer to zero say nothing


def of_one_sign(state: State) -> Iterator[State]:
    """Yield a state over the factors that it changes its sign with; all columns stay."""
    h = state.target
    if not _changes_sign(h):
        return
    size = np.abs(h) * state.gain
    for values, factor in _factors(state):
        if not _changes_sign(values) or not np.isfinite(values).all():
            continue
        if abs(float(np.sum(size * np.sign(h) * np.sign(values)))) > (2 * _AGREE - 1) * float(size.sum()):
            far = np.abs(values) > _NEAR * np.abs(values).max()
            divided = state.divided(np.where(far, values, np.nan), factor, f"changes its sign with {factor}").finite()
            if divided is not None:
                yield divided


def _changes_sign(values: np.ndarray) -> bool:
    return min(float((values > 0).mean()), float((values < 0).mean())) > _BOTH


def _factors(state: State) -> Iterator[tuple[np.ndarray, Expression]]:
    columns = list(zip(state.columns.T, state.names))
    for u, name in columns:
        yield u, name
        yield u - 1, add(name, -1)
        for function, word in ((np.cos, "cos"), (np.sin, "sin")):
            yield function(u), call(word, name)
    for (u, first), (v, second) in itertools.combinations(columns, 2):
        yield u - v, first - second
        yield u + v, first + second
        yield u * v, mul(first, second)
        yield u * v - 1, add(mul(first, second), -1)
