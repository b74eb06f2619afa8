"""Whether a formula fits the units of its columns: only like quantities are added, functions are given pure numbers, the result is in the target's unit.

    Volume [ft^3] = 0.0026*Girth^2*Height         fits: a fitted constant has whatever unit is needed
    y [m] = x [m] + t [s]                         does not
    y = exp(t [s])                                does not; exp(-0.3*t) does
    y = 0.4*log(x [m]) + 2.5                      fits: the constant holds the unit in which x is counted; log(x) alone does not

Units are compared by dimension: a foot and a metre are both lengths. Each is a product of powers of base units; a word that is none of the
known units is a base unit of its own. What is not known (a fitted constant, a column without a unit) goes with everything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from types import MappingProxyType
from typing import TYPE_CHECKING

from workbench.expression import Call, Constant, Expression, Number, Symbol, factors_of, symbols

if TYPE_CHECKING:
    from workbench.formula.formula import Formula
    from workbench.table import Column

SHIFTED = {**dict.fromkeys(("°C", "℃", "degC"), "273.15"), **dict.fromkeys(("°F", "degF"), "459.67")}  # temperature scales: what leads to their absolute zero

Dimension = Mapping[str, float]  # base unit -> exponent, none of them 0; empty for a pure number

_PURE = ("", "1", "-", "–", "—", "%", "‰", "rad", "deg", "°", "ppm", "ppb")
_NAMED = {  # unit -> base units; the definitions of the SI Brochure (BIPM, 2019), table 4, and what people write beside them
    **{name: "m" for name in ("in", "inch", "ft", "yd", "mi", "mile", "miles", "au", "AU", "ly", "pc", "Å", "metre", "meter", "metres", "meters")},
    **{name: "s" for name in ("min", "h", "hr", "hour", "hours", "d", "day", "days", "a", "yr", "year", "years", "sec", "seconds")},
    **{name: "kg" for name in ("g", "t", "lb", "lbs", "oz", "u", "Da", "gram", "grams")},
    **dict.fromkeys(SHIFTED, "K"),
    "N": "kg m s^-2", "Pa": "kg m^-1 s^-2", "bar": "kg m^-1 s^-2", "atm": "kg m^-1 s^-2", "mmHg": "kg m^-1 s^-2", "psi": "kg m^-1 s^-2",
    "J": "kg m^2 s^-2", "cal": "kg m^2 s^-2", "eV": "kg m^2 s^-2", "Wh": "kg m^2 s^-2", "W": "kg m^2 s^-3", "hp": "kg m^2 s^-3",
    "C": "A s", "V": "kg m^2 s^-3 A^-1", "Ω": "kg m^2 s^-3 A^-2", "Ohm": "kg m^2 s^-3 A^-2", "ohm": "kg m^2 s^-3 A^-2", "S": "A^2 s^3 kg^-1 m^-2",
    "F": "A^2 s^4 kg^-1 m^-2", "H": "kg m^2 s^-2 A^-2", "T": "kg s^-2 A^-1", "Wb": "kg m^2 s^-2 A^-1",
    "Hz": "s^-1", "Bq": "s^-1", "Gy": "m^2 s^-2", "lm": "cd", "lx": "cd m^-2", "mph": "m s^-1", "kn": "m s^-1",
    "L": "m^3", "l": "m^3", "gal": "m^3", "M": "mol m^-3", "ha": "m^2",
}  # fmt: skip
_BASE = ("m", "kg", "s", "A", "K", "mol", "cd")
_LARGEST_DENOMINATOR = 12
_OF_ROOTS = {"sqrt": 1 / 2, "cbrt": 1 / 3, "abs": 1.0}
_PREFIXES = ("da", *"yzafpnuµμmcdhkMGTPEZY")
_PIECE = re.compile(
    r"\s*(?:(\*(?!\*)|[·×⋅./()])"  # an operator or a bracket
    r"|([A-Za-zÅµμΩ%‰°℃]+)(?:\s*(?:\^|\*\*)\s*\(?([-−+]?\d+(?:\.\d+|/\d+)?)\)?|([⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)|([-−]?\d+))?"  # a unit and its exponent
    r"|(\d+(?:\.\d+)?))"  # a number, which has no dimension
)
_IN_WORDS = (re.compile(r"\b(?:cubic|cu\.?)\s+([A-Za-z]+)"), r"\1^3"), (re.compile(r"\b(?:square|sq\.?)\s+([A-Za-z]+)"), r"\1^2")
_RAISED = str.maketrans("⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹−", "+-0123456789-")


def fits_units(formula: Formula) -> bool | None:
    """Say whether every output of a formula fits the units; None where too little is known of them to say anything."""
    units = {column.symbol: dimension(column.unit) for column in formula.inputs}
    wanted = [dimension(output.unit) for output in formula.outputs]
    if not any((*units.values(), *wanted)) or formula.definitions:
        return None
    return all(is_of(output.expression, units, own) for output, own in zip(formula.outputs, wanted, strict=True))


def is_of(expression: Expression, units: Mapping[str, Dimension | None], wanted: Dimension | None) -> bool:
    """Say whether an expression of quantities adds and compares like ones only, and may itself be of a dimension."""
    try:
        _same(_of(expression, units), wanted)
    except _DoesNotFitError:
        return False
    return True


def absolute_zeros(inputs: Iterable[Column]) -> dict[Expression, Expression]:
    """Return what leads from the zero of a temperature scale to the absolute one, by the symbols of the columns that are in °C or °F."""
    return {Symbol(column.symbol): Number(Fraction(SHIFTED[column.unit])) for column in inputs if column.unit in SHIFTED}


def loosened(expression: Expression, zeros: Mapping[Expression, Expression] = MappingProxyType({})) -> Expression:
    """Return an expression whose exact factors and terms are floats, which may have units: who rounds 2.98 kg to 3 says nothing of its unit.

    Signs and exponents stay exact, and so does 273.15 beside a column in °C that `zeros` holds: the unit knows it.
    """
    if not isinstance(expression, Call):
        return expression
    if expression.function == "pow":
        return Call("pow", (loosened(expression.arguments[0], zeros), expression.arguments[1]))
    parts = [loosened(argument, zeros) for argument in expression.arguments]
    if expression.function in ("add", "mul"):
        known = {zeros[part] for part in parts if part in zeros} if expression.function == "add" else set()
        parts = [Number(float(p.value)) if isinstance(p, Number) and p.exact and abs(p.value) != 1 and p not in known else p for p in parts]
    return Call(expression.function, tuple(parts))


def dimension(unit: str | None) -> Dimension | None:
    """Return the dimension of a unit as people write it; None where there is no unit, or it cannot be read.

    >>> dimension("ft/s^2"), dimension("W m⁻² K⁻¹"), dimension("%")
    ({'m': 1.0, 's': -2.0}, {'kg': 1.0, 's': -3.0, 'K': -1.0}, {})
    """
    if unit is None:
        return None
    text = unit.strip()
    if text in _PURE:
        return {}
    for words, power in _IN_WORDS:
        text = words.sub(power, text)
    found: dict[str, float] = {}
    try:
        for name, power in _factors(text):
            for base, exponent in _base_units(name).items():
                found[base] = found.get(base, 0.0) + power * exponent
    except _UnreadableError:
        return None
    return {base: exponent for base, exponent in found.items() if exponent}


def vectors(units: Sequence[str | None]) -> tuple[tuple[Fraction, ...] | None, ...]:
    """Return every unit's exponents of the base units that occur in any of them; None where there is no dimension, or a scale that starts elsewhere (°C).

    >>> [[str(e) for e in own] for own in vectors(["km/h", "m"])]        # of m and s
    [['1', '-1'], ['1', '0']]
    """
    known = [None if unit is None or unit.strip() in SHIFTED else dimension(unit) for unit in units]
    bases = sorted({base for own in known if own for base in own})
    return tuple(None if own is None else tuple(Fraction(own.get(base, 0.0)).limit_denominator(_LARGEST_DENOMINATOR) for base in bases) for own in known)


class _UnreadableError(Exception):
    """A text is no unit."""


def _factors(text: str) -> Iterator[tuple[str, float]]:
    """Yield the units of a text with their exponents; what is below a fraction bar has negative ones."""
    signs, sign, at = [1.0], 1.0, 0  # of the brackets that are open; of the next unit
    while at < len(text):
        piece = _PIECE.match(text, at)
        if piece is None:
            raise _UnreadableError
        at = piece.end()
        operator, name, *exponents, _ = piece.groups()
        if operator:
            sign = _sign_after(operator, sign, signs)
        elif name:
            yield name, sign * _number(next((each for each in exponents if each), "1"))
            sign = signs[-1]


def _sign_after(operator: str, sign: float, signs: list[float]) -> float:
    if operator == "(":
        signs.append(sign)
        return sign
    if operator == ")":
        signs.pop()
        if not signs:
            raise _UnreadableError
    return -signs[-1] if operator == "/" else signs[-1]


def _number(text: str) -> float:
    above, _, below = text.translate(_RAISED).partition("/")
    return float(above) / float(below or 1)


def _base_units(name: str) -> dict[str, float]:
    """Return what one unit is made of, with or without a prefix."""
    if name in _PURE:
        return {}
    if name in _BASE:
        return {name: 1.0}
    for rest in (name, *(name.removeprefix(prefix) for prefix in _PREFIXES if name.startswith(prefix))):
        if rest in _BASE:
            return {rest: 1.0}
        if rest in _NAMED:
            parts = (part.partition("^") for part in _NAMED[rest].split())
            return {base: float(exponent or 1) for base, _, exponent in parts}
    return {name: 1.0}


class _DoesNotFitError(Exception):
    """Two quantities that are not alike meet."""


def _of(expression: Expression, units: Mapping[str, Dimension | None]) -> Dimension | None:
    """Return the dimension of an expression; None where it can be anything."""
    match expression:
        case Number():
            return {} if expression.exact else None
        case Constant():
            return {}
        case Symbol(name=name):
            return units.get(name)
        case Call(function=function, arguments=arguments):
            return _of_call(function, arguments, units)
    return None


def _of_call(function: str, arguments: Sequence[Expression], units: Mapping[str, Dimension | None]) -> Dimension | None:
    if function == "add":
        return _of_sum(arguments, units)
    first, *others = (_of(each, units) for each in arguments)
    if function == "mul":
        return _product([first, *others])
    if function == "pow":
        return _power(first, arguments[1], others[0])
    if function in _OF_ROOTS:
        return _scaled(first, _OF_ROOTS[function])
    if function != "sign":
        for each in (first, *others):
            _same(each, {})
    return {}


def _of_sum(terms: Sequence[Expression], units: Mapping[str, Dimension | None]) -> Dimension | None:
    """Return the dimension of a sum. Beside a fitted constant a logarithm may be of anything: a*log(x) + b is a*log(x/x0)."""
    fitted = any(isinstance(term, Number) and not term.exact for term in terms)
    total: Dimension | None = None
    for term in terms:
        total = _same(total, _beside_a_constant(term, units) if fitted else _of(term, units))
    return total


def _beside_a_constant(term: Expression, units: Mapping[str, Dimension | None]) -> Dimension | None:
    """Return the dimension of a term; where it is a logarithm, or a number times one, that of the number."""
    factors = factors_of(term)
    match [factor for factor in factors if symbols(factor)]:
        case [Call(function="log", arguments=(inner,))]:
            _of(inner, units)
            return _product([_of(factor, units) for factor in factors if not symbols(factor)])
    return _of(term, units)


def _same(first: Dimension | None, second: Dimension | None) -> Dimension | None:
    """Return what two quantities have in common that are added or compared."""
    if first is None or second is None:
        return second if first is None else first
    if any(abs(first.get(base, 0.0) - second.get(base, 0.0)) > 1e-9 for base in {*first, *second}):
        raise _DoesNotFitError
    return first


def _product(factors: list[Dimension | None]) -> Dimension | None:
    if any(each is None for each in factors):
        return None
    known = [each for each in factors if each is not None]
    total = {base: sum(each.get(base, 0.0) for each in known) for each in known for base in each}
    return {base: exponent for base, exponent in total.items() if abs(exponent) > 1e-9}


def _power(base: Dimension | None, exponent: Expression, of_exponent: Dimension | None) -> Dimension | None:
    if isinstance(exponent, Number):
        return _scaled(base, float(exponent.value))
    _same(of_exponent, {})
    _same(base, {})
    return None if base is None else {}


def _scaled(quantity: Dimension | None, factor: float) -> Dimension | None:
    return None if quantity is None else {base: exponent * factor for base, exponent in quantity.items()}
