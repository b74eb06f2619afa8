"""The history of a project: a tree of states with a cursor. Undo and redo move the cursor; nothing is ever lost.

            1 ── 2 ── 3            undo from 3 goes to 2 and remembers 3 there, so that redo leads back to it
                 └─── 4 ── 5       a move made at 2 grows a branch: 4. Redo at 2 then leads to 4; go_to(3) still works
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable
from typing import cast

from workbench.exceptions import ProjectError
from workbench.store.database import Database, from_blob, from_text, to_blob, to_text
from workbench.store.projects import fetch_project
from workbench.store.records import Draft, Json, State, Step

_STEP = "id, parent, redo, dataset, label, move, metrics, created"


class States:
    """The states of every project of a workspace (`store.states`)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, project: str, draft: Draft, *, parent: int | None = None, visit: bool = True) -> Step:
        """Add the state that a move has made, and go there.

        Parameters
        ----------
        parent : the state it was made from; by default the one that is looked at. A fit that took a minute names the
            state it started from, and becomes a branch if somebody has moved on meanwhile.
        visit : False leaves the cursor where it is, unless there was no state yet: what a search finds on the way
        """
        network = to_blob(draft.network, draft.arrays, "network")
        texts = (to_text(draft.move, "move"), to_text(draft.metrics, "metrics"), to_text(draft.view, "view"))
        with self._database.write() as connection:
            where = fetch_project(connection, project)
            parent = where.cursor if parent is None else _step(connection, project, parent).id
            newest = connection.execute("SELECT coalesce(max(id), 0) FROM state WHERE project = ?", (project,)).fetchone()[0]
            dataset = where.dataset if draft.dataset is None else draft.dataset
            values = (project, newest + 1, parent, None, dataset, draft.label, *texts[:2], time.time(), network, texts[2])
            connection.execute("INSERT INTO state VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
            return _visit(connection, project, newest + 1) if visit or where.cursor is None else _step(connection, project, newest + 1)

    def get(self, project: str, state: int | None = None) -> State | None:
        """Return a state whole: the one with this number, or the one that is looked at (None before the first)."""
        with self._database.read() as connection:
            state = fetch_project(connection, project).cursor if state is None else state
            if state is None:
                return None
            step = _step(connection, project, state)
            row = connection.execute("SELECT network, view FROM state WHERE project = ? AND id = ?", (project, state)).fetchone()
        network, arrays = from_blob(row["network"], f"state {state} of the project")
        return State(step, network, arrays, from_text(row["view"]))

    def views(self, project: str, states: Iterable[int]) -> dict[int, Json]:
        """Return what was drawn of some states, by their numbers; their networks are left where they are."""
        with self._database.read() as connection:
            known = [(project, _step(connection, project, state).id) for state in states]
            texts = [connection.execute("SELECT view FROM state WHERE project = ? AND id = ?", one).fetchone()["view"] for one in known]
        return {state: from_text(text) for (_, state), text in zip(known, texts, strict=True)}

    def entries(self, project: str, name: str, after: int = 0) -> dict[int, Json]:
        """Return one entry of what was drawn of the states above a number, by their numbers; those that have none are left out."""
        with self._database.read() as connection:
            fetch_project(connection, project)
            rows = connection.execute(
                "SELECT id, json_extract(view, ?) AS entry FROM state WHERE project = ? AND id > ? ORDER BY id", (f"$.{name}", project, after)
            )
            return {row["id"]: from_text(row["entry"]) for row in rows if row["entry"] is not None}

    def history(self, project: str) -> tuple[Step, ...]:
        """Return all steps in the order in which they were made; `parent` makes them a tree."""
        with self._database.read() as connection:
            fetch_project(connection, project)
            rows = connection.execute(f"SELECT {_STEP} FROM state WHERE project = ? ORDER BY id", (project,))
            return tuple(_record(row) for row in rows)

    def undo(self, project: str) -> Step:
        """Go to the state from which the present one was made."""
        with self._database.write() as connection:
            here = _here(connection, project)
            if here is None or here.parent is None:
                raise ProjectError("There is nothing to undo: this is where the project begins.")
            connection.execute("UPDATE state SET redo = ? WHERE project = ? AND id = ?", (here.id, project, here.parent))
            return _move_cursor(connection, project, here.parent)

    def redo(self, project: str) -> Step:
        """Go to the state that was visited last among those made from the present one."""
        with self._database.write() as connection:
            here = _here(connection, project)
            if here is None or here.redo is None:
                raise ProjectError("There is nothing to redo: no later state has been left from here.")
            return _move_cursor(connection, project, here.redo)

    def go_to(self, project: str, state: int) -> Step:
        """Go to any state. Undo then leads up its own branch, and redo back down to it."""
        with self._database.write() as connection:
            return _visit(connection, project, state)


def _visit(connection: sqlite3.Connection, project: str, state: int) -> Step:
    step = _step(connection, project, state)
    child = step
    while child.parent is not None:  # from every ancestor, redo leads here
        connection.execute("UPDATE state SET redo = ? WHERE project = ? AND id = ?", (child.id, project, child.parent))
        child = _step(connection, project, child.parent)
    return _move_cursor(connection, project, step.id)


def _move_cursor(connection: sqlite3.Connection, project: str, state: int) -> Step:
    connection.execute("UPDATE project SET cursor = ?, updated = ? WHERE id = ?", (state, time.time(), project))
    return _step(connection, project, state)


def _here(connection: sqlite3.Connection, project: str) -> Step | None:
    cursor = fetch_project(connection, project).cursor
    return None if cursor is None else _step(connection, project, cursor)


def _step(connection: sqlite3.Connection, project: str, state: int) -> Step:
    fetch_project(connection, project)
    row = connection.execute(f"SELECT {_STEP} FROM state WHERE project = ? AND id = ?", (project, state)).fetchone()
    if row is None:
        newest = connection.execute("SELECT max(id) FROM state WHERE project = ?", (project,)).fetchone()[0]
        known = f"Its states are 1 to {newest}." if newest else "It has none yet."
        raise ProjectError(f"The project has no state {state!r}. {known}")
    return _record(row)


def _record(row: sqlite3.Row) -> Step:
    return Step(
        row["id"], row["parent"], row["redo"], row["dataset"], row["label"],
        cast("Json", from_text(row["move"])), cast("Json", from_text(row["metrics"])), row["created"],
    )  # fmt: skip
