"""A fit as the page follows it: frames of the drawing as it learns, and rests where a person wants a pause."""

from __future__ import annotations

import time

from workbench.discovery import Discovery
from workbench.training import FitProgress
from workbench.worker.context import Context
from workbench.worker.desk import frame

_FRAME_EVERY = 0.1  # seconds between live frames
_SHARE = 0.2  # of the time, at most, that goes into drawing


class Live:
    """Watches a fit on behalf of the page; to be handed to `Discovery.fit` and `Discovery.refit` as `watch`."""

    def __init__(self, found: Discovery, context: Context) -> None:
        self._found, self._context = found, context
        self._step, self._next = 0, float("-inf")
        self._rested, self._blocks, self._empty = 0, 0, 0

    def __call__(self, progress: FitProgress) -> bool:
        """Show where the fit is, and rest here where that is wanted; return whether it is to end here."""
        if time.monotonic() >= self._next:
            self._show(progress)
        self._empty += progress.blocks > self._blocks and progress.iterations == self._rested  # it rested at the very end of this block
        self._blocks = progress.blocks
        return self._context.rest(progress.blocks - self._empty, lambda: self._rest(progress))

    def _rest(self, progress: FitProgress) -> None:
        self._rested = progress.iterations
        self._show(progress)

    def _show(self, progress: FitProgress) -> None:
        began = time.monotonic()
        self._step += 1
        self._context.progress(progress.fraction, progress.stage, frame(self._found, progress, self._step))
        self._next = max(began + _FRAME_EVERY, began + (time.monotonic() - began) / _SHARE)
