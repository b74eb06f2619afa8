"""The workspace as a file: several processes, older and newer versions, foreign and damaged files, jobs."""

from __future__ import annotations

import dataclasses
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from workbench.exceptions import ProjectError
from workbench.jobs import Job, WorkerPool
from workbench.store import Store, default_workspace, schema

ROOT = Path(__file__).parents[2]


def python(script: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


WRITER = """
import sys
import numpy as np
from workbench.store import Draft, Store
with Store(sys.argv[1]) as store:
    for number in range(int(sys.argv[4])):
        store.states.append(sys.argv[2], Draft(f"{sys.argv[3]} {number}", {}, {"n": number}, {"x": np.full(1009, number)}))
"""


def test_two_processes_and_two_threads_write_one_project_and_nothing_is_lost(store, make_draft):
    project = store.projects.create("shared").id
    writers = [python(WRITER, store.path, project, name, 29) for name in ("left", "right")]

    def write():
        for _ in range(29):
            store.states.append(project, make_draft("here"))

    threads = [threading.Thread(target=write) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for writer in writers:
        _, errors = writer.communicate(timeout=60)
        assert writer.returncode == 0, errors
    history = store.states.history(project)
    assert [step.id for step in history] == list(range(1, 4 * 29 + 1))
    for name in ("left", "right"):
        assert [step.label for step in history if step.label.startswith(name)] == [f"{name} {number}" for number in range(29)]
    assert store.projects.get(project).cursor == history[-1].id


def test_processes_that_open_a_new_workspace_at_once_all_succeed(tmp_path):
    script = "import sys; from workbench.store import Store; Store(sys.argv[1]).projects.create('x')"
    openers = [python(script, tmp_path / "new") for _ in range(4)]
    for opener in openers:
        _, errors = opener.communicate(timeout=60)
        assert opener.returncode == 0, errors
    with Store(tmp_path / "new") as store:
        assert len(store.projects.all()) == 4


KILLED = """
import os, signal, sys
from workbench.store import Draft, Store
store = Store(sys.argv[1])
store.states.append(sys.argv[2], Draft("whole", {}, {}))
with store._database.write() as connection:
    connection.execute("UPDATE project SET name = 'half'")
    print("now", flush=True)
    signal.pause()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_a_process_killed_in_the_middle_of_a_change_leaves_no_half_of_it(store):
    project = store.projects.create("whole").id
    with python(KILLED, store.path, project) as writer:
        assert writer.stdout.readline() == "now\n"
        os.kill(writer.pid, signal.SIGKILL)
        writer.communicate()
    assert store.projects.get(project).name == "whole"
    assert [step.label for step in store.states.history(project)] == ["whole"]


def test_a_change_that_fails_half_way_is_undone(store, make_draft):
    project = store.projects.create("a").id

    def fail_half_way():
        with store._database.write() as connection:
            connection.execute("UPDATE project SET name = 'b'")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail_half_way()
    assert store.projects.get(project).name == "a"
    store.states.append(project, make_draft("fit"))


def test_a_busy_workspace_says_so(store, monkeypatch):
    store._database._connection.execute("PRAGMA busy_timeout = 50")
    other = sqlite3.connect(store.path / "workbench.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(ProjectError, match=r"is busy: another process .* Try again"):
        store.projects.create("x")
    other.execute("ROLLBACK")
    other.close()
    assert store.projects.create("x").name == "x"


def test_a_workspace_of_a_newer_version_is_refused_untouched(tmp_path):
    Store(tmp_path).close()
    connection = sqlite3.connect(tmp_path / "workbench.sqlite")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(ProjectError, match=r"newer KAN Workbench \(schema 99; this one knows up to 2\).*--workspace DIR"):
        Store(tmp_path)
    connection = sqlite3.connect(tmp_path / "workbench.sqlite")
    assert connection.execute("PRAGMA user_version").fetchone() == (99,)
    connection.close()


def test_an_older_workspace_is_brought_up_to_date_with_everything_in_it(tmp_path, monkeypatch):
    with Store(tmp_path) as store:
        project = store.projects.create("old").id
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, ("CREATE TABLE bookmark (project TEXT, state INTEGER)",)))
    monkeypatch.setattr(schema, "VERSION", 3)
    with Store(tmp_path) as store:
        assert store.projects.get(project).name == "old"
        with store._database.read() as connection:
            assert connection.execute("PRAGMA user_version").fetchone()[0] == 3
            assert connection.execute("SELECT count(*) FROM bookmark").fetchone()[0] == 0


def test_a_workspace_of_the_first_schema_opens_with_its_projects(tmp_path, monkeypatch):
    with monkeypatch.context() as first:
        first.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:1])
        first.setattr(schema, "VERSION", 1)
        connection = sqlite3.connect(tmp_path / "workbench.sqlite", isolation_level=None)
        schema.prepare(connection, tmp_path / "workbench.sqlite")
        connection.execute("INSERT INTO project (id, name, created, updated) VALUES ('p', 'old', 1, 1)")
        connection.close()
    with Store(tmp_path) as store:
        assert (store.projects.get("p").name, store.projects.get("p").plan) == ("old", {})
        store.projects.set_plan("p", {"hidden": "5"})
        assert store.projects.get("p").plan == {"hidden": "5"}


def test_a_migration_that_fails_leaves_the_workspace_as_it_was(tmp_path, monkeypatch):
    Store(tmp_path).close()
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, ("CREATE TABLE bookmark (state INTEGER)", "CREATE NONSENSE")))
    monkeypatch.setattr(schema, "VERSION", 3)
    with pytest.raises(ProjectError, match="could not be used"):
        Store(tmp_path)
    monkeypatch.undo()
    with Store(tmp_path) as store, store._database.read() as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'bookmark'").fetchone()[0] == 0


def test_the_database_of_another_program_is_refused_untouched(tmp_path):
    connection = sqlite3.connect(tmp_path / "workbench.sqlite")
    connection.execute("CREATE TABLE bookmarks (url TEXT)")
    connection.close()
    before = (tmp_path / "workbench.sqlite").read_bytes()
    with pytest.raises(ProjectError, match="database of another program"):
        Store(tmp_path)
    assert (tmp_path / "workbench.sqlite").read_bytes() == before


def test_a_file_that_is_no_database_is_refused_with_a_sentence(tmp_path):
    (tmp_path / "workbench.sqlite").write_bytes(b"\x89PNG" + bytes(5000))
    with pytest.raises(ProjectError, match="is damaged, or no workspace"):
        Store(tmp_path)


def test_a_workspace_that_cannot_be_made_is_refused_with_a_sentence(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ProjectError, match=r"cannot be opened .* --workspace DIR"):
        Store(tmp_path / "file" / "workspace")


def test_the_default_workspace_is_the_users_own_data_folder(tmp_path, monkeypatch):
    monkeypatch.setattr("platformdirs.user_data_dir", lambda name, appauthor: str(tmp_path / name))
    assert default_workspace() == tmp_path / "kan-workbench"


# Jobs


def job(**changes) -> Job:
    plain = Job("j1", None, "fit", "batch", "running", 0.25, "epoch 3", None, 1.5, 2.5)
    return dataclasses.replace(plain, **changes)


def test_a_job_is_written_and_rewritten_under_its_id(store):
    project = store.projects.create("a").id
    store.jobs.record(job(project=project))
    store.jobs.record(job(project=project, status="failed", error="No.", updated=3.5))
    store.jobs.record(job(id="j2", created=9.0))
    assert store.jobs.all(project) == (job(project=project, status="failed", error="No.", updated=3.5),)
    assert [entry.id for entry in store.jobs.all()] == ["j2", "j1"]


def test_interrupt_marks_what_was_running_and_nothing_else(store):
    for status in ("queued", "running", "done", "failed", "cancelled", "interrupted"):
        store.jobs.record(job(id=status, status=status))
    assert store.jobs.interrupt() == 2
    after = {entry.id: entry for entry in store.jobs.all()}
    assert {entry.id for entry in after.values() if entry.status == "interrupted"} == {"queued", "running", "interrupted"}
    assert "Start it again" in after["running"].error
    assert after["done"] == job(id="done", status="done")
    assert store.jobs.interrupt() == 0


def test_a_job_of_a_purged_project_leaves_no_row(store):
    project = store.projects.create("a").id
    store.jobs.record(job(project=project))
    store.projects.purge(project)
    store.jobs.record(job(project=project, status="done"))
    assert store.jobs.all() == ()


def test_a_pool_writes_its_jobs_into_the_store_before_anyone_hears(store):
    project = store.projects.create("a").id
    with WorkerPool(batch_workers=1, warm=False) as pool:
        pool.observe(store.jobs.record)
        done = pool.submit("echo", project=project)
        pool.wait(done.id, timeout=20)
        assert store.jobs.all(project) == (pool.get(done.id),)
        assert store.jobs.all(project)[0].status == "done"


SERVER = """
import sys, time
from workbench.jobs import WorkerPool
from workbench.store import Store
store, pool = Store(sys.argv[1]), WorkerPool(batch_workers=1, task_files=[sys.argv[3]], warm=False)
pool.observe(store.jobs.record)
pool.submit("sleep", {"seconds": 60}, project=sys.argv[2])
while not any(job.status == "running" for job in store.jobs.all()):
    time.sleep(0.01)
print("running", flush=True)
time.sleep(60)
"""


def test_a_job_of_a_server_that_was_killed_is_interrupted_when_the_next_one_starts(store):
    project = store.projects.create("a").id
    with python(SERVER, store.path, project, ROOT / "tests" / "jobs" / "worker_tasks.py") as server:
        assert server.stdout.readline() == "running\n"
        server.kill()
        server.communicate()
    assert store.jobs.all(project)[0].status == "running"
    time.sleep(0.05)
    assert store.jobs.interrupt() == 1
    assert store.jobs.all(project)[0].status == "interrupted"
