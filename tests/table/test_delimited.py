"""Text tables as people have them: every delimiter, decimal sign and encoding gives back the numbers that were written."""

from __future__ import annotations

import io
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from workbench.table import read_table

DELIMITERS = {",": ",", ";": ";", "\t": "\t", "|": "|", "blanks": "   "}
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "latin-1"]

numbers = st.floats(allow_nan=False, allow_infinity=False, width=64)


def written(names, columns, delimiter, decimal):
    """Write columns as a program of the chosen habits would; numbers by repr, which is exact."""
    lines = [delimiter.join(names)]
    lines += [delimiter.join(repr(value).replace(".", decimal) for value in row) for row in zip(*columns)]
    return "\n".join(lines) + "\n"


@settings(max_examples=60, deadline=None)
@given(
    columns=st.integers(2, 5).flatmap(lambda n: st.lists(st.lists(numbers, min_size=n, max_size=n), min_size=3, max_size=3)),
    delimiter=st.sampled_from(sorted(DELIMITERS)),
    decimal=st.sampled_from([".", ","]),
    encoding=st.sampled_from(ENCODINGS),
)
def test_what_was_written_is_read_to_the_last_bit(columns, delimiter, decimal, encoding):
    if decimal == "," and delimiter == ",":
        delimiter = ";"
    text = written(["Größe", "x", "y"], columns, DELIMITERS[delimiter], decimal)
    table = read_table(text.encode(encoding), name="run.csv")
    assert table.names == ("Größe", "x", "y")
    for name, column in zip(table.names, columns):
        assert_array_equal(table.numbers(name), column)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_text_with_delimiters_quotes_and_line_breaks_in_it_survives(delimiter):
    texts = [f"a{delimiter} b", 'say "hi"', "two\nlines", "plain", "1,5 m"]
    stream = io.StringIO()
    import csv

    csv.writer(stream, delimiter=delimiter).writerows([["label", "value"], *zip(texts, range(5))])
    table = read_table(stream.getvalue().encode(), name="labels.csv")
    assert table.values["label"].tolist() == texts
    assert table.values["value"].tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("x;y\n1.234,5;1\n2.345,25;2\n", [1234.5, 2345.25]),
        ('x,y\n"1,234.5",1\n"2,345.25",2\n', [1234.5, 2345.25]),
        ("x;y\n1 234,5;1\n2 345,25;2\n", [1234.5, 2345.25]),
        ("x;y\n1'234.5;1\n2'345.25;2\n", [1234.5, 2345.25]),
        ("x\ty\n−1.5\t1\n+2e3\t2\n", [-1.5, 2000.0]),
        ("x,y\n1.5D+03,1\n2.0D-01,2\n", [1500.0, 0.2]),
        ("x,y\n12%,1\n7.5 %,2\n", [12.0, 7.5]),
        ("x\n1,5\n2,25\n", [1.5, 2.25]),
        ("x;y\n1,234;1\n2,345;2\n", [1.234, 2.345]),  # nothing but the semicolons says that the comma is decimal
    ],
)
def test_numbers_are_read_in_the_spellings_of_the_world(text, values):
    assert_array_equal(read_table(text.encode(), name="x.csv").numbers("x"), values)


@pytest.mark.parametrize("marker", ["", "NA", "n/a", "N/A", "-", "?", "NaN", "null", "#DIV/0!", "none"])
def test_markers_of_missing_values_are_missing(marker):
    table = read_table(f"x,y\n1.5,1\n{marker},2\n2.5,3\n".encode(), name="x.csv")
    assert_array_equal(table.numbers("x"), [1.5, np.nan, 2.5])
    assert "Column 'x' has 1 missing value." in [note.text for note in table.notes]


def test_a_few_cells_that_are_no_numbers_count_as_missing_and_are_quoted():
    text = "x,y\n" + "".join(f"{k},{k}\n" for k in range(19)) + "<0.1,3\n"
    table = read_table(text.encode(), name="x.csv")
    assert np.isnan(table.numbers("x")[-1])
    assert any("'<0.1'" in note.text and note.columns == ("x",) for note in table.notes)


def test_titles_comments_and_empty_rows_are_skipped_and_said():
    text = "Measured by A. B.\nin May\n\n# a comment\nt,v\n1,2\n,\n3,4\n# another\n5,6\n"
    table = read_table(text.encode(), name="x.csv")
    assert table.values["t"].tolist() == [1, 3, 5]
    said = " ".join(note.text for note in table.notes)
    assert "'Measured by A. B.', 'in May'" in said
    assert "comments" in said
    assert "Rows without any value were dropped: 1 row (2)." in said


def test_names_in_a_comment_as_numpy_writes_them_are_the_names():
    stream = io.BytesIO()
    np.savetxt(stream, np.arange(6.0).reshape(3, 2), header="time voltage")
    assert read_table(stream.getvalue(), name="scope.txt").names == ("time", "voltage")


def test_a_file_without_names_gets_names_and_says_so():
    table = read_table(b"1,2\n3,4\n5,7\n", name="x.csv")
    assert table.names == ("x1", "x2")
    assert table.n_rows == 3
    assert any(note.kind == "header" for note in table.notes)


@pytest.mark.parametrize(("header", "names", "first"), [(2, ("1", "2"), 3), (0, ("x1", "x2"), 1), (1, ("a", "b"), 1)])
def test_the_row_of_names_can_be_chosen(header, names, first):
    table = read_table(b"a,b\n1,2\n3,4\n5,6\n" if header != 0 else b"1,2\n3,4\n5,6\n", name="x.csv", header=header)
    assert table.names == names
    assert table.values[names[0]][0] == first


