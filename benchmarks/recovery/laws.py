"""Formulas whose truth is known, as their sets write them down, and the tables and test points drawn from them."""

from __future__ import annotations

import csv
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from workbench.expression import Expression, evaluate, parse

FORMULAS = Path(__file__).parent.parent / "formulas"
DEFAULT_ROWS = 1000
TEST_POINTS = 2000
NOT_BY_R2 = {"Livermore-12"}  # heavy-tailed: one point near the pole outweighs all others
SETS = {  # what can be asked for by name -> the files it is made of
    **{name: (name,) for name in ("feynman_dev", "applied", "nguyen", "keijzer", "livermore")},
    "classic": ("keijzer", "livermore"),
}

Columns = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Law:
    """One formula of a set.

    Parameters
    ----------
    id : its name in the set
    target : name of the column it gives
    expression : the truth
    box : name -> (low, high) of every input, also of those the formula does not need
    n_rows : rows of a table, where the set says so
    even : whether rows are an even grid; uniform draws otherwise
    """

    id: str
    target: str
    expression: Expression
    box: Mapping[str, tuple[float, float]]
    n_rows: int | None = None
    even: bool = False

    @property
    def scored_by_r2(self) -> bool:
        """Whether R2 says anything here."""
        return self.id not in NOT_BY_R2

    def table(self, seed: int, noise: float = 0.0, n_rows: int | None = None) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Return columns and target of a table: the law's own sampling and rows, and Gaussian noise of that fraction of the target's root mean square."""
        generator = np.random.default_rng([1 + seed, zlib.crc32(self.id.encode())])
        n_rows = self.n_rows or n_rows or DEFAULT_ROWS  # rows that a set prescribes are part of the problem
        columns = self._grid(n_rows) if self.even else self._drawn(n_rows, generator)
        y = evaluate(self.expression, columns)
        return columns, y + noise * np.sqrt(np.mean(y**2)) * generator.standard_normal(len(y))

    def points(self, widened: float = 0.0, n_points: int = TEST_POINTS) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Return clean points where the truth is finite, and its values there; `widened` is by how much of its width the box grows."""
        generator = np.random.default_rng([0, zlib.crc32(self.id.encode())])
        columns = {
            name: generator.uniform(low - widened / 2 * (high - low), high + widened / 2 * (high - low), n_points) for name, (low, high) in self.box.items()
        }
        y = evaluate(self.expression, columns)
        finite = np.isfinite(y)
        return {name: column[finite] for name, column in columns.items()}, y[finite]

    def _grid(self, n_rows: int) -> dict[str, np.ndarray]:
        if len(self.box) != 1:
            raise ValueError(f"{self.id}: an even grid is for formulas of one variable, and this one has {len(self.box)}.")
        columns = {name: np.linspace(low, high, n_rows) for name, (low, high) in self.box.items()}
        finite = np.isfinite(evaluate(self.expression, columns))
        return {name: column[finite] for name, column in columns.items()}

    def _drawn(self, n_rows: int, generator: np.random.Generator) -> dict[str, np.ndarray]:
        """Draw rows until there are enough where the truth is finite."""
        drawn = {name: np.empty(0) for name in self.box}
        for _ in range(100):
            more = {name: generator.uniform(low, high, n_rows) for name, (low, high) in self.box.items()}
            finite = np.isfinite(evaluate(self.expression, more))
            drawn = {name: np.concatenate([drawn[name], more[name][finite]])[:n_rows] for name in drawn}
            if len(next(iter(drawn.values()))) == n_rows:
                return drawn
        raise ValueError(f"{self.id}: the formula has finite values almost nowhere in its box.")


def read_set(name: str) -> list[Law]:
    """Return the laws of a set by its name, or of a CSV file by its path.

    >>> [law.id for law in read_set("nguyen")][:2]
    ['Nguyen-1', 'Nguyen-2']
    """
    if name not in SETS:
        return _read(Path(name))
    laws = [law for part in SETS[name] for law in _read(FORMULAS / f"{part}.csv")]
    return [law for law in laws if name != "classic" or law.scored_by_r2]


def _read(path: Path) -> list[Law]:
    with path.open(encoding="utf-8", newline="") as file:
        return [_law(row) for row in csv.DictReader(file)]


def _law(row: Mapping[str, str]) -> Law:
    variables = [part.split(":") for part in row["variables"].split(";")]
    box = {name: (float(low), float(high)) for name, low, high in variables}
    return Law(
        id=row["id"],
        target=row["output"] if row["output"] not in box else "target",
        expression=parse(row["formula"], symbols=list(box)),
        box=box,
        n_rows=int(row["n_train"]) if row.get("n_train") else None,
        even=(row.get("sampling") or "U").startswith("E"),
    )
