"""Numbers from expressions: values, and exact derivatives with respect to constants or symbols, on whole columns at once.

`evaluate` walks the tree once and does one NumPy operation per node. `value_and_jacobian` and `value_and_gradient` carry, beside each
value, its tangents: forward-mode differentiation, where a constant costs one product for every node between it and the root.

    (u*v)' = u'v + uv'        (u**p)' = p u**(p-1) u' + u**p log(u) p'        f(u)' = f'(u) u'

A row where a formula is 0/0 but has one and the same limit from both sides gets that limit: sin(x)/x is 1 at 0. Everywhere else an
undefined value is NaN or infinite, without a warning; what to do about it is the caller's business.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import reduce

import numpy as np

from workbench.exceptions import ExpressionError, did_you_mean
from workbench.expression.functions import FUNCTIONS
from workbench.expression.tree import Call, Constant, Expression, Number, Symbol, is_divisor

Array = np.ndarray
Values = Mapping[str, Array]
NamedFunctions = Mapping[str, Callable[[Array], Array]]
NamedDerivatives = Mapping[str, Callable[[Array], tuple[Array, Array]]]


def evaluate(expression: Expression, values: Values, functions: NamedFunctions | None = None) -> Array:
    """Evaluate an expression in float64.

    Parameters
    ----------
    values : an array (N,) or a number for every symbol of the expression
    functions : the named functions it calls, each from an array to an array

    >>> from workbench.expression import parse
    >>> evaluate(parse("x**2 + 1"), {"x": np.array([1.0, 2.0])})
    array([2., 5.])
    """
    columns = _columns(values)
    known = functions or {}
    with np.errstate(all="ignore"):
        result = np.array(_value(expression, columns, known), dtype=np.float64)
        if np.isnan(result).any():
            result = _with_limits(expression, result, columns, known)
    return _full(result, columns)


def value_and_jacobian(
    expression: Expression, values: Values, functions: NamedDerivatives | None = None
) -> tuple[Array, Array]:
    """Evaluate an expression and its derivatives by its free constants, in the order of `free_constants`.

    Returns
    -------
    value : (N,)
    jacobian : (n_constants, N)
    """
    tangents = _Tangents(_columns(values), functions or {}, symbols={}, constants=True)
    return tangents.run(expression)


def value_and_gradient(
    expression: Expression, values: Values, names: Sequence[str], functions: NamedDerivatives | None = None
) -> tuple[Array, Array]:
    """Evaluate an expression and its derivatives by the named symbols.

    Parameters
    ----------
    names : the symbols to differentiate by
    functions : named functions, each from u to the pair (value, slope)

    Returns
    -------
    value : (N,)
    gradient : (len(names), N)
    """
    tangents = _Tangents(_columns(values), functions or {}, symbols={name: i for i, name in enumerate(names)}, constants=False)
    return tangents.run(expression)


def _columns(values: Values) -> dict[str, Array]:
    return {name: np.asarray(column, dtype=np.float64) for name, column in values.items()}


def _full(result: Array, columns: Mapping[str, Array]) -> Array:
    """Give a result without symbols the length of the columns."""
    shape = np.broadcast_shapes(result.shape, *(column.shape for column in columns.values()))
    return result if result.shape == shape else np.broadcast_to(result, shape).copy()


def _value(node: Expression, columns: Mapping[str, Array], functions: NamedFunctions) -> Array:
    match node:
        case Number(value=number):
            return np.float64(number)
        case Constant():
            return np.float64(node.value)
        case Symbol(name=name):
            return _column(name, columns)
        case Call(function="add", arguments=terms):
            return reduce(np.add, [_value(term, columns, functions) for term in terms])
        case Call(function="mul", arguments=factors):
            return _product_value(factors, columns, functions)
        case Call(function="pow", arguments=(base, exponent)):
            if isinstance(exponent, Number):
                return _number_power(_value(base, columns, functions), exponent.value)
            return np.power(_value(base, columns, functions), _value(exponent, columns, functions))
        case Call(function=name, arguments=(argument,)):
            inner = _value(argument, columns, functions)
            if name in FUNCTIONS:
                return FUNCTIONS[name].value(inner)
            return np.asarray(_named(name, functions)(inner), dtype=np.float64)
    raise TypeError(f"evaluate: {node!r} is no expression.")


def _product_value(factors: tuple[Expression, ...], columns: Mapping[str, Array], functions: NamedFunctions) -> Array:
    """Multiply what stands above the fraction bar and divide by what stands below, as the text of the expression says."""
    above = below = None
    for factor in factors:
        if is_divisor(factor):
            base, exponent = factor.arguments
            divisor = _number_power(_value(base, columns, functions), -exponent.value)
            below = divisor if below is None else below * divisor
        else:
            value = _value(factor, columns, functions)
            above = value if above is None else above * value
    if below is None:
        return above
    return (np.float64(1) if above is None else above) / below


def _column(name: str, columns: Mapping[str, Array]) -> Array:
    try:
        return columns[name]
    except KeyError:
        raise ExpressionError(
            f"evaluate: no values for {name!r}.{did_you_mean(name, columns)} Given: {', '.join(columns) or 'none'}."
        ) from None


def _named(name: str, functions: Mapping[str, Callable]) -> Callable:
    try:
        return functions[name]
    except KeyError:
        raise ExpressionError(
            f"evaluate: no definition for the function {name!r}.{did_you_mean(name, functions)} "
            f"Pass it as functions={{{name!r}: ...}}."
        ) from None


def _number_power(base: Array, exponent: float) -> Array:
    """Raise to a power that is one number; the common ones by multiplication and square root, ten times faster than np.power."""
    if exponent < 0:
        return 1 / _number_power(base, -exponent)
    if exponent == 0:
        return np.ones_like(base)
    twice = 2 * exponent
    if twice > 16 or twice != int(twice):
        return np.power(base, np.float64(exponent))
    whole = _integer_power(base, int(exponent))
    if twice % 2 == 0:
        return whole
    root = np.sqrt(base)
    return root if whole is None else whole * root


def _integer_power(base: Array, exponent: int) -> Array | None:
    """Multiply out base**exponent by repeated squaring; None for exponent 0."""
    result = None
    square = base
    while exponent:
        if exponent & 1:
            result = square if result is None else result * square
        exponent >>= 1
        square = square * square if exponent else square
    return result


def _with_limits(expression: Expression, result: Array, columns: Mapping[str, Array], functions: NamedFunctions) -> Array:
    """Replace NaN by the two-sided limit where there is one.

    Every symbol is moved by its own small step h to both sides. The mean of both values is off by O(h^2) = 1e-16 only; the two values
    themselves differ by O(h), and by more where the singularity is a pole or a jump: those stay NaN.
    """
    holes = np.isnan(_full(result, columns))
    for column in columns.values():
        holes &= np.isfinite(column)
    if not holes.any():
        return result
    at = {name: np.broadcast_to(column, holes.shape)[holes] for name, column in columns.items()}
    sides = []
    for sign in (1.0, -1.0):
        moved = {
            name: column + sign * (1 + 0.37 * index) * 2.0**-26 * np.maximum(np.abs(column), 1)
            for index, (name, column) in enumerate(at.items())
        }
        sides.append(np.broadcast_to(_value(expression, moved, functions), (int(holes.sum()),)))
    right, left = sides
    same = np.abs(right - left) <= 1e-6 * (1 + np.abs(right))
    filled = np.array(_full(result, columns))
    filled[holes] = np.where(same, 0.5 * (right + left), np.nan)
    return filled


_Dual = tuple[Array, dict[int, Array]]  # a value and its tangents by the index of what moves


class _Tangents:
    """One forward sweep: values with tangents by the chosen symbols, or by the free constants in order of appearance."""

    def __init__(self, columns: dict[str, Array], functions: NamedDerivatives, symbols: dict[str, int], constants: bool) -> None:
        self.columns = columns
        self.functions = functions
        self.symbols = symbols
        self.constants = constants
        self.count = 0 if constants else len(symbols)

    def run(self, expression: Expression) -> tuple[Array, Array]:
        with np.errstate(all="ignore"):
            value, tangents = self.dual(expression)
        value = _full(np.array(value, dtype=np.float64), self.columns)
        jacobian = np.zeros((self.count, *value.shape))
        for index, tangent in tangents.items():
            jacobian[index] = tangent
        return value, jacobian

    def dual(self, node: Expression) -> _Dual:
        match node:
            case Number(value=number):
                moves = self.constants and not node.exact
                self.count += moves
                return np.float64(number), {self.count - 1: np.float64(1)} if moves else {}
            case Constant():
                return np.float64(node.value), {}
            case Symbol(name=name):
                tangents = {self.symbols[name]: np.float64(1)} if name in self.symbols else {}
                return _column(name, self.columns), tangents
            case Call(function="add", arguments=terms):
                return self.sum([self.dual(term) for term in terms])
            case Call(function="mul", arguments=factors):
                return self.product([self.dual(factor) for factor in factors])
            case Call(function="pow", arguments=(base, exponent)):
                return self.power(base, exponent)
            case Call(function=name, arguments=(argument,)):
                return self.apply(name, self.dual(argument))
        raise TypeError(f"value_and_gradient: {node!r} is no expression.")

    def sum(self, terms: list[_Dual]) -> _Dual:
        total, tangents = reduce(np.add, [value for value, _ in terms]), {}
        for _, own in terms:
            for index, tangent in own.items():
                tangents[index] = tangents[index] + tangent if index in tangents else tangent
        return total, tangents

    def product(self, factors: list[_Dual]) -> _Dual:
        """(f_1 ... f_k)' = sum over i of f_i' times the product of the others."""
        values = [value for value, _ in factors]
        tangents: dict[int, Array] = {}
        for position, (_, own) in enumerate(factors):
            if not own:
                continue
            others = math.prod(values[:position] + values[position + 1 :])
            for index, tangent in own.items():
                moved = tangent * others
                tangents[index] = tangents[index] + moved if index in tangents else moved
        return math.prod(values[1:], start=values[0]), tangents

    def power(self, base: Expression, exponent: Expression) -> _Dual:
        """(u**p)' = p u**(p-1) u' + u**p log(u) p', where the last term is 0 at u = 0 for p > 0."""
        base_value, base_tangents = self.dual(base)
        if isinstance(exponent, Number) and (exponent.exact or not self.constants):
            value = _number_power(base_value, exponent.value)
            if not base_tangents:
                return value, {}
            lower = exponent.value - 1
            slope = float(exponent.value) * (_number_power(base_value, lower) if lower else np.ones_like(base_value))
            return value, {index: slope * tangent for index, tangent in base_tangents.items()}
        exponent_value, exponent_tangents = self.dual(exponent)
        value = np.power(base_value, exponent_value)
        tangents: dict[int, Array] = {}
        if base_tangents:
            slope = exponent_value * np.power(base_value, exponent_value - 1)
            tangents = {index: slope * tangent for index, tangent in base_tangents.items()}
        if exponent_tangents:
            growth = np.where((base_value == 0) & (exponent_value > 0), 0.0, value * np.log(base_value))
            for index, tangent in exponent_tangents.items():
                moved = growth * tangent
                tangents[index] = tangents[index] + moved if index in tangents else moved
        return value, tangents

    def apply(self, name: str, argument: _Dual) -> _Dual:
        inner, inner_tangents = argument
        if name in FUNCTIONS:
            value = FUNCTIONS[name].value(inner)
            slope = FUNCTIONS[name].slope(inner, value) if inner_tangents else None
        else:
            value, slope = _named(name, self.functions)(inner)
        return value, {index: slope * tangent for index, tangent in inner_tangents.items()}
