"""The states of a discovery as a tree, and a cursor on it: undo, redo, and any state at any time.

            1 -- 2 -- 3            undo from 3 goes to 2, and redo leads back to 3
                 +--- 4 -- 5       a move made at 2 grows a branch; go_to(3) still works
"""

from __future__ import annotations

from dataclasses import replace
from typing import Self

from workbench.discovery.state import State
from workbench.exceptions import DiscoveryError


class History:
    """States, which never change, and where one stands among them."""

    def __init__(self) -> None:
        self._states: dict[int, State] = {}
        self._cursor: int | None = None
        self._redo: dict[int | None, int] = {}

    @property
    def state(self) -> State:
        """The state that is looked at."""
        if self._cursor is None:
            raise DiscoveryError("Nothing is fitted yet. Call fit() first, such as found.fit(hidden_layer_sizes=(5,)).")
        return self._states[self._cursor]

    @property
    def states(self) -> tuple[State, ...]:
        """Every state ever made, in order; `parent` makes them a tree."""
        return tuple(self._states.values())

    @property
    def path(self) -> tuple[State, ...]:
        """The states from the first to the present one."""
        steps, here = [], self._cursor
        while here is not None:
            steps.append(self._states[here])
            here = self._states[here].parent
        return tuple(reversed(steps))

    def next_from(self, state: int) -> int | None:
        """Return the state that redo leads to from a state, if any."""
        return self._redo.get(state)

    def undo(self) -> Self:
        """Go back to the state the present one was made from."""
        if self._cursor is None or self.state.parent is None:
            raise DiscoveryError("There is nothing to undo: this is where the discovery begins.")
        self._redo[self.state.parent] = self._cursor
        self._cursor = self.state.parent
        return self

    def redo(self) -> Self:
        """Go forward to the state that was left last from here."""
        if self._redo.get(self._cursor) is None:
            raise DiscoveryError("There is nothing to redo: no later state has been left from here.")
        self._cursor = self._redo[self._cursor]
        return self

    def go_to(self, state: int) -> Self:
        """Go to any state; a move made there grows a branch, nothing is lost."""
        if state not in self._states:
            raise DiscoveryError(f"There is no state {state!r}. States: 1 to {len(self._states)}.")
        self._cursor = state
        child = state
        while (parent := self._states[child].parent) is not None:
            self._redo[parent] = child
            child = parent
        return self

    def adopt(self, state: State) -> None:
        """Take in a stored state under its own number and stand there."""
        if state.parent is not None and state.parent not in self._states:
            raise DiscoveryError(f"State {state.id} comes from state {state.parent}, which is not here.")
        self._states[state.id] = state
        self._redo[state.parent] = state.id
        self._cursor = state.id

    def adopt_alone(self, state: State) -> None:
        """Take in one stored state without those before it, and stand there; what is made from it can still be undone to it."""
        self.adopt(replace(state, parent=None))

    def leave(self) -> Self:
        """Stand before the first state: the next fit begins a new branch."""
        self._cursor = None
        return self

    def _append(self, state: State) -> None:
        """Add a state made at the cursor, and stand there."""
        self._states[state.id] = state
        self._redo[self._cursor] = state.id
        self._cursor = state.id

    def _share(self, other: History) -> None:
        """Take over another history; both go their own ways from here."""
        self._states, self._cursor, self._redo = dict(other._states), other._cursor, dict(other._redo)
