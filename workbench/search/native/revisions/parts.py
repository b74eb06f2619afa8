"""Small formulas without fitted constants that may stand anywhere in a law: monomials, common functions of one, sums and differences of two.

    u^a v^b w^c        exp(-z), sqrt(1 - z), 1/(exp(z) - 1), sin(z/2)^2 ... of a monomial z        1/(a + b), sqrt(a^2 - b^2), cos(a - b) ... of two

A sum that a formula holds already, such as u - v, may stand for a column in them. Some ten thousand of them are one matrix, so how well each would do in a place of a formula is one product with it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from workbench.expression import Expression, Symbol, evaluate, parse, substitute, walk
from workbench.expression.description import again, description
from workbench.search.native import monomials
from workbench.search.native.judging.judge import functions_of

_OF_ONE = tuple(
    "z|1 + z|1 - z|z - 1|1/(1 + z)|1/(1 - z)|sqrt(1 + z)|sqrt(1 - z)|sqrt(z - 1)|1/sqrt(1 + z)|1/sqrt(1 - z)|1/sqrt(z - 1)|(1 + z)**2|(1 - z)**2|1/(1 + z)**2"
    "|1/(1 - z)**2|(1 + z)/(1 - z)|(1 - z)/(1 + z)|sqrt((1 + z)/(1 - z))|sqrt((1 - z)/(1 + z))|exp(z)|exp(-z)|exp(z) - 1|1 - exp(-z)|1/(exp(z) - 1)|1/(exp(z) + 1)"
    "|log(z)|log(1 + z)|tanh(z)|exp(-z**2)|exp(-z**2/2)|z + 1/2|z - 1/2|z + 2|z - 2".split("|")
)
_OF_ALONE = tuple(f"(z + {i})/(z + {j})" for i in (-2, -1, 0, 1, 2) for j in (-2, -1, 1, 2) if i != j)
_ANGLES = tuple(f"{name}({angle})" for name in ("sin", "cos") for angle in ("z", "z/2", "2*z"))
_OF_ANGLES = tuple(text.format(angle) for text in ("{}", "{}**2", "1/{}", "1/{}**2") for angle in _ANGLES)
_OF_ANGLES += ("sin(z)/z", "sin(z)**2/z**2", "sin(z/2)**2/z**2", "tan(z)", "1/tan(z)", "1 - cos(z)", "1 + cos(z)")
_OF_TWO = tuple(
    "a + b|a - b|1/(a + b)|1/(a - b)|sqrt(a + b)|sqrt(a - b)|1/sqrt(a + b)|1/sqrt(a - b)|(a + b)**2|(a - b)**2|1/(a + b)**2|1/(a - b)**2|(a - b)/(a + b)"
    "|exp(-(a - b)**2)|exp(-(a - b)**2/2)|log(a + b)".split("|")
)
_OF_TWO_ANGLES = ("sin(a - b)", "cos(a - b)", "sin(a + b)", "cos(a + b)", "sin(a - b)**2", "cos(a - b)**2", "sin((a - b)/2)**2", "cos((a - b)/2)**2")
_ALONE, _IN_PAIRS, _IN_TRIPLES = (1.0, -1.0, 2.0, -2.0, 0.5, -0.5, 3.0, -3.0, 4.0, -4.0, 1.5, -1.5), (1.0, -1.0, 2.0, -2.0), (1.0, -1.0)
_TERMS = (1.0, 2.0, -1.0)  # powers of columns that are added
_TURNS = 30.0  # beyond which an angle is none
_UNEVEN = 60.0  # times its root mean square, beyond which a value decides alone
_VARIES = 1e-9  # of its size: a part that does not vary is a constant
_TOLD_BY = 8  # rows that tell powers of one part from others
_MOST = 20_000

_Slots = Mapping[str, Expression]  # what fills the slots of a template
_Made = tuple[Expression, _Slots]
_Family = tuple[Expression, Sequence[_Slots], np.ndarray, np.ndarray]


@dataclass(frozen=True, eq=False)
class Parts:
    """Small formulas and their values.

    Parameters
    ----------
    values : (n_parts, n_rows)     each divided by its size
    sizes : (n_parts,)     the root mean square of each
    lengths : (n_parts,)     nats it takes to say each
    """

    values: np.ndarray
    sizes: np.ndarray
    lengths: np.ndarray
    _made: Sequence[_Made]

    def __len__(self) -> int:
        return len(self.sizes)

    def expression(self, place: int) -> Expression:
        template, slots = self._made[place]
        return substitute(template, slots)

    def logarithms(self) -> Parts:
        """Return the logarithms of those that are above zero; of powers of each other the plainest alone."""
        above = np.flatnonzero((self.values > 0).all(axis=1))
        values = np.log(self.values[above].astype(float) * self.sizes[above, None])
        sizes = np.sqrt(np.mean(values**2, axis=1))
        scaled = values / sizes[:, None] * np.sign(values[:, :1])
        plainest: dict[bytes, int] = {}
        for i in np.argsort(self.lengths[above], kind="stable"):
            plainest.setdefault(np.round(scaled[i, :_TOLD_BY], 3).tobytes(), int(i))
        kept = np.sort(list(plainest.values()))
        return Parts((values[kept] / sizes[kept, None]).astype(np.float32), sizes[kept], self.lengths[above[kept]], [self._made[above[i]] for i in kept])


@dataclass(frozen=True, eq=False)
class _Monomials:
    exponents: np.ndarray
    values: np.ndarray  # (n_monomials, n_rows)
    written: list[Expression]

    def some(self, which: np.ndarray) -> _Monomials:
        return _Monomials(self.exponents[which], self.values[which], [self.written[i] for i in np.flatnonzero(which)])


def parts(columns: Mapping[str, np.ndarray], functions: frozenset[str] | None = None, most: int = _MOST) -> Parts:
    """Return the parts of some columns, with these functions, that have moderate values on all rows: at most so many, the plainest ones."""
    return _plainest(_families(columns), functions, most)


def parts_with(sums: Sequence[Expression], columns: Mapping[str, np.ndarray], functions: frozenset[str] | None = None, most: int = _MOST) -> Parts:
    """Return such parts in which one of some sums stands for a column."""
    with np.errstate(all="ignore"):
        values = {f"_sum{i}_": np.broadcast_to(evaluate(each, columns), len(next(iter(columns.values())))) for i, each in enumerate(sums)}
    products = _monomials({**columns, **values}, dict(zip(values, sums, strict=True)))
    return _plainest(_families_of_one(products.some((products.exponents[:, len(columns) :] != 0).any(axis=1))), functions, most)


def _plainest(families: Iterable[_Family], functions: frozenset[str] | None, most: int) -> Parts:
    allowed = (each for each in families if functions is None or functions_of(each[0]) <= functions)
    with np.errstate(all="ignore"):  # what has no value, or too large ones, is left out
        usable = [_usable(*family) for family in allowed]
    values, sizes, lengths = (np.concatenate([each[i] for each in usable]) for i in range(3))
    made = [each for *_, own in usable for each in own]
    kept = np.sort(np.argsort(lengths, kind="stable")[:most])
    return Parts(values[kept], sizes[kept], lengths[kept], [made[i] for i in kept])


def _usable(template: Expression, slots: Sequence[_Slots], rows: np.ndarray, nats: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[_Made]]:
    """Return the scaled values, sizes and lengths of those that are finite and vary, and that no single row dominates, and how they are made."""
    size = np.sqrt(np.mean(rows**2, axis=1))
    good = np.isfinite(size) & (size > 0) & (np.abs(rows).max(axis=1) < _UNEVEN * size) & (np.ptp(rows, axis=1) > _VARIES * size)
    return (rows[good] / size[good, None]).astype(np.float32), size[good], nats[good], [(template, slots[i]) for i in np.flatnonzero(good)]


def _families(columns: Mapping[str, np.ndarray]) -> Iterator[_Family]:
    """Yield templates, what fills their slots, their values (n, n_rows) and lengths."""
    products = _monomials(columns, {})
    yield from _families_of_one(products)
    for templates, first, second in _pairs(products):
        said = {name: np.array([description(each, 1) for each in own.written]) for name, own in (("a", first), ("b", second))}
        slots = [{"a": a, "b": b} for a, b in zip(first.written, second.written, strict=True)]
        for template in map(parse, templates):
            yield template, slots, evaluate(template, {"a": first.values, "b": second.values}), _lengths(template, said)


def _families_of_one(products: _Monomials) -> Iterator[_Family]:
    """Yield what has one slot, filled with monomials."""
    angles = products.some(np.abs(products.values).max(axis=1) < _TURNS)
    alone = products.some((products.exponents == 1).any(axis=1) & (np.count_nonzero(products.exponents, axis=1) == 1))
    for templates, inside in ((_OF_ONE, products), (_OF_ANGLES, angles), (_OF_ALONE, alone)):
        said = np.array([description(each, 1) for each in inside.written])
        for template in map(parse, templates):
            slots = [{"z": each} for each in inside.written]
            yield template, slots, np.broadcast_to(evaluate(template, {"z": inside.values}), inside.values.shape), _lengths(template, {"z": said})


def _monomials(columns: Mapping[str, np.ndarray], sums: _Slots) -> _Monomials:
    """Return products of powers of up to three columns, the plainest first; some of these are sums, by name."""
    matrix, count = np.column_stack(list(columns.values())), len(columns)
    rows = []
    for size, powers in ((1, _ALONE), (2, _IN_PAIRS), (3, _IN_TRIPLES)):
        for where in itertools.combinations(range(count), size):
            for exponents in itertools.product(powers, repeat=size):
                row = np.zeros(count)
                row[list(where)] = exponents
                rows.append(row)
    exponents = monomials.usable(matrix, np.array(rows))
    names = [Symbol(name) for name in columns]
    written = [substitute(monomials.written(names, each), sums) for each in exponents]
    return _Monomials(exponents, monomials.evaluate(matrix, exponents).T, written)


def _pairs(products: _Monomials) -> Iterator[tuple[tuple[str, ...], _Monomials, _Monomials]]:
    """Yield templates of two monomials, with the first and the second of each pair: like powers of two columns, or a column and a product of others."""
    used = products.exponents != 0
    alone = used.sum(axis=1) == 1
    for power in _TERMS:
        like = np.flatnonzero(alone & (products.exponents.sum(axis=1) == power))
        ordered = list(itertools.combinations(like, 2))
        signed = [*ordered, *((j, i) for i, j in ordered)]
        yield from _two(products, signed, _OF_TWO)
        if power == 1.0:
            yield from _two(products, ordered, _OF_TWO_ANGLES)
    single = np.flatnonzero(alone & (products.exponents.sum(axis=1) == 1.0))
    double = np.flatnonzero((used.sum(axis=1) == 2) & (np.abs(products.exponents).max(axis=1) == 1.0))
    mixed = [(i, j) for i in single for j in double if not (used[i] & used[j]).any()]
    yield from _two(products, mixed, ("a + b", "a - b", "b - a", "1/(a + b)", "1/(a - b)"))


def _two(
    products: _Monomials, pairs: Sequence[tuple[int, int]], templates: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], _Monomials, _Monomials]]:
    if pairs:
        first, second = (np.array(places) for places in zip(*pairs, strict=True))
        yield templates, *(_Monomials(products.exponents[at], products.values[at], [products.written[i] for i in at]) for at in (first, second))


def _lengths(template: Expression, said: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the nats it takes to say a template with what fills its slots, which takes so many each; units it ties as those of products, as most are."""
    filled = {name: parse(f"{name}_1*{name}_2") for name in said}
    alone = description(substitute(template, filled), 1)
    once = {name: description(each, 1) for name, each in filled.items()}
    more = (nats - once[name] + (_occurrences(template, name) - 1) * (again(nats) - again(once[name])) for name, nats in said.items())
    return alone + sum(more)


def _occurrences(template: Expression, name: str) -> int:
    return sum(node == Symbol(name) for node in walk(template))
