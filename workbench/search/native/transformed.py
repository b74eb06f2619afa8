"""A law whose transform is simpler than itself: log h, 1/h, log(1 - h) ... parts, scales or is linear where h does not.

    T(h) = A(u) k(v)      T(h) = A(u) + k(v)      T(h) = A(rest) + B(rest) f      T(L^a u) = L^b T(u)

A state of T(h) is one like any other, so what is known to follow from symmetries, partings and splits of h holds for it. Where log h is linear in a
column, h = A exp(B f) is left behind by a division, so that what is left of h may be transformed anew.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from workbench.expression import call, substitute
from workbench.search.native import symmetries
from workbench.search.native.one_variable import one_variable
from workbench.search.native.separable import separable
from workbench.search.native.signs import of_one_sign
from workbench.search.native.splits import linear_in_function, linear_parts, plainly_reduced
from workbench.search.native.state import HOLE, Candidate, State
from workbench.search.native.transforms import TRANSFORMS, Transform, transformed
from workbench.search.native.watch import Watch

_INSIDE = ("log(y)", "1/y", "y^2", "log(1-y)", "logit(y)", "exp(y)", "sin(y)", "cos(y)", "tan(y)")
_CLEAR = 0.3  # error of a split that is surely right, against the best surrogate's
_BESIDE = (-1.0, 1.0)


def within_transforms(state: State, watch: Watch) -> Iterator[Candidate]:
    """Yield what is found for transforms of a state of two columns or more; where it changes its sign, of what is left of one sign."""
    if state.n_columns < 2:
        return
    for divided in of_one_sign(state):
        yield from plainly_reduced(divided, watch)
        yield from _transforms(divided, watch)
        if watch.over:
            return
    yield from _transforms(state, watch)


def _transforms(state: State, watch: Watch) -> Iterator[Candidate]:
    """Yield what symmetries say of any transform, which is cheap; then what partings and splits say."""
    own = [made for name in _INSIDE if (made := of_transform(state, TRANSFORMS[name])) is not None]
    for made in own:
        yield from _symmetric(made, watch)
    for made in own:
        for steps in (separable(made, watch), _exponentials(state, made, watch), linear_in_function(made, watch, _CLEAR)):
            if watch.over:
                return
            yield from steps


def of_transform(state: State, transform: Transform) -> State | None:
    """Return the state of T(h), on the rows where T is defined; None where these are too few."""
    target = transformed(state, transform)
    if target is None:
        return None
    shell = substitute(state.shell, {HOLE.name: target.back(HOLE)})
    values = np.where(target.weights > 0, target.values, np.nan)
    return State(state.columns, state.names, values, target.weights, shell, (*state.path, f"{target.name} is simpler")).finite()


def _symmetric(state: State, watch: Watch) -> Iterator[Candidate]:
    """Follow the evident symmetries of a state."""
    smaller = symmetries.evidently_scaled(state)
    if smaller is not None and not watch.over:
        yield from plainly_reduced(smaller, watch)


def _exponentials(state: State, logarithm: State, watch: Watch) -> Iterator[Candidate]:
    """Yield what is left of h = A(rest) exp(B(rest) f) once the exponential is divided off."""
    for term, values, parts in linear_parts(logarithm, watch, _CLEAR):
        rows = np.isfinite(values)
        if watch.over or not rows.all() or len(rows) != state.n_rows:
            return
        left = state.divided(np.exp(values), call("exp", term), f"is proportional to exp of {term}").without(parts)
        yield from plainly_reduced(left, watch)
        if left.n_columns == 1 and not watch.over:
            yield from one_variable(left, watch, _BESIDE)
