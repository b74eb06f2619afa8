"""A worker's two pipes to the process that started it, taken out of everyone else's reach.

A task may call a library that prints, or start a program that reads its standard input. Either would garble the
conversation. So the real pipes move to descriptors that nothing inherits, the standard output becomes the standard
error (the server's log), and the standard input becomes empty.
"""

from __future__ import annotations

import os
import sys
from typing import BinaryIO


def claim_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Return (source, sink), the server's ends of the conversation; afterwards prints go to the standard error."""
    source = os.fdopen(os.dup(0), "rb")  # a duplicate is not inherited by programs that a task starts
    sink = os.fdopen(os.dup(1), "wb")
    sys.stdout.flush()
    os.dup2(2, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return source, sink
