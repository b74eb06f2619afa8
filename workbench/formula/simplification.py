"""A shorter way to write the same expression, found by SymPy and believed only after numbers agree.

SymPy knows thousands of identities and some of them hold on half of the line only; it may also run for hours. So this function is made for
a worker process that can be stopped, it tries cheap rewritings first and hands over each better one as soon as it has it, and a rewriting is
kept only if it is shorter and has the same values, rows without a value included, on points of the range and a little beyond.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Literal

import numpy as np

from workbench.bases.basis import EdgeDefinition
from workbench.exceptions import ExpressionError
from workbench.expression import Expression, complexity, evaluate, fold, from_sympy, symbols, to_sympy

if TYPE_CHECKING:
    import sympy

Effort = Literal["light", "thorough"]
Range = tuple[float, float]

N_POINTS = 257
_SAME = 1e-9  # relative difference that rewriting may leave in float64


def simplify(
    expression: Expression,
    effort: Effort = "light",
    ranges: Mapping[str, Range] | None = None,
    definitions: Mapping[str, EdgeDefinition] | None = None,
) -> Expression:
    """Return the shortest expression found that has the same values; the expression itself if there is none.

    Parameters
    ----------
    expression : Expression
    effort : "light" rearranges (seconds), "thorough" also lets SymPy search (may take minutes)
    ranges : symbol -> (low, high), where the values must agree; left out: (-2, 2)
    definitions : the named functions that the expression calls

    >>> from workbench.expression import parse
    >>> str(simplify(parse("sin(x)**2 + cos(x)**2 + x"), effort="thorough"))
    'x + 1'
    """
    *_, shortest = (expression, *simplifications(expression, effort, ranges, definitions))
    return shortest


def simplifications(
    expression: Expression,
    effort: Effort = "light",
    ranges: Mapping[str, Range] | None = None,
    definitions: Mapping[str, EdgeDefinition] | None = None,
) -> Iterator[Expression]:
    """Yield ever shorter expressions of the same values, each as soon as it is found: stop listening at any time.

    Parameters as in `simplify`.
    """
    points = _points(expression, ranges or {})
    known = definitions or {}
    reference = evaluate(expression, points, known)
    best = expression
    for candidate in _candidates(expression, effort, _positive(ranges or {})):
        if complexity(candidate) < complexity(best) and _same(reference, evaluate(candidate, points, known)):
            best = candidate
            yield best


def _candidates(expression: Expression, effort: Effort, positive: frozenset[str]) -> Iterator[Expression]:
    """Yield rewritings, cheap ones first; what SymPy answers outside our language is passed over."""
    yield fold(expression)
    yield fold(expression, positive)
    start = to_sympy(expression)
    for rewrite in _rewritings(effort):
        try:
            yield fold(from_sympy(rewrite(start)), positive)
        except ExpressionError:  # a piecewise or complex answer is no formula of ours
            continue


def _rewritings(effort: Effort) -> list[Callable[[sympy.Expr], sympy.Expr]]:
    import sympy

    light = [sympy.factor_terms, sympy.expand, sympy.factor, sympy.together, sympy.cancel, sympy.powsimp, sympy.logcombine]
    return light if effort == "light" else [*light, sympy.trigsimp, sympy.radsimp, sympy.simplify]


def _positive(ranges: Mapping[str, Range]) -> frozenset[str]:
    return frozenset(name for name, (low, _) in ranges.items() if low > 0.0)


def _points(expression: Expression, ranges: Mapping[str, Range]) -> dict[str, np.ndarray]:
    """Draw points from the box of the ranges, widened by a tenth where that does not change a sign."""
    generator = np.random.default_rng(0)
    points = {}
    for name in sorted(symbols(expression)):
        low, high = ranges.get(name, (-2.0, 2.0))
        margin = 0.1 * (high - low)
        start = low - margin if not low >= 0.0 else max(low - margin, 0.5 * low)
        points[name] = generator.uniform(start, high + margin, N_POINTS)
    return points


def _same(reference: np.ndarray, values: np.ndarray) -> bool:
    known = np.isfinite(reference)
    if not np.array_equal(known, np.isfinite(values)):
        return False
    scale = np.abs(reference[known]).max(initial=0.0)
    return bool(np.all(np.abs(values[known] - reference[known]) <= _SAME * scale))
