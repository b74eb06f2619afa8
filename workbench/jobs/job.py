"""What a job is, what it reports on its way, and what it leaves behind: three frozen records."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

Status = Literal["queued", "running", "paused", "done", "failed", "cancelled", "interrupted"]
Wish = Literal["pause", "step", "go on", "finish"]
Lane = Literal["interactive", "batch"]

UNFINISHED: tuple[Status, ...] = ("queued", "running", "paused")


@dataclass(frozen=True)
class Job:
    """One run of a task, as it stands at one moment.

    Parameters
    ----------
    id : unguessable text, fit for a link
    project : the project it works for, or None
    task : the registered name of what it does
    lane : "interactive" for work a person waits for, "batch" for the rest
    status : queued, running or paused, then done | failed | cancelled | interrupted
    progress : 0 to 1
    message : what it is doing, for a person
    error : why it failed, one sentence, or None
    created, updated : seconds since 1970
    """

    id: str
    project: str | None
    task: str
    lane: Lane
    status: Status
    progress: float
    message: str
    error: str | None
    created: float
    updated: float

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen."""
        return self.status not in UNFINISHED


@dataclass(frozen=True)
class Result:
    """What a task returned: JSON and named arrays."""

    value: object = None
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True)
class Event:
    """One thing that happened to a job. Numbers start at 1 and grow by one, so a reader can say where it stopped."""

    number: int
    job: Job
    payload: object = None

    def to_json(self) -> str:
        """Return the event as strict JSON for a browser; NaN and infinities, which JSON lacks, become null."""
        job = self.job
        record = {
            "number": self.number, "job": job.id, "task": job.task, "status": job.status, "progress": job.progress,
            "message": job.message, "error": job.error, "payload": _strict(self.payload),
        }  # fmt: skip
        return json.dumps(record, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _strict(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _strict(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_strict(item) for item in value]
    return value
