"""One SQLite file, used by several threads and processes at once; its errors as sentences.

WAL mode lets everybody read while one writes. A writer waits up to ten seconds for its turn. Every change is one
transaction: it happened, or it did not.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

from workbench.exceptions import ProjectError
from workbench.store.file import decode, encode
from workbench.store.records import Arrays, Json
from workbench.store.schema import prepare

BUSY_SECONDS = 10.0
MAX_BLOB_BYTES = 950_000_000  # SQLite itself stops at a billion


class Database:
    """A workspace's database file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.RLock()
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # measurements are nobody else's business
            self._connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            raise ProjectError(
                f"The workspace {path.parent} cannot be opened ({error}). Choose a folder that may be written to with --workspace DIR."
            ) from error
        self._connection.row_factory = sqlite3.Row
        try:
            with self._sentences():
                prepare(self._connection, path)
        except ProjectError:
            self._connection.close()
            raise

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    @contextlib.contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Give a view of the database that does not change while it is looked at."""
        yield from self._transaction("BEGIN")

    @contextlib.contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Give the right to change the database: all of it is kept, or none if an exception leaves the block."""
        yield from self._transaction("BEGIN IMMEDIATE")

    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with self._lock, self._sentences():
            if self._connection.in_transaction:  # ours, since we hold the lock: join it
                yield self._connection
                return
            self._connection.execute(begin)
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:  # SQLite itself rolls back where the disk is full
                    self._connection.execute("ROLLBACK")
                raise

    @contextlib.contextmanager
    def _sentences(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise ProjectError(_sentence(error, self._path)) from error
        except (OverflowError, UnicodeEncodeError) as error:
            raise ProjectError(f"A number or text cannot be saved: {error}. Numbers have up to 64 bits, texts are Unicode.") from error


def to_text(value: Mapping[str, object], what: str) -> str:
    """Return JSON text for a column; NaN and infinities are kept, as Python's json writes them."""
    try:
        return json.dumps(dict(value), ensure_ascii=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise ProjectError(f"The {what} cannot be saved: {error}. It holds texts, numbers, lists and records only.") from error


def from_text(text: str) -> dict[str, object]:
    """Return what `to_text` wrote."""
    return cast("dict[str, object]", json.loads(text))


def to_blob(content: Json, arrays: Arrays, what: str) -> bytes:
    """Return JSON and arrays as one column."""
    blob = encode(content, arrays)
    if len(blob) > MAX_BLOB_BYTES:
        raise ProjectError(
            f"The {what} has {len(blob) / 1e6:.0f} MB; a project can hold up to {MAX_BLOB_BYTES / 1e6:.0f} MB in one piece. "
            f"Leave out columns or rows that are not needed."
        )
    return blob


def from_blob(blob: bytes, what: str) -> tuple[dict[str, object], Arrays]:
    """Return what `to_blob` wrote; a disk error in it is noticed."""
    return decode(blob, f"The {what}")


def _sentence(error: sqlite3.Error, path: Path) -> str:
    reason = str(error)
    if "locked" in reason or "busy" in reason:
        return f"The workspace {path.parent} is busy: another process has been writing to it for {BUSY_SECONDS:.0f} s. Try again."
    if "not a database" in reason or "malformed" in reason:
        return f"{path} is damaged, or no workspace of KAN Workbench. Restore it from a backup, or choose another folder with --workspace DIR."
    return (
        f"The workspace {path} could not be used ({reason}). Check that its disk has space and that it may be written to; "
        f"what was saved before is still there."
    )
