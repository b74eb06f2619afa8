"""scikit-learn's own checks, and what users of scikit-learn do with an estimator."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import workbench as wb
from workbench.bases.rational import Rational
from workbench.exceptions import TrainingError

SMALL = {"hidden_layer_sizes": (2,), "n_starts": 1, "max_iter": 6, "random_state": 0}  # a longer path amplifies rounding beyond their 1e-7


@parametrize_with_checks([wb.KANRegressor(**SMALL), wb.KANClassifier(**SMALL)])
def test_scikit_learns_own_checks(estimator: object, check: object) -> None:
    check(estimator)


def friedman(n_rows: int) -> tuple[np.ndarray, np.ndarray]:
    X = np.random.default_rng(3).uniform(size=(n_rows, 5))
    return X, 10 * np.sin(np.pi * X[:, 0] * X[:, 1]) + 20 * (X[:, 2] - 0.5) ** 2 + 10 * X[:, 3] + 5 * X[:, 4]


def test_it_generalises_on_friedmans_function() -> None:
    X, y = friedman(701)
    model = wb.KANRegressor(hidden_layer_sizes=(4,), random_state=1).fit(X[:500], y[:500])
    assert model.score(X[500:], y[500:]) > 0.99


def test_it_works_in_a_pipeline_and_under_cross_validation() -> None:
    X, y = load_iris(return_X_y=True)
    scores = cross_val_score(make_pipeline(StandardScaler(), wb.KANClassifier(**SMALL)), X, y, cv=3)
    assert scores.mean() > 0.9


def test_several_targets_are_fitted_together() -> None:
    X, y = friedman(307)
    Y = np.column_stack([y, -2 * y + X[:, 0]])
    model = wb.KANRegressor(**SMALL).fit(X, Y)
    assert model.predict(X).shape == (307, 2)
    assert model.score(X, Y) > 0.8


def test_rational_edges_follow_a_resonance() -> None:
    X = np.random.default_rng(4).uniform(0.5, 4.5, (401, 1))
    y = 1 / ((X[:, 0] ** 2 - 4) ** 2 + 0.05)
    scores = {basis: wb.KANRegressor((), basis=basis, sparsity=0.0, random_state=0).fit(X[:300], y[:300]).score(X[300:], y[300:]) for basis in ("spline", "rational")}
    assert scores["rational"] > 1 - 1e-9 > scores["spline"]


def test_rational_edges_are_cloned_with_their_settings_and_classify() -> None:
    X, y = load_iris(return_X_y=True)
    model = clone(wb.KANClassifier(**SMALL, basis="rational", degrees=((3, 2),), form="abs_sum"))
    assert cross_val_score(make_pipeline(StandardScaler(), model), X, y, cv=3).mean() > 0.9
    assert {layer.basis for layer in model.fit(X, y).network_.layers} == {Rational(3, 2, "abs_sum")}


def test_the_same_seed_gives_the_same_model() -> None:
    X, y = friedman(211)
    model = wb.KANRegressor(**SMALL)
    assert_array_equal(clone(model).fit(X, y).predict(X), model.fit(X, y).predict(X))


def test_probabilities_sum_to_one() -> None:
    X, y = load_iris(return_X_y=True)
    probabilities = wb.KANClassifier(**SMALL).fit(X, y).predict_proba(X)
    assert probabilities.shape == (150, 3)
    assert_allclose(probabilities.sum(1), 1.0, rtol=1e-12)


def test_one_class_is_refused_in_plain_words() -> None:
    with pytest.raises(TrainingError, match="one class only"):
        wb.KANClassifier().fit(np.arange(7.0)[:, None], np.zeros(7))


@pytest.mark.parametrize("sizes", [3, ("a",), "5", (2.5,)])
def test_sizes_that_are_none_are_answered(sizes: object) -> None:
    X = np.random.default_rng(0).uniform(1, 2, (37, 2))
    with pytest.raises(wb.WorkbenchError, match=r"as a tuple, such as \(5,\) or \(\)"):
        wb.KANRegressor(hidden_layer_sizes=sizes).fit(X, X[:, 0])
