"""Datasets: roles, what is left out and why, weights, groups, categories, dates, storage; and what bad input gets."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import workbench as wb
from workbench.exceptions import DatasetError, TableError, UnknownColumnError, WorkbenchError

rng = np.random.default_rng(0)
N = 211
X = rng.uniform(1, 5, size=(N, 3))


def columns(**more):
    """Three inputs and a target, 211 rows."""
    return {"length": X[:, 0], "mass": X[:, 1], "angle": X[:, 2], "period": 2 * np.sqrt(X[:, 0]) + 0.1 * X[:, 2]} | more


def said(data):
    return " ".join(note.text for note in data.notes)


def test_values_are_those_of_the_table_unshifted_unscaled_and_in_order():
    data = wb.Dataset.from_table(columns(), "period", units={"length": "m"})
    assert_array_equal(data.X, X)
    assert_array_equal(data.y, columns()["period"][:, None])
    assert (data.names, data.symbols, data.units) == (("length", "mass", "angle"),) * 2 + (("m", "", ""),)
    assert_array_equal(data.rows, np.arange(N))
    assert (data.X_train.shape, data.X_validation.shape, data.X_test.shape) == ((127, 3), (42, 3), (42, 3))
    assert_array_equal(data.y_test, data.y[data.split.test])
    assert_array_equal(data.ranges, np.stack([data.X_train.min(0), data.X_train.max(0)], 1))


def test_features_are_taken_in_the_order_asked_for_and_several_targets_too():
    data = wb.Dataset.from_table(columns(), ["period", "mass"], features=["angle", "length"])
    assert data.names == ("angle", "length")
    assert [column.name for column in data.targets] == ["period", "mass"]
    assert data.y.shape == (N, 2)


def test_roles_can_be_given_for_columns_at_once():
    data = wb.Dataset.from_table(columns(sigma=np.full(N, 0.5) + X[:, 0]), roles={"period": "target", "mass": "ignore", "sigma": "error"})
    assert data.names == ("length", "angle")
    assert data.errors is not None


def test_a_file_is_read_on_the_way(tmp_path):
    path = tmp_path / "runs.csv"
    pd.DataFrame(columns()).to_csv(path)  # with pandas' column of row numbers
    data = wb.Dataset.from_table(path, "period")
    assert (data.name, data.names) == ("runs", ("length", "mass", "angle"))
    assert "Column 'column 1' is no input: it numbers the rows." in said(data)


def test_rows_that_lack_something_are_left_out_with_their_reason():
    given = columns()
    given["length"] = np.where(np.arange(N) == 2, np.nan, given["length"])
    given["mass"] = np.where(np.arange(N) == 3, np.inf, given["mass"])
    given["period"] = np.where(np.arange(N) < 2, np.nan, given["period"])
    data = wb.Dataset.from_table(given, "period")
    assert [(left.rows.tolist(), left.reason) for left in data.left_out] == [
        ([0, 1], "the target 'period' is missing"),
        ([2], "the input 'length' is missing"),
        ([3], "the input 'mass' is infinite"),
    ]
    assert_array_equal(data.rows, np.arange(4, N))
    assert_array_equal(data.X, X[4:])
    assert "Left out: 2 rows (1, 2), because the target 'period' is missing." in said(data)


def test_a_missing_value_in_a_column_without_a_role_costs_no_row():
    given = columns(remark=np.where(np.arange(N) < 100, np.nan, 1.5 + X[:, 0]))
    assert wb.Dataset.from_table(given, "period", features=["length"]).n_rows == N


def test_medians_come_from_the_training_rows_only():
    mass = X[:, 1].copy()
    mass[::7] = np.nan
    data = wb.Dataset.from_table(columns(mass=mass), "period", missing="median")
    known = mass[data.split.train]
    median = np.median(known[~np.isnan(known)])
    assert_array_equal(data.X[:, 1], np.where(np.isnan(mass), median, mass))
    assert f"31 missing values were filled with the median {median:g}" in said(data)
    assert_array_equal(data.encode({"length": [1.0], "mass": [np.nan], "angle": [2.0]}).X, [[1.0, median, 2.0]])


def test_inputs_that_explain_nothing_are_left_out_and_said():
    given = columns(flat=np.ones(N), copy=X[:, 0], leak=columns()["period"], remark=np.array([f"run {k}" for k in range(N)], dtype=object))
    data = wb.Dataset.from_table(given, "period")
    assert data.names == ("length", "mass", "angle")
    for sentence in (
        "'flat' is no input: it has the same value in every row that is fitted",
        "'copy' is no input: it is a copy of 'length'",
        "'leak' is no input: it is a copy of 'period'",
        "'remark' is no input: it holds text",
    ):
        assert sentence in said(data)


def test_categories_become_indicators_of_all_values_but_the_first():
    kind = np.array(["steel", "wood", "brass"] * 71, dtype=object)[:N]
    data = wb.Dataset.from_table(columns(kind=kind), "period")
    assert data.names == ("length", "mass", "angle", "kind = steel", "kind = wood")
    assert data.symbols[3:] == ("kind_steel", "kind_wood")
    assert_array_equal(data.X[:, 3], kind == "steel")
    assert_array_equal(data.X[:, 4], kind == "wood")
    assert "'brass' is all 0" in said(data)


def test_an_unknown_category_is_not_taken_for_the_first():
    data = wb.Dataset.from_table(columns(kind=np.array(["a", "b"] * N, dtype=object)[:N]), "period")
    new = data.encode({"length": [1.0, 1.0], "mass": [1.0, 1.0], "angle": [1.0, 1.0], "kind": np.array(["b", "c"], dtype=object)})
    assert new.complete.tolist() == [True, False]
    assert np.isnan(new.X[1, 3])
    assert "2" in new.notes[0].text


def test_one_fit_per_group_with_a_shared_form():
    state = np.array(["treated", "untreated", "treated"] * 71, dtype=object)[:N]
    for data in (
        wb.Dataset.from_table(columns(state=state), "period", group="state"),
        wb.Dataset.from_table(columns(state=state), "period", categories="group"),
    ):
        assert data.names == ("length", "mass", "angle")
        assert data.group_labels == ("treated", "untreated")
        assert_array_equal(np.array(data.group_labels)[data.groups], state)
        for part in (data.split.train, data.split.validation, data.split.test):
            assert abs((data.groups[part] == 1).mean() - 1 / 3) < 0.02
    new = data.encode({"length": [1.0, 1.0], "mass": [1.0, 1.0], "angle": [1.0, 1.0], "state": np.array(["untreated", "?!"], dtype=object)})
    assert new.groups.tolist() == [1, -1]


def test_one_group_is_none_and_too_many_are_refused():
    data = wb.Dataset.from_table(columns(state=np.array(["a"] * N, dtype=object)), "period", group="state")
    assert data.groups is None
    assert data.encode(columns()).complete.all()
    with pytest.raises(DatasetError, match="'length' has 211 groups in 211 rows"):
        wb.Dataset.from_table(columns(), "period", group="length")


def test_categories_can_be_ignored():
    data = wb.Dataset.from_table(columns(kind=np.array(["a", "b"] * N, dtype=object)[:N]), "period", categories="ignore")
    assert data.names == ("length", "mass", "angle")


def test_dates_become_days_since_the_first_and_short_spans_seconds():
    days = pd.date_range("2024-01-31", periods=N, freq="12h")
    data = wb.Dataset.from_table(columns(when=days), "period")
    assert (data.features[3].unit, data.features[3].name) == ("d", "when")
    assert_allclose(data.X[:, 3], np.arange(N) / 2)
    assert "'when' is counted in days since 2024-01-31." in said(data)
    fast = wb.Dataset.from_table(columns(when=pd.date_range("2024-01-31", periods=N, freq="250ms")), "period")
    assert fast.features[3].unit == "s"
    assert_allclose(fast.X[:, 3], np.arange(N) / 4)
    later = fast.encode(columns(when=pd.date_range("2024-01-31 00:01:00", periods=N, freq="1s")))
    assert_allclose(later.X[:, 3], 60 + np.arange(N))


def test_measurement_errors_become_weights_of_mean_one():
    sigma = rng.uniform(0.1, 0.9, size=N)
    sigma[[3, 5]] = [0.0, np.nan]
    data = wb.Dataset.from_table(columns(sigma=sigma), "period", error="sigma")
    assert data.left_out[0].rows.tolist() == [3, 5]
    assert "measurement error 'sigma' is missing or not positive" in data.left_out[0].reason
    good = np.delete(sigma, [3, 5])
    assert_allclose(data.weights, good**-2.0 / np.mean(good**-2.0))
    assert_array_equal(data.errors, good)
    assert "sigma" not in data.names


def test_weights_are_scaled_to_mean_one_and_must_make_sense():
    weight = rng.uniform(0, 9, size=N)
    data = wb.Dataset.from_table(columns(w=weight), "period", weight="w")
    assert_allclose(data.weights, weight / weight.mean())
    with pytest.raises(DatasetError, match="must not be negative; the smallest is -1"):
        wb.Dataset.from_table(columns(w=np.where(np.arange(N) == 3, -1.0, weight)), "period", weight="w")
    with pytest.raises(DatasetError, match="All weights in 'w' are 0"):
        wb.Dataset.from_table(columns(w=np.zeros(N)), "period", weight="w")


def test_a_classification_takes_text_and_keeps_every_class_in_every_part():
    species = np.array(["setosa", "virginica", "versicolor"] * 71, dtype=object)[:N]
    data = wb.Dataset.from_table(columns(species=species), "species", task="classification")
    assert data.classes == ("setosa", "versicolor", "virginica")
    assert data.y.shape == (N, 1)
    assert_array_equal(np.array(data.classes)[data.y[:, 0].astype(int)], species)
    for part in (data.y_train, data.y_validation, data.y_test):
        assert np.ptp(np.bincount(part[:, 0].astype(int))) <= 2


def test_a_class_that_lost_all_its_rows_is_no_class():
    label = np.where(np.arange(N) == 0, 7.0, np.arange(N) % 2)
    data = wb.Dataset.from_table(columns(label=label, length=np.where(np.arange(N) == 0, np.nan, X[:, 0])), "label", task="classification")
    assert data.classes == (0.0, 1.0)
    assert set(data.y[:, 0]) == {0.0, 1.0}


def test_groups_and_time_can_divide_the_rows():
    patient = np.array([f"p{k % 23}" for k in range(N)], dtype=object)
    data = wb.Dataset.from_table(columns(patient=patient), "period", split="groups", split_by="patient")
    assert "patient = p1" not in data.names
    parts = [set(patient[data.rows[rows]]) for rows in (data.split.train, data.split.validation, data.split.test)]
    assert all(parts)
    assert sum(map(len, parts)) == len(set.union(*parts))  # no group is in two parts
    when = pd.date_range("2024-01-31", periods=N, freq="h")[::-1]
    timed = wb.Dataset.from_table(columns(when=when), "period", split="time", split_by="when")
    assert_array_equal(np.sort(timed.split.test), np.arange(42))
    assert_array_equal(wb.Dataset.from_table(columns(), "period", split="time").split.test, np.arange(N - 42, N))


@settings(deadline=None, max_examples=20)
@given(order=st.permutations(["length", "mass", "angle", "period"]))
def test_permuting_columns_permutes_inputs_and_keeps_the_split(order):
    plain = wb.Dataset.from_table(columns(), "period")
    data = wb.Dataset.from_table({name: columns()[name] for name in order}, "period")
    assert_array_equal(data.X, plain.X[:, [plain.names.index(name) for name in data.names]])
    assert_array_equal(data.split.test, plain.split.test)


def test_the_fingerprint_follows_names_roles_and_values_and_nothing_else():
    plain = wb.Dataset.from_table(columns(), "period").fingerprint
    assert wb.Dataset.from_table(columns(), "period", random_state=5, units={"length": "m"}).fingerprint == plain
    changed = columns()
    changed["mass"] = np.nextafter(changed["mass"], 9)
    others = [
        wb.Dataset.from_table(changed, "period"),
        wb.Dataset.from_table(columns(), "mass"),
        wb.Dataset.from_table({("weight" if name == "mass" else name): values for name, values in columns().items()}, "period"),
        wb.Dataset.from_table(columns(), "period", features=["length", "mass"]),
        wb.Dataset.from_table(columns(w=X[:, 0] ** 2), "period", weight="w"),
    ]
    assert len({plain, *(other.fingerprint for other in others)}) == 6


def test_arrays_of_a_dataset_cannot_be_written_to_and_the_callers_are_untouched():
    given = columns()
    data = wb.Dataset.from_table(given, "period")
    for values in (data.X, data.y, data.rows, data.split.train, data.ranges):
        with pytest.raises(ValueError, match="read-only"):
            values[0] = 0
    given["length"][0] = given["length"][0]  # still ours


def full():
    """A dataset with everything that can be stored."""
    given = columns(
        kind=np.array(["a", "b", None] * 71, dtype=object)[:N],
        state=np.array(["x", "y"] * N, dtype=object)[:N],
        when=pd.date_range("2024-01-31", periods=N),
        sigma=X[:, 0] + 0.1,
        remark=np.array([f"r{k}" for k in range(N)], dtype=object),
        **{"α [°C]": np.where(np.arange(N) < 5, np.nan, X[:, 1] ** 2)},
    )
    return wb.Dataset.from_table(given, ["period"], group="state", error="sigma", missing="median", units={"length": "m"})


@pytest.mark.parametrize(
    "made",
    [full, lambda: wb.load_sample("planets"), lambda: wb.load_sample("puromycin"),
     lambda: wb.Dataset.from_table(columns(c=np.array(["u", "v"] * N, dtype=object)[:N]), "c", task="classification")],
)  # fmt: skip
def test_a_stored_dataset_comes_back_as_it_was(made):
    data = made()
    described, arrays = data.to_arrays()
    assert all(values.dtype.kind in "fi" for values in arrays.values())
    back = wb.Dataset.from_arrays(json.loads(json.dumps(described)), arrays)
    for name in ("name", "inputs", "targets", "group_columns", "group_labels", "task", "classes", "notes", "fingerprint"):
        assert getattr(back, name) == getattr(data, name), name
    for name in ("X", "y", "rows", "weights", "errors", "groups"):
        stored, kept = getattr(back, name), getattr(data, name)
        assert (stored is None) == (kept is None)
        if kept is not None:
            assert stored.dtype == kept.dtype
            assert_array_equal(stored, kept)
    assert (back.split.kind, back.split.way, len(back.folds)) == (data.split.kind, data.split.way, len(data.folds))
    for part in ("train", "validation", "test"):
        assert_array_equal(getattr(back.split, part), getattr(data.split, part))
    assert all(np.array_equal(a, b) for fold, kept in zip(back.folds, data.folds) for a, b in zip(fold, kept))
    assert [(left.rows.tolist(), left.reason) for left in back.left_out] == [(left.rows.tolist(), left.reason) for left in data.left_out]
    assert back.table.columns == data.table.columns
    assert_array_equal(back.encode(back.table).X, data.encode(data.table).X)


def test_a_damaged_or_newer_dataset_is_refused_in_one_sentence():
    described, arrays = wb.load_sample("planets").to_arrays()
    with pytest.raises(DatasetError, match="newer version"):
        wb.Dataset.from_arrays(described | {"version": 99}, arrays)
    with pytest.raises(DatasetError, match="no version"):
        wb.Dataset.from_arrays({}, arrays)
    with pytest.raises(DatasetError, match="fingerprint"):
        wb.Dataset.from_arrays(described, arrays | {"X": arrays["X"] + 1})
    for name in arrays:
        with pytest.raises(DatasetError, match="damaged"):
            wb.Dataset.from_arrays(described, {key: values for key, values in arrays.items() if key != name})


def test_encoding_the_own_table_gives_the_own_inputs():
    data = full()
    assert_array_equal(data.encode(data.table).X[data.rows], data.X)
    assert_array_equal(data.encode(data.table).groups[data.rows], data.groups)


def test_a_new_table_without_a_needed_column_is_answered_with_the_closest_name():
    data = wb.load_sample("cherry_trees")
    with pytest.raises(UnknownColumnError, match="no column 'Girth'.* Did you mean 'girth'"):
        data.encode({"girth": [8.3], "Height": [70.0]})
    with pytest.raises(DatasetError, match="holds text|holds categories"):
        data.encode({"Girth": np.array(["thick", "thin"], dtype=object), "Height": [70.0, 71.0]})


def test_any_column_names_work():
    names = ["N", "beta", "lambda", "länge (m)", "🌡", "α", "x y", "x-y", "2nd", "__import__('os')", "e"]
    values = rng.normal(size=(N, len(names)))
    data = wb.Dataset.from_table(dict(zip(names, values.T)), "e")
    assert data.names == tuple(names[:-1])
    assert data.symbols == ("N", "beta", "lambda_", "lange_m", "thermometer", "alpha", "x_y", "x_y_2", "x2nd", "import_os")
    assert data.targets[0].symbol == "e_"


BAD = {
    "an unknown target": (lambda: (columns(), "periods", {}), "no column 'periods'. Did you mean 'period'"),
    "an unknown feature": (lambda: (columns(), "period", {"features": ["lenght"]}), "Did you mean 'length'"),
    "no target": (lambda: (columns(), None, {}), "No target was named"),
    "a target that is text": (lambda: (columns(t=np.array([f"r{k}" for k in range(N)], dtype=object)), "t", {}), "holds text and cannot be a target"),
    "a target of categories": (lambda: (columns(t=np.array(["a", "b"] * N, dtype=object)[:N]), "t", {}), "choose classification as the task"),
    "a target that is constant": (lambda: (columns(t=np.full(N, 3.5)), "t", {}), "The target 't' is 3.5 in every row"),
    "a class that is constant": (lambda: (columns(t=np.full(N, 3.0)), "t", {"task": "classification"}), "is 3.0 in every row"),
    "a target of dates": (lambda: (columns(t=pd.date_range("2024", periods=N)), "t", {}), "holds dates and cannot be a target"),
    "too many classes": (lambda: (columns(), "period", {"task": "classification"}), "211 different values; a classification has at most 100"),
    "one row": (lambda: ({"x": [1.0], "y": [2.0]}, "y", {}), "The table has 1 row; at least 3"),
    "two rows": (lambda: ({"x": [1.0, 2.0], "y": [2.0, 3.0]}, "y", {}), "The table has 2 rows; at least 3"),
    "all rows missing a value": (
        lambda: (columns(gap=np.where(np.arange(N) == 3, 1.0, np.nan)), "period", {}),
        "Of 211 rows 1 can be used.*210 because the input 'gap' is missing. Ignore that input, or have its gaps filled",
    ),
    "only infinities": (lambda: ({"x": np.full(7, np.inf), "y": np.arange(7.0)}, "y", {}), "7 because the input 'x' is infinite"),
    "no input": (lambda: ({"y": np.arange(7.0) ** 2}, "y", {}), "no column but the target"),
    "only constant inputs": (lambda: ({"x": np.ones(7), "y": np.arange(7.0) ** 2}, "y", {}), "There is no input left: 'x' is constant"),
    "a feature that is text": (
        lambda: (columns(t=np.array([f"r{k}" for k in range(N)], dtype=object)), "period", {"features": ["t"]}),
        "holds text, which",
    ),
    "a feature that is the target": (lambda: (columns(), "period", {"features": ["period"]}), "cannot be a target and an input"),
    "a column with two roles": (lambda: (columns(), "period", {"weight": "mass", "group": "mass"}), "cannot be a weight and a group"),
    "a weight and an error": (lambda: (columns(), "period", {"weight": "mass", "error": "angle"}), "not both"),
    "an unknown role": (lambda: (columns(), "period", {"roles": {"mass": "inptu"}}), "Did you mean 'input'"),
    "a feature named twice": (lambda: (columns(), "period", {"features": ["mass", "mass"]}), "'mass' stands twice in features"),
    "no features": (lambda: (columns(), "period", {"features": []}), "name at least one"),
    "an unknown unit column": (lambda: (columns(), "period", {"units": {"lenght": "m"}}), "Did you mean 'length'"),
    "an unknown task": (lambda: (columns(), "period", {"task": "regresion"}), "allowed are 'regression'"),
    "an unknown way to split": (lambda: (columns(), "period", {"split": "shuffle"}), "Allowed: 'random'"),
    "groups without a column": (lambda: (columns(), "period", {"split": "groups"}), "which rows belong together"),
    "a split column without a way": (lambda: (columns(), "period", {"split_by": "mass"}), "Divide by groups or by time"),
    "time that is text": (
        lambda: (columns(t=np.array(["a", "b"] * N, dtype=object)[:N]), "period", {"split": "time", "split_by": "t"}),
        "Choose a column of dates or numbers",
    ),
    "5,000 columns": (
        lambda: (pd.DataFrame(rng.normal(size=(7, 5000))).rename(columns=str), "4999", {}),
        "4,999 columns could be inputs; at most 200",
    ),
    "an empty file": (lambda: (b"", "y", {}), "is empty"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_gets_one_plain_sentence(case):
    given, sentence = BAD[case]
    source, target, options = given()
    with pytest.raises(WorkbenchError, match=sentence) as caught:
        wb.Dataset.from_table(source, target, **options)
    assert isinstance(caught.value, DatasetError | TableError)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_a_few_of_5000_columns_can_be_chosen():
    wide = pd.DataFrame(rng.normal(size=(31, 5000))).rename(columns=str)
    assert wb.Dataset.from_table(wide, "4999", features=["17", "4001"]).X.shape == (31, 2)


def test_reading_and_dividing_needs_no_heavy_library():
    code = (
        "import sys, workbench as wb; wb.load_sample('cherry_trees'); "
        "print([name for name in ('sklearn', 'torch', 'sympy', 'streamlit', 'openpyxl', 'scipy') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_rows_are_left_out_with_their_reason_and_the_store_keeps_it() -> None:
    generator = np.random.default_rng(2)
    table = {"x": generator.uniform(size=83), "y": generator.uniform(size=83), "w": generator.uniform(1, 2, size=83)}
    table["x"][7] = np.nan
    data = wb.Dataset.from_table(table, "y", weight="w")
    rest = data.without([7, 30], "the lamp flickered")
    assert rest.n_rows == 80
    assert rest.left_out[-1].rows.tolist() == [8, 31]  # row 7 of the table was not in the dataset
    assert rest.notes[-1].text == "Left out: 2 rows (9, 32), because the lamp flickered."
    assert_allclose(rest.weights.mean(), 1.0)
    assert set(rest.rows) == set(data.rows) - {8, 31}
    assert rest.fingerprint != data.fingerprint
    assert wb.Dataset.from_arrays(*rest.to_arrays()).left_out[-1].reason == "the lamp flickered"


def test_rows_that_cannot_be_left_out() -> None:
    data = wb.Dataset.from_table({"x": np.arange(31.0), "g": ["a"] * 29 + ["b"] * 2, "y": np.arange(31.0) ** 2}, "y", group="g")
    with pytest.raises(DatasetError, match=r"there is no row 31; rows are 0 to 30"):
        data.without([31], "of this")
    with pytest.raises(DatasetError, match="'b' would have no row left"):
        data.without([29, 30], "of this")
    with pytest.raises(DatasetError, match="no row would be left to fit"):
        data.without(data.split.train, "of this")
