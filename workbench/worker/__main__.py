"""`python -m workbench.worker [--tasks FILE.py]... [--warm]`: started by a WorkerPool, not by hand."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from workbench.jobs.pipes import claim_pipes
from workbench.worker.registry import Registry
from workbench.worker.serve import serve


def main() -> int:
    """Serve jobs from the standard input until it ends."""
    parser = argparse.ArgumentParser(prog="python -m workbench.worker", description=__doc__)
    parser.add_argument("--tasks", action="append", default=[], type=Path, metavar="FILE.py", help="a file with more tasks")
    parser.add_argument("--warm", action="store_true", help="import everything before the first job, and try it once")
    options = parser.parse_args()
    source, sink = claim_pipes()
    serve(source, sink, Registry(options.tasks), warm=options.warm)
    return 0


if __name__ == "__main__":
    sys.exit(main())
