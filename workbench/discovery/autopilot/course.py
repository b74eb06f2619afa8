"""The course of a search: the time there is, what has been found, and who is told of both."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from workbench.discovery.autopilot.findings import Finding
from workbench.discovery.discovery import Discovery

Watcher = Callable[[float, str], "bool | None"]
Listener = Callable[[Discovery, Finding], None]

_CONCLUDE = 0.9  # share of the time when the end is near
_CONCLUSION = 0.5  # seconds that a verdict takes
_TOLD_EVERY = 0.2  # seconds between two words to the watcher


class Clock:
    """The time there is, and the watcher, who is told how it passes and may end it."""

    def __init__(self, budget: float, watch: Watcher | None) -> None:
        self.budget, self._start, self._watch = budget, time.monotonic(), watch
        self._words, self._told, self.stopped = "", -math.inf, False

    def say(self, words: str) -> None:
        """Tell what is being done."""
        self._words = words
        self._tell()

    def _tell(self) -> None:
        self._told = time.monotonic()
        if self._watch is not None and self._watch(self.share, self._words):
            self.stopped = True

    @property
    def spent(self) -> float:
        return time.monotonic() - self._start

    @property
    def share(self) -> float:
        """How much of the budget is spent; at most 0.99, as the last word is not said yet."""
        return min(self.spent / self.budget, 0.99)

    def past(self, share: float) -> bool:
        """Whether more than a share of the time is spent, or no more is wanted; the watcher is told now and then."""
        if time.monotonic() - self._told > _TOLD_EVERY:
            self._tell()
        return self.stopped or self.share > share

    @property
    def over(self) -> bool:
        """Whether it is time to conclude, which takes a moment itself."""
        return self.past(min(_CONCLUDE, 1.0 - _CONCLUSION / self.budget))


class Heard:
    """What was found, and who is told of it."""

    def __init__(self, found: Discovery, listen: Listener | None) -> None:
        self.findings: list[Finding] = []
        self._found, self._listen = found, listen

    def on(self, found: Discovery) -> Heard:
        """Return the same listener for another discovery, of which nothing is found yet."""
        return Heard(found, self._listen)

    def of(self, findings: Iterable[Finding]) -> None:
        """Take in findings as they are made, but for those that have no value on a row that is checked.

        Of a law that was found twice the one that is no rival stands: a rival has constants where the law has whole numbers. It keeps its name.
        """
        for each in findings:
            again = [other for other in self.findings if str(other.formula) == str(each.formula)]
            named = next((other.named for other in (each, *again) if other.named is not None), None)
            if not np.isfinite(each.error) or (each.rival and again):
                self.findings = [replace(other, named=named) if other in again else other for other in self.findings]
                continue
            rivals = [other for other in again if other.rival]
            each = replace(each, rival=each.rival or bool(rivals), named=named)  # it stays wherever the rival would have stayed
            self.findings = [*(other for other in self.findings if other not in rivals), each]
            if self._listen is not None:
                self._listen(self._found, each)
