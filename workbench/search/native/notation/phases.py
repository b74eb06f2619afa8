"""Phases of waves brought home: sin(x - 20.42) is -sin(x + 1.57), which is -cos(x).

Whole turns say nothing, half turns change the sign, and a quarter turns a sine into a cosine. A phase that is nearly one of these is taken for it by
whoever asks whether the rows agree.
"""

from __future__ import annotations

import math

from workbench.expression import Call, Expression, Number, add, call, evaluate, fold, free_constants, mul, symbols

_NEAR, _ROUNDING = 1e-3, 1e-12  # to a quarter turn: of a fitted phase, and of an exact one
_QUARTERS = {"sin": (("sin", 1), ("cos", 1), ("sin", -1), ("cos", -1)), "cos": (("cos", 1), ("sin", -1), ("cos", -1), ("sin", 1))}


def at_home(expression: Expression) -> Expression:
    """Return the expression with the phases of its sines and cosines in a quarter turn around zero, or gone."""
    if not isinstance(expression, Call):
        return expression
    node = call(expression.function, *map(at_home, expression.arguments))
    if not (isinstance(node, Call) and node.function in _QUARTERS and isinstance(node.arguments[0], Call) and node.arguments[0].function == "add"):
        return fold(node)
    terms = node.arguments[0].arguments
    phase = next((term for term in terms if not symbols(term)), None)
    if phase is None:
        return fold(node)
    value, exact = float(evaluate(phase, {})), not free_constants(phase)
    quarters = round(value / (math.pi / 2))
    left = value - quarters * math.pi / 2
    if exact and abs(left) > _ROUNDING:
        return fold(node)
    function, sign = _QUARTERS[node.function][quarters % 4]
    inside = [term for term in terms if term is not phase] + ([] if abs(left) < _NEAR else [Number(left)])
    return fold(mul(sign, call(function, add(*inside))))
