"""Long work in other processes: the page stays free, the work can be stopped, and a crash costs one job.

A *task* is a registered name (see `workbench.worker`). A *job* is one run of a task: JSON arguments and named arrays
go to a worker process, progress events come back, then a `Result` or one plain sentence about what went wrong.

    with WorkerPool() as pool:
        job = pool.submit("echo", {"text": "hello"}, lane="interactive")
        result = pool.wait(job.id, timeout=10)

    submit ──> queued ──> running ──> done | failed | cancelled          interrupted: the server ended first
                           │    ▲ paused: its worker waits, and does not count among those of its lane
                           │ progress events, one ring buffer per job ──> events() for threads, stream() for asyncio

Workers are plain subprocesses that speak through their pipes; never `multiprocessing`, whose "spawn" runs a Streamlit
script again in every child, and never threads, which would hold the page's interpreter.
"""

from workbench.jobs.job import Event, Job, Lane, Result, Status, Wish
from workbench.jobs.ledger import Observer
from workbench.jobs.pool import WorkerPool

__all__ = ["Event", "Job", "Lane", "Observer", "Result", "Status", "Wish", "WorkerPool"]
