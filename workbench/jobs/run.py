"""A job on its way through the scheduler, and the worker it is given to: the scheduler's own notes, nobody else's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from workbench.jobs.job import Lane, Wish
from workbench.jobs.process import WorkerProcess


@dataclass
class Run:
    """A job on its way through the scheduler."""

    job: str
    task: str
    lane: Lane
    content: bytes
    time_limit: float | None
    worker: Worker | None = None
    stopped: Literal["cancelled", "late"] | None = None
    started: bool = False
    tries: int = 0
    wishes: list[Wish] = field(default_factory=list)  # said before it had begun
    paused_at: float | None = None
    rested: float = 0.0  # seconds

    def turn(self, status: Literal["running", "paused"], now: float) -> None:
        """Note that the task has come to rest, or goes on."""
        if self.paused_at is not None:
            self.rested += now - self.paused_at
        self.paused_at = now if status == "paused" else None

    def rested_by(self, now: float) -> float:
        """Return for how many seconds it has rested."""
        return self.rested + (0.0 if self.paused_at is None else now - self.paused_at)


@dataclass(eq=False)
class Worker:
    """A process, its lane (None: it is the spare), and what it works on. One that is leaving gets nothing more to do."""

    process: WorkerProcess
    lane: Lane | None
    ready: bool = False  # it takes orders
    warm: bool = False  # it need not import anything first
    run: Run | None = None
    leaving: bool = False

    @property
    def resting(self) -> bool:
        """Whether its task is paused."""
        return self.run is not None and self.run.paused_at is not None
