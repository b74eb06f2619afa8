"""Questions to an expression and rewritings of it that keep its structure: symbols, constants, complexity, substitution, derivative.

Complexity counts the nodes of the expression as it is written, as PySR does: every number, constant, variable, operator and function
is one. A sum or product of k parts has k - 1 operators, a subtraction or division is one operator, a sign in front is one.

    2*x + 1  has 5        x/3  has 3        -x  has 2        exp(-x)**2  has 5        1/x  has 3
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache

from workbench.exceptions import ExpressionError
from workbench.expression.exact import known_value
from workbench.expression.functions import FUNCTIONS
from workbench.expression.tree import Call, Expression, Number, Scalar, Symbol, add, as_expression, call, inverse, is_divisor, mul, power

_MINUS_ONE = Number(-1)


def walk(expression: Expression) -> Iterator[Expression]:
    """Yield every node, each before its arguments, from left to right."""
    stack = [expression]
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, Call):
            stack.extend(reversed(node.arguments))


def symbols(expression: Expression) -> frozenset[str]:
    """Return the names of the variables in an expression.

    >>> from workbench.expression import parse
    >>> sorted(symbols(parse("y*exp(x) + pi")))
    ['x', 'y']
    """
    return frozenset(node.name for node in walk(expression) if isinstance(node, Symbol))


def factors_of(term: Expression) -> tuple[Expression, ...]:
    """Return the factors of a product; of anything else, itself.

    >>> from workbench.expression import parse
    >>> len(factors_of(parse("2*x*y"))), len(factors_of(parse("x + y")))
    (3, 1)
    """
    return term.arguments if isinstance(term, Call) and term.function == "mul" else (term,)


def named_functions(expression: Expression) -> frozenset[str]:
    """Return the names of the functions whose definition is kept elsewhere."""
    calls = (node.function for node in walk(expression) if isinstance(node, Call))
    return frozenset(name for name in calls if name not in FUNCTIONS and name not in ("add", "mul", "pow"))


def free_constants(expression: Expression) -> tuple[float, ...]:
    """Return the constants that may be fitted, all floats, from left to right as in the tree.

    >>> from workbench.expression import parse
    >>> free_constants(parse("1.5*x**2 + pi + 0.25"))
    (1.5, 0.25)
    """
    return tuple(node.value for node in walk(expression) if isinstance(node, Number) and not node.exact)


def with_constants(expression: Expression, values: Sequence[Scalar | Expression]) -> Expression:
    """Put new values in place of the free constants, in the order of `free_constants`.

    Floats keep the tree as it is, so that the next fit meets the same constants. Exact values (int, Fraction, or an expression such as
    pi/2) are built in: a factor of exactly 1 vanishes, exp(0) is 1.

    >>> from workbench.expression import parse
    >>> str(with_constants(parse("1.5*x + 0.25"), [2.0, 3]))
    '2.0*x + 3'
    """
    expected = len(free_constants(expression))
    if len(values) != expected:
        raise ExpressionError(f"with_constants: {len(values)} values for an expression with {expected} free constants.")
    return _replaced(expression, iter([as_expression(value) for value in values]))


def complexity(expression: Expression) -> int:
    """Count the nodes of the expression as it is written.

    >>> from workbench.expression import parse
    >>> complexity(parse("2*x + 1"))
    5
    """
    return _complexity(expression) if isinstance(expression, Call) else 1


@lru_cache(maxsize=20_000)
def _complexity(expression: Call) -> int:
    match expression:
        case Call(function="add", arguments=terms):
            return sum(map(complexity, terms)) + len(terms) - 1 - sum(map(_minus_only, terms[1:]))
        case Call(function="mul", arguments=factors):
            return _product_complexity(factors)
        case Call(function="pow", arguments=(base, exponent)):
            if is_divisor(expression):
                return _product_complexity((expression,))
            return complexity(base) + 1 + complexity(exponent)
    return 1 + sum(map(complexity, expression.arguments))


def substitute(expression: Expression, replacements: Mapping[str, Expression | Scalar]) -> Expression:
    """Replace variables by expressions, all at the same time.

    >>> from workbench.expression import parse
    >>> str(substitute(parse("x**2 + y"), {"x": parse("y + 1")}))
    '(y + 1)**2 + y'
    """
    match expression:
        case Symbol(name=name):
            return as_expression(replacements.get(name, expression))
        case Call(function=function, arguments=arguments):
            return call(function, *(substitute(argument, replacements) for argument in arguments))
    return expression


def differentiate(expression: Expression, symbol: str) -> Expression:
    """Differentiate by one variable.

    >>> from workbench.expression import parse
    >>> str(differentiate(parse("x**3 + sin(2*x)"), "x"))
    '3*x**2 + 2*cos(2*x)'
    """
    match expression:
        case Symbol(name=name):
            return Number(int(name == symbol))
        case Call(function="add", arguments=terms):
            return add(*(differentiate(term, symbol) for term in terms))
        case Call(function="mul", arguments=factors):
            return add(*(mul(differentiate(f, symbol), *factors[:i], *factors[i + 1 :]) for i, f in enumerate(factors)))
        case Call(function="pow", arguments=(base, exponent)):
            return _power_derivative(base, exponent, symbol)
        case Call(function=name, arguments=(argument,)):
            inner = differentiate(argument, symbol)
            if inner == Number(0):
                return inner
            if name not in FUNCTIONS:
                raise ExpressionError(f"differentiate: {name} has no symbolic derivative; it is a named function, not a formula.")
            return mul(inner, substitute(_slope(name), {"u": argument}))
    return Number(0)


def _power_derivative(base: Expression, exponent: Expression, symbol: str) -> Expression:
    """(u**p)' = p u**(p-1) u' + u**p log(u) p'."""
    base_slope, exponent_slope = differentiate(base, symbol), differentiate(exponent, symbol)
    terms = []
    if base_slope != Number(0):
        terms.append(mul(exponent, base_slope, power(base, exponent - 1)))
    if exponent_slope != Number(0):
        terms.append(mul(exponent_slope, power(base, exponent), call("log", base)))
    return add(*terms)


