"""Powers of sums begin with a one: a constant less where nothing is left before them, and constants that a fit can tell apart."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from workbench.expression import evaluate, fold, free_constants, parse
from workbench.search import SearchProblem
from workbench.search.native.engine import NativeEngine
from workbench.search.native.judging.judge import Judge
from workbench.search.native.judging.polishing import Rows
from workbench.search.native.notation.scaling import from_one

U, V, W = np.random.default_rng(9).uniform([[0.5], [0.0], [2.0]], [[1.0], [3.0], [3.0]], (3, 211))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3.0*u*(2.0 - v)**5.5", "135.76450198781714*u*(1 - 0.5*v)**5.5"),
        ("0.25*(v/w - 4.0)**2", "4.0*(1 - 0.25*v/w)**2"),
        ("exp(0.5*(v + 9.0)**0.5)", "exp(1.5*(0.1111111111111111*v + 1)**0.5)"),
    ],
)
def test_the_constant_of_a_sum_goes_before_its_power(text: str, expected: str) -> None:
    (found,) = from_one(fold(parse(text)))
    columns = {"u": U, "v": V, "w": W}
    assert_allclose(evaluate(found, columns), evaluate(parse(text), columns), rtol=1e-12)
    assert_allclose(sorted(free_constants(found)), sorted(free_constants(fold(parse(expected)))), rtol=1e-12)


@pytest.mark.parametrize("text", ["u*(2.0 - v)**5.5", "3.0*u*(1 - v)**5.5", "3.0*(v - 2.0)**5.5", "3.0*(v + 2.0)"])
def test_other_products_stay(text: str) -> None:
    """No factor that was fitted, a sum that begins with one, one that may be below zero, no power."""
    assert list(from_one(fold(parse(text)))) == []


def test_constants_that_become_too_large_leave_the_expression_as_it_is() -> None:
    judge = Judge(Rows({"u": U}, U, np.ones(len(U))))
    expression = fold(parse("2.0*(1.5e200 + u)**5.5"))
    assert judge._settled(expression)[0] == expression
    assert judge._with_exact_constants(expression, np.inf)[0] == expression


def test_a_power_of_a_sum_is_found_with_the_constants_of_the_law() -> None:
    """The pressure at a height in air that cools by 6.5 K a kilometre: p (1 - 0.0065 h/T)^5.2559."""
    p, h, t = np.random.default_rng(10).uniform([[95.0], [0.0], [270.0]], [[105.0], [5000.0], [310.0]], (3, 307))
    y = p * (1 - 0.0065 * h / t) ** 5.2559
    found = [each.expression for each in NativeEngine().search(SearchProblem(np.column_stack([p, h, t]), y, ("p", "h", "t")), lambda: False)]
    best = min(found, key=lambda each: np.abs(evaluate(each, {"p": p, "h": h, "t": t}) - y).max())
    assert_allclose(sorted(np.abs(free_constants(best))), [0.0065, 5.2559], rtol=1e-6)
