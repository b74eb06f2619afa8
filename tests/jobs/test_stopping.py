"""Cancelling, killing, limits and the end of a pool: what is stopped is gone, and the next job runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from workbench.exceptions import JobCancelled, JobError


@pytest.fixture
def pool(own_pool):
    """Return a pool for each test: these leave ruins."""
    return own_pool


POSIX = pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")


def running(pool, until, task, arguments=None, **options):
    job = pool.submit(task, arguments, **options)
    until(lambda: pool.get(job.id).status == "running" and pool.get(job.id).message)
    return job


def pid_of_lane(pool, lane="interactive"):
    return pool.wait(pool.submit("surroundings", lane=lane).id, timeout=20).value["pid"]


def test_a_running_task_that_listens_stops_at_once_and_its_worker_stays(new_pool, until):
    pool = new_pool(terminate_after=20, kill_after=30)
    before = pid_of_lane(pool)
    job = running(pool, until, "sleep", {"seconds": 30}, lane="interactive")
    asked = time.monotonic()
    pool.cancel(job.id)
    with pytest.raises(JobCancelled, match="It was stopped"):
        pool.wait(job.id, timeout=5)
    assert time.monotonic() - asked < 2
    assert pool.get(job.id).status == "cancelled"
    assert pid_of_lane(pool) == before


def test_a_queued_job_is_cancelled_without_ever_running(pool, until):
    first = running(pool, until, "sleep", {"seconds": 30})
    second = pool.submit("sleep", {"seconds": 30})
    pool.cancel(second.id)
    with pytest.raises(JobCancelled, match="before it began"):
        pool.wait(second.id, timeout=5)
    assert [event.job.status for event in pool.events(second.id)] == ["queued", "cancelled"]
    assert pool.get(first.id).status == "running"


@POSIX
@pytest.mark.parametrize(("task", "terminate_after", "kill_after", "least"), [("deaf to the message", 0.3, 30, 0.3), ("deaf to SIGTERM", 0.1, 0.4, 0.4)])
def test_a_task_that_does_not_listen_is_terminated_then_killed(new_pool, until, task, terminate_after, kill_after, least):
    pool = new_pool(terminate_after=terminate_after, kill_after=kill_after)
    job = running(pool, until, task, lane="interactive")
    asked = time.monotonic()
    pool.cancel(job.id)
    pool.cancel(job.id)  # asking twice changes nothing
    with pytest.raises(JobCancelled, match="It was stopped"):
        pool.wait(job.id, timeout=10)
    assert time.monotonic() - asked >= least
    assert pool.wait(pool.submit("echo", {"n": 1}, lane="interactive").id, timeout=20).value == {"n": 1}


def test_a_task_that_finishes_although_it_was_cancelled_is_done(new_pool, until):
    pool = new_pool(terminate_after=20, kill_after=30)
    job = pool.submit("notice late")
    until(lambda: pool.get(job.id).status == "running")
    pool.cancel(job.id)
    assert pool.wait(job.id, timeout=5).value == "finished all the same"


def test_cancelling_a_finished_job_changes_nothing(pool):
    job = pool.submit("echo", {"n": 1})
    pool.wait(job.id, timeout=20)
    pool.cancel(job.id)
    assert pool.wait(pool.submit("echo", {"n": 2}).id, timeout=20).value == {"n": 2}
    assert pool.get(job.id).status == "done"


@POSIX
@pytest.mark.parametrize("lane", ["interactive", "batch"])
def test_kill_9_fails_the_job_with_a_sentence_and_the_next_one_runs(pool, until, lane):
    pid = pid_of_lane(pool, lane)
    job = running(pool, until, "sleep", {"seconds": 30}, lane=lane)
    waiting = pool.submit("echo", {"n": 1}, lane=lane)
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(JobError, match=r"ended unexpectedly \(killed by SIGKILL") as caught:
        pool.wait(job.id, timeout=10)
    assert not isinstance(caught.value, JobCancelled)
    assert pool.get(job.id).status == "failed"
    assert pool.wait(waiting.id, timeout=20).value == {"n": 1}
    assert pid_of_lane(pool, lane) != pid


@POSIX
def test_kill_9_of_an_idle_worker_is_not_noticed_by_the_next_job(pool):
    os.kill(pid_of_lane(pool), signal.SIGKILL)  # the pool does not know yet: the job goes to the dead worker first
    assert pool.wait(pool.submit("echo", {"n": 1}, lane="interactive").id, timeout=20).value == {"n": 1}


@POSIX
def test_the_spare_takes_the_place_of_a_killed_worker(new_pool, until):
    pool = new_pool()
    first = pid_of_lane(pool)
    until(lambda: len(pool._scheduler._workers) == 2)
    spare = next(worker.process.pid for worker in tuple(pool._scheduler._workers.values()) if worker.lane is None)
    os.kill(first, signal.SIGKILL)
    assert pid_of_lane(pool) == spare
    until(lambda: len(pool._scheduler._workers) == 2)


@pytest.mark.parametrize(("arguments", "how"), [({"code": 3}, "exit code 3"), ({"code": 0}, "exit code 0"), ({}, "killed by SIGKILL")])
def test_a_task_that_ends_its_process_says_how(pool, arguments, how):
    with pytest.raises(JobError, match=how):
        pool.wait(pool.submit("die", arguments).id, timeout=20)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux enforces it")
def test_a_task_that_takes_too_much_memory_fails_and_its_worker_lives_on(pool):
    pid = pid_of_lane(pool)
    with pytest.raises(JobError, match=r"needed more memory than the 256 MB it may take"):
        pool.wait(pool.submit("allocate", {"megabytes": 1000}, lane="interactive").id, timeout=20)
    assert pool.wait(pool.submit("allocate", {"megabytes": 100}, lane="interactive").id, timeout=20).value == 100 * 2**17
    assert pid_of_lane(pool) == pid


@pytest.mark.parametrize(("task", "options"), [("slow", {}), ("sleep", {"time_limit": 0.3})])
def test_a_task_that_takes_too_long_fails_and_says_how_long_it_may_take(pool, task, options):
    job = pool.submit(task, {"seconds": 30}, **options)
    with pytest.raises(JobError, match=r"was stopped after 0\.3 s, the longest it may take") as caught:
        pool.wait(job.id, timeout=10)
    assert not isinstance(caught.value, JobCancelled)
    assert pool.get(job.id).status == "failed"


@POSIX
def test_a_time_limit_also_ends_a_task_that_does_not_listen(pool):
    with pytest.raises(JobError, match="the longest it may take"):
        pool.wait(pool.submit("deaf to SIGTERM", time_limit=0.2).id, timeout=10)


@POSIX
def test_programs_that_a_task_started_end_with_it(pool, until, is_alive):
    job = running(pool, until, "start a program")
    program = next(event.payload["pid"] for event in pool.events(job.id, timeout=5) if event.payload)
    assert is_alive(program)
    pool.cancel(job.id)
    with pytest.raises(JobCancelled):
        pool.wait(job.id, timeout=10)
    until(lambda: not is_alive(program) or _is_zombie(program))


def test_closing_interrupts_what_runs_and_waits_and_leaves_no_process(new_pool, until, is_alive):
    pool = new_pool()
    observed = []
    pool.observe(lambda job, result: observed.append((job.id, job.status)))
    pids = {pid_of_lane(pool, lane) for lane in ("interactive", "batch")}
    pids |= {worker.process.pid for worker in tuple(pool._scheduler._workers.values())}
    first, second = running(pool, until, "sleep", {"seconds": 30}), pool.submit("sleep", {"seconds": 30})
    begun = time.monotonic()
    pool.close()
    assert time.monotonic() - begun < 3
    assert not any(is_alive(pid) for pid in pids)  # not even as zombies
    for job in (first, second):
        assert pool.get(job.id).status == "interrupted"
        assert (job.id, "interrupted") in observed
        with pytest.raises(JobError, match="was closed before this was finished"):
            pool.wait(job.id, timeout=1)
    with pytest.raises(JobError, match="the workers are closed"):
        pool.submit("echo")
    pool.close()


SERVER = """
import sys, time
from workbench.jobs import WorkerPool
pool = WorkerPool(batch_workers=1, task_files=[sys.argv[1]], warm=False)
idle = pool.wait(pool.submit("surroundings", lane="interactive").id).value["pid"]
busy = pool.wait(pool.submit("surroundings").id).value["pid"]
job = pool.submit("deaf to the message")
while not pool.get(job.id).message:
    time.sleep(0.01)
print(idle, busy, flush=True)
if sys.argv[2] == "stay":
    time.sleep(60)
"""


@POSIX
@pytest.mark.parametrize("end", ["stay", "leave"])
def test_workers_end_with_their_server_however_it_ends(end, until, is_alive):
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", SERVER, str(Path(__file__).with_name("worker_tasks.py")), end]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root, text=True) as server:
        pids = [int(pid) for pid in server.stdout.readline().split()]
        assert len(pids) == 2
        if end == "stay":
            assert all(is_alive(pid) for pid in pids)
            server.kill()
        server.wait(timeout=20)
    until(lambda: not any(is_alive(pid) and not _is_zombie(pid) for pid in pids))


def _is_zombie(pid: int) -> bool:
    """An orphan whose new parent has not reaped it yet is gone for our purposes."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True
