"""The simplest exact constant near a number: 0.3333 -> 1/3, 6.2832 -> 2*pi, 0.7071 -> sqrt(2)/2.

Candidates are p/q * u with q <= 12 and u one of 1, pi, 1/pi, e, sqrt(2), sqrt(3), sqrt(5), sqrt(pi). The simplest is the one with the shortest
description: log2(1 + |p|) + log2(q) bits, and a charge for u. A value hits one of them by chance with probability about
(number of simpler candidates nearby) * 2 * tolerance, so choose the tolerance from the uncertainty of the constant, not from hope.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from workbench.exceptions import ExpressionError
from workbench.expression.functions import FUNCTIONS
from workbench.expression.tree import Constant, Expression, Number, call, mul, power

LARGEST_DENOMINATOR = 12

_PI = Constant("pi")
_UNITS: tuple[tuple[Expression, float, float], ...] = (  # expression, value, bits charged
    (Number(1), 1.0, 0.0),
    (_PI, math.pi, 2.0),
    (call("sqrt", 2), math.sqrt(2), 3.0),
    (Constant("e"), math.e, 3.0),
    (power(_PI, -1), 1 / math.pi, 3.0),
    (call("sqrt", 3), math.sqrt(3), 3.0),
    (call("sqrt", _PI), math.sqrt(math.pi), 4.0),
    (call("sqrt", 5), math.sqrt(5), 4.0),
)


def nearest_exact(value: float, tolerance: float) -> Expression | None:
    """Return the simplest exact constant within `tolerance` (absolute) of a value, or None.

    >>> str(nearest_exact(1.5707, 1e-3))
    'pi/2'
    >>> nearest_exact(0.7391, 1e-6) is None
    True
    """
    if not math.isfinite(value) or not tolerance >= 0:
        raise ExpressionError(f"nearest_exact({value}, tolerance={tolerance}): a finite value and a tolerance of 0 or more are needed.")
    if abs(value) <= tolerance:
        return Number(0)
    best: tuple[float, float, Expression] | None = None
    for unit, size, charge in _UNITS:
        for denominator in range(1, LARGEST_DENOMINATOR + 1):
            ratio = Fraction(round(value / size * denominator), denominator)
            distance = abs(float(ratio) * size - value)
            if ratio.denominator != denominator or ratio == 0 or distance > tolerance:
                continue
            bits = math.log2(1 + abs(ratio.numerator)) + math.log2(denominator) + charge
            if best is None or (bits, distance) < best[:2]:
                best = (bits, distance, mul(ratio, unit))
    return best[2] if best else None


def known_value(function: str, argument: Expression) -> Number | None:
    """Return the exact value that a function has at 0 or at 1 where it is 0 or 1 itself, else None.

    >>> str(known_value("exp", Number(0))), known_value("exp", Number(1)) is None
    ('1', True)
    """
    if function not in FUNCTIONS or not isinstance(argument, Number) or argument not in (Number(0), Number(1)):
        return None
    with np.errstate(all="ignore"):
        value = float(FUNCTIONS[function].value(np.float64(argument.value)))
    return Number(int(value)) if value in (0.0, 1.0) else None
