"""The C export is compiled with every warning as an error, run, and compared with the formula."""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pytest
from numpy.testing import assert_allclose

from workbench.export import export
from workbench.export.c import C

COMPILER = shutil.which("cc") or shutil.which("gcc")
pytestmark = pytest.mark.skipif(COMPILER is None, reason="no C compiler here: install Debian's package gcc")


def harness(formula, suffix=""):
    """A main that reads rows from stdin and prints every output with 17 digits."""
    called = C.names(formula)
    arguments = [f"v[{i}]" for i in range(len(formula.inputs))]
    prints = "".join(f'printf("%.17g ", formula_{called[o.symbol]}{suffix}({", ".join(arguments)}));' for o in formula.outputs)
    scans = "".join(f'ok = ok && scanf("%lf", &v[{i}]) == 1;' for i in range(len(arguments)))
    return f'\n#include <stdio.h>\nint main(void)\n{{\n    double v[{len(arguments)}];\n    for (;;) {{ int ok = 1; {scans} if (!ok) return 0; {prints} puts(""); }}\n}}\n'


def run(formula, rows, folder, suffix=""):
    source = folder / "formula.c"
    source.write_text(export(formula, "c") + harness(formula, suffix), encoding="utf-8")
    program = folder / "formula"
    compiled = subprocess.run(
        [COMPILER, "-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-O2", "-ffp-contract=off", "-o", program, source, "-lm"],
        check=False, capture_output=True,
        text=True,
    )
    assert compiled.returncode == 0, compiled.stderr
    text = "\n".join(" ".join(repr(float(value)) for value in row) for row in rows)
    done = subprocess.run([program], input=text, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    return np.array([[float(value) for value in line.split()] for line in done.stdout.splitlines()])


def test_c_computes_what_the_formula_computes(sample, tmp_path):
    assert_allclose(run(sample.formula, sample.rows, tmp_path), sample.truth, rtol=1e-12, atol=1e-13)


def test_every_group_has_a_function_with_its_constants(groups, tmp_path):
    for number, outputs in enumerate(groups.formula.groups.values(), start=1):
        values = run(groups.formula, groups.rows, tmp_path, f"_group{number}")
        assert_allclose(values, groups.of(outputs), rtol=1e-13)
