"""The registry of tasks and the messages between server and worker."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from workbench.exceptions import JobCancelled, JobError
from workbench.jobs import framing
from workbench.worker import Context, Wishes, registry, task
from workbench.worker.registry import Registry
from workbench.worker.serve import serve

HERE = Path(__file__).parent


def test_every_module_of_tasks_can_be_imported_and_every_task_is_found_by_its_name():
    tasks = Registry().load_all()
    assert {"echo", "table.read", "table.sheets"} <= {found.name for found in tasks}
    fresh = Registry()
    assert all(fresh.find(found.name) is found for found in tasks)


def test_a_module_is_imported_only_when_one_of_its_tasks_is_asked_for():
    script = "import sys; from workbench.worker.registry import Registry; r = Registry(); r.find('echo'); print('workbench.worker.tasks.table' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=HERE.parents[1], capture_output=True, text=True, check=True).stdout == "False\n"


def test_a_file_adds_its_tasks_to_those_of_the_package():
    tasks = Registry([HERE / "worker_tasks.py"])
    assert [tasks.find(name).name for name in ("sleep", "die", "echo")] == ["sleep", "die", "echo"]


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Return the folder of an empty package in which tasks are looked for."""
    folder = tmp_path / "made_up_tasks"
    folder.mkdir()
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(registry, "_PACKAGE", folder.name)
    yield folder
    for name in [name for name in sys.modules if name.startswith(folder.name)]:
        del sys.modules[name]


def test_a_broken_module_costs_its_own_tasks_and_no_others(package):
    (package / "broken.py").write_text("raise RuntimeError('broken')")
    (package / "whole.py").write_text("from workbench.worker import task\n@task('whole.one')\ndef one(*given): ...\n")
    tasks = Registry()
    assert tasks.find("whole.one").name == "whole.one"
    for _ in range(2):
        with pytest.raises(RuntimeError, match="broken"):
            tasks.find("broken.two")


def test_a_task_in_the_wrong_module_is_refused(package):
    (package / "table.py").write_text("from workbench.worker import task\n@task('tabel.read')\ndef read(*given): ...\n")
    with pytest.raises(JobError, match=r"'tabel\.read' is in tasks/table\.py, where nobody looks for it"):
        Registry().find("table.read")


def test_two_tasks_of_one_name_are_refused(tmp_path):
    file = tmp_path / "more.py"
    file.write_text("from workbench.worker import task\n@task('echo')\ndef other(arguments, arrays, context): ...\n")
    with pytest.raises(JobError, match="Two tasks are named 'echo'"):
        Registry([file])


def test_a_file_that_is_not_python_is_refused(tmp_path):
    with pytest.raises(JobError, match=r"not a Python file\. Give one that ends in \.py"):
        Registry([tmp_path / "tasks.txt"])


def test_a_task_can_be_run_without_any_worker():
    reports, wishes = [], Wishes()
    context = Context(lambda *report: reports.append(report), wishes)

    @task("count")
    def count(arguments, arrays, context):
        for number in range(arguments["n"]):
            context.check()
            context.progress(number / arguments["n"], f"{number}")
        return arguments["n"]

    assert count({"n": 3}, {}, context) == 3
    assert reports == [(0.0, "0", None)]
    context.flush()
    context.flush()
    assert reports == [(0.0, "0", None), (2 / 3, "2", None)]
    wishes.cancel()
    with pytest.raises(JobCancelled):
        count({"n": 3}, {}, context)


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(), lambda inner: st.lists(inner, max_size=3), max_leaves=5)


@given(st.lists(st.tuples(JSON, st.booleans()), max_size=4))
def test_messages_come_out_of_a_stream_as_they_went_in(messages):
    x = np.arange(6.0).reshape(2, 3).T
    stream = io.BytesIO(b"".join(framing.encode({"value": value}, {"x": x} if with_arrays else None) for value, with_arrays in messages))
    for value, with_arrays in messages:
        message, arrays = framing.read(stream)
        assert message == {"value": value}
        assert list(arrays) == ["x"] * with_arrays
        if with_arrays:
            assert_array_equal(arrays["x"], x)
    assert framing.read(stream) is None


def test_a_stream_that_ends_in_the_middle_of_a_message_has_ended():
    content = framing.encode({"value": 1}, {"x": np.zeros(3)})
    for length in range(len(content)):
        assert framing.read(io.BytesIO(content[:length])) is None


@pytest.mark.parametrize("line", [b"hello\n", b"[1]\n", b"{}\n", b'{"bytes": "3"}\n', b'{"bytes": true}\n', b'{"bytes": 3}\nabc'])
def test_what_is_no_message_is_refused(line):
    with pytest.raises(ValueError):
        framing.read(io.BytesIO(line))


def test_a_worker_answers_in_order_until_its_input_ends():
    orders = [
        {"type": "run", "job": "a", "task": "echo", "arguments": {"n": 1}},
        {"type": "cancel", "job": "nobody"},
        {"type": "run", "job": "b", "task": "nothing", "arguments": {}},
    ]
    source, sink = io.BytesIO(b"".join(map(framing.encode, orders))), io.BytesIO()
    slow_reader = _Gate(source)
    worker = threading.Thread(target=serve, args=(slow_reader, sink, Registry()))
    worker.start()
    slow_reader.wait_for(lambda: sink.getvalue().count(b"\n") == 5)
    worker.join(timeout=10)
    said = [json.loads(line) for line in sink.getvalue().splitlines()]
    assert [(message["type"], message.get("job")) for message in said] == [
        ("ready", None), ("warm", None), ("started", "a"), ("done", "a"), ("failed", "b")
    ]  # fmt: skip
    assert said[3]["value"] == {"n": 1}
    assert said[4]["error"] == "JobError"


class _Gate:
    """A stream that ends only when the test has seen enough: a worker leaves at once when its server goes."""

    def __init__(self, stream):
        self._stream, self._enough = stream, threading.Event()

    def readline(self):
        line = self._stream.readline()
        if not line:
            self._enough.wait(10)
        return line

    def read(self, size):
        return self._stream.read(size)

    def wait_for(self, condition):
        for _ in range(1000):
            if condition():
                break
            threading.Event().wait(0.01)
        self._enough.set()
