"""The workspace: the one file in which all projects live, and how projects leave it and come into it as files."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Self

import platformdirs

from workbench.store.archive import Archive
from workbench.store.database import Database, from_blob, from_text, to_blob, to_text
from workbench.store.file import encode, read_project
from workbench.store.jobs import Jobs
from workbench.store.projects import Projects, fetch_project, insert_project
from workbench.store.records import Data, Project, State
from workbench.store.states import States

DATABASE = "workbench.sqlite"


def default_workspace() -> Path:
    """Return where projects live unless somebody says otherwise: the user's own data folder."""
    return Path(platformdirs.user_data_dir("kan-workbench", appauthor=False))


class Store:
    """A workspace, open. Threads may share it; other processes open their own on the same folder.

    Attributes
    ----------
    projects : create, list, rename, duplicate, delete, restore; datasets
    states : the history of a project: append, undo, redo, go_to
    jobs : what workers did
    path : the folder

    Examples
    --------
    >>> import tempfile
    >>> from workbench.store import Draft
    >>> with Store(tempfile.mkdtemp()) as store:
    ...     trees = store.projects.create("Cherry trees")
    ...     first = store.states.append(trees.id, Draft("fit", {"move": "fit"}, {"edges": 2}))
    ...     second = store.states.append(trees.id, Draft("prune", {"move": "prune"}, {"edges": 1}))
    ...     store.states.undo(trees.id).label, store.states.get(trees.id).network
    ('fit', {'edges': 2})
    """

    def __init__(self, workspace: str | os.PathLike[str] | None = None) -> None:
        self.path = default_workspace() if workspace is None else Path(workspace)
        self._database = Database(self.path / DATABASE)
        self.projects = Projects(self._database)
        self.states = States(self._database)
        self.jobs = Jobs(self._database)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def archive(self, project: str) -> Archive:
        """Return all of a project: its datasets and its whole history, as one consistent picture."""
        with self._database.read() as connection:
            record = fetch_project(connection, project)
            steps = self.states.history(project)
            rows = connection.execute("SELECT id, network, view FROM state WHERE project = ? ORDER BY id", (project,)).fetchall()
            blobs = connection.execute("SELECT id, content FROM dataset WHERE project = ? ORDER BY id", (project,)).fetchall()
        states = tuple(
            State(step, *from_blob(row["network"], f"state {step.id} of the project"), from_text(row["view"]))
            for step, row in zip(steps, rows, strict=True)
        )
        data = tuple(Data(row["id"], *from_blob(row["content"], f"dataset {row['id']} of the project")) for row in blobs)
        return Archive(record.name, states, data, record.cursor, record.dataset, record.summary, record.plan)

    def export(self, project: str) -> bytes:
        """Return a project as the bytes of a `.kanwb` file."""
        return encode(*self.archive(project).to_parts())

    def import_file(self, source: str | os.PathLike[str] | bytes, owner: str | None = None) -> Project:
        """Add the project in a `.kanwb` file, given by its path or as its bytes, as a new project.

        Raises
        ------
        ProjectError
            It is no project file, is cut short, damaged or from a newer version. The workspace is then unchanged.
        """
        return self.import_archive(Archive.from_parts(*read_project(source)), owner)

    def import_archive(self, archive: Archive, owner: str | None = None) -> Project:
        """Add a project with its datasets and states; it gets a new id, its states keep their numbers."""
        with self._database.write() as connection:
            project = insert_project(connection, archive.name, owner)
            for data in archive.datasets:
                blob = to_blob(data.content, data.arrays, "dataset")
                connection.execute("INSERT INTO dataset VALUES (?, ?, ?)", (project, data.id, blob))
            for state in archive.states:
                step = state.step
                connection.execute(
                    "INSERT INTO state VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        project, step.id, step.parent, step.redo, step.dataset, step.label, to_text(step.move, "move"),
                        to_text(step.metrics, "metrics"), step.created, to_blob(state.network, state.arrays, "network"),
                        to_text(state.view, "view"),
                    ),
                )  # fmt: skip
            connection.execute(
                "UPDATE project SET cursor = ?, dataset = ?, summary = ?, plan = ? WHERE id = ?",
                (archive.cursor, archive.dataset, to_text(archive.summary, "summary"), to_text(archive.plan, "plan"), project),
            )
            return fetch_project(connection, project)
