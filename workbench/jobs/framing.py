"""How server and worker talk: one line of JSON, then as many bytes of arrays as the line announces.

    {"type": "run", "job": "x7", "task": "echo", "arguments": {...}, "bytes": 1234}\\n
    1234 bytes of safetensors

The worker keeps the real pipe to itself (see `workbench.worker.serve`), so no stray print can land between two
messages; whatever does not parse is a fault of the process at the other end and ends the conversation.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import BinaryIO

import numpy as np

from workbench.arrays import pack, unpack

Message = dict[str, object]


def encode(message: Mapping[str, object], arrays: Mapping[str, np.ndarray] | None = None) -> bytes:
    """Return a message and its arrays as bytes. NumPy numbers are JSON numbers here; arrays belong into `arrays`.

    Raises
    ------
    TypeError
        Something in the message is not JSON, or an array is not numeric.
    """
    body = pack(arrays) if arrays else b""
    line = json.dumps({**message, "bytes": len(body)}, default=_plain, separators=(",", ":"))
    return line.encode("ascii") + b"\n" + body


def read(stream: BinaryIO) -> tuple[Message, dict[str, np.ndarray]] | None:
    """Return the next message and its arrays, or None where the stream ends, be it in the middle of a message.

    Raises
    ------
    ValueError
        The bytes are not a message.
    """
    line = stream.readline()
    if not line.endswith(b"\n"):
        return None
    message = json.loads(line)
    if not isinstance(message, dict) or type(message.get("bytes")) is not int:
        raise ValueError(f"not a message: {line[:80]!r}")
    size = message.pop("bytes")
    body = stream.read(size)
    if len(body) < size:
        return None
    return message, unpack(body)[0] if size else {}


def _plain(value: object) -> object:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} is not JSON: give numbers, texts, lists and records, and arrays as arrays.")
