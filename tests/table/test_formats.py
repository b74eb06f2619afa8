"""Excel, Parquet, JSON, NumPy and pandas: the same table from each of them."""

from __future__ import annotations

import datetime
import io
import json

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from tests.table.conftest import npz, workbook
from workbench.exceptions import TableError, UnknownColumnError
from workbench.table import arrays_of_table, read_table, sheets, summarise, table_of_arrays

LENGTH = [0.5, 1.0, np.nan, 2.0, 3.25]
GROUP = ["a", "b", "a", None, "b"]


def frame():
    return pd.DataFrame({"length (m)": LENGTH, "group": GROUP})


def as_parquet():
    stream = io.BytesIO()
    frame().to_parquet(stream)
    return stream.getvalue()


def as_json():
    return frame().to_json(orient="records").encode()


SOURCES = {
    "frame": frame,
    "dict": lambda: {"length (m)": LENGTH, "group": np.array(GROUP, dtype=object)},
    "parquet": as_parquet,
    "json": as_json,
    "json lines": lambda: frame().to_json(orient="records", lines=True).encode(),
    "json columns": lambda: json.dumps({"length (m)": [None if value != value else value for value in LENGTH], "group": GROUP}).encode(),
    "json split": lambda: frame().to_json(orient="split", index=False).encode(),
    "csv": lambda: frame().to_csv(index=False).encode(),
    "xlsx": lambda: workbook({"data": [["length (m)", "group"], *([None if v != v else v, g] for v, g in zip(LENGTH, GROUP))]}),
}


@pytest.mark.parametrize("source", SOURCES)
def test_every_format_gives_the_same_table(source):
    table = read_table(SOURCES[source](), name="runs")
    assert [(column.name, column.symbol, column.unit, column.kind) for column in table.columns] == [
        ("length (m)", "length_m", "m", "number"),
        ("group", "group", "", "category"),
    ]
    assert_array_equal(table.numbers("length (m)"), LENGTH)
    assert table.values["group"].tolist() == GROUP


def test_npz_and_npy_arrays_become_columns():
    X = np.arange(15.0).reshape(5, 3)
    table = read_table(npz(X=X, y=np.arange(5)), name="runs.npz")
    assert table.names == ("X1", "X2", "X3", "y")
    assert_array_equal(table.numbers("X2"), X[:, 1])
    stream = io.BytesIO()
    np.save(stream, X)
    assert_array_equal(read_table(stream.getvalue(), name="x.npy").numbers("x3"), X[:, 2])
    assert read_table(X).names == ("x1", "x2", "x3")


def test_the_format_is_told_from_the_content_not_from_the_name():
    assert read_table(as_parquet(), name="data.csv").n_rows == 5
    assert read_table(b"x,y\n1,2\n", name="data.xlsx").n_rows == 1


def test_a_cover_sheet_is_passed_over_for_the_first_table_of_numbers():
    cover, runs = [["Measured by", "A. N. Other"], ["version", 2]], [["x", "y"], [1, 2.5], [2, 3.5], [3, 4.5]]
    found = read_table(workbook({"read me": cover, "runs": runs, "more": runs}), name="lab.xlsx")
    assert found.names == ("x", "y")
    assert any("'runs' was read" in note.text for note in found.notes)
    assert read_table(workbook({"words": [["a"], ["b"], ["c"]], "one": [["n"], [1], [2]]}), name="lab.xlsx").names == ("a",)


def test_a_sheet_a_row_of_names_and_a_range_can_be_chosen(tmp_path):
    rows = [["Pendulum", None, None], [None, "length (m)", "T (s)", "remark"], [None, 1.0, 2.0, "x"], [None, 2.0, 2.8, "y"], [None, 3.0, 3.5, "z"]]
    path = tmp_path / "lab.xlsx"
    path.write_bytes(workbook({"empty": [], "runs": rows, "other": [["a"], [1], [2]]}))
    assert sheets(path) == (("empty", "runs", "other"), "runs")
    found = read_table(path)
    assert found.names == ("length (m)", "T (s)", "remark")
    assert any("3 sheets" in note.text and "'runs' was read" in note.text for note in found.notes)
    assert read_table(path, sheet="other").values["a"].tolist() == [1, 2]
    assert read_table(path, sheet=2).names == ("a",)
    part = read_table(path, sheet="runs", cells="B2:C4")
    assert part.names == ("length (m)", "T (s)")
    assert part.values["T (s)"].tolist() == [2.0, 2.8]
    chosen = read_table(path, sheet="runs", header=3)
    assert chosen.n_rows == 2


