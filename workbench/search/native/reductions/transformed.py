"""A law whose transform is simpler than itself: log h, 1/h, log(1 - h) ... parts, scales or is linear where h does not.

    T(h) = A(u) k(v)      T(h) = A(u) + k(v)      T(h) = A(rest) + B(rest) f      T(L^a u) = L^b T(u)

A state of T(h) is one like any other, so what is known to follow from symmetries, partings and splits of h holds for it. Where log h is linear in a
column, h = A exp(B f) is left behind by a division, so that what is left of h may be transformed anew.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from workbench.expression import call, substitute
from workbench.search.native.reductions import symmetries
from workbench.search.native.reductions.separable import separable
from workbench.search.native.reductions.signs import of_one_sign
from workbench.search.native.reductions.splits import linear_in_function, linear_parts, plainly_reduced
from workbench.search.native.screens.one_variable import one_variable
from workbench.search.native.state import HOLE, Candidate, State
from workbench.search.native.surrogate import smoothed
from workbench.search.native.transforms import TRANSFORMS, Transform, transformed
from workbench.search.native.watch import Watch

_LOGARITHM = "log(y)"
_INSIDE = (_LOGARITHM, "1/y", "y^2", "log(1-y)", "logit(y)", "exp(y)", "sin(y)", "cos(y)", "tan(y)")
_CLEAR, _AS_GOOD = 0.3, 1.05  # error of a split that is surely right, against the best surrogate's; with noise, of which none can leave less
_BESIDE = (-1.0, 1.0)


def scaled_within_transforms(state: State, watch: Watch) -> Iterator[Candidate]:
    """Yield what symmetries of transforms lead to, which costs little; of a law that changes its sign, of what is left of one sign."""
    for own in _of_one_sign(state):
        yield from () if own is state else plainly_reduced(own, watch)
        for _, transform in _transforms(own):
            smaller = None if watch.over else symmetries.evidently_scaled(transform)
            if smaller is not None:
                yield from plainly_reduced(smaller, watch)


def split_within_transforms(state: State, watch: Watch) -> Iterator[Candidate]:
    """Yield what partings and splits of transforms lead to."""
    for own in _of_one_sign(state):
        for name, transform in _transforms(own):
            exponentials = (_exponentials(own, transform, watch),) if name == _LOGARITHM and transform.n_rows == own.n_rows else ()
            for steps in (separable(transform, watch), *exponentials, linear_in_function(transform, watch, _worst(own))):
                if watch.over:
                    return
                yield from steps


def _worst(state: State) -> float:
    return _CLEAR if smoothed(state) is None else _AS_GOOD


def _of_one_sign(state: State) -> list[State]:
    """Return a state of two columns or more, after its quotients of one sign."""
    return [*of_one_sign(state), state] if state.n_columns > 1 else []


def _transforms(state: State) -> Iterator[tuple[str, State]]:
    return ((name, own) for name in _INSIDE if (own := _of_transform(state, TRANSFORMS[name])) is not None)


def _of_transform(state: State, transform: Transform) -> State | None:
    """Return the state of T(h), on the rows where T is defined; None where these are too few."""
    target = transformed(state, transform)
    if target is None:
        return None
    shell = substitute(state.shell, {HOLE.name: target.back(HOLE)})
    values = np.where(target.weights > 0, target.values, np.nan)
    return State(state.columns, state.names, values, target.weights, shell, (*state.path, f"{target.name} is simpler")).finite()


def _exponentials(state: State, logarithm: State, watch: Watch) -> Iterator[Candidate]:
    """Yield what is left of h = A(rest) exp(B(rest) f) once the exponential is divided off, given the state of log h on the same rows."""
    for term, values, parts in linear_parts(logarithm, watch, _worst(state)):
        left = state.divided(np.exp(values), call("exp", term), f"is proportional to exp({term})").without(parts)
        yield from plainly_reduced(left, watch)
        if left.n_columns == 1 and not watch.over:
            yield from one_variable(left, watch, _BESIDE)
        if watch.over:
            return
