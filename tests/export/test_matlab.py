"""The MATLAB export is run by GNU Octave and compared with the formula."""

from __future__ import annotations

import json
import shutil
import subprocess

import numpy as np
import pytest
from numpy.testing import assert_allclose

from workbench.export import export
from workbench.expression import parse
from workbench.formula import Formula, Input, Output

OCTAVE = shutil.which("octave-cli") or shutil.which("octave")
needs_octave = pytest.mark.skipif(OCTAVE is None, reason="no Octave here: install Debian's package octave")


def run(formula, rows, folder, extra=""):
    (folder / "formula.m").write_text(export(formula, "matlab"), encoding="utf-8")
    outputs = ", ".join(f"y{i}" for i in range(len(formula.outputs)))
    columns = ", ".join(f"rows(:, {i + 1})" for i in range(len(formula.inputs)))
    table = "; ".join(" ".join(map(repr, row)) for row in np.asarray(rows).tolist())
    script = f"rows = [{table}];\n[{outputs}] = formula({columns}{extra});\nprintf('[%s],', sprintf('%.17g,', [{outputs.replace(', ', ' ')}]'));\n"
    (folder / "driver.m").write_text(script, encoding="utf-8")
    done = subprocess.run([OCTAVE, "--no-gui", "--no-init-file", "driver.m"], cwd=folder, check=False, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stderr
    return np.array(json.loads(done.stdout.replace(",]", "]").rstrip(","), parse_constant=float)).reshape(len(rows), -1)


@needs_octave
@pytest.mark.slow
def test_octave_computes_what_the_formula_computes(sample, tmp_path):
    assert_allclose(run(sample.formula, sample.rows, tmp_path), sample.truth, rtol=1e-12, atol=1e-12)


@needs_octave
@pytest.mark.slow
def test_a_group_is_chosen_by_its_label(groups, tmp_path):
    outputs = groups.formula.groups["treated"]
    assert_allclose(run(groups.formula, groups.rows, tmp_path, ", 'treated'"), groups.of(outputs), rtol=1e-13)


@needs_octave
@pytest.mark.slow
def test_where_the_formula_has_no_value_octave_has_none(tmp_path):
    formula = Formula((Output("y", "y", None, parse("sqrt(x)**2 + log(x) + x**0.5 + acosh(x + 2) - asin(x/10)")),), (Input("x", "x"),))
    values = run(formula, [[-1.0], [4.0]], tmp_path)[:, 0]
    assert np.isnan(values[0])
    assert_allclose(values[1], 4 + np.log(4) + 2 + np.arccosh(6) - np.arcsin(0.4), rtol=1e-14)


def test_every_function_block_is_closed(sample):
    words = [line.split()[0] for line in export(sample.formula, "matlab").splitlines() if line.strip() and not line.startswith("%")]
    opened = sum(words.count(word) for word in ("function", "if", "for"))
    assert opened == words.count("end")


def test_labels_of_groups_are_quoted(groups):
    assert "strcmp(group, 'un''treated %')" in export(groups.formula, "matlab")