def test_sheets_with_dates_errors_and_numbers_as_text_are_understood():
    day = datetime.datetime(2024, 1, 31, 12, 30)
    rows = [
        ["when", "x", "ok", "clock"],
        [day, "1.5", True, datetime.time(0, 1, 2)],
        [day + datetime.timedelta(days=1), 2.5, False, None],
        [None, "#DIV/0!", None, None],
    ]
    table = read_table(workbook({"s": rows}), name="lab.xlsx")
    assert [column.kind for column in table.columns] == ["date", "number", "boolean", "number"]
    assert table.values["when"][0] == np.datetime64(day)
    assert_array_equal(table.numbers("x"), [1.5, 2.5])
    assert table.numbers("clock")[0] == 62.0
    assert table.n_rows == 2  # the row with nothing but an error has no value


def test_columns_of_a_frame_keep_their_kind():
    source = pd.DataFrame(
        {
            "when": pd.date_range("2024-01-31", periods=3, tz="Europe/Berlin"),
            "took": pd.to_timedelta([1, 2, 3], unit="min"),
            "count": pd.array([1, None, 3], dtype="Int64"),
            "flag": pd.array([True, None, False], dtype="boolean"),
            "level": pd.Categorical(["low", "low", "low"]),
        },
        index=pd.Index([5, 7, 11], name="run"),
    )
    table = read_table(source)
    assert [column.kind for column in table.columns] == ["number", "date", "number", "number", "boolean", "category"]
    assert table.values["when"][0] == np.datetime64("2024-01-30T23:00")
    assert_array_equal(table.numbers("took"), [60, 120, 180])
    assert table.column("took").unit == "s"
    assert_array_equal(table.numbers("count"), [1, np.nan, 3])
    assert table.values["run"].tolist() == [5, 7, 11]


def test_frames_with_equal_or_nested_names_lose_no_column():
    equal = pd.DataFrame([[1, 2], [3, 4]], columns=["x", "x"])
    assert read_table(equal).names == ("x", "x (2)")
    nested = pd.DataFrame([[1, 2], [3, 4]], columns=pd.MultiIndex.from_tuples([("a", "u"), ("a", "v")]))
    assert read_table(nested).names == ("a u", "a v")


def test_reading_neither_changes_nor_freezes_what_was_given():
    given = {"x": np.arange(5.0), "y": np.arange(5)}
    table = read_table(given)
    given["x"][0] = 99.0
    assert table.numbers("x")[0] == 0.0
    with pytest.raises(ValueError, match="read-only"):
        table.values["x"][0] = 1.0
    shown = table.frame
    shown.loc[0, "x"] = 7.0
    assert table.numbers("x")[0] == 0.0


def test_an_unknown_column_is_answered_with_the_closest_name():
    with pytest.raises(UnknownColumnError, match=r"no column 'girth'\. Did you mean 'Girth'"):
        read_table({"Girth": [1, 2], "Volume": [3, 4]}).column("girth")


def test_units_can_be_given():
    table = read_table({"x": [1, 2], "y (s)": [3, 4]}).with_units({"x": "m"})
    assert table.units == {"x": "m", "y (s)": "s"}
    with pytest.raises(UnknownColumnError, match="z"):
        table.with_units({"z": "m"})


