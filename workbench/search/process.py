"""An engine in a process of its own: it cannot take ours down, and it can be ended at any moment.

    here      send the problem   ->   proposals and progress come back   ->   the end, or stop() is true and the process is killed
    there     `python -m workbench.search.child NAME`

What an engine sent before it died is kept; that it died is one sentence.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np

from workbench.exceptions import JobError, MissingEngineError
from workbench.expression import parse
from workbench.jobs import framing
from workbench.jobs.process import WorkerProcess, describe_end
from workbench.search.problem import Proposal, SearchProblem

ASKED_EVERY = 0.05  # seconds between two looks at `stop`
_ENDED_WITHIN = 5.0  # seconds until a killed process is reaped

Progress = Callable[[str], None]


def proposals(
    engine: str,
    problem: SearchProblem,
    settings: Mapping[str, object],
    stop: Callable[[], bool],
    progress: Progress | None = None,
    meanwhile: Callable[[], Iterable[Proposal]] = tuple,
) -> Iterator[Proposal]:
    """Run an engine on a problem; yield what it proposes until it ends or `stop()` is true. The process ends with the iteration.

    Parameters
    ----------
    engine : its name, as `workbench.search.child` knows it
    settings : what the engine itself wants to know, as JSON
    progress : told in words what the engine does
    meanwhile : asked again and again for what can be proposed without the process, such as the content of a file that it writes

    Raises
    ------
    JobError : the engine failed or died; what it had proposed was yielded before
    MissingEngineError : something that it needs is not installed
    """
    inbox: queue.SimpleQueue = queue.SimpleQueue()
    process = WorkerProcess(
        [engine],
        on_message=lambda _, message, arrays: inbox.put(message),
        on_end=lambda _, returncode: inbox.put(returncode),
        module="workbench.search.child",
    )
    try:
        process.send(framing.encode({"type": "search", **_described(problem), **settings}, _arrays(problem)))
        for message in _until(inbox, stop):
            yield from meanwhile()
            match message:
                case int() as returncode:
                    raise JobError(f"The engine {engine} ended in the middle of its search ({describe_end(returncode)}). What it had found is kept.")
                case {"type": "proposal", "text": text, "path": path}:
                    yield Proposal(parse(text, symbols=problem.symbols), engine, tuple(path))
                case {"type": "progress", "message": words} if progress is not None:
                    progress(words)
                case {"type": "failed", "message": words, "missing": missing}:
                    raise MissingEngineError(words) if missing else JobError(words)
                case {"type": "done"}:
                    return
    finally:
        process.kill()
        process.join(_ENDED_WITHIN)


def _until(inbox: queue.SimpleQueue, stop: Callable[[], bool]) -> Iterator[object]:
    """Yield what arrives, and None where nothing did for a moment, until `stop()` is true."""
    while not stop():
        try:
            yield inbox.get(timeout=ASKED_EVERY)
        except queue.Empty:
            yield None


def within(seconds: float | None, stop: Callable[[], bool]) -> Callable[[], bool]:
    """Return a question that is true when `stop()` is, or when the time is over."""
    end = None if seconds is None else time.monotonic() + seconds
    return lambda: stop() or (end is not None and time.monotonic() >= end)


def _described(problem: SearchProblem) -> dict[str, object]:
    return {
        "symbols": list(problem.symbols),
        "functions": None if problem.functions is None else sorted(problem.functions),
        "max_complexity": problem.max_complexity,
    }


def _arrays(problem: SearchProblem) -> dict[str, np.ndarray]:
    arrays = {"X": np.ascontiguousarray(problem.X, dtype=float), "y": np.ascontiguousarray(problem.y, dtype=float)}
    return arrays if problem.weights is None else {**arrays, "weights": np.ascontiguousarray(problem.weights, dtype=float)}


def received(message: Mapping, arrays: Mapping[str, np.ndarray]) -> SearchProblem:
    """Return the problem on the other side of the pipe."""
    functions = message["functions"]
    return SearchProblem(
        X=arrays["X"],
        y=arrays["y"],
        symbols=tuple(message["symbols"]),
        weights=arrays.get("weights"),
        functions=None if functions is None else frozenset(functions),
        max_complexity=message["max_complexity"],
    )
