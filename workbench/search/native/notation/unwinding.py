"""Logarithms in exponents and exponentials in logarithms, written as people write them.

    exp(c*log(b) + s)  =  b**c*exp(s)             log(u**k*exp(m)/v**k)  =  m + k*log(u/v)

Screens work in logarithms, and hand their finds back through exp. Exponents of a logarithm that differ by rounding alone are one constant.
"""

from __future__ import annotations

from collections.abc import Iterator

from workbench.expression import Call, Expression, Number, add, call, complexity, fold, free_constants, mul, power

_SAME = 1e-9  # relative difference of two exponents that are one


def unwound(expression: Expression) -> Expression:
    """Return the expression without such detours, wherever that is no longer; the same where all that stands in logarithms is above zero."""
    if not isinstance(expression, Call):
        return expression
    node = fold(call(expression.function, *map(unwound, expression.arguments)))
    shorter = min(_others(node), key=_size, default=node)
    return unwound(shorter) if _size(shorter) < _size(node) else node


def _size(expression: Expression) -> tuple[int, int]:
    return complexity(expression), len(free_constants(expression))


def _others(node: Expression) -> Iterator[Expression]:
    match node:
        case Call(function="exp", arguments=(inside,)):
            yield fold(mul(*_powers(inside)))
        case Call(function="log", arguments=(inside,)):
            yield fold(add(*_terms(inside)))


def _powers(inside: Expression) -> Iterator[Expression]:
    """Yield the factors of exp(inside)."""
    rest = []
    for term in _summands(inside):
        factors = term.arguments if _is(term, "mul") else (term,)
        logarithm = next((factor for factor in factors if _is(factor, "log")), None)
        if logarithm is None:
            rest.append(term)
        else:
            yield power(logarithm.arguments[0], mul(*(factor for factor in factors if factor is not logarithm)))
    if rest:
        yield call("exp", add(*rest))


def _summands(inside: Expression) -> tuple[Expression, ...]:
    """Return the terms of a sum, also of one with a number before it."""
    match inside:
        case Call(function="add", arguments=terms):
            return terms
        case Call(function="mul", arguments=(Number() as factor, Call(function="add", arguments=terms))):
            return tuple(mul(factor, term) for term in terms)
    return (inside,)


def _terms(inside: Expression) -> Iterator[Expression]:
    """Yield the terms of log(inside): what stands in exponentials, and the logarithm of the rest with a common exponent before it."""
    rest = []
    for factor in inside.arguments if _is(inside, "mul") else (inside,):
        if _is(factor, "exp"):
            yield factor.arguments[0]
        else:
            rest.append(factor)
    common = next((abs(factor.arguments[1].value) for factor in rest if _has_free_exponent(factor)), None)
    if common and all(_is_power_of(factor, common) for factor in rest):
        yield mul(Number(common), call("log", mul(*(power(f.arguments[0], 1 if f.arguments[1].value > 0 else -1) for f in rest))))
    elif rest:
        yield call("log", mul(*rest))


def _is_power_of(factor: Expression, exponent: float) -> bool:
    return _has_free_exponent(factor) and abs(abs(factor.arguments[1].value) - exponent) <= _SAME * exponent


def _has_free_exponent(factor: Expression) -> bool:
    return _is(factor, "pow") and isinstance(factor.arguments[1], Number) and not factor.arguments[1].exact and factor.arguments[1].value != 0.0


def _is(node: Expression, function: str) -> bool:
    return isinstance(node, Call) and node.function == function
