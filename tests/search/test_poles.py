"""Columns go into a root where their poles there are of the way of writing only, and a law that is found so holds beyond its rows."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from workbench.expression import evaluate, fold, parse
from workbench.search import SearchProblem
from workbench.search.native.engine import NativeEngine
from workbench.search.native.notation.poles import without_poles

POSITIVE = ("a", "b", "c")
A, B, C = np.random.default_rng(7).uniform(0.5, 2.0, (3, 97))


@pytest.mark.parametrize(
    ("text", "where_a_is_below_zero"),
    [
        ("a*sqrt(1/a**2 - 2/a + b**2)", lambda a, b, c: np.sqrt(1 - 2 * a + a**2 * b**2)),
        ("c/(a*sqrt(1/a**2 - 1/a + b))", lambda a, b, c: c / np.sqrt(1 - a + a**2 * b)),
        ("a**3*c*sqrt(1/a**3 - 1/a + b) + c", lambda a, b, c: a * c * np.sqrt(a - a**3 + b * a**4) + c),
        ("a*b*sqrt(c**2/b**2 + 1/(a*b) + 1)", lambda a, b, c: np.sqrt(a * b + a**2 * (c**2 + b**2))),
    ],
)
def test_a_pole_of_the_writing_goes(text: str, where_a_is_below_zero) -> None:
    found = fold(without_poles(fold(parse(text)), POSITIVE))
    on_rows = {"a": A, "b": B, "c": C}
    assert_allclose(evaluate(found, on_rows), evaluate(parse(text), on_rows), rtol=1e-12)
    with np.errstate(invalid="ignore"):
        assert_allclose(evaluate(found, {"a": -A, "b": B, "c": C}), where_a_is_below_zero(-A, B, C), rtol=1e-12)


@pytest.mark.parametrize("text", ["a*sqrt(1 - b**2/a**2)", "a*sqrt(1/a**4 - 1/a + 1)", "sqrt(a)*sqrt(1/a - b)", "d*sqrt(1/d - 2/d**2)", "sqrt(1/a - b)"])
def test_what_may_be_the_law_stays(text: str) -> None:
    """Even powers alone, more poles than stand before the root, halves of a column, columns that are not above zero, nothing before the root."""
    expression = fold(parse(text))
    assert without_poles(expression, POSITIVE) == expression


def test_the_spread_of_a_sum_is_found_as_it_holds_everywhere() -> None:
    """sqrt(w^2 a^2 + (1 - w)^2 b^2 + w (1 - w) a b), with the weight w outside its rows' range, too."""
    w, a, b = np.random.default_rng(8).uniform([[0.1], [0.5], [0.5]], [[0.9], [2.0], [2.0]], (3, 307))

    def law(w: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.sqrt(w**2 * a**2 + (1 - w) ** 2 * b**2 + w * (1 - w) * a * b)

    found = [each.expression for each in NativeEngine().search(SearchProblem(np.column_stack([w, a, b]), law(w, a, b), ("w", "a", "b")), lambda: False)]
    best = min(found, key=lambda each: np.abs(evaluate(each, {"w": w, "a": a, "b": b}) - law(w, a, b)).max())
    assert_allclose(evaluate(best, {"w": -w, "a": a, "b": b}), law(-w, a, b), rtol=1e-7)
