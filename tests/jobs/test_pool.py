"""What a caller sees: results, errors, lanes, observers. Every test runs real worker processes."""

from __future__ import annotations

import logging
import threading
import time

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from workbench.exceptions import JobError, TableError
from workbench.jobs import WorkerPool, scheduler


def test_arguments_and_arrays_come_back_as_they_went(pool):
    arrays = {"x": np.arange(15.0).reshape(3, 5).T, "flags": np.array([True, False]), "none": np.empty((0, 7), np.float32)}
    job = pool.submit("echo", {"text": "Länge in µm", "list": [1, None, 2.5]}, arrays, lane="interactive")
    result = pool.wait(job.id, timeout=20)
    assert result.value == {"text": "Länge in µm", "list": [1, None, 2.5]}
    for name, array in arrays.items():
        assert_array_equal(result.arrays[name], array, strict=True)


def test_a_result_may_hold_numpy_numbers_and_views(pool):
    x = np.arange(6.0).reshape(2, 3)
    result = pool.wait(pool.submit("numbers", arrays={"x": x}).id, timeout=20)
    assert result.value == {"mean": 2.5, "n": 6}
    assert_array_equal(result.arrays["twice"], [[0, 6], [2, 8], [4, 10]])


def test_changing_an_array_after_submit_changes_nothing(pool):
    x = np.zeros(7)
    job = pool.submit("echo", arrays={"x": x})
    x += 1
    assert_array_equal(pool.wait(job.id, timeout=20).arrays["x"], np.zeros(7))


def test_a_job_goes_from_queued_to_done(pool):
    job = pool.submit("sleep", {"seconds": 0.05}, project="p")
    assert (job.status, job.progress, job.project, job.lane) == ("queued", 0.0, "p", "batch")
    assert pool.wait(job.id, timeout=20).value == 5
    after = pool.get(job.id)
    assert (after.status, after.progress, after.error, after.finished) == ("done", 1.0, None, True)
    assert after.created == job.created < after.updated


def test_jobs_lists_those_of_a_project_newest_first(own_pool):
    ids = [own_pool.submit("echo", project=project).id for project in ("a", "b", "a")]
    assert [job.id for job in own_pool.jobs("a")] == [ids[2], ids[0]]
    assert [job.id for job in own_pool.jobs()] == ids[::-1]


def test_an_error_for_the_person_keeps_its_class_and_sentence(pool):
    job = pool.submit("raise", {"kind": "table", "sentence": "The file is empty."})
    with pytest.raises(TableError, match=r"^The file is empty\.$"):
        pool.wait(job.id, timeout=20)
    assert (pool.get(job.id).status, pool.get(job.id).error) == ("failed", "The file is empty.")


def test_an_error_class_unknown_to_the_server_becomes_the_closest_known_one(pool):
    job = pool.submit("raise", {"kind": "private", "sentence": "No header."})
    with pytest.raises(TableError) as caught:
        pool.wait(job.id, timeout=20)
    assert type(caught.value) is TableError


def test_a_fault_shows_a_number_and_the_log_has_the_details(pool, caplog):
    job = pool.submit("raise", {"kind": "fault", "sentence": "secret detail"})
    with caplog.at_level(logging.ERROR), pytest.raises(JobError, match="fault in the workbench") as caught:
        pool.wait(job.id, timeout=20)
    assert "secret detail" not in str(caught.value)
    number = str(caught.value).partition("(error ")[2].partition(")")[0]
    logged = [record.getMessage() for record in caplog.records if number in record.getMessage()]
    assert len(logged) == 1
    assert "ZeroDivisionError: secret detail" in logged[0]
    assert 'line' in logged[0]


def test_a_result_that_is_not_json_is_a_fault_and_the_worker_lives_on(pool):
    with pytest.raises(JobError, match="fault in the workbench"):
        pool.wait(pool.submit("not JSON").id, timeout=20)
    assert pool.wait(pool.submit("echo", {"n": 1}).id, timeout=20).value == {"n": 1}


def test_an_unknown_task_fails_with_the_closest_name(pool):
    with pytest.raises(JobError, match=r"no task 'ecko'\. Did you mean 'echo'\? Known: "):
        pool.wait(pool.submit("ecko").id, timeout=20)


@pytest.mark.parametrize("arguments", [{"x": object()}, {"x": np.zeros(3)}])
def test_arguments_that_are_not_json_are_refused_at_once(pool, arguments):
    with pytest.raises(JobError, match="cannot be sent to a worker"):
        pool.submit("echo", arguments)


def test_text_arrays_are_refused_at_once(pool):
    with pytest.raises(JobError, match="'names' has the type <U5"):
        pool.submit("echo", arrays={"names": np.array(["Girth"])})


def test_an_unknown_lane_is_refused_with_the_known_ones(pool):
    with pytest.raises(JobError, match=r"lane='interactiv'\): no such lane\. Did you mean 'interactive'\?"):
        pool.submit("echo", lane="interactiv")


def test_an_unknown_job_is_said_to_be_unknown(pool):
    for ask in (pool.get, pool.cancel, pool.wait, pool.events):
        with pytest.raises(JobError, match="There is no job 'nobody'"):
            ask("nobody")


