"""What units alone say of a law: it is a monomial in the target's unit, times a function of groups that have none.

    y = x_1^p_1 ... x_k^p_k  h(G_1, ..., G_m)        [y] = [x_1]^p_1 ... [x_k]^p_k,    G_j = x_1^e_j1 ... x_k^e_jk,    [G_j] = 1

There are as many independent groups as columns less the rank of their dimensions (Buckingham, 1914). Which monomial and which groups is free, so
the plainest are offered: those that no fewer columns can make, with small exponents, in several bases. They are found as the minimal relations
between the vectors of exponents of the base units. Units that differ by a prefix differ by a number only, and that is for the constants of h.

A quantity with the same value in every row is no column, but its unit takes part: with g known to be in m/s^2, T/sqrt(L) is as good as a pure number.
A column of which nothing is known goes with everything, as where formulas are checked: it is a group by itself. Units only propose. A law may hide a
constant with a unit, and then the target's cannot be made, or the surrogate of what is left predicts worse than that of the whole.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import gcd, lcm

import numpy as np

from workbench.search.native import monomials
from workbench.search.native.reductions import moves
from workbench.search.native.reductions.moves import Weighed
from workbench.search.native.state import State
from workbench.search.problem import Dimensions, Vector

_LARGEST_SUPPORT = 5  # columns of a group: with three base units four make one
_MOST_SUPPORTS = 1500
_LARGEST_EXPONENT = 6
_MONOMIALS, _BASES = 4, 4  # that are weighed, each with each
_KEPT = 3
_NO_RISE = 1.05  # of the leave-one-out error: fewer columns that say as much are fitted better, not worse


@dataclass(frozen=True)
class Reduction:
    """Exponents of the monomial, one per column, and of every group."""

    monomial: Vector
    groups: tuple[Vector, ...]


def reduced(root: State, given: Dimensions, error: float, stop: Callable[[], bool]) -> list[Weighed]:
    """Return the problem as its units reduce it in the likeliest ways, the most promising first; nothing where the rows speak against all of them.

    Parameters
    ----------
    root : the problem
    given : what its columns, the target, and what is constant measure
    error : of a surrogate of the root
    stop : asked between two of them
    """
    states = [state for reduction in reductions(given) if (state := applied(root, reduction)) is not None]
    found = moves.weighed(states, _KEPT, stop)
    return [own for own in found if own.error < _NO_RISE * error]


def reductions(given: Dimensions) -> list[Reduction]:
    """Return the plainest reductions to fewer columns, with and without the help of what is constant."""
    found: dict[Reduction, None] = {}
    if given.target is not None:
        known = [tuple(Fraction(0) for _ in given.target) if each is None else each for each in given.inputs]
        for constants in ([], list(given.constants)):
            found.update(dict.fromkeys(_reductions(known, constants, given.target)))
    return list(found)


def applied(root: State, reduction: Reduction) -> State | None:
    """Return the state of h over the groups; None where the target cannot be divided by the monomial."""
    exponents = np.array([reduction.monomial], dtype=float)
    state = root
    if any(reduction.monomial):
        values = monomials.evaluate(root.columns, exponents)[:, 0]
        if not (np.isfinite(values).all() and values.all()):
            return None
        factor = monomials.written(root.names, reduction.monomial)
        state = state.divided(values, factor, f"by its unit it is {factor} times a pure number")
    signed = ~root.positive
    groups = [group if all(e.denominator == 1 for e in itertools.compress(group, signed)) else tuple(2 * e for e in group) for group in reduction.groups]
    names = [monomials.written(root.names, group) for group in groups]
    rest = state.without(range(root.n_columns), f"by their units the columns enter as {', '.join(map(str, names))}" if names else "")
    if not names:
        return rest
    values = monomials.evaluate(root.columns, np.array(groups, dtype=float))
    varied = np.ptp(values, axis=0) != 0  # also where a row has no value: such rows are left out later
    return replace(rest, columns=values[:, varied], names=tuple(itertools.compress(names, varied)))


def relations(vectors: Sequence[Vector]) -> Iterator[Vector]:
    """Yield the exponents of every product of powers without a unit that no fewer of its factors can make, those of few factors first.

    >>> rho, v, L, mu = (-3, 1, 0), (1, 0, -1), (1, 0, 0), (-1, 1, -1)        # m, kg, s
    >>> [[str(e) for e in own] for own in relations([tuple(map(Fraction, each)) for each in (rho, v, L, mu)])]
    [['1', '1', '1', '-1']]
    """
    known: list[frozenset[int]] = []
    sizes = range(1, min(_LARGEST_SUPPORT + 1, len(vectors)) + 1)
    for support in itertools.islice(itertools.chain.from_iterable(itertools.combinations(range(len(vectors)), k) for k in sizes), _MOST_SUPPORTS):
        if any(own.issubset(support) for own in known):
            continue
        exponents = _relation([vectors[i] for i in support])
        if exponents is not None:
            known.append(frozenset(support))
            yield tuple(exponents[support.index(i)] if i in support else Fraction(0) for i in range(len(vectors)))


def _reductions(columns: list[Vector], constants: list[Vector], target: Vector) -> Iterator[Reduction]:
    n = len(columns)
    found = list(relations([*columns, *constants, target]))
    factors = {tuple(-e / own[-1] for e in own[:n]): None for own in found if own[-1]}
    groups = {_rooted(_plain(own[:n])): None for own in found if not own[-1] and any(own[:n])}
    bases = _bases(sorted(groups, key=_size))
    if not factors or len(bases[0]) >= n:
        return
    for monomial, basis in itertools.product(sorted(factors, key=_size)[:_MONOMIALS], bases):
        if any(map(any, (monomial, *basis))) and all(abs(e) <= _LARGEST_EXPONENT for own in (monomial, *basis) for e in own):
            yield Reduction(monomial, basis)


def _bases(groups: list[Vector]) -> list[tuple[Vector, ...]]:
    """Return bases of the groups: the plainest, and the plainest with each of some other groups."""
    found = dict.fromkeys(_basis([*groups[k : k + 1], *groups]) for k in range(max(1, min(len(groups), 2 * _BASES))))
    return sorted(found, key=lambda basis: tuple(map(sum, zip((0, 0), *map(_size, basis)))))[:_BASES]


def _basis(groups: list[Vector]) -> tuple[Vector, ...]:
    """Return the first groups that are independent of those before, the plainest first."""
    chosen: list[Vector] = []
    for group in groups:
        if np.linalg.matrix_rank(np.array([*chosen, group], dtype=float)) > len(chosen):
            chosen.append(group)
    return tuple(sorted(chosen, key=lambda group: (_size(group), group)))


def _relation(vectors: list[Vector]) -> Vector | None:
    """Return the exponents, none of them 0, with which the vectors sum to nothing; None where there are none, or not only one such choice.

    Gauss and Jordan's elimination, exact: of the last column by the others.
    """
    rows = [list(row) for row in zip(*vectors, strict=True)]
    last = len(vectors) - 1
    for k in range(last):
        pivot = next((row for row in rows[k:] if row[k]), None)
        if pivot is None:
            return None
        rows.remove(pivot)
        pivot = [value / pivot[k] for value in pivot]
        rows = [[a - row[k] * b for a, b in zip(row, pivot)] for row in rows]
        rows.insert(k, pivot)
    if any(row[last] for row in rows[last:]):
        return None
    exponents = (*(-row[last] for row in rows[:last]), Fraction(1))
    return _plain(exponents) if all(exponents) else None


def _plain(exponents: Sequence[Fraction]) -> Vector:
    """Return the exponents as the smallest whole numbers in their ratio, more of them above the bar than below."""
    scale = Fraction(lcm(*(e.denominator for e in exponents)), gcd(*(e.numerator for e in exponents)) or 1)
    whole = [e * scale for e in exponents]
    scale = Fraction(1, gcd(*(e.numerator for e in whole)) or 1)
    first = next((e for e in whole if e), Fraction(1))
    return tuple(e * scale * (1 if (sum(whole), first) > (0, 0) else -1) for e in whole)


def _rooted(group: Vector) -> Vector:
    """Return the square root of a group where that is plainer: v/sqrt(g*L), rho*v*sqrt(A)/mu."""
    return min(group, tuple(e / 2 for e in group), key=_size)


def _size(exponents: Vector) -> tuple[int, Fraction]:
    """Return how many factors a product has, and how large its exponents are; fractions count as larger."""
    return sum(map(bool, exponents)), sum((abs(e) * e.denominator for e in exponents), Fraction(0))
