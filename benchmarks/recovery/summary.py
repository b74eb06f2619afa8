"""benchmarks/RECOVERY.md: rates with their intervals against gate and stretch, verdicts apart, and every law that was not recovered.

A rate is the mean over laws of the mean over their seeds, so that laws run with three seeds weigh no more than others. Its interval is the bootstrap's: laws are
drawn again with replacement, 95 % of the rates lie inside. It says nothing about a rate of 0 or 100 %, where every draw is the same.
"""

from __future__ import annotations

import datetime
import os
import platform
import statistics
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.recovery.journal import read_records

_DRAWS = 2000
_GATES = {  # (set, noise, budget, rows) -> gate, stretch in per cent; issue "find the law"
    ("feynman_dev", 0.0, 60.0, None): (97, 100),
    ("feynman_dev", 0.0, 8.0, None): (93, 98),
    ("feynman_dev", 0.001, 60.0, None): (90, 97),
    ("feynman_dev", 0.01, 60.0, None): (80, 92),
    ("feynman_dev", 0.1, 60.0, None): (55, 70),
    ("feynman_dev", 0.0, 60.0, 100): (75, 90),
    ("applied", 0.0, 60.0, None): (85, 95),
    ("applied", 0.01, 60.0, None): (70, 85),
    ("nguyen", 0.0, 10.0, None): (100, 100),
    ("classic", 0.0, 30.0, None): (80, 95),
    ("noise", 0.0, 20.0, None): (95, 100),
    ("samples", 0.0, 30.0, None): (None, 90),  # picked for nine is the stretch; the gate is nine in the front
}
_GATE_OF_SAMPLES_IN_FRONT = 90
_WRONG_LAWS = (5, 1)  # per cent of the verdicts "law", on feynman_dev with noise 0.1
_HEAD = (
    "set", "noise", "budget", "rows", "laws (runs)", "recovered, picked", "in the front", "gate", "stretch", "reached", "R2 > .999", "numeric", "skeleton",
    "proved (undecided)", "law / approximation / none", "wrong among law", "seconds: median, longest", "late, failed",
)  # fmt: skip


def write_summary(folder: Path, out: Path) -> str:
    """Write the file from all journals of a folder, and return its text."""
    groups = [records for path in sorted(folder.glob("*.jsonl")) if (records := read_records(path))]
    text = "\n".join([*_introduction(), *_table(groups), "", *_misses(groups), *_circumstances(groups)]) + "\n"
    out.write_text(text, encoding="utf-8")
    return text


def rate(records: Sequence[dict], found: Callable[[dict], bool]) -> float:
    """Return the mean over laws of the mean over their seeds."""
    return float(np.mean(_by_law(records, found)))


def interval(records: Sequence[dict], found: Callable[[dict], bool]) -> tuple[float, float]:
    """Return the ends of the 95 % bootstrap interval of a rate."""
    laws = _by_law(records, found)
    draws = np.random.default_rng(0).integers(len(laws), size=(_DRAWS, len(laws)))
    low, high = np.quantile(laws[draws].mean(axis=1), [0.025, 0.975])
    return float(low), float(high)


def picked(name: str) -> Callable[[dict], bool]:
    """Return the question whether the picked formula got a verdict."""
    return lambda record: bool(record["picked"].get(name))


def in_front(name: str) -> Callable[[dict], bool]:
    """Return the question whether any formula of the front got a verdict."""
    return lambda record: bool(record["front"].get(name))


def wrong_laws(records: Iterable[dict]) -> tuple[int, int]:
    """Return how many verdicts "law" stand beside a formula that is not the law, and how many there are."""
    laws = [record for record in records if record["verdict"] == "law"]
    return sum(not record["picked"]["recovered"] for record in laws), len(laws)


def _by_law(records: Sequence[dict], found: Callable[[dict], bool]) -> np.ndarray:
    """Return one mean for each law; a real law with two sets of constants ("puromycin:treated") is one."""
    laws: dict[str, list[bool]] = {}
    for record in records:
        laws.setdefault(record["id"].partition(":")[0], []).append(found(record))
    return np.array([np.mean(answers) for answers in laws.values()])


def _introduction() -> list[str]:
    return [
        "# Recovery of laws",
        "",
        "Written by `python -m benchmarks.recovery SET`, from what `kan-workbench discover --json` answered, each trial in a process of its own; the budget is the wall time of",
        "the whole process. Recovered: the same values to 1e-6 of the spread in the box and in the box widened by half (numeric), or the same after all constants were fitted to",
        "the clean truth and none of them vanished (skeleton), by a formula not out of proportion to the truth. Per cent, with 95 % bootstrap intervals over laws. Proved: SymPy",
        "shows the difference to be zero. For `noise`, recovered means the verdict \"none\"; for `samples`, the law's skeleton with constants within three standard errors.",
        "",
    ]


