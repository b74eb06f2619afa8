"""A procedure that calls back, turned into steps: scipy's optimisers keep their loop to themselves, and nobody could rest in it.

The procedure runs in a thread of its own, which waits at every call until the next step is asked for. One of the two runs at a time, so what
is computed is what the procedure alone would have computed.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any


class Stepwise:
    """Everything that `run` tells the function it is called with, one after another; then `result` is what it returned.

    An iteration that is left early has that function raise StopIteration, scipy's word for an optimiser that is to end; it is waited for.

    >>> def count(tell):
    ...     for number in range(3):
    ...         tell(number)
    ...     return "counted"
    >>> steps = Stepwise(count)
    >>> list(steps), steps.result
    ([0, 1, 2], 'counted')
    """

    def __init__(self, run: Callable[[Callable[[Any], None]], Any]) -> None:
        self._run = run
        self.result: Any = None

    def __iter__(self) -> Iterator[Any]:
        told: queue.SimpleQueue[tuple[bool, Any]] = queue.SimpleQueue()
        wanted: queue.SimpleQueue[bool] = queue.SimpleQueue()
        thread = threading.Thread(target=self._work, args=(told, wanted), name="stepwise", daemon=True)
        thread.start()
        try:
            while (step := told.get())[0]:
                yield step[1]
                wanted.put(True)
        finally:
            wanted.put(False)
            thread.join()
        if step[1] is not None:
            raise step[1]

    def _work(self, told: queue.SimpleQueue[tuple[bool, Any]], wanted: queue.SimpleQueue[bool]) -> None:
        def tell(value: Any) -> None:
            told.put((True, value))
            if not wanted.get():
                raise StopIteration

        try:
            self.result = self._run(tell)
        except BaseException as error:  # noqa: BLE001  whatever it is, it is raised where the steps are taken
            told.put((False, error))
        else:
            told.put((False, None))
