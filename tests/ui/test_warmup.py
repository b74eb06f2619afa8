"""What a server loads before anybody asks, and what it leaves out; in a process of its own, since nothing loaded is ever unloaded."""

from __future__ import annotations

import json
import subprocess
import sys

PROGRAM = """
import gc, json, sys
from workbench.ui import warmup
warmup.start().join()
print(json.dumps({"loaded": sorted(sys.modules), "frozen": gc.get_freeze_count(), "searched": len(gc.get_objects())}))
"""


def test_the_pages_are_loaded_and_spared_the_collector_and_no_numerics_come_with_them() -> None:
    run = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    found = json.loads(run.stdout.splitlines()[-1])
    assert {"workbench.ui.pages.export", "workbench.figures.plots", "plotly.graph_objs", "pandas"} <= set(found["loaded"])
    assert not {"numba", "scipy", "sympy", "torch", "sklearn", "workbench.networks"} & set(found["loaded"])
    assert found["frozen"] > 100 * found["searched"]        # what the search after each run of a page would otherwise go through
