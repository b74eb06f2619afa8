"""Long work as a page sees it: hand it in, follow it, stop it, and say what became of it.

A page never does the work. It hands a task to the workers and reads the store. What a job is doing comes from the pool
while it runs, and from the store for ever after: a page that was closed, or a server that was restarted, loses nothing.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from workbench.exceptions import JobError
from workbench.jobs import Job, Lane, Result, Wish
from workbench.jobs.job import UNFINISHED
from workbench.ui.services import Services

FRESH = 600.0  # seconds for which a finished job is still news

# Tasks that a person follows in the pill: what it is called while it runs, and what is finished afterwards.
FOLLOWED: Mapping[str, tuple[str, str]] = {
    "discovery.fit": ("Fitting", "Fit"),
    "discovery.refit": ("Training on", "Training"),
    "discovery.extend": ("Fitting what it misses", "Fit of what it misses"),
    "discovery.auto": ("Searching for the law", "Search"),
    "discovery.search": ("Searching with one engine", "Search"),
    "discovery.name_edges": ("Naming the edges", "Naming"),
    "kat.fit": ("Training", "Training"),
    "kat.name_all": ("Naming the functions", "Naming"),
}
# tasks that can be paused, stepped, and ended with what they have
STEERED = frozenset({"discovery.fit", "discovery.refit", "discovery.extend", "kat.fit"})
KEEPING = frozenset({"discovery.auto", "discovery.search"})  # tasks that conclude with what they have when they are stopped


@dataclass(frozen=True)
class Pill:
    """A job in a few words.

    job : its id
    status : as of `Job`
    text : such as "Fitting 43 %" or "Fit finished 2 min ago"
    detail : what it is doing, or the sentence that says why it ended
    fraction : 0 to 1
    steered : whether it can be paused, and stopped with what it has
    """

    job: str
    status: str
    text: str
    detail: str
    fraction: float
    steered: bool

    @property
    def running(self) -> bool:
        """Whether there is something to stop."""
        return self.status in UNFINISHED


class Jobs:
    """The work of one workspace (all projects, or one)."""

    def __init__(self, services: Services) -> None:
        self._pool, self._store = services.pool, services.store

    def submit(self, project: str, task: str, arguments: Mapping[str, object] | None = None, *, lane: Lane = "batch") -> Job:
        """Hand in a task that works on a project; its result goes into the store."""
        given = {"workspace": str(self._store.path), "project": project, **(arguments or {})}
        return self._pool.submit(task, given, lane=lane, project=project)

    def ask(
        self, task: str, arguments: Mapping[str, object], arrays: Mapping[str, np.ndarray] | None = None, *, timeout: float = 180.0,
        lane: Lane = "interactive",
    ) -> Result:  # fmt: skip
        """Have a question answered by a worker, and wait for it.

        Raises
        ------
        WorkbenchError
            What the task raised; JobError where no answer came in time (the job is then stopped).
        """
        job = self._pool.submit(task, arguments, arrays, lane=lane)
        try:
            return self._pool.wait(job.id, timeout)
        except TimeoutError:
            self._pool.cancel(job.id)
            raise JobError(f"There was no answer within {timeout:.0f} s: the workers are busy. Try again in a moment.") from None

    def stop(self, job: str) -> None:
        """Stop a job; one that is finished, or that nobody remembers, stays as it is."""
        with contextlib.suppress(JobError):
            self._pool.cancel(job)

    def end(self, job: str) -> None:
        """End a job: one that can conclude does so with what it has, another is stopped."""
        with contextlib.suppress(JobError):
            if self._pool.get(job).task in KEEPING:
                self._pool.steer(job, "finish")
            else:
                self._pool.cancel(job)

    def steer(self, job: str, wish: Wish) -> None:
        """Tell a job to pause, step, go on or finish; one that is finished, or that nobody remembers, stays as it is."""
        with contextlib.suppress(JobError):
            self._pool.steer(job, wish)

    def followed(self, project: str | None = None) -> tuple[Job, ...]:
        """Return the long jobs of a project, or all, the newest first, each as it stands now; one that is not written down yet as well."""
        live = {job.id: job for job in self._pool.jobs(project)}
        stored = [live.pop(job.id, job) for job in self._store.jobs.all(project)]
        unwritten = [job for job in live.values() if not job.finished]
        return tuple(job for job in sorted([*unwritten, *stored], key=lambda job: -job.created) if job.task in FOLLOWED)

    def latest(self, project: str | None = None) -> Job | None:
        """Return the long job that matters: one that runs, else the last one."""
        jobs = self.followed(project)
        return next((job for job in jobs if job.status == "running"), next((job for job in jobs if not job.finished), next(iter(jobs), None)))

    def running(self, project: str) -> Job | None:
        """Return the unfinished long job of a project, if there is one."""
        job = self.latest(project)
        return None if job is None or job.finished else job

    def pill(self, project: str | None, now: float | None = None) -> Pill | None:
        """Return what to say about the latest long job of a project; None when there is nothing to say.

        An ended job that did not succeed stays in view until another one is started; a finished one for ten minutes.
        """
        job = self.latest(project)
        now = time.time() if now is None else now
        if job is None or (job.status == "done" and now - job.updated > FRESH) or job.status == "cancelled":
            return None
        return describe(job, now)

    def elsewhere(self, project: str | None, now: float | None = None) -> Pill | None:
        """Return what runs for another project, under that project's name."""
        job = next((job for job in self.followed() if not job.finished and job.project != project), None)
        if job is None or job.project is None:
            return None
        pill = describe(job, time.time() if now is None else now)
        return replace(pill, text=f"{self._store.projects.get(job.project).name}: {pill.text}")


def describe(job: Job, now: float) -> Pill:
    """Say in a few words how a job stands."""
    doing, thing = FOLLOWED.get(job.task, ("Working", "Work"))
    if job.status == "queued":
        text, detail = f"{doing}: waiting for its turn", "It starts as soon as a worker is free."
    elif job.status == "running":
        text, detail = f"{doing} {100 * job.progress:.0f} %", job.message
    elif job.status == "paused":
        text, detail = f"{thing} paused at {100 * job.progress:.0f} %", job.message
    else:
        became = {"done": "finished", "failed": "failed", "cancelled": "was stopped", "interrupted": "was interrupted"}[job.status]
        text, detail = f"{thing} {became} {age(job.updated, now)}", job.error or ""
    return Pill(job.id, job.status, text, detail, job.progress, job.task in STEERED)


def age(then: float, now: float) -> str:
    """Say how long ago something was.

    >>> age(1000.0, 1010.0), age(1000.0, 1000.0 + 3 * 3600), age(0.0, 5 * 86400.0)
    ('just now', '3 h ago', '5 days ago')
    """
    seconds = max(0.0, now - then)
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return f"{seconds // 60:.0f} min ago"
    if seconds < 86400:
        return f"{seconds // 3600:.0f} h ago"
    days = int(seconds // 86400)
    return "yesterday" if days == 1 else f"{days} days ago" if days < 60 else time.strftime("%d %b %Y", time.localtime(then))
