"""Is the found formula the law? Numbers decide: the same values in the box and beyond it, as it stands or with its constants fitted again.

A formula that differs from the truth anywhere by more than rounding is another formula, so points can refute identity beyond doubt; a formula that agrees on
thousands of points, also outside the range where anybody fitted it, and is not much longer than the truth, is taken for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

from benchmarks.recovery.laws import Columns, Law
from workbench.exceptions import ExpressionError
from workbench.expression import (
    Call,
    Constant,
    Expression,
    Number,
    Symbol,
    call,
    complexity,
    evaluate,
    fold,
    free_constants,
    parse,
    power,
    substitute,
    symbols,
    value_and_jacobian,
    with_constants,
)

GOOD_FIT = 0.999  # R2 above it is a good fit
FAR_OFF = 0.5  # R2 below it is not worth a fit: noise leaves a law's own formula closer to the clean truth
DEFINED = 0.9  # share of the points where a formula must have a value to be worth a fit: constants a little off leave a root or a logarithm without one
SAME = 1e-6  # of the spread: numeric identity
REFITTED = 1e-9  # of the spread, in the box, after a fit to clean values: free constants bend a wrong formula, so more is asked of it
WIDENED = 0.5  # the box beyond the data grows by this share of its width
OUTSIDE = 0.99  # share of the points beyond the data that must agree: next to a pole the last digit of a constant is magnified without bound
_CURVE = re.compile(r"\bphi_[0-9]+_[0-9]+_[0-9]+\b(?=\()")  # an edge that is still a spline
_REFIT_ROWS = 400
_STARTS = 4


@dataclass(frozen=True)
class Judgement:
    """What a formula is, seen from the truth.

    Parameters
    ----------
    r2 : on clean points of the box; None where it says nothing
    fit, numeric, skeleton : the verdicts
    recovered : numeric or skeleton, and not out of proportion
    why : what speaks against it, in words; empty when recovered
    polished : with its constants fitted to the clean truth, where that made it the law
    """

    r2: float | None = None
    fit: bool = False
    numeric: bool = False
    skeleton: bool = False
    recovered: bool = False
    why: str = ""
    polished: Expression | None = None


def judge(law: Law, text: str, columns: Mapping[str, str] | None = None) -> Judgement:
    """Judge a formula by its text; `columns` says which column a symbol stands for, where it is not the column's own name."""
    names = dict(columns or {})
    if curves := sorted(set(_CURVE.findall(text))):
        return Judgement(why=f"not closed: {len(curves)} of its curves have no name")
    try:
        found = parse(text, symbols=[*law.box, *names])
    except ExpressionError as error:
        return Judgement(why=f"cannot be read: {error}")
    try:
        return _judged(law, _renamed(found, names, law))
    except ExpressionError as error:
        return Judgement(why=f"cannot be judged: {error}")


def same_values(found: np.ndarray, truth: np.ndarray, tolerance: float = SAME) -> np.ndarray:
    """Return for every point whether both values agree to `tolerance` of the spread of the truth.

    The spread is the standard deviation; where a few points near a pole dominate it, the bulk of the values counts instead, and points far out are compared
    by their distance from the middle.
    """
    middle = np.median(truth)
    bulk = 1.4826 * np.median(np.abs(truth - middle))
    spread = min(np.std(truth), 10 * bulk) or np.abs(middle) or 1.0
    with np.errstate(all="ignore"):
        return np.abs(found - truth) <= tolerance * np.maximum(spread, np.abs(truth - middle))


def freed(expression: Expression) -> Expression:
    """Turn every number into a constant that may be fitted; an exact exponent is structure and stays.

    >>> str(freed(parse("2*pi*x**2/3")))
    '2.0943951023931953*x**2'
    """
    return fold(_freed(expression))


def refitted(expression: Expression, columns: Columns, truth: np.ndarray) -> Expression:
    """Fit the free constants to clean values, from where they are and from three places nearby."""
    start = np.array(free_constants(expression))
    if not len(start):
        return expression
    spread = np.std(truth) or 1.0
    generator = np.random.default_rng(0)
    best, least = expression, np.inf
    for attempt in range(_STARTS):
        first = start * (1 + 0.05 * attempt * generator.standard_normal(len(start)))
        constants, error = _fitted(expression, columns, truth, spread, first)
        if error < least:
            best, least = with_constants(expression, constants.tolist()), error
        if least < REFITTED / 100:
            break
    return best


