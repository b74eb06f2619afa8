"""A perfect square under a root is the difference that was squared, with the sign it has on the rows."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from workbench.expression import complexity, evaluate, fold, parse
from workbench.search import SearchProblem
from workbench.search.native.engine import NativeEngine
from workbench.search.native.notation.squares import squared, unrooted

A, B, C = np.random.default_rng(6).uniform(0.5, 2.0, (3, 97))


@pytest.mark.parametrize(
    ("text", "root"),
    [
        ("sqrt(a**2 - 2*a*b + b**2)", A - B),
        ("(4*a**2 + 4*a*b + b**2)**(3/2)", (2 * A + B) ** 3),
        ("c*sqrt((a**2/c**2 + b**2*c**2/a**2 - 2*b)/(c + 1))", (A - B * C**2 / A) / np.sqrt(C + 1)),
        ("sqrt(2.25*a**2 - 3.0*a*b**2 + b**4)", 1.5 * A - B**2),
    ],
)
def test_both_signs_of_the_root_are_offered(text: str, root: np.ndarray) -> None:
    found = list(unrooted(parse(text)))
    values = [evaluate(each, {"a": A, "b": B, "c": C}) for each in found]
    assert len(values) == 2
    assert any(np.allclose(each, root, rtol=1e-12) for each in values)
    assert_allclose(values[0], -values[1])
    assert all(complexity(each) < complexity(parse(text)) for each in found)


@pytest.mark.parametrize("text", ["sqrt(a**2 - 3*a*b + b**2)", "sqrt(a**2 - 2*a*b*sin(c) + b**2)", "(a**2 - 2*a*b + b**2)**(1/3)", "a**2 - 2*a*b + b**2", "sqrt(a + b)"])
def test_what_is_no_square_under_a_root_stays(text: str) -> None:
    assert list(unrooted(parse(text))) == []


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("a**2 - 2*a*b + b**2", "(a - b)**2"),
        ("sqrt(a**2 - 2*a*b + b**2 + c**2)", "sqrt((a - b)**2 + c**2)"),
        ("2*(b/a + b**2/(2*a**2) + 1/2)", "(b/a + 1)**2"),
        ("a**2/4 - a*b*sin(c) + b**2*sin(c)**2", "(a - 2*b*sin(c))**2/4"),
        ("log(a**4 - 2*a**2 + 1 - c)", "log((a**2 - 1)**2 - c)"),
    ],
)
def test_the_square_of_a_sum_is_written_as_one(text: str, short: str) -> None:
    found = fold(squared(fold(parse(text))))
    assert complexity(found) <= complexity(fold(parse(short)))
    columns = {"a": A, "b": B, "c": C}
    with np.errstate(invalid="ignore"):
        assert_allclose(evaluate(found, columns), evaluate(parse(text), columns), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("text", ["a**2 - 3*a*b + b**2", "a**2 + 2*a*b - b**2", "a**2 - 1.4142135*a + 0.5", "2*a**2 - 2*a*b + b**2", "a**2 + b**2", "a - 2 + 1/a"])
def test_what_is_no_square_of_exact_numbers_and_whole_powers_stays(text: str) -> None:
    assert squared(fold(parse(text))) == fold(parse(text))


def test_a_ratio_of_squares_is_found_as_short_as_people_write_it() -> None:
    """((a - b)/(a + b))^2, what a surface between two media throws back."""
    a, b = A, B + 2.5
    found = [each.expression for each in NativeEngine().search(SearchProblem(np.column_stack([a, b]), ((a - b) / (a + b)) ** 2, ("a", "b")), lambda: False)]
    exact = [each for each in found if np.allclose(evaluate(each, {"a": a, "b": b}), ((a - b) / (a + b)) ** 2, rtol=1e-9)]
    assert min(map(complexity, exact)) <= complexity(parse("((a - b)/(a + b))**2")) + 4


def test_a_law_that_is_found_by_its_square_is_given_without_the_root() -> None:
    """(2a - b c)/sqrt(a^2 + c) changes its sign within the rows' own ranges, though on no row."""
    chosen = 2 * A > B * C + 0.1
    a, b, c = A[chosen], B[chosen], C[chosen]
    y = (2 * a - b * c) / np.sqrt(a**2 + c)
    best = list(NativeEngine().search(SearchProblem(np.column_stack([a, b, c]), y, ("a", "b", "c")), lambda: False))[-1]
    everywhere = {"a": A, "b": B, "c": C}
    assert_allclose(evaluate(best.expression, everywhere), (2 * A - B * C) / np.sqrt(A**2 + C), rtol=1e-7, atol=1e-7)


def test_factors_that_say_the_same_are_not_used_together() -> None:
    """log(1 + u) + log(1 - u) is log(1 - u^2): exponents shared out between them would be any."""
    u, v = np.random.default_rng(2).uniform(0.1, 0.9, (2, 211))
    y = 3.0 * v**2 / np.sqrt(1 - u**2)
    best = list(NativeEngine().search(SearchProblem(np.column_stack([u, v]), y, ("u", "v")), lambda: False))[-1]
    assert complexity(best.expression) <= 14
    assert_allclose(evaluate(best.expression, {"u": u, "v": v}), y, rtol=1e-9)
