"""Many small curve fits at once: Levenberg-Marquardt with the linear constants projected out.

Every trial k fits  y ~ c f(z; shape) + d,  z = a v + b,  for one primitive f. For given a, b and shape the best c and d are a linear problem
with a closed solution, so that only a, b and the shape are searched (variable projection; Golub & Pereyra, 1973). With w = f projected off
the constants (where d is free), J_j = d f / d theta_j:

    c = w.y / w.w        r = y - c w        step from   (G + lam diag G) step = g,    G = P J c (P J c)^T,   g = P J c r

P projects off both the constants and w: Kaufman's (1975) approximation, which drops a term of the size of the residual. A step is kept when
it lowers the squares and z stays inside the domain of f on the whole range; lam falls tenfold then and grows eightfold otherwise.

v is u = (x - middle) / half, in [-1, 1], where b is free, so that a and b are not entangled by where the data lie; where b is fixed at zero it
is v = x / half. All trials of a batch go through each line together: the arrays are (n_trials, n_points).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from workbench.snapping import domains
from workbench.snapping.curve import Curve

if TYPE_CHECKING:
    from workbench.primitives import Primitive

_ROUNDING = 1e-29  # share of the squares below which nothing is left but rounding


@dataclass(frozen=True, eq=False)
class Trials:
    """Starts or results of fits; the rows of one primitive stand together.

    Parameters
    ----------
    primitive : (n,) int     number of the primitive
    theta : (n, 2 + n_shape)     a, b and shape
    free : (n, 2 + n_shape)     which of them are searched
    offset : (n,)     whether d is free; it is 0 otherwise
    """

    primitive: np.ndarray
    theta: np.ndarray
    free: np.ndarray
    offset: np.ndarray

    def __getitem__(self, rows: np.ndarray) -> Trials:
        return Trials(self.primitive[rows], self.theta[rows], self.free[rows], self.offset[rows])

    def __len__(self) -> int:
        return len(self.primitive)


@dataclass(frozen=True, eq=False)
class Polished:
    """Fits with their linear constants: y ~ c f(a v + b; shape) + d, mean weighted square `squares`; infinite where nothing was found."""

    trials: Trials
    c: np.ndarray
    d: np.ndarray
    squares: np.ndarray


class Points:
    """A curve in the coordinates of a fit, y times the square root of its weights."""

    def __init__(self, curve: Curve, primitives: Sequence[Primitive]) -> None:
        self.primitives = primitives
        self.centre = curve.middle / curve.half
        self.u = (curve.x - curve.middle) / curve.half
        self.root = np.sqrt(curve.weights)  # the constant function: a vector of length one
        self.y = curve.y * self.root
        self.mean = float(self.y @ self.root)
        self.domains = np.array([p.domain for p in primitives])

    def coordinates(self, trials: Trials) -> np.ndarray:
        """Return v of every trial, (n, n_points)."""
        return self.u + self._origin(trials)

    def inside(self, trials: Trials) -> np.ndarray:
        """Say for every trial whether its form is defined on the whole range, (n,)."""
        ends = trials.theta[:, :1] * (np.array([-1.0, 1.0]) + self._origin(trials)) + trials.theta[:, 1:2]
        low, high = ends.min(1), ends.max(1)
        kinds, result = self.domains[trials.primitive], np.empty(len(trials), dtype=bool)
        for domain in np.unique(kinds):
            rows = kinds == domain
            result[rows] = domains.holds(str(domain), low[rows], high[rows], trials.free[rows, 1])
        return result

    def _origin(self, trials: Trials) -> np.ndarray:
        return np.where(trials.free[:, 1:2], 0.0, self.centre)


def polish(curve: Curve, primitives: Sequence[Primitive], trials: Trials, max_iter: int, tolerance: float) -> Polished:
    """Fit every trial from where it stands.

    Parameters
    ----------
    curve : what to fit
    primitives : what `trials.primitive` numbers
    max_iter : iterations at most
    tolerance : relative decrease of the squares below which a trial is done
    """
    with np.errstate(all="ignore"):
        return _polish(Points(curve, primitives), trials, max_iter, tolerance)


def _polish(points: Points, trials: Trials, max_iter: int, tolerance: float) -> Polished:
    fit = _project(points, trials)
    theta, damping = trials.theta.copy(), np.full(len(trials), 1e-3)
    floor = _ROUNDING * float(points.y @ points.y)
    active = np.flatnonzero(np.isfinite(fit.squares) & trials.free.any(1) & (fit.squares > floor))
    for _ in range(max_iter):
        if not active.size:
            break
        now = replace(trials[active], theta=theta[active])
        squares = fit.squares[active]
        normal, gradient = _normal_equations(points, now, fit.rows(active))
        trial = replace(now, theta=_bounded(points.primitives, now, _damped_step(normal, gradient, damping[active])))
        new = _project(points, trial)
        better = new.squares < squares
        gain = np.where(better, 1.0 - new.squares / squares, 0.0)
        theta[active[better]] = trial.theta[better]
        fit.update(active[better], new, better)
        damping[active] = np.where(better, np.maximum(0.1 * damping[active], 1e-12), 8.0 * damping[active])
        done = (better & (gain < tolerance)) | (damping[active] > 1e9) | (fit.squares[active] <= floor)
        active = active[~done]
    return Polished(replace(trials, theta=theta), fit.c, fit.d, fit.squares)


class _Projection:
    """The linear half of a fit: z, f, w = f projected, c, d, residual and squares of every trial; f, w and residual carry the weights."""

    names = ("z", "f", "w", "c", "d", "residual", "squares")

    def __init__(self, *arrays: np.ndarray) -> None:
        self.z, self.f, self.w, self.c, self.d, self.residual, self.squares = arrays

    def rows(self, index: np.ndarray) -> _Projection:
        return _Projection(*(getattr(self, name)[index] for name in self.names))

    def update(self, index: np.ndarray, other: _Projection, rows: np.ndarray) -> None:
        for name in self.names:
            getattr(self, name)[index] = getattr(other, name)[rows]


def _by_primitive(trials: Trials) -> Iterator[tuple[int, slice]]:
    """Yield the number of each primitive and the rows it fills."""
    cuts = np.flatnonzero(np.diff(trials.primitive)) + 1
    bounds = [0, *cuts.tolist(), len(trials)]
    for start, stop in zip(bounds[:-1], bounds[1:], strict=True):
        yield int(trials.primitive[start]), slice(start, stop)


def _shapes(primitive: Primitive, theta: np.ndarray) -> list[np.ndarray]:
    return [theta[:, 2 + j, None] for j in range(len(primitive.shape))]


def _project(points: Points, trials: Trials) -> _Projection:
    """Evaluate f and solve for c and d; squares are infinite where f leaves its domain."""
    z = trials.theta[:, :1] * points.coordinates(trials)
    z += trials.theta[:, 1:2]
    f = np.empty_like(z)
    for number, rows in _by_primitive(trials):
        primitive = points.primitives[number]
        f[rows] = primitive.formula(z[rows], *_shapes(primitive, trials.theta[rows]))
    w = f * points.root
    mean, centre = np.where(trials.offset, w @ points.root, 0.0), np.where(trials.offset, points.mean, 0.0)
    w -= mean[:, None] * points.root
    length = np.einsum("ij,ij->i", w, w)
    c = (w @ points.y) / length  # w has no constant part where d is free, so y need not be centred
    residual = points.y - centre[:, None] * points.root
    residual -= c[:, None] * w
    squares = np.einsum("ij,ij->i", residual, residual)
    flat = length <= 1e-24 * (length + mean * mean)  # f is a constant on these points: rounding alone would be fitted
    squares = np.where(points.inside(trials) & ~flat & np.isfinite(squares), squares, np.inf)
    return _Projection(z, f, w, c, centre - c * mean, residual, squares)


def _normal_equations(points: Points, trials: Trials, fit: _Projection) -> tuple[np.ndarray, np.ndarray]:
    """Return G (n, K, K) and g (n, K); a fixed parameter has a row and column of zeros.

    The residual has no part along the constants or w, so g needs no projection; G loses what its columns have along them.
    """
    columns = np.zeros((*trials.theta.shape, points.u.size))  # (n, K, n_points)
    for number, rows in _by_primitive(trials):
        primitive = points.primitives[number]
        shapes = _shapes(primitive, trials.theta[rows])
        columns[rows, 1] = primitive.slope(fit.z[rows], fit.f[rows], *shapes)
        if shapes:
            for j, column in enumerate(primitive.shape_slopes(fit.z[rows], fit.f[rows], *shapes)):
                columns[rows, 2 + j] = column
    columns *= points.root
    if not np.isfinite(columns.sum()):
        columns[~np.isfinite(columns)] = 0.0  # sqrt has no slope at 0: that point cannot steer
    np.multiply(columns[:, 1], points.coordinates(trials), out=columns[:, 0])
    normal = columns @ columns.transpose(0, 2, 1)
    constant = np.where(trials.offset[:, None], columns @ points.root, 0.0)
    along = np.einsum("nkj,nj->nk", columns, fit.w) / np.sqrt(np.einsum("nj,nj->n", fit.w, fit.w))[:, None]
    for part in (constant, along):
        normal -= part[:, :, None] * part[:, None, :]
    gradient = np.einsum("nkj,nj->nk", columns, fit.residual) * trials.free
    return normal * (fit.c**2)[:, None, None] * (trials.free[:, :, None] & trials.free[:, None, :]), gradient * fit.c[:, None]


def _damped_step(normal: np.ndarray, gradient: np.ndarray, damping: np.ndarray) -> np.ndarray:
    """Solve (G + lam diag G) step = g for every trial, after scaling G to a unit diagonal."""
    k = normal.shape[1]
    diagonal = normal[:, range(k), range(k)]
    scale = 1.0 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    scaled = normal * scale[:, :, None] * scale[:, None, :]
    scaled[:, range(k), range(k)] = 1.0 + damping[:, None] + 1e-14
    step = np.linalg.solve(scaled, (gradient * scale)[:, :, None])[:, :, 0] * scale
    return np.where(np.isfinite(step), step, 0.0)


def _bounded(primitives: Sequence[Primitive], trials: Trials, step: np.ndarray) -> np.ndarray:
    """Return theta + step with every shape parameter inside its bounds."""
    theta = trials.theta + step
    for number, rows in _by_primitive(trials):
        for j, shape in enumerate(primitives[number].shape):
            theta[rows, 2 + j] = np.clip(theta[rows, 2 + j], *shape.bounds)
    return theta
