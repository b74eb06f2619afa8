"""Expressions as MathML, which browsers set like a textbook without any library.

    2*x/(y + 1)    ->    a fraction with 2x above and y + 1 below          sqrt(u)    ->    a root          exp(u)    ->    e to the u

Names are set as people write them: `theta_2` becomes a Greek letter with an index, an edge that has no name yet a phi with its address.
Numbers are rounded for the eye; the exact ones are in every other export.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from fractions import Fraction

from workbench.expression import Call, Constant, Expression, Number, Symbol, complexity, mul, power, to_text, walk
from workbench.expression.printer import is_decimal
from workbench.expression.tree import as_written
from workbench.figures.markup import escape

_GREEK = dict(zip(
    ("alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau upsilon phi chi psi omega "
     "Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega").split(),
    "αβγδεζηθικλμνξοπρστυφχψωΓΔΘΛΞΠΣΥΦΨΩ",
    strict=True,
))  # fmt: skip
_EDGE = re.compile(r"phi((?:_\d+)+)")
_INDEXED = re.compile(r"([^\W\d_]+)_?(\d+)|([^\W_]+)_([^\W_]+)")
_FUNCTION_NAMES = {"log": "ln", "asin": "arcsin", "acos": "arccos", "atan": "arctan", "asinh": "arsinh", "acosh": "arcosh", "atanh": "artanh", "sign": "sgn"}
_POWERED = frozenset("sin cos tan sinh cosh tanh".split())  # sin²(x) is understood; log²(x) is not
_SUM, _PRODUCT, _POWER, _ATOM = 1, 2, 3, 4
_TIMES, _APPLY = "<mo>&#8290;</mo>", "<mo>&#8289;</mo>"  # invisible
_THIN = '<mspace width="0.17em"/>'
_SHORT = 8  # nodes of an exponent that still reads well above the line


def equation(name: str, expression: Expression, digits: int = 5, width: int = 90) -> str:
    """Return `name = expression` as one MathML element; a long sum is broken into lines between its terms.

    Parameters
    ----------
    name : of the left side
    digits : significant digits of floats
    width : characters after which a line is broken
    """
    left = f"{identifier(name)}<mo>=</mo>"
    lines = _lines(expression, digits, width)
    if len(lines) == 1:
        body = f"<mrow>{left}{lines[0]}</mrow>"
    else:
        first = _row(left, lines[0])
        body = f'<mtable displaystyle="true">{first}{"".join(_row("", line) for line in lines[1:])}</mtable>'
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">{body}</math>'


def mathml(expression: Expression, digits: int = 5) -> str:
    """Return an expression as MathML without the surrounding `math` element.

    >>> from workbench.expression import parse
    >>> mathml(parse("x**2"))
    '<msup><mi>x</mi><mn>2</mn></msup>'
    """
    return _Printer(digits).of(expression)[0]


def identifier(name: str) -> str:
    """Set a name: Greek letters by name, a number at its end as an index, phi_0_1_2 as phi with the index 0,1,2.

    >>> identifier("theta_2")
    '<msub><mi>θ</mi><mn>2</mn></msub>'
    """
    if edge := _EDGE.fullmatch(name):
        return f"<msub><mi>φ</mi><mn>{escape(edge[1][1:].replace('_', ','))}</mn></msub>"
    if indexed := _INDEXED.fullmatch(name):
        stem, index = (indexed[1], f"<mn>{indexed[2]}</mn>") if indexed[1] else (indexed[3], f"<mi>{escape(indexed[4])}</mi>")
        return f"<msub>{_letters(stem)}{index}</msub>"
    return _letters(name)


def _letters(name: str) -> str:
    return f"<mi>{escape(_GREEK.get(name, name))}</mi>"


def _row(left: str, right: str) -> str:
    return f'<mtr><mtd style="text-align:right"><mrow>{left}</mrow></mtd><mtd style="text-align:left"><mrow>{right}</mrow></mtd></mtr>'


def _lines(expression: Expression, digits: int, width: int) -> list[str]:
    """Return the expression in as many lines as it takes, broken between terms."""
    printer = _Printer(digits)
    if not (isinstance(expression, Call) and expression.function == "add") or _length(expression) <= width:
        return [printer.of(expression)[0]]
    lines, filled = [""], 0
    for k, term in enumerate(as_written(expression.arguments)):
        length = _length(term)
        if filled and filled + length > width:
            lines.append("")
            filled = 0
        lines[-1] += printer.term(term, first=k == 0)
        filled += length
    return lines


def _length(expression: Expression) -> int:
    """Estimate how many characters wide an expression is set: floats are shortened, so count nodes instead of digits."""
    return min(len(to_text(expression)), 5 * complexity(expression))


class _Printer:
    """Turns nodes into (markup, binding strength of its outermost operator)."""

    def __init__(self, digits: int) -> None:
        self.digits = digits

    def of(self, node: Expression) -> tuple[str, int]:
        match node:
            case Number(value=value):
                return self.number(value)
            case Constant(name=name):
                return f"<mi>{_GREEK.get(name, name)}</mi>", _ATOM
            case Symbol(name=name):
                return identifier(name), _ATOM
            case Call(function="add", arguments=terms):
                return f"<mrow>{''.join(self.term(term, k == 0) for k, term in enumerate(as_written(terms)))}</mrow>", _SUM
            case Call(function="mul", arguments=factors):
                return self.product(factors), _PRODUCT
            case Call(function="pow", arguments=(base, exponent)):
                if isinstance(exponent, Number) and exponent.value < 0:
                    return self.product((node,)), _PRODUCT
                if isinstance(base, Call) and base.function in _POWERED and exponent == Number(2):
                    return self.named(base.function, base.arguments, squared=True), _POWER
                return f"<msup>{self.bracketed(base, _ATOM)}{self.of(exponent)[0]}</msup>", _POWER
            case Call(function=name, arguments=arguments):
                return self.function(name, arguments)
        raise TypeError(f"mathml: {node!r} is no expression.")

    def number(self, value: int | Fraction | float) -> tuple[str, int]:
        if value < 0:
            return f"<mrow><mo>−</mo>{self.number(-value)[0]}</mrow>", _PRODUCT
        if isinstance(value, Fraction) and is_decimal(value):
            return f"<mn>{float(value)}</mn>", _ATOM
        if isinstance(value, Fraction):
            return f"<mfrac><mn>{value.numerator}</mn><mn>{value.denominator}</mn></mfrac>", _ATOM
        if isinstance(value, int):
            return f"<mn>{value}</mn>", _ATOM
        mantissa, _, exponent = f"{value:.{self.digits}g}".partition("e")
        if not exponent:
            return f"<mn>{mantissa}</mn>", _ATOM
        return f"<mrow><mn>{mantissa}</mn><mo>·</mo><msup><mn>10</mn>{self.number(int(exponent))[0]}</msup></mrow>", _PRODUCT

    def bracketed(self, node: Expression, level: int) -> str:
        markup, own = self.of(node)
        return markup if own >= level else _fenced(markup)

    def term(self, term: Expression, first: bool) -> str:
        """Return a term of a sum with its sign."""
        number = term.arguments[0] if isinstance(term, Call) and term.function == "mul" else term
        if isinstance(number, Number) and number.value < 0:
            form = "prefix" if first else "infix"
            return f'<mo form="{form}">−</mo>{self.bracketed(mul(-1, term), _PRODUCT)}'
        return self.of(term)[0] if first else f'<mo form="infix">+</mo>{self.of(term)[0]}'

    def product(self, factors: Sequence[Expression]) -> str:
        """Set a product; divisors go below a fraction bar, a minus sign before it."""
        number, factors = (factors[0], factors[1:]) if isinstance(factors[0], Number) else (None, factors)
        sign, above = "", []
        if number is not None:
            sign = "<mo>−</mo>" if number.value < 0 else ""
            above = [Number(abs(number.value))] if abs(number.value) != 1 or not number.exact else []
        below = [_divisor(factor) for factor in factors if _is_divisor(factor)]
        above += [factor for factor in factors if not _is_divisor(factor)]
        if above and isinstance(above[0], Number) and isinstance(above[0].value, Fraction):
            fraction = above.pop(0).value
            above = ([Number(fraction.numerator)] if fraction.numerator != 1 else []) + above
            below = [Number(fraction.denominator), *below]
        top = self.factors(above) if above else "<mn>1</mn>"
        body = f"<mfrac><mrow>{top}</mrow><mrow>{self.factors(below)}</mrow></mfrac>" if below else top
        return f"<mrow>{sign}{body}</mrow>"

    def factors(self, factors: Sequence[Expression]) -> str:
        """Set factors side by side, with a dot where two numbers would meet."""
        alone = len(factors) == 1
        parts = []
        for k, factor in enumerate(factors):
            parts.append(_between(factors[k - 1], factor) if k else "")
            parts.append(self.of(factor)[0] if alone else self.bracketed(factor, _PRODUCT))
        return "".join(parts)

    def function(self, name: str, arguments: Sequence[Expression]) -> tuple[str, int]:
        inner = self.of(arguments[0])[0]
        match name:
            case "sqrt":
                return f"<msqrt>{inner}</msqrt>", _ATOM
            case "cbrt":
                return f"<mroot><mrow>{inner}</mrow><mn>3</mn></mroot>", _ATOM
            case "abs":
                return f"<mrow><mo>|</mo>{inner}<mo>|</mo></mrow>", _ATOM
            case "exp" if complexity(arguments[0]) <= _SHORT and not _is_tall(arguments[0]):
                return f"<msup><mi>e</mi><mrow>{inner}</mrow></msup>", _POWER
        return self.named(name, arguments), _POWER

    def named(self, name: str, arguments: Sequence[Expression], squared: bool = False) -> str:
        """Set a function by name; a square stands beside the name, as in sin²(x)."""
        head = identifier(name) if _EDGE.fullmatch(name) else f"<mi>{escape(_FUNCTION_NAMES.get(name, name))}</mi>"
        if squared:
            head = f"<msup>{head}<mn>2</mn></msup>"
        return f"<mrow>{head}{_APPLY}{_fenced(', '.join(self.of(argument)[0] for argument in arguments))}</mrow>"


def _is_divisor(factor: Expression) -> bool:
    match factor:
        case Call(function="pow", arguments=(_, Number(value=exponent))):
            return exponent < 0
    return False


def _divisor(factor: Call) -> Expression:
    base, exponent = factor.arguments
    size = -exponent.value  # type: ignore[union-attr]
    return base if size == 1 and not isinstance(size, float) else power(base, size)


def _fenced(markup: str) -> str:
    """Put brackets around markup; they grow around fractions only."""
    stretch = "" if "<mfrac>" in markup else ' stretchy="false"'
    return f"<mrow><mo{stretch}>(</mo>{markup}<mo{stretch}>)</mo></mrow>"


def _between(left: Expression, right: Expression) -> str:
    """Return what parts two factors: a dot before a number, a thin space beside a name of several letters or a function."""
    if _starts_with_number(right):
        return "<mo>·</mo>"
    return _TIMES + (_THIN if _is_word(left) or _is_word(right) else "")


def _is_word(factor: Expression) -> bool:
    while isinstance(factor, Call) and factor.function == "pow":
        factor = factor.arguments[0]
    if isinstance(factor, Symbol):
        return len(factor.name) > 1 and not _INDEXED.fullmatch(factor.name) and factor.name not in _GREEK
    return isinstance(factor, Call) and factor.function not in ("add", "mul", "sqrt", "cbrt", "abs")


def _is_tall(exponent: Expression) -> bool:
    """Whether an exponent holds functions or powers of sums, whose brackets would tower above the line."""
    return any(isinstance(node, Call) and node.function not in ("add", "mul", "pow", "sqrt") for node in walk(exponent))


def _starts_with_number(factor: Expression) -> bool:
    while isinstance(factor, Call) and factor.function == "pow":
        factor = factor.arguments[0]
    return isinstance(factor, Number) and math.isfinite(factor.value)
