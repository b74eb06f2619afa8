"""What PySR wrote, read without it: its hall of fame becomes proposals.

The result files here are synthetic: written after what PySR 2.7 and SymbolicRegression.jl 2.7 write (pysr/sr.py, `_read_equation_file`; pysr/test/test_main.py,
`test_load_model`).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from workbench.exceptions import TableError
from workbench.expression import evaluate, parse
from workbench.search.pysr import Template, open_hall_of_fame

SYNTHETIC = """Complexity,Loss,Equation
1,0.19951081,"1.9762075"
3,0.12717344,"(x0 + 1.4724599)"
4,0.104823045,"pow_abs(2.2683423, cos(x3))"
5,0.0912,"square(x1) - inv(x2)"
7,1.2f-5,"((x0 * x1) / (x2 ^ 2.0)) + -3.5e-2"
9,3.1e-9,"max(x0, x1) * exp(neg(x2 * 1.5f0))"
"""


def written(tmp_path: Path, text: str = SYNTHETIC, name: str = "hall_of_fame.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_hall_of_fame_becomes_proposals_with_the_columns_own_names(tmp_path: Path) -> None:
    found = open_hall_of_fame(written(tmp_path), ["a", "b", "c", "d"])
    assert len(found) == 6
    assert [proposal.origin for proposal in found] == ["pysr"] * 6
    assert found.proposals[2].path == ("PySR, loss 0.104823045",)
    assert "by position" in found.notes[0]
    columns = dict(zip("abcd", np.random.default_rng(1).uniform(0.5, 2, (4, 30))))
    truth = [
        lambda a, b, c, d: 1.9762075 + 0 * a,
        lambda a, b, c, d: a + 1.4724599,
        lambda a, b, c, d: 2.2683423 ** np.cos(d),
        lambda a, b, c, d: b**2 - 1 / c,
        lambda a, b, c, d: a * b / c**2 - 0.035,
        lambda a, b, c, d: np.maximum(a, b) * np.exp(-1.5 * c),
    ]
    for proposal, law in zip(found, truth):
        assert_allclose(evaluate(proposal.expression, columns), law(**columns), rtol=1e-12)


def test_the_folder_of_a_run_and_the_copy_beside_the_file_are_read(tmp_path: Path) -> None:
    written(tmp_path, name="hall_of_fame.csv.bak")
    assert len(open_hall_of_fame(tmp_path, ["a", "b", "c", "d"])) == 6
    written(tmp_path, 'Complexity,Loss,Equation\n1,0.5,"1.5"\n')  # the copy is what PySR itself reads
    assert len(open_hall_of_fame(tmp_path, ["a", "b", "c", "d"])) == 6


def test_a_copy_that_was_cut_in_the_middle_is_not_preferred(tmp_path: Path) -> None:
    written(tmp_path, SYNTHETIC[:-30], name="hall_of_fame.csv.bak")
    assert len(open_hall_of_fame(written(tmp_path), ["a", "b", "c", "d"])) == 6


def test_columns_that_have_names_keep_them(tmp_path: Path) -> None:
    found = open_hall_of_fame(written(tmp_path, 'Complexity,Loss,Equation\n3,0.1,"(mass * speed)"\n'), ["mass", "speed"])
    assert str(found.proposals[0].expression) == "mass*speed"
    assert found.notes == ()


def test_columns_counted_from_one_are_read_by_position_too(tmp_path: Path) -> None:
    found = open_hall_of_fame(written(tmp_path, 'Complexity,Loss,Equation\n3,0.1,"(x1 / x2)"\n'), ["mass", "speed"])
    assert str(found.proposals[0].expression) == "mass/speed"


def test_the_table_that_pysr_exports_is_read_as_well(tmp_path: Path) -> None:
    text = 'complexity,loss,equation,score,sympy_format\n3,0.1,(x0 * x1),0.0,x0*x1\n'
    assert str(open_hall_of_fame(written(tmp_path, text), ["mass", "speed"]).proposals[0].expression) == "mass*speed"


def test_a_row_that_cannot_be_read_is_left_out_aloud_and_the_others_are_kept(tmp_path: Path) -> None:
    text = 'Complexity,Loss,Equation\n1,0.5,"gamma(x0)"\n2,0.4,"NaN"\n3,0.3,"(x0 + y9)"\n3,0.2,"(x0 + 2.0)"\n5,0.1,"x0 +"\n'
    found = open_hall_of_fame(written(tmp_path, text), ["a"])
    assert [str(proposal.expression) for proposal in found] == ["a + 2.0"]
    assert [note.partition(":")[0] for note in found.notes[1:]] == [f"Row {row} is left out" for row in (2, 3, 4, 6)]
    assert "gamma" in found.notes[1]


def test_text_in_a_file_is_never_run(tmp_path: Path) -> None:
    text = 'Complexity,Loss,Equation\n1,0.5,"__import__(""os"").abort()"\n2,0.4,"run(`touch x`)"\n'
    found = open_hall_of_fame(written(tmp_path, text), ["a"])
    assert len(found) == 0
    assert len(found.notes) == 2


@pytest.mark.parametrize(
    ("text", "reason"),
    [("", "no column complexity"), ("a,b\n1,2\n", "no column complexity, loss, equation"), ("Complexity,Equation\n1,x\n", "no column loss")],
)
def test_a_file_that_is_none_of_pysrs_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(TableError, match=reason):
        open_hall_of_fame(written(tmp_path, text), ["a"])


def test_no_file_no_text_and_too_much_of_it_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TableError, match="there is no such file"):
        open_hall_of_fame(tmp_path / "nothing.csv", ["a"])
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(TableError, match="UTF-8"):
        open_hall_of_fame(tmp_path / "bytes.csv", ["a"])
    monkeypatch.setattr("workbench.search.pysr.hall_of_fame.LARGEST_FILE", 10)
    with pytest.raises(TableError, match="Allowed: 10"):
        open_hall_of_fame(written(tmp_path), ["a"])


def test_pieces_of_a_template_are_put_together(tmp_path: Path) -> None:
    template = Template({"f": ("a", "b"), "g": ("c",)}, parse("sin(f) + g**2"))
    text = 'Complexity,Loss,Equation\n9,0.1,"f = (#1 * #2) + 0.5; g = cos(#1)"\n3,0.2,"f = #1; g = #2"\n2,0.3,"f = #1"\n'
    found = open_hall_of_fame(written(tmp_path, text), ["a", "b", "c"], template)
    assert [str(proposal.expression) for proposal in found] == ["sin(a*b + 0.5) + cos(c)**2"]
    assert "is no argument of this piece" in found.notes[0]
    assert "g is missing" in found.notes[1]
    without = open_hall_of_fame(tmp_path / "hall_of_fame.csv", ["a", "b", "c"])
    assert "Give the template" in without.notes[0]
