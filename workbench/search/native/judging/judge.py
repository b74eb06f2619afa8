"""Which candidate describes the data in the fewest words: error and length weighed in one number.

    cost = n log(rmse) + what it takes to say the expression (expression/description.py)

That is the description length of the rows in nats (Rissanen, 1978). The front keeps, for every complexity, the best error. What is
nearly as short as the best is handed on as well: other rows may prefer it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from workbench.exceptions import ExpressionError
from workbench.expression import Call, Expression, Number, complexity, fold, free_constants, symbols, upright, walk
from workbench.expression.description import PLAIN, description, nearly_as_short
from workbench.search.native.judging.exact_constants import with_exact_constants
from workbench.search.native.judging.polishing import Rows, polished
from workbench.search.native.judging.shortening import shortened
from workbench.search.native.notation.factoring import shortest_factoring
from workbench.search.native.notation.gathering import gathered
from workbench.search.native.notation.parting import parted
from workbench.search.native.notation.phases import at_home
from workbench.search.native.notation.poles import without_poles
from workbench.search.native.notation.scaling import from_one
from workbench.search.native.notation.squares import squared, unrooted
from workbench.search.native.notation.unwinding import unwound
from workbench.search.native.state import Candidate

_ROUNDING = 1e-12  # errors below this share of the target's size are rounding
_EXACT = 1e-9  # errors below this share are no noise of a measurement
_FEW = 2  # constants of a law that an exact fit proves; with more, a fit can imitate one
_QUICK_ROWS, _QUICK_STEPS = 200, 10
_RIVAL = 20.0  # costs this near to the best may change places once constants are exact
_AS_GOOD = 1.2  # times the error of the best smooth surrogate: a formula that leaves no more may only be too long
_PART = 10.0  # what a term with its constant costs
_MORE = 80  # candidates that an exact law must outlast where it is not plain: it may be a detour
_AS_WELL = 0.999  # times an error: no other
_HARDLY = 0.25  # nats that make no other description
_LONG, _LONGEST = 50, 400  # nodes beyond which a formula is not made shorter part by part, and beyond which it is none


@dataclass(frozen=True)
class Judged:
    """A polished expression, its weighted root mean square error, its complexity and cost."""

    expression: Expression
    rmse: float
    complexity: int
    cost: float
    path: tuple[str, ...]


class Judge:
    """Polishes and weighs candidates, and remembers the front."""

    def __init__(self, rows: Rows, functions: frozenset[str] | None = None, max_complexity: int | None = None, rounding: float = _ROUNDING) -> None:
        self.rows, self.functions, self.max_complexity, self.rounding = rows, functions, max_complexity, rounding
        self.quick = rows.part(slice(0, _QUICK_ROWS))
        self.size = max(float(np.sqrt(np.mean((rows.y * rows.root_weights) ** 2))), 1e-300)
        self.spread = float(np.std(rows.y * rows.root_weights))
        self.positive = tuple(name for name, column in rows.columns.items() if (column > 0).all())
        self.front: list[Judged] = []
        self.weighed: list[Judged] = []  # all that came so far as to be weighed
        self.best: Judged | None = None
        self.floor = math.inf  # the least error of a smooth surrogate
        self._seen: dict[str, float] = {}  # error -> least description
        self._outlasted = 0  # candidates since the best is exact

    @property
    def bar(self) -> float:
        """An error above this is of no use: a smooth surrogate, or what was found, does better."""
        return 1.6 * max(min(self.floor, self.best.rmse if self.best else math.inf), self.rounding * self.size)

    @property
    def exact(self) -> bool:
        """Whether a law was found that leaves nothing but rounding, and is plain or outlasted many other candidates."""
        return self.best is not None and self.is_exact(self.best) and (self.best.complexity <= PLAIN or self._outlasted >= _MORE)

    @property
    def comes_close(self) -> bool:
        """Whether the best leaves hardly more than a smooth surrogate: with noise it may be near the law."""
        return self.best is not None and self.best.rmse < _AS_GOOD * self.floor

    def is_near(self, expression: Expression, cost: float) -> bool:
        """Whether an expression describes the rows nearly as shortly as the best."""
        fitted, of_best = (len(free_constants(each)) for each in (expression, self.best.expression))
        return cost < self.best.cost + nearly_as_short(fitted, of_best)

    def is_exact(self, judged: Judged) -> bool:
        """Whether the error is rounding, with fewer constants than could imitate it."""
        constants = len(free_constants(judged.expression))
        limit = _EXACT if constants <= _FEW else 0.01 * _EXACT
        return judged.rmse < max(limit, self.rounding) * self.size and 2 * constants < len(self.rows.y)

    def offer(self, candidate: Candidate) -> Judged | None:
        """Polish and weigh a candidate; return it where it is the best, nearly so, or the best of its complexity."""
        expression = candidate.expression
        self._outlasted += self.best is not None and self.is_exact(self.best)
        if not self._allowed(expression):
            return None
        expression, rmse = polished(expression, self.quick, _QUICK_STEPS)
        if not self._promising(expression, rmse):
            return None
        expression, rmse = polished(expression, self.rows)
        if not np.isfinite(rmse) or self._known(expression, rmse) or not self._has_place(expression, rmse):
            return None
        expression, rmse = self._settled(self._folded(expression))
        if self.best is None or self.cost(expression, rmse) < self.best.cost + _RIVAL:
            if self._may_be_too_long(expression, rmse):
                expression, rmse = shortened(expression, rmse, self.rows, self._cost_if_allowed)
            expression, rmse = self._with_exact_constants(expression, rmse)
            expression, rmse = self._gathered(self._shortest_factoring(self._folded(expression)), rmse)
            expression, rmse = self._without_poles(*self._unrooted(expression, rmse))
        size = complexity(expression)
        if not np.isfinite(rmse) or (self.max_complexity is not None and size > self.max_complexity):
            return None
        return self._placed(Judged(expression, rmse, size, self.cost(expression, rmse), candidate.path))

    def cost(self, expression: Expression, rmse: float) -> float:
        """Return n log(rmse) + description."""
        return len(self.rows.y) * math.log(rmse / self.size + self.rounding) + description(expression, len(self.rows.y))

    def _settled(self, expression: Expression) -> tuple[Expression, float]:
        """Return the expression fitted to the end: powers of sums from one, where a fit finds its way more easily, if that leaves less."""
        fitted = polished(expression, self.rows)
        return min([fitted, *self._from_one(expression)], key=lambda each: each[1] * (_AS_WELL if each is fitted else 1.0))

    def _with_exact_constants(self, expression: Expression, rmse: float) -> tuple[Expression, float]:
        """Return the expression with exact constants, and powers of sums that begin with one, where the description is shorter so."""
        tried = [(expression, rmse), *self._from_one(expression)]
        return min((with_exact_constants(*each, self.rows, self.cost) for each in tried), key=lambda each: self.cost(*each))

    def _from_one(self, expression: Expression) -> list[tuple[Expression, float]]:
        """Return the expression with one power of a sum that begins with one, each in turn, fitted; none where its numbers become too large."""
        try:
            others = list(from_one(unwound(expression)))
        except (ExpressionError, OverflowError, ZeroDivisionError):
            return []
        return [(other, rmse) for other, rmse in (polished(each, self.rows) for each in others) if np.isfinite(rmse)]

    def _may_be_too_long(self, expression: Expression, rmse: float) -> bool:
        """Whether an expression leaves no more than a smooth surrogate, and without one of its parts it may be the best."""
        if not rmse < max(_AS_GOOD * min(self.floor, self.size), _EXACT * self.size) or complexity(expression) > _LONG:
            return False
        return self.best is None or self.cost(expression, rmse) < self.best.cost + _PART

    def _cost_if_allowed(self, expression: Expression, rmse: float) -> float:
        return self.cost(expression, rmse) if np.isfinite(rmse) and self._allowed(expression) else math.inf

    def _allowed(self, expression: Expression) -> bool:
        nodes = list(walk(expression))
        if len(nodes) > _LONGEST or not symbols(expression) <= set(self.rows.columns):
            return False
        return self.functions is None or functions_of(expression) <= self.functions

    def _promising(self, expression: Expression, rmse: float) -> bool:
        """Whether a quick fit is near enough to the front to deserve a full one."""
        if not np.isfinite(rmse):
            return False
        if rmse <= 1.5 * self.bar:
            return True
        size = complexity(expression)
        rivals = [judged.rmse for judged in self.front if judged.complexity <= size]
        return rmse < min(rivals, default=1.5 * self.size)

    def _known(self, expression: Expression, rmse: float) -> bool:
        """Whether an expression of the same error and no greater length was weighed before: the same law in other words."""
        size, key = description(expression, len(self.rows.y)), f"{rmse:.5g}"
        known = size >= self._seen.get(key, math.inf) - _HARDLY
        self._seen[key] = min(size, self._seen.get(key, math.inf))
        return known

    def _has_place(self, expression: Expression, rmse: float) -> bool:
        """Whether an expression may become the best once it is folded, or the best of its complexity."""
        if self.best is None or self.cost(expression, rmse) < self.best.cost + 2 * _RIVAL:
            return True
        size = complexity(expression)
        return rmse < 0.98 * min((judged.rmse for judged in self.front if judged.complexity <= size), default=math.inf)

    def _shortest_factoring(self, expression: Expression) -> Expression:
        """Return the same function with factors before or in its sums; where rounding or a domain makes it another one, the expression as it is."""
        shorter = shortest_factoring(expression, frozenset(self.positive), self._folded, lambda each: description(each, len(self.rows.y)))
        rmse = self.rows.rmse(expression)
        return shorter if abs(self.rows.rmse(shorter) - rmse) <= 1e-6 * rmse + self.rounding * self.size else expression

    def _folded(self, expression: Expression) -> Expression:
        try:
            folded = fold(parted(expression, self.positive), self.positive)
        except (ExpressionError, OverflowError):
            return expression
        return folded if self._allowed(folded) else expression

    def _gathered(self, expression: Expression, rmse: float) -> tuple[Expression, float]:
        """Return the expression as people write it, where that says the same on the rows: powers gathered, phases at home, signs upright, no detours."""
        try:
            shorter = upright(at_home(unwound(gathered(squared(expression)))))
        except (ExpressionError, OverflowError, ZeroDivisionError):
            return expression, rmse
        if shorter == expression or not self._allowed(shorter):
            return expression, rmse
        error = self.rows.rmse(shorter)
        return (shorter, error) if error <= rmse + _ROUNDING * self.size else (expression, rmse)

    def _unrooted(self, expression: Expression, rmse: float) -> tuple[Expression, float]:
        """Return the expression with perfect squares taken out of their roots, with the sign that they have on the rows."""
        for other in unrooted(expression):
            error = self.rows.rmse(other) if self._allowed(other) else math.inf
            if complexity(other) <= complexity(expression) and error <= rmse + _ROUNDING * self.size:
                return self._unrooted(other, error)
        return expression, rmse

    def _without_poles(self, expression: Expression, rmse: float) -> tuple[Expression, float]:
        """Return the expression without poles that only its way to be written has."""
        regular = without_poles(expression, self.positive)
        if regular == expression:
            return expression, rmse
        regular = self._folded(squared(regular))
        error = self.rows.rmse(regular) if self._allowed(regular) else math.inf
        return (regular, error) if error <= rmse + _ROUNDING * self.size else (expression, rmse)

    def _placed(self, judged: Judged) -> Judged | None:
        """Put a judged expression into the front; None where it has no place."""
        self.weighed.append(judged)
        best = self.best is None or judged.cost < self.best.cost - 1e-9
        if best:
            self.best = judged
        rivals = [other.rmse for other in self.front if other.complexity <= judged.complexity]
        if not best and judged.rmse >= 0.98 * min(rivals, default=math.inf):
            return judged if self.is_near(judged.expression, judged.cost) else None
        self.front = [o for o in self.front if o.complexity < judged.complexity or o.rmse < judged.rmse]
        self.front = sorted([*self.front, judged], key=lambda o: o.complexity)
        return judged


def functions_of(expression: Expression) -> frozenset[str]:
    """Return the functions an expression calls; an exact power of a half is a square root."""
    found = set()
    for node in walk(expression):
        if isinstance(node, Call) and node.function not in ("add", "mul", "pow"):
            found.add(node.function)
        if isinstance(node, Call) and node.function == "pow" and isinstance(node.arguments[1], Number):
            exponent = node.arguments[1]
            if exponent.exact and Fraction(exponent.value).denominator == 2:
                found.add("sqrt")
    return frozenset(found)
