"""Pause, step, go on, finish: a task that rests is told so, holds nobody else up, and loses nothing."""

from __future__ import annotations

import itertools
import os
import signal
import sys
import threading
import time

import pytest

from workbench.exceptions import JobCancelled, JobError
from workbench.jobs import scheduler
from workbench.worker import Context, Wishes

FAR = {"moves": 30_000}


def place(pool, job):
    """Where a walk has said it rests."""
    return int(pool.get(job.id).message.removeprefix("move ") or 0)


def paused(pool, until, arguments=None, **options):
    job = pool.submit("walk", arguments or FAR, **options)
    until(lambda: pool.get(job.id).status == "running")
    pool.steer(job.id, "pause")
    until(lambda: pool.get(job.id).status == "paused")
    return job


def test_a_paused_task_stands_still_until_it_goes_on(pool, until):
    job = paused(pool, until, {"moves": 300})
    there = place(pool, job)
    assert 0 < there < 300
    time.sleep(0.1)
    assert (pool.get(job.id).status, place(pool, job)) == ("paused", there)
    assert not pool.get(job.id).finished
    pool.steer(job.id, "go on")
    assert pool.wait(job.id, timeout=20).value == {"walked": 300}
    statuses = [status for status, _ in itertools.groupby(event.job.status for event in pool.events(job.id))]
    assert statuses == ["queued", "running", "paused", "running", "done"]


def test_what_is_shown_while_it_rests_is_what_there_is(pool, until):
    job = paused(pool, until)
    events = list(pool.events(job.id, timeout=0.0))
    assert events[-1].job.status == "paused"
    assert events[-2].payload == {"move": place(pool, job)}
    pool.cancel(job.id)


