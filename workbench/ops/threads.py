"""One thread for linear algebra: the matrices of a small network are too small to be shared out.

On a busy machine two BLAS threads that wait for each other turn a step of a millisecond into a tenth of a second; a fit took twenty times as
long with the library's own choice of threads as with one. So whatever solves the equations of a network runs inside `one_thread`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import lru_cache, wraps
from typing import ParamSpec, TypeVar

from threadpoolctl import ThreadpoolController

P = ParamSpec("P")
R = TypeVar("R")


@lru_cache(maxsize=1)
def _controller() -> ThreadpoolController:
    return ThreadpoolController()  # looks for the loaded libraries once: it takes milliseconds


def limited() -> AbstractContextManager[object]:
    """Return a `with` block in which every BLAS and OpenMP library has one thread; afterwards they have what they had."""
    return _controller().limit(limits=1)


def one_thread(function: Callable[P, R]) -> Callable[P, R]:
    """Run a function with one thread in every BLAS and OpenMP library, and give them back what they had."""

    @wraps(function)
    def alone(*args: P.args, **kwargs: P.kwargs) -> R:
        with limited():
            return function(*args, **kwargs)

    return alone
