"""A bank of composed features of few columns: sin(u^2), log(1 + u), exp(-u*v), their products, and sums of them.

    T(h) = a F_1 + b F_2 + ... + c,       F = f(m) or f(m) g(k),       m, k small arguments such as u, u^2 + u, 1 + u^2, u*v, u - v

A bank of two thousand columns and all of its pairs are looked through in a tenth of a second.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from workbench.expression import Expression, Number, add, call, complexity, mul, power
from workbench.search.native.monomials import combination
from workbench.search.native.screens.sums import combinations
from workbench.search.native.state import Candidate, State
from workbench.search.native.transforms import targets
from workbench.search.native.watch import Watch

_LARGEST = 1e6
_SINGLES, _FACTORS = 120, 60

_HALF = Fraction(1, 2)
_FUNCTIONS: tuple[tuple[Callable[[np.ndarray], np.ndarray], Callable[[Expression], Expression]], ...] = (
    (lambda m: m, lambda e: e),
    (np.sin, lambda e: call("sin", e)),
    (np.cos, lambda e: call("cos", e)),
    (np.exp, lambda e: call("exp", e)),
    (np.log, lambda e: call("log", e)),
    (np.sqrt, lambda e: power(e, _HALF)),
    (lambda m: 1 / m, lambda e: power(e, -1)),
)
_ONE_COLUMN: tuple[tuple[Callable[[np.ndarray], np.ndarray], Callable[[Expression], Expression]], ...] = (
    (lambda u: u, lambda e: e),
    (lambda u: u * u, lambda e: power(e, 2)),
    (lambda u: u**3, lambda e: power(e, 3)),
    (lambda u: u * u + u, lambda e: add(power(e, 2), e)),
    (lambda u: 1 + u, lambda e: add(1, e)),
    (lambda u: 1 - u, lambda e: add(1, -e)),
    (lambda u: 1 + u * u, lambda e: add(1, power(e, 2))),
    (lambda u: 1 - u * u, lambda e: add(1, -power(e, 2))),
    (lambda u: -u, lambda e: -e),
    (lambda u: -u * u, lambda e: -power(e, 2)),
)
_TWO_COLUMNS: tuple[tuple[Callable[[np.ndarray, np.ndarray], np.ndarray], Callable[[Expression, Expression], Expression]], ...] = (
    (lambda u, v: u * v, lambda a, b: mul(a, b)),
    (lambda u, v: u / v, lambda a, b: mul(a, power(b, -1))),
    (lambda u, v: u - v, lambda a, b: a - b),
    (lambda u, v: u + v, lambda a, b: a + b),
    (lambda u, v: u * u + v * v, lambda a, b: add(power(a, 2), power(b, 2))),
    (lambda u, v: (1 - u) * (1 - v), lambda a, b: mul(add(1, -a), add(1, -b))),
)


@dataclass(frozen=True, eq=False)
class Feature:
    """One column of the bank."""

    values: np.ndarray
    name: Expression


def bank(
    state: State, watch: Watch, transforms: Sequence[str] = ("y", "log(y)", "y^2", "1/y"), most: int = 1700
) -> Iterator[Candidate]:
    """Yield sums of up to three features or products of features, `most` of these, and sums of up to five features."""
    singles = features(state)
    factors = singles[:_FACTORS]
    products = [Feature(a.values * b.values, mul(a.name, b.name)) for i, a in enumerate(factors) for b in factors[: i + 1]]
    one = Feature(np.ones(state.n_rows), Number(1))
    for members, largest in ((_different([one, *singles, *products[:most]]), 3), ([one, *singles], 5)):
        if watch.over:
            return
        names = [feature.name for feature in members]

        def written(columns: list[int], coefficients: np.ndarray, names: list[Expression] = names) -> Expression:
            return combination(coefficients, [names[i] for i in columns])

        values = np.column_stack([feature.values for feature in members])
        yield from combinations(state, watch, targets(state, transforms), values, written, largest)


def features(state: State) -> list[Feature]:
    """Return functions of small arguments, the simplest first, without repeats."""
    arguments = [
        Feature(_evaluated(values, state.columns[:, i]), name(state.names[i])) for values, name in _ONE_COLUMN for i in range(state.n_columns)
    ]
    for i, j in itertools.combinations(range(state.n_columns), 2):
        arguments += [
            Feature(_evaluated(values, state.columns[:, i], state.columns[:, j]), name(state.names[i], state.names[j])) for values, name in _TWO_COLUMNS
        ]
    made = [Feature(_evaluated(values, a.values), name(a.name)) for values, name in _FUNCTIONS for a in arguments]
    return _different(sorted(made, key=lambda feature: complexity(feature.name)))[:_SINGLES]


def _different(made: Sequence[Feature]) -> list[Feature]:
    """Return the features that are finite, moderate and no multiple of an earlier one."""
    kept: dict[bytes, Feature] = {}
    for feature in made:
        size = float(np.abs(feature.values).max()) if np.isfinite(feature.values).all() else np.inf
        if 0 < size < _LARGEST:
            direction = feature.values / feature.values[int(np.argmax(np.abs(feature.values)))]
            kept.setdefault(np.round(direction[:50], 9).tobytes(), feature)
    return list(kept.values())


def _evaluated(function: Callable[..., np.ndarray], *columns: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        return function(*columns)
