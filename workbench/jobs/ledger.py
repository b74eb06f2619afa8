"""The books of a pool: every job that was handed in, what became of it, and who wants to know.

The scheduler tells what happens; the ledger turns it into the next state of the job, calls the observers, and only then
lets the change be seen. What an observer has stored is therefore there when a page hears that the job is done.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Literal, cast

from workbench import exceptions
from workbench.exceptions import JobCancelled, JobError, WorkbenchError
from workbench.jobs.framing import Message
from workbench.jobs.job import Job, Result
from workbench.jobs.journal import Journal

log = logging.getLogger(__name__)

Observer = Callable[[Job, Result | None], None]

OBSERVE_EVERY = 1.0  # seconds between two calls of an observer about the progress of one job
KEPT_JOBS = 200  # finished jobs that can still be asked about
KEPT_BYTES = 512 * 2**20  # of arrays in their results


class Ledger:
    """Jobs by id. Questions may come from any thread; what happened is told by one, the scheduler's."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._journals: dict[str, Journal] = {}
        self._observers: tuple[Observer, ...] = ()
        self._observed: dict[str, float] = {}  # job -> when the observers last heard of it

    def open(self, job: Job) -> None:
        """Enter a new job."""
        with self._lock:
            self._journals[job.id] = Journal(job)

    def journal(self, job_id: str) -> Journal:
        """Return the history of a job, or raise JobError where there is none."""
        with self._lock:
            journal = self._journals.get(job_id)
        if journal is None:
            raise JobError(f"There is no job {str(job_id)[:40]!r}. Jobs are forgotten some time after they finish.")
        return journal

    def jobs(self) -> tuple[Job, ...]:
        """Return all jobs as they stand, the newest first."""
        with self._lock:
            return tuple(journal.job for journal in reversed(self._journals.values()))

    def observe(self, observer: Observer) -> None:
        """Add one who is told."""
        with self._lock:
            self._observers = (*self._observers, observer)

    # What the scheduler tells (see `workbench.jobs.scheduler.Listener`)

    def queued(self, job: str) -> None:
        """The scheduler has it."""
        self._tell(self.journal(job).job, None)

    def started(self, job: str) -> None:
        """A worker has begun."""
        running = self._next(job, status="running")
        self._tell(running, None)
        self.journal(job).publish(running)

    def turned(self, job: str, status: Literal["running", "paused"]) -> None:
        """The task has come to rest, or goes on."""
        turned = self._next(job, status=status)
        self._tell(turned, None)
        self.journal(job).publish(turned)

    def progressed(self, job: str, message: Message) -> None:
        """The task reported how far it is."""
        moved = self._next(job, progress=message["progress"], message=message["message"])
        if time.monotonic() - self._observed[job] >= OBSERVE_EVERY:
            self._tell(moved, None)
        self.journal(job).publish(moved, message["payload"])

    def done(self, job: str, result: Result) -> None:
        """The task returned."""
        self._finish(self._next(job, status="done", progress=1.0), result, None)

    def failed(self, job: str, message: Message) -> None:
        """The task raised: an error that is meant for the person, or a fault of ours."""
        error = _known_error(message) or _fault(self.journal(job).job, str(message.get("traceback")))
        self._finish(self._next(job, status="failed", error=str(error)), None, error)

    def ended(self, job: str, status: Literal["failed", "cancelled", "interrupted"], sentence: str) -> None:
        """It was stopped, or its worker is gone."""
        error = JobCancelled(sentence) if status == "cancelled" else JobError(sentence)
        self._finish(self._next(job, status=status, error=sentence), None, error)

    def _next(self, job: str, **changes: object) -> Job:
        return replace(self.journal(job).job, **cast("dict[str, str]", {**changes, "updated": time.time()}))

    def _tell(self, job: Job, result: Result | None) -> None:
        self._observed[job.id] = time.monotonic()
        for observer in self._observers:
            try:
                observer(job, result)
            except Exception:  # whoever watches must not stop the work
                log.exception("an observer failed at job %s", job.id)

    def _finish(self, job: Job, result: Result | None, error: WorkbenchError | None) -> None:
        self._tell(job, result)
        del self._observed[job.id]
        self.journal(job.id).finish(job, result, error)
        self._tidy()

    def _tidy(self) -> None:
        """Forget the oldest finished jobs beyond what is kept; the newest stays, whatever its size."""
        with self._lock:
            finished = [(job_id, journal) for job_id, journal in self._journals.items() if journal.job.finished]
            size = sum(journal.size for _, journal in finished)
            while len(finished) > 1 and (len(finished) > KEPT_JOBS or size > KEPT_BYTES):
                job_id, journal = finished.pop(0)
                size -= journal.size
                del self._journals[job_id]


def _known_error(message: Message) -> WorkbenchError | None:
    kind = getattr(exceptions, str(message.get("error")), None)
    if isinstance(kind, type) and issubclass(kind, WorkbenchError):
        return kind(str(message["sentence"]))
    return None


def _fault(job: Job, trace: str) -> JobError:
    """A fault of ours: the details go to the log, the person gets a number that finds them there."""
    number = secrets.token_hex(4)
    log.error("error %s in task %s (job %s, project %s):\n%s", number, job.task, job.id, job.project, trace)
    return JobError(
        f"{job.task} failed because of a fault in the workbench (error {number}). Nothing you had is lost; "
        f"the log has the details under that number."
    )
