"""Where fits start: every primitive at many (a, b, shape) on fixed nodes, compared with a curve by one matrix product.

With F the values of all starts on the nodes (n_starts, n_nodes) and y the curve there, the share of y that a start can explain is

    (F y)^2 / (|F|^2 |y|^2)              through zero
    (F y_c)^2 / (|F_c|^2 |y_c|^2)        with a free constant; _c: mean removed,  F_c y_c = F y_c

so that one product with the two columns y and y_c answers both. The static part, where b is searched in u = (x - middle) / half, does not
depend on the data and is made once per process. Where b = 0 the starts depend on where zero lies and are made for each curve.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, product
from typing import TYPE_CHECKING

import numpy as np

from workbench.snapping import domains
from workbench.snapping.curve import Curve

if TYPE_CHECKING:
    from workbench.primitives import Primitive

_NODES = np.linspace(-1.0, 1.0, 96)
_SCAN_NODES, _SCAN_PAD = 512, 4  # the frequency scan: nodes, and how often the spectrum is refined
_PHASE = {"sin": 0.5 * np.pi, "cos": 0.0}  # f(z) = cos(z - phase)


@dataclass(frozen=True, eq=False)
class Starts:
    """Starts on nodes, sorted by primitive; neighbours form blocks of which one start at most is used.

    Parameters
    ----------
    values : (n, n_nodes) float32, the largest of every row is 1
    length, spread : (n,)     |F| and |F_c| of every row
    theta : (n, 2 + n_shape)     a, b, shape
    blocks : first row of every block
    primitive : number of the primitive of every block
    """

    values: np.ndarray
    length: np.ndarray
    spread: np.ndarray
    theta: np.ndarray
    blocks: np.ndarray
    primitive: np.ndarray

    def best(self, curve: Curve, offset: bool, top: int) -> tuple[np.ndarray, np.ndarray]:
        """Return primitive (k,) and theta (k, 2 + n_shape) of the best starts, `top` blocks of every primitive."""
        if not len(self.blocks):
            return np.empty(0, dtype=int), self.theta[:0]
        y = curve.at(_NODES)
        y = (y - y.mean() if offset else y).astype(np.float32)
        with np.errstate(all="ignore"):
            share = np.abs(self.values @ y) / (self.spread if offset else self.length)
        best_of_block = np.maximum.reduceat(share, self.blocks)
        chosen = []
        for number in np.unique(self.primitive):
            rows = np.flatnonzero(self.primitive == number)
            chosen.extend(rows[np.argsort(-best_of_block[rows], kind="stable")[:top]])
        stops = np.append(self.blocks[1:], len(share))
        picked = [self.blocks[b] + int(np.argmax(share[self.blocks[b] : stops[b]])) for b in chosen]
        return self.primitive[chosen], self.theta[picked]


@functools.lru_cache(maxsize=16)
def searched(primitives: tuple[Primitive, ...]) -> Starts:
    """Return the starts of the primitives whose b is searched, for b in units of u; `shift` primitives have a = 1 or -1."""
    rows = [(k, block) for k, p in enumerate(primitives) if p.affine in ("shift", "both") for block in _blocks(p)]
    return _measured(primitives, rows, centre=0.0, searched_b=True)


def through_zero(primitives: tuple[Primitive, ...], curve: Curve, affines: tuple[str, ...]) -> Starts:
    """Return starts with b = 0, z = a (u + centre), centre = middle / half, for the primitives of some kinds of `affine`."""
    centre = curve.middle / curve.half
    rows = []
    for k, block, searched_a in _through_zero_grid(primitives, affines):
        scaled = block.copy()
        scaled[:, 0] *= 1.0 / (1.0 + abs(centre)) if searched_a else curve.half  # a slope of 1 in x is `half` in u
        rows.append((k, scaled))
    return _measured(primitives, rows, centre, searched_b=False)


@functools.lru_cache(maxsize=32)
def _through_zero_grid(primitives: tuple[Primitive, ...], affines: tuple[str, ...]) -> list[tuple[int, np.ndarray, bool]]:
    """Return (number, block, whether a is searched): slopes for z of order one, or of 1 and -1 in x where a is fixed."""
    return [
        (k, block, primitive.affine in ("scale", "both"))
        for k, primitive in enumerate(primitives)
        if primitive.affine in affines
        for slopes in _slopes(primitive)
        for block in _with_shapes(primitive, slopes, np.zeros_like(slopes))
    ]


def frequencies(primitive: Primitive, curve: Curve, top: int = 3) -> np.ndarray:
    """Return (k, 2) starts a, b of a sinusoid from the highest peaks of the curve's spectrum, for any frequency the points can carry.

    The curve is put on 512 even nodes, its mean removed, its spectrum refined fourfold by zeros; a peak at w with phase p starts
    cos(w (u + 1) + p). Frequencies above a quarter of the number of points per unit of u are not told from slower ones.
    """
    if primitive.name not in _PHASE:
        return np.empty((0, 2))
    y = curve.at(np.linspace(-1.0, 1.0, _SCAN_NODES))
    spectrum = np.fft.rfft(y - y.mean(), _SCAN_PAD * _SCAN_NODES)
    w = np.pi * np.arange(len(spectrum)) * (_SCAN_NODES - 1) / (_SCAN_PAD * _SCAN_NODES)
    size = np.where(w <= highest_frequency(curve), np.abs(spectrum), 0.0)
    peaks = 1 + np.flatnonzero((size[1:-1] >= size[:-2]) & (size[1:-1] > size[2:]))
    peaks = peaks[np.argsort(-size[peaks], kind="stable")[:top]]
    return np.column_stack([w[peaks], w[peaks] + np.angle(spectrum[peaks]) + _PHASE[primitive.name]])


def jumps(primitive: Primitive, curve: Curve) -> np.ndarray:
    """Return (k, 2) starts a, b of a step, which no slope can lead to: the cut that leaves the least variance on both sides."""
    if primitive.name != "sign":
        return np.empty((0, 2))
    x, w, y = curve.x, curve.weights, curve.y - curve.weights @ curve.y
    left, sums = np.cumsum(w)[:-1], np.cumsum(w * y)[:-1]
    explained = np.where(np.diff(x) > 0, sums**2 / np.maximum(left * (1.0 - left), 1e-300), -1.0)
    cut = int(np.argmax(explained))
    u = (0.5 * (x[cut] + x[cut + 1]) - curve.middle) / curve.half
    return np.array([[1.0, -u]])


def highest_frequency(curve: Curve) -> float:
    """Return the largest a in u that the points can tell from slower ones: half the Nyquist frequency of even points."""
    return 0.25 * np.pi * len(np.unique(curve.x))


# ---------------------------------------------------------------------------------------------------- the grids


def _blocks(primitive: Primitive) -> list[np.ndarray]:
    """Return the static grid of a primitive in blocks of neighbours, (m, 2 + n_shape) each."""
    grid = _shifts if primitive.affine == "shift" else _lines
    return [block for a, b in grid(primitive) for block in _with_shapes(primitive, a, b)]


def _with_shapes(primitive: Primitive, a: np.ndarray, b: np.ndarray) -> list[np.ndarray]:
    """Return one block (m, 2 + n_shape) for every combination of the shape's start values."""
    combinations = product(*(shape.starts for shape in primitive.shape))
    return [np.column_stack([a, b, *(np.full_like(a, value) for value in values)]) for values in combinations]


