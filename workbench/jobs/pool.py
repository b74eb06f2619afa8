"""The face of the workers: hand in a task, follow it, stop it, get its result."""

from __future__ import annotations

import atexit
import os
import secrets
import threading
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, get_args

import numpy as np

from workbench.exceptions import JobError, did_you_mean
from workbench.jobs import framing
from workbench.jobs.job import Event, Job, Lane, Result, Wish
from workbench.jobs.ledger import Ledger, Observer
from workbench.jobs.run import Run
from workbench.jobs.scheduler import Scheduler, Settings


class WorkerPool:
    """Warm worker processes, and the jobs that were given to them.

    Close it, or use it in a `with` block; at the end of the program it closes itself. All methods may be called from
    any thread.

    Parameters
    ----------
    batch_workers : how many batch jobs may run at once; by default the number of cores less one, at least one
    task_files : Python files with more tasks, beside those of the package
    warm : whether workers import the compiled kernels before there is work
    terminate_after, kill_after : seconds from a cancel that is not heeded to SIGTERM and to SIGKILL
    """

    def __init__(
        self,
        batch_workers: int | None = None,
        *,
        task_files: Sequence[str | os.PathLike[str]] = (),
        warm: bool = True,
        terminate_after: float = 3.0,
        kill_after: float = 6.0,
    ) -> None:
        if batch_workers is None:
            batch_workers = max(1, _cores() - 1)
        if batch_workers < 1:
            raise JobError(f"WorkerPool(batch_workers={batch_workers}): at least 1 is needed to run batch jobs.")
        self._lock = threading.Lock()
        self._ledger = Ledger()
        self._closed = False
        self._lanes: dict[Lane, int] = {"interactive": 1, "batch": batch_workers}
        files = tuple(Path(file).resolve() for file in task_files)
        settings = Settings(self._lanes, files, warm, terminate_after, kill_after)
        self._scheduler = Scheduler(settings, self._ledger)
        atexit.register(self.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def submit(
        self,
        task: str,
        arguments: Mapping[str, object] | None = None,
        arrays: Mapping[str, np.ndarray] | None = None,
        *,
        lane: Lane = "batch",
        project: str | None = None,
        time_limit: float | None = None,
    ) -> Job:
        """Queue a task and return its job at once.

        Arguments and arrays are copied now: changing them afterwards changes nothing.

        Parameters
        ----------
        task : registered name; an unknown one fails with the names that are known
        arguments, arrays : JSON and numeric arrays
        lane : "interactive" for what a person waits for, "batch" for the rest
        project : what `jobs(project)` finds it by
        time_limit : seconds it may run; by default the task's own limit, if it has one

        Raises
        ------
        JobError
            The arguments are not JSON, the lane is unknown, or the pool is closed.
        """
        if lane not in self._lanes:
            raise JobError(f"submit({task!r}, lane={lane!r}): no such lane.{did_you_mean(lane, self._lanes)} "
                           f"Known: {', '.join(self._lanes)}.")  # fmt: skip
        now = time.time()
        job = Job(secrets.token_urlsafe(9), project, task, lane, "queued", 0.0, "", None, now, now)
        message = {"type": "run", "job": job.id, "task": task, "arguments": dict(arguments or {})}
        try:
            content = framing.encode(message, arrays)
        except (TypeError, ValueError, RecursionError) as error:
            raise JobError(f"submit({task!r}): this cannot be sent to a worker. {error}") from error
        with self._lock:
            if self._closed:
                raise JobError(f"submit({task!r}): the workers are closed. Open a new WorkerPool.")
            self._ledger.open(job)
            self._scheduler.submit(Run(job.id, task, lane, content, time_limit))
        return job

    def cancel(self, job_id: str) -> None:
        """Ask a job to stop; it is terminated, then killed, if it does not. A finished job stays as it is."""
        self._ledger.journal(job_id)
        self._scheduler.cancel(job_id)

    def steer(self, job_id: str, wish: Wish) -> None:
        """Ask a job to pause, to take one step and pause again, to go on, or to finish where it is and keep what it has.

        A task that can be steered heeds it at its next resting place (`workbench.worker.Context.rest`), others never do. Asking twice is
        asking once, but for steps, which add up. A job that waits for its turn will find the wish; one that is finished stays as it is.
        """
        if wish not in get_args(Wish):
            raise JobError(f"steer({wish!r}): no such wish.{did_you_mean(wish, get_args(Wish))} Known: {', '.join(get_args(Wish))}.")
        self._ledger.journal(job_id)
        self._scheduler.steer(job_id, wish)

    def get(self, job_id: str) -> Job:
        """Return a job as it stands now."""
        return self._ledger.journal(job_id).job

    def jobs(self, project: str | None = None) -> tuple[Job, ...]:
        """Return the jobs of a project, or all, the newest first."""
        return tuple(job for job in self._ledger.jobs() if project is None or job.project == project)

    def wait(self, job_id: str, timeout: float | None = None) -> Result:
        """Wait for a job and return its result.

        Raises
        ------
        WorkbenchError
            What the task raised, as the same class with the same sentence.
        JobCancelled, JobError
            It was stopped; or it failed for a reason that is not the person's, then the log holds the details.
        TimeoutError
            It is not finished after `timeout` seconds (it goes on).
        """
        return self._ledger.journal(job_id).wait(timeout)

    def events(self, job_id: str, after: int = 0, timeout: float | None = None) -> Iterator[Event]:
        """Yield what happened to a job after event number `after`, and what happens, until it is finished.

        Blocks between events; ends early when none came for `timeout` seconds.
        """
        return self._ledger.journal(job_id).events(after, timeout)

    def stream(self, job_id: str, after: int = 0, heartbeat: float = 15.0) -> AsyncIterator[Event | None]:
        """Yield the same events for an asyncio route, and None after every `heartbeat` seconds without one."""
        return self._ledger.journal(job_id).stream(after, heartbeat)

    def observe(self, observer: Observer) -> None:
        """Have `observer(job, result)` called at every change of status, and once a second while a job progresses.

        It is called before anybody else can see the change: a result that the observer has stored is there when the
        page hears of it. It runs in the scheduler's thread, so it must be quick, and may submit but not wait.
        """
        self._ledger.observe(observer)

    def close(self) -> None:
        """End all workers; unfinished jobs become "interrupted". Closing twice does nothing."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        atexit.unregister(self.close)
        self._scheduler.close()


def _cores() -> int:
    affinity = getattr(os, "sched_getaffinity", None)  # a container may own fewer cores than the machine has
    return len(affinity(0)) if affinity else os.cpu_count() or 1
