"""How much a task may take from the machine, and how it steps back for others."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

BATCH_NICENESS = 10  # measured: a page on the same core answers in 161 ms beside it, in 672 ms beside niceness 0


@contextlib.contextmanager
def memory_limit(extra: int | None) -> Iterator[None]:
    """Let this process take `extra` bytes of address space on top of what it has; then allocations raise MemoryError.

    Linux only. macOS accepts such a limit and ignores it, Windows has none: there only the time limit protects.
    """
    if extra is None or not sys.platform.startswith("linux"):
        yield
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    wanted = pages * resource.getpagesize() + extra
    resource.setrlimit(resource.RLIMIT_AS, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def yield_to_others() -> None:
    """Lower the priority of this process, so that batch work never slows the page. Call it from the main thread."""
    if sys.platform == "win32":
        import ctypes

        below_normal_priority_class = 0x4000
        kernel = ctypes.windll.kernel32
        kernel.SetPriorityClass(kernel.GetCurrentProcess(), below_normal_priority_class)
    else:
        os.nice(BATCH_NICENESS)