def _table(groups: Sequence[Sequence[dict]]) -> list[str]:
    return [f"| {' | '.join(_HEAD)} |", "|---" * len(_HEAD) + "|", *(f"| {' | '.join(_line(records))} |" for records in groups)]


def _line(records: Sequence[dict]) -> list[str]:
    first = records[0]
    known = first["truth"] is not None and "numeric" in first["picked"]
    gate, stretch = _GATES.get((first["name"], first["noise"], first["budget"], first["n_rows"]), (None, None))
    laws = len(_by_law(records, picked("recovered")))
    shares = [_percent(rate(records, picked(name))) if known else "-" for name in ("fit", "numeric", "skeleton")]
    return [
        first["name"],
        f"{first['noise']:g}",
        f"{first['budget']:g} s",
        "own" if first["n_rows"] is None else f"{first['n_rows']}",
        f"{laws} ({len(records)})",
        _with_interval(records, picked("recovered")),
        _with_interval(records, in_front("recovered")),
        "-" if gate is None else f"{gate}",
        "-" if stretch is None else f"{stretch}",
        _reached(records, gate, stretch),
        *shares,
        _proofs(records) if known else "-",
        " / ".join(str(sum(record["verdict"] == verdict for record in records)) for verdict in ("law", "approximation", "none")),
        _wrong(records),
        f"{statistics.median(record['seconds'] for record in records):.1f}, {max(record['seconds'] for record in records):.1f}",
        f"{sum(record['late'] for record in records)}, {sum(bool(record['error']) for record in records)}",
    ]


def _reached(records: Sequence[dict], gate: float | None, stretch: float | None) -> str:
    if stretch is None:
        return "-"
    share = 100 * rate(records, picked("recovered")) + 1e-9
    if records[0]["name"] == "samples":
        passed = 100 * rate(records, in_front("recovered")) + 1e-9 >= _GATE_OF_SAMPLES_IN_FRONT
    else:
        passed = share >= gate
    return "**stretch**" if passed and share >= stretch else "gate" if passed else "**no**"


def _proofs(records: Sequence[dict]) -> str:
    proofs = [record["picked"]["symbolic"] for record in records]
    return f"{_percent(rate(records, lambda record: record['picked']['symbolic'] == 'yes'))} ({proofs.count('undecided')} runs)"


def _wrong(records: Sequence[dict]) -> str:
    wrong, laws = wrong_laws(records)
    if not laws:
        return "-"
    share = 100 * wrong / laws
    gate, stretch = _WRONG_LAWS
    gated = records[0]["name"] == "feynman_dev" and records[0]["noise"] == 0.1
    reached = "" if not gated else " **stretch**" if share <= stretch else " gate" if share <= gate else " **no**"
    return f"{wrong} of {laws}{reached}"


def _misses(groups: Sequence[Sequence[dict]]) -> list[str]:
    """List what was not picked, and how much of it the front held."""
    lines = ["## Not recovered", ""]
    for records in groups:
        missed = [record for record in records if not record["picked"]["recovered"]]
        if not missed:
            continue
        held = sum(record["front"]["recovered"] for record in missed)
        first = records[0]
        lines += [f"### {first['name']}, noise {first['noise']:g}, {first['budget']:g} s, {first['n_rows'] or 'own'} rows", ""]
        lines += [f"{len(missed)} of {len(records)} runs; the front holds {held} of them.", ""]
        lines += ["| law | seed | truth | picked | verdict | why | in the front |", "|---|---|---|---|---|---|---|"]
        lines += [f"| {' | '.join(_miss(record))} |" for record in missed]
        lines.append("")
    return lines if len(lines) > 2 else []


def _miss(record: dict) -> list[str]:
    formula = record["picked"].get("formula") or "-"
    shown = formula if len(formula) <= 160 else f"{formula[:157]}..."
    why = record["error"] or record["picked"]["why"]
    held = "yes" if record["front"]["recovered"] else "no"
    return [_cell(part) for part in (record["id"], str(record["seed"]), record["truth"] or "-", shown, record["verdict"] or "-", why, held)]


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _circumstances(groups: Sequence[Sequence[dict]]) -> list[str]:
    records = [record for group in groups for record in group]
    loads = [record["load"] for record in records if record["load"] is not None]
    load = f", load average {min(loads):.1f} to {max(loads):.1f}" if loads else ""
    revisions = ", ".join(dict.fromkeys(record["revision"] for record in records)) or "none"
    return [
        f"Revisions: {revisions}.",
        "",
        f"Machine: {os.cpu_count()} logical cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}{load}.",
        "",
        f"Date: {datetime.datetime.now(tz=datetime.UTC):%Y-%m-%d}.",
    ]


def _with_interval(records: Sequence[dict], found: Callable[[dict], bool]) -> str:
    low, high = interval(records, found)
    return f"{_percent(rate(records, found))} ({_percent(low)} to {_percent(high)})"


def _percent(share: float) -> str:
    return f"{100 * share:.3g}"