def test_notes_tell_of_gaps_constants_copies_and_columns_that_move_together():
    rng = np.random.default_rng(0)
    x = rng.normal(size=101)
    source = {"x": x, "near": x + 0.01 * rng.normal(size=101), "copy": x, "flat": np.ones(101), "gaps": np.where(np.arange(101) < 3, np.nan, x**2)}
    source["far"] = np.where(np.arange(101) == 7, np.inf, rng.normal(size=101))
    notes = {(note.kind, note.columns): note.text for note in read_table(source).notes}
    assert notes["missing", ("gaps",)] == "Column 'gaps' has 3 missing values."
    assert notes["infinite", ("far",)] == "Column 'far' has one infinite value: it counts as missing."
    assert notes["duplicate", ("x", "copy")] == "Column 'copy' is a copy of 'x'."
    assert ("constant", ("flat",)) in notes
    assert ("correlated", ("x", "near")) in notes
    assert not any(kind == "correlated" and "far" in columns for kind, columns in notes)


@pytest.mark.parametrize("seed", range(5))
def test_columns_that_move_together_are_found_as_pandas_finds_them(seed):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(101, 2)) @ rng.normal(size=(2, 7)) + 0.1 * rng.normal(size=(101, 7))
    values[rng.random(values.shape) < 0.05] = np.nan
    values[:, 3] *= 1e200
    frame = pd.DataFrame(values, columns=list("abcdefg"))
    scaled = frame / frame.abs().max()
    expected = {(a, b) for a in frame for b in frame if a < b and abs(scaled[a].corr(scaled[b])) > 0.95}
    assert {note.columns for note in read_table(frame).notes if note.kind == "correlated"} == expected


def test_columns_with_hardly_a_finite_value_are_read_without_a_warning():
    table = read_table({"x": [np.inf, -np.inf, np.nan], "y": [np.nan, 1.0, np.inf], "z": [1.0, 2.0, 4.0], "e": [np.nan] * 3})
    assert [note.kind for note in table.notes].count("correlated") == 0
    assert [summary.missing for summary in summarise(table)] == [3, 2, 0, 3]


def test_whole_columns_of_a_sheet_can_be_chosen():
    data = workbook({"s": [["a", "b", "c"], [1, 2, 3], [4, 5, 6]]})
    assert read_table(data, name="lab.xlsx", cells="B:C").names == ("b", "c")


def test_a_summary_describes_every_column_for_a_person_who_chooses_roles():
    table = read_table({"x": [1.0, 2.0, np.nan, 5.0], "g": np.array(["a", "b", "a", "b"], dtype=object)})
    x, g = summarise(table)
    assert (x.missing, x.different, x.minimum, x.maximum) == (1, 3, 1.0, 5.0)
    assert (sum(x.histogram), g.different, g.histogram) == (3, 2, (2, 2))


def test_a_stored_table_comes_back_as_it_was():
    source = pd.DataFrame(
        {
            "x": LENGTH,
            "n": [1, 2, 3, 4, 5],
            "g": GROUP,
            "t": ["q", None, "r", "s", ""],
            "d": pd.to_datetime(["2024-01-31", None, "1850-02-01", None, None]),
        }
    )
    table = read_table(source, name="runs")
    described, arrays = arrays_of_table(table)
    back = table_of_arrays(json.loads(json.dumps(described)), arrays)
    assert (back.name, back.columns, back.notes) == (table.name, table.columns, table.notes)
    for name in table.names:
        assert back.values[name].dtype == table.values[name].dtype
        assert_array_equal(back.values[name], table.values[name])


def test_a_stored_table_that_is_cut_off_is_refused():
    described, arrays = arrays_of_table(read_table({"x": [1, 2], "y": [3, 4]}))
    del arrays["1"]
    with pytest.raises(TableError, match="damaged"):
        table_of_arrays(described, arrays)


def test_a_cover_sheet_is_no_table_and_the_one_that_was_read_is_named():
    book = workbook({"cover": [["Report"], ["J. Doe"]], "runs": [["t", "U"], [0.0, 5.0], [1.0, 3.2]], "more": [["t"], [1], [2]]})
    table = read_table(book, name="report.xlsx")
    assert table.names == ("t", "U")
    assert any("'runs' was read" in note.text for note in table.notes)
    assert read_table(book, sheet="cover").names == ("Report",)
