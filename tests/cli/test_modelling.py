"""The commands on real tables: a planted law is found and can be computed with, and bad input costs one line."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import workbench as wb
from workbench.cli import main
from workbench.expression import evaluate, parse

LENGTH = np.geomspace(0.2, 3.0, 41)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Write 41 rows of a pendulum: the period is 2 pi sqrt(length / g)."""
    path = tmp_path / "pendulum.csv"
    rows = zip(LENGTH, 2 * np.pi * np.sqrt(LENGTH / 9.81), strict=True)
    path.write_text("length,period\n" + "\n".join(f"{length!r},{period!r}" for length, period in ((float(a), float(b)) for a, b in rows)) + "\n")
    return path


def test_a_planted_law_is_found_and_its_text_computes_the_target(table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "law.json"
    begun = time.monotonic()
    assert main(["discover", str(table), "--target", "period", "--units", "length=m,period=s", "--time-budget", "20", "--json", str(out)]) == 0
    assert time.monotonic() - begun < 25
    result = json.loads(out.read_text())
    assert result["verdict"] == "law"
    values = evaluate(parse(result["formula"]["python"], symbols=["length"]), {"length": LENGTH})
    np.testing.assert_allclose(values, 2 * np.pi * np.sqrt(LENGTH / 9.81), rtol=1e-5)
    assert result["formula"]["r2_train"] == pytest.approx(1.0, abs=1e-8)
    assert result["pareto"] == sorted(result["pareto"], key=lambda formula: formula["complexity"])
    assert f"period = {result['formula']['python']}" in capsys.readouterr().out


def test_what_was_saved_predicts_and_warns_outside_its_range(table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved, new, out = tmp_path / "p.kanwb", tmp_path / "new.csv", tmp_path / "out.csv"
    assert main(["fit", str(table), "--target", "period", "--hidden", "2", "--save", str(saved)]) == 0
    told = re.search(r"R2 train ([\d.]+), validation ([\d.]+), test ([\d.]+)", capsys.readouterr().out)
    assert told is not None
    assert min(map(float, told.groups())) > 0.99
    new.write_text("length\n0.5\n1.3\n300\n")
    assert main(["predict", str(saved), str(new), "--out", str(out)]) == 0
    rows = list(csv.reader(out.read_text().splitlines()))
    assert rows[0] == ["period", "outside_range"]
    assert [row[1] for row in rows[1:]] == ["0", "0", "1"]
    np.testing.assert_allclose([float(row[0]) for row in rows[1:3]], 2 * np.pi * np.sqrt(np.array([0.5, 1.3]) / 9.81), rtol=0.01)
    assert "outside" in capsys.readouterr().err


def test_edges_can_be_rational_functions(table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved = tmp_path / "p.kanwb"
    assert main(["fit", str(table), "--target", "period", "--hidden", "1", "--basis", "rational", "--save", str(saved)]) == 0
    assert min(map(float, re.findall(r"(?:train|validation|test) ([\d.]+)", capsys.readouterr().out))) > 0.99
    found = wb.load_discovery(saved)
    assert {edge.state for edge in found.edges} == {"rational"}
    assert "basis='rational'" in found.to_script()


def test_predictions_go_to_stdout_when_no_file_is_named(table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved = tmp_path / "p.kanwb"
    main(["fit", str(table), "--target", "period", "--hidden", "2", "--save", str(saved)])
    capsys.readouterr()
    assert main(["predict", str(saved), str(table)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1 + len(LENGTH)


def test_every_sample_is_listed_with_its_target(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["samples"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [*wb.sample_names(), "digits"]
    assert any(line.startswith("cherry_trees") and "Volume from Girth, Height" in line for line in lines)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["fit", "nowhere.csv", "--target", "y"], "no such file"),
        (["fit", "cherry_tree", "--target", "Volume"], "Did you mean 'cherry_trees'?"),
        (["fit", "cherry_trees", "--target", "Volumen"], "Volume"),
        (["fit", "cherry_trees", "--target", "Volume", "--features", "Girth,Heigth"], "Height"),
        (["discover", "cherry_trees", "--target", "Volume", "--functions", "exp,lgo"], "lgo"),
        (["discover", "cherry_trees", "--target", "Volume", "--json", "no/such/folder/o.json"], "there is no folder"),
        (["fit", "cherry_trees", "--target", "Volume", "--engine", "cude"], "invalid choice: 'cude'"),
        (["predict", "nowhere.kanwb", "cherry_trees"], "nowhere.kanwb"),
    ],
)
def test_bad_input_gets_one_line_and_exit_code_2(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("content", ["", "length,period\n", "length,period\n1,2\n", "length,period\n1,a\n2,b\n3,c\n", "length,period\n1,7\n2,7\n3,7\n4,7\n"])
def test_a_table_without_a_law_to_look_for_is_bad_input(content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(content)
    assert main(["fit", str(path), "--target", "period"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_way_of_a_kan_needs_neither_torch_nor_scikit_learn(table: Path) -> None:
    code = f"import sys; from workbench.cli import main; main(['fit', {str(table)!r}, '--target', 'period', '--hidden', '2']); print(sorted({{'torch', 'sklearn', 'sympy'}} & set(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert answer.stdout.splitlines()[-1] == "[]"


def test_what_is_left_out_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "gaps.csv"
    path.write_text("id,length,site,period\n" + "".join(f"{k},{k * 0.5},{'AB'[k % 2]},{'' if k == 7 else k * 0.9}\n" for k in range(1, 31)))
    assert main(["fit", str(path), "--target", "period", "--hidden", "1"]) == 0
    told = capsys.readouterr().err
    assert "Left out: 1 row (7), because the target 'period' is missing." in told
    assert "Column 'id' is no input: it numbers the rows." in told
    assert "Column 'site' became" in told
