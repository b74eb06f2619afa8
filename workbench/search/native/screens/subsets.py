"""The few columns of a dictionary that together make a target: exact pairs and triples, then a beam, all on the Gram matrix.

For unit columns with Gram matrix G and projections c, the share of the target that a pair explains is

    R2(i, j) = (c_i^2 + c_j^2 - 2 c_i c_j G_ij) / (1 - G_ij^2)

which is one matrix for all pairs at once. Greedy selection misses sums of correlated monomials; that is why pairs are searched exactly, triples
exactly among the simplest columns, and longer sums from many of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_SINGULAR = 1e-10
_TRIPLE_COLUMNS = 160  # the simplest ones; all triples of more would not fit into memory


@dataclass(frozen=True)
class Subset:
    """Columns and the share of the target's square that they leave."""

    columns: tuple[int, ...]
    left: float


def best_subsets(dictionary: np.ndarray, target: np.ndarray, largest: int, keep: int = 3, exact: float = 1e-18) -> list[Subset]:
    """Return the best subsets of every size up to `largest`, smallest first; stops at an exact one.

    Parameters
    ----------
    dictionary : (n_rows, n_columns)     simplest columns first; columns that are not finite are passed over
    target : (n_rows,)
    keep : how many of each size
    exact : what an exact fit may leave
    """
    size = np.linalg.norm(dictionary, axis=0)
    usable = np.flatnonzero(np.isfinite(size) & (size > 0))
    total = float(target @ target)
    if not len(usable) or not np.isfinite(total) or total == 0.0:
        return []
    search = _Search(dictionary[:, usable] / size[usable], target / np.sqrt(total), keep, exact)
    found = search.run(min(largest, len(usable), max(len(target) - 1, 1)))
    return [Subset(tuple(int(usable[i]) for i in subset.columns), subset.left) for subset in found]


class _Search:
    """One search; G, c and the columns are shared by its steps."""

    def __init__(self, columns: np.ndarray, target: np.ndarray, keep: int, exact: float) -> None:
        self.columns, self.target, self.keep, self.exact = columns, target, keep, exact
        self.gram = columns.T @ columns
        self.projection = columns.T @ target
        self._pairs: list[tuple[int, ...]] = []  # the best of them, from which longer sets grow
        self._triples: list[tuple[int, ...]] = []

    def run(self, largest: int) -> list[Subset]:
        found: list[Subset] = []
        for sets in (self.singles, self.pairs, self.triples)[:largest]:
            if self._take(sets(), found):
                return found
        beam = [subset.columns for subset in found if len(subset.columns) == 3] + self._triples
        for _ in range(3, largest):
            beam = self.extended(beam)
            if self._take(beam, found):
                break
        return found

    def _take(self, sets: list[tuple[int, ...]], found: list[Subset]) -> bool:
        """Fit the most promising sets honestly, keep the best; return whether one is exact."""
        fitted = sorted((self.fit(s) for s in sets[: 4 * self.keep]), key=lambda s: s.left)
        found += fitted[: self.keep]
        return bool(fitted) and fitted[0].left < self.exact

    def fit(self, columns: tuple[int, ...]) -> Subset:
        chosen = self.columns[:, list(columns)]
        w, *_ = np.linalg.lstsq(chosen, self.target, rcond=None)
        residual = self.target - chosen @ w
        return Subset(columns, float(residual @ residual))

    def singles(self) -> list[tuple[int, ...]]:
        order = np.argsort(-np.abs(self.projection), kind="stable")
        return [(int(i),) for i in order[: 4 * self.keep]]

    def pairs(self) -> list[tuple[int, ...]]:
        c, g = self.projection, self.gram
        with np.errstate(all="ignore"):
            share = (c[:, None] ** 2 + c[None, :] ** 2 - 2 * np.outer(c, c) * g) / (1 - g * g)
        share[(1 - g * g < _SINGULAR) | ~(share <= 1 + 1e-6)] = -1
        share[np.tril_indices(len(c))] = -1
        top = _largest(share, 120)
        self._pairs = [(int(k) // len(c), int(k) % len(c)) for k in top if share.flat[k] >= 0]
        return self._pairs

    def triples(self) -> list[tuple[int, ...]]:
        """All triples of the simplest columns, and the best pairs with one more column."""
        m = min(len(self.projection), _TRIPLE_COLUMNS)
        scored: list[tuple[float, tuple[int, ...]]] = []
        for first in range(m):
            share = self._with_first(first, m)
            scored += [(float(share.flat[k]), (first, int(k) // m, int(k) % m)) for k in _largest(share, 3) if share.flat[k] > 0]
        scored.sort(key=lambda item: -item[0])
        extended = self.extended(self._pairs)
        self._triples = [columns for _, columns in scored[:40]] + extended[:40]
        by_share = [columns for _, columns in scored[: 3 * self.keep]] + extended[: self.keep]
        return list(dict.fromkeys(tuple(sorted(c)) for c in by_share))

    def _with_first(self, first: int, m: int) -> np.ndarray:
        """Return the share explained by (first, j, k) for all j < k, above `first`."""
        g, c = self.gram[:m, :m], self.projection[:m]
        d = 1 - g[first] ** 2
        cc = c - c[first] * g[first]
        gg = g - np.outer(g[first], g[first])
        dd = np.outer(d, d) - gg * gg
        with np.errstate(all="ignore"):
            share = (cc[:, None] ** 2 * d[None, :] + cc[None, :] ** 2 * d[:, None] - 2 * np.outer(cc, cc) * gg) / dd + c[first] ** 2
        share[(dd < 1e-11) | (d[:, None] < 1e-9) | (d[None, :] < 1e-9) | ~(share <= 1 + 1e-6)] = -1
        share[: first + 1] = -1
        share[np.tril_indices(m)] = -1
        return share

    def extended(self, beam: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
        """Return the best sets with one column more, best first."""
        scored: dict[tuple[int, ...], float] = {}
        for columns in beam[:80]:
            chosen = list(columns)
            own = self.gram[np.ix_(chosen, chosen)] + 1e-12 * np.eye(len(chosen))
            solved = np.linalg.solve(own, np.column_stack([self.gram[chosen], self.projection[chosen]]))
            numerator = self.projection - self.gram[:, chosen] @ solved[:, -1]
            denominator = 1 - np.einsum("ij,ji->i", self.gram[:, chosen], solved[:, :-1])
            base = float(self.projection[chosen] @ solved[:, -1])
            with np.errstate(all="ignore"):
                gain = np.where(denominator > 1e-9, numerator**2 / denominator, -1.0)
            gain[chosen] = -1
            gain[gain > 1 + 1e-6 - base] = -1
            for j in _largest(gain, 4):
                scored[tuple(sorted([*chosen, int(j)]))] = base + float(gain[j])
        return sorted(scored, key=lambda s: -scored[s])[:80]


def _largest(values: np.ndarray, count: int) -> np.ndarray:
    """Return the flat places of the largest values, largest first."""
    flat = values.ravel()
    top = np.argpartition(flat, -min(count, flat.size))[-count:]
    return top[np.argsort(-flat[top], kind="stable")]
