"""Results as they come: one line of JSON each, in one file for each set and its conditions, so that a run that was cut goes on where it was."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from benchmarks.recovery.run import Conditions


class Journal:
    """The results of one set under one set of conditions."""

    def __init__(self, folder: Path, conditions: Conditions, fresh: bool = False) -> None:
        self.conditions = conditions
        self.path = folder / f"{conditions.stem}.jsonl"
        folder.mkdir(parents=True, exist_ok=True)
        if fresh:
            self.path.unlink(missing_ok=True)
        self.records = read_records(self.path)
        self._cut_torn_line()

    def holds(self, trial_id: str, seed: int) -> bool:
        """Whether this trial was run before."""
        return any((record["id"], record["seed"]) == (trial_id, seed) for record in self.records)

    def write(self, record: dict, revision: str) -> None:
        """Add a result; it is on the disk when this returns."""
        whole = {**asdict(self.conditions), "revision": revision, **record}
        self.records.append(whole)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(whole, ensure_ascii=False) + "\n")

    def _cut_torn_line(self) -> None:
        """Drop half a line at the end, which a run leaves that was killed while it wrote."""
        if self.path.exists() and not self.path.read_bytes().endswith(b"\n"):
            lines = [json.dumps(record, ensure_ascii=False) + "\n" for record in self.records]
            self.path.write_text("".join(lines), encoding="utf-8")


def read_records(path: Path) -> list[dict]:
    """Return the whole lines of a journal."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n") and line.strip()]
