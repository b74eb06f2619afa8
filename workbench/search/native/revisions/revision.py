"""Formulas changed in one place at a time: a law is often one or two words away from what describes the rows nearly as well.

    a part s of the formula becomes        k F        k s F        s F^k        T^-1(T(s) + k F)        F one of many small parts;  T: s, s^2, 1/s, 1/s^2

To first order all of them are linear in F or in log F, so that a few matrix products say of every part in every place what it would leave. The best are
fitted, and the best of these judged. Those that are judged are changed in turn, the shortest description of the rows first; and now and then the
plainest of those that leave the least among formulas of their length, as the way to a law of many terms begins at few.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np

from workbench.exceptions import ExpressionError
from workbench.expression import Call, Expression, Number, complexity, fold, free_constants, walk
from workbench.expression.description import description
from workbench.search.native.judging.judge import Judge, Judged
from workbench.search.native.judging.polishing import Rows, polished
from workbench.search.native.notation.exponents import with_plain_exponents
from workbench.search.native.revisions.moves import Move, moves
from workbench.search.native.revisions.parts import Parts, parts, parts_with
from workbench.search.native.state import Candidate
from workbench.search.native.watch import Watch

Turn = Literal["shortest", "plainest"]

_ROWS = 600  # that say what a change would do
_FITTED, _OF_A_MOVE = 60, 15  # changes of one formula that are fitted, and how many may be of one kind in one place
_JUDGED, _NEAR_JUDGED = 5, 15  # of these so many are judged, and so many more that may be handed on, as they are nearly as short as the best of all
_FITTED_ONCE = 1  # constants of these at most: without more, nothing bends them to the rows
_STEPS = 12
_NEARLY_PLAIN = 0.1  # from a whole or half exponent, which is tried in place of a fitted one
_LEAST, _WITHIN = 1e-12, 1e-4  # shares of a square that are rounding, and that are left to a part which the constants can nearly replace
_FITTED_NUMBER, _LARGEST_EXPONENT = Number(0.123), 4.0  # any has the same price
_NEAR, _SMALL_SUM, _MOST_SUMS = 20.0, 7, 2  # nats from the best where sums that a formula holds are parts; how long these are, and how many
_FAR, _LONG = 60.0, 45  # nats from the best, and nodes, beyond which a formula is not changed


class Revision:
    """Changes of the formulas that a judge has weighed; it remembers what was changed.

    Parameters
    ----------
    order : which formula is changed next, turn by turn: that of the shortest description, or the plainest
    """

    def __init__(self, order: Sequence[Turn] = ("shortest", "plainest")) -> None:
        self._order = order
        self._parts: dict[tuple[Expression, ...], tuple[Parts, Parts]] = {}  # by the sums in them: they and their logarithms
        self._changed: set[tuple[int, str]] = set()
        self._fitted: set[Expression] = set()

    def candidates(self, watch: Watch, most: int) -> Iterator[Candidate]:
        """Yield changed formulas, of at most so many formulas, until none is left or it is time to stop."""
        judge = watch.judge
        for turn in range(most):
            judged = self._next(judge, self._order[turn % len(self._order)])
            if judged is None or watch.over:
                return
            self._changed.add(_key(judged))
            yield from self._better(judged, watch)

    def _next(self, judge: Judge, turn: Turn) -> Judged | None:
        """Return the formula to change next: that of the shortest description, or the plainest on the front; where one is not left, the other."""
        on_front, weighed = (
            [each for each in found if each.complexity <= _LONG and _key(each) not in self._changed] for found in (judge.front, judge.weighed)
        )
        shortest = min((each for each in weighed if each.cost < judge.best.cost + _FAR), key=lambda each: each.cost, default=None)
        plainest = min(on_front, key=lambda each: each.complexity, default=None)
        return plainest or shortest if turn == "plainest" else shortest or plainest

    def _better(self, judged: Judged, watch: Watch) -> Iterator[Candidate]:
        """Yield the changes of one formula that describe the rows most shortly."""
        judge, fitted = watch.judge, {}
        for expression in self._promising(judged, judge):
            if watch.stop():
                return
            expression, rmse = polished(expression, judge.rows, _STEPS)
            if not np.isfinite(rmse):
                continue
            found = judge.cost(expression, rmse), rmse, expression
            plain = with_plain_exponents(expression, _NEARLY_PLAIN)
            if plain != expression:
                plain, rmse = polished(plain, judge.rows, _STEPS)
                found = min(found, (judge.cost(plain, rmse), rmse, plain), key=lambda each: each[0])
            alike = f"{found[1]:.6g}"
            if alike not in fitted or found[0] < fitted[alike][0]:
                fitted[alike] = found
        fitted.pop(f"{judged.rmse:.6g}", None)
        ordered = sorted(fitted.values(), key=lambda each: each[0])
        near = [e for cost, _, e in ordered[_JUDGED:] if len(free_constants(e)) <= _FITTED_ONCE and judge.is_near(e, cost)]
        for expression in (*(e for *_, e in ordered[:_JUDGED]), *near[:_NEAR_JUDGED]):
            yield Candidate(expression, (*judged.path, "changed in one place"))

    def _promising(self, judged: Judged, judge: Judge) -> Iterator[Expression]:
        """Yield changes of one formula that would be short and leave little, to first order."""
        rows = judge.rows.part(slice(0, _ROWS))
        ways, sums = list(moves(judged.expression, rows)), _sums(judged.expression)
        found: list[_Change] = []
        for those in [(), sums] if sums and judged.cost < judge.best.cost + _NEAR else [()]:
            for of_logarithms, own in enumerate(self._parts_with(those, rows, judge)):
                some = [move for move in ways if move.of_logarithms == of_logarithms]
                if some and len(own):
                    found += _best(some, own, judged, judge)
        taken = 0
        for change in sorted(found, key=lambda each: each.cost):
            made = change.made(judge.positive)
            if made is not None and made not in self._fitted:
                self._fitted.add(made)
                taken += 1
                yield made
            if taken >= _FITTED:
                return

    def _parts_with(self, sums: tuple[Expression, ...], rows: Rows, judge: Judge) -> tuple[Parts, Parts]:
        """Return small formulas of the columns, or those that hold one of some sums, and the logarithms of them."""
        if sums not in self._parts:
            self._parts = {those: own for those, own in self._parts.items() if not those}  # each takes tens of megabytes: one is kept beside the columns' own
            made = parts_with(sums, rows.columns, judge.functions) if sums else parts(rows.columns, judge.functions)
            self._parts[sums] = made, made.logarithms()
        return self._parts[sums]


def _sums(expression: Expression) -> tuple[Expression, ...]:
    """Return the sums without fitted constants in a formula, which a law may hold in more than one place: u - v."""
    found = (node for node in walk(expression) if isinstance(node, Call) and node.function == "add" and node != expression)
    plain = (node for node in found if not free_constants(node) and complexity(node) <= _SMALL_SUM)
    return tuple(dict.fromkeys(plain))[:_MOST_SUMS]


@dataclass(frozen=True, eq=False)
class _Change:
    """A part in a place, with its factor, and what the formula would cost."""

    cost: float
    move: Move
    factor: float
    part: Expression

    def made(self, positive: Collection[str]) -> Expression | None:
        """Return the changed formula; None where it cannot be written."""
        plain = Fraction(self.factor).limit_denominator(2)
        number = Number(plain) if float(plain) == self.factor else Number(self.factor)
        try:
            return fold(self.move.written(number, self.part), positive)
        except (ExpressionError, OverflowError, ZeroDivisionError):
            return None


def _best(ways: Sequence[Move], own: Parts, judged: Judged, judge: Judge) -> Iterator[_Change]:
    """Yield the parts of lowest cost for every move."""
    costs, factors = _costs(ways, own, judged, judge)
    most = min(_OF_A_MOVE, len(own) - 1)
    best = np.argpartition(costs, most, axis=0)[: most or None]
    for column, move in enumerate(ways):
        for row in best[:, column]:
            if np.isfinite(costs[row, column]) and np.isfinite(factors[row, column]):
                yield _Change(float(costs[row, column]), move, float(factors[row, column]), own.expression(int(row)))


def _costs(ways: Sequence[Move], own: Parts, judged: Judged, judge: Judge) -> tuple[np.ndarray, np.ndarray]:
    """Return for every part (rows) and move (columns) the cost of the changed formula, and the factor: fitted, or a plain one."""
    n_all = len(judge.rows.y)
    gains, wanted, products, squares = _projected(ways, own.values)
    total = np.sum(wanted**2, axis=0)
    unit = own.sizes[:, None] * gains
    fitted = products / squares / unit
    plain = np.sign(fitted)
    if ways[0].of_logarithms:  # exponents may be halves
        plain *= np.clip(np.round(2 * np.abs(fitted)) / 2, 0.5, _LARGEST_EXPONENT)
    scaled = plain * unit
    left = np.stack([total - fitted * unit * products, total - 2 * scaled * products + scaled**2 * squares])
    costs = n_all / 2 * np.log(np.maximum(left, _LEAST * total) / len(wanted) / judge.size**2 + judge.rounding**2)
    costs[0] += description(_FITTED_NUMBER, n_all) * np.array([not move.scaled for move in ways])
    costs[1] += np.abs(np.abs(plain) - 1.0)
    said = description(judged.expression, n_all) - np.array([0.0 if move.freed is None else description(move.freed, n_all) for move in ways]) + own.lengths[:, None]
    return said + costs.min(axis=0), np.where(costs[0] < costs[1], fitted, plain)


def _projected(ways: Sequence[Move], values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the size of the gain of every move, what is wanted of it, and of every part with it the products with that, and the squares.

    All that the constants of the formula can do by themselves is taken out (Frisch & Waugh, 1933), as they are fitted again.
    """
    sizes = np.array([np.sqrt(np.mean(move.gain**2)) + 1e-300 for move in ways])
    gains = np.stack([move.gain for move in ways], axis=1) / sizes
    wanted = np.stack([move.wanted - move.tangents @ (move.tangents.T @ move.wanted) for move in ways], axis=1)
    products = (values @ (gains * wanted).astype(np.float32)).astype(float)
    whole = (np.square(values) @ (gains**2).astype(np.float32)).astype(float)
    tangents = np.concatenate([move.tangents * gain[:, None] for move, gain in zip(ways, gains.T, strict=True)], axis=1)
    within = np.square(values @ tangents.astype(np.float32)).astype(float)
    counts = np.cumsum([0, *(move.tangents.shape[1] for move in ways)])
    squares = whole - np.stack([within[:, first:last].sum(axis=1) for first, last in itertools.pairwise(counts)], axis=1)
    hardly = squares < _WITHIN * whole  # the constants can do that already
    return sizes, wanted, np.where(hardly, 0.0, products), np.where(hardly, whole, squares)


def _key(judged: Judged) -> tuple[int, str]:
    """Return what tells formulas apart: the same error and length is the same law, at most in other words."""
    return judged.complexity, f"{judged.rmse:.5g}"
