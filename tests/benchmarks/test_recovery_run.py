"""Trials from the outside: a command with planted answers stands in for `kan-workbench discover`, and every verdict must come out as planted."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from benchmarks.recovery.__main__ import main, trials
from benchmarks.recovery.journal import Journal, read_records
from benchmarks.recovery.laws import read_set
from benchmarks.recovery.run import Conditions, _run, examined
from benchmarks.recovery.summary import in_front, interval, picked, rate, write_summary, wrong_laws
from benchmarks.recovery.trials import LawTrial, NoiseTrial, SampleTrial, sample_trials
from workbench.expression import Number, parse, substitute, to_text

DISCOVER = """
import json, sys
from pathlib import Path
words = sys.argv[1:]
given = dict(zip(words[1::2], words[2::2]))
folder = Path(__file__).parent
with (folder / "calls").open("a") as file:
    file.write(json.dumps([Path(words[0]).read_text().splitlines()[0], given]) + "\\n")
code = json.loads((folder / "answer.json").read_text())
if isinstance(code, int):
    print("no such column", file=sys.stderr)
    sys.exit(code)
Path(given["--json"]).write_text(json.dumps(code))
"""
ROOT = Path(__file__).parents[2]
CONDITIONS = Conditions("nguyen", 0.0, 5.0)
NGUYEN_8 = next(law for law in read_set("nguyen") if law.id == "Nguyen-8")  # sqrt(x)


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    (tmp_path / "discover.py").write_text(DISCOVER)
    return [sys.executable, str(tmp_path / "discover.py")]


def plant(tmp_path: Path, formula: str | None, *front: str, verdict: str = "law") -> None:
    answer = {"verdict": verdict, "symbols": {}, "formula": formula and {"python": formula}, "pareto": [{"python": text} for text in front]}
    (tmp_path / "answer.json").write_text(json.dumps(answer))


def calls(tmp_path: Path) -> list:
    return [json.loads(line) for line in (tmp_path / "calls").read_text().splitlines()]


def test_a_right_answer_is_recovered_with_every_verdict(tmp_path: Path, command: list[str]) -> None:
    plant(tmp_path, "x**0.5", "x/2", "x**0.5")
    record = examined(LawTrial(NGUYEN_8, seed=7), command, CONDITIONS)
    assert {name: record["picked"][name] for name in ("fit", "numeric", "skeleton", "recovered")} == dict.fromkeys(("fit", "numeric", "skeleton", "recovered"), True)
    assert record["picked"]["symbolic"] == "yes"
    assert record["front"]["recovered"]
    assert record["front"]["size"] == 2
    assert (record["verdict"], record["error"], record["late"]) == ("law", "", False)
    (header, words), = calls(tmp_path)
    assert header == "x,y"
    assert words["--target"] == "y"
    assert (words["--time-budget"], words["--random-state"]) == ("5", "7")


def test_a_wrong_answer_is_not_recovered_though_the_front_holds_the_law(tmp_path: Path, command: list[str]) -> None:
    plant(tmp_path, "0.6*x + 0.3", "x/2", "1.01*sqrt(x)")
    record = examined(LawTrial(NGUYEN_8, seed=0), command, CONDITIONS)
    assert not record["picked"]["recovered"]
    assert record["picked"]["symbolic"] == "no"
    assert record["front"]["recovered"]
    assert record["front"]["formula"] == "1.01*sqrt(x)"
    assert record["front"]["symbolic"] == "yes"  # of the skeleton
    assert not record["front"]["numeric"]


def test_a_front_without_the_law_holds_nothing(tmp_path: Path, command: list[str]) -> None:
    plant(tmp_path, None, "x/2", "0.9*x**(2/5) + 0.1", verdict="none")
    record = examined(LawTrial(NGUYEN_8, seed=0), command, CONDITIONS)
    assert not record["front"]["recovered"]
    assert record["picked"]["why"] == "no formula was picked"


def test_a_command_that_fails_is_a_miss_with_its_reason(tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "answer.json").write_text("2")
    record = examined(LawTrial(NGUYEN_8, seed=0), command, CONDITIONS)
    assert record["error"] == "exit code 2: no such column"
    assert not record["picked"]["recovered"]
    assert record["verdict"] is None


def test_a_command_that_hangs_is_killed_with_its_children() -> None:
    script = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])"
    began = time.monotonic()
    assert _run([sys.executable, "-c", script], 1.0) == "killed after 1 s"
    assert time.monotonic() - began < 20


def test_a_run_goes_on_where_it_was_cut(tmp_path: Path, command: list[str], capsys: pytest.CaptureFixture) -> None:
    plant(tmp_path, "sqrt(x)")
    words = ["nguyen", "--time-budget", "5", "--every", "4", "--journal", str(tmp_path / "journal"), "--out", str(tmp_path / "out.md"), "--command", " ".join(command)]
    assert main(words) == 0
    assert len(calls(tmp_path)) == 3
    journal, = (tmp_path / "journal").glob("*.jsonl")
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join(lines[:2]) + lines[2][:40])  # the machine went down while the last line was written
    main(words)
    assert len(calls(tmp_path)) == 4
    main([*words, "--seeds", "2"])
    assert len(calls(tmp_path)) == 7
    assert [(record["id"], record["seed"]) for record in read_records(journal)] == [
        (name, seed) for seed in (0, 1) for name in ("Nguyen-1", "Nguyen-5", "Nguyen-9")
    ]
    main([*words, "--fresh"])
    assert len(calls(tmp_path)) == 10
    assert "Nguyen-1" in capsys.readouterr().out


def test_a_run_in_the_background_writes_the_same_journal(tmp_path: Path, command: list[str]) -> None:
    plant(tmp_path, "sqrt(x)")
    words = ["nguyen", "--every", "7", "--journal", str(tmp_path / "journal"), "--out", str(tmp_path / "out.md"), "--command", " ".join(command)]
    started = subprocess.run([sys.executable, "-m", "benchmarks.recovery", *words, "--background"], capture_output=True, text=True, cwd=ROOT)
    assert "goes on" in started.stdout
    for _ in range(300):
        if (tmp_path / "out.md").exists():
            break
        time.sleep(0.1)
    journal, = (tmp_path / "journal").glob("*.jsonl")
    assert [record["id"] for record in read_records(journal)] == ["Nguyen-1", "Nguyen-8"]
    assert "picked yes" in (tmp_path / "journal" / "nguyen.log").read_text()


@pytest.mark.parametrize("words", [["nowhere"], ["nguyen", "--seeds", "0"], ["noise", "--noise", "0.1"], ["nguyen", "--time-budget", "0"]])
def test_words_that_make_no_sense_are_refused(words: list[str]) -> None:
    with pytest.raises(SystemExit) as refusal:
        main(words)
    assert refusal.value.code == 2


def test_noise_tables_want_the_verdict_none(tmp_path: Path, command: list[str]) -> None:
    chosen = trials("noise", seeds=1)
    assert len(chosen) == len({trial.id for trial in chosen}) == 20
    plant(tmp_path, None, "x1/2", verdict="none")
    assert examined(chosen[3], command, CONDITIONS)["picked"]["recovered"]
    for verdict in ("law", "approximation"):
        plant(tmp_path, "x1/2", verdict=verdict)
        assert not examined(chosen[3], command, CONDITIONS)["picked"]["recovered"]
    (tmp_path / "answer.json").write_text("1")
    assert not examined(chosen[3], command, CONDITIONS)["picked"]["recovered"]


def test_noise_tables_hold_no_law(tmp_path: Path) -> None:
    for trial in [NoiseTrial(number) for number in range(20)]:
        trial.arguments(tmp_path)
        table = np.loadtxt(tmp_path / "table.csv", delimiter=",", skiprows=1)
        correlation = np.corrcoef(table.T)[-1, :-1]
        assert np.all(np.abs(correlation) < 4 / np.sqrt(len(table)))


def planted_sample(trial: SampleTrial, errors: float = 0.0) -> str:
    """The law of a sample with its constants, each moved by so many 99 % half-widths."""
    fit = next(fit for fit in trial.info["fits"] if fit["group"] == trial.group)
    values = {name: Number(entry["value"] + errors * entry["tolerance"]) for name, entry in fit["constants"].items()}
    return to_text(substitute(parse(trial.info["skeleton"]), values))


@pytest.mark.parametrize("trial", sample_trials(seed=0), ids=lambda trial: trial.id)
def test_the_law_of_a_sample_is_found_and_its_neighbours_are_not(trial: SampleTrial) -> None:
    assert trial.objection(planted_sample(trial)) == ""
    assert trial.objection(planted_sample(trial, errors=0.5)) == ""
    assert "the rows say" in trial.objection(planted_sample(trial, errors=5.0))
    assert trial.objection(f"{planted_sample(trial)} + 0.01*{trial.info['features'][0]}**3") == "another formula"
    assert "cannot be read" in trial.objection("nothing")


def test_constants_of_a_sample_may_be_written_in_another_way() -> None:
    by_name = {trial.id: trial for trial in sample_trials(seed=0)}
    assert by_name["planets"].objection("a_au*sqrt(a_au)") == ""
    assert by_name["capacitor"].objection("9.11/exp(Time)**2.117") == ""
    assert by_name["mercury_vapour"].objection("86400000*exp(-7306.65/(273.15 + temperature))") == ""
    assert "is 1.45" in by_name["planets"].objection("a_au**1.45")


def test_ten_samples_are_asked_with_their_units(tmp_path: Path) -> None:
    chosen = sample_trials(seed=0)
    assert len({trial.id.partition(":")[0] for trial in chosen}) == 10
    treated = next(trial for trial in chosen if trial.id == "puromycin:treated")
    words = treated.arguments(tmp_path)
    assert words[1:] == ["--target", "rate", "--features", "conc", "--units", "conc=ppm,rate=counts/min/min"]
    with (tmp_path / "table.csv").open() as file:
        assert {row["state"] for row in csv.DictReader(file)} == {"treated"}


def record(name: str, seed: int, found: bool, verdict: str = "law", front: bool | None = None) -> dict:
    judged = {"r2": 1.0, "fit": True, "numeric": found, "skeleton": found, "recovered": found}
    return {
        "id": name, "seed": seed, "seconds": 1.0, "late": False, "load": 0.1, "verdict": verdict, "error": "", "truth": "x",
        "picked": {**judged, "formula": "x", "symbolic": "yes" if found else "no", "why": "" if found else "another formula"},
        "front": {**judged, "recovered": found if front is None else front, "size": 2, "formula": "x"},
    }  # fmt: skip


def test_a_law_with_three_seeds_weighs_no_more_than_others() -> None:
    records = [record("a", 0, True), *(record("b", seed, seed == 0) for seed in range(3)), record("c", 0, False)]
    assert rate(records, picked("recovered")) == pytest.approx((1 + 1 / 3 + 0) / 3)


def test_the_interval_holds_the_rate_and_narrows_with_more_laws() -> None:
    few, many = ([record(f"law {n}", 0, n % 4 > 0) for n in range(count)] for count in (12, 240))
    for records in (few, many):
        low, high = interval(records, picked("recovered"))
        assert low < rate(records, picked("recovered")) == 0.75 < high
    width = [np.subtract(*interval(records, picked("recovered"))[::-1]) for records in (few, many)]
    assert 3 < width[0] / width[1] < 6  # the square root of twenty
    assert interval([record("a", 0, True)], picked("recovered")) == (1.0, 1.0)


def test_wrong_laws_are_counted_among_the_verdicts_law_only() -> None:
    records = [record("a", 0, True), record("b", 0, False), record("c", 0, False, verdict="approximation"), record("d", 0, False, verdict="none")]
    assert wrong_laws(records) == (1, 2)


def journal_of(folder: Path, conditions: Conditions, records: list[dict]) -> None:
    journal = Journal(folder, conditions)
    for one in records:
        journal.write(one, "abc")


def test_the_summary_holds_rates_gates_and_what_was_missed(tmp_path: Path) -> None:
    laws = [record(f"law-{n}", 0, n >= 6, front=n >= 3) for n in range(60)]
    journal_of(tmp_path, Conditions("feynman_dev", 0.01, 60.0), laws)
    journal_of(tmp_path, Conditions("feynman_dev", 0.0, 60.0), laws)
    journal_of(tmp_path, Conditions("feynman_dev", 0.1, 60.0), laws)
    text = write_summary(tmp_path, tmp_path / "out.md")
    rows = {(cells[1], cells[2]): cells for line in text.splitlines() if len(cells := [cell.strip() for cell in line.split("|")]) == 20}
    cells = rows["feynman_dev", "0.01"]
    assert cells[6].startswith("90 (8")
    assert cells[7].startswith("95 (")
    assert cells[8:11] == ["80", "92", "gate"]
    assert rows["feynman_dev", "0"][10] == "**no**"
    assert rows["feynman_dev", "0.1"][10] == "**stretch**"
    assert rows["feynman_dev", "0.1"][16] == "6 of 60 **no**"
    assert "6 of 60 runs; the front holds 3 of them." in text
    assert "| law-5 | 0 | x | x | law | another formula | yes |" in text
    assert "law-6 |" not in text
    assert (tmp_path / "out.md").read_text() == text


def test_the_front_counts_for_the_gate_of_the_samples(tmp_path: Path) -> None:
    for name, front in (("held", True), ("lost", False)):
        records = [{**record(f"s{n}", 0, n > 2, front=front or n > 2)} for n in range(10)]
        journal_of(tmp_path / name, Conditions("samples", 0.0, 30.0), records)
    assert "| gate |" in write_summary(tmp_path / "held", tmp_path / "a.md").partition("## Not")[0].splitlines()[-2]
    assert "| **no** |" in write_summary(tmp_path / "lost", tmp_path / "b.md")
    assert rate(read_records(tmp_path / "held" / f"{Conditions('samples', 0.0, 30.0).stem}.jsonl"), in_front("recovered")) == 1.0


def test_the_command_says_what_it_does() -> None:
    told = subprocess.run([sys.executable, "-m", "benchmarks.recovery", "--help"], capture_output=True, text=True, cwd=ROOT)
    assert told.returncode == 0
    assert "--time-budget" in told.stdout
