"""An existing hall of fame is opened, judged and exported like a result of ours. The files are synthetic, written as PySR 2.7 writes them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import workbench as wb
from workbench.discovery import open_hall_of_fame
from workbench.exceptions import DiscoveryError

RIGHT = """Complexity,Loss,Equation
1,812.5,"21.3"
3,105.2,"(x0 * 7.1)"
5,3.1e-6,"((x0 * x0) / x1)"
7,2.9e-6,"(((x0 * x0) / x1) + 1.0e-5)"
8,0.5,"gamma(x0)"
"""


def table() -> wb.Dataset:
    generator = np.random.default_rng(0)
    mass, speed = generator.uniform(1, 9, 200), generator.uniform(1, 3, 200)
    return wb.Dataset.from_table({"the mass": mass, "speed": speed, "force": mass**2 / speed}, "force")


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "hall_of_fame.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_law_in_the_file_is_picked_certified_and_exported(tmp_path: Path) -> None:
    found, notes = open_hall_of_fame(table(), written(tmp_path, RIGHT))
    assert found.verdict == "law"
    formula = found.formula()
    assert formula.certificate.max_abs["fresh"] < 1e-9
    assert formula.to_text().replace("the_mass", "m") == "force = m**2/speed"
    scope: dict = {}
    exec(formula.to_python(), scope)
    assert len(found.pareto) >= 2
    assert any("Row 6 is left out" in note for note in notes)
    assert any("by position" in note for note in notes)
    assert found.state.move.arguments["origin"] == "pysr"


def test_names_of_columns_are_read_as_pysr_writes_them(tmp_path: Path) -> None:
    found, notes = open_hall_of_fame(table(), written(tmp_path, 'Complexity,Loss,Equation\n5,0.1,"((the_mass * the_mass) / speed)"\n'))
    assert found.verdict == "law"
    assert notes == ()


def test_formulas_that_explain_nothing_are_no_law(tmp_path: Path) -> None:
    found, _ = open_hall_of_fame(table(), written(tmp_path, 'Complexity,Loss,Equation\n3,9.0,"(x1 * 2.0)"\n'))
    assert found.verdict != "law"


def test_a_file_without_a_formula_for_these_rows_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DiscoveryError, match="None of these formulas has a finite value"):
        open_hall_of_fame(table(), written(tmp_path, 'Complexity,Loss,Equation\n3,9.0,"log(x0 - 100.0)"\n'))
