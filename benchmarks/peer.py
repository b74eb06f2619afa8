"""The process that holds pykan: started with its own Python, asked one question at a time."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any


class PykanPeer:
    """pykan behind a pipe: `with PykanPeer(python) as peer: peer.ask(do="fit", seed=0)`.

    Raises
    ------
    RuntimeError : the process ended without an answer; its last words are in the message
    """

    def __init__(self, python: str) -> None:
        script = Path(__file__).with_name("pykan_peer.py")
        self._process = subprocess.Popen(
            [python, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def ask(self, **request: Any) -> dict[str, Any]:
        """Return the answer to one request."""
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"pykan ended with code {self._process.wait()} at {request}; run benchmarks/pykan_peer.py by hand to see why")
        return json.loads(answer)

    def __enter__(self) -> PykanPeer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.stdin.close()
        self._process.wait(timeout=60)
