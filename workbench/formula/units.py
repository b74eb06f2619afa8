"""Units of constants, where they are plain: a term of an output has the output's unit.

    V [ft³] = 0.0026*G*G*H - 0.3    with G [in], H [ft]    ->    0.0026 ft³/(in^2·ft),  0.3 ft³

Constants elsewhere (inside functions, exponents, sums of sums) have a unit too, but no plain one, and get None.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from workbench.expression import Call, Expression, Number, Symbol, free_constants

if TYPE_CHECKING:
    from workbench.formula.formula import Input

_DIMENSIONLESS = ("", "1", "-", "—", "%")


def constant_units(expression: Expression, inputs: Sequence[Input], unit: str | None) -> tuple[str | None, ...]:
    """Return the unit of every free constant of an output's expression, None where it is unknown or not plain.

    Parameters
    ----------
    expression : of the output
    inputs : with their units
    unit : of the output

    Returns
    -------
    one entry per constant, in the order of `expression.free_constants`
    """
    known = {column.symbol: column.unit for column in inputs}
    terms = expression.arguments if isinstance(expression, Call) and expression.function == "add" else (expression,)
    return tuple(found for term in terms for found in _term_units(term, known, unit))


def _term_units(term: Expression, known: dict[str, str | None], unit: str | None) -> list[str | None]:
    count = len(free_constants(term))
    units: list[str | None] = [None] * count
    if count == 0 or unit is None:
        return units
    if isinstance(term, Number):
        return [unit]
    if not (isinstance(term, Call) and term.function == "mul" and isinstance(term.arguments[0], Number) and count == 1):
        return units
    powers = _monomial(term.arguments[1:])
    if powers is None or term.arguments[0].exact or any(known.get(symbol) is None for symbol in powers):
        return units
    return [_quotient(unit, [(str(known[symbol]), power) for symbol, power in powers.items()])]


def _monomial(factors: Sequence[Expression]) -> dict[str, Fraction] | None:
    """Return symbol -> exponent for a product of powers of symbols, None for anything else."""
    powers: dict[str, Fraction] = {}
    for factor in factors:
        match factor:
            case Symbol(name=name):
                exponent = Fraction(1)
            case Call(function="pow", arguments=(Symbol(name=name), Number(value=int() | Fraction() as value))):
                exponent = Fraction(value)
            case Call(function="sqrt", arguments=(Symbol(name=name),)):
                exponent = Fraction(1, 2)
            case _:
                return None
        powers[name] = powers.get(name, Fraction(0)) + exponent
    return powers


def _quotient(unit: str, powers: list[tuple[str, Fraction]]) -> str:
    """Write unit divided by units to powers: ft³/(in^2·ft)."""
    above = [] if unit.strip() in _DIMENSIONLESS else [_bracketed(unit)]
    below: list[str] = []
    for name, exponent in powers:
        if name.strip() not in _DIMENSIONLESS:
            size = abs(exponent)
            text = _bracketed(name) + ("" if size == 1 else f"^{size}" if size.denominator == 1 else f"^({size})")
            (below if exponent > 0 else above).append(text)
    top = "·".join(above) or "1"
    if not below:
        return top
    return f"{top}/{below[0]}" if len(below) == 1 else f"{top}/({'·'.join(below)})"


def _bracketed(unit: str) -> str:
    plain = unit.strip()
    return f"({plain})" if any(sign in plain for sign in "/·* ") else plain
