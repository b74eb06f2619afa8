"""What every page and route of one server shares: the store of projects and the pool of workers.

Both are opened once, at the start of the server or by the first page that asks, whichever comes first.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass

from workbench.jobs import WorkerPool
from workbench.store import Store

WORKSPACE_VARIABLE = "KAN_WORKBENCH_WORKSPACE"


@dataclass(frozen=True)
class Services:
    """An open store and its workers."""

    store: Store
    pool: WorkerPool

    def close(self) -> None:
        """End the workers, then close the store they are recorded in."""
        self.pool.close()
        self.store.close()


class _Holder:
    """The services of this process, made under a lock: two first visitors must not start two sets of workers."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._services: Services | None = None

    def get(self) -> Services:
        with self._lock:
            if self._services is None:
                self._services = _open()
            return self._services

    def close(self) -> None:
        with self._lock:
            if self._services is not None:
                self._services.close()
            self._services = None


_holder = _Holder()


def services() -> Services:
    """Return the services of this process; the first call opens them."""
    return _holder.get()


def close_services() -> None:
    """Close them. The next call of `services` opens new ones."""
    _holder.close()


def _open() -> Services:
    store = Store(os.environ.get(WORKSPACE_VARIABLE) or None)
    store.jobs.interrupt()
    pool = WorkerPool()
    pool.observe(store.jobs.record)
    return Services(store, pool)
