"""Columns that a network sees as their logarithm: what is allowed, what is kept, and what comes back from storage."""

from __future__ import annotations

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import workbench as wb
from workbench.exceptions import DatasetError, UnknownColumnError

LENGTHS = [0.5, 1.0, 2.0, 3.0, 5.0, 7.0, 11.0]


def table(**changes):
    columns = {"length": LENGTHS, "mass (kg)": [13.0, 2.0, 3.0, 5.0, 17.0, 0.25, 1.0], "period": [1.42, 2.01, 2.84, 3.47, 4.49, 5.31, 6.65]}
    return columns | changes


def test_values_ranges_and_rows_stay_in_the_scale_of_the_table():
    plain = wb.Dataset.from_table(table(), "period")
    data = wb.Dataset.from_table(table(), "period", transforms={"length": "log", "period": "log"})
    for name in ("X", "y", "rows", "ranges"):
        assert_array_equal(getattr(data, name), getattr(plain, name))
    assert dict(data.transforms) == {"length": "log", "period": "log"}


def test_the_network_sees_logarithms_of_these_columns_and_no_others():
    data = wb.Dataset.from_table(table(), "period", transforms={"period": "log", "length": "log"})
    assert_array_equal(data.seen(data.X), np.column_stack([np.log(data.X[:, 0]), data.X[:, 1]]))
    assert_array_equal(data.seen_targets(data.y), np.log(data.y))
    assert_allclose(data.original_targets(data.seen_targets(data.y)), data.y, rtol=1e-15)
    assert [data.seen_name(name) for name in ("length", "mass (kg)", "period")] == ["log length", "mass (kg)", "log period"]


def test_without_transforms_the_network_sees_the_same_arrays():
    data = wb.Dataset.from_table(table(), "period")
    assert data.seen(data.X) is data.X
    assert data.seen_targets(data.y) is data.y
    assert not data.transforms


def test_what_is_not_positive_is_named_with_its_row():
    with pytest.raises(DatasetError, match="'length' is 0 in row 3, and a logarithm needs values above 0. Leave such rows out"):
        wb.Dataset.from_table(table(length=[0.5, 1, 0, 3, 5, 7, 11]), "period", transforms={"length": "log"})
    with pytest.raises(DatasetError, match=r"'period' is -2 in row 1 \(and in 1 more\)"):
        wb.Dataset.from_table(table(period=[-2, 2.01, 2.84, 3.47, 4.49, 5.31, -1]), "period", transforms={"period": "log"})


def test_rows_that_are_left_out_need_no_logarithm():
    mass = [13.0, np.nan, 3.0, 5.0, 17.0, 0.25, 1.0]
    data = wb.Dataset.from_table(table(length=[0.5, -1, 2, 3, 5, 7, 11], **{"mass (kg)": mass}), "period", transforms={"length": "log"})
    assert data.n_rows == 6
    assert np.isfinite(data.seen(data.X)).all()


@pytest.mark.parametrize(
    ("transforms", "error", "words"),
    [
        ({"lenght": "log"}, UnknownColumnError, "no such column. Did you mean 'length'"),
        ({"length": "sqrt"}, DatasetError, "no such transform. Allowed: 'log'"),
        ({"note": "log"}, DatasetError, "neither an input nor a target"),
    ],
)
def test_other_requests_are_answered_with_what_is_allowed(transforms, error, words):
    with pytest.raises(error, match=words):
        wb.Dataset.from_table(table(note=[1, 2, 1, 2, 3, 1, 4]), "period", features=["length"], transforms=transforms)


def test_only_columns_of_numbers_have_logarithms():
    kinds = table(day=[f"2024-01-{day:02}" for day in (1, 2, 3, 5, 7, 11, 13)], kind=["a", "b", "a", "b", "a", "b", "a"], on=[True, False] * 3 + [True])
    data = wb.Dataset.from_table(kinds, "period")
    for name in ("day", "kind = b", "on"):
        with pytest.raises(DatasetError, match="Only a column of numbers has logarithms"):
            data.with_transforms({name: "log"})


def test_classes_have_no_logarithm():
    data = wb.Dataset.from_table(table(kind=[1, 2, 1, 2, 1, 2, 1]), "kind", task="classification")
    with pytest.raises(DatasetError, match="'kind' holds classes"):
        data.with_transforms({"kind": "log"})


def test_transforms_are_told_in_the_notes_and_taken_back_with_them():
    plain = wb.load_sample("mammals")
    data = plain.with_transforms({"brain": "log", "body": "log"})
    told = [note.text for note in data.notes if note.kind == "transform"]
    assert len(told) == 2
    assert "column 'body' as its natural logarithm" in told[0]
    assert "the target 'brain' as its natural logarithm; errors count as shares" in told[1]
    assert data.with_transforms({"body": "log"}).notes[:-1] == plain.notes
    assert data.with_transforms({}).notes == plain.notes


def test_rows_and_split_are_the_same_and_the_fingerprint_is_another():
    plain = wb.load_sample("mammals")
    data = plain.with_transforms({"brain": "log"})
    assert data.split is plain.split
    assert data.fingerprint != plain.fingerprint
    assert data.fingerprint != plain.with_transforms({"body": "log"}).fingerprint
    assert data.with_transforms({}).fingerprint == plain.fingerprint


def test_storage_is_without_loss():
    data = wb.load_sample("mammals").with_transforms({"brain": "log", "body": "log"})
    described, arrays = data.to_arrays()
    back = wb.Dataset.from_arrays(json.loads(json.dumps(described)), arrays)
    assert dict(back.transforms) == {"body": "log", "brain": "log"}
    assert (back.fingerprint, back.notes) == (data.fingerprint, data.notes)
    assert_array_equal(back.seen(back.X), data.seen(data.X))


def test_a_dataset_stored_before_there_were_transforms_still_opens():
    data = wb.load_sample("planets")
    described, arrays = data.to_arrays()
    del described["transforms"]
    back = wb.Dataset.from_arrays(described | {"version": 1}, arrays)
    assert not back.transforms
    assert back.fingerprint == data.fingerprint


def test_a_stored_transform_that_does_not_exist_is_damage():
    described, arrays = wb.load_sample("planets").to_arrays()
    with pytest.raises(DatasetError, match="damaged"):
        wb.Dataset.from_arrays(described | {"transforms": {"a_au": "cube"}}, arrays)


def test_measurement_errors_of_a_logarithm_are_shares_of_the_value():
    errors = [0.1, 0.1, 0.2, 0.1, 0.3, 0.1, 0.2]
    data = wb.Dataset.from_table(table(sigma=errors), "period", error="sigma", transforms={"period": "log"})
    share = np.array(errors) / data.y[:, 0]  # d log y = dy / y
    expected = share**-2 / (share**-2).mean()
    assert_allclose(data.seen_weights, expected, rtol=1e-12)
    assert_allclose(data.with_transforms({"length": "log"}).seen_weights, data.weights, rtol=0)
