"""Columns in exponents: log|h| is a sum of few of log u, u, u v, u / v and u log v.

    h = c u^p v^w exp(-a u / v)        Arrhenius and Beer laws, growth at a rate, power laws whose exponent is a column
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from workbench.expression import Expression, Number, call, mul, power
from workbench.search.native.monomials import combination
from workbench.search.native.screens.sums import combinations
from workbench.search.native.state import Candidate, State
from workbench.search.native.transforms import targets
from workbench.search.native.watch import Watch

_MOST_COLUMNS, _LARGEST = 5, 4
_TRANSFORMS = ("log(y)",)

_Term = tuple[np.ndarray, Expression]


def with_exponents(state: State, watch: Watch) -> Iterator[Candidate]:
    """Yield products of powers and exponentials whose exponents may be columns."""
    if not 2 <= state.n_columns <= _MOST_COLUMNS:
        return
    terms = list(_terms(state))
    values, names = np.column_stack([values for values, _ in terms]), [name for _, name in terms]

    def written(columns: list[int], coefficients: np.ndarray) -> Expression:
        return combination(coefficients, [names[i] for i in columns])

    yield from combinations(state, watch, targets(state, _TRANSFORMS), values, written, _LARGEST)


def _terms(state: State) -> Iterator[_Term]:
    columns = list(zip(state.columns.T, state.names, state.positive.tolist()))
    yield np.ones(state.n_rows), Number(1)
    for u, name, positive in columns:
        yield u, name
        yield u * u, power(name, 2)
        if positive:
            yield np.log(u), call("log", name)
            yield 1 / u, power(name, -1)
    for (u, first, _), (v, second, positive) in itertools.permutations(columns, 2):
        if positive:
            yield u * np.log(v), mul(first, call("log", second))
            yield u / v, mul(first, power(second, -1))
    for (u, first, _), (v, second, _) in itertools.combinations(columns, 2):
        yield u * v, mul(first, second)
