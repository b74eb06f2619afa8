"""A law that parts into two groups of columns, as a product or a sum:  h = g(u_1, u_2) k(u_3, u_4)  or  h = g + k.

Two smooth functions of few columns describe such a law far better than one of all columns can. Each is named from its own values, and what a name
leaves of the target, which is exact where the name is, is searched for the other.
"""

from __future__ import annotations

import itertools
from collections.abc import Generator, Iterator
from dataclasses import dataclass

import numpy as np

from workbench.search.native.reductions.blocks import Blocks
from workbench.search.native.reductions.splits import names_of, plainly_reduced, trusted
from workbench.search.native.state import Candidate, State
from workbench.search.native.surrogate import Box, chebyshev, degree_for, degrees_of, smooth_error, smoothed, straight
from workbench.search.native.watch import Watch

_TERMS = 70  # of each group
_RANKED_ROWS = 500
_CLEARLY, _AS_GOOD = 0.5, 1.0  # error of two groups against that of all columns together, for a law that parts; with noise, of which none can leave less
_ALONE, _BY_FAR = 2.0, 0.05  # the same where no other parting comes near: its own functions may be hard to follow
_PARTED = 2  # that are followed
_MOST_COLUMNS = 7
_SMALL = 2  # columns of a part that may be searched by itself


@dataclass(frozen=True, eq=False)
class _Parting:
    """Two groups of columns; `product` where the logarithm is the sum."""

    groups: tuple[tuple[int, ...], tuple[int, ...]]
    product: bool


def separable(state: State, watch: Watch) -> Generator[Candidate, None, list[State]]:
    """Yield what is found along the partings that describe a state clearly better than one smooth function does.

    Return what is left of few columns once a part has its name: small problems, as exact as the state itself where the name is right.
    """
    small: list[State] = []
    if not 3 <= state.n_columns <= _MOST_COLUMNS:
        return small
    few = state.thinned(_RANKED_ROWS)
    found = []
    for place, parting in enumerate(partings := list(_partings(few))):
        if watch.over:
            return small
        found.append((_error(few, parting), place))
    found.sort()
    limit = _limit([error for error, _ in found], noisy=smoothed(state) is not None) * smooth_error(few)
    for error, place in found[:_PARTED]:
        if error > limit:
            break
        for left in _left(state, partings[place], watch):
            yield from plainly_reduced(left, watch)
            if watch.over:
                return small
            if left.n_columns <= _SMALL and left.finite() is left:
                small.append(left)
    return small


def _limit(errors: list[float], noisy: bool) -> float:
    """Return how large the error of a parting may be, against that of all columns together: larger where it is by far the best of all partings."""
    if noisy:
        return _AS_GOOD
    return _ALONE if len(errors) > 1 and errors[0] < _BY_FAR * errors[1] else _CLEARLY


def _partings(state: State) -> Iterator[_Parting]:
    """Yield every way to part the columns in two."""
    n = state.n_columns
    one_sign = bool((state.target > 0).all() or (state.target < 0).all())
    for size in range(1, n // 2 + 1):
        for group in itertools.combinations(range(n), size):
            rest = tuple(i for i in range(n) if i not in group)
            if 2 * size == n and group > rest:
                continue
            yield from (_Parting((group, rest), product) for product in ((True, False) if one_sign else (False,)))


def _goal(state: State, parting: _Parting) -> tuple[np.ndarray, np.ndarray]:
    """Return the values of the sum and what an error of it is worth in y."""
    if parting.product:
        return np.log(np.abs(state.target)), state.gain * np.abs(state.target)
    return state.target, state.gain


def _families(state: State, parting: _Parting) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return smooth functions of each group, and the degree of each; the constant is with the first."""
    made, degrees = [], []
    for group in parting.groups:
        degree = degree_for(len(group), state.n_rows // 2, _TERMS)
        made.append(chebyshev(Box.of(state.columns[:, group], straight(state)).places, degree))
        degrees.append(degrees_of(len(group), degree))
    return [made[0], made[1][:, 1:]], [degrees[0], degrees[1][1:]]


def _error(state: State, parting: _Parting) -> float:
    values, weights = _goal(state, parting)
    return Blocks.of(*_families(state, parting)).error(values - values.mean(), weights)


def _left(state: State, parting: _Parting, watch: Watch) -> Iterator[State]:
    """Name either part, and yield what that leaves."""
    values, weights = _goal(state, parting)
    families, degrees = _families(state, parting)
    fit = Blocks.of(families, degrees).coefficients(values, weights, 1e-11)
    if fit is None:
        return
    first = families[0].shape[1]
    parts = [families[0] @ fit[0][:first], families[1] @ fit[0][first:]]
    error = float(np.sqrt(np.mean((parts[0] + parts[1] - values) ** 2)))
    for group, part in sorted(zip(parting.groups, parts), key=lambda own: len(own[0])):
        own = np.exp(part - part.mean()) if parting.product else part - part.mean()
        scale = 1.0 if parting.product else float(np.std(own))
        others = tuple(i for i in range(state.n_columns) if i not in group)
        names = names_of(state.without(others), own, max(error / max(scale, 1e-300), 1e-6), watch)
        for named in trusted(names):
            kind = "times" if parting.product else "plus"
            note = f"is {named.expression} {kind} a function of other columns"
            left = state.divided(named.values, named.expression, note) if parting.product else state.reduced_by(named.values, named.expression, note)
            yield left.without(group)
