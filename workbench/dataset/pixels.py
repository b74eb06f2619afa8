"""Columns that are the pixels of an image, recognised by their names.

    pixel_0_0, pixel_0_1, ... pixel_7_7        row and column of each        or        p1, p2, ... p64        a square, row by row

Pixels that never change on the rows that are fitted are no inputs of a dataset, and copies of one another are one input: the image has them all the same.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workbench.dataset.data import Dataset

_BY_ROW_AND_COLUMN = re.compile(r"(.*?)(\d{1,4})[_x., -](\d{1,4})")
_BY_NUMBER = re.compile(r"(.*?)(\d{1,6})")
_SMALLEST = 4  # pixels along a side


@dataclass(frozen=True, eq=False)
class Pixels:
    """How the inputs of a dataset make images.

    Parameters
    ----------
    height, width : of the images
    places : (height * width,) the input that each pixel is, row by row; -1 where it never changes
    ground : (height * width,) the value of a pixel that never changes
    """

    height: int
    width: int
    places: np.ndarray
    ground: np.ndarray

    def images(self, X: np.ndarray) -> np.ndarray:
        """Return inputs (n_rows, n_inputs) as images (n_rows, 1, height, width)."""
        found = np.where(self.places >= 0, X[:, self.places], self.ground)
        return found.reshape(len(X), 1, self.height, self.width)

    def sizes(self) -> tuple[int, ...]:
        """Return the sides of squares that tile the image into four pieces at least, the smallest first."""
        common = math.gcd(self.height, self.width)
        return tuple(size for size in range(1, common + 1) if common % size == 0 and self.height * self.width >= 4 * size * size)


def pixels_of(data: Dataset) -> Pixels | None:
    """Return how a dataset's inputs make images; None where they do not."""
    targets = set(data.target_names)
    names = [column.name for column in data.table.columns if column.name not in targets and column.kind in ("number", "boolean")]
    found = grid_of(names)
    if found is None or any(made.source not in set(found.order) for made in data.inputs):
        return None
    place_of = {made.source: k for k, made in enumerate(data.inputs)}
    places, ground = [], []
    for name in found.order:
        values = data.table.numbers(name)[data.rows]
        place, learned = place_of.get(name, -1), values[data.split.train]
        if place < 0 and np.ptp(learned) != 0:
            place = _copied(values, data.X)
            if place < 0:  # a person left this pixel out
                return None
        places.append(place)
        ground.append(float(learned[0]))
    return Pixels(found.height, found.width, np.array(places), np.array(ground))


@dataclass(frozen=True)
class Grid:
    """Names in the order of an image, row by row."""

    height: int
    width: int
    order: tuple[str, ...]


def grid_of(names: Sequence[str]) -> Grid | None:
    """Return the largest image that names are the pixels of, None where there is none.

    >>> grid_of([f"p_{r}_{c}" for r in range(4) for c in range(5)]).order[:6]
    ('p_0_0', 'p_0_1', 'p_0_2', 'p_0_3', 'p_0_4', 'p_1_0')
    >>> grid_of([f"p{k}" for k in range(1, 17)]).height, grid_of(["a", "b"])
    (4, None)
    """
    families: dict[tuple[str, int], dict[tuple[int, ...], str]] = {}
    for name in names:
        match = _BY_ROW_AND_COLUMN.fullmatch(name) or _BY_NUMBER.fullmatch(name)
        if match:
            prefix, *numbers = match.groups()
            families.setdefault((prefix, len(numbers)), {})[tuple(map(int, numbers))] = name
    grids = [grid for members in families.values() if (grid := _grid(members)) is not None]
    return max(grids, key=lambda grid: len(grid.order), default=None)


def _grid(members: dict[tuple[int, ...], str]) -> Grid | None:
    """Return the image of names by their numbers, if these leave no gap."""
    axes = [sorted({numbers[axis] for numbers in members}) for axis in range(len(next(iter(members))))]
    if any(axis[0] > 1 or axis != list(range(axis[0], axis[0] + len(axis))) for axis in axes) or math.prod(map(len, axes)) != len(members):
        return None
    height = math.isqrt(len(members)) if len(axes) == 1 else len(axes[0])
    width = height if len(axes) == 1 else len(axes[1])
    if height * width != len(members) or min(height, width) < _SMALLEST:
        return None
    return Grid(height, width, tuple(members[numbers] for numbers in sorted(members)))


def _copied(values: np.ndarray, X: np.ndarray) -> int:
    """Return the input that has the same values on every row, -1 where there is none."""
    same = np.flatnonzero((X == values[:, None]).all(0))
    return int(same[0]) if same.size else -1
