"""Expressions as text in Python's notation: `parse(to_text(e))` gives `e` back, to the last bit of every constant.

    mul(Number(2/3), x, pow(y, -1))   ->   2*x/(3*y)

Divisors go below one fraction bar, a fraction in front is spread over both sides of it, and terms with a minus sign are subtracted, if need be from the number.
"""

from __future__ import annotations

from fractions import Fraction

from workbench.expression.tree import Call, Constant, Expression, Number, Symbol, as_written, inverse, is_divisor, mul, negative

_SUM, _PRODUCT, _POWER, _ATOM = 1, 2, 3, 4
_LONG, _DECIMALS = 100, 4  # a fraction of a numerator so long, with so few decimals, is better read as a decimal number


def to_text(expression: Expression) -> str:
    """Return the expression as text that `parse` reads back to the same tree.

    >>> from workbench.expression import parse
    >>> to_text(parse("x / 2 - exp(-y)^2"))
    'x/2 - exp(-y)**2'
    """
    return _print(expression)[0]


def readable(expression: Expression) -> str:
    """Return the expression as text for people, who read 273.15 and not 5463/20; `parse` would take it for a constant that may be fitted.

    >>> from workbench.expression import parse
    >>> readable(parse("exp(-7306.5/(t + 5463/20))/3"))
    'exp(-7306.5/(t + 273.15))/3'
    """
    return to_text(_in_decimals(expression))


def is_decimal(value: Fraction) -> bool:
    """Whether a fraction is better read as a decimal number: 273.15 rather than 5463/20."""
    return abs(value.numerator) >= _LONG and 10**_DECIMALS % value.denominator == 0


def _in_decimals(expression: Expression) -> Expression:
    match expression:
        case Number(value=Fraction() as value) if is_decimal(value):
            return Number(float(value))
        case Call(function=name, arguments=arguments):
            return Call(name, tuple(map(_in_decimals, arguments)))
    return expression


def _print(expression: Expression) -> tuple[str, int]:
    """Return text and the level of its outermost operator, for brackets."""
    match expression:
        case Number(value=value):
            level = _PRODUCT if value < 0 or isinstance(value, Fraction) else _ATOM
            return (repr(value) if isinstance(value, float) else str(value)), level
        case Constant(name=name) | Symbol(name=name):
            return name, _ATOM
        case Call(function="add", arguments=terms):
            return _print_sum(terms), _SUM
        case Call(function="mul", arguments=factors):
            return _print_product(factors), _PRODUCT
        case Call(function="pow", arguments=(base, exponent)):
            if is_divisor(expression):
                return _print_product((expression,)), _PRODUCT
            return f"{_bracket(base, _ATOM)}**{_bracket(exponent, _ATOM)}", _POWER
        case Call(function=name, arguments=arguments):
            return f"{name}({', '.join(map(to_text, arguments))})", _ATOM
    raise TypeError(f"to_text: {expression!r} is no expression.")


def _bracket(expression: Expression, level: int) -> str:
    text, own_level = _print(expression)
    return text if own_level >= level else f"({text})"


def _print_sum(terms: tuple[Expression, ...]) -> str:
    first, *others = as_written(terms)
    text = to_text(first)
    for term in others:
        text += f" - {_bracket(mul(-1, term), _PRODUCT)}" if negative(term) else f" + {to_text(term)}"
    return text


def _print_product(factors: tuple[Expression, ...]) -> str:
    sign, above, below = "", [], []
    numbers = [factor for factor in factors if isinstance(factor, Number)]
    if len(numbers) == 1:
        sign, above, below = _spread(numbers[0].value)
        factors = factors[1:]
    below_are_numbers = False
    for factor in factors:
        if is_divisor(factor):
            divisor = inverse(factor)
            below_are_numbers |= isinstance(divisor, Number)
            below.append(_bracket(divisor, _POWER))
        else:
            above.append(_bracket(factor, _POWER))
    top = sign + ("*".join(above) or "1")
    if not below:
        return top
    if len(below) == 1 or below_are_numbers:  # a number beside others would be folded into one when read: one bar each
        return "/".join([top, *below])
    return f"{top}/({'*'.join(below)})"


def _spread(value: int | Fraction | float) -> tuple[str, list[str], list[str]]:
    """Part a coefficient into its sign and the texts above and below the fraction bar."""
    sign, size = ("-" if value < 0 else ""), abs(value)
    if isinstance(size, float):
        return sign, [repr(size)], []
    above = [str(size.numerator)] if size.numerator != 1 else []
    below = [str(size.denominator)] if size.denominator != 1 else []
    return sign, above, below