@cache
def _slope(function: str) -> Expression:
    from workbench.expression.parser import parse

    return parse(FUNCTIONS[function].slope_text, symbols=["u"])


def _replaced(node: Expression, values: Iterator[Expression]) -> Expression:
    """Replace free constants; a subtree where only floats changed is put together as it was, any other by the builders."""
    if isinstance(node, Number) and not node.exact:
        return next(values)
    if not isinstance(node, Call):
        return node
    arguments = tuple(_replaced(argument, values) for argument in node.arguments)
    same_kind = all(_alike(old, new) for old, new in zip(node.arguments, arguments, strict=True))
    if same_kind:
        return Call(node.function, arguments)
    return known_value(node.function, arguments[0]) or call(node.function, *arguments)


def _alike(old: Expression, new: Expression) -> bool:
    """Whether a new argument can take the place of the old one without building anew."""
    if isinstance(old, Number) or isinstance(new, Number):
        return isinstance(old, Number) and isinstance(new, Number) and (old == new or old.exact == new.exact)
    return isinstance(old, Call) == isinstance(new, Call) and (not isinstance(old, Call) or old.function == new.function)


def _minus_only(term: Expression) -> bool:
    """Whether a term is a product whose number is just a sign, which a subtraction absorbs."""
    return isinstance(term, Call) and term.function == "mul" and term.arguments[0] == _MINUS_ONE and not is_divisor(term.arguments[1])


def _product_complexity(factors: tuple[Expression, ...]) -> int:
    signed = factors[0] == _MINUS_ONE and not is_divisor(factors[1])
    if signed:
        factors = factors[1:]
    above, below = [], []
    for factor in factors:
        if is_divisor(factor):
            below.append(complexity(inverse(factor)))
        else:
            above.append(complexity(factor))
    above = above or [1]
    return sum(above) + sum(below) + len(above) + len(below) - 1 + signed
