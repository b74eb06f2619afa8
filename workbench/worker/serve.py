"""The life of a worker: hear an order, do it, say what came of it, until the server is gone.

Two threads. The listener reads orders all the time, so that "cancel" and "steer" are heard while a task runs. The main thread does
the tasks, one after another; it is the one that signals, priorities and limits apply to.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Mapping
from typing import BinaryIO, cast

import numpy as np

from workbench import exceptions
from workbench.exceptions import JobCancelled, WorkbenchError
from workbench.jobs import Result, Wish, framing
from workbench.worker.context import Context
from workbench.worker.limits import memory_limit, yield_to_others
from workbench.worker.registry import Registry
from workbench.worker.rehearsal import rehearse
from workbench.worker.wishes import Wishes

log = logging.getLogger(__name__)

Order = tuple[framing.Message, dict[str, np.ndarray]]


def serve(source: BinaryIO, sink: BinaryIO, tasks: Registry, *, warm: bool = False) -> None:
    """Do the jobs that come from `source` and report to `sink`, until the source ends."""
    worker = _Worker(sink, tasks)
    threading.Thread(target=worker.listen, args=(source,), name="listener", daemon=True).start()
    worker.say({"type": "ready", "pid": os.getpid()})
    if warm:
        worker.warm_up()
    worker.say({"type": "warm"})
    worker.work()


class _Worker:
    def __init__(self, sink: BinaryIO, tasks: Registry) -> None:
        self._sink, self._tasks = sink, tasks
        self._orders: queue.SimpleQueue[Order | None] = queue.SimpleQueue()
        self._wishes: dict[str, Wishes] = {}
        self._busy, self._speaking = threading.Lock(), threading.Lock()

    def say(self, message: framing.Message, arrays: Mapping[str, np.ndarray] | None = None) -> None:
        """Send a message."""
        self._write(framing.encode(message, arrays))

    def listen(self, source: BinaryIO) -> None:
        """Take orders until the server is gone; then leave, with everything a task may have started."""
        try:
            while (order := framing.read(source)) is not None:
                self._take(order)
        finally:
            self._orders.put(None)
            if self._busy.locked():
                _leave()

    def _take(self, order: Order) -> None:
        message, _ = order
        job = str(message.get("job"))
        if message["type"] == "cancel":
            if job in self._wishes:
                self._wishes[job].cancel()
            return
        if message["type"] == "steer":
            if job in self._wishes:
                self._wishes[job].tell(cast("Wish", message["wish"]))
            return
        if message["type"] == "run":
            self._wishes[job] = Wishes()
        self._orders.put(order)

    def warm_up(self) -> None:
        """Import and try what the first job would otherwise wait for."""
        with self._busy:
            try:
                self._tasks.load_all()
                rehearse()
            except Exception:  # it is raised again, and reported, by the first job that needs what is broken
                log.exception("not everything could be made ready in advance")

    def work(self) -> None:
        """Carry out orders, one after another."""
        while (order := self._orders.get()) is not None:
            message, arrays = order
            if message["type"] == "yield_to_others":
                yield_to_others()
                continue
            with self._busy:
                self._run(str(message["job"]), message, arrays)

    def _run(self, job: str, message: framing.Message, arrays: dict[str, np.ndarray]) -> None:
        context = Context(
            lambda fraction, text, payload: self.say(
                {"type": "progress", "job": job, "progress": fraction, "message": text, "payload": payload}
            ),
            self._wishes[job],
            lambda resting: self.say({"type": "turned", "job": job, "status": "paused" if resting else "running"}),
        )
        self._write(self._outcome(job, message, arrays, context))
        del self._wishes[job]

    def _outcome(
        self, job: str, message: framing.Message, arrays: dict[str, np.ndarray], context: Context
    ) -> bytes:  # encoded here: a result that is not JSON is a fault of the task like any other
        name = str(message["task"])
        memory: int | None = None
        try:
            task = self._tasks.find(name)
            memory = task.memory
            self.say({"type": "started", "job": job, "time_limit": task.seconds})
            context.check()
            with memory_limit(memory):
                returned = task(_arguments(message), arrays, context)
            context.flush()
            result = returned if isinstance(returned, Result) else Result(returned)
            return framing.encode({"type": "done", "job": job, "value": result.value}, result.arrays)
        except JobCancelled:
            return framing.encode({"type": "cancelled", "job": job})
        except WorkbenchError as error:
            return _failure(job, _public_name(error), str(error))
        except MemoryError:
            return _failure(job, "JobError", _too_large(name, memory))
        except Exception:  # noqa: BLE001  a fault of ours: it must reach the log, and the worker must live on
            return framing.encode({"type": "failed", "job": job, "error": None, "traceback": traceback.format_exc()})

    def _write(self, content: bytes) -> None:
        try:
            with self._speaking:
                self._sink.write(content)
                self._sink.flush()
        except OSError:  # the server is gone, and nobody else can be told
            _leave()


def _arguments(message: framing.Message) -> dict[str, object]:
    arguments = message["arguments"]
    assert isinstance(arguments, dict)
    return arguments


def _failure(job: str, error: str, sentence: str) -> bytes:
    return framing.encode({"type": "failed", "job": job, "error": error, "sentence": sentence})


def _public_name(error: WorkbenchError) -> str:
    """The closest class that the server knows too: a task may raise a private subclass."""
    return next(kind.__name__ for kind in type(error).__mro__ if getattr(exceptions, kind.__name__, None) is kind)


def _too_large(task: str, memory: int | None) -> str:
    if memory is None:
        return f"{task} needed more memory than this machine has free. Try again with less data."
    return f"{task} needed more memory than the {memory / 2**20:.0f} MB it may take. Try again with less data."


def _leave() -> None:
    """End this process in the middle of a task, and with it every program the task has started."""
    if sys.platform != "win32" and os.getpgrp() == os.getpid():  # the pool made us leader of our own group
        with contextlib.suppress(OSError):
            os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)
