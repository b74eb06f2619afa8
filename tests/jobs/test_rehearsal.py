"""A warm worker has done everything once: the first request of a person loads nothing more."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from workbench.jobs import WorkerPool

PROGRAM = """
import json, sys
from numba.core.caching import FunctionCache
from workbench.worker.registry import Registry
from workbench.worker.rehearsal import rehearse
from workbench.worker.context import Context
from workbench.worker.wishes import Wishes
import numpy as np

loads = []
original = FunctionCache.load_overload
FunctionCache.load_overload = lambda self, *given: loads.append(self._name) or original(self, *given)
tasks = Registry()
tasks.load_all()
rehearse()
rehearsed, modules = len(loads), set(sys.modules)

from workbench.dataset import Dataset
from workbench.store import Store
from workbench.worker.desk import Desk

store = Store(sys.argv[1])
project = store.projects.create("p").id
a, b, c = np.random.default_rng(0).uniform(-1, 1, (3, 307))
store.projects.set_data(project, *Dataset.from_table({"a": a, "b": b, "c": c, "y": np.exp(a) + b * c}, target="y").to_arrays())
base = {"workspace": sys.argv[1], "project": project}
context = Context(lambda *told: None, Wishes())
for name, more in [
    ("discovery.fit", {"settings": {"hidden_layer_sizes": [3]}}), ("discovery.open", {}), ("discovery.inspect", {"edge": [0, 1, 0]}),
    ("discovery.move", {"move": {"name": "snap", "arguments": {"edge": [0, 1, 0], "form": "x^2"}}}), ("discovery.formula", {}),
    ("discovery.export", {"target": "python"}),
]:
    tasks.find(name)({**base, **more}, {}, context)
print(json.dumps({"rehearsed": rehearsed, "kernels": loads[rehearsed:], "modules": sorted(set(sys.modules) - modules)}))
"""


def test_after_the_rehearsal_nothing_is_loaded_for_the_first_fit_click_snap_and_export(tmp_path) -> None:
    run = subprocess.run([sys.executable, "-c", PROGRAM, str(tmp_path)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout.splitlines()[-1])
    assert found["rehearsed"] > 0
    assert found["kernels"] == []
    assert found["modules"] == []


@pytest.mark.parametrize("warm", [False, True])
def test_the_spare_is_started_when_the_first_worker_is_warm(new_pool, until, warm: bool) -> None:
    pool: WorkerPool = new_pool(warm=warm)
    workers = pool._scheduler._workers
    seen: list[bool] = []
    hire = pool._scheduler._hire

    def watched():
        seen.append(any(worker.warm for worker in workers.values()))
        return hire()

    pool._scheduler._hire = watched
    until(lambda: len(workers) == 2, 60.0)
    assert seen[-1:] == [True]
