"""Laws with known constants, sampled; and what a search of them found."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from workbench.expression import Expression, evaluate, parse
from workbench.search import Proposal, SearchProblem
from workbench.search.native import NativeEngine


def problem(law: str, ranges: dict[str, tuple[float, float]], n_rows: int, noise: float = 0.0, seed: int = 3, **bound: object) -> SearchProblem:
    """Return uniform rows of a law; noise in shares of the root mean square of y."""
    rng = np.random.default_rng(seed)
    X = np.column_stack([rng.uniform(low, high, n_rows) for low, high in ranges.values()])
    y = evaluate(parse(law), dict(zip(ranges, X.T)))
    y = y + noise * np.sqrt(np.mean(y**2)) * rng.standard_normal(n_rows)
    return SearchProblem(X, y, tuple(ranges), **bound)


def search(given: SearchProblem, seconds: float = 10.0, until: Callable[[Proposal], bool] | None = None) -> list[Proposal]:
    """Return the proposals of the native engine, up to the first that `until` accepts."""
    end, found = time.monotonic() + seconds, []
    for proposal in NativeEngine().search(given, lambda: time.monotonic() > end):
        found.append(proposal)
        if until is not None and until(proposal):
            break
    return found


def error(expression: Expression, law: str, ranges: dict[str, tuple[float, float]], n_rows: int = 499) -> float:
    """Return the root mean square difference from a law on new rows, in shares of its standard deviation."""
    clean = problem(law, ranges, n_rows, seed=101)
    values = evaluate(expression, dict(zip(ranges, clean.X.T)))
    return float(np.sqrt(np.mean((values - clean.y) ** 2)) / np.std(clean.y))
