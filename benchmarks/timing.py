"""A stopwatch for two sides that take turns, and the row of the table that comes of it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

_SAMPLE_SECONDS = 0.01  # a sample repeats a short call until it lasts about so long


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Parameters
    ----------
    what : what is measured
    gate, stretch : the least ratio to the peer, or where there is no peer the most seconds
    ours, theirs : seconds of every sample; empty where it was not measured
    peer : who is compared with; empty for none
    note : what one must know to read the line, or why it was not measured
    never : True where it was run and ours never got there, however long
    unit : "s" for times; "" for plain numbers, such as errors, of which a peer's larger one counts likewise
    """

    what: str
    gate: float
    stretch: float
    ours: tuple[float, ...] = ()
    theirs: tuple[float, ...] = ()
    peer: str = ""
    note: str = ""
    never: bool = False
    unit: str = "s"

    @property
    def ratio(self) -> float | None:
        """How many times faster than the peer: the median over the pairs of samples that were taken in turn."""
        if not self.ours or not self.theirs:
            return None
        return statistics.median(theirs / ours for ours, theirs in zip(self.ours, self.theirs))

    @property
    def verdict(self) -> str:
        """Return "stretch", "gate" or "no" for what was reached."""
        if self.never:
            return "no"
        if not self.ours or (self.peer and not self.theirs):
            return "not measured"
        if self.peer:
            reached, gate, stretch = self.ratio, self.gate, self.stretch
        else:
            reached, gate, stretch = -statistics.median(self.ours), -self.gate, -self.stretch
        return "stretch" if reached >= stretch else "gate" if reached >= gate else "no"


@dataclass
class Bench:
    """How a run is to be made: rounds of every comparison, the Python that has pykan and the folder of GPU peers (None where there is none)."""

    rounds: int = 15
    pykan_python: str | None = None
    why_no_pykan: str = ""
    peers: Path | None = None
    say: Callable[[str], None] = field(default=lambda text: None)


def in_turn(sides: Mapping[str, Callable[[], object]], rounds: int, sample: float = _SAMPLE_SECONDS) -> dict[str, tuple[float, ...]]:
    """Time every side `rounds` times, one after the other, after a call that is not counted; seconds per call.

    A side faster than `sample` seconds is called as often as fills them, so that the clock's own grain does not count.
    """
    repeats, seconds = {}, {name: [] for name in sides}
    for name, call in sides.items():
        call()
        repeats[name] = max(1, round(sample / max(_once(call, 1), 1e-7)))
    for _ in range(rounds):
        for name, call in sides.items():
            seconds[name].append(_once(call, repeats[name]))
    return {name: tuple(taken) for name, taken in seconds.items()}


def _once(call: Callable[[], object], repeats: int) -> float:
    began = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - began) / repeats