def _judged(law: Law, found: Expression) -> Judgement:
    inside, truth = law.points()
    values = evaluate(found, inside)
    finite = np.isfinite(values)
    if np.mean(finite) < DEFINED:
        return Judgement(why=f"no finite value at {np.sum(~finite)} of {len(truth)} points of the box")
    r2 = 1 - np.mean((values[finite] - truth[finite]) ** 2) / np.var(truth)
    numeric = _identical(law, found, SAME)
    in_proportion = complexity(found) <= 2 * complexity(law.expression) + 12
    worth_a_fit = in_proportion and (r2 > FAR_OFF or not law.scored_by_r2)
    polished = found if numeric else _same_skeleton(law, found) if worth_a_fit else None
    recovered = polished is not None and in_proportion
    whole = law.scored_by_r2 and bool(finite.all())
    return Judgement(
        r2=float(r2) if whole else None,
        fit=whole and bool(r2 > GOOD_FIT),
        numeric=numeric,
        skeleton=polished is not None,
        recovered=recovered,
        why="" if recovered else "another formula" if in_proportion else "out of proportion to the truth",
        polished=polished,
    )


def _renamed(found: Expression, names: Mapping[str, str], law: Law) -> Expression:
    renamed = substitute(found, {symbol: Symbol(column) for symbol, column in names.items() if column in law.box and symbol not in law.box})
    if unknown := symbols(renamed) - set(law.box):
        raise ExpressionError(f"it uses {', '.join(sorted(unknown))}, which is no column.")
    return renamed


def _identical(law: Law, found: Expression, tolerance: float) -> bool:
    """Whether the values agree at every point of the box, and at nearly all of the widened box."""
    inside, truth = law.points()
    if not same_values(evaluate(found, inside), truth, tolerance).all():
        return False
    outside, beyond = law.points(WIDENED)
    return bool(np.mean(same_values(evaluate(found, outside), beyond)) >= OUTSIDE)


def _same_skeleton(law: Law, found: Expression) -> Expression | None:
    """Return the formula with its constants fitted to the truth, if that makes it the truth and every constant is needed."""
    inside, truth = law.points(n_points=_REFIT_ROWS)
    polished = refitted(freed(found), inside, truth)
    if not _identical(law, polished, REFITTED) or _superfluous(law, polished):
        return None
    return polished


def _superfluous(law: Law, polished: Expression) -> bool:
    """Whether some constant may as well be zero: a term or factor that the law does not have."""
    inside, truth = law.points()
    constants = free_constants(polished)
    for index in range(len(constants)):
        without = with_constants(polished, [*constants[:index], 0.0, *constants[index + 1 :]])
        if same_values(evaluate(without, inside), truth).all():
            return True
    return False


def _freed(node: Expression) -> Expression:
    match node:
        case Number() | Constant():
            return Number(float(node.value))
        case Call(function="pow", arguments=(base, Number() as fixed)):
            return power(_freed(base), fixed)
        case Call(function=function, arguments=arguments):
            return call(function, *map(_freed, arguments))
    return node


def _fitted(expression: Expression, columns: Columns, truth: np.ndarray, spread: float, start: np.ndarray) -> tuple[np.ndarray, float]:
    """Fit by least squares from one start; return the constants and the root mean square error in units of the spread."""

    def residual(constants: Sequence[float]) -> np.ndarray:
        with np.errstate(all="ignore"):
            difference = (evaluate(with_constants(expression, list(constants)), columns) - truth) / spread
        return np.where(np.isfinite(difference), difference, 1e3)

    def jacobian(constants: Sequence[float]) -> np.ndarray:
        _, slopes = value_and_jacobian(with_constants(expression, list(constants)), columns)
        return np.where(np.isfinite(slopes), slopes, 0.0).T / spread

    scale = np.maximum(np.abs(start), 1e-3)
    tight = {"xtol": 1e-15, "ftol": 1e-15, "gtol": 1e-15, "max_nfev": 200}
    try:
        answer = least_squares(residual, start, jacobian, x_scale=scale, **tight)
    except (ValueError, np.linalg.LinAlgError):  # constants that left float64
        return start, np.inf
    return answer.x, float(np.sqrt(np.mean(answer.fun**2)))
