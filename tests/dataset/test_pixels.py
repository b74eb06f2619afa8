"""Columns that are the pixels of an image, and the sample task whose columns are."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from workbench.dataset import Dataset, load_sample, pixels_of, task_info, task_names
from workbench.exceptions import DatasetError

SIDE = 5


def images(seed: int = 0, n_rows: int = 230) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 9, (n_rows, SIDE, SIDE + 1)).astype(float)


def table_of(found: np.ndarray, order: list[int] | None = None) -> Dataset:
    """A dataset whose pixels stand in any order among other columns."""
    places = [(row, column) for row in range(found.shape[1]) for column in range(found.shape[2])]
    chosen = [places[k] for k in (order or range(len(places)))]
    columns = {f"p{row}_{column}": found[:, row, column] for row, column in chosen}
    return Dataset.from_table({**columns, "y": found.sum((1, 2)) + np.arange(len(found))}, "y")


def test_pixels_are_put_together_wherever_their_columns_stand() -> None:
    found = images()
    data = table_of(found, np.random.default_rng(1).permutation(SIDE * (SIDE + 1)).tolist())
    pixels = pixels_of(data)
    assert (pixels.height, pixels.width) == (SIDE, SIDE + 1)
    assert_array_equal(pixels.images(data.X[:7])[:, 0], found[data.rows[:7]])


def test_a_pixel_that_never_changes_and_a_copy_of_another_are_in_the_image() -> None:
    found = images()
    found[:, 0, 0], found[:, 2, 3] = 4.0, found[:, 1, 1]
    data = table_of(found)
    assert len(data.inputs) == SIDE * (SIDE + 1) - 2  # neither is an input
    assert_array_equal(pixels_of(data).images(data.X)[:, 0], found[data.rows])


def test_columns_that_are_no_image_are_none() -> None:
    found = images()
    rows = {f"p{row}_{column}": found[:, row, column] for row in range(SIDE) for column in range(SIDE) if (row, column) != (2, 2)}
    assert pixels_of(Dataset.from_table({**rows, "y": np.arange(230.0) ** 2}, "y")) is None  # one is missing
    mixed = {**rows, "p2_2": found[:, 2, 2], "age": found[:, 0, 5], "y": np.arange(230.0) ** 2}
    assert pixels_of(Dataset.from_table(mixed, "y")) is None  # another input beside them
    ignored = Dataset.from_table({**rows, "p2_2": found[:, 2, 2], "y": np.arange(230.0) ** 2}, "y", roles={"p2_2": "ignore"})
    assert pixels_of(ignored) is None  # a person left one out


@pytest.mark.parametrize(("names", "side"), [([f"pixel{k}" for k in range(16)], 4), ([f"x{k}" for k in range(1, 26)], 5)])
def test_a_square_may_count_its_pixels(names: list[str], side: int) -> None:
    values = np.random.default_rng(0).normal(size=(60, len(names)))
    data = Dataset.from_table({**dict(zip(names, values.T, strict=True)), "y": values.sum(1)}, "y")
    assert_array_equal(pixels_of(data).images(data.X)[:, 0], values.reshape(-1, side, side)[data.rows])


def test_squares_that_tile_an_image() -> None:
    pixels = pixels_of(load_sample("digits"))
    assert pixels.sizes() == (1, 2, 4)


def test_the_digits_are_those_of_scikit_learn_and_a_class_is_predicted() -> None:
    from sklearn.datasets import load_digits

    known, data = load_digits(), load_sample("digits")
    assert_array_equal(pixels_of(data).images(data.X)[:, 0], known.images[data.rows])
    assert_array_equal(np.array(data.classes)[data.y[:, 0].astype(int)], known.target[data.rows])
    assert (data.task, data.n_rows, data.name) == ("classification", task_info("digits").n_rows, "digits")
    assert task_names() == ("digits",)


def test_a_sample_that_is_not_there_is_named_with_the_tasks() -> None:
    with pytest.raises(DatasetError, match="Did you mean 'digits'"):
        load_sample("digit")
