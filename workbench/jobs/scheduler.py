"""Who works on what: one thread that owns the workers and hands out the work.

Every message of a worker, every order of a caller and every deadline is put into one inbox and handled in turn by one
thread. So nothing here needs a lock, and everyone sees what happens to a job in the order in which it happened.

    lanes     "interactive": one worker, always warm.  "batch": started as work comes, up to the limit, at low priority.
    spare     one more warm worker in no lane, started when the interactive one has warmed up: two at once would keep a
              small machine from its first page. It takes the place of a worker that died or was killed, or is the next
              batch worker, so that nobody waits for an import; another spare is then started behind it.
    resting   a worker whose task is paused counts in no lane, as far as there are not too many: another one does the lane's work meanwhile,
              and leaves when both are at it and one has nothing to do any more.
    stopping  a message first; SIGTERM after 3 s; SIGKILL after 6 s. The same for a task that takes too long.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, Protocol, cast

import numpy as np

from workbench.jobs import framing
from workbench.jobs.job import Lane, Result, Wish
from workbench.jobs.process import WorkerProcess, describe_end
from workbench.jobs.run import Run, Worker

log = logging.getLogger(__name__)

READY_WITHIN = 120.0  # seconds from start to the first word; a laptop waking up with a virus scanner needs many
FAILED_STARTS = 3  # workers that end before their first word, in a row, before we stop starting them
MAX_TRIES = 2  # to begin a run; a second worker that dies over it has died of it
MOST_RESTING = 8  # paused tasks that hold a worker beyond the strength of their lane: each is a process with its data in memory
LEAST_RESPITE = 0.1  # seconds between two looks at the time limit of a task that has rested
CLOSE_WITHIN = 2.0  # seconds for all workers to leave before they are killed


@dataclass(frozen=True)
class Settings:
    """How a pool is made up."""

    workers: Mapping[Lane, int]
    task_files: tuple[Path, ...] = ()
    warm: bool = True
    terminate_after: float = 3.0
    kill_after: float = 6.0


class Listener(Protocol):
    """What the scheduler tells about a job, always from its own thread and in order."""

    def queued(self, job: str) -> None: ...
    def started(self, job: str) -> None: ...
    def turned(self, job: str, status: Literal["running", "paused"]) -> None: ...
    def progressed(self, job: str, message: framing.Message) -> None: ...
    def done(self, job: str, result: Result) -> None: ...
    def failed(self, job: str, message: framing.Message) -> None: ...
    def ended(self, job: str, status: Literal["failed", "cancelled", "interrupted"], sentence: str) -> None: ...


class Scheduler:
    """Runs jobs on worker processes and tells `listener` what becomes of them."""

    def __init__(self, settings: Settings, listener: Listener) -> None:
        self._settings, self._listener = settings, listener
        self._inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._workers: dict[WorkerProcess, Worker] = {}
        self._waiting: dict[Lane, deque[Run]] = {lane: deque() for lane in settings.workers}
        self._runs: dict[str, Run] = {}
        self._failed_starts, self._open = 0, True
        self._thread = threading.Thread(target=self._serve, name="job-scheduler", daemon=True)
        self._inbox.put(self._dispatch)
        self._thread.start()

    # Orders, from any thread

    def call(self, order: Callable[[], None]) -> None:
        """Have something done by the scheduler's thread, after everything that came before."""
        self._inbox.put(order)

    def submit(self, run: Run) -> None:
        """Queue a run in its lane."""
        self._inbox.put(partial(self._submit, run))

    def cancel(self, job: str) -> None:
        """Stop a job, wherever it is; one that is finished stays as it is."""
        self._inbox.put(partial(self._cancel, job))

    def steer(self, job: str, wish: Wish) -> None:
        """Pass a wish on to a job; one that is finished stays as it is."""
        self._inbox.put(partial(self._steer, job, wish))

    def close(self) -> None:
        """End all workers and jobs, and return when no process is left."""
        self._inbox.put(self._close)
        self._thread.join()

    # The thread

    def _serve(self) -> None:
        while self._open:
            try:
                self._next()()
            except Exception:  # a fault in one order must not end all jobs; it is in the log
                log.exception("job scheduler: an order failed")

    def _next(self) -> Callable[[], None]:
        """Return what is to be done next: the timer that is due, or the next order that comes before it is."""
        while True:
            wait = self._timers[0][0] - time.monotonic() if self._timers else None
            if wait is not None and wait <= 0:
                return heapq.heappop(self._timers)[2]
            try:
                return self._inbox.get(timeout=wait)
            except queue.Empty:
                continue

    def _later(self, seconds: float, order: Callable[[], None]) -> None:
        heapq.heappush(self._timers, (time.monotonic() + seconds, next(self._order), order))

    def _submit(self, run: Run) -> None:
        self._runs[run.job] = run
        self._waiting[run.lane].append(run)
        self._listener.queued(run.job)
        self._failed_starts = min(self._failed_starts, FAILED_STARTS - 1)  # new work is worth one more try
        self._dispatch()

    def _cancel(self, job: str) -> None:
        run = self._runs.get(job)
        if run is None:
            return
        if run.worker is None:
            self._waiting[run.lane].remove(run)
            self._forget(run)
            self._listener.ended(job, "cancelled", "It was stopped before it began.")
        else:
            self._stop(run, run.worker, "cancelled")

    def _steer(self, job: str, wish: Wish) -> None:
        run = self._runs.get(job)
        if run is None:
            return
        if run.worker is None and wish == "finish":  # there is nothing to keep
            self._cancel(job)
            return
        if not run.started:
            run.wishes.append(wish)
        if run.worker is not None:
            run.worker.process.send(_wish(job, wish))

    def _expire(self, run: Run, worker: Worker, forgiven: float = 0.0) -> None:
        """Stop a run whose time is over; the time for which it rested does not count."""
        rested = run.rested_by(time.monotonic())
        if rested > forgiven:
            self._later(max(rested - forgiven, LEAST_RESPITE), lambda: self._expire(run, worker, rested))
        else:
            self._stop(run, worker, "late")

    def _stop(self, run: Run, worker: Worker, reason: Literal["cancelled", "late"]) -> None:
        """Ask, then terminate, then kill; each step only if the worker still has this run."""
        if worker.run is not run or run.stopped:
            return
        run.stopped = reason
        worker.process.send(framing.encode({"type": "cancel", "job": run.job}))
        self._later(self._settings.terminate_after, lambda: worker.run is run and worker.process.terminate())
        self._later(self._settings.kill_after, lambda: worker.run is run and worker.process.kill())

    # Workers

    def _dispatch(self) -> None:
        """Give waiting runs to free workers, and see that the workers that should be there are."""
        for lane, waiting in self._waiting.items():
            self._staff(lane)
            free = [worker for worker in self._of(lane) if worker.ready and not worker.run]
            room = self._strength(lane) - sum(worker.run is not None for worker in self._of(lane))
            for worker in free[: min(len(waiting), max(0, room))]:
                self._assign(waiting.popleft(), worker)
            self._dismiss(lane)
        if any(worker.lane == "interactive" and worker.warm for worker in self._workers.values()):
            self._keep_spare()

    def _staff(self, lane: Lane) -> None:
        """Bring a lane up to strength: interactive always, batch as far as there is work."""
        staff, strength = self._of(lane), self._strength(lane)
        idle = sum(worker.run is None for worker in staff)
        wanted = strength if lane == "interactive" else len(self._waiting[lane]) - idle + len(staff)
        for _ in range(min(wanted, strength) - len(staff)):
            spare = next((worker for worker in self._workers.values() if worker.lane is None), None)
            worker = spare or self._hire()
            if worker is None:
                return
            worker.lane = lane
            if lane == "batch":
                worker.process.send(framing.encode({"type": "yield_to_others"}))

    def _of(self, lane: Lane) -> list[Worker]:
        return [worker for worker in self._workers.values() if worker.lane == lane and not worker.leaving]

    def _strength(self, lane: Lane) -> int:
        """Return how many workers a lane may have now: those it is set to, and one for each that rests."""
        return self._settings.workers[lane] + min(sum(worker.resting for worker in self._of(lane)), MOST_RESTING)

    def _dismiss(self, lane: Lane) -> None:
        """Let go of workers beyond the strength of a lane that have nothing to do: what they stood in for goes on again."""
        surplus = len(self._of(lane)) - self._strength(lane)
        idle = [worker for worker in self._of(lane) if worker.ready and not worker.run]
        for worker in idle[: max(0, surplus)]:
            worker.leaving = True
            worker.process.close()

    def _keep_spare(self) -> None:
        if all(worker.lane is not None for worker in self._workers.values()):
            self._hire()

    def _hire(self) -> Worker | None:
        """Start a worker in no lane, or return None where starting has proved hopeless."""
        if self._failed_starts >= FAILED_STARTS:
            return None
        options = [option for file in self._settings.task_files for option in ("--tasks", str(file))]
        try:
            process = WorkerProcess(options + ["--warm"] * self._settings.warm, self._hear, self._see_end)
        except OSError as error:
            log.error("a worker process cannot be started: %s", error)
            self._failed_starts += 1
            self.call(self._start_failed)
            return None
        worker = self._workers[process] = Worker(process, lane=None)
        self._later(READY_WITHIN, lambda: worker.ready or process.kill())
        return worker

    def _assign(self, run: Run, worker: Worker) -> None:
        run.worker, worker.run = worker, run
        run.tries += 1
        worker.process.send(run.content)
        for wish in run.wishes:
            worker.process.send(_wish(run.job, wish))

    # What workers say; `_hear` and `_see_end` are called from their reader threads

    def _hear(self, process: WorkerProcess, message: framing.Message, arrays: dict[str, np.ndarray]) -> None:
        self._inbox.put(lambda: self._heard(process, message, arrays))

    def _see_end(self, process: WorkerProcess, returncode: int) -> None:
        self._inbox.put(lambda: self._ended(process, returncode))

    def _heard(self, process: WorkerProcess, message: framing.Message, arrays: dict[str, np.ndarray]) -> None:
        worker, kind = self._workers[process], message["type"]
        if kind == "ready":
            worker.ready, self._failed_starts = True, 0
            self._dispatch()
            return
        if kind == "warm":
            worker.warm = True
            self._dispatch()
            return
        run = worker.run
        if run is None or run.job != message["job"]:
            return
        if kind == "started":
            run.started, run.content = True, b""
            if run.time_limit is None:
                run.time_limit = cast("float | None", message["time_limit"])
            if run.time_limit is not None:
                self._later(run.time_limit, lambda: self._expire(run, worker))
            self._listener.started(run.job)
        elif kind == "progress":
            self._listener.progressed(run.job, message)
        elif kind == "turned":
            self._turned(run, cast("Literal['running', 'paused']", message["status"]))
        else:
            worker.run = None
            self._forget(run)
            self._report(run, message, arrays)
            self._dispatch()

    def _turned(self, run: Run, status: Literal["running", "paused"]) -> None:
        run.turn(status, time.monotonic())
        self._listener.turned(run.job, status)
        self._dispatch()

    def _report(self, run: Run, message: framing.Message, arrays: dict[str, np.ndarray]) -> None:
        if message["type"] == "done":
            self._listener.done(run.job, Result(message["value"], arrays))
        elif message["type"] == "cancelled":
            self._report_stop(run)
        else:
            self._listener.failed(run.job, message)

    def _report_stop(self, run: Run) -> None:
        if run.stopped == "late":
            sentence = (
                f"{run.task} was stopped after {run.time_limit:g} s, the longest it may take. "
                f"Try again with less data or a simpler request."
            )
            self._listener.ended(run.job, "failed", sentence)
        else:
            self._listener.ended(run.job, "cancelled", "It was stopped.")

    def _ended(self, process: WorkerProcess, returncode: int) -> None:
        worker = self._workers.pop(process)
        how = describe_end(returncode)
        if not worker.ready:
            self._failed_starts += 1
            log.error("worker %d ended before it was ready (%s)", process.pid, how)
        run, worker.run = worker.run, None
        if run is not None:
            self._recover(run, how)
        self._start_failed()
        self._dispatch()

    def _recover(self, run: Run, how: str) -> None:
        """A worker died with this run. If it had not begun, another may begin it: no harm is done twice."""
        run.worker = None
        if not run.stopped and not run.started and run.tries < MAX_TRIES:
            self._waiting[run.lane].appendleft(run)
            return
        self._forget(run)
        if run.stopped:
            self._report_stop(run)
        else:
            self._listener.ended(run.job, "failed", _lost(run.task, how))

    def _start_failed(self) -> None:
        """Where no worker can be started, waiting would never end: say so."""
        if self._failed_starts < FAILED_STARTS:
            return
        for lane, waiting in self._waiting.items():
            while waiting and not any(worker.lane == lane for worker in self._workers.values()):
                run = waiting.popleft()
                self._forget(run)
                sentence = (
                    f"{run.task} could not run, because worker processes end as soon as they start. "
                    f"The log says why; `kan-workbench doctor` checks the installation."
                )
                self._listener.ended(run.job, "failed", sentence)

    def _forget(self, run: Run) -> None:
        del self._runs[run.job]

    def _close(self) -> None:
        self._open = False
        for job in tuple(self._runs):
            self._listener.ended(job, "interrupted", "The workbench was closed before this was finished.")
        deadline = time.monotonic() + CLOSE_WITHIN
        for process in self._workers:
            process.close()
        for process in self._workers:
            if not process.join(max(0.0, deadline - time.monotonic())):
                process.kill()
                process.join(CLOSE_WITHIN)


def _wish(job: str, wish: Wish) -> bytes:
    return framing.encode({"type": "steer", "job": job, "wish": wish})


def _lost(task: str, how: str) -> str:
    return (
        f"The worker process of {task} ended unexpectedly ({how}; often the machine was out of memory). "
        f"A fresh one has taken its place: try again, with less data if it happens twice."
    )
