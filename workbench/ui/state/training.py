"""A fit under way as the Workbench page sees it: drawn live, paused, stepped, gone on with, kept or discarded.

    ▶ Continue   goes on with a paused fit; where none is under way, trains the present network further, as one more move
    ⏸ Pause      the worker waits between two iterations; the network so far can be looked at
    ⏭ Step       one block of iterations, then paused again
    ⏹            "Stop and keep" makes the best network so far the present state; "Discard" leaves everything as it was before the fit

What is asked for an edge meanwhile waits: it is done to the network that comes of the fit, or dropped with it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workbench.exceptions import JobError
from workbench.jobs import Job, Lane, Status, Wish
from workbench.store import State
from workbench.ui.services import Services
from workbench.ui.state.jobs import STEERED, Jobs
from workbench.ui.state.memory import Memory, Waiting

PATIENCE = 1.5  # seconds a page waits for what was asked for before it draws itself without it
QUICK = 20_000  # rows x edges of a network that is trained further in a moment: the interactive worker does it at once


@dataclass(frozen=True)
class Live:
    """What a fit has told so far.

    drawing : the network as it was last drawn, or None
    errors : of the frames that are still known, the oldest first
    iterations : taken so far
    seen : number of the last event
    """

    drawing: Mapping[str, Any] | None
    errors: tuple[float, ...]
    iterations: int
    seen: int


def _drawn(frame: Mapping[str, Any]) -> dict[str, Any]:
    """Return a frame of a network or of a transformer as a drawing."""
    if "functions" in frame:
        return {"places": frame["places"], "functions": frame["functions"]}
    return {"layers": frame["layers"], "edges": list(frame["edges"].values())}


class Training:
    """The fit of one project, for one visitor."""

    def __init__(self, services: Services, project: str, memory: Memory) -> None:
        self._pool, self._jobs = services.pool, Jobs(services)
        self.project, self.memory = project, memory

    @property
    def job(self) -> Job | None:
        """The fit that is under way, if there is one."""
        return next((job for job in self._pool.jobs(self.project) if job.task in STEERED and not job.finished), None)

    def live(self, job: str) -> Live:
        """Return what a fit has told."""
        drawing, errors, iterations, seen = None, [], 0, 0
        for event in self._pool.events(job, 0, 0.0):
            seen = event.number
            if isinstance(event.payload, Mapping) and "rmse" in event.payload:
                frame = event.payload
                drawing, iterations = frame, int(frame.get("iterations", 0))
                errors.append(float(frame["rmse"]))
        return Live(drawing and _drawn(drawing), tuple(errors), iterations, seen)

    # ---- what a person does

    def further(self, state: State, rows: int, task: str = "discovery.refit") -> None:
        """Train a network on from where it stands, or ("discovery.extend") fit what it misses on top of it."""
        edges = int(state.step.metrics["n_edges"] or 0)
        lane: Lane = "interactive" if rows * edges <= QUICK else "batch"
        job = self._jobs.submit(self.project, task, {"state": state.step.id}, lane=lane)
        self._await(job.id, 0, ())
        self.memory.revision += 1

    def go_on(self) -> None:
        """Go on with a paused fit."""
        self._steer("go on", ("running",))

    def pause(self) -> None:
        """Have it pause; where that takes more than a moment, remember that it was asked to."""
        self._steer("pause", ("paused",))
        job = self.job
        self.memory.pausing = job.id if job is not None and job.status == "running" else None

    def step(self) -> None:
        """Let it take one block of iterations, and pause."""
        self._steer("step", ("paused",))

    def keep(self) -> None:
        """End it and keep the best network so far."""
        self._steer("finish", ())

    def discard(self) -> None:
        """End it and keep nothing of it."""
        job = self.job
        if job is not None:
            self._jobs.stop(job.id)
            self._await(job.id, 0, ())

    def _steer(self, wish: Wish, wanted: tuple[Status, ...]) -> None:
        job = self.job
        if job is not None:
            seen = self.live(job.id).seen
            self._jobs.steer(job.id, wish)
            self._await(job.id, seen, wanted)

    def _await(self, job: str, seen: int, wanted: tuple[Status, ...]) -> None:
        """Wait a moment for an event after `seen` that finds the job in a wanted status, or finished."""
        deadline = time.monotonic() + PATIENCE
        for event in self._pool.events(job, seen, PATIENCE):
            if event.job.finished or event.job.status in wanted or time.monotonic() > deadline:
                return

    # ---- moves that wait for it

    def wait(self, job: Job, move: str, arguments: Mapping[str, Any], edge: str) -> None:
        """Have a move wait for the network that comes of the fit."""
        self.memory.waiting.append(Waiting(job.id, move, arguments, edge))
        self.memory.revision += 1

    def due(self) -> list[Waiting]:
        """Return the moves whose fit has left a network, and forget those whose fit has not."""
        asked = [(one, self._find(one.job)) for one in self.memory.waiting]
        self.memory.waiting = [one for one, job in asked if job is not None and not job.finished]
        due = [one for one, job in asked if job is not None and job.status == "done"]
        if len(due) + len(self.memory.waiting) < len(asked):
            self.memory.refuse("The fit was not kept, and what waited for it was dropped.")
        return due

    def _find(self, job: str) -> Job | None:
        try:
            return self._pool.get(job)
        except JobError:  # it is long forgotten
            return None
