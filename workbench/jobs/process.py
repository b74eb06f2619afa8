"""One worker process and the two threads that talk to it; every difference between operating systems lives here.

A worker is the leader of its own session (POSIX) or process group (Windows): Ctrl+C in the server's terminal does not
reach it, and what it started ends with it. It ends by itself when its input ends, so it never outlives the server.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import signal
import site
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from workbench.jobs import framing

log = logging.getLogger(__name__)

# A worker owns one core. Two threads in a small kernel on a busy machine turn 0.3 ms into 30 ms.
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS")

ENDS_WITHIN = 1.0  # seconds from the end of its output to its own end

OnMessage = Callable[["WorkerProcess", framing.Message, dict[str, np.ndarray]], None]
OnEnd = Callable[["WorkerProcess", int], None]


class WorkerProcess:
    """A running worker. `on_message` and `on_end` are called from its reader thread.

    `module` is what it runs: a program that takes `claim_pipes` and speaks in messages of `framing`.
    """

    def __init__(self, options: Sequence[str], on_message: OnMessage, on_end: OnEnd, module: str = "workbench.worker") -> None:
        self._on_message, self._on_end = on_message, on_end
        self._outbox: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._lock, self._ended = threading.Lock(), False
        self._popen = _start([sys.executable, "-P", "-m", module, *options])
        self.pid = self._popen.pid
        self._reader = threading.Thread(target=self._read, name=f"worker-{self.pid}-reader", daemon=True)
        self._writer = threading.Thread(target=self._write, name=f"worker-{self.pid}-writer", daemon=True)
        self._reader.start()
        self._writer.start()

    def send(self, content: bytes) -> None:
        """Queue an encoded message; a worker that does not listen blocks its own writer thread and nobody else."""
        self._outbox.put(content)

    def close(self) -> None:
        """End the worker's input: it leaves, and takes a running task with it."""
        self._outbox.put(None)

    def terminate(self) -> None:
        """Ask it to end (SIGTERM). Windows has no such question and ends it, as `kill` does."""
        self._signal("SIGTERM")

    def kill(self) -> None:
        """End it and what it started, now."""
        self._signal("SIGKILL")

    def join(self, timeout: float) -> bool:
        """Wait until it is gone and reaped; return whether it is."""
        self._reader.join(timeout)
        return not self._reader.is_alive()

    def _read(self) -> None:
        stream = self._popen.stdout
        assert stream is not None
        try:
            while (received := framing.read(stream)) is not None:
                self._on_message(self, *received)
        except (ValueError, OSError, MemoryError, RecursionError) as error:
            log.error("worker %d: what it said could not be read (%s); it is ended", self.pid, error)
        self._let_it_end()
        self._signal("SIGKILL")  # what it started and left behind, and itself if it only fell silent
        with self._lock:
            self._ended = True
        returncode = self._popen.wait()
        stream.close()
        self._outbox.put(None)
        self._writer.join(timeout=1.0)
        self._on_end(self, returncode)

    def _write(self) -> None:
        stream = self._popen.stdin
        assert stream is not None
        with contextlib.suppress(OSError):  # it died: the reader sees that and says so
            while (content := self._outbox.get()) is not None:
                stream.write(content)
                stream.flush()
        with contextlib.suppress(OSError):
            stream.close()

    def _let_it_end(self) -> None:
        """Give it a moment to end by itself, without reaping it, so that how it ended is its own doing and not ours."""
        if sys.platform != "win32" and hasattr(os, "waitid"):  # macOS has had it only since Python 3.13
            deadline = time.monotonic() + ENDS_WITHIN
            while os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None and time.monotonic() < deadline:
                time.sleep(0.01)

    def _signal(self, name: Literal["SIGTERM", "SIGKILL"]) -> None:
        """Signal it, but never after it may have been reaped: its number can then belong to somebody else."""
        with self._lock:
            if self._ended:
                return
            if sys.platform == "win32":
                self._popen.kill()
            elif name == "SIGTERM":
                os.kill(self.pid, signal.SIGTERM)
            else:
                with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: a group of zombies
                    os.killpg(self.pid, signal.SIGKILL)


def _start(command: Sequence[str]) -> subprocess.Popen[bytes]:
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=_environment(), creationflags=flags
        )
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=_environment(), start_new_session=True
    )


def _environment() -> dict[str, str]:
    environment = {**os.environ, "PYTHONUTF8": "1", **dict.fromkeys(_ONE_THREAD, "1")}
    home = str(Path(__file__).resolve().parents[2])
    if home not in _site_folders():  # a checkout: the worker must find the same package, wherever the server was started
        inherited = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = f"{home}{os.pathsep}{inherited}" if inherited else home
    return environment


def _site_folders() -> set[str]:
    return {str(Path(folder).resolve()) for folder in [*site.getsitepackages(), site.getusersitepackages()]}


def describe_end(returncode: int) -> str:
    """Return how a process ended, for a person.

    >>> describe_end(-9), describe_end(3)
    ('killed by SIGKILL', 'exit code 3')
    """
    if returncode >= 0:
        return f"exit code {returncode}"
    try:
        return f"killed by {signal.Signals(-returncode).name}"
    except ValueError:
        return f"killed by signal {-returncode}"
