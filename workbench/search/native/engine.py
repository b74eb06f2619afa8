"""The native engine: screens at every state, from the plain problem down a beam of reductions.

    where units are known, screens at what they leave of the problem (reductions/groups.py)
    screens at the problem itself  ->  a chain of the plainest symmetries  ->  for each number of columns, the few most promising states
    in between, the best formulas so far are changed in one place (revisions/)

A state is promising when a smooth surrogate predicts left-out rows well from fewer columns. No state replaces its parent: a wrong reduction costs
time, not the law. Everything is deterministic for a seed; time only cuts the sequence.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar, Literal

import numpy as np

from workbench.expression import Number, Symbol
from workbench.ops.threads import each_with_one_thread
from workbench.search.native.beam import Beam, searched
from workbench.search.native.judging.judge import Judge
from workbench.search.native.judging.polishing import Rows
from workbench.search.native.reductions import symmetries
from workbench.search.native.reductions.groups import reduced
from workbench.search.native.reductions.relevance import relevant
from workbench.search.native.reductions.separable import separable
from workbench.search.native.reductions.splits import linear_in_function
from workbench.search.native.reductions.transformed import scaled_within_transforms, split_within_transforms
from workbench.search.native.revisions.revision import Revision
from workbench.search.native.screens.order import high, may_be_exact, quick
from workbench.search.native.screens.power_law import power_law
from workbench.search.native.screens.spans import spans
from workbench.search.native.screens.sums import sums
from workbench.search.native.state import HOLE, Candidate, State
from workbench.search.native.surrogate import smooth_error, smoothed
from workbench.search.native.transforms import ALL, PLAIN
from workbench.search.native.watch import Watch
from workbench.search.problem import Dimensions, Proposal, SearchProblem

Part = Literal["whole", "first", "second"]
Step = Callable[[list[State], Watch], Iterator[Candidate]]

_ROWS = 1000  # of a state; candidates are polished on more
_POLISHED_ROWS = 5000
_FEWEST_ROWS = 4  # fewer tell nothing
_SMALL = 2  # columns of a problem that is searched thoroughly before what it reduces to
_MANY = 5  # columns of a problem from which those that do not matter are dropped first
_CHANGED_EARLY, _CHANGED, _ALL_CHANGED = 12, 20, 100  # formulas that are changed
_BETWEEN, _CHANGED_BETWEEN = 100, 3  # candidates after which some are changed, and how many
_SURELY = 0.1  # error of what a named part leaves, against that of the whole, where the name is surely right
_CLEAR = 0.3  # error of a split, or of what units leave, that is surely right, against the best surrogate's


@dataclass(frozen=True)
class NativeEngine:
    """Deterministic screens and reductions.

    Parameters
    ----------
    part : the whole sequence; or the first or the second part of it, where another process takes the other (partner.py)
    """

    part: Part = "whole"

    name: ClassVar[str] = "screens"

    def search(self, problem: SearchProblem, stop: Callable[[], bool], random_state: int = 0) -> Iterator[Proposal]:
        """Yield ever better proposals."""
        yield from each_with_one_thread(_in_silence(self._proposals(problem, stop, random_state)))

    def _proposals(self, problem: SearchProblem, stop: Callable[[], bool], random_state: int) -> Iterator[Proposal]:
        order = np.random.default_rng(random_state).permutation(len(problem.y))
        rows = _rows(problem, order[:_POLISHED_ROWS])
        judge = Judge(rows, problem.functions, problem.max_complexity)
        watch = Watch(judge, stop)
        for candidate in self._candidates(_root(problem, order[:_ROWS]), watch, problem):
            judged = judge.offer(candidate)
            if judged is not None:
                yield Proposal(judged.expression, self.name, judged.path)
            if stop():
                return

    def _candidates(self, root: State, watch: Watch, problem: SearchProblem) -> Iterator[Candidate]:
        """Yield candidates, cheapest first."""
        yield root.candidate(Number(float(np.mean(root.target))), "a constant")
        if not root.n_columns or root.n_rows < _FEWEST_ROWS or not np.ptp(root.target) > 0:
            return
        chain = [root]
        if problem.dimensions is not None:
            yield from _grouped(chain, watch, _of_columns(root, problem.symbols, problem.dimensions))
        for step in _steps(self.part):
            if watch.over:
                return
            yield from step(chain, watch)


def _in_silence(steps: Iterator[Proposal]) -> Iterator[Proposal]:
    """Make every step without floating-point warnings: values outside a domain are judged, not warned about."""
    while True:
        with np.errstate(all="ignore"):
            step = next(steps, None)
        if step is None:
            return
        yield step


def _rows(problem: SearchProblem, which: np.ndarray) -> Rows:
    weights = np.ones(len(problem.y)) if problem.weights is None else problem.weights / problem.weights.mean()
    columns = {name: np.ascontiguousarray(problem.X[which, i]) for i, name in enumerate(problem.symbols)}
    return Rows(columns, problem.y[which], np.sqrt(weights[which]))


def _root(problem: SearchProblem, which: np.ndarray) -> State:
    """Return the problem as a state, without columns that are constant or repeat another."""
    rows = _rows(problem, which)
    different: dict[bytes, str] = {}
    for name, column in rows.columns.items():
        if np.ptp(column) > 0:
            different.setdefault(column.tobytes(), name)
    names = tuple(different.values())
    columns = np.column_stack([rows.columns[name] for name in names]) if names else np.empty((len(rows.y), 0))
    return State(columns, tuple(Symbol(name) for name in names), rows.y, rows.root_weights, HOLE)


def _of_columns(root: State, symbols: Sequence[str], given: Dimensions) -> Dimensions:
    """Return the dimensions of the columns that are left; the others are constant, or copies that bring nothing new."""
    known = dict(zip(symbols, given.inputs, strict=True))
    columns = tuple(known.pop(str(name)) for name in root.names)
    return replace(given, inputs=columns, constants=(*given.constants, *(own for own in known.values() if own is not None)))


def _grouped(chain: list[State], watch: Watch, given: Dimensions) -> Iterator[Candidate]:
    """Yield what is seen once units have reduced the problem; what they leave joins the chain, the most promising last."""
    whole = smooth_error(chain[0])
    found = reduced(chain[0], given, whole, watch.stop)
    watch.judge.floor = min((own.error for own in found), default=watch.judge.floor)
    for own in found:
        if watch.over:
            return
        yield from quick(own.state, watch)
    if found and found[0].error < _CLEAR * whole and found[0].state.n_columns <= _SMALL and not watch.over:
        yield from searched(found[0].state, watch)
    chain.extend(own.state for own in reversed(found))


def _opening(chain: list[State], watch: Watch) -> Iterator[Candidate]:
    """Yield what is seen at the problem itself; a small one is searched thoroughly."""
    root = chain[0]
    yield from power_law(root)
    if watch.over:
        return
    if root.n_columns >= _MANY:
        root = chain[0] = relevant(root, watch.stop)
    watch.judge.floor = min(watch.judge.floor, smooth_error(root))
    for screen in (quick, high, searched) if root.n_columns <= _SMALL else (quick, high):
        yield from screen(root, watch)
        if watch.over:
            return
    yield from sums(root, watch, PLAIN, 2, most=400)


def _evident(chain: list[State], watch: Watch) -> Iterator[Candidate]:
    """Follow the most evident scaling symmetries, append the states to the chain, screen them quickly, and split the last."""
    while chain[-1].n_columns and not watch.over:
        smaller = symmetries.evidently_scaled(chain[-1])
        if smaller is None:
            break
        chain.append(smaller)
        yield from quick(smaller, watch)
    yield from _splits(chain, watch)


def _splits(chain: list[State], watch: Watch) -> Iterator[Candidate]:
    """Yield what the splits of the problem itself give where they are surely right, then those of the last state of the chain."""
    root, last = chain[0], chain[-1]
    if root.n_columns > _SMALL and not watch.over:
        yield from linear_in_function(root, watch, _CLEAR)
    if last.n_columns <= 1 or not may_be_exact(last, watch):
        return
    for screen in (spans, scaled_within_transforms):
        if not watch.over:
            yield from screen(last, watch)
    left = [] if watch.over else (yield from separable(last, watch))
    parts = [part for part in left if not watch.over and smooth_error(part) < _SURELY * smooth_error(last)]
    for state, screen in (*itertools.product(parts, (spans, searched)), (last, linear_in_function), (last, split_within_transforms)):
        if not watch.over:
            yield from screen(state, watch)


def _descent(chain: list[State], watch: Watch, revision: Revision, elsewhere: bool = False) -> Iterator[Candidate]:
    """Yield what the beam finds: quick screens everywhere, with changes of what they find, then sums of many monomials, then thorough screens."""
    beam = Beam(chain, watch, elsewhere)
    yield from _with_changes(beam.descend(), chain, watch, revision)
    if not watch.over:
        yield from revision.candidates(watch, _CHANGED)
    if watch.over:
        return
    yield from sums(chain[0], watch, ALL, 4)
    if not watch.over:
        yield from beam.left()


def _thoroughly(chain: list[State], watch: Watch, revision: Revision) -> Iterator[Candidate]:
    """Search the states of the chain thoroughly, the smallest first, while another process goes down the beam from them."""
    for state in reversed(chain):
        if watch.over:
            return
        if not (state is chain[0] and state.n_columns <= _SMALL):  # that was done at the opening
            yield from _with_changes(searched(state, watch), chain, watch, revision)


def _straight_down(chain: list[State], watch: Watch, revision: Revision) -> Iterator[Candidate]:
    """Make the chain of the opening and of evident symmetries without a look at its states, and go down the beam."""
    root = chain[0]
    if root.n_columns >= _MANY:
        root = chain[0] = relevant(root, watch.stop)
    watch.judge.floor = min(watch.judge.floor, smooth_error(root))
    while chain[-1].n_columns and (smaller := symmetries.evidently_scaled(chain[-1])) is not None:
        chain.append(smaller)
    if len(chain) > 1:  # what follows from evident symmetries alone is near
        yield from Beam(chain[-1:], watch, elsewhere=True).descend()
    if not watch.over:
        yield from _descent(chain, watch, revision, elsewhere=True)


def _early(chain: list[State], watch: Watch, revision: Revision) -> Iterator[Candidate]:
    """Yield changes of some of the best formulas where there is noise, which hides the law from what comes next, and one of them comes close."""
    if _is_noisy(chain) and watch.judge.comes_close:
        yield from revision.candidates(watch, _CHANGED_EARLY)


def _with_changes(found: Iterator[Candidate], chain: list[State], watch: Watch, revision: Revision) -> Iterator[Candidate]:
    """Yield candidates, and where there is noise in between changes of the best that came of them."""
    noisy = _is_noisy(chain)
    for count, candidate in enumerate(found, 1):
        yield candidate
        if noisy and count % _BETWEEN == 0 and watch.judge.comes_close:
            yield from revision.candidates(watch, _CHANGED_BETWEEN)


def _revised(_: list[State], watch: Watch, revision: Revision) -> Iterator[Candidate]:
    """Yield changes of all the best formulas."""
    yield from revision.candidates(watch, _ALL_CHANGED)


def _is_noisy(chain: list[State]) -> bool:
    """Whether a smooth surrogate of the problem, or of what symmetries leave of it, leaves nothing but noise."""
    return any(smoothed(state) is not None for state in (chain[0], chain[-1]))


def _steps(part: Part) -> tuple[Step, ...]:
    """Return the steps of a part; those that search at the same time begin to change formulas at other ends."""
    revision = Revision({"whole": ("shortest", "plainest"), "first": ("shortest",), "second": ("plainest", "plainest", "shortest")}[part])
    early, thoroughly, revised, descent, straight_down = (
        partial(step, revision=revision) for step in (_early, _thoroughly, _revised, _descent, _straight_down)
    )
    return {
        "whole": (_opening, _evident, early, descent, revised),
        "first": (_opening, _evident, early, thoroughly, revised, descent),
        "second": (straight_down, revised),
    }[part]
