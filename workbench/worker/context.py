"""What a running task sees of the world: a way to say how far it is, and to hear that it should stop or rest."""

from __future__ import annotations

import time
from collections.abc import Callable

from workbench.exceptions import JobCancelled
from workbench.worker.wishes import Wishes

Payload = object | Callable[[], object]

EVERY = 0.05  # seconds: 20 reports a second look alive, more only fill pipes


class Context:
    """Given to a task as its third argument.

    Parameters
    ----------
    report : called with (progress, message, payload) for every report that is sent
    wishes : what a person wants of the task
    turn : called with True when the task comes to rest, with False when it goes on
    """

    def __init__(
        self, report: Callable[[float, str, object], None], wishes: Wishes, turn: Callable[[bool], None] = lambda resting: None
    ) -> None:
        self._report, self._wishes, self._turn = report, wishes, turn
        self._reported = float("-inf")
        self._held_back: tuple[float, str, Payload] | None = None

    def progress(self, fraction: float, message: str = "", payload: Payload = None) -> None:
        """Say how far the task is: 0 to 1, a few words, and JSON for the page (or a function that makes it).

        Call it as often as you like: a report that follows another within 0.05 s is held back, and sent only if it
        is the last. A payload given as a function is worked out only when it is sent.
        """
        now = time.monotonic()
        if now - self._reported < EVERY:
            self._held_back = (fraction, message, payload)
            return
        self._reported = now
        self._held_back = None
        self._send(fraction, message, payload)

    def flush(self) -> None:
        """Send the report that was held back last, if there is one."""
        if self._held_back is not None:
            last, self._held_back = self._held_back, None
            self._send(*last)

    def cancelled(self) -> bool:
        """Whether a person wants the task to stop."""
        return self._wishes.cancelled

    def finishing(self) -> bool:
        """Whether a person wants the task to end where it is and keep what it has."""
        return self._wishes.finishing

    def check(self) -> None:
        """Raise JobCancelled if a person wants the task to stop. Call it at least every half second."""
        if self._wishes.cancelled:
            raise JobCancelled("It was stopped.")

    def rest(self, place: int, show: Callable[[], None] = lambda: None) -> bool:
        """Wait here while a person wants the task to pause; return whether they want it to end here and keep what it has.

        Parameters
        ----------
        place : where the task is, a number that grows; a step goes to the next larger one
        show : reports where the task is; called before it waits, so that what is looked at meanwhile is what there is

        Raises
        ------
        JobCancelled
            A person wants the task to stop and keep nothing.
        """

        def turn(resting: bool) -> None:
            if resting:
                show()
                self.flush()
            self._turn(resting)

        self.check()
        self._wishes.rest(place, turn)
        self.check()
        return self._wishes.finishing

    def _send(self, fraction: float, message: str, payload: Payload) -> None:
        self._report(min(max(float(fraction), 0.0), 1.0), message, payload() if callable(payload) else payload)
