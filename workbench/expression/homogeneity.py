"""Which units a formula asks of its variables, where nobody says what they are.

    x - u*t     asks that x is like u*t          1 - v**2/c**2     that v is like c          exp(-t)     that t is a pure number

Whatever the units of a table are, a law of nature agrees with some: terms of a sum are alike, and what stands in a function is a pure number. Every unit
of a variable that follows from the others by the formula alone is a coincidence that the formula asks for.

Exact numbers are pure. A fitted one that is a term, or the factor of what stands in a function, may have the unit that is needed: x + 1.7, exp(-0.3*t);
and 2.1*log(x) + 0.4 is 2.1*log(x/x_0).
"""

from __future__ import annotations

import numpy as np

from workbench.expression.calculus import factors_of, symbols
from workbench.expression.tree import Call, Constant, Expression, Number, Symbol

_ROUNDING = 1e-6
_POWERS = {"sqrt": 0.5, "cbrt": 1.0 / 3.0, "abs": 1.0}


def ties(expression: Expression) -> int:
    """Return how many units of variables a formula ties to others, or to none.

    >>> from workbench.expression import parse
    >>> [ties(parse(text)) for text in ("m*c**2", "x - u*t", "m/sqrt(1 - v**2/c**2)", "exp(-t)*x", "exp(-0.3*t)*x", "x + y - z")]
    [0, 1, 1, 1, 0, 2]
    """
    names = sorted(symbols(expression))
    if not names:
        return 0
    alike: list[np.ndarray] = []
    _unit(expression, dict(zip(names, np.eye(len(names)), strict=True)), alike)
    kept = [row for row in alike if np.abs(row).max() > _ROUNDING]
    return int(np.linalg.matrix_rank(np.array(kept), tol=_ROUNDING)) if len(kept) > 1 else len(kept)


def _unit(node: Expression, units: dict[str, np.ndarray], alike: list[np.ndarray]) -> np.ndarray:
    """Return the unit of a node as powers of the variables' units, and note what must be a pure number for that."""
    none = np.zeros(len(units))
    match node:
        case Number() | Constant():
            return none
        case Symbol(name=name):
            return units[name]
        case Call(function="mul", arguments=factors):
            return sum((_unit(each, units, alike) for each in factors), none)
        case Call(function="add", arguments=terms):
            bound = [term for term in terms if not _is_fitted(term)]
            loose = len(bound) < len(terms)  # beside a fitted term a logarithm is one of a ratio: what it asks for is not noted
            first, *others = [_unit(each, units, [] if loose and _is_logarithm(each) else alike) for each in bound] or [none]
            alike.extend(other - first for other in others)
            return first
        case Call(function="pow", arguments=(base, Number(value=exponent))):
            return float(exponent) * _unit(base, units, alike)
        case Call(function="sqrt" | "cbrt" | "abs" as name, arguments=(argument,)):
            return _POWERS[name] * _unit(argument, units, alike)
        case Call(arguments=arguments):
            for argument in arguments:
                unit = _unit(argument, units, alike)
                if len(factors_of(argument)) == 1 or not any(map(_is_fitted, factors_of(argument))):
                    alike.append(unit)
    return none


def _is_logarithm(term: Expression) -> bool:
    return any(isinstance(each, Call) and each.function == "log" for each in factors_of(term))


def _is_fitted(node: Expression) -> bool:
    return isinstance(node, Number) and not node.exact