def test_ragged_rows_are_filled_up_or_left_out_and_counted():
    rows = "".join(f"{k},{k}\n" for k in range(23))
    table = read_table(f"a,b\n{rows}1\n1,2,3\n".encode(), name="x.csv")
    assert table.n_rows == 24
    said = " ".join(note.text for note in table.notes)
    assert "too few cells were filled up as missing: 1 row (24)" in said
    assert "too many cells were left out: 1 row (25)" in said


def test_a_column_of_row_names_as_r_writes_it_is_kept():
    table = read_table(b'"Girth" "Volume"\n"1" 8.3 10.3\n"2" 8.6 10.4\n', name="trees.txt")
    assert table.names == ("column 1", "Girth", "Volume")
    assert_array_equal(table.numbers("Volume"), [10.3, 10.4])


def test_equal_names_are_told_apart_and_nothing_is_lost():
    table = read_table(b"x,x,,x (2)\n1,2,3,4\n5,6,7,8\n", name="x.csv")
    assert table.names == ("x", "x (3)", "column 3", "x (2)")
    assert [table.values[name][0] for name in table.names] == [1, 2, 3, 4]
    assert [note.kind for note in table.notes].count("renamed") == 2


def test_old_line_ends_and_a_missing_last_line_end_make_no_difference():
    texts = [b"x,y\n1,2\n3,4\n", b"x,y\r\n1,2\r\n3,4", b"x,y\r1,2\r3,4\r"]
    assert [read_table(text, name="x.csv").values["y"].tolist() for text in texts] == [[2, 4]] * 3


def test_integers_stay_integers_and_large_ones_stay_exact():
    table = read_table(b"n,x\n9007199254740993,1\n2,3\n", name="x.csv")
    assert table.values["n"].tolist() == [9007199254740993, 2]


def test_words_for_yes_and_no_are_yes_no_values():
    table = read_table(b"on,x\nyes,1\nNo,2\n,3\n", name="x.csv")
    assert table.column("on").kind == "boolean"
    assert_array_equal(table.numbers("on"), [1, 0, np.nan])


@pytest.mark.parametrize(
    ("written_as", "meant"),
    [
        (["2024-01-31", "2024-02-01"], ["2024-01-31", "2024-02-01"]),
        (["31.01.2024", "01.02.2024"], ["2024-01-31", "2024-02-01"]),
        (["31/01/2024", "01/02/2024"], ["2024-01-31", "2024-02-01"]),
        (["01/31/2024", "02/01/2024"], ["2024-01-31", "2024-02-01"]),
        (["31-Jan-2024", "1-Feb-2024"], ["2024-01-31", "2024-02-01"]),
        (["2024-01-31T12:00:00Z", "2024-02-01T01:30:00+01:30"], ["2024-01-31T12:00", "2024-02-01T00:00"]),
    ],
)
def test_dates_are_read_in_the_usual_spellings(written_as, meant):
    table = read_table(f"d,x\n{written_as[0]},1\n{written_as[1]},2\n".encode(), name="x.csv")
    assert table.column("d").kind == "date"
    assert_array_equal(table.values["d"], np.array(meant, dtype="datetime64[us]"))


def test_a_doubtful_order_of_day_and_month_is_said():
    table = read_table(b"d,x\n01/02/2024,1\n03/04/2024,2\n", name="x.csv")
    assert table.values["d"][0] == np.datetime64("2024-01-02")
    assert any("month was taken to stand first" in note.text for note in table.notes)


def test_a_date_that_the_calendar_does_not_have_leaves_the_column_as_text():
    assert read_table(b"d,x\n31.02.2024,1\n01.02.2024,2\n", name="x.csv").column("d").kind == "text"


@pytest.mark.parametrize(
    ("name", "unit"),
    [("length (m)", "m"), ("Mass [kg]", "kg"), ("v / m s^-1", "m s^-1"), ("T (°C)", "°C"), ("k (W m⁻² K⁻¹)", "W m⁻² K⁻¹"), ("t(s)", "s"),
     ("dose (high)", ""), ("x (2)", ""), ("run(s)", ""), ("a/b", ""), ("E [-]", "")],
)  # fmt: skip
def test_a_unit_in_a_name_is_suggested_and_the_name_stays(name, unit):
    table = read_table(f"{name};x\n1;2\n2;3\n".encode(), name="x.csv")
    assert table.columns[0].name == name
    assert table.columns[0].unit == unit


def test_what_is_given_overrules_what_is_found():
    table = read_table("x;y\n1,234;é\n2,345;b\n".encode("cp1252"), name="x.csv", decimal=".", delimiter=";", encoding="cp1252")
    assert table.numbers("x").tolist() == [1234.0, 2345.0]
    assert table.values["y"].tolist() == ["é", "b"]


def test_columns_do_not_depend_on_where_in_the_file_a_strange_value_stands():
    early = "x,y\n" + "n/a,1\n" + "1.5,2\n" * 5000
    late = "x,y\n" + "1.5,2\n" * 5000 + "n/a,1\n"
    first, last = (read_table(text.encode(), name="x.csv").numbers("x") for text in (early, late))
    assert_array_equal(first[::-1], last)


@pytest.mark.skipif(sys.platform != "linux", reason="counts the threads of the process in /proc")
def test_a_small_file_starts_no_pool_of_threads():
    """Arrow has one thread that reads; its pool that parses would be one thread per core more, all of them still there when the process ends."""
    code = (
        "import os, pyarrow.csv\n"
        "from workbench.table import read_table\n"
        "before = len(os.listdir('/proc/self/task'))\n"
        "read_table(b'a,b\\n1,x\\n2,y\\n', name='t.csv')\n"
        "print(len(os.listdir('/proc/self/task')) - before)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert int(done.stdout) <= 1
