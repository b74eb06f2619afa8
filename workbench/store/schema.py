"""The tables of a workspace, and how an older workspace becomes a newer one.

    project ──< dataset          what was measured; a dataset never changes, so its number says what it is
       │  └───< state            a tree by `parent`; `project.cursor` is where one is, `redo` where one came back from
       ├──────< job              what workers did for it
       └─────── source           the file that its table was read from

`PRAGMA user_version` counts the migrations that have been applied. A workspace of a newer workbench is refused, not
guessed at. Blobs are `.kanwb` content (see `workbench.store.file`): safetensors with a checksum, never pickle.
"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from workbench.exceptions import ProjectError

APPLICATION_ID = 0x4B414E57  # "KANW", in the header of the database file
_WAL_TRIES = 50

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE project (
            id TEXT PRIMARY KEY,
            name TEXT NOT NULL,
            owner TEXT,
            created REAL NOT NULL,
            updated REAL NOT NULL,
            deleted REAL,
            cursor INTEGER,
            dataset INTEGER,
            summary TEXT NOT NULL DEFAULT '{}'
        )""",
        """CREATE TABLE dataset (
            project TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
            id INTEGER NOT NULL,
            content BLOB NOT NULL,
            PRIMARY KEY (project, id)
        )""",
        """CREATE TABLE state (
            project TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
            id INTEGER NOT NULL,
            parent INTEGER,
            redo INTEGER,
            dataset INTEGER,
            label TEXT NOT NULL,
            move TEXT NOT NULL,
            metrics TEXT NOT NULL,
            created REAL NOT NULL,
            network BLOB NOT NULL,
            view TEXT NOT NULL,
            PRIMARY KEY (project, id),
            FOREIGN KEY (project, parent) REFERENCES state (project, id) ON DELETE CASCADE
        )""",
        """CREATE TABLE job (
            id TEXT PRIMARY KEY,
            project TEXT REFERENCES project (id) ON DELETE CASCADE,
            task TEXT NOT NULL,
            lane TEXT NOT NULL,
            status TEXT NOT NULL,
            progress REAL NOT NULL,
            message TEXT NOT NULL,
            error TEXT,
            created REAL NOT NULL,
            updated REAL NOT NULL
        )""",
        "CREATE INDEX state_of_parent ON state (project, parent)",
        "CREATE INDEX job_of_project ON job (project, created)",
    ),
    (
        "ALTER TABLE project ADD COLUMN plan TEXT NOT NULL DEFAULT '{}'",
        """CREATE TABLE source (
            project TEXT PRIMARY KEY REFERENCES project (id) ON DELETE CASCADE,
            name TEXT NOT NULL,
            content BLOB NOT NULL
        )""",
    ),
)

VERSION = len(MIGRATIONS)


def prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Bring a database to the present schema, or raise ProjectError where it is not ours or newer than we are."""
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = NORMAL")  # with WAL: a crash of the machine may lose the last move, never the file
    _check_origin(connection, path)
    _use_wal(connection)
    if _version(connection) == VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")  # another process may be at it: look again once it is our turn
    try:
        for statements in MIGRATIONS[_version(connection) :]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection) -> int:
    return connection.execute("PRAGMA user_version").fetchone()[0]


def _check_origin(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("BEGIN")  # one snapshot: another process may be creating the tables just now
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    version = _version(connection)
    connection.execute("COMMIT")
    if tables and application != APPLICATION_ID:
        raise ProjectError(f"{path} is a database of another program. Choose another folder with --workspace DIR.")
    if version > VERSION:
        raise ProjectError(
            f"The workspace {path.parent} was used with a newer KAN Workbench (schema {version}; this one knows up to {VERSION}). "
            f"Update it (pip install --upgrade kan-workbench) or choose another folder with --workspace DIR."
        )


def _use_wal(connection: sqlite3.Connection) -> None:
    """Readers and one writer at a time. SQLite does not wait for its turn at this one statement, so we do."""
    for attempt in range(_WAL_TRIES):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if attempt == _WAL_TRIES - 1:
                raise
            time.sleep(0.1)
