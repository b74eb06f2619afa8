"""The engine as others see it: a process that searches until it is stopped."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from workbench.exceptions import MissingEngineError
from workbench.search.problem import Proposal, SearchProblem
from workbench.search.process import Progress, proposals, within


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

