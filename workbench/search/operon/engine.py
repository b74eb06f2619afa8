"""The engine as others see it: a process that searches until it is stopped."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from workbench.exceptions import MissingEngineError
from workbench.search.problem import Proposal, SearchProblem
from workbench.search.process import Progress, proposals


@dataclass(frozen=True)
class OperonEngine:
    """Operon in a process of its own.

    Parameters
    ----------
    seconds : the longest it may take; None as long as `stop` lets it
    rounds : how often the whole portfolio is run, each time longer; None without end
    population : individuals of one run
    progress : told in words what it does
    """

    seconds: float | None = None
    rounds: int | None = None
    population: int = 500
    progress: Progress | None = None

    name: ClassVar[str] = "operon"

    def search(self, problem: SearchProblem, stop: Callable[[], bool], random_state: int = 0) -> Iterator[Proposal]:
        """Yield proposals as they are found, each on the Pareto front of complexity and error among those before it.

        Raises
        ------
        MissingEngineError : Operon is not installed
        JobError : its process failed
        """
        if importlib.util.find_spec("pyoperon") is None:
            raise MissingEngineError(
                "Operon is not installed. Its wheels are for Linux x86-64 and macOS arm64; there `pip install pyoperon` gets it. The built-in search needs no other engine."
            )
        settings = {"seed": random_state, "rounds": self.rounds, "population": self.population}
        yield from proposals(self.name, problem, settings, within(self.seconds, stop), self.progress)


def within(seconds: float | None, stop: Callable[[], bool]) -> Callable[[], bool]:
    """Return a question that is true when `stop()` is or the time is over."""
    end = None if seconds is None else time.monotonic() + seconds
    return lambda: stop() or (end is not None and time.monotonic() >= end)
