"""The beam: from the problem down to ever fewer columns, a few states of each number, the most promising first.

A state is promising when a smooth surrogate predicts left-out rows well. Quick screens are tried on all states of the beam before thorough ones on
any, but for a state of few columns that leaves so much less than all before it that it is surely right. With noise none does: there it is enough that it
leaves no more than any. A product on which all may depend alone is looked at at once in the same two cases, else when its turn comes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from workbench.search.native.reductions import moves
from workbench.search.native.reductions.moves import Weighed
from workbench.search.native.reductions.splits import linear_in_function
from workbench.search.native.reductions.transformed import scaled_within_transforms, split_within_transforms
from workbench.search.native.screens.order import quick, thorough
from workbench.search.native.state import Candidate, State
from workbench.search.native.surrogate import smooth_error, smoothed
from workbench.search.native.watch import Watch

Screens = tuple[Callable[[State, Watch], Iterator[Candidate]], ...]

_WIDTH = 4
_CLEAR, _FEW = 0.3, 3  # a state of at most so many columns with so much less error is searched thoroughly at once
_SMALL = 2  # with noise, of which no state leaves less, one of at most so many columns that leaves the least
_FIRST: Screens = (thorough, scaled_within_transforms, linear_in_function)
_LAST: Screens = (split_within_transforms,)
_ALL: Screens = (*_FIRST, *_LAST)
_COLUMN = 8.0  # what a column is worth, against n log(error^2), when states are ordered


class Beam:
    """One descent.

    Parameters
    ----------
    known : states to start from, quickly screened already
    watch : when to stop
    elsewhere : whether another process searches the known states thoroughly, so that those that may be right have time here
    """

    def __init__(self, known: Sequence[State], watch: Watch, elsewhere: bool = False) -> None:
        self.watch, self.elsewhere = watch, elsewhere
        self.known = {id(state) for state in known}
        self.levels: dict[int, list[Weighed]] = {}
        self.visited: list[tuple[Weighed, Screens]] = []
        self._add(Weighed(state, smooth_error(state)) for state in known)

    def descend(self) -> Iterator[Candidate]:
        """Yield quick candidates of the beam's states, from many columns to none."""
        for n_columns in range(max(self.levels, default=0), -1, -1):
            for own in _distinct(self.levels.get(n_columns, []))[:_WIDTH]:
                yield from self._visit(own)
                if self.watch.over:
                    return
                if n_columns:
                    self._add(moves.weighed(moves.moves(own.state), _WIDTH, self.watch.stop))

    def left(self) -> Iterator[Candidate]:
        """Yield thorough candidates of the states that were only screened quickly, the most promising first."""
        least = max(min((own.error for own, _ in self.visited), default=1.0), 1e-300)

        def order(own: Weighed) -> float:
            return 2 * own.state.n_rows * float(np.log(max(own.error, 1e-300) / least)) + _COLUMN * own.state.n_columns

        for own, screens in sorted(self.visited, key=lambda each: order(each[0])):
            yield from searched(own.state, self.watch, screens)
            if self.watch.over:
                return

    def _visit(self, own: Weighed) -> Iterator[Candidate]:
        judge = self.watch.judge
        known = id(own.state) in self.known
        surely, likely = self._surely(own), not (known and self.elsewhere) and self._likely(own)
        judge.floor = min(judge.floor, own.error)
        if not known:
            yield from quick(own.state, self.watch)
        if (surely or likely) and not self.watch.over:
            yield from searched(own.state, self.watch, _ALL if surely else _FIRST)
        if not surely:
            self.visited.append((own, _LAST if likely else _ALL))
        for collapse in moves.collapsed(own.state):
            if self.watch.over:
                return
            if collapse.error < _CLEAR * own.error or smoothed(own.state) is not None:
                yield from quick(collapse.state, self.watch)
            else:
                self._add([collapse])

    def _surely(self, own: Weighed) -> bool:
        """Whether a state is surely right, as far as the states before it tell."""
        return own.state.n_columns <= _FEW and own.error < _CLEAR * self.watch.judge.floor

    def _likely(self, own: Weighed) -> bool:
        """Whether a state may be right where noise keeps any from being surely so; what takes longest waits all the same."""
        most = min(self.watch.judge.floor, _CLEAR * self.watch.judge.spread)
        return own.state.n_columns <= _SMALL and own.error < most and smoothed(own.state) is not None

    def _add(self, found: Iterator[Weighed] | list[Weighed]) -> None:
        for own in found:
            self.levels.setdefault(own.state.n_columns, []).append(own)


def searched(state: State, watch: Watch, screens: Screens = _ALL) -> Iterator[Candidate]:
    """Yield all that is found at one state beyond the quick screens, or what some of the screens find there."""
    for screen in screens:
        if (state.n_columns >= 2 or screen is thorough) and not watch.over:
            yield from screen(state, watch)


def _distinct(states: list[Weighed]) -> list[Weighed]:
    """Return the states by rising cost, one of each error: u/v and v/u describe the same."""
    by_error: dict[str, Weighed] = {}
    for own in sorted(states, key=lambda own: own.cost):
        by_error.setdefault(f"{own.error:.5g}", own)
    return list(by_error.values())
