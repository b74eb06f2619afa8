"""Fitted constants that may as well be exact: one at a time, and two at once where they trade against each other."""

from __future__ import annotations

import numpy as np
import pytest

from tests.search.conftest import problem
from workbench.expression import Expression, Number, free_constants, parse, to_text
from workbench.search.native.judging.exact_constants import _proposals, _with_two, with_exact_constants
from workbench.search.native.judging.judge import Judge
from workbench.search.native.judging.polishing import Rows, polished

RANGES = {"a": (1, 4), "u": (0.1, 2.0)}


def made_exact(law: str, form: str, noise: float) -> tuple[Expression, Expression]:
    """Return a form fitted to rows of a law, and what becomes of it."""
    given = problem(law, RANGES, 601, noise=noise)
    rows = Rows(dict(zip(given.symbols, given.X.T)), given.y, np.ones(len(given.y)))
    fitted, rmse = polished(parse(form), rows, 60)
    return fitted, with_exact_constants(fitted, rmse, rows, Judge(rows).cost)[0]


@pytest.mark.parametrize(("law", "form"), [("a*(1 + 2*u)**(-2/3)", "a*(1 + 2.1*u)**(-0.6)"), ("a*(u + 3)**(3/2)", "a*(u + 2.9)**1.4"), ("a/(exp(u) + 2*u)", "a/(exp(0.9*u) + 1.9*u)")])
def test_constants_that_trade_against_each_other_become_exact_together(law: str, form: str) -> None:
    fitted, exact = made_exact(law, form, 0.01)
    assert len(free_constants(fitted)) == 2
    assert to_text(exact) == to_text(parse(law))


def test_neither_of_them_is_known_by_itself() -> None:
    given = problem("a*(1 + 2*u)**(-2/3)", RANGES, 601, noise=0.03)
    rows = Rows(dict(zip(given.symbols, given.X.T)), given.y, np.ones(len(given.y)))
    fitted, _ = polished(parse("a*(1 + 2.1*u)**(-0.6)"), rows, 60)
    assert _proposals(fitted, rows) == []


@pytest.mark.parametrize(("law", "form"), [("a*(1 + 2.37*u)**(-0.713)", "a*(1 + 2.1*u)**(-0.6)"), ("a*(u + 3.17)**1.43", "a*(u + 2.9)**1.4")])
def test_constants_of_their_own_stay(law: str, form: str) -> None:
    fitted, exact = made_exact(law, form, 0.001)
    assert len(free_constants(fitted)) == len(free_constants(exact)) == 2


def test_a_term_that_vanishes_is_no_reason_to_make_another_constant_exact() -> None:
    given = problem("a*(1 + 2*u)**(-2/3)", RANGES, 601, noise=0.01)
    rows = Rows(dict(zip(given.symbols, given.X.T)), given.y, np.ones(len(given.y)))
    fitted, _ = polished(parse("a*(1 + 2.1*u)**(-0.6) + 0.01*sin(9*a)"), rows, 60)
    assert any(exact == Number(0) for _, exact in _proposals(fitted, rows))
    trials = [to_text(trial) for trial in _with_two(fitted, rows)]
    assert trials
    assert all("sin(9*a)" in trial for trial in trials)
