"""Reading foreign files in a worker: the table comes back whole, and what is wrong comes back as one sentence."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from workbench.exceptions import JobError, TableError
from workbench.table import read_table, table_of_arrays

CSV = "Länge (m);Datum;Art\n0,5;2026-11-22;Eiche\n1,25;;Linde\n2,0;2026-11-24;Eiche\n".encode("latin-1")


def ask(pool, task, content, **arguments):
    job = pool.submit(task, arguments, {"file": np.frombuffer(content, np.uint8)}, lane="interactive")
    return pool.wait(job.id, timeout=60)


def test_a_table_read_in_a_worker_is_the_table_read_here(pool):
    result = ask(pool, "table.read", CSV, name="trees.csv", encoding="latin-1")
    there, here = table_of_arrays(result.value, result.arrays), read_table(CSV, name="trees.csv", encoding="latin-1")
    assert (there.name, there.columns, there.notes) == (here.name, here.columns, here.notes)
    assert_array_equal(there.values["Länge (m)"], [0.5, 1.25, 2.0])
    assert list(there.values["Art"]) == ["Eiche", "Linde", "Eiche"]
    assert_array_equal(there.values["Datum"].astype("datetime64[D]"), np.array(["2026-11-22", "NaT", "2026-11-24"], "datetime64[D]"))


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n" + bytes(100), b"a,b\n"])
def test_what_is_no_table_is_refused_with_the_sentence_of_the_reader(pool, content):
    with pytest.raises(TableError) as here:
        read_table(content, name="x.csv")
    with pytest.raises(TableError) as there:
        ask(pool, "table.read", content, name="x.csv")
    assert str(there.value) == str(here.value)


def test_an_archive_that_is_no_workbook_is_refused_and_the_worker_lives_on(pool):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", bytes(2**20))
        archive.writestr("[Content_Types].xml", bytes(2**20))
    with pytest.raises(TableError):
        ask(pool, "table.read", packed.getvalue(), name="book.xlsx")
    assert ask(pool, "table.sheets", CSV, name="trees.csv").value == {"names": [], "first": None}


def test_sheets_of_a_workbook_are_named(pool):
    openpyxl = pytest.importorskip("openpyxl")
    book, packed = openpyxl.Workbook(), io.BytesIO()
    book.active.title = "Messung"
    book.create_sheet("Notizen")
    for row in (["x", "y"], [1, 2], [3, 4]):
        book.active.append(row)
    book.save(packed)
    assert ask(pool, "table.sheets", packed.getvalue(), name="book.xlsx").value == {"names": ["Messung", "Notizen"], "first": "Messung"}


def test_an_unknown_option_and_a_missing_file_are_refused(pool):
    with pytest.raises(JobError, match=r"table\.read\(delimeter=\.\.\.\): no such option\. Did you mean 'delimiter'\?"):
        ask(pool, "table.read", CSV, delimeter=";")
    with pytest.raises(JobError, match="read the array 'file'"):
        pool.wait(pool.submit("table.read").id, timeout=60)
