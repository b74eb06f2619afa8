"""A workspace for each test of the pages, and one set of real workers for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from workbench.jobs import Job, Result, WorkerPool
from workbench.store import Store
from workbench.ui import services as services_module
from workbench.ui.server import SCRIPT
from workbench.ui.services import Services

PATIENCE = 60.0  # seconds: the first run imports Streamlit's elements


class _Books:
    """Writes what workers do into the store of the test that runs."""

    def __init__(self) -> None:
        self.store: Store | None = None

    def record(self, job: Job, result: Result | None) -> None:
        if self.store is not None:
            self.store.jobs.record(job, result)


@pytest.fixture(scope="session")
def _workers() -> Iterator[tuple[WorkerPool, _Books]]:
    books = _Books()
    with WorkerPool(batch_workers=1, warm=False, terminate_after=0.3, kill_after=0.6) as pool:
        pool.observe(books.record)
        yield pool, books


@pytest.fixture
def opened(tmp_path: Path, _workers: tuple[WorkerPool, _Books], monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    """Return the services that every page finds: an empty workspace, and workers."""
    pool, books = _workers
    with Store(tmp_path / "workspace") as store:
        books.store = store
        services = Services(store, pool)
        monkeypatch.setattr(services_module._holder, "_services", services)
        yield services
        books.store = None
        for job in pool.jobs():
            pool.cancel(job.id)


@pytest.fixture
def app(opened: Services) -> AppTest:
    """Return the app, to be run without a browser."""
    return AppTest.from_file(str(SCRIPT), default_timeout=PATIENCE)
