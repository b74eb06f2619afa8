"""Products of powers u_1^e_1 ... u_k^e_k: which exponents to try, their values on rows, and how they are written."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import lru_cache
from math import comb

import numpy as np

from workbench.expression import Expression, Number, add, mul, power

_INTEGERS = {1: range(-7, 8), 2: range(-5, 6), 3: range(-4, 5), 4: range(-2, 3), 5: range(-2, 3), 6: range(-1, 3), 7: range(-1, 3)}
_HALVES = (-2.5, -1.5, -0.5, 0.5, 1.5, 2.5)
_LARGEST_DENOMINATOR = 12
_LARGEST_RATIO, _NEAR = 4, 0.12  # of coefficients that may be small numbers, and how far they may be from that


@lru_cache(maxsize=64)
def laurent(n_columns: int, most: int, halves: bool = False) -> np.ndarray:
    """Return exponents with both signs, (at most `most`, n_columns), smallest first."""
    base: list[float] = [float(e) for e in _INTEGERS.get(n_columns, range(-1, 2))]
    if halves and n_columns <= 2:
        base = sorted([*base, *_HALVES])
    if len(base) ** n_columns > 300_000:
        return np.vstack([laurent_sparse(n_columns, most)])
    exponents = np.array(list(itertools.product(base, repeat=n_columns)), dtype=float)
    size = np.abs(exponents).sum(1) + 0.25 * (exponents != 0).sum(1) + 0.1 * (exponents % 1 != 0).sum(1)
    return exponents[np.argsort(size, kind="stable")[:most]]


def laurent_sparse(n_columns: int, most: int) -> np.ndarray:
    """Return exponents -1, 1 and 2 on at most two of many columns."""
    rows = [np.zeros(n_columns)]
    for count in (1, 2):
        for where in itertools.combinations(range(n_columns), count):
            for exponents in itertools.product((1.0, -1.0, 2.0), repeat=count):
                row = np.zeros(n_columns)
                row[list(where)] = exponents
                rows.append(row)
                if len(rows) >= most:
                    return np.array(rows)
    return np.array(rows)


@lru_cache(maxsize=256)
def total_degree(n_columns: int, degree: int) -> np.ndarray:
    """Return all exponents of a total degree up to `degree`, lowest first."""
    return np.array(sorted(_simplex(n_columns, degree), key=sum), dtype=float).reshape(-1, n_columns)


@lru_cache(maxsize=64)
def box_degree(n_columns: int, degree: int) -> np.ndarray:
    """Return all exponents up to `degree` in each column, lowest total first."""
    return np.array(sorted(itertools.product(range(degree + 1), repeat=n_columns), key=sum), dtype=float)


def largest_degree(n_columns: int, most: int, cap: int = 40) -> int:
    """Return the largest total degree with at most `most` terms."""
    degree = 1
    while degree < cap and comb(n_columns + degree + 1, n_columns) <= most:
        degree += 1
    return degree


def evaluate(columns: np.ndarray, exponents: np.ndarray) -> np.ndarray:
    """Return the monomials on the rows: (n_rows, n_monomials)."""
    with np.errstate(all="ignore"):
        if len(exponents) > 8 and (columns > 0).all() and (exponents < 0).any():
            return np.exp(np.log(columns) @ exponents.T)
        values = np.ones((len(columns), len(exponents)))
        for i, column in enumerate(columns.T):
            own, places = np.unique(exponents[:, i], return_inverse=True)
            powers = np.stack([np.ones_like(column) if e == 0 else column**e for e in own], axis=1)
            values *= powers[:, places]
    return values


def usable(columns: np.ndarray, exponents: np.ndarray) -> np.ndarray:
    """Return the exponents that are defined on all rows: no roots of what is not positive, no powers below zero of a zero."""
    signed, zero = (columns <= 0).any(axis=0), (columns == 0).any(axis=0)
    whole = (exponents[:, signed] % 1 == 0).all(axis=1)
    return exponents[whole & (exponents[:, zero] >= 0).all(axis=1)]


def written(names: Sequence[Expression], exponents: Sequence[float]) -> Expression:
    """Return the monomial as an expression; exponents are exact fractions."""
    return mul(*(power(name, exact_exponent(e)) for name, e in zip(names, exponents) if e))


def exact_exponent(exponent: float) -> Number:
    """Return an exponent as an exact fraction."""
    return Number(Fraction(float(exponent)).limit_denominator(_LARGEST_DENOMINATOR))


def combination(coefficients: Sequence[float], terms: Sequence[Expression]) -> Expression:
    """Return sum of coefficient * term; floats are free coefficients, fractions exact ones."""
    return add(*(mul(Number(c if isinstance(c, Fraction) else float(c)), term) for c, term in zip(coefficients, terms)))


def sum_of(names: Sequence[Expression], exponents: np.ndarray, coefficients: Sequence[float]) -> Expression:
    """Return sum of coefficient * monomial, with a common monomial in front where that is shorter: m*c**2*(1 - v/c)."""
    pivots = [np.zeros(exponents.shape[1]), _common(exponents), *exponents] if len(exponents) > 1 else [np.zeros(exponents.shape[1])]
    pivot = min(pivots, key=lambda p: np.count_nonzero(p) + np.count_nonzero(exponents - p))
    return mul(written(names, pivot), combination(coefficients, [written(names, e - pivot) for e in exponents]))


def plain_ratios(coefficients: Sequence[float]) -> list[Fraction] | None:
    """Return small numbers in the ratio of the coefficients, if they are near to that.

    >>> plain_ratios([0.98, 1.03, -2.07]), plain_ratios([0.98, 1.21])
    ([Fraction(1, 1), Fraction(1, 1), Fraction(-2, 1)], None)
    """
    for reference in sorted(np.abs(coefficients)):
        ratios = [Fraction(round(2 * c / reference), 2) for c in coefficients]
        if all(0 < abs(r) <= _LARGEST_RATIO and abs(float(r) - c / reference) < _NEAR * abs(r) for r, c in zip(ratios, coefficients)):
            return ratios
    return None


def _common(exponents: np.ndarray) -> np.ndarray:
    """Return the powers that all monomials share."""
    return np.where((exponents > 0).all(0), exponents.min(0), np.where((exponents < 0).all(0), exponents.max(0), 0.0))


def _simplex(n_columns: int, degree: int) -> Iterator[tuple[int, ...]]:
    if n_columns == 0:
        yield ()
        return
    for first in range(degree + 1):
        for rest in _simplex(n_columns - 1, degree - first):
            yield (first, *rest)
