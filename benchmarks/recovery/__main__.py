"""`python -m benchmarks.recovery SET ...`: run what is not in the journal yet, and write benchmarks/RECOVERY.md."""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.recovery.journal import Journal
from benchmarks.recovery.laws import SETS, read_set
from benchmarks.recovery.run import Conditions, examined
from benchmarks.recovery.summary import write_summary
from benchmarks.recovery.trials import NOISE_TABLES, LawTrial, NoiseTrial, Trial, sample_trials

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "workbench.cli", "discover"]


def main(words: Sequence[str] | None = None) -> int:
    """Run a set, or with --background leave a process that does."""
    options = _options(words)
    if options.background:
        return _detached(list(sys.argv[1:] if words is None else words), options)
    if options.set:
        _run_set(options)
    write_summary(options.journal, options.out)
    print(f"The summary is in {options.out}.")
    return 0


def trials(name: str, seeds: int, every: int = 1, noise: float = 0.0, n_rows: int | None = None) -> list[Trial]:
    """Return what a set consists of, seed by seed: the first seed of all before the second of any."""
    chosen: list[Trial] = []
    for seed in range(seeds):
        if name == "noise":
            chosen += [NoiseTrial(number, seed) for number in range(NOISE_TABLES)][::every]
        elif name == "samples":
            chosen += sample_trials(seed)[::every]
        else:
            chosen += [LawTrial(law, seed, noise, n_rows) for law in read_set(name)[::every]]
    return chosen


def _options(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recovery", description="Which laws does `kan-workbench discover` recover?")
    parser.add_argument("set", nargs="?", metavar="SET", help=f"of {', '.join([*SETS, 'noise', 'samples'])}, or a CSV file; none only writes the summary")
    parser.add_argument("--time-budget", type=float, default=60.0, metavar="SECONDS", help="wall time of the whole process (60)")
    parser.add_argument("--noise", type=float, default=0.0, help="as a fraction of the root mean square of the target (0)")
    parser.add_argument("--seeds", type=int, default=1, help="tables of each law; the seed is also the command's (1)")
    parser.add_argument("--rows", type=int, help="rows where the set prescribes none (1000)")
    parser.add_argument("--every", type=int, default=1, help="only every so-manyth law (1)")
    parser.add_argument("--command", type=shlex.split, default=COMMAND, help="what is judged (kan-workbench discover of this checkout)")
    parser.add_argument("--journal", type=Path, default=ROOT / "build" / "recovery", metavar="FOLDER", help="where results are kept (build/recovery)")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "RECOVERY.md", help="where the summary is written")
    parser.add_argument("--fresh", action="store_true", help="forget what the journal holds of these conditions")
    parser.add_argument("--background", action="store_true", help="go on in a process of its own, with a log beside the journal")
    options = parser.parse_args(words)
    if options.set and options.set not in (*SETS, "noise", "samples") and not Path(options.set).is_file():
        parser.error(f"no such set or file: {options.set}. Sets: {', '.join([*SETS, 'noise', 'samples'])}")
    if options.set in ("noise", "samples") and (options.noise or options.rows):
        parser.error(f"{options.set} has its own noise and rows; leave out --noise and --rows")
    if min(options.seeds, options.every, options.rows or 1) < 1 or options.time_budget <= 0 or options.noise < 0:
        parser.error("--seeds, --every, --rows and --time-budget must be above zero, and --noise not below")
    return options


def _run_set(options: argparse.Namespace) -> None:
    conditions = Conditions(options.set, options.noise, options.time_budget, options.rows)
    journal = Journal(options.journal, conditions, options.fresh)
    revision = _revision()
    if others := {record["revision"] for record in journal.records} - {revision}:
        print(f"The journal holds results of {', '.join(sorted(others))}, which are kept; --fresh runs them again.")
    waiting = [trial for trial in trials(options.set, options.seeds, options.every, options.noise, options.rows) if not journal.holds(trial.id, trial.seed)]
    for number, trial in enumerate(waiting, 1):
        record = examined(trial, options.command, conditions)
        journal.write(record, revision)
        print(f"{number:3d}/{len(waiting)} {_told(record)}", flush=True)


def _told(record: dict) -> str:
    """Say in one line what became of a trial."""
    picked, front = ("yes" if record[part]["recovered"] else "no" for part in ("picked", "front"))
    said = record["error"] or record["picked"].get("formula") or "no formula"
    return f"{record['id']:<22} seed {record['seed']}  picked {picked:<3}  front {front:<3}  {record['verdict'] or '-':<13} {record['seconds']:6.1f} s  {said[:90]}"


def _revision() -> str:
    """Name the state of the code that is judged."""
    try:
        words = ["git", "describe", "--always", "--dirty", "--abbrev=10"]
        return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _detached(words: list[str], options: argparse.Namespace) -> int:
    options.journal.mkdir(parents=True, exist_ok=True)
    log = options.journal / f"{Path(options.set or 'summary').stem}.log"
    command = [sys.executable, "-m", "benchmarks.recovery", *(word for word in words if word != "--background")]
    with log.open("ab") as file:
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True)
    print(f"Process {process.pid} goes on; what it says is in {log}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
