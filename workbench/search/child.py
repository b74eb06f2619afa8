"""`python -m workbench.search.child NAME`: one engine, one problem from the standard input, messages to the standard output, the end.

    {"type": "progress", "message": ...}     {"type": "proposal", "text": ..., "path": [...]}     {"type": "done"}
    {"type": "failed", "message": ..., "missing": whether something is not installed}

It is started by `workbench.search.process`, and ends when its input does: a search never outlives who asked for it.
"""

from __future__ import annotations

import importlib
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from workbench.exceptions import MissingEngineError, WorkbenchError
from workbench.jobs import framing
from workbench.jobs.pipes import claim_pipes
from workbench.search.problem import Proposal
from workbench.search.process import received

ENGINES = {  # name -> the module whose `answers(problem, settings)` yields proposals, and progress in words
    "partner": "workbench.search.native.partner",
    "operon": "workbench.search.operon.portfolio",
    "pysr": "workbench.search.pysr.run",
}
OWN, STEPS_BACK = ("partner",), 5  # our own engine and its partner take two cores, where there are no more; the others are content with what is left


def main(name: str) -> None:
    """Serve one problem and end the process, without the farewells of the libraries that were used."""
    if name not in OWN and hasattr(os, "nice"):
        os.nice(STEPS_BACK)
    source, sink = claim_pipes()
    asked = framing.read(source)
    if asked is not None:
        threading.Thread(target=_end_with, args=[source], daemon=True).start()
        message, arrays = asked
        for answer in _answers(name, message, arrays):
            sink.write(framing.encode(answer))
            sink.flush()
    os._exit(0)


def _answers(name: str, message: Mapping, arrays: Mapping) -> Iterator[dict]:
    try:
        engine = importlib.import_module(ENGINES[name])
        for found in engine.answers(received(message, arrays), message):
            yield _told(found)
        yield {"type": "done"}
    except WorkbenchError as error:
        yield {"type": "failed", "message": str(error), "missing": isinstance(error, MissingEngineError)}
    except Exception as error:  # noqa: BLE001   the border of a process: a fault becomes a sentence for the one who asked
        reason = " ".join(str(error).split())[:300]
        yield {"type": "failed", "message": f"The engine {name} failed: {type(error).__name__}: {reason}", "missing": False}


def _told(found: Proposal | str) -> dict:
    if isinstance(found, str):
        return {"type": "progress", "message": found}
    return {"type": "proposal", "text": str(found.expression), "path": list(found.path)}


def _end_with(source: BinaryIO) -> None:
    """Wait for the end of the input: nobody listens any more."""
    while source.read(1):
        continue
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])
