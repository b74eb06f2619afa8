"""Text to expression, by our own tokenizer and recursive descent; nothing that is read is ever run.

    sum      = product { ("+" | "-") product }
    product  = signed { ("*" | "/") signed }
    signed   = { "+" | "-" } power
    power    = atom [ ("**" | "^") signed ]              right-associative, binds tighter than a sign on its left
    atom     = number | name | function "(" sum ")" | operator "(" sum { "," sum } ")" | "(" sum ")"

Numbers without point or exponent are exact, others are floats: 2 is exact, 2.0 is a constant that may be fitted. The characters
− × · ÷ π, which word processors write, are read as - * * / and pi.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from workbench.exceptions import ExpressionError, did_you_mean
from workbench.expression.functions import ALIASES, CONSTANTS, FUNCTIONS, LOGARITHM_BASES
from workbench.expression.tree import RESERVED_NAMES, Constant, Expression, Number, Symbol, add, call, mul, power

MAXIMUM_LENGTH = 100_000  # characters
MAXIMUM_DEPTH = 60  # nested brackets and powers
MAXIMUM_DIGITS = 300  # characters of one number

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)|(?P<name>[^\W\d]\w*)|(?P<operator>\*\*|[-+*/^()]))"
)
_COMMA = re.compile(r"\s*(?P<operator>,)")
_TYPOGRAPHY = str.maketrans({"−": "-", "–": "-", "×": "*", "·": "*", "⋅": "*", "÷": "/"})


Operators = Mapping[str, tuple[int, Callable[..., Expression]]]  # name -> number of arguments, what it stands for


def parse(text: str, symbols: Iterable[str] | None = None, functions: Iterable[str] = (), operators: Operators | None = None) -> Expression:
    """Read a formula in Python's notation (with ^ allowed for powers) as an expression.

    Parameters
    ----------
    text : the formula
    symbols : the variables it may use; None allows any name
    functions : named functions it may call besides exp, log, sin and so on
    operators : further names of another notation, each replaced at once by what it stands for; they win over functions of the same name

    Raises
    ------
    ExpressionError : says what was found where, and what is allowed

    >>> str(parse("2*x^2 + exp(-x)/3", symbols=["x"]))
    '2*x**2 + exp(-x)/3'
    >>> str(parse("pow(x, square(2))", operators={"pow": (2, power), "square": (1, lambda u: power(u, 2))}))
    'x**4'
    """
    if not isinstance(text, str):
        raise ExpressionError(f"parse({type(text).__name__}): a formula is a text such as '2*x + exp(-y)'.")
    if len(text) > MAXIMUM_LENGTH:
        raise ExpressionError(f"parse: the formula has {len(text):,} characters; allowed are {MAXIMUM_LENGTH:,}.")
    known = None if symbols is None else tuple(symbols)
    return _Parser(text, known, tuple(functions), operators or {}).formula()


@dataclass(frozen=True)
class _Token:
    kind: str  # "number", "name", "operator" or "end"
    text: str
    position: int  # of its first character, from 0


def _tokens(text: str, commas: bool) -> list[_Token]:
    plain = text.translate(_TYPOGRAPHY)
    tokens: list[_Token] = []
    position = 0
    while position < len(plain.rstrip()):
        found = _TOKEN.match(plain, position) or (_COMMA.match(plain, position) if commas else None)
        if not found:
            at = position + len(plain[position:]) - len(plain[position:].lstrip())
            raise _unreadable(text, at, text[at])
        kind = found.lastgroup or ""
        tokens.append(_Token(kind, found[kind], found.start(kind)))
        position = found.end()
    return [*tokens, _Token("end", "", len(text))]


class _Parser:
    """One pass over the tokens of one text."""

    def __init__(self, text: str, symbols: tuple[str, ...] | None, functions: tuple[str, ...], operators: Operators) -> None:
        self.text = text
        self.symbols = symbols
        self.functions = functions
        self.operators = operators
        self.tokens = _tokens(text, commas=bool(operators))
        self.index = 0
        self.depth = 0

    @property
    def next(self) -> _Token:
        return self.tokens[self.index]

    def take(self, *operators: str) -> str | None:
        """Consume the next token if it is one of the operators."""
        if self.next.kind == "operator" and self.next.text in operators:
            self.index += 1
            return self.tokens[self.index - 1].text
        return None

    def formula(self) -> Expression:
        if self.next.kind == "end":
            raise ExpressionError("parse: the formula is empty; write for example 'a*exp(-b*x)'.")
        expression = self.sum()
        if self.next.kind != "end":
            raise self.unexpected()
        return expression

    def sum(self) -> Expression:
        self.depth += 1
        if self.depth > MAXIMUM_DEPTH:
            raise self.error(f"more than {MAXIMUM_DEPTH} brackets or powers inside one another", "Write a flatter formula.")
        terms = [self.product()]
        while operator := self.take("+", "-"):
            term = self.product()
            terms.append(mul(-1, term) if operator == "-" else term)
        self.depth -= 1
        return add(*terms) if len(terms) > 1 else terms[0]

    def product(self) -> Expression:
        factors = [self.signed()]
        while operator := self.take("*", "/"):
            factor = self.signed()
            factors.append(power(factor, -1) if operator == "/" else factor)
        return mul(*factors) if len(factors) > 1 else factors[0]

    def signed(self) -> Expression:
        minus = False
        while sign := self.take("+", "-"):
            minus ^= sign == "-"
        value = self.power()
        return mul(-1, value) if minus else value

    def power(self) -> Expression:
        base = self.atom()
        if not self.take("**", "^"):
            return base
        self.depth += 1
        if self.depth > MAXIMUM_DEPTH:
            raise self.error(f"more than {MAXIMUM_DEPTH} brackets or powers inside one another", "Write a flatter formula.")
        exponent = self.signed()
        self.depth -= 1
        return power(base, exponent)

    def atom(self) -> Expression:
        token = self.next
        if token.kind == "number":
            self.index += 1
            return self.number(token)
        if token.kind == "name":
            self.index += 1
            return self.application(token) if self.next.text == "(" else self.variable(token)
        if self.take("("):
            inside = self.sum()
            self.close()
            return inside
        raise self.unexpected()

    def number(self, token: _Token) -> Expression:
        if len(token.text) > MAXIMUM_DIGITS:
            raise self.error(f"a number of {len(token.text)} characters", f"At most {MAXIMUM_DIGITS} are read.", token)
        value = int(token.text) if token.text.isdigit() else float(token.text)
        if abs(value) > 1e300:
            raise self.error(f"the number {token.text[:20]}", "Numbers go up to 1e300.", token)
        return Number(value)

    def variable(self, token: _Token) -> Expression:
        name = token.text
        if name in CONSTANTS or name == "π":
            return Constant("pi" if name == "π" else name)
        if self.symbols is not None and name not in self.symbols:
            raise self.error(f"the unknown name {name!r}", f"{_hint(name, self.symbols)}Variables: {_listed(self.symbols)}.", token)
        if name in FUNCTIONS or name in ALIASES or name in LOGARITHM_BASES or name in self.functions:
            raise self.error(f"the function {name!r} without an argument", f"Write {name}(x).", token)
        if name in RESERVED_NAMES or name.startswith("__") or not name.isidentifier():
            raise self.error(f"the reserved name {name!r}", "Python's keywords and names that start with __ are no variables.", token)
        return Symbol(name)

    def application(self, token: _Token) -> Expression:
        if token.text in self.operators:
            return self.operation(token)
        name = ALIASES.get(token.text, token.text)
        if name not in FUNCTIONS and name not in LOGARITHM_BASES and name not in self.functions:
            raise self.unknown_function(token)
        self.take("(")
        argument = self.sum()
        self.close()
        if name in LOGARITHM_BASES:
            return mul(call("log", argument), power(call("log", LOGARITHM_BASES[name]), -1))
        return call(name, argument)

    def operation(self, token: _Token) -> Expression:
        """Read the arguments of an operator of another notation, and put what it stands for in its place."""
        count, meaning = self.operators[token.text]
        self.take("(")
        arguments = [self.sum()]
        while self.take(","):
            arguments.append(self.sum())
        self.close()
        if len(arguments) != count:
            raise self.error(f"{token.text} with {len(arguments)} arguments", f"It takes {count}.", token)
        return meaning(*arguments)

    def close(self) -> None:
        if not self.take(")"):
            if self.next.kind == "end":
                raise self.error("the end of the formula inside a bracket", "Add the missing ')'.")
            raise self.unexpected()

    def unknown_function(self, token: _Token) -> ExpressionError:
        known = (*FUNCTIONS, *LOGARITHM_BASES, *self.functions, *self.operators)
        if self.symbols is not None and token.text in self.symbols:
            return self.error(f"{token.text!r} called like a function", f"Write {token.text}*(...) for a product.", token)
        hint = _hint(token.text, (*known, *ALIASES))
        return self.error(f"the unknown function {token.text!r}", f"{hint}Functions: {', '.join(known)}.", token)

    def unexpected(self) -> ExpressionError:
        token = self.next
        before = self.tokens[self.index - 1] if self.index else None
        if token.kind == "end":
            return self.error("the end of the formula", "A number, a name or '(' is missing there.")
        value_ended = before is not None and (before.kind in ("number", "name") or before.text == ")")
        if value_ended and (token.kind in ("number", "name") or token.text == "("):
            return self.error(f"{token.text!r} directly after {before.text!r}", "Write * between factors, such as 2*x.", token)
        return self.error(f"{token.text!r}", "A number, a name or '(' is allowed there." if not value_ended else "Allowed there: + - * / **.")

    def error(self, found: str, advice: str, token: _Token | None = None) -> ExpressionError:
        return _error(self.text, (token or self.next).position, found, advice)


def _error(text: str, position: int, found: str, advice: str) -> ExpressionError:
    shown = text if len(text) <= 60 else f"{text[:57]}..."
    return ExpressionError(f"parse({shown!r}): found {found} at position {position}. {advice}")


def _unreadable(text: str, position: int, character: str) -> ExpressionError:
    reason = {
        ",": "Decimals have a point, and functions take one argument.",
        ".": "Attributes are no part of a formula.",
        "[": "Indexing is no part of a formula; brackets are round.",
        "=": "Give the right-hand side alone, without 'y ='.",
    }.get(character, "")
    allowed = "Allowed: numbers, names, + - * / ** ^ and round brackets."
    return _error(text, position, f"{character!r}", f"{reason} {allowed}".strip())


def _hint(name: str, known: Iterable[str]) -> str:
    return f"{did_you_mean(name, known)} ".lstrip()


def _listed(names: tuple[str, ...]) -> str:
    if not names:
        return "none"
    return ", ".join(names[:20]) + (" ..." if len(names) > 20 else "")
