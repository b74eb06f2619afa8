"""Rows that do not follow: seen, set aside and named where the others have a law; never where errors only grow, or tails are only heavy."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest

import workbench as wb
from workbench.discovery.autopilot import outliers
from workbench.expression import parse

N = 211
A, B = np.random.default_rng(14).uniform(0.5, 3.0, (2, N))


def law(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return 3.0 * a * np.exp(-0.5 * b)


def table(y: np.ndarray) -> wb.Dataset:
    return wb.Dataset.from_table({"a": A, "b": B, "y": y}, "y")


def fitted_rows(data: wb.Dataset) -> np.ndarray:
    return np.sort(np.concatenate([data.split.train, data.split.validation]))


WRONG = {"a decimal point": lambda y: 10.0 * y, "a sign": lambda y: -y, "an offset": lambda y: y + 4.0}
OFTEN = {("a decimal point", 0.05), ("a sign", 0.0), ("a sign", 0.01), ("an offset", 0.01), ("an offset", 0.05)}  # the others are slow tests: each takes ten seconds


@pytest.mark.parametrize(
    ("wrong", "noise"),
    [pytest.param(*each, marks=() if each in OFTEN else pytest.mark.slow) for each in itertools.product(WRONG, (0.0, 0.01, 0.05))],
)
def test_wrong_rows_are_found_and_the_law_of_the_others_shows_them(wrong: str, noise: float) -> None:
    generator = np.random.default_rng(8)
    y = law(A, B)
    y = y + noise * y.std() * generator.normal(size=N)
    planted = np.array([11, 52, 90, 160])
    y[planted] = WRONG[wrong](y[planted])
    data = table(y)
    seen = set(planted) & set(fitted_rows(data))
    assert seen <= set(outliers.suspects(data))
    assert set(outliers.off(data, parse("3.0*a*exp(-0.5*b)"))) == seen
    best = wb.discover(data, time_budget=10)
    assert best.verdict == "law"
    assert set(best.data.left_out[-1].rows) == seen
    assert f"{len(seen)} row" in best.reasons[0]
    assert "the law that the others follow does not hold there" in best.reasons[0]
    truth = law(*best.data.X_train.T)
    assert np.abs(best.formula().predict(best.data.X_train) - truth).max() < max(1e-6, 0.5 * noise) * truth.std()


@pytest.mark.parametrize(
    "scatter",
    [
        lambda y, generator: 0.05 * y * generator.normal(size=N),
        lambda y, generator: 0.05 * y.std() * generator.normal(size=N),
        lambda y, generator: 0.05 * y.std() * generator.laplace(size=N),
        lambda y, generator: np.zeros(N),
    ],
    ids=["grows with the value", "normal", "Laplace", "none"],
)
def test_where_all_rows_follow_none_is_left_out(scatter: Callable[..., np.ndarray]) -> None:
    generator = np.random.default_rng(3)
    data = table(law(A, B) + scatter(law(A, B), generator))
    assert len(outliers.off(data, parse("3.0*a*exp(-0.5*b)"))) == 0
    assert wb.discover(data, time_budget=6).data.left_out == ()


def test_a_second_regime_is_no_outlier() -> None:
    y = np.where(A > 2.4, 5.0 * law(A, B), law(A, B))
    assert len(outliers.off(table(y), parse("3.0*a*exp(-0.5*b)"))) == 0


def test_a_small_value_with_a_plain_error_is_not_far_on_a_logarithmic_scale() -> None:
    a = np.geomspace(0.01, 100.0, N)
    y = a + np.abs(0.003 * np.random.default_rng(5).normal(size=N))
    data = wb.Dataset.from_table({"a": a, "y": y}, "y", transforms={"y": "log", "a": "log"})
    assert len(outliers.off(data, parse("1.0*a"))) == 0


def test_too_few_rows_and_other_tasks_have_no_suspects() -> None:
    x = np.arange(1.0, 16.0)
    assert len(outliers.suspects(wb.Dataset.from_table({"x": x, "y": np.where(x == 7, 900.0, x)}, "y"))) == 0
    assert len(outliers.suspects(wb.load_sample("puromycin"))) == 0


def test_of_very_many_rows_some_show_the_law_and_all_are_asked_whether_they_follow() -> None:
    generator = np.random.default_rng(7)
    a, b = generator.uniform(0.5, 3.0, (2, 120_011))
    y = law(a, b)
    y = y + 0.03 * y.std() * generator.normal(size=len(y))
    planted = generator.choice(len(y), 300, replace=False)
    y[planted] += 6.0 * y.std()
    data = wb.Dataset.from_table({"a": a, "b": b, "y": y}, "y")
    best = wb.discover(data, time_budget=12)
    seen = set(planted) & set(fitted_rows(data))
    assert len(seen & set(best.data.left_out[-1].rows)) == len(seen)
    assert len(best.data.left_out[-1].rows) == len(seen)
    assert best.verdict == "law"
