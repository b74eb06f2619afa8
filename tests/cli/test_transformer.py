"""Transformers on the command line: trained, kept, used."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

import workbench as wb
from tests.transformer.conftest import table
from workbench.cli import main

SMALL = ["--model", "kat", "--width", "16", "--depth", "1", "--epochs", "30"]


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tables") / "sides.csv"
    columns = table("classification")
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return path


def test_a_transformer_is_trained_kept_and_predicts(sides: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept, out = tmp_path / "sides.kanwb", tmp_path / "out.csv"
    assert main(["fit", str(sides), "--target", "y", *SMALL, "--save", str(kept)]) == 0
    said = capsys.readouterr().out
    assert said.startswith("8 activation functions; accuracy train ")
    assert f"Kept in {kept}." in said
    assert main(["predict", str(kept), str(sides), "--out", str(out)]) == 0
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert list(rows[0]) == ["y", "probability", "outside_range"]
    truth = table("classification")["y"]
    assert sum(row["y"] == label for row, label in zip(rows, truth, strict=True)) > 0.9 * len(truth)
    assert wb.Transformer.load(kept).data.classes == ("left", "right")


def test_names_are_told_with_what_they_cost(sides: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fit", str(sides), "--target", "y", *SMALL, "--tokens", "columns", "--name"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:9]] == [f"blocks.0.mlp.act{k}[{group}]" for k in (1, 2) for group in range(4)]
    assert "rational" not in "".join(lines[1:9])
    assert lines[9].startswith("8 of 8 activation functions have a name. On ")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["fit", "cherry_trees", "--target", "Volume", "--model", "kat"], "this table has 31"),
        (["fit", "digits", "--target", "digit", "--model", "kat", "--patch-size", "3"], "Sizes that do: 1, 2, 4"),
        (["fit", "digits", "--target", "digit", "--model", "cat"], "invalid choice: 'cat'"),
        (["fit", "digitz", "--target", "digit", "--model", "kat"], "Did you mean 'digits'?"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "is no input" not in line]
    assert said in line