def test_waiting_gives_up_after_its_timeout_and_the_job_goes_on(pool):
    job = pool.submit("sleep", {"seconds": 0.4})
    with pytest.raises(TimeoutError, match="is still"):
        pool.wait(job.id, timeout=0.05)
    assert pool.wait(job.id, timeout=20).value == 40


def test_a_long_batch_job_does_not_hold_up_an_interactive_one(own_pool):
    long = own_pool.submit("sleep", {"seconds": 30}, lane="batch")
    quick = own_pool.submit("echo", {"n": 1}, lane="interactive")
    assert own_pool.wait(quick.id, timeout=10).value == {"n": 1}
    assert not own_pool.get(long.id).finished


def test_batch_jobs_run_at_once_up_to_the_number_of_workers_and_then_wait(new_pool, until):
    pool = new_pool(batch_workers=2)
    jobs = [pool.submit("sleep", {"seconds": 30}) for _ in range(3)]
    until(lambda: [pool.get(job.id).status for job in jobs] == ["running", "running", "queued"])
    pool.cancel(jobs[0].id)
    until(lambda: pool.get(jobs[2].id).status == "running")


def test_batch_workers_step_back_and_interactive_ones_do_not(pool):
    interactive = pool.wait(pool.submit("surroundings", lane="interactive").id, timeout=20).value
    batch = pool.wait(pool.submit("surroundings", lane="batch").id, timeout=20).value
    assert batch["niceness"] == min(interactive["niceness"] + 10, 19)
    assert batch["pid"] != interactive["pid"]
    assert batch["leader"]
    assert interactive["leader"]
    assert batch["threads"] == interactive["threads"] == "1"


def test_one_worker_serves_many_jobs(pool):
    pids = {pool.wait(pool.submit("surroundings", lane="interactive").id, timeout=20).value["pid"] for _ in range(5)}
    assert len(pids) == 1


def test_a_warm_worker_has_imported_the_kernels_before_its_first_job(new_pool):
    pool = new_pool(warm=True)
    assert pool.wait(pool.submit("surroundings", lane="interactive").id, timeout=100).value["numba"] is True


def test_prints_and_programs_of_a_task_do_not_disturb_the_conversation(pool):
    assert pool.wait(pool.submit("chatter").id, timeout=20).value == 0
    assert pool.wait(pool.submit("echo", {"n": 2}).id, timeout=20).value == {"n": 2}


def test_observers_hear_every_status_in_order_before_anyone_who_waits(own_pool):
    heard, seen_by_waiter = [], []

    def observe(job, result):
        heard.append((job.status, result.value if result else None))
        if job.finished:
            time.sleep(0.1)
            seen_by_waiter.append(own_pool.get(job.id).finished)

    own_pool.observe(observe)
    own_pool.wait(own_pool.submit("echo", {"n": 3}).id, timeout=20)
    assert heard == [("queued", None), ("running", None), ("done", {"n": 3})]
    assert seen_by_waiter == [False]


def test_an_observer_that_fails_stops_neither_the_job_nor_the_others(own_pool, caplog):
    heard = []
    own_pool.observe(lambda job, result: 1 / 0)
    own_pool.observe(lambda job, result: heard.append(job.status))
    assert own_pool.wait(own_pool.submit("echo", {"n": 4}).id, timeout=20).value == {"n": 4}
    assert heard == ["queued", "running", "done"]
    assert "an observer failed" in caplog.text


def test_many_threads_may_submit_at_once(pool):
    found = {}

    def ask(number):
        found[number] = pool.wait(pool.submit("echo", {"n": number}, lane="interactive").id, timeout=30).value["n"]

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(31)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: number for number in range(31)}


def test_old_jobs_are_forgotten_and_the_newest_is_kept(own_pool, monkeypatch):
    monkeypatch.setattr("workbench.jobs.ledger.KEPT_JOBS", 2)
    ids = [own_pool.submit("echo", lane="interactive").id for _ in range(5)]
    own_pool.wait(ids[-1], timeout=20)
    assert [job.id for job in own_pool.jobs()] == [ids[4], ids[3]]


def test_large_results_are_forgotten_first_come_first_go(own_pool, monkeypatch):
    monkeypatch.setattr("workbench.jobs.ledger.KEPT_BYTES", 100)
    ids = [own_pool.submit("echo", arrays={"x": np.zeros(101)}, lane="interactive").id for _ in range(2)]
    assert own_pool.wait(ids[1], timeout=20).arrays["x"].shape == (101,)
    assert [job.id for job in own_pool.jobs()] == [ids[1]]


def test_at_least_one_batch_worker_is_needed():
    with pytest.raises(JobError, match="at least 1"):
        WorkerPool(batch_workers=0)


def test_workers_that_cannot_start_fail_the_job_instead_of_keeping_it_waiting(new_pool, tmp_path, caplog):
    broken = tmp_path / "broken.py"
    broken.write_text("raise RuntimeError('this installation is broken')")
    pool = new_pool(task_files=[broken])
    for lane in ("interactive", "batch"):
        with pytest.raises(JobError, match="worker processes end as soon as they start"):
            pool.wait(pool.submit("echo", lane=lane).id, timeout=30)
    assert caplog.text.count("ended before it was ready") >= scheduler.FAILED_STARTS
