"""The bridge to SymPy: trees are built from trees, node by node; no text passes, so nothing is ever parsed or run.

SymPy (1 s to import) is imported inside the functions only. Symbols become real SymPy symbols; floats keep all their 53 bits; named
functions become undefined SymPy functions of the same name. cbrt, expm1 and log1p are written with what SymPy has.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from workbench.exceptions import ExpressionError
from workbench.expression.functions import FUNCTIONS
from workbench.expression.tree import Call, Constant, Expression, Number, Symbol, add, call, mul, power

if TYPE_CHECKING:
    import sympy

_SYMPY_NAMES = {"abs": "Abs"}
_OUR_NAMES = {"Abs": "abs"}


def to_sympy(expression: Expression) -> sympy.Expr:
    """Return the expression as a SymPy expression, unsimplified beyond what SymPy does on its own.

    >>> from workbench.expression import parse
    >>> to_sympy(parse("x**2 + pi/2"))
    x**2 + pi/2
    """
    import sympy

    match expression:
        case Number(value=Fraction() as value):
            return sympy.Rational(value.numerator, value.denominator)
        case Number(value=value):
            return sympy.Float(value) if isinstance(value, float) else sympy.Integer(value)
        case Constant(name=name):
            return sympy.pi if name == "pi" else sympy.E
        case Symbol(name=name):
            return sympy.Symbol(name, real=True)
        case Call(function=name, arguments=arguments):
            return _sympy_call(name, [to_sympy(argument) for argument in arguments])
    raise TypeError(f"to_sympy: {expression!r} is no expression.")


def from_sympy(expression: sympy.Expr) -> Expression:
    """Return a SymPy expression as our tree.

    Raises
    ------
    ExpressionError : for what an expression cannot hold, such as piecewise or complex parts

    >>> import sympy
    >>> str(from_sympy(sympy.sqrt(sympy.Symbol("x")) / 2))
    'sqrt(x)/2'
    """
    import sympy

    if isinstance(expression, sympy.Symbol):
        return Symbol(expression.name)
    if isinstance(expression, sympy.Float):
        return Number(float(expression))
    if isinstance(expression, sympy.Rational):
        if not expression.is_finite:
            raise _foreign(expression)
        return Number(Fraction(int(expression.p), int(expression.q)))
    if expression in (sympy.pi, sympy.E):
        return Constant("pi" if expression == sympy.pi else "e")
    arguments = [from_sympy(argument) for argument in expression.args]
    if not arguments:
        raise _foreign(expression)
    return _our_call(expression, arguments)


def _sympy_call(name: str, arguments: list[sympy.Expr]) -> sympy.Expr:
    import sympy

    if name in ("add", "mul", "pow"):
        return {"add": sympy.Add, "mul": sympy.Mul, "pow": sympy.Pow}[name](*arguments)
    (u,) = arguments
    if name == "cbrt":
        return sympy.sign(u) * sympy.Abs(u) ** sympy.Rational(1, 3)
    if name == "expm1":
        return sympy.exp(u) - 1
    if name == "log1p":
        return sympy.log(1 + u)
    if name in FUNCTIONS:
        return getattr(sympy, _SYMPY_NAMES.get(name, name))(u)
    return sympy.Function(name)(u)


def _our_call(expression: sympy.Expr, arguments: list[Expression]) -> Expression:
    import sympy
    from sympy.core.function import AppliedUndef

    if isinstance(expression, sympy.Add):
        return add(*arguments)
    if isinstance(expression, sympy.Mul):
        return mul(*arguments)
    if isinstance(expression, sympy.Pow):
        base, exponent = arguments
        return call("sqrt", base) if exponent == Number(Fraction(1, 2)) else power(base, exponent)
    name = type(expression).__name__
    name = _OUR_NAMES.get(name, name)
    if len(arguments) == 1 and (name in FUNCTIONS or isinstance(expression, AppliedUndef)):
        return call(name, *arguments)
    raise _foreign(expression)


def _foreign(expression: sympy.Basic) -> ExpressionError:
    return ExpressionError(
        f"from_sympy: {str(expression)[:60]!r} ({type(expression).__name__}) has no counterpart in a formula. "
        f"Allowed: real numbers, pi, E, symbols, sums, products, powers and {', '.join(FUNCTIONS)}."
    )
