"""The other half of the native engine, in a process of its own: while the first looks at the problem itself, this one goes down the beam.

Both follow fixed sequences, and whoever asked takes in what either finds. The first goes down the beam as well once it is through, so that nothing is
missed where a second process cannot be had.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import ClassVar

from workbench.search.native.engine import NativeEngine
from workbench.search.problem import Proposal, SearchProblem
from workbench.search.process import proposals


class PartnerEngine:
    """The native engine from its beam on, in another process."""

    name: ClassVar[str] = "partner"

    def search(self, problem: SearchProblem, stop: Callable[[], bool], random_state: int = 0) -> Iterator[Proposal]:
        """Yield proposals as they are found, under the name of the native engine.

        Raises
        ------
        JobError : its process failed
        """
        for proposal in proposals(self.name, problem, {"seed": random_state}, stop):
            yield replace(proposal, origin=NativeEngine.name)


def answers(problem: SearchProblem, settings: Mapping) -> Iterator[Proposal]:
    """Yield proposals: the side that runs in the other process."""
    return NativeEngine(part="second").search(problem, lambda: False, settings["seed"])
