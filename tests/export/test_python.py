"""Python, NumPy and SymPy exports are run in a process of their own and compared with the formula."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose

from workbench.export import export
from workbench.expression import parse
from workbench.formula import Formula, Input, Output

SCALARS = """
import json, sys
import exported
results = []
for row in json.load(sys.stdin):
    values = getattr(exported, sys.argv[1])(*row)
    results.append(list(values) if isinstance(values, tuple) else [values])
print(json.dumps(results))
"""
COLUMNS = """
import json, sys
import numpy as np
import exported
columns = np.array(json.load(sys.stdin)).T
values = getattr(exported, sys.argv[1])(*columns)
values = values if isinstance(values, tuple) else (values,)
print(json.dumps(np.stack([np.broadcast_to(v, columns.shape[1:]) for v in values], 1).tolist()))
"""
SYMBOLIC = """
import json, sys
import sympy as sp
import exported
columns = {c["name"]: sp.Symbol(c["name"], real=True) for c in json.loads(sys.argv[1])}
results = []
for row in json.load(sys.stdin):
    at = dict(zip(columns.values(), row))
    results.append([float(sp.N(sp.sympify(e).subs(at), 20)) for e in exported.outputs.values()])
print(json.dumps(results))
"""


def run(source, driver, rows, folder, argument):
    (folder / "exported.py").write_text(source, encoding="utf-8")
    (folder / "driver.py").write_text(driver, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", "driver.py", argument], cwd=folder, input=json.dumps(rows), check=False, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return np.array(json.loads(done.stdout))


def test_python_computes_what_the_formula_computes(sample, tmp_path):
    values = run(export(sample.formula, "python"), SCALARS, sample.rows.tolist(), tmp_path, "predict")
    assert_allclose(values, sample.truth, rtol=1e-12, atol=1e-13)


def test_numpy_computes_what_the_formula_computes(sample, tmp_path):
    values = run(export(sample.formula, "numpy"), COLUMNS, sample.rows.tolist(), tmp_path, "predict")
    assert_allclose(values, sample.truth, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("target", ["python", "numpy"])
def test_every_group_has_functions_with_its_constants(groups, target, tmp_path):
    for number, outputs in enumerate(groups.formula.groups.values(), start=1):
        values = run(export(groups.formula, target), SCALARS, groups.rows.tolist(), tmp_path, f"predict_group{number}")
        assert_allclose(values, groups.of(outputs), rtol=1e-13)


def test_sympy_computes_what_the_formula_computes(sample, tmp_path):
    from workbench.export.sympy_json import SYMPY

    rows = sample.rows[:3]
    called = SYMPY.names(sample.formula)
    columns = [{"name": called[column.symbol]} for column in sample.formula.inputs]
    values = run(export(sample.formula, "sympy"), SYMBOLIC, rows.tolist(), tmp_path, json.dumps(columns))
    assert_allclose(values, sample.truth[:3], rtol=1e-12, atol=1e-13)


def test_python_saturates_where_an_exponential_overflows(tmp_path):
    formula = Formula((Output("y", "y", None, parse("1/(1 + exp(-x)) + 1/cosh(x)")),), (Input("x", "x"),))
    rows = [[-800.0], [0.0], [900.0]]
    assert_allclose(run(export(formula, "python"), SCALARS, rows, tmp_path, "predict"), [[0.0], [1.5], [1.0]], rtol=1e-15)
    assert_allclose(run(export(formula, "numpy"), COLUMNS, rows, tmp_path, "predict"), [[0.0], [1.5], [1.0]], rtol=1e-15)


def test_python_needs_nothing_but_the_standard_library(sample):
    imported = {line.split()[1] for line in export(sample.formula, "python").splitlines() if line.startswith(("import", "from"))}
    assert imported <= {"math", "bisect"}


@pytest.mark.parametrize("target", ["python", "numpy", "sympy"])
def test_the_header_tells_columns_units_ranges_and_certificate(groups, target):
    text = export(groups.formula, target)
    assert '#   input  c: column "conc" [ppm], fitted on 0.02 to 1.1' in text
    assert '#   output rate: column "rate"' in text
    assert f"# {groups.formula.certificate_text}" in text
    assert "# Read from a test." in text
