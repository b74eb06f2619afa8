"""Projects: create, list, rename, duplicate, throw away and take back; and the datasets they hold."""

from __future__ import annotations

import secrets
import sqlite3
import time
from typing import cast

from workbench.exceptions import ProjectError
from workbench.store.database import Database, from_blob, from_text, to_blob, to_text
from workbench.store.records import Arrays, Data, Json, Project, SourceFile

MAX_NAME = 200


class Projects:
    """The projects of a workspace (`store.projects`)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self, owner: str | None = None, *, deleted: bool = False) -> tuple[Project, ...]:
        """Return the projects of an owner (of everybody for None), last touched first; or those in the trash."""
        query = f"SELECT * FROM project WHERE deleted IS {'NOT' if deleted else ''} NULL AND (? IS NULL OR owner = ?) ORDER BY updated DESC"
        with self._database.read() as connection:
            return tuple(_project(row) for row in connection.execute(query, (owner, owner)))

    def create(self, name: str, owner: str | None = None) -> Project:
        """Create an empty project."""
        with self._database.write() as connection:
            return fetch_project(connection, insert_project(connection, name, owner))

    def get(self, project: str) -> Project:
        """Return a project, also one in the trash (then `deleted` is set)."""
        with self._database.read() as connection:
            return fetch_project(connection, project)

    def rename(self, project: str, name: str) -> Project:
        """Give a project another name."""
        return self._update(project, "name = ?", checked_name(name))

    def summarise(self, project: str, summary: Json) -> Project:
        """Set what the project's card shows in the list."""
        return self._update(project, "summary = ?", to_text(summary, "summary"))

    def set_plan(self, project: str, plan: Json) -> Project:
        """Keep what was chosen on the page Data."""
        return self._update(project, "plan = ?", to_text(plan, "plan"))

    def delete(self, project: str) -> Project:
        """Put a project into the trash; `restore` brings it back as it was."""
        return self._update(project, "deleted = ?", time.time())

    def restore(self, project: str) -> Project:
        """Take a project out of the trash."""
        return self._update(project, "deleted = ?", None)

    def purge(self, project: str) -> None:
        """Delete a project with everything it has. This is the one thing that cannot be undone."""
        with self._database.write() as connection:
            fetch_project(connection, project)
            connection.execute("DELETE FROM project WHERE id = ?", (project,))

    def duplicate(self, project: str, name: str | None = None) -> Project:
        """Copy a project with its datasets and its whole history; jobs stay behind."""
        with self._database.write() as connection:
            source = fetch_project(connection, project)
            copy = insert_project(connection, f"{source.name[: MAX_NAME - 7]} (copy)" if name is None else name, source.owner)
            connection.execute("INSERT INTO dataset SELECT ?, id, content FROM dataset WHERE project = ? ORDER BY id", (copy, project))
            connection.execute(
                "INSERT INTO state SELECT ?, id, parent, redo, dataset, label, move, metrics, created, network, view "
                "FROM state WHERE project = ? ORDER BY id",
                (copy, project),
            )
            connection.execute(
                "UPDATE project SET cursor = ?, dataset = ?, summary = ?, plan = ? WHERE id = ?",
                (source.cursor, source.dataset, to_text(source.summary, "summary"), to_text(source.plan, "plan"), copy),
            )
            connection.execute("INSERT INTO source SELECT ?, name, content FROM source WHERE project = ?", (copy, project))
            return fetch_project(connection, copy)

    def set_data(self, project: str, content: Json, arrays: Arrays) -> Data:
        """Make this the dataset that new states are made from.

        It gets a number of its own, so that whoever keeps a copy knows it by its number. The one before stays for the states that were
        made from it; without any it is removed.
        """
        blob = to_blob(content, arrays, "dataset")
        with self._database.write() as connection:
            current = fetch_project(connection, project).dataset
            used = connection.execute("SELECT 1 FROM state WHERE project = ? AND dataset = ?", (project, current)).fetchone()
            newest = connection.execute("SELECT coalesce(max(id), 0) FROM dataset WHERE project = ?", (project,)).fetchone()[0]
            connection.execute("INSERT INTO dataset VALUES (?, ?, ?)", (project, newest + 1, blob))
            connection.execute("UPDATE project SET dataset = ?, updated = ? WHERE id = ?", (newest + 1, time.time(), project))
            if current is not None and not used:
                connection.execute("DELETE FROM dataset WHERE project = ? AND id = ?", (project, current))
        return Data(newest + 1, content, arrays)

    def data(self, project: str, number: int | None = None) -> Data | None:
        """Return the present dataset of a project, or the one with this number; None where there is none yet."""
        with self._database.read() as connection:
            number = fetch_project(connection, project).dataset if number is None else number
            if number is None:
                return None
            row = connection.execute("SELECT content FROM dataset WHERE project = ? AND id = ?", (project, number)).fetchone()
        if row is None:
            raise ProjectError(f"The project has no dataset {number}.")
        content, arrays = from_blob(row["content"], f"dataset {number} of the project")
        return Data(number, content, arrays)

    def set_source(self, project: str, file: SourceFile | None) -> None:
        """Keep the file that the table was read from; None forgets it."""
        with self._database.write() as connection:
            fetch_project(connection, project)
            connection.execute("DELETE FROM source WHERE project = ?", (project,))
            if file is not None:
                connection.execute("INSERT INTO source VALUES (?, ?, ?)", (project, file.name, file.content))

    def source(self, project: str) -> SourceFile | None:
        """Return the file that the table was read from, if it was kept."""
        with self._database.read() as connection:
            fetch_project(connection, project)
            row = connection.execute("SELECT name, content FROM source WHERE project = ?", (project,)).fetchone()
        return None if row is None else SourceFile(row["name"], row["content"])

    def _update(self, project: str, assignment: str, value: object) -> Project:
        with self._database.write() as connection:
            fetch_project(connection, project)
            connection.execute(f"UPDATE project SET {assignment}, updated = ? WHERE id = ?", (value, time.time(), project))
            return fetch_project(connection, project)


def checked_name(name: str) -> str:
    """Return a project name without spaces around it, or raise ProjectError."""
    short = name.strip()
    if not 0 < len(short) <= MAX_NAME:
        raise ProjectError(f"A project cannot be named {short[:40]!r} ({len(short)} characters). Give a name of 1 to {MAX_NAME} characters.")
    return short


def insert_project(connection: sqlite3.Connection, name: str, owner: str | None) -> str:
    """Insert an empty project and return its id: 128 random bits, so that a link cannot be guessed."""
    project, now = secrets.token_urlsafe(16), time.time()
    values = (project, checked_name(name), owner, now, now)
    connection.execute("INSERT INTO project (id, name, owner, created, updated) VALUES (?, ?, ?, ?, ?)", values)
    return project


def fetch_project(connection: sqlite3.Connection, project: str) -> Project:
    """Return a project's record, or raise ProjectError where there is none."""
    row = connection.execute("SELECT * FROM project WHERE id = ?", (project,)).fetchone()
    if row is None:
        raise ProjectError(f"There is no project {str(project)[:40]!r} in this workspace. It may have been deleted; open one from the list.")
    return _project(row)


def _project(row: sqlite3.Row) -> Project:
    fields = {key: row[key] for key in row.keys() if key not in ("summary", "plan")}
    return Project(**fields, summary=cast("Json", from_text(row["summary"])), plan=cast("Json", from_text(row["plan"])))
