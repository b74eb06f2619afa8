"""Compiled kernels live in a folder of the user's own, and everything works where there is none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

USES_KERNELS = """
import numba, numpy as np
from workbench.bases import bspline
from workbench.ops import cpu
before = numba.config.CACHE_DIR
values, _ = bspline.terms(np.linspace(-1, 1, 7), (-1.0, 1.0), 5)
assert abs(values[:-1].sum(0) - 1).max() < 1e-15
stats = cpu._input_terms.stats
print(sum(stats.cache_hits.values()), sum(stats.cache_misses.values()), repr(before), stats.cache_path)
"""


def run(code: str = USES_KERNELS, **environment: str) -> list[str]:
    kept = {name: value for name, value in os.environ.items() if name not in {"NUMBA_CACHE_DIR", "XDG_CACHE_HOME"}}
    answer = subprocess.run([sys.executable, "-c", code], env={**kept, **environment}, capture_output=True, text=True, timeout=300, check=False)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.split()


@pytest.mark.skipif(sys.platform != "linux", reason="XDG_CACHE_HOME moves the user's cache on Linux only")
def test_a_second_process_reads_the_kernels_that_the_first_one_compiled(tmp_path: Path) -> None:
    first = run(XDG_CACHE_HOME=str(tmp_path))
    second = run(XDG_CACHE_HOME=str(tmp_path))
    assert (first[:3], second[:3]) == (["0", "1", "''"], ["1", "0", "''"])
    assert Path(first[3]).is_relative_to(tmp_path / "kan-workbench" / "kernels")
    assert (tmp_path / "kan-workbench" / "kernels").stat().st_mode & 0o022 == 0     # nobody else may put code there


def test_a_folder_that_the_user_named_is_used(tmp_path: Path) -> None:
    assert Path(run(NUMBA_CACHE_DIR=str(tmp_path))[3]).is_relative_to(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="a file stands where a folder should be: a POSIX way to a cache that cannot be written")
def test_kernels_are_compiled_in_memory_where_nothing_can_be_written(tmp_path: Path) -> None:
    nowhere = tmp_path / "file"
    nowhere.write_text("in the way")
    refused = "from numba.core import caching\ncaching.InTreeCacheLocator.from_function = classmethod(lambda *_: None)\n"
    code = refused + USES_KERNELS.replace("print(", "assert not stats.cache_hits and stats.cache_path is None\nprint(")
    assert run(code, XDG_CACHE_HOME=str(nowhere), HOME=str(nowhere), IPYTHONDIR=str(nowhere))[0] == "0"
