"""Free constants that may as well be whole numbers, fractions, multiples of pi or nothing, as the cost of the whole says.

A constant within its interval of an exact one, or of zero, is replaced, the others are fitted again, and the replacement stays if the description gets
shorter. `workbench.formula.rounding` does this with more care for one formula that was chosen; here it makes rivals comparable.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from workbench.exceptions import ExpressionError
from workbench.expression import Expression, Number, free_constants, nearest_exact, symbols, with_constants
from workbench.formula.rounding import description_bits
from workbench.search.native.judging.polishing import Rows, linearised, polished
from workbench.search.native.judging.tape import Tape

_REACH = 2.5  # standard errors
_LEAST_REACH = 1e-9  # relative: what rounding leaves of a noise-free constant
_MARGIN, _UNIT_MARGIN = 4.0, 2.0  # bits: a value of b bits is hit by chance once in 2^margin times; factors of 1 are what most laws have
_NOTHING = 1e-9  # of the target: a constant that moves less may be zero, whatever is known of it
_WIDEST = 0.3  # a constant that is not known better than this is left as it is

Cost = Callable[[Expression, float], float]


def with_exact_constants(expression: Expression, rmse: float, rows: Rows, cost: Cost) -> tuple[Expression, float]:
    """Return the expression with exact constants wherever that lowers the cost, and its error."""
    best = cost(expression, rmse)
    refused: set[Expression] = set()
    while True:
        for place, exact in _proposals(expression, rows):
            values: list[float | Expression] = list(free_constants(expression))
            values[place] = exact
            trial = _built(expression, values)
            if trial is None or trial in refused:
                continue
            refused.add(trial)
            trial, error = polished(trial, rows)
            if cost(trial, error) < best:
                expression, rmse, best = trial, error, cost(trial, error)
                break
        else:
            return expression, rmse


def _built(expression: Expression, values: Sequence[float | Expression]) -> Expression | None:
    try:
        trial = with_constants(expression, values)
    except (ExpressionError, ZeroDivisionError, OverflowError):
        return None
    return trial if symbols(trial) else None


def _proposals(expression: Expression, rows: Rows) -> list[tuple[int, Expression]]:
    """Return (number of the constant, exact value): zeros first, which make the expression shorter."""
    constants = np.array(free_constants(expression))
    if not len(constants):
        return []
    point = linearised(Tape(expression), constants, rows)
    if point is None:
        return []
    errors = _standard_errors(point.residual, point.jacobian)
    moved = np.abs(constants) * np.linalg.norm(point.jacobian, axis=1)
    found = [(int(place), Number(0)) for place in np.flatnonzero(moved < _NOTHING * np.linalg.norm(rows.y * rows.root_weights))]
    for place, (constant, error) in enumerate(zip(constants.tolist(), errors.tolist())):
        reach = max(_REACH * error, _LEAST_REACH * abs(constant))
        if np.isfinite(reach) and abs(constant) <= reach:
            found.insert(0, (place, Number(0)))
        elif np.isfinite(reach) and reach <= _WIDEST * abs(constant):
            exact = _nearest(constant, reach)
            found += [(place, exact)] if exact is not None else []
    return found


def _nearest(constant: float, reach: float) -> Expression | None:
    """Return the simplest exact value in reach, where it takes fewer bits than the data know of the constant."""
    nearest = nearest_exact(constant, reach)
    if nearest is None or nearest == Number(0):
        return None
    margin = _UNIT_MARGIN if nearest in (Number(1), Number(-1)) else _MARGIN
    return nearest if description_bits(nearest) + margin <= np.log2(abs(constant) / reach) else None


def _standard_errors(residual: np.ndarray, jacobian: np.ndarray) -> np.ndarray:
    """Return the standard errors of the constants, infinite where they are not told apart."""
    size = np.linalg.norm(jacobian, axis=1)
    if not np.isfinite(size).all() or not (size > 0).all():
        return np.full(len(size), np.inf)
    scaled = jacobian / size[:, None]
    freedom = max(len(residual) - len(size), 1)
    normal = scaled @ scaled.T
    if np.linalg.cond(normal) > 1e13:
        return np.full(len(size), np.inf)
    variance = np.diag(np.linalg.inv(normal)) * float(residual @ residual) / freedom
    return np.sqrt(np.maximum(variance, 0.0)) / size
