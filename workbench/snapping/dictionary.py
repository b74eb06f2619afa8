"""Where fits start: every primitive at many (a, b, shape) on fixed nodes, compared with a curve by one matrix product.

With F the values of all starts on the nodes (n_starts, n_nodes) and y the curve there, the share of y that a start can explain is

    (F y)^2 / (|F|^2 |y|^2)              through zero
    (F y_c)^2 / (|F_c|^2 |y_c|^2)        with a free constant; _c: mean removed,  F_c y_c = F y_c

so that one product with the two columns y and y_c answers both. The static part, where b is searched in u = (x - middle) / half, does not
depend on the data and is made once per process. Where b = 0 the starts depend on where zero lies and are made for each curve.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from workbench.snapping import domains
from workbench.snapping.curve import NODES, Curve

if TYPE_CHECKING:
    from workbench.primitives import Primitive

_SCAN_NODES, _SCAN_PAD = 512, 4  # the frequency scan: nodes, and how often the spectrum is refined
_OSCILLATING = ("sinc", "sinc^2", "x*sin", "exp(-p*x)*sin")
_PHASE = {"sin": 0.5 * np.pi, "cos": 0.0}  # f(z) = cos(z - phase)


@dataclass(frozen=True, eq=False)
class Starts:
    """Starts of one primitive on the nodes; neighbours form blocks of which one start at most is used.

    Parameters
    ----------
    values : (n, n_nodes) float32, the largest of every row is 1
    length, spread : (n,)     |F| and |F_c| of every row
    theta : (n, 2 + n_shape)     a, b, shape
    blocks : first row of every block
    """

    values: np.ndarray
    length: np.ndarray
    spread: np.ndarray
    theta: np.ndarray
    blocks: np.ndarray

    def best(self, curve: Curve, offset: bool, top: int) -> np.ndarray:
        """Return theta (k, 2 + n_shape) of the best start of each of the `top` best blocks."""
        if not self.blocks.size:
            return self.theta
        share = np.abs(self.values @ curve.on_nodes(offset)) / (self.spread if offset else self.length)
        of_block = np.maximum.reduceat(share, self.blocks)
        stops = np.append(self.blocks[1:], share.size)
        chosen = np.argsort(-of_block, kind="stable")[:top]
        return self.theta[[self.blocks[k] + int(np.argmax(share[self.blocks[k] : stops[k]])) for k in chosen]]


@functools.lru_cache(maxsize=256)
def searched(primitive: Primitive) -> Starts:
    """Return the starts of a primitive whose b is searched, for b in units of u; `shift` primitives have a = 1 or -1."""
    return _measured(primitive, _blocks(primitive), centre=0.0, searched_b=True)


def through_zero(primitive: Primitive, curve: Curve) -> Starts:
    """Return the starts of a primitive with b = 0, z = a (u + centre), centre = middle / half."""
    centre = curve.middle / curve.half
    unit = 1.0 / (1.0 + abs(centre)) if primitive.affine in ("scale", "both") else curve.half  # a slope of 1 in x is `half` in u
    blocks = [block * np.array([unit, *(1.0 for _ in block[0, 1:])]) for block in _through_zero_grid(primitive)]
    return _measured(primitive, blocks, centre, searched_b=False)


@functools.lru_cache(maxsize=256)
def _through_zero_grid(primitive: Primitive) -> list[np.ndarray]:
    """Return blocks of starts: slopes for z of order one, or of 1 and -1 in x where a is fixed."""
    return [block for slopes in _slopes(primitive) for block in _with_shapes(primitive, slopes, np.zeros_like(slopes))]


def starts(primitive: Primitive, curve: Curve, offset: bool, top: int) -> np.ndarray:
    """Return starts (k, 2 + n_shape) of a primitive whose b is searched: from the dictionary, and what only the curve itself can tell."""
    if primitive.name == "sign":
        return _jump(curve)
    known = searched(primitive).best(curve, offset, top)
    return np.vstack([known, _frequencies(primitive, curve)]) if primitive.name in _PHASE else known


def _frequencies(primitive: Primitive, curve: Curve, top: int = 3) -> np.ndarray:
    """Return a, b of sinusoids from the highest peaks of the curve's spectrum, for any frequency the points can carry.

    The curve is put on 512 even nodes, its mean removed, its spectrum refined fourfold by zeros; a peak at w with phase p starts
    cos(w (u + 1) + p). Frequencies above half the Nyquist frequency of the points are not told from slower ones.
    """
    y = curve.at(np.linspace(-1.0, 1.0, _SCAN_NODES))
    spectrum = np.fft.rfft(y - y.mean(), _SCAN_PAD * _SCAN_NODES)
    w = np.pi * np.arange(len(spectrum)) * (_SCAN_NODES - 1) / (_SCAN_PAD * _SCAN_NODES)
    highest = 0.25 * np.pi * len(np.unique(curve.x))
    size = np.where(w <= highest, np.abs(spectrum), 0.0)
    peaks = 1 + np.flatnonzero((size[1:-1] >= size[:-2]) & (size[1:-1] > size[2:]))
    peaks = peaks[np.argsort(-size[peaks], kind="stable")[:top]]
    return np.column_stack([w[peaks], w[peaks] + np.angle(spectrum[peaks]) + _PHASE[primitive.name]])


def _jump(curve: Curve) -> np.ndarray:
    """Return a, b of a step, which no slope can lead to: the cut that leaves the least variance on both sides."""
    w, y = curve.weights, curve.y - curve.weights @ curve.y
    left, sums = np.cumsum(w)[:-1], np.cumsum(w * y)[:-1]
    explained = np.where(np.diff(curve.x) > 0, sums**2 / np.maximum(left * (1.0 - left), 1e-300), -1.0)
    cut = int(np.argmax(explained))
    u = (0.5 * (curve.x[cut] + curve.x[cut + 1]) - curve.middle) / curve.half
    return np.array([[1.0, -u]])


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
    """Blocks of z = a u + b that are worth a start of their own; for a bounded domain, lines that stay inside it on [-1, 1]."""
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
    if primitive.name in _OSCILLATING:
        slopes = np.linspace(0.3, 12.0, 40)  # a place half a wave off does not lead home: a block for every z in the middle of the range
        return [(sign * slopes, np.full_like(slopes, b)) for sign in _signs(primitive) for b in np.linspace(-9.0, 9.0, 37)]
    far = np.geomspace(1.8, 12.0, 7)
    places = np.split(np.concatenate([-far[::-1], np.linspace(-1.6, 1.6, 23), far]), [7, 13, 18, 24, 30])
    slopes = np.split(np.geomspace(0.2, 30.0, 16), 4)
    return [_tile(sign * a, t) for sign in _signs(primitive) for a in slopes for t in places]


def _tile(slopes: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return every z = a (u - t) of some slopes and places, as a and b."""
    a, t = np.repeat(slopes, places.size), np.tile(places, slopes.size)
    return a, -a * t


