"""The native engine: screens at every state, from the plain problem down a beam of reductions.

    screens at the problem itself  ->  a chain of the plainest symmetries  ->  for each number of columns, the few most promising states

A state is promising when a smooth surrogate predicts left-out rows well from fewer columns. No state replaces its parent: a wrong reduction costs
time, not the law. Everything is deterministic for a seed; time only cuts the sequence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from workbench.expression import Number, Symbol
from workbench.ops.threads import each_with_one_thread
from workbench.search.native import moves, symmetries
from workbench.search.native.judge import Judge
from workbench.search.native.moves import Weighed
from workbench.search.native.polishing import Rows
from workbench.search.native.power_law import power_law
from workbench.search.native.screens import high, quick, thorough
from workbench.search.native.splits import linear_in_function
from workbench.search.native.state import HOLE, Candidate, State
from workbench.search.native.sums import sums
from workbench.search.native.surrogate import slopes, smooth_error
from workbench.search.native.transforms import ALL, PLAIN
from workbench.search.native.watch import Watch
from workbench.search.problem import Proposal, SearchProblem

_ROWS = 1000  # of a state; candidates are polished on more
_POLISHED_ROWS = 5000
_FEWEST_ROWS = 4  # fewer tell nothing
_SMALL = 2  # columns of a problem that is searched thoroughly before what it reduces to
_BEAM = 4
_CLEAR, _FEW = 0.3, 3  # a state of few columns that leaves so much less than all before is searched thoroughly at once


class NativeEngine:
    """Deterministic screens and reductions."""

    name = "screens"

    def search(self, problem: SearchProblem, stop: Callable[[], bool], random_state: int = 0) -> Iterator[Proposal]:
        """Yield ever better proposals."""
        yield from each_with_one_thread(_in_silence(self._proposals(problem, stop, random_state)))

    def _proposals(self, problem: SearchProblem, stop: Callable[[], bool], random_state: int) -> Iterator[Proposal]:
        order = np.random.default_rng(random_state).permutation(len(problem.y))
        rows = _rows(problem, order[:_POLISHED_ROWS])
        judge = Judge(rows, problem.functions, problem.max_complexity)
        watch = Watch(judge, stop)
        for candidate in _candidates(_root(problem, order[:_ROWS]), watch):
            judged = judge.offer(candidate)
            if judged is not None:
                yield Proposal(judged.expression, self.name, judged.path)
            if stop():
                return


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


def _candidates(root: State, watch: Watch) -> Iterator[Candidate]:
    """Yield candidates, cheapest first."""
    yield root.candidate(Number(float(np.mean(root.target))), "a constant")
    if watch.over or not root.n_columns or root.n_rows < _FEWEST_ROWS or not np.ptp(root.target) > 0:
        return
    yield from power_law(root)
    if watch.over:
        return
    watch.judge.floor = smooth_error(root)
    yield from quick(root, watch)
    if watch.over:
        return
    yield from high(root, watch)
    if root.n_columns <= _SMALL and not watch.over:
        yield from _thoroughly(root, watch)
    if watch.over:
        return
    yield from sums(root, watch, PLAIN, 2, most=400)
    chain = []
    for state in _chain(root, watch):
        chain.append(state)
        yield from quick(state, watch)
        if watch.over:
            return
    visited: list[Weighed] = []
    yield from _beam([root, *chain], watch, visited)
    if watch.over:
        return
    yield from sums(root, watch, ALL, 4)
    for state in _most_promising(visited):
        yield from _thoroughly(state.state, watch)


def _thoroughly(state: State, watch: Watch) -> Iterator[Candidate]:
    yield from thorough(state, watch)
    if state.n_columns >= 2 and not watch.over:
        yield from linear_in_function(state, watch)


def _most_promising(visited: list[Weighed]) -> list[Weighed]:
    """Return states by their error and number of columns: twice the error is worth one column. A small problem itself was searched before."""
    least = max(min((own.error for own in visited), default=1.0), 1e-300)
    left = [own for own in visited if not (own.state.is_root and own.state.n_columns <= _SMALL)]
    return sorted(left, key=lambda own: own.state.n_columns + np.log2(max(own.error, 1e-300) / least))


def _chain(root: State, watch: Watch) -> Iterator[State]:
    """Yield the states that the most evident scaling symmetries lead to, one after the other."""
    state = root
    while state.n_columns and not watch.over:
        found = slopes(state)
        if found.error > 0.25:
            return
        limit = max(2e-3, min(0.15, 6 * found.error))
        evident = [s for s in symmetries.scalings(state, found) if s.misfit < limit * (1 if len(s.support) == 1 else 0.6)]
        if not evident:
            return
        state = symmetries.scaled(state, min(evident, key=lambda s: len(s.support)))
        yield state


def _beam(known: list[State], watch: Watch, visited: list[Weighed]) -> Iterator[Candidate]:
    """Yield quick candidates of the most promising states with ever fewer columns, and append the states to `visited`."""
    levels: dict[int, list[Weighed]] = {}
    for state in known:
        levels.setdefault(state.n_columns, []).append(Weighed(state, smooth_error(state)))
    screened_already = {id(state) for state in known}
    for n_columns in range(known[0].n_columns, -1, -1):
        for own in _distinct(levels.get(n_columns, []))[:_BEAM]:
            clear = own.error < _CLEAR * watch.judge.floor and n_columns <= _FEW
            watch.judge.floor = min(watch.judge.floor, own.error)
            if id(own.state) not in screened_already:
                yield from quick(own.state, watch)
            if clear and not watch.over:
                yield from _thoroughly(own.state, watch)
            else:
                visited.append(own)
            for collapse in moves.collapsed(own.state):
                if watch.over:
                    return
                yield from quick(collapse, watch)
            if watch.over:
                return
            if n_columns:
                for found in moves.weighed(moves.moves(own.state), _BEAM, watch.stop):
                    levels.setdefault(found.state.n_columns, []).append(found)


def _distinct(states: list[Weighed]) -> list[Weighed]:
    """Return the states by rising error, one of each error: u/v and v/u describe the same."""
    by_error = {float(f"{state.error:.5g}"): state for state in reversed(states)}
    return [by_error[error] for error in sorted(by_error)]