def _shifts(primitive: Primitive) -> list[tuple[np.ndarray, np.ndarray]]:
    """Slopes 1 and -1, and where zero lies: within the range, or near to far outside where a pole or branch point must stay out."""
    if primitive.domain == "any":
        inner, outer = np.linspace(-1.5, 1.5, 31), np.geomspace(1.6, 40.0, 12)
        parts = [inner[:11], inner[11:20], inner[20:], outer, -outer]
    else:
        parts = np.array_split(1.0 + np.geomspace(2.1e-3, 40.0, 36), 3)
    return [(np.full_like(t, sign), t) for sign in (1.0, -1.0) for t in parts]


def _lines(primitive: Primitive) -> list[tuple[np.ndarray, np.ndarray]]:
    """Slope and place of z = a (u - t), one block per slope; for a bounded domain, lines that stay inside it on [-1, 1]."""
    if primitive.name in _PHASE:
        quarter = np.arange(4) * 0.25 * np.pi
        return [(np.full(4, w), quarter) for w in np.linspace(0.25, 30.0, 120)]
    if primitive.domain in ("unit", "tan"):
        bound = 1.0 if primitive.domain == "unit" else 0.5 * np.pi
        room = bound - np.abs(middle := np.linspace(-0.95, 0.95, 13) * bound)
        return [(sign * share * room, middle) for sign in (1.0, -1.0) for share in (0.99, 0.97, 0.9, 0.75, 0.5, 0.25)]
    if primitive.domain != "any":
        left = np.array([3e-3, 0.05, 0.2, 0.6, 1.5, 4.0, 10.0])  # how far beyond the end of the range the domain ends
        end = 1.0 if primitive.domain == "above_one" else 0.0
        slopes = np.geomspace(0.2, 20.0, 12)
        return [(np.full_like(left, sign * a), end + a * (1.0 + left)) for sign in (1.0, -1.0) for a in slopes]
    t = np.concatenate([np.linspace(-1.6, 1.6, 23), [-8.0, -5.0, -3.5, -2.5, 2.5, 3.5, 5.0, 8.0]])
    slopes = np.geomspace(0.2, 30.0, 16)
    return [(np.full_like(t, sign * a), -sign * a * t) for sign in (1.0, -1.0) for a in slopes]


