"""The workbook is computed by LibreOffice and compared with the formula; no name in it is ever a formula."""

from __future__ import annotations

import io
import shutil
import subprocess

import numpy as np
import openpyxl
import pytest
from numpy.testing import assert_allclose

from workbench.bases.bspline import definition
from workbench.exceptions import ExportError
from workbench.export import export
from workbench.expression import add, parse
from workbench.formula import Formula, Input, Output

OFFICE = shutil.which("soffice") or shutil.which("libreoffice")
needs_office = pytest.mark.skipif(OFFICE is None, reason="no LibreOffice here: install Debian's package libreoffice-calc")


def computed(formula, rows, folder):
    """Fill the input cells with every row, let LibreOffice compute the workbooks, and read the output cells."""
    content = export(formula, "excel")
    for number, row in enumerate(rows):
        book = openpyxl.load_workbook(io.BytesIO(content))
        for position, value in enumerate(row, start=2):
            book["Formula"].cell(position, 2).value = float(value)
        book.save(folder / f"row{number}.xlsx")
    done = subprocess.run(
        [OFFICE, f"-env:UserInstallation=file://{folder}/profile", "--headless", "--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", folder / "out"]
        + [folder / f"row{number}.xlsx" for number in range(len(rows))],
        check=False, capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr
    results = []
    for number in range(len(rows)):
        sheet = openpyxl.load_workbook(folder / "out" / f"row{number}.xlsx", data_only=True)["Formula"]
        first = len(formula.inputs) + 4
        count = len(formula.outputs) + sum(map(len, formula.groups.values()))
        results.append([float(sheet.cell(first + i, 2).value) for i in range(count)])
    return np.array(results)


@needs_office
@pytest.mark.slow
def test_libreoffice_computes_what_the_formula_computes(sample, tmp_path):
    rows = sample.rows[:5]
    truth = [sample.truth[:5], *(sample.of(outputs)[:5] for outputs in sample.formula.groups.values())]
    assert_allclose(computed(sample.formula, rows, tmp_path), np.concatenate(truth, 1), rtol=1e-12, atol=1e-12)


def cells(content):
    book = openpyxl.load_workbook(io.BytesIO(content))
    return book, [(sheet.title, cell) for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]


def test_no_column_name_or_unit_is_ever_a_formula(names):
    _, filled = cells(export(names.formula, "excel"))
    for _, cell in filled:
        if cell.data_type == "f":
            assert cell.column == 2
            assert not any(text in cell.value for text in ("SUM", "=1+1", "cmd"))
        elif isinstance(cell.value, str):
            assert cell.value.lstrip()[:1] not in ("=", "+", "-", "@")
    texts = {cell.value for _, cell in filled if isinstance(cell.value, str)}
    assert {"'=1+1", "'@SUM(A1)", "'-2+3", "'+u", "'=out put"} <= texts


def test_inputs_are_named_cells_in_the_middle_of_their_range(groups, names):
    book, _ = cells(export(groups.formula, "excel"))
    assert book.defined_names["c_"].attr_text == "Formula!$B$2"  # c alone means a column to Excel
    assert book["Formula"]["B2"].value == pytest.approx(0.56)
    book, _ = cells(export(names.formula, "excel"))
    assert {"x1_", "R_"} <= set(book.defined_names)
    assert not {"x1", "R"} & set(book.defined_names)


def test_a_formula_too_long_for_a_cell_is_refused_with_what_to_do():
    terms = [parse(f"{i}.123456789*exp(x/{i + 1}.123456789)") for i in range(400)]
    formula = Formula((Output("y", "y", None, add(*terms)),), (Input("x", "x", None, 0.0, 1.0),))
    with pytest.raises(ExportError, match=r"a formula of \d+ characters does not fit into a cell .*Prune the network"):
        export(formula, "excel")


def test_the_steps_of_a_rational_function_compute_it(rationals):
    """Every cell of the sheet Steps is computed here, by its own text, from the argument on."""
    book, _ = cells(export(rationals.formula, "excel"))
    curves, x = rationals.formula.definitions, 0.37
    for row in book["Steps"].iter_rows(min_row=2):
        name, _, u, value = (cell.value for cell in row)
        at = {f"$B${row[0].row}": repr(x)}
        at[f"$C${row[0].row}"] = f"({computed_cell(u, at)!r})"
        assert computed_cell(value, at) == pytest.approx(float(curves[name](np.array(x))), rel=1e-12)


def computed_cell(text, at):
    for name, value in at.items():
        text = text.replace(name, value)
    return eval(text.removeprefix("=").replace("^", "**").replace("ABS", "abs"))


def test_a_curve_called_twice_with_the_same_argument_is_computed_once():
    curve = definition("phi_0_0_0", np.ones(6), 1.0, (0.0, 1.0))
    text = "phi_0_0_0(x)**2 + phi_0_0_0(x) + phi_0_0_0(2*x)"
    formula = Formula((Output("y", "y", None, parse(text, functions=["phi_0_0_0"])),), (Input("x", "x", None, 0.0, 1.0),), {"phi_0_0_0": curve})
    book, _ = cells(export(formula, "excel"))
    assert [row[0].value for row in book["Steps"].iter_rows(min_row=2)] == ["phi_0_0_0", "phi_0_0_0"]
