"""Two formulas side by side: the same, the same but for a constant, the same but for their constants, or where they part.

    proven      their difference is zero by algebra
    same        no difference but rounding on any row, nor on a thousand fresh points of the box: as far as numbers can tell
    offset      the second is the first plus a constant          factor      the second is the first times a constant
    form        with other constants each gives the values of the other
    holds       with other constants the second gives the values of the first, which is a special case       held      the other way round
    different   none of this was found

Only the first is a proof; the sentence says for the others what was compared, and how closely. Algebra is our own folding, and for short
formulas the expansion of products and whole powers by sympy: both end soon. Fresh points are drawn evenly from the box of the inputs' ranges.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from workbench.exceptions import DatasetError, TrainingError
from workbench.expression import Call, Expression, Number, Symbol, complexity, fold, free_constants, parse, substitute, symbols, to_sympy, walk
from workbench.formula.fitting import Sample, fitted
from workbench.formula.opening import with_open_constants
from workbench.formula.rows import Rows, input_rows

if TYPE_CHECKING:
    from workbench.formula.formula import Formula

Relation = Literal["proven", "same", "offset", "factor", "form", "holds", "held", "different"]

ROUNDING = 1e-9  # of the largest value: below it a difference is one of rounding
_LIKE = 1e-7  # of the spread of values: as close as a fit of the constants must come
_FRESH, _GRID, _FITTED = 1000, 161, 400  # fresh points, points of the curve, rows that constants are fitted to
_SHORT, _LARGEST_POWER = 40, 6  # nodes of a formula, and whole powers in it, that are expanded


@dataclass(frozen=True, eq=False)
class Comparison:
    """What can be said of two formulas.

    Parameters
    ----------
    relation : see the module's docstring
    text : the same in a plain sentence
    first, second : the formulas; a second one that was typed, with its open constants fitted to the values of the first
    largest, row : the largest difference on the rows, and the number of that row, from 0; infinite where only one of them has a value
    fresh : the largest difference on fresh points
    along, x, difference : the input along which they differ most, a grid on it, and second - first there, all other inputs at their median
    """

    relation: Relation
    text: str
    first: Formula
    second: Formula
    largest: float
    row: int
    fresh: float
    along: str | None
    x: np.ndarray
    difference: np.ndarray

    def __str__(self) -> str:
        return self.text


def compare(first: Formula, second: Formula | str, X: Rows, random_state: int = 0) -> Comparison:
    """Compare two formulas of the same inputs.

    Parameters
    ----------
    second : a formula, or one as text; names in it that are no columns are constants, fitted to the values of the first formula
    X : rows on which they are compared
    random_state : seed of the fresh points

    Raises
    ------
    DatasetError : several targets, constants for groups, or other inputs
    """
    rows = input_rows(X, first.inputs)
    fresh = _fresh(first, rows, random_state)
    other = _read(second, first, rows) if isinstance(second, str) else second
    for formula in (first, other):
        if len(formula.outputs) > 1 or formula.groups:
            raise DatasetError("compare(): formulas of one target are compared, with one set of constants for all rows.")
    if [column.symbol for column in other.inputs] != [column.symbol for column in first.inputs]:
        raise DatasetError("compare(): the formulas have other inputs. Give two formulas of the same columns.")
    pair = _Pair(first, other, rows, fresh)
    relation, words = pair.relation()
    along, x, difference = (None, np.empty(0), np.empty(0)) if relation in ("proven", "same") else pair.most_different()
    return Comparison(relation, words, first, other, pair.largest, pair.row, pair.fresh, along, x, difference)


def _read(text: str, first: Formula, rows: np.ndarray) -> Formula:
    """Return a typed formula, its open constants fitted to the values of the first."""
    left, equals, right = text.partition("=")
    output = first.outputs[0]
    if equals and left.strip() not in (output.name, output.symbol):
        raise DatasetError(f"compare({text!r}): left of the = stands {left.strip()!r}; the target is {output.name!r}. Write the right-hand side alone.")
    columns = {c.name: Symbol(c.symbol) for c in first.inputs if c.name.isidentifier()} | {c.symbol: Symbol(c.symbol) for c in first.inputs}
    expression = substitute(parse(right if equals else text), columns)
    names = sorted(symbols(expression) - {c.symbol for c in first.inputs})
    try:
        closed = with_open_constants(expression, names, _sample(first, rows, first.prediction(rows).values))
    except TrainingError as error:
        raise DatasetError(f"compare({text!r}): {error}") from None
    return replace(first, outputs=(replace(output, expression=closed),), definitions={}, certificate=None)


class _Pair:
    """Two formulas and their values."""

    def __init__(self, first: Formula, second: Formula, rows: np.ndarray, fresh: np.ndarray) -> None:
        self.first, self.second, self.rows = first, second, rows
        self.both = np.vstack([rows, fresh])
        with np.errstate(all="ignore"):
            self.a, self.b = first.prediction(self.both).values, second.prediction(self.both).values
            known = np.isfinite(self.a) & np.isfinite(self.b)
            neither = ~np.isfinite(self.a) & ~np.isfinite(self.b)
            gaps = np.where(neither, 0.0, np.where(known, np.abs(self.b - self.a), np.inf))
        self.known, self.n_rows = known, len(rows)
        self.whole = bool((known | neither).all())
        self.row, self.largest = int(gaps[: len(rows)].argmax()), float(gaps[: len(rows)].max())
        self.fresh = float(gaps[len(rows) :].max())
        self.size = float(max(np.abs(self.a[known]).max(initial=0.0), np.abs(self.b[known]).max(initial=0.0)))

    def relation(self) -> tuple[Relation, str]:
        """Return how they are related, and a sentence that says how that was found."""
        compared = f"on all {self.n_rows} rows and {len(self.both) - self.n_rows} fresh points"
        if _zero_by_algebra(self.first, self.second):
            return "proven", "They are the same formula: their difference is zero by algebra."
        if max(self.largest, self.fresh) <= ROUNDING * self.size:
            return "same", f"They give the same values {compared}, to {max(self.largest, self.fresh) / (self.size or 1.0):.0e} of the largest. That is no proof."
        if self.whole and self.known.any():
            a, b = self.a[self.known], self.b[self.known]
            if np.ptp(b - a) <= ROUNDING * self.size:
                return "offset", f"They differ by a constant: the second is {_signed(float(np.mean(b - a)))} everywhere, {compared}."
            factor = float(a @ b / (a @ a)) if a.any() else 0.0
            if factor and np.abs(b - factor * a).max() <= ROUNDING * self.size:
                return "factor", f"They differ by a factor: the second is {factor:.6g} times the first, {compared}."
        return self._form(compared)

    def _form(self, compared: str) -> tuple[Relation, str]:
        second, first = _takes_values_of(self.second, self.first, self.both, self.a), _takes_values_of(self.first, self.second, self.both, self.b)
        apart = f"As they stand they differ by up to {self._sized(self.largest)} on the rows (row {self.row + 1})."
        if first and second:
            return "form", f"They have the same form with other constants: fitted to each other they agree {compared}. {apart}"
        if second:
            return "holds", f"The first is a special case of the second, which with other constants gives its values {compared}. {apart}"
        if first:
            return "held", f"The second is a special case of the first, which with other constants gives its values {compared}. {apart}"
        gaps = np.abs(self.b - self.a)[: self.n_rows][self.known[: self.n_rows]]
        typical = f", by {self._sized(float(np.sqrt(np.mean(gaps**2))))} on a typical one" if gaps.size else ""
        return "different", f"They differ by up to {self._sized(self.largest)} on the rows (row {self.row + 1}){typical}, by up to {self._sized(self.fresh)} on fresh points."

    def _sized(self, difference: float) -> str:
        if not np.isfinite(difference):
            return "infinity, as only one of them has a value there,"
        unit = self.first.outputs[0].unit
        return f"{difference:.3g} {unit}" if unit else f"{difference:.3g}"

    def most_different(self) -> tuple[str, np.ndarray, np.ndarray]:
        """Return the input along which their difference varies most, a grid on it, and the difference there."""
        middle, best = np.median(self.rows, axis=0), None
        for i, column in enumerate(self.first.inputs):
            points = np.tile(middle, (_GRID, 1))
            points[:, i] = np.linspace(self.both[:, i].min(), self.both[:, i].max(), _GRID)
            with np.errstate(all="ignore"):
                gap = self.second.prediction(points).values - self.first.prediction(points).values
            finite = gap[np.isfinite(gap)]
            varies = float(np.ptp(finite)) if finite.size else -1.0
            if best is None or varies > best[0]:
                best = varies, column.name, points[:, i], gap
        assert best is not None  # a formula has inputs
        return best[1:]


def _signed(value: float) -> str:
    return f"larger by {value:.6g}" if value > 0 else f"smaller by {-value:.6g}"


def _fresh(formula: Formula, rows: np.ndarray, seed: int) -> np.ndarray:
    low = [column.low if np.isfinite(column.low) else rows[:, i].min() for i, column in enumerate(formula.inputs)]
    high = [column.high if np.isfinite(column.high) else rows[:, i].max() for i, column in enumerate(formula.inputs)]
    return np.random.default_rng(seed).uniform(low, high, (_FRESH, len(low)))


def _sample(formula: Formula, points: np.ndarray, values: np.ndarray) -> Sample:
    """Return the values of a formula as rows to fit another to."""
    finite = np.flatnonzero(np.isfinite(values))
    some = finite[np.linspace(0, len(finite) - 1, min(len(finite), _FITTED)).astype(int)]
    columns = {column.symbol: np.ascontiguousarray(points[some, i]) for i, column in enumerate(formula.inputs)}
    return Sample(columns, values[some], np.ones(len(some)), formula.definitions)


def _takes_values_of(formula: Formula, other: Formula, points: np.ndarray, values: np.ndarray) -> bool:
    """Whether a formula with other constants gives these values of another one on all points."""
    if not formula.constants or other.definitions or formula.definitions:
        return False
    known = np.isfinite(values)
    try:
        refitted = fitted(formula.outputs[0].expression, _sample(formula, points, values))
    except (TrainingError, ValueError):
        return False
    with np.errstate(all="ignore"):
        gap = np.abs(replace(formula, outputs=(replace(formula.outputs[0], expression=refitted),)).prediction(points).values - values)[known]
        spread = float(np.std(values[known]))
    return bool(np.isfinite(gap).all() and gap.max(initial=0.0) <= _LIKE * spread)


# ---------------------------------------------------------------------------------------------------- algebra


def _zero_by_algebra(first: Formula, second: Formula) -> bool:
    if first.definitions or second.definitions:
        return False
    a, b = first.outputs[0].expression, second.outputs[0].expression
    if _is_zero(fold(a - b)):
        return True
    if not (_is_short(a) and _is_short(b)):
        return False
    import sympy

    return sympy.expand(to_sympy(a) - to_sympy(b)) == 0


def _is_zero(expression: Expression) -> bool:
    return isinstance(expression, Number) and expression.value == 0


def _is_short(expression: Expression) -> bool:
    """Whether expanding an expression ends soon."""
    powers = [node.arguments[1] for node in walk(expression) if isinstance(node, Call) and node.function == "pow"]
    large = [p for p in powers if isinstance(p, Number) and abs(p.value) > _LARGEST_POWER]
    return complexity(expression) <= _SHORT and not large and not any(abs(value) > 1e100 for value in free_constants(expression))
