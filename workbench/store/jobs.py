"""Jobs as rows, so that a page that comes back knows what became of them.

    pool.observe(store.jobs.record)          every change of a job is written before anybody hears of it
    store.jobs.interrupt()                   when a server starts: what was running then is running no more
"""

from __future__ import annotations

import time
from dataclasses import astuple, fields

from workbench.jobs import Job, Result
from workbench.store.database import Database

_COLUMNS = tuple(field.name for field in fields(Job))


class Jobs:
    """The jobs of a workspace (`store.jobs`)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, job: Job, result: Result | None = None) -> None:
        """Write a job as it now stands. The result is the business of whoever knows what it means.

        A job of a project that has been purged meanwhile leaves no row.
        """
        marks = ", ".join("?" for _ in _COLUMNS)
        news = ", ".join(f"{column} = excluded.{column}" for column in _COLUMNS)
        with self._database.write() as connection:
            connection.execute(
                f"INSERT INTO job ({', '.join(_COLUMNS)}) SELECT {marks} "
                "WHERE ? IS NULL OR EXISTS (SELECT 1 FROM project WHERE id = ?) "
                f"ON CONFLICT (id) DO UPDATE SET {news}",
                (*astuple(job), job.project, job.project),
            )

    def all(self, project: str | None = None) -> tuple[Job, ...]:
        """Return the jobs of a project, or all, the newest first."""
        query = f"SELECT {', '.join(_COLUMNS)} FROM job WHERE ? IS NULL OR project = ? ORDER BY created DESC, rowid DESC"
        with self._database.read() as connection:
            return tuple(Job(*row) for row in connection.execute(query, (project, project)))

    def interrupt(self) -> int:
        """Mark unfinished jobs as interrupted and return how many there were. For the start of a server."""
        sentence = "The workbench was closed or restarted before this was finished. Start it again."
        with self._database.write() as connection:
            done = connection.execute(
                "UPDATE job SET status = 'interrupted', error = ?, updated = ? WHERE status IN ('queued', 'running', 'paused')",
                (sentence, time.time()),
            )
            return done.rowcount
