"""One thread for linear algebra: the matrices of a small network are too small to be shared out.

On a busy machine two BLAS threads that wait for each other turn a step of a millisecond into a tenth of a second; a fit took twenty times as
long with the library's own choice of threads as with one. So whatever solves the equations of a network runs inside `one_thread`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache, wraps
from typing import ParamSpec, TypeVar

from threadpoolctl import ThreadpoolController

P = ParamSpec("P")
R = TypeVar("R")


@lru_cache(maxsize=1)
def _controller() -> ThreadpoolController:
    return ThreadpoolController()  # looks for the loaded libraries once: it takes milliseconds


def one_thread(function: Callable[P, R]) -> Callable[P, R]:
    """Run a function with one thread in every BLAS and OpenMP library, and give them back what they had."""

    @wraps(function)
    def alone(*args: P.args, **kwargs: P.kwargs) -> R:
        with _controller().limit(limits=1):
            return function(*args, **kwargs)

    return alone


def each_with_one_thread(steps: Iterator[R]) -> Iterator[R]:
    """Yield what an iterator yields, every step made with one thread; while nobody asks for the next one the libraries have what they had.

    >>> list(each_with_one_thread(iter("abc")))
    ['a', 'b', 'c']
    """
    following = one_thread(next)
    while True:
        try:
            step = following(steps)
        except StopIteration:
            return
        yield step
