"""PySR's notation and ours: its operators as trees, our trees as Julia's text.

Reading goes through our own parser with a table of what each operator stands for; it runs nothing. Writing takes trees only, prints every operator with its
brackets, and names variables x1, x2, ...: what a person called a column never gets there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from workbench.exceptions import ExpressionError
from workbench.expression import Call, Constant, Expression, Number, Symbol, add, call, mul, parse, power
from workbench.expression.parser import Operators

BINARY = ("+", "-", "*", "/", "^")
# Our functions as SymbolicRegression.jl calls them; square and cube are powers here.
UNARY = (
    "exp", "log", "sqrt", "cbrt", "abs", "sign", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "erf", "log1p",
)  # fmt: skip


def _magnitude(u: Expression) -> Expression:
    return call("abs", u)


_STANDS_FOR: Operators = {
    "square": (1, lambda u: power(u, 2)),
    "cube": (1, lambda u: power(u, 3)),
    "neg": (1, lambda u: -u),
    "inv": (1, lambda u: power(u, -1)),
    "relu": (1, lambda u: (u + _magnitude(u)) / 2),
    "erfc": (1, lambda u: 1 - call("erf", u)),
    "exp2": (1, lambda u: power(2, u)),
    "sqrt_abs": (1, lambda u: call("sqrt", _magnitude(u))),
    "log_abs": (1, lambda u: call("log", _magnitude(u))),
    "log2_abs": (1, lambda u: call("log", _magnitude(u)) / call("log", 2)),
    "log10_abs": (1, lambda u: call("log", _magnitude(u)) / call("log", 10)),
    "log1p_abs": (1, lambda u: call("log", 1 + _magnitude(u))),
    "acosh_abs": (1, lambda u: call("acosh", 1 + _magnitude(u))),
    "plus": (2, add),
    "sub": (2, lambda u, v: u - v),
    "mult": (2, mul),
    "div": (2, lambda u, v: u / v),
    "pow": (2, power),
    "pow_abs": (2, lambda u, v: power(_magnitude(u), v)),
    "max": (2, lambda u, v: (u + v + _magnitude(u - v)) / 2),
    "min": (2, lambda u, v: (u + v - _magnitude(u - v)) / 2),
    "fma": (3, lambda u, v, w: u * v + w),
    "muladd": (3, lambda u, v, w: u * v + w),
    # names of the guarded versions, which give NaN outside their domain as ours do
    **{f"safe_{name}": (1, lambda u, name=name: call(name, u)) for name in ("sqrt", "log", "log1p", "acosh", "asin", "acos", "atanh")},
    "safe_log2": (1, lambda u: call("log", u) / call("log", 2)),
    "safe_log10": (1, lambda u: call("log", u) / call("log", 10)),
    "safe_pow": (2, power),
}
_SINGLE = re.compile(r"(?<![\w.])(\d+(?:\.\d*)?|\.\d+)f([+-]?\d+)\b")  # 1.5f-3, as Julia prints Float32


def read_equation(text: str, symbols: Iterable[str] | None) -> Expression:
    """Read an equation as PySR prints it.

    >>> str(read_equation("square(x0) - 2.5f-1 * pow_abs(x1, 0.5)", ["x0", "x1"]))
    'x0**2 - 0.25*abs(x1)**0.5'
    """
    return parse(_SINGLE.sub(r"\1e\2", text), symbols=symbols, operators=_STANDS_FOR)


def julia_text(expression: Expression, names: Mapping[str, str], functions: Iterable[str] = UNARY) -> str:
    """Write a tree as Julia: every operator in brackets, numbers as floats but for whole exponents, variables by `names`.

    >>> julia_text(parse("2*mass*exp(-t)**2"), {"mass": "x1", "t": "x2"})
    '((2.0 * x1) * (exp((-1.0 * x2)) ^ 2))'

    Raises
    ------
    ExpressionError : a function that is not among `functions`, or a symbol without a name
    """
    allowed = frozenset(functions)

    def written(node: Expression) -> str:
        match node:
            case Number() | Constant():
                return repr(float(node.value))
            case Symbol(name=name) if name in names:
                return names[name]
            case Call(function="pow", arguments=(base, Number(value=int() as exponent))):
                return f"({written(base)} ^ {exponent})" if exponent > 0 else f"(1.0 / {written(power(base, -exponent))})"
            case Call(function=("add" | "mul" | "pow") as operator, arguments=arguments):
                return _joined({"add": "+", "mul": "*", "pow": "^"}[operator], [written(argument) for argument in arguments])
            case Call(function=function, arguments=(argument,)) if function in allowed:
                return f"{function}({written(argument)})"
        raise ExpressionError(f"PySR: {str(node)[:60]!r} cannot be given to this search. Allowed: its columns, + - * / ^ and {', '.join(sorted(allowed))}.")

    return written(expression)


def _joined(operator: str, parts: list[str]) -> str:
    text = parts[0]
    for part in parts[1:]:
        text = f"({text} {operator} {part})"
    return text
