"""A fit that is watched, and that a person may end where it is.

Where there are groups of rows, one fit follows another; to the watcher they are one, and iterations count through all of them. So one number
says where a fit was ended, `stop_after`, and a fit with that number goes exactly as far again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from workbench.exceptions import DiscoveryError
from workbench.training import FitProgress, FitResult, Problem

Watcher = Callable[[FitProgress], "bool | None"]
Steps = Iterator[FitProgress | FitResult]
Fit = Callable[[int, Problem, Callable[[], bool]], Steps]


@dataclass(frozen=True)
class Watched:
    """What came of it: one result per group, and after how many iterations it was ended, None where it was not."""

    results: tuple[FitResult, ...]
    stop_after: int | None


def watched(fit: Fit, problems: Sequence[Problem], watch: Watcher | None, stop_after: int | None) -> Watched:
    """Fit one problem after another.

    Parameters
    ----------
    fit : called with (number of the problem, the problem, enough), as `training.fit` and `training.refitting` are
    watch : called with progress after every iteration; where it returns True, the fit ends there and what was reached is kept
    stop_after : iterations after which it ends; a group that it does not reach any more gets a single one
    """
    if stop_after is not None and stop_after < 1:
        raise DiscoveryError(f"stop_after={stop_after}: give the iterations after which the fit ends, from 1 up.")
    course = _Course(len(problems), watch, stop_after)
    results = tuple(course.through(fit(k, problem, course.enough)) for k, problem in enumerate(problems))
    return Watched(results, course.stop_after)


class _Course:
    def __init__(self, n_parts: int, watch: Watcher | None, stop_after: int | None) -> None:
        self.n_parts, self.watch, self.stop_after = n_parts, watch, stop_after
        self.part, self.iterations, self.blocks = 0, 0, 0

    def enough(self) -> bool:
        return self.stop_after is not None and self.iterations >= self.stop_after

    def through(self, steps: Steps) -> FitResult:
        """Follow one fit to its result, and tell the watcher of it as a part of the whole."""
        before = self.iterations, self.blocks
        for step in steps:
            if isinstance(step, FitResult):
                self.part += 1
                return step
            self.iterations, self.blocks = before[0] + step.iterations, before[1] + step.blocks
            if self.watch is not None and self.watch(self._of_all(step)) and not self.enough():
                self.stop_after = self.iterations
        raise DiscoveryError("The fit ended without a result.")

    def _of_all(self, step: FitProgress) -> FitProgress:
        if self.n_parts == 1:
            return step
        words = f"group {self.part + 1} of {self.n_parts}" + (f", {step.stage}" if step.stage else "")
        fraction = (self.part + step.fraction) / self.n_parts
        return replace(step, stage=words, fraction=fraction, iterations=self.iterations, blocks=self.blocks)
