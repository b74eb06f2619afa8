"""The simplest exact constant near a number: 0.3333 -> 1/3, 6.2832 -> 2*pi, 0.7071 -> sqrt(2)/2.

Candidates are p/q * u with q <= 12 or a product of 2, 3 and 5 up to 64, and u one of 1, pi, pi^2, sqrt(pi), sqrt(2 pi), their inverses, e, sqrt(2),
sqrt(3) and sqrt(5). The simplest is the one with the shortest description: log2(1 + |p|) + log2(q) bits, and a charge for u. A value hits one of them
by chance with probability about (number of simpler candidates nearby) * 2 * tolerance, so choose the tolerance from the uncertainty of the constant,
not from hope.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from workbench.exceptions import ExpressionError
from workbench.expression.functions import FUNCTIONS
from workbench.expression.tree import Constant, Expression, Number, call, mul, power

_DENOMINATORS = np.array([*range(1, 13), 15, 16, 18, 20, 24, 25, 27, 30, 32, 36, 40, 45, 48, 50, 54, 60, 64])
_PI = Constant("pi")
_ROOT_2PI = call("sqrt", mul(2, _PI))
_UNITS: tuple[tuple[Expression, float, float], ...] = (  # expression, value, bits charged
    (Number(1), 1.0, 0.0),
    (_PI, math.pi, 2.0),
    (call("sqrt", 2), math.sqrt(2), 3.0),
    (Constant("e"), math.e, 3.0),
    (power(_PI, -1), 1 / math.pi, 3.0),
    (call("sqrt", 3), math.sqrt(3), 3.0),
    (call("sqrt", _PI), math.sqrt(math.pi), 4.0),
    (call("sqrt", 5), math.sqrt(5), 4.0),
    (power(_PI, 2), math.pi**2, 4.0),
    (power(_PI, -2), math.pi**-2, 4.0),
    (power(call("sqrt", _PI), -1), math.pi**-0.5, 4.0),
    (_ROOT_2PI, math.sqrt(2 * math.pi), 5.0),
    (power(_ROOT_2PI, -1), 1 / math.sqrt(2 * math.pi), 5.0),
)
_SIZES = np.array([size for _, size, _ in _UNITS])[:, None]
_BITS = np.log2(_DENOMINATORS) + np.array([charge for _, _, charge in _UNITS])[:, None]


def nearest_exact(value: float, tolerance: float) -> Expression | None:
    """Return the simplest exact constant within `tolerance` (absolute) of a value, or None.

    >>> str(nearest_exact(1.5707, 1e-3)), str(nearest_exact(0.0126651, 1e-7))
    ('pi/2', '1/(8*pi**2)')
    >>> nearest_exact(0.7391, 1e-6) is None
    True
    """
    if not math.isfinite(value) or not tolerance >= 0:
        raise ExpressionError(f"nearest_exact({value}, tolerance={tolerance}): a finite value and a tolerance of 0 or more are needed.")
    if abs(value) <= tolerance:
        return Number(0)
    with np.errstate(over="ignore", invalid="ignore"):
        numerators = np.rint(value / _SIZES * _DENOMINATORS)
        distances = np.abs(numerators / _DENOMINATORS * _SIZES - value)
        bits = np.log2(1 + np.abs(numerators)) + _BITS
    near = (distances <= tolerance) & (numerators != 0) & np.isfinite(numerators)
    if not near.any():
        return None
    hits = np.argwhere(near)
    row, column = hits[np.lexsort((distances[near], bits[near]))[0]]  # a fraction that could be reduced is there once more, reduced, with fewer bits
    return mul(Fraction(int(numerators[row, column]), int(_DENOMINATORS[column])), _UNITS[row][0])


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
