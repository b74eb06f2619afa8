"""scikit-learn's own checks of the transformers, and what users of scikit-learn do with them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import workbench as wb
from workbench.exceptions import TrainingError

SMALL = {"width": 8, "depth": 1, "n_heads": 2, "n_groups": 2, "max_iter": 30, "batch_size": 32, "learning_rate": 1e-2, "random_state": 0}


def not_met(estimator: object) -> dict[str, str]:
    """A row given twice is in two batches; a row of weight two is in one, with twice the pull."""
    why = "batches are made of rows, whatever their weight"
    return {"check_sample_weight_equivalence_on_dense_data": why}


@parametrize_with_checks([wb.KATRegressor(**SMALL), wb.KATClassifier(**SMALL)], expected_failed_checks=not_met)
def test_scikit_learns_own_checks(estimator: object, check: object) -> None:
    check(estimator)


def product(n_rows: int) -> tuple[np.ndarray, np.ndarray]:
    X = np.random.default_rng(3).uniform(-1, 1, size=(n_rows, 3))
    return X, 1e4 + 20 * X[:, 0] * X[:, 1]


def test_it_learns_how_columns_act_together_in_the_units_of_the_target() -> None:
    X, y = product(701)
    model = wb.KATRegressor(width=16, depth=1, n_heads=2, random_state=1).fit(X[:500], y[:500])
    assert model.score(X[500:], y[500:]) > 0.95
    given = model.module_(torch.from_numpy(X[500:]).float())[:, 0].detach().numpy()
    assert_allclose(given, model.predict(X[500:]), rtol=1e-6)


def test_it_works_in_a_pipeline_and_under_cross_validation() -> None:
    X, y = load_iris(return_X_y=True)
    assert cross_val_score(make_pipeline(StandardScaler(), wb.KATClassifier(**SMALL)), X, y, cv=3).mean() > 0.9


def test_the_same_seed_gives_the_same_model_and_nobody_elses_generator_is_touched() -> None:
    X, y = product(101)
    model = wb.KATRegressor(**{**SMALL, "dropout": 0.2})
    before = torch.random.get_rng_state()
    assert_array_equal(clone(model).fit(X, y).predict(X), model.fit(X, y).predict(X))
    assert torch.equal(before, torch.random.get_rng_state())
    assert np.abs(clone(model).set_params(random_state=1).fit(X, y).predict(X) - model.predict(X)).max() > 0


def test_several_targets_are_fitted_together() -> None:
    X, y = product(211)
    Y = np.column_stack([y, -2 * X[:, 2]])
    assert wb.KATRegressor(**SMALL).fit(X, Y).predict(X).shape == (211, 2)


def test_images_and_sequences_are_laid_out_as_told() -> None:
    """The class is where the bright pixel, or the spike, is: a layout that is mixed up could not be learned from so few rows."""
    generator = np.random.default_rng(0)
    y = generator.integers(0, 4, 203)
    images = 0.1 * generator.normal(size=(203, 4, 6))
    images[np.arange(203), (y // 2) * 2, (y % 2) * 4] += 3.0
    model = wb.KATClassifier("patches", input_shape=(4, 6), patch_size=2, **SMALL).fit(images.reshape(203, -1), y)
    assert model.score(images.reshape(203, -1), y) > 0.95
    assert model.module_.config.tokens.n_tokens == 6
    steps = 0.1 * generator.normal(size=(203, 4, 3))
    steps[np.arange(203), y, 1] += 3.0
    model = wb.KATClassifier("steps", input_shape=(4, 3), **{**SMALL, "max_iter": 60}).fit(steps.reshape(203, -1), y)
    assert model.score(steps.reshape(203, -1), y) > 0.95


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"tokens": "patch"}, "no such kind. Did you mean 'patches'?"),
        ({"tokens": "patches"}, r"give \(height, width\) or \(channels, height, width\) of the 3 columns"),
        ({"tokens": "steps", "input_shape": (2, 2)}, r"give \(length,\) or \(length, n_features\) of the 3 columns"),
        ({"jitter": 1.0}, "turns and shifts images"),
    ],
)
def test_what_does_not_fit_is_refused_in_plain_words(params: dict, says: str) -> None:
    with pytest.raises(TrainingError, match=says):
        wb.KATRegressor(**params).fit(*product(11))


def test_one_class_is_refused_in_plain_words() -> None:
    with pytest.raises(TrainingError, match="one class only"):
        wb.KATClassifier().fit(np.arange(7.0)[:, None], np.zeros(7))


def test_a_fitted_model_can_be_read_and_stays_as_it_is() -> None:
    X, y = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    model = wb.KATClassifier(**SMALL).fit(X, names)
    before = model.predict_proba(X)
    reading = model.read(X, names)
    address = reading.functions[-1].address
    reading = reading.snap(address, reading.candidates(address, top=2)[0])
    assert reading.certificate().parts["train"].score_snapped > 0.9
    assert_array_equal(before, model.predict_proba(X))
    assert model.attention(X[:7])["blocks.0.attn"].shape == (7, 2, 5, 5)
    with pytest.raises(TrainingError, match="does not know the class 'rose'"):
        model.read(X, np.where(names == "setosa", "rose", names))


def test_a_regressor_can_be_read_as_well() -> None:
    X, y = product(211)
    model = wb.KATRegressor(**SMALL).fit(X, y)
    parts = model.read(X, y, validation=(X[:50], y[:50])).certificate().parts
    assert (parts["train"].n_rows, parts["validation"].n_rows) == (211, 50)
    assert parts["train"].score_opened == pytest.approx(model.score(X, y), rel=1e-4)
