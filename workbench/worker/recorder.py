"""What a search finds, written down while it runs: every formula a branch of the project's history, whole or not at all.

A search that is stopped, cancelled or killed leaves what it had found. The state that a person looks at stays where it is, until the search
ends and they are still there.
"""

from __future__ import annotations

from workbench.discovery import Discovery
from workbench.discovery.autopilot.findings import Finding
from workbench.discovery.laws import law, origin_of
from workbench.discovery.state import State
from workbench.worker.desk import Desk, view
from workbench.worker.lines import told


class Recorder:
    """Keeps the findings of one search on one discovery.

    Parameters
    ----------
    desk : what is found hangs on the state that is looked at now, or grows out of it
    """

    def __init__(self, desk: Desk) -> None:
        self._desk, self._root = desk, desk.parent
        self._data = desk.found.data.fingerprint
        self._numbers = {(self._data, desk.found.state.id): desk.parent} if desk.found.path else {}
        self._begun = len(self._numbers)
        self._look = desk.parent

    @property
    def count(self) -> int:
        """How many states were kept."""
        return len(self._numbers) - self._begun

    def keep(self, found: Discovery, finding: Finding) -> None:
        """Keep the state that the discovery stands at, and those on the way to it."""
        desk = self._desk
        if found.data.fingerprint != self._data:  # the search chose scales, or left rows out: its networks belong to data seen so
            self._data = found.data.fingerprint
            desk.dataset = desk.store.projects.set_data(desk.project, *found.data.to_arrays()).id
        path, branch = found.path, found.branch()
        judged = law(branch, path[-1], origin_of([step.move for step in path]), formula=finding.formula)
        for state in path:
            desk.found = branch.go_to(state.id)
            self._keep(state, told(judged, found.data) if state is path[-1] else None)

    def _keep(self, state: State, line: dict | None) -> None:
        key = self._data, state.id
        if key in self._numbers:
            return
        parent = self._root if state.parent is None else self._numbers[self._data, state.parent]
        self._numbers[key] = self._desk.keep_beside(state, parent, line)
        if self._look is None:  # there was nothing to look at before
            self._look = self._numbers[key]

    def conclude(self, best: Discovery) -> dict:
        """Say what came of the search, and go to the formula that was picked unless somebody has moved meanwhile; return what was said."""
        desk, picked = self._desk, self._numbers[best.data.fingerprint, best.state.id]
        front = [self._numbers[best.data.fingerprint, number] for number in best.front]
        verdict = {"verdict": best.verdict, "reasons": list(best.reasons), "front": front, "picked": picked}
        if desk.store.projects.get(desk.project).cursor == self._look:
            desk.store.states.go_to(desk.project, picked)
        desk.found = best
        desk.summarise(view(best), **verdict)
        return {"state": picked, **verdict}