def _signs(primitive: Primitive) -> tuple[float, ...]:
    """Return the signs of a to start from: one where f is even or odd, since -a, -b is then the same curve."""
    return (1.0,) if parity(primitive) else (1.0, -1.0)


def _slopes(primitive: Primitive) -> list[np.ndarray]:
    """Return blocks of slopes for b = 0: for the largest |z| on the range where a is searched, else for x itself."""
    if primitive.affine == "none":
        return [np.array([1.0])]
    if primitive.affine == "shift":
        return [np.array([1.0]), np.array([-1.0])]
    if primitive.name in _PHASE:
        return np.array_split(np.linspace(0.25, 60.0, 240), 40)
    return [sign * part for sign in _signs(primitive) for part in np.array_split(np.geomspace(0.1, 60.0, 32), 8)]


def _measured(primitive: Primitive, blocks: list[np.ndarray], centre: float, searched_b: bool) -> Starts:
    """Evaluate blocks of starts on the nodes; starts outside the domain, infinite or flat are left out."""
    theta = np.concatenate(blocks)
    z = theta[:, :1] * (NODES + centre) + theta[:, 1:2]
    with np.errstate(all="ignore"):
        f = primitive.formula(z, *theta[:, 2:, None].transpose(1, 0, 2))
        f = f / np.abs(f).max(1)[:, None]
        mean = f.mean(1)
        length = np.sqrt(np.einsum("ij,ij->i", f, f))
        spread = np.sqrt(np.maximum(length**2 - NODES.size * mean**2, 0.0))
    inside = domains.holds(primitive.domain, z.min(1), z.max(1), np.full(len(z), searched_b))
    good = inside & np.isfinite(length) & (spread > 1e-6 * length)
    kept = [int(part.sum()) for part in np.split(good, np.cumsum([len(block) for block in blocks])[:-1])]
    first = np.cumsum([0, *kept])[:-1][np.array(kept) > 0]
    return Starts(f[good].astype(np.float32), length[good], spread[good], theta[good], first)


@functools.lru_cache(maxsize=256)
def parity(primitive: Primitive) -> int:
    """Return 1 for an even function, -1 for an odd one, 0 for neither."""
    z = np.array([0.17, 0.43, 0.86, 1.31])
    shape = [s.starts[0] for s in primitive.shape]
    right, left = primitive.value(z, *shape), primitive.value(-z, *shape)
    there = np.isfinite(right) & np.isfinite(left)
    if there.sum() < 2:
        return 0
    if np.allclose(left[there], right[there], rtol=1e-12):
        return 1
    return -1 if np.allclose(left[there], -right[there], rtol=1e-12) else 0