def test_a_step_goes_to_the_end_of_its_block_and_steps_add_up(pool, until):
    job = paused(pool, until)
    for asked in (1, 1, 3):
        there = place(pool, job)
        for _ in range(asked):
            pool.steer(job.id, "step")
        wanted = (there // 3 + asked) * 3
        until(lambda wanted=wanted: place(pool, job) == wanted and pool.get(job.id).status == "paused")
    time.sleep(0.1)
    assert place(pool, job) == wanted
    pool.cancel(job.id)


def test_a_step_of_a_task_that_runs_pauses_it_at_the_end_of_its_block(pool, until):
    job = pool.submit("walk", FAR)
    until(lambda: pool.get(job.id).status == "running")
    pool.steer(job.id, "step")
    until(lambda: pool.get(job.id).status == "paused")
    assert place(pool, job) % 3 == 0
    pool.cancel(job.id)


def test_pausing_twice_is_pausing_once(pool, until):
    job = paused(pool, until, {"moves": 60})
    pool.steer(job.id, "pause")
    pool.steer(job.id, "go on")
    pool.steer(job.id, "go on")
    assert pool.wait(job.id, timeout=20).value == {"walked": 60}


@pytest.mark.parametrize("resting", [True, False])
def test_a_task_that_is_asked_to_finish_keeps_what_it_has(pool, until, resting):
    job = paused(pool, until)
    if not resting:
        pool.steer(job.id, "go on")
    pool.steer(job.id, "finish")
    kept = pool.wait(job.id, timeout=20).value["kept"]
    assert place(pool, job) <= kept < FAR["moves"]
    assert pool.get(job.id).status == "done"


def test_a_paused_task_is_stopped_at_once_by_the_message_alone(new_pool, until):
    pool = new_pool(terminate_after=20, kill_after=30)
    job = paused(pool, until)
    asked = time.monotonic()
    pool.cancel(job.id)
    with pytest.raises(JobCancelled):
        pool.wait(job.id, timeout=5)
    assert time.monotonic() - asked < 2


def test_wishes_that_come_before_the_task_begins_are_heeded(pool, until):
    first = pool.submit("sleep", {"seconds": 30})
    second, third = pool.submit("walk", FAR), pool.submit("walk", FAR)
    pool.steer(second.id, "pause")
    pool.steer(third.id, "finish")  # there is nothing to keep
    with pytest.raises(JobCancelled, match="before it began"):
        pool.wait(third.id, timeout=5)
    pool.cancel(first.id)
    until(lambda: pool.get(second.id).status == "paused")
    assert place(pool, second) == 1
    pool.cancel(second.id)


@pytest.mark.parametrize("lane", ["batch", "interactive"])
def test_a_paused_task_holds_up_neither_its_own_lane_nor_the_other(new_pool, until, lane):
    pool = new_pool()
    job = paused(pool, until, {"moves": 90}, lane=lane)
    for other in ("batch", "interactive"):
        assert pool.wait(pool.submit("echo", {"n": 1}, lane=other).id, timeout=20).value == {"n": 1}
    assert pool.get(job.id).status == "paused"
    pool.steer(job.id, "go on")
    assert pool.wait(job.id, timeout=20).value == {"walked": 90}
    until(lambda: sum(worker.lane == lane for worker in tuple(pool._scheduler._workers.values())) == 1)  # who stood in has left
    assert pool.wait(pool.submit("echo", {"n": 2}, lane=lane).id, timeout=20).value == {"n": 2}


def test_work_that_was_stood_in_for_does_not_widen_its_lane_for_good(new_pool, until):
    pool = new_pool()
    first = paused(pool, until, {"moves": 500})
    second, third = pool.submit("walk", {"moves": 500}), pool.submit("echo", {"n": 1})
    until(lambda: pool.get(second.id).status == "running")
    assert pool.get(third.id).status == "queued"
    pool.steer(first.id, "go on")
    until(lambda: pool.get(first.id).finished or pool.get(second.id).finished)
    assert pool.wait(third.id, timeout=20).value == {"n": 1}
    assert all(pool.get(job.id).finished for job in (first, second))  # one at a time: it waited for both


def test_too_many_paused_tasks_hold_their_lane(new_pool, until, monkeypatch):
    monkeypatch.setattr(scheduler, "MOST_RESTING", 1)
    pool = new_pool()
    jobs = [paused(pool, until), paused(pool, until)]
    waiting = pool.submit("echo", {"n": 1})
    time.sleep(0.3)
    assert pool.get(waiting.id).status == "queued"
    pool.cancel(jobs[0].id)
    pool.wait(waiting.id, timeout=20)


def test_a_waiting_worker_uses_no_time(own_pool, until):
    if not sys.platform.startswith("linux"):
        pytest.skip("reads /proc")
    pid = own_pool.wait(own_pool.submit("surroundings").id, timeout=20).value["pid"]
    job = paused(own_pool, until)
    spent = [ticks(pid)]
    time.sleep(0.5)
    spent.append(ticks(pid))
    assert spent[1] - spent[0] <= 2  # hundredths of a second
    own_pool.cancel(job.id)


def ticks(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_time_at_rest_does_not_count_as_time_it_may_take(pool, until):
    job = paused(pool, until, time_limit=0.4)
    time.sleep(0.8)
    assert pool.get(job.id).status == "paused"
    pool.steer(job.id, "go on")
    with pytest.raises(JobError, match="the longest it may take"):
        pool.wait(job.id, timeout=10)


def test_a_finished_job_is_not_steered(pool):
    job = pool.submit("walk", {"moves": 1})
    pool.wait(job.id, timeout=20)
    for wish in ("pause", "step", "go on", "finish"):
        pool.steer(job.id, wish)
    assert pool.wait(pool.submit("echo", {"n": 1}).id, timeout=20).value == {"n": 1}
    assert pool.get(job.id).status == "done"


def test_a_task_without_resting_places_goes_on(pool, until):
    job = pool.submit("sleep", {"seconds": 0.3})
    until(lambda: pool.get(job.id).status == "running")
    pool.steer(job.id, "pause")
    assert pool.wait(job.id, timeout=20).value == 30


def test_a_wish_nobody_knows_is_refused_with_the_known_ones(pool):
    with pytest.raises(JobError, match=r"Did you mean 'pause'\? Known: pause, step, go on, finish\."):
        pool.steer("any", "pauze")
    with pytest.raises(JobError, match="no job 'gone'"):
        pool.steer("gone", "pause")


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_a_paused_task_whose_worker_is_killed_has_failed_and_says_so(own_pool, until):
    pid = own_pool.wait(own_pool.submit("surroundings").id, timeout=20).value["pid"]
    job = paused(own_pool, until)
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(JobError, match="killed by SIGKILL"):
        own_pool.wait(job.id, timeout=10)
    assert own_pool.wait(own_pool.submit("echo", {"n": 1}).id, timeout=20).value == {"n": 1}


def test_a_paused_task_is_interrupted_when_the_pool_closes_and_observers_hear_of_both(own_pool, until):
    heard = []
    own_pool.observe(lambda job, result: heard.append(job.status))
    job = paused(own_pool, until)
    begun = time.monotonic()
    own_pool.close()
    assert time.monotonic() - begun < 3
    assert own_pool.get(job.id).status == "interrupted"
    assert [status for status, _ in itertools.groupby(heard)] == ["queued", "running", "paused", "interrupted"]


# ---- the worker's side, without a process


def resting(wishes, turns):
    return Context(lambda *report: None, wishes, turns.append)


def test_nobody_rests_without_being_asked():
    turns = []
    context = resting(Wishes(), turns)
    assert not any(context.rest(place) for place in range(5))
    assert turns == []


def test_a_step_is_used_up_by_the_next_place_and_not_by_the_same_one():
    wishes, turns = Wishes(), []
    context = resting(wishes, turns)
    context.rest(4)
    wishes.tell("step")
    context.rest(4)
    assert turns == []
    threading.Timer(0.05, wishes.tell, ["go on"]).start()
    context.rest(5)
    assert turns == [True, False]


def test_to_stop_comes_before_to_finish():
    wishes = Wishes()
    wishes.tell("finish")
    assert resting(wishes, []).rest(1)
    wishes.cancel()
    with pytest.raises(JobCancelled):
        resting(wishes, []).rest(1)
