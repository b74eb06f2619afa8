"""Free constants that may as well be whole numbers, fractions, multiples of pi or nothing, as the cost of the whole says.

A constant within its interval of an exact one, or of zero, is replaced, the others are fitted again, and the replacement stays if the description gets
shorter. Of two constants that trade against each other the rows may know neither, and yet both: (1 + 2.03*u)^(-0.657) is no better than (1 + 2*u)^(-2/3).
Such are replaced together. `workbench.formula.rounding` does this with more care for one formula that was chosen; here it makes rivals comparable.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy as np

from workbench.exceptions import ExpressionError
from workbench.expression import Expression, Number, free_constants, nearest_exact, symbols, with_constants
from workbench.formula.rounding import description_bits
from workbench.search.native.judging.polishing import Point, Rows, linearised, polished
from workbench.search.native.judging.tape import Tape

_REACH = 2.5  # standard errors
_LEAST_REACH = 1e-9  # relative: what rounding leaves of a noise-free constant
_MARGIN, _UNIT_MARGIN = 4.0, 2.0  # bits: a value of b bits is hit by chance once in 2^margin times; factors of 1 are what most laws have
_NOTHING = 1e-9  # of the target: a constant that moves less may be zero, whatever is known of it
_WIDEST = 0.3  # a constant that is not known better than this is left as it is
_TRADED = 0.9  # correlation of two constants that trade against each other

Cost = Callable[[Expression, float], float]


def with_exact_constants(expression: Expression, rmse: float, rows: Rows, cost: Cost) -> tuple[Expression, float]:
    """Return the expression with exact constants wherever that lowers the cost, and its error."""
    best = cost(expression, rmse)
    refused: set[Expression] = set()
    while True:
        for trial in itertools.chain(_with_one(expression, rows), _with_two(expression, rows)):
            if trial in refused:
                continue
            refused.add(trial)
            trial, error = polished(trial, rows)
            if cost(trial, error) < best:
                expression, rmse, best = trial, error, cost(trial, error)
                break
        else:
            return expression, rmse


def _with_one(expression: Expression, rows: Rows) -> Iterator[Expression]:
    """Yield the expression with one constant made exact, each in turn."""
    trials = (_built(expression, place, exact) for place, exact in _proposals(expression, rows))
    return (trial for trial in trials if trial is not None)


def _with_two(expression: Expression, rows: Rows) -> Iterator[Expression]:
    """Yield the expression with two constants made exact that trade against each other: what one of them is settles the other."""
    for place, exact, owed in _traded(expression, rows):
        trial = _built(expression, place, exact)
        if trial is None:
            continue
        trial, _ = polished(trial, rows)
        others = (_built(trial, *proposed) for proposed in _proposals(trial, rows, owed) if proposed[1] != Number(0))  # what vanishes settles nothing
        yield from (other for other in others if other is not None)


def _built(expression: Expression, place: int, exact: Expression) -> Expression | None:
    values: list[float | Expression] = list(free_constants(expression))
    values[place] = exact
    try:
        trial = with_constants(expression, values)
    except (ExpressionError, ZeroDivisionError, OverflowError):
        return None
    return trial if symbols(trial) else None


def _proposals(expression: Expression, rows: Rows, owed: float = 0.0) -> list[tuple[int, Expression]]:
    """Return (number of the constant, exact value): zeros first, which make the expression shorter.

    Parameters
    ----------
    owed : bits by which another constant was made exact without being known as well as it should
    """
    point = _fitted_point(expression, rows)
    if point is None:
        return []
    errors = _standard_errors(_covariance(point))
    moved = np.abs(point.constants) * np.linalg.norm(point.jacobian, axis=1)
    found = [(int(place), Number(0)) for place in np.flatnonzero(moved < _NOTHING * np.linalg.norm(rows.y * rows.root_weights))]
    for place, (constant, error) in enumerate(zip(point.constants.tolist(), errors.tolist())):
        reach = max(_REACH * error, _LEAST_REACH * abs(constant))
        if np.isfinite(reach) and abs(constant) <= reach:
            found.insert(0, (place, Number(0)))
        elif np.isfinite(reach) and reach <= _WIDEST * abs(constant):
            exact = _nearest(constant, reach, owed)
            found += [(place, exact)] if exact is not None else []
    return found


def _traded(expression: Expression, rows: Rows) -> Iterator[tuple[int, Expression, float]]:
    """Yield (number of the constant, exact value, bits owed) of constants that trade against another and are not known well enough by themselves."""
    point = _fitted_point(expression, rows)
    if point is None:
        return
    covariance = _covariance(point)
    errors = _standard_errors(covariance)
    with np.errstate(all="ignore"):
        traded = np.abs(covariance / np.outer(errors, errors)) - np.eye(len(errors)) > _TRADED
    for place in np.flatnonzero(traded.any(axis=1)).tolist():
        constant, reach = float(point.constants[place]), _REACH * float(errors[place])
        exact = nearest_exact(constant, reach) if 0 < reach <= _WIDEST * abs(constant) else None
        if exact is not None and exact != Number(0):
            yield place, exact, max(description_bits(exact) - float(np.log2(abs(constant) / reach)), 0.0)


def _nearest(constant: float, reach: float, owed: float) -> Expression | None:
    """Return the simplest exact value in reach, where it takes fewer bits than the data know of the constant."""
    nearest = nearest_exact(constant, reach)
    if nearest is None or nearest == Number(0):
        return None
    margin = _UNIT_MARGIN if nearest in (Number(1), Number(-1)) else _MARGIN
    return nearest if description_bits(nearest) + margin + owed <= np.log2(abs(constant) / reach) else None


def _fitted_point(expression: Expression, rows: Rows) -> Point | None:
    """Return what the rows say of the constants as they are; None where there are none, or a value is not finite."""
    constants = np.array(free_constants(expression))
    return linearised(Tape(expression), constants, rows) if len(constants) else None


def _covariance(point: Point) -> np.ndarray:
    """Return the covariance of the constants, infinite where they are not told apart."""
    residual, jacobian = point.residual, point.jacobian
    size = np.linalg.norm(jacobian, axis=1)
    unknown = np.full((len(size), len(size)), np.inf)
    if not np.isfinite(size).all() or not (size > 0).all():
        return unknown
    scaled = jacobian / size[:, None]
    freedom = max(len(residual) - len(size), 1)
    normal = scaled @ scaled.T
    if np.linalg.cond(normal) > 1e13:
        return unknown
    return np.linalg.inv(normal) * float(residual @ residual) / freedom / np.outer(size, size)


def _standard_errors(covariance: np.ndarray) -> np.ndarray:
    return np.sqrt(np.maximum(np.diag(covariance), 0.0))
