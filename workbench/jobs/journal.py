"""What happened to one job, for everyone who follows it: threads that wait, routes that stream, tabs that come back.

The latest events stay in a ring buffer. A reader names the last event it has seen and gets what followed; one that was
away too long gets the oldest that is still there, which is enough, because every event carries the job as it then was.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator

from workbench.exceptions import WorkbenchError
from workbench.jobs.job import Event, Job, Result

RING = 128  # events kept per job; at 10 frames a second the last 13 seconds


class Journal:
    """The history of one job. One thread writes, any number read."""

    def __init__(self, job: Job) -> None:
        self._condition = threading.Condition()
        self._job, self._result, self._error = job, Result(), None
        self._events: deque[Event] = deque([Event(1, job)], maxlen=RING)
        self._listeners: list[Callable[[], None]] = []

    @property
    def job(self) -> Job:
        """The job as it stands."""
        return self._job

    @property
    def size(self) -> int:
        """How many bytes of arrays the result holds."""
        return sum(array.nbytes for array in self._result.arrays.values())

    def publish(self, job: Job, payload: object = None) -> None:
        """Record one more event and wake everyone who waits."""
        with self._condition:
            self._job = job
            self._events.append(Event(self._events[-1].number + 1, job, payload))
            self._condition.notify_all()
            listeners = tuple(self._listeners)
        for wake in listeners:
            wake()

    def finish(self, job: Job, result: Result | None, error: WorkbenchError | None) -> None:
        """Record the last event, with what the job left behind."""
        self._result, self._error = result or Result(), error
        self.publish(job)

    def wait(self, timeout: float | None) -> Result:
        """Return the result, or raise the job's error, or TimeoutError where it is not finished in time."""
        with self._condition:
            if not self._condition.wait_for(lambda: self._job.finished, timeout):
                raise TimeoutError(f"Job {self._job.id} ({self._job.task}) is still {self._job.status} after {timeout} s.")
        if self._error is not None:
            raise type(self._error)(str(self._error))  # a fresh one: each waiter gets its own traceback
        return self._result

    def events(self, after: int, timeout: float | None) -> Iterator[Event]:
        """Yield events after number `after` until the job is finished, or until none came for `timeout` seconds."""
        while True:
            fresh, finished = self._next(after, timeout)
            yield from fresh
            if finished or not fresh:
                return
            after = fresh[-1].number

    async def stream(self, after: int, heartbeat: float) -> AsyncIterator[Event | None]:
        """Yield events as `events` does, without blocking the loop; None after every `heartbeat` seconds of silence."""
        loop, changed = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            with contextlib.suppress(RuntimeError):  # the loop was closed under us: nobody is listening any more
                loop.call_soon_threadsafe(changed.set)

        self._listeners.append(wake)
        try:
            while True:
                changed.clear()
                fresh, finished = self._next(after, timeout=0.0)
                for event in fresh:
                    after = event.number
                    yield event
                if finished:
                    return
                if not fresh and not await _set_within(changed, heartbeat):
                    yield None
        finally:
            self._listeners.remove(wake)

    def _next(self, after: int, timeout: float | None) -> tuple[list[Event], bool]:
        """Return the events after a number, once there are any, and whether the job is finished with them."""
        with self._condition:
            self._condition.wait_for(lambda: self._after(after) or self._job.finished, timeout)
            return self._after(after), self._job.finished

    def _after(self, number: int) -> list[Event]:
        return [event for event in self._events if event.number > number]


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
    return True
