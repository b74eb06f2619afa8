"""The ways to put a small formula into a place of another, each linear in it or in its logarithm to first order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice

import numpy as np

from workbench.expression import Expression, Number, add, evaluate, mul, power
from workbench.search.native.judging.polishing import Rows, linearised
from workbench.search.native.judging.tape import Tape
from workbench.search.native.revisions.places import Place, places, response

_MOST_PLACES = 24


@dataclass(frozen=True, eq=False)
class Move:
    """A way to put a part F into a place: to first order the weighted values change by k * gain * F, or by k * gain * log F.

    Parameters
    ----------
    wanted : (n_rows,)     what that should be
    gain : (n_rows,)
    tangents : (n_rows, n_constants)     orthonormal: what the constants that stay can do by themselves
    written : the new formula, of k and F
    freed : what is no longer said
    of_logarithms : whether F stands as a power
    scaled : whether k and another fitted constant are one
    """

    wanted: np.ndarray
    gain: np.ndarray
    tangents: np.ndarray
    written: Callable[[Number, Expression], Expression]
    freed: Expression | None = None
    of_logarithms: bool = False
    scaled: bool = False


def moves(expression: Expression, rows: Rows) -> Iterator[Move]:
    """Yield all ways to put a part into a place of an expression."""
    n_rows = len(rows.y)
    left = (rows.y - np.broadcast_to(evaluate(expression, rows.columns), rows.y.shape)) * rows.root_weights
    constants, none = _tangents(expression, rows), np.empty((n_rows, 0))
    for place in islice(places(expression), _MOST_PLACES):
        s, slope = response(place, rows.columns, n_rows)
        slope = slope * rows.root_weights
        if not (np.isfinite(s).all() and np.isfinite(slope).all()):
            continue
        yield Move(left + slope * s, slope, none, _replaced(place), freed=place.part, scaled=place.scaled)
        if place.within != "mul":  # a factor of one is a factor of all
            yield Move(left + slope * s, slope * s, none, _multiplied(place))
            yield Move(left, slope * s, constants, _times_power(place), of_logarithms=True)
        if place.within != "add":
            yield Move(left, slope, constants, _added_under(place, 1))
        if (s > 0).all():
            for exponent in (2, -1, -2):
                yield Move(left, slope / (exponent * s ** (exponent - 1)), constants, _added_under(place, exponent))


def _replaced(place: Place) -> Callable[[Number, Expression], Expression]:
    return lambda k, part: place.filled(mul(k, part))


def _multiplied(place: Place) -> Callable[[Number, Expression], Expression]:
    return lambda k, part: place.filled(mul(k, place.part, part))


def _times_power(place: Place) -> Callable[[Number, Expression], Expression]:
    return lambda k, part: place.filled(mul(place.part, power(part, k)))


def _added_under(place: Place, exponent: int) -> Callable[[Number, Expression], Expression]:
    """Return how to write T^-1(T(s) + k F) with T(s) = s^exponent."""
    return lambda k, part: place.filled(power(add(power(place.part, Number(exponent)), mul(k, part)), Number(Fraction(1, exponent))))


def _tangents(expression: Expression, rows: Rows) -> np.ndarray:
    """Return an orthonormal basis of what small changes of the constants can do: (n_rows, n_constants)."""
    tape = Tape(expression)
    point = linearised(tape, np.array(tape.start), rows) if tape.start else None
    if point is None:
        return np.empty((len(rows.y), 0))
    sizes = np.sqrt(np.sum(point.jacobian**2, axis=1))
    return np.linalg.qr((point.jacobian[sizes > 0] / sizes[sizes > 0, None]).T)[0]
