"""What a person wants of a running task: told by the thread that listens, heeded by the task at its resting places."""

from __future__ import annotations

import threading
from collections.abc import Callable

from workbench.jobs import Wish


class Wishes:
    """The wishes about one task, and how many steps are left before it pauses."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._cancelled, self._finishing, self._paused = False, False, False
        self._steps, self._place = 0, 0

    @property
    def cancelled(self) -> bool:
        """Whether the task is to stop and leave nothing."""
        return self._cancelled

    @property
    def finishing(self) -> bool:
        """Whether the task is to end where it is and keep what it has."""
        return self._finishing

    def cancel(self) -> None:
        """Have the task stop."""
        with self._changed:
            self._cancelled = True
            self._changed.notify_all()

    def tell(self, wish: Wish) -> None:
        """Take a wish."""
        with self._changed:
            self._paused = wish in ("pause", "step")
            self._steps = self._steps + 1 if wish == "step" else 0
            self._finishing = self._finishing or wish == "finish"
            self._changed.notify_all()

    def rest(self, place: int, turn: Callable[[bool], None]) -> None:
        """Wait as long as the task is to pause at this place.

        Parameters
        ----------
        place : a number that grows from place to place; to be at a larger one than before is to have taken a step
        turn : called with True before it begins to wait, with False when it goes on
        """
        if place > self._place:
            with self._changed:
                self._place, self._steps = place, max(0, self._steps - 1)
        if not self._waits():
            return
        turn(True)
        with self._changed:
            self._changed.wait_for(lambda: not self._waits())
        turn(False)

    def _waits(self) -> bool:
        return self._paused and not self._steps and not self._cancelled and not self._finishing
