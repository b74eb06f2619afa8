"""Columns that do not matter, dropped at once where there are many: every reduction would otherwise try them again."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from workbench.search.native.state import State
from workbench.search.native.surrogate import smooth_error

_ROWS, _TERMS = 600, 100
_NO_RISE = 1.005  # of the leave-one-out error
_UNKNOWN = 0.3  # relative error of a surrogate that cannot tell


def relevant(state: State, stop: Callable[[], bool]) -> State:
    """Return the state without the columns whose absence does not raise the leave-one-out error, one after the other.

    Where the surrogate knows little of the target, nothing is dropped.
    """
    error = smooth_error(state.thinned(_ROWS), _TERMS)
    if error > _UNKNOWN * float(np.std(state.target * state.gain)):
        return state
    while state.n_columns > 1 and not stop():
        without = [state.without([i], f"does not depend on {state.names[i]}") for i in range(state.n_columns)]
        errors = [smooth_error(own.thinned(_ROWS), _TERMS) for own in without]
        least = min(range(len(errors)), key=errors.__getitem__)
        if not errors[least] <= _NO_RISE * error:
            return state
        state, error = without[least], min(error, errors[least])
    return state