def _slopes(primitive: Primitive) -> list[np.ndarray]:
    """Return blocks of slopes for b = 0: for the largest |z| on the range where a is searched, else for x itself."""
    if primitive.affine == "none":
        return [np.array([1.0])]
    if primitive.affine == "shift":
        return [np.array([1.0]), np.array([-1.0])]
    if primitive.name in _PHASE:
        return np.array_split(np.linspace(0.25, 60.0, 240), 40)
    return [sign * part for sign in (1.0, -1.0) for part in np.array_split(np.geomspace(0.1, 60.0, 32), 8)]


def _measured(primitives: Sequence[Primitive], rows: list[tuple[int, np.ndarray]], centre: float, searched_b: bool) -> Starts:
    """Evaluate blocks of starts on the nodes; starts outside the domain, infinite or flat are left out."""
    n_shape = max((len(p.shape) for p in primitives), default=0)
    values, length, spread, theta, blocks, numbers, n = [], [], [], [], [], [], 0
    for k, own_rows in groupby(rows, key=lambda row: row[0]):
        own = [block for _, block in own_rows]
        flat = np.concatenate(own)
        good, f = _evaluated(primitives[k], flat, centre, searched_b)
        sizes = [int(part.sum()) for part in np.split(good, np.cumsum([len(block) for block in own])[:-1])]
        for size in filter(None, sizes):
            blocks.append(n)
            numbers.append(k)
            n += size
        values.append(f.astype(np.float32))
        length.append(np.sqrt(np.einsum("ij,ij->i", f, f)))
        spread.append(np.linalg.norm(f - f.mean(1, keepdims=True), axis=1))
        theta.append(np.pad(flat[good], ((0, 0), (0, n_shape - len(primitives[k].shape)))))
    if not n:
        return Starts(np.empty((0, _NODES.size), np.float32), np.empty(0), np.empty(0), np.empty((0, 2 + n_shape)), np.empty(0, int), np.empty(0, int))
    return Starts(
        np.concatenate(values), np.concatenate(length), np.concatenate(spread), np.concatenate(theta), np.array(blocks), np.array(numbers)
    )


def _evaluated(primitive: Primitive, theta: np.ndarray, centre: float, searched_b: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return which starts are usable and their values, each scaled to a largest value of 1."""
    z = theta[:, :1] * (_NODES + centre) + theta[:, 1:2]
    with np.errstate(all="ignore"):
        f = np.broadcast_to(primitive.value(z, *theta[:, 2:, None].transpose(1, 0, 2)), z.shape)
        largest = np.abs(f).max(1)
        f = f / largest[:, None]
        flat = (f - f.mean(1, keepdims=True)).std(1) < 1e-6
    inside = domains.holds(primitive.domain, z.min(1), z.max(1), np.full(len(z), searched_b))
    good = inside & np.isfinite(f).all(1) & ~flat
    return good, f[good]
