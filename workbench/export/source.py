"""What every code export shares: names that the language accepts, the header, and expressions in infix notation.

A target describes its language as a `Language` (names of functions and constants, operators, comment sign, reserved words) and puts
functions around what `Language.write` returns. Column names, units and notes reach a file in comments only, cleaned of line breaks and of
signs that reorder text, so that no name can become code.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from workbench.bases.bspline import SplineDefinition
from workbench.bases.rational import RationalDefinition
from workbench.exceptions import ExportError
from workbench.expression import FUNCTIONS, Call, Constant, Expression, Number, Symbol, mul, named_functions, walk
from workbench.expression.tree import inverse, is_divisor, negative
from workbench.formula import Formula, Output

_SUM, _PRODUCT, _POWER, _ATOM = 1, 2, 3, 4
_BIDIRECTIONAL = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True)
class Variant:
    """One set of outputs to write: the law on all rows (suffix ""), or that of one group of rows."""

    suffix: str
    outputs: tuple[Output, ...]
    label: str | None = None


@dataclass(frozen=True)
class Language:
    """How a language writes formulas.

    Parameters
    ----------
    title : its name in words
    comment : what starts a comment line
    functions : our name of a function -> how it is called there; functions that are missing keep their name
    constants : "pi" and "e" -> text
    reserved : names that no variable may have there
    times, over : operators
    power : from the texts of base and exponent to the text of the power
    power_is_call : whether that text is a call, which needs no brackets
    whole_power : operator for exponents 2, 3, 4 ..., where that is another way to write a power
    integer : how a whole number is written
    rational : how p/q is written, where the quotient of two integers will not do
    minus : what a product with a minus sign starts with
    case_matters : whether names that differ in case only are different
    """

    title: str
    comment: str
    functions: Mapping[str, str]
    constants: Mapping[str, str]
    reserved: frozenset[str]
    times: str = "*"
    over: str = "/"
    power: Callable[[str, str], str] = field(default=lambda base, exponent: f"{base}**{exponent}")
    power_is_call: bool = False
    whole_power: str | None = None
    integer: Callable[[int], str] = str
    rational: Callable[[Fraction], str] | None = None
    minus: str = "-"
    case_matters: bool = True

    def write(self, expression: Expression, names: Mapping[str, str]) -> str:
        """Return an expression in this language; `names` maps symbols and named functions to what they are called there."""
        return _Writer(self, names).text(expression)

    def comments(self, lines: Iterable[str]) -> list[str]:
        """Return lines as comment lines."""
        return [f"{self.comment} {line}".rstrip() for line in lines]

    def names(self, formula: Formula) -> dict[str, str]:
        """Return a name for every input, output and named function: its symbol where the language allows it, else with a mark."""
        wanted = [*(i.symbol for i in formula.inputs), *(o.symbol for o in formula.outputs), *formula.definitions]
        taken = {self._folded(name) for name in self.reserved}
        names: dict[str, str] = {}
        for symbol in dict.fromkeys(wanted):
            name = symbol if symbol[0] != "_" else f"v{symbol}"
            while self._folded(name) in taken:
                name += "_"
            taken.add(self._folded(name))
            names[symbol] = name
        return names

    def _folded(self, name: str) -> str:
        return name if self.case_matters else name.casefold()


def header(formula: Formula, title: str) -> list[str]:
    """Return the lines that every export starts with: what it is, inputs with unit and range, outputs, certificate, notes."""
    lines = [f"A formula found with KAN Workbench, written for {title}.", ""]
    for column in formula.inputs:
        lines.append(f'  input  {column.symbol}: column "{clean(column.name)}"{_unit(column.unit)}, fitted on {column.low:.6g} to {column.high:.6g}')
    for output in formula.outputs:
        lines.append(f'  output {output.symbol}: column "{clean(output.name)}"{_unit(output.unit)}')
    if certificate := getattr(formula, "certificate_text", ""):
        lines += ["", clean(certificate)]
    if formula.definitions:
        kinds = {"splines": splines(formula), "rational functions": rationals(formula)}
        names = "; ".join(f"as {kind}: {', '.join(each.name for each in own)}" for kind, own in kinds.items() if own)
        lines += ["", f"Curves that have no name of their own yet are written out exactly, {names}."]
    return [*lines, *(clean(note) for note in formula.notes)]


def variants(formula: Formula) -> Iterator[Variant]:
    """Yield the law on all rows, then that of every group with its own constants."""
    yield Variant("", formula.outputs)
    for number, (label, outputs) in enumerate(formula.groups.items(), start=1):
        yield Variant(f"_group{number}", outputs, clean(str(label)))


def clean(text: str) -> str:
    """Return a text on one line: control characters, line separators and signs that reorder text become blanks."""
    return "".join(" " if _unsafe(character) else character for character in text)


def check(formula: Formula) -> None:
    """Refuse a formula that calls functions without a definition; the message names them."""
    missing = frozenset().union(*(named_functions(o.expression) for v in variants(formula) for o in v.outputs)) - set(formula.definitions)
    if missing:
        raise ExportError(f"export: no definition for {', '.join(sorted(missing))}. A formula carries its unnamed curves in `definitions`.")


def splines(formula: Formula) -> list[SplineDefinition]:
    """Return the unnamed curves of a formula that are splines."""
    return [definition for definition in formula.definitions.values() if isinstance(definition, SplineDefinition)]


def rationals(formula: Formula) -> list[RationalDefinition]:
    """Return the unnamed curves of a formula that are rational functions; u and their values are expressions, which every language writes."""
    return [definition for definition in formula.definitions.values() if isinstance(definition, RationalDefinition)]


def fractional_powers(formula: Formula) -> bool:
    """Return whether a formula has powers other than whole ones."""
    powers = (node for node in _nodes(formula) if isinstance(node, Call) and node.function == "pow")
    return any(not (isinstance(p.arguments[1], Number) and isinstance(p.arguments[1].value, int)) for p in powers)


def called(formula: Formula) -> set[str]:
    """Return the names of all functions and operators that a formula calls."""
    return {node.function for node in _nodes(formula) if isinstance(node, Call)}


def _unsafe(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") or character in _BIDIRECTIONAL


def _nodes(formula: Formula) -> Iterator[Expression]:
    return (node for v in variants(formula) for output in v.outputs for node in walk(output.expression))


def _unit(unit: str | None) -> str:
    return f" [{clean(unit)}]" if unit else ""


class _Writer:
    """One expression in one language; every method returns text, and where brackets may be needed its level."""

    def __init__(self, language: Language, names: Mapping[str, str]) -> None:
        self.language = language
        self.names = names

    def text(self, node: Expression) -> str:
        return self.leveled(node)[0]

    def bracket(self, node: Expression, level: int) -> str:
        text, own = self.leveled(node)
        return text if own >= level else f"({text})"

    def leveled(self, node: Expression) -> tuple[str, int]:
        match node:
            case Number(value=value):
                return self.number(value)
            case Constant(name=name):
                return self.language.constants[name], _ATOM
            case Symbol(name=name):
                return self.names[name], _ATOM
            case Call(function="add", arguments=terms):
                return self.sum(terms), _SUM
            case Call(function="mul", arguments=factors):
                return self.product(factors), _PRODUCT
            case Call(function="pow", arguments=(base, exponent)):
                return self.power(node, base, exponent)
            case Call(function=name, arguments=(argument,)):
                called = self.language.functions.get(name, name) if name in FUNCTIONS else self.names[name]
                return f"{called}({self.text(argument)})", _ATOM
        raise TypeError(f"export: {node!r} is no expression.")

    def number(self, value: int | Fraction | float) -> tuple[str, int]:
        level = _ATOM if value >= 0 else _SUM
        if isinstance(value, Fraction):
            if self.language.rational:
                return self.language.rational(value), _ATOM
            return f"{self.language.integer(value.numerator)}{self.language.over}{self.language.integer(value.denominator)}", min(level, _PRODUCT)
        return (repr(value) if isinstance(value, float) else self.language.integer(value)), level

    def sum(self, terms: tuple[Expression, ...]) -> str:
        text = self.text(terms[0])
        for term in terms[1:]:
            text += f" - {self.bracket(mul(-1, term), _PRODUCT)}" if negative(term) else f" + {self.text(term)}"
        return text

    def product(self, factors: tuple[Expression, ...]) -> str:
        sign, above, below = "", [], []
        first = factors[0]
        if isinstance(first, Number) and negative(mul(*factors)):
            sign, factors = self.language.minus, (mul(-1, first), *factors[1:])
        for factor in factors:
            if is_divisor(factor):
                below.append(self.bracket(inverse(factor), _POWER))
            elif isinstance(factor, Number) and isinstance(factor.value, Fraction) and not self.language.rational:
                above += [self.language.integer(factor.value.numerator)] if factor.value.numerator != 1 else []
                below.insert(0, self.language.integer(factor.value.denominator))
            elif factor != Number(1):
                above.append(self.bracket(factor, _POWER))
        top = sign + (self.language.times.join(above) or self.language.integer(1))
        if not below:
            return top
        bottom = self.language.times.join(below)
        return f"{top}{self.language.over}{bottom if len(below) == 1 else f'({bottom})'}"

    def power(self, node: Expression, base: Expression, exponent: Expression) -> tuple[str, int]:
        if is_divisor(node):
            return self.product((node,)), _PRODUCT
        if self.language.whole_power and isinstance(exponent, Number) and isinstance(exponent.value, int):
            return f"{self.bracket(base, _ATOM)}{self.language.whole_power}{exponent.value}", _POWER
        if self.language.power_is_call:
            return self.language.power(self.text(base), self.text(exponent)), _ATOM
        return self.language.power(self.bracket(base, _ATOM), self.bracket(exponent, _ATOM)), _POWER
