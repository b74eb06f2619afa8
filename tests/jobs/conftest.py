"""Pools of real worker processes for the tests of this folder."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from workbench.jobs import WorkerPool

TASKS = Path(__file__).with_name("worker_tasks.py")


OPTIONS = {"batch_workers": 1, "task_files": [TASKS], "warm": False, "terminate_after": 0.3, "kill_after": 0.6}


@pytest.fixture(scope="session")
def pool() -> Iterator[WorkerPool]:
    """Return the pool of all tests that leave nothing running in it: it stops quickly, and does not import the kernels."""
    with WorkerPool(**OPTIONS) as shared:
        yield shared


@pytest.fixture
def new_pool() -> Iterator[Callable[..., WorkerPool]]:
    """Return a maker of pools that are closed after the test."""
    pools: list[WorkerPool] = []

    def make(**options) -> WorkerPool:
        pools.append(WorkerPool(**{**OPTIONS, **options}))
        return pools[-1]

    yield make
    for pool in pools:
        pool.close()


@pytest.fixture
def own_pool(new_pool) -> WorkerPool:
    """Return a pool for this test alone."""
    return new_pool()


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie counts, since it was not reaped."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def until() -> Callable[..., None]:
    """Return a function that waits for something to become true, and fails with its name if it does not."""

    def wait(condition: Callable[[], object], seconds: float = 10.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "it did not happen"
            time.sleep(0.01)

    return wait


@pytest.fixture
def is_alive() -> Callable[[int], bool]:
    """Return `alive`."""
    return alive
