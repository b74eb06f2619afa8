"""Stability under resampling: high where misses are scatter, low where a constant could be nothing or a few rows carry it."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
from workbench.expression import parse
from workbench.formula import Formula, Input, Output


def formula(text: str) -> Formula:
    return Formula((Output("y", "y", None, parse(text)),), (Input("x", "x"), Input("z", "z")))


@pytest.fixture
def rows() -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(5)
    X = generator.uniform(0.5, 2.0, (101, 2))
    return X, 3.0 * X[:, 0] ** 1.5 + 0.1 * generator.normal(size=len(X))


def test_a_law_with_scatter_has_about_95_percent(rows: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = rows
    law = formula("2.0*x**1.0").refit(X, y)
    assert 0.88 <= law.stability(X, y) <= 1.0


def test_a_constant_that_could_be_nothing_is_unstable(rows: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = rows
    law = formula("2.0*x**1.0 + 0.1*z").refit(X, y)
    assert law.stability(X, y) < 0.85


def test_a_constant_that_one_row_carries_is_unstable(rows: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = rows
    X, y = X.copy(), y.copy()
    X[7, 1], y[7] = 30.0, y[7] + 9.0
    law = formula("2.0*x**1.0 + 0.1*z + 0.1").refit(X, y)
    assert law.stability(X, y) < 0.8


def test_an_exact_law_is_stable_in_every_draw(rows: tuple[np.ndarray, np.ndarray]) -> None:
    X, _ = rows
    law = formula("2.0*x**1.0").refit(X, 3.0 * X[:, 0] ** 1.5)
    assert law.stability(X, 3.0 * X[:, 0] ** 1.5) == 1.0


def test_constants_that_trade_against_each_other_are_not_known(rows: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = rows
    assert formula("2.0*exp(x + 0.3)").refit(X, y).stability(X, y) == 0.0


def test_it_has_no_meaning_without_rows_to_spare_and_is_certain_without_constants(rows: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = rows
    assert formula("2.5*x**1.5").stability(X[:2], y[:2]) is None
    assert formula("3*x").stability(X, y) == 1.0


def test_the_same_rows_give_the_same_share_and_change_nothing(rows: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = rows
    law = formula("2.0*x**1.0 + 0.1*z").refit(X, y)
    before = str(law), X.tobytes(), y.tobytes()
    assert law.stability(X, y) == law.stability(X, y)
    assert (str(law), X.tobytes(), y.tobytes()) == before


def test_the_list_of_a_search_says_where_formulas_come_from_and_how_well_they_are_known() -> None:
    best = wb.discover(wb.load_sample("planets"), time_budget=3, random_state=0)
    table = best.pareto_table()
    assert [record["state"] for record in table] == list(best.front)
    assert [record["complexity"] for record in table] == sorted(record["complexity"] for record in table)
    picked = next(record for record in table if record["state"] == best.state.id)
    assert picked["r2"] > 0.999
    assert picked["origin"] in ("screens", "textbook", "Operon", "named curves")
    assert all(low <= value <= high for record in table for value, low, high in record["constants"])
    assert len(best.pareto_table(every=True)) >= len([record for record in table if "phi" not in record["formula"]])
