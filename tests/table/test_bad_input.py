"""What bad input gets: one plain sentence with what was given, what is allowed and what to do."""

from __future__ import annotations

import io
import json
import struct
import zipfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.table.conftest import npz, workbook
from workbench.exceptions import TableError
from workbench.table import Limits, read_table, sheets


def parquet():
    stream = io.BytesIO()
    pd.DataFrame({"x": np.arange(1000.0)}).to_parquet(stream)
    return stream.getvalue()


def zip_bomb():
    """Return a small .xlsx whose one sheet announces to unpack to 1.2 GB."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", " " * 2**20)
        archive.filelist[1].file_size = 1200 * 2**20  # a real one takes 15 s to write; Python reads no more than what is announced
    return stream.getvalue()


def announcing(shape):
    """Return a .npy file whose header announces more values than it has."""
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + b"\0" * 64


BAD = {
    "an empty file": (b"", "'f.csv' is empty"),
    "only blank lines": (b" \n\n", "'f.csv' is empty"),
    "a row of names only": (b"a,b,c\n", "has 3 column names and no rows of values"),
    "a PNG called .csv": (b"\x89PNG\r\n\x1a\n" + bytes(range(64)), "is a PNG picture. Readable are CSV"),
    "a JPEG": (b"\xff\xd8\xff\xe0", "a JPEG picture"),
    "a PDF": (b"%PDF-1.7", "a PDF document"),
    "an old Excel file": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "save it as .xlsx"),
    "a pickle": (b"\x80\x04\x95\x05\x00", "can run code"),
    "a gzip": (b"\x1f\x8b\x08\x00", "unpack it first"),
    "a web page": (b"<!DOCTYPE html><html><body>404</body></html>", "web page"),
    "bytes that are no text": (b"a,b\n1,\x00\x01\x02\n" * 9, "holds bytes that no text has"),
    "a damaged workbook": (workbook({"s": [["a"], [1]]})[:900], "damaged"),
    "a workbook that is a zip of other things": (b"PK\x03\x04garbage", "damaged"),
    "an empty sheet": (workbook({"s": []}), "nothing in 's'"),
    "half a Parquet file": (parquet()[: len(parquet()) // 2], "no Parquet file that can be read"),
    "broken JSON": (b'[{"x": 1}, {"x": ', "not complete JSON"),
    "JSON that is no table": (b'{"a": {"b": 1}}', "is JSON, but no table"),
    "deep JSON": (b'{"a":' * 200_000, "nested too deeply"),
    "JSON columns of different lengths": (b'{"a": [1, 2], "b": [1]}', "different lengths: 'a' 2, 'b' 1"),
    "arrays of different lengths": (npz(x=np.arange(3), y=np.arange(5)), "different lengths: 'x' 3, 'y' 5"),
    "an array of three dimensions": (npz(x=np.zeros((2, 3, 5))), r"shape \(2, 3, 5\)"),
    "an array that announces petabytes": (announcing((10**15,)), "cut off"),
    "many rows that do not fit": (b"a,b\n" + b"1,2\n" * 1100 + b"1,2,3\n" * 500, "500 of 1600 rows have more cells than the 2 columns 'a', 'b'"),
    "a quotation that never ends": (b'a,b\n1,"2\n' + b"3,4\n" * 50_000, "Is a quotation mark left open"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_files_get_one_plain_sentence(case):
    data, sentence = BAD[case]
    with pytest.raises(TableError, match=sentence) as caught:
        read_table(data, name="f.csv")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


SOUND = [b"a,b\n1,2\n3,4\n", b"x;y\n1,5;2\n", b'"q";"r"\n"a\nb";1\n', b"# t v\n1 2\n3 4\n", "Länge\tα\n1\t2\n".encode("utf-16"), b"\n,t\n2024"]
SOUND += [
    workbook({"s": [["a", "b"], [1, 2]]}),
    parquet(),
    npz(x=np.arange(3), y=np.arange(3.0)),
    b'[{"a": 1, "b": null}, {"a": 2}]',
    b'{"a": [1, 2]}',
]
noise = st.one_of(st.binary(max_size=3), st.text(",;\t|\n\r\"' #0123456789.-+eE%NaAinf/:()[]{}é", max_size=4).map(str.encode))


@settings(deadline=None, max_examples=300)
@given(data=st.sampled_from(SOUND), cuts=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 8), noise), max_size=5))
def test_whatever_is_damaged_gives_a_table_or_one_sentence(data, cuts):
    for place, length, put in cuts:
        start = int(place * len(data))
        data = data[:start] + put + data[start + length :]
    try:
        table = read_table(data, name="f.csv")
    except TableError as error:
        sentence = str(error)
    else:
        sentence = repr(table)
        assert table.n_rows > 0
        assert len(set(table.names)) == len(set(table.symbols)) == len(table.columns)
    assert sentence.strip()


def test_an_array_of_python_objects_is_not_unpickled():
    stream = io.BytesIO()
    np.savez(stream, x=np.array([{"a": 1}], dtype=object))
    with pytest.raises(TableError, match="could run code"):
        read_table(stream.getvalue(), name="x.npz")


def test_a_zip_bomb_is_refused_before_it_unpacks():
    data = zip_bomb()
    assert len(data) < 2 * 2**20
    with pytest.raises(TableError, match="unpacks to 1,200 MB; the limit is 1,024 MB"):
        read_table(data, name="bomb.xlsx")
    with pytest.raises(TableError, match="unpacks to"):
        sheets(data, name="bomb.xlsx")


def test_a_file_of_300_mb_is_refused_unread_and_the_limit_can_be_raised(tmp_path):
    path = tmp_path / "large.csv"
    with path.open("wb") as file:
        file.write(b"x,y\n1,2\n3,4\n")
        file.truncate(300 * 2**20)  # the rest is a hole: no disk, no time
    with pytest.raises(TableError, match=r"'large\.csv' has 300 MB; the limit is 256 MB"):
        read_table(path)
    small = tmp_path / "small.csv"
    small.write_bytes(b"x,y\n1,2\n3,4\n")
    with pytest.raises(TableError, match="limit"):
        read_table(small, limits=Limits(file_bytes=5))
    assert read_table(small, limits=Limits(file_bytes=12)).n_rows == 2


def test_five_thousand_columns_are_read():
    rng = np.random.default_rng(0)
    values = rng.integers(0, 1000, size=(7, 5000))
    text = ",".join(f"c{k}" for k in range(5000)) + "\n" + "\n".join(",".join(map(str, row)) for row in values)
    table = read_table(text.encode(), name="wide.csv")
    assert table.values["c4999"].tolist() == values[:, 4999].tolist()
    with pytest.raises(TableError, match="5,000 columns; the limits are"):
        read_table(text.encode(), name="wide.csv", limits=Limits(columns=4000))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"sheet": "rums"}, "no such sheet as 'rums'. Did you mean 'runs'"),
        ({"sheet": 7}, "no such sheet"),
        ({"cells": "B2-F40"}, "not a range of cells"),
        ({"header": 40}, "row of names is not there"),
        ({"header": 1, "cells": "A2:B3"}, "lies above the range"),
        ({"cells": "X90:Z99"}, "nothing in"),
    ],
)
def test_wrong_choices_for_a_sheet_are_answered(options, sentence):
    with pytest.raises(TableError, match=sentence):
        read_table(workbook({"runs": [["a", "b"], [1, 2], [3, 4]]}), name="lab.xlsx", **options)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"decimal": "x"}, "decimal sign is '.' or ','"),
        ({"delimiter": "ab"}, "one character"),
        ({"encoding": "utf-99"}, "no such encoding"),
        ({"encoding": "utf\ud800"}, "no such encoding"),
        ({"encoding": "a\0b"}, "no such encoding"),
        ({"encoding": "hex"}, "no such encoding"),
        ({"encoding": "ascii"}, "not text in the encoding 'ascii'"),
        ({"header": -1}, "number of the row"),
        ({"header": 9}, "Row 9, asked for as the row of names, is not there"),
    ],
)
def test_wrong_choices_for_text_are_answered(options, sentence):
    with pytest.raises(TableError, match=sentence):
        read_table("é;b\n1;2\n".encode(), name="x.csv", **options)


def test_what_is_not_there_or_no_table_is_answered(tmp_path):
    with pytest.raises(TableError, match="no file"):
        read_table(tmp_path / "runs.csv")
    with pytest.raises(TableError, match="is a folder"):
        read_table(tmp_path)
    with pytest.raises(TableError, match="give a path"):
        read_table(42)
    with pytest.raises(TableError, match="complex numbers"):
        read_table({"z": np.array([1 + 2j, 3j])})
    with pytest.raises(TableError, match="no columns"):
        read_table({})


def test_json_numbers_beyond_float_and_unpaired_surrogates_do_no_harm():
    records = json.dumps([{"x": 10**400, "t": "\ud800"}, {"x": 2, "t": "b"}, {"x": 3, "t": "c"}]).encode()
    table = read_table(records, name="x.json")
    assert np.isinf(table.numbers("x")[0])
    assert table.column("t").kind == "text"
