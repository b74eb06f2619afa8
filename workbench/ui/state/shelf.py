"""Values that take a moment to make, kept by what they were made from.

Only for values that never change, under keys that always mean the same: a stored dataset or state by its number.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar, cast

Value = TypeVar("Value")


class Shelf:
    """The values asked for last, for all visitors of this process.

    >>> shelf = Shelf(size=1)
    >>> shelf.recall(("a",), lambda: 1), shelf.recall(("a",), lambda: 2)
    (1, 1)
    """

    def __init__(self, size: int) -> None:
        self._size, self._lock = size, threading.Lock()
        self._values: OrderedDict[tuple[object, ...], object] = OrderedDict()

    def recall(self, key: tuple[object, ...], make: Callable[[], Value]) -> Value:
        """Return the value of a key, made if it is not here. Two visitors may make it at once; both get an equal one."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return cast("Value", self._values[key])
        value = make()
        with self._lock:
            self._values[key] = value
            while len(self._values) > self._size:
                self._values.popitem(last=False)
        return value
