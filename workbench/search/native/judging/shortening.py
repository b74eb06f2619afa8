"""A formula that is as good as any curve, and may be too long: every part is left out once, and what is left is fitted again.

    a*x**2 + b*x + c        ->        b*x + c,  a*x**2 + c,  a*x**2 + b*x,  a*x + b*x + c

The shortest description of these is shortened in turn, until nothing more can go. With noise a screen often finds the law and a term, a factor or a
function beside it that follows the scatter, a function that begins like the law's own (series.py), or 1 where the law has
another constant: those are tried as well.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy as np

from workbench.exceptions import ExpressionError
from workbench.expression import Call, Expression, Number, add, call, fold, mul, symbols
from workbench.search.native.judging.exact_constants import with_exact_constants
from workbench.search.native.judging.polishing import Rows, polished
from workbench.search.native.judging.series import alike

_ROUNDS, _MOST_TRIED = 6, 80
_STEPS = 12
_NEAR = 12.5  # what a better fit may cost more before its constants are exact
_ROUNDING = 1e-9  # of the target's size: errors below it are not told apart

Cost = Callable[[Expression, float], float]
Fitted = tuple[Expression, float]  # with its root mean square error


def shortened(expression: Expression, rmse: float, rows: Rows, cost: Cost) -> tuple[Expression, float]:
    """Return the expression without the parts whose absence lowers the cost, or with others in their place, and its error."""
    fitted = _cheapest((expression, rmse), shorter, rows, cost)
    other = _cheapest(fitted, lambda each: itertools.chain(freed(each), alike(each)), rows, cost)
    return other if other == fitted else _cheapest(other, shorter, rows, cost)


def _cheapest(start: Fitted, neighbours: Callable[[Expression], Iterator[Expression]], rows: Rows, cost: Cost) -> Fitted:
    """Go to the neighbour of the lowest cost, as long as that is lower."""
    (expression, rmse), tried = start, {start[0]}
    best = cost(expression, rmse)
    for _ in range(_ROUNDS):
        worst, better, found = _worst(expression, rmse, rows, cost), rmse - _ROUNDING * _size(rows), None
        for trial in neighbours(expression):
            if trial in tried or len(tried) > _MOST_TRIED:
                continue
            tried.add(trial)
            fitted, error = polished(trial, rows, _STEPS)
            fitted = _folded(fitted) if error < worst else None  # folding takes longer than the fit
            if fitted is not None and error < better and best <= cost(fitted, error) < best + _NEAR:
                fitted, error = with_exact_constants(fitted, error, rows, cost)  # which may be all that it costs more
            if fitted is not None and cost(fitted, error) < best:
                best, found = cost(fitted, error), (fitted, error)
        if found is None:
            break
        expression, rmse = found
    return expression, rmse


def shorter(expression: Expression) -> Iterator[Expression]:
    """Yield the expression with one part left out, each of its parts in turn; what has no symbol left is no expression."""
    return (trial for trial in _without_one(expression) if symbols(trial))


def freed(expression: Expression) -> Iterator[Expression]:
    """Yield the expression with one exact number of a sum made a constant to be fitted: screens know 1 + u, and a law may have k + u."""
    if not isinstance(expression, Call):
        return
    for place, argument in enumerate(expression.arguments):
        before, after = expression.arguments[:place], expression.arguments[place + 1 :]
        if expression.function == "add" and isinstance(argument, Number) and argument.exact:
            yield add(*before, Number(float(argument.value)), *after)
        for inner in freed(argument):
            yield call(expression.function, *before, inner, *after)


def _worst(expression: Expression, rmse: float, rows: Rows, cost: Cost) -> float:
    """Return the error at which even the shortest expression would cost more than this one."""
    length = cost(expression, rmse) - cost(Number(1), rmse)
    return rmse * float(np.exp(min(length / (2 * len(rows.y)), 50.0))) + _ROUNDING * _size(rows)


def _size(rows: Rows) -> float:
    return float(np.sqrt(np.mean((rows.y * rows.root_weights) ** 2)))


def _folded(expression: Expression) -> Expression | None:
    try:
        folded = fold(expression)
    except (ExpressionError, ZeroDivisionError, OverflowError):
        return None
    return folded if symbols(folded) else None


def _without_one(node: Expression) -> Iterator[Expression]:
    """Yield the node without one of its arguments, or as its only argument; then the same for what is below it."""
    if not isinstance(node, Call):
        return
    arguments = node.arguments
    if node.function in ("add", "mul"):
        join = add if node.function == "add" else mul
        for place in range(len(arguments)):
            yield join(*arguments[:place], *arguments[place + 1 :])
    else:
        yield mul(Number(1.0), arguments[0])
    for place, argument in enumerate(arguments):
        for inner in _without_one(argument):
            yield call(node.function, *arguments[:place], inner, *arguments[place + 1 :])
