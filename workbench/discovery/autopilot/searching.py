"""The search for whole formulas that the autopilot begins with: our own engine, and beside it the others that are installed here.

Each engine is a thread that hands over what it proposes. Ours computes in its thread, and holds still while the autopilot looks at what there is;
the threads of Operon and PySR wait for a process. Time cuts every sequence, and nothing else.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workbench.dataset import Dataset
from workbench.discovery.autopilot.known import Known
from workbench.discovery.autopilot.proposals import Collected, search_problem
from workbench.exceptions import WorkbenchError
from workbench.expression import Expression, free_constants, to_text, with_constants
from workbench.expression.description import PLAIN
from workbench.search.engines import engine, installed

if TYPE_CHECKING:
    from workbench.formula import Formula
    from workbench.search import Engine, Proposal, SearchProblem

_PARTNER = 0.4  # seconds after which the second part of our own engine joins in a process of its own: what is not found at once is worth one
_BESIDE = {"operon": 6.0, "pysr": 8.0}  # seconds after which another engine joins
_GUESSES = 3  # formulas of the others that PySR starts from
_MOMENT = 2.0  # seconds in which a plainer exact formula than the first may be found
_LOOK = 0.05  # seconds between two looks at the clock

Say = Callable[[str], None]


@dataclass(frozen=True)
class Limits:
    """What a person fixed beforehand: the functions that may be used, the longest formula, the shape of the network, a part of the law."""

    functions: Sequence[str] | None = None
    max_complexity: int | None = None
    hidden_layer_sizes: tuple[int, ...] | None = None
    known: Known | None = None


class Search:
    """Proposals for one dataset; nothing is searched where a shape was asked for, or where a whole formula cannot be.

    Parameters
    ----------
    data : the dataset
    limits : what was fixed
    random_state : seed of the engines
    say : told in a sentence what is to be known
    alone : whether our own engine is the only one, as others are at work already
    """

    def __init__(self, data: Dataset, limits: Limits, random_state: int, say: Say, alone: bool = False) -> None:
        self._limits, self._random_state, self._say = limits, random_state, say
        self._engines: dict[str, _Running] = {}
        self._beside = {} if alone else {"partner": _PARTNER, **{name: _BESIDE[name] for name in installed() if name in _BESIDE}}
        self._began = time.monotonic()
        self._exact_since: float | None = None
        self._shown: set[int] = set()
        self._asides: list[Search] = []
        self._collected = self._collection(data)

    def _collection(self, data: Dataset) -> Collected | None:
        problem = search_problem(data, self._limits.functions, self._limits.max_complexity)
        if problem is None or self._limits.hidden_layer_sizes is not None:
            return None
        return Collected(problem if self._limits.known is None else self._limits.known.problem(problem))

    @property
    def exact(self) -> bool:
        """Whether a proposal has no error but that of rounding."""
        return self._collected is not None and self._collected.exact

    @property
    def error(self) -> float:
        """What the shortest description leaves of the spread of the rows, as a root mean square; infinite where there is none."""
        return np.inf if self._collected is None else self._collected.error

    @property
    def proposals(self) -> Sequence[Proposal]:
        """All that was proposed so far."""
        return () if self._collected is None else self._collected.all

    @property
    def found(self) -> list[Expression]:
        """The formulas that are on the front now, the shortest description of the rows first; none where they are but a part of the law."""
        return [] if self._collected is None or self._limits.known is not None else [each.expression for each in self._collected.front]

    @property
    def _settled(self) -> bool:
        """Whether there is an exact formula that is plain, or was the shortest for a moment."""
        if not self.exact:
            return False
        self._exact_since = self._exact_since or time.monotonic()
        return self._collected.shortest_exact <= PLAIN or time.monotonic() - self._exact_since > _MOMENT

    def run(self, stop: Callable[[], bool]) -> None:
        """Search until there is an exact formula, our own engine has nothing left to try, or `stop()` is true; called again it goes on.

        An exact formula that is long may be a detour: for a moment the search goes on for a shorter one.
        """
        if self._collected is None:
            return
        native = self._engines.get("screens") or self._start("screens")
        native.go_on()
        while not (stop() or self._settled):
            arrived = self._take_what_arrived(_LOOK)
            finished = native.done and not arrived
            for name in () if self.exact else self._due(finished):
                self._start(name)
            if finished:
                break
        native.hold()

    def _due(self, finished: bool) -> list[str]:
        """Return the engines that are to join now; the others at the latest when our own is through, of which the partner is a part."""
        since = time.monotonic() - self._began
        return [name for name, after in self._beside.items() if name not in self._engines and (since > after or (finished and name != "partner"))]

    def _start(self, name: str) -> _Running:
        guesses = [proposal.expression for proposal in self._collected.front[:_GUESSES]]
        self._engines[name] = _Running(engine(name, guesses, part="first"), self._collected.problem, self._random_state, self._say)
        return self._engines[name]

    def doubt(self) -> None:
        """Search on although a proposal had no error."""
        if self._collected is not None:
            self._collected.doubt()
            self._exact_since = None

    def aside(self, data: Dataset, stop: Callable[[], bool]) -> list[Proposal]:
        """Search other rows within the same limits, until `stop()` is true, and return what is best there; only our own engine holds still meanwhile."""
        other = Search(data, self._limits, self._random_state, self._say, alone=True)
        self._asides.append(other)
        try:
            other.run(stop)
            for proposal in other.proposals:
                self._collected.take(proposal)  # what is found beside others is news here as well
            return list(other.news())
        finally:
            other.leave()

    def on(self, data: Dataset) -> None:
        """Go on with the same rows on another scale of the target, on which other proposals are the best; the partner stays with the first scale."""
        if self._collected is not None:
            earlier, self._collected = self._collected.all, self._collection(data)
            partner = self._engines.pop("partner", None)
            self.end()
            self._engines = {} if partner is None else {"partner": partner}
            for proposal in earlier:
                self._collected.take(proposal)

    def news(self) -> Iterator[Proposal]:
        """Yield the proposals on the front that were not taken before, best first; what is not taken now is news the next time."""
        if self._collected is None:
            return
        self._take_what_arrived()
        for proposal in [each for each in self._collected.front if id(each) not in self._shown]:
            self._shown.add(id(proposal))
            yield proposal if self._limits.known is None else self._limits.known.around(proposal)

    @property
    def unjudged(self) -> int:
        """How many proposals describe the rows as shortly as the best, and were not taken."""
        return 0 if self._collected is None else len(self._collected.as_short(but=self._shown))

    def agreement(self, formula: Formula) -> tuple[str, ...]:
        """Say from how many starts a formula was found, where that is more than one."""
        if self._collected is None or formula.definitions or self._limits.known is not None:
            return ()
        times = self._collected.starts(formula.outputs[0].expression)
        return (f"It was found {times} times, from different starts.",) if times > 1 else ()

    def leave(self) -> None:
        """Tell every engine to end, without waiting for it: some steps take a second."""
        for running in self._engines.values():
            running.leave()

    def end(self) -> None:
        """End every engine and its process."""
        for search in (self, *self._asides):
            search.leave()
            for running in search._engines.values():
                running.end()

    def _take_what_arrived(self, wait: float = 0.0) -> bool:
        """Take in what engines proposed; where that is nothing, wait for our own a moment. Return whether there was something."""
        arrived = [proposal for running in self._engines.values() for proposal in running.arrived()]
        if not arrived and wait:
            arrived = self._engines["screens"].next_within(wait)
        if any([self._collected.take(proposal) for proposal in arrived]):
            self._say(f"searching for whole formulas, best so far: {_readable(self._collected.front[0].expression)}")
        return bool(arrived)


def _readable(expression: Expression) -> str:
    return to_text(with_constants(expression, [float(f"{value:.3g}") for value in free_constants(expression)]))


class _Running:
    """An engine at work in a thread.

    Parameters
    ----------
    engine, problem, random_state : what is run on what
    say : told why it ended, where it ended by a failure
    """

    def __init__(self, engine: Engine, problem: SearchProblem, random_state: int, say: Say) -> None:
        self._arrived: queue.SimpleQueue[Proposal] = queue.SimpleQueue()
        self._may_go_on, self._ended = threading.Event(), threading.Event()
        self._may_go_on.set()
        self._thread = threading.Thread(target=self._run, args=(engine, problem, random_state, say), name=f"search-{engine.name}", daemon=True)
        self._thread.start()

    def _run(self, engine: Engine, problem: SearchProblem, random_state: int, say: Say) -> None:
        try:
            with np.errstate(all="ignore"):  # an engine tries much that has no value
                for proposal in engine.search(problem, self._stop, random_state):
                    self._arrived.put(proposal)
        except WorkbenchError as error:
            say(str(error))

    def _stop(self) -> bool:
        """The engine's question; while it must hold still it waits here for the answer."""
        self._may_go_on.wait()
        return self._ended.is_set()

    @property
    def done(self) -> bool:
        return not self._thread.is_alive()

    def hold(self) -> None:
        """Let the engine hold still the next time it asks."""
        self._may_go_on.clear()

    def go_on(self) -> None:
        self._may_go_on.set()

    def arrived(self) -> Iterator[Proposal]:
        """Yield what was proposed since the last question."""
        while not self._arrived.empty():
            yield self._arrived.get()

    def next_within(self, seconds: float) -> list[Proposal]:
        """Return the next proposal, or nothing if there is none within so many seconds."""
        try:
            return [self._arrived.get(timeout=seconds)]
        except queue.Empty:
            return []

    def leave(self) -> None:
        self._ended.set()
        self._may_go_on.set()

    def end(self) -> None:
        self.leave()
        self._thread.join()
