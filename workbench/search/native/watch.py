"""What every step of a search asks: is it over, and how good must a find be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from workbench.search.native.judging.judge import Judge


@dataclass(frozen=True, eq=False)
class Watch:
    """The judge's bar, the caller's wish to stop, and what was looked at already."""

    judge: Judge
    stop: Callable[[], bool]
    curves: set[tuple] = field(default_factory=set)  # those of one variable that were looked at

    @property
    def over(self) -> bool:
        """Whether to stop at once: asked to, or an exact law is found."""
        return self.judge.exact or self.stop()

    @property
    def bar(self) -> float:
        """The error of y above which a find is not worth polishing."""
        return self.judge.bar
