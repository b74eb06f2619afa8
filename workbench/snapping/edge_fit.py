"""One edge, every form at once:  y ~ c f(a x + b; shape) + d.

    starts for every form (dictionary)  ->  a polish of the best few on a coarse copy  ->  a polish of the best one on all points

A fit has simpler *variants*, in which constants vanish: b = 0 (a law that starts at the origin of x), d = 0 (a law without offset), or both, as
the pure power law c x^p. What they cost is for the whole model to say (candidates); `plain` says it for the curve alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workbench.primitives import Form, Primitive, PrimitiveForm, TypedForm
from workbench.snapping import dictionary, typed
from workbench.snapping.curve import Curve
from workbench.snapping.polish import Polished, Trials, polish

_TOP = 4  # starts of each form that are polished
_LARGEST = 1e60  # factors c beyond it, or below its reciprocal, come from tails whose derivatives overflow
_COARSE_ITERATIONS, _FINE_ITERATIONS = 12, 10


@dataclass(frozen=True)
class EdgeFit:
    """A form fitted to the curve of one edge.

    Parameters
    ----------
    form : what was fitted
    parameters : its constants, in the order of `form.parameter_names`
    free : which of them a fit of the whole model may change; a b that is 0 for simplicity is not free
    offset : d, which goes to the bias of the edge's slot
    free_offset : False for a law without an offset
    error : root mean square difference to the curve, weighted, in units of the curve's standard deviation
    """

    form: Form
    parameters: tuple[float, ...]
    free: tuple[bool, ...]
    offset: float
    free_offset: bool
    error: float

    @property
    def r2(self) -> float:
        """1 - error^2: the share of the curve's variance that the form explains."""
        return 1.0 - self.error**2

    @property
    def n_free(self) -> int:
        """How many constants are fitted, the offset included."""
        return sum(self.free) + self.free_offset

    def value(self, x: np.ndarray) -> np.ndarray:
        """Return c f(a x + b) + d."""
        return self.form.evaluate(x, self.parameters)[0] + self.offset


def fit_forms(curve: Curve, forms: Sequence[Form]) -> tuple[EdgeFit, ...]:
    """Fit every form with all its constants and an offset; forms that cannot live on the curve's range are left out.

    Parameters
    ----------
    curve : the edge's points
    forms : library and typed forms

    Returns
    -------
    fits in the order of the forms
    """
    library = [form for form in forms if isinstance(form, PrimitiveForm)]
    found = {fit.form: fit for fit in _fit_library(curve, library, shifted=True, offset=True, near=())}
    found |= {form: fit for form in forms if isinstance(form, TypedForm) and (fit := typed.fit(curve, form)) is not None}
    return tuple(found[form] for form in forms if form in found)


def variants(curve: Curve, fits: Sequence[EdgeFit], offset_matters: bool = True) -> tuple[EdgeFit, ...]:
    """Fit the simpler variants of fits: b = 0, d = 0, and both.

    Parameters
    ----------
    curve : the edge's points
    fits : full fits; each is one of the starts of its variants
    offset_matters : False where an offset is free of charge, because a spline beside or above the edge absorbs it
    """
    library = [fit for fit in fits if isinstance(fit.form, PrimitiveForm)]
    shiftable = [fit for fit in library if fit.free[2]]
    made = list(_fit_library(curve, [f.form for f in shiftable], shifted=False, offset=True, near=shiftable))
    if offset_matters:
        made += _fit_library(curve, [f.form for f in shiftable], shifted=True, offset=False, near=shiftable)
        made += _fit_library(curve, [f.form for f in library], shifted=False, offset=False, near=library)
        made += [fit for f in fits if isinstance(f.form, TypedForm) and (fit := typed.fit(curve, f.form, offset=False)) is not None]
    return tuple(made)


def plain(fits: Sequence[EdgeFit], n_points: int) -> EdgeFit:
    """Return the simplest of the fits of one form that costs nothing on its curve.

    A constant more must pay for itself: n log(error^2) + 2 log(n) per constant is least (twice the charge of BIC, since several variants are
    tried). Errors below 1e-9 are rounding.
    """
    return min(fits, key=lambda fit: 2 * n_points * np.log(max(fit.error, 1e-9)) + 2 * np.log(n_points) * fit.n_free)


# ---------------------------------------------------------------------------------------------------- the library


def _fit_library(
    curve: Curve, forms: Sequence[PrimitiveForm], shifted: bool, offset: bool, near: Sequence[EdgeFit]
) -> list[EdgeFit]:
    """Fit one variant of every form: `shifted` searches b where it counts, `near` are further starts."""
    groups: dict[int, list[PrimitiveForm]] = {}
    for form in forms:
        groups.setdefault(len(form.primitive.shape), []).append(form)
    made: list[EdgeFit] = []
    for group in groups.values():
        primitives = tuple(form.primitive for form in group)
        trials = _starts(curve, primitives, shifted, offset, near)
        if len(trials):
            made += _fitted(curve, group, trials)
    return made


def _starts(curve: Curve, primitives: Sequence[Primitive], shifted: bool, offset: bool, near: Sequence[EdgeFit]) -> Trials:
    """Gather starts of every primitive: from the dictionary, the spectrum, the largest jump, and fits that are near."""
    fits = {fit.form.primitive: fit for fit in near}
    parts = []
    for primitive in primitives:
        if shifted and primitive.affine in ("shift", "both"):
            theta = dictionary.starts(primitive, curve, offset, _TOP) * _unit(primitive, curve)
        else:
            theta = dictionary.through_zero(primitive, curve).best(curve, offset, _TOP)
        if primitive in fits:
            theta = np.vstack([theta, _coordinates(curve, fits[primitive], shifted)])
        parts.append(theta)
    numbers = np.repeat(np.arange(len(primitives)), [len(theta) for theta in parts])
    return _trials(primitives, numbers, np.vstack(parts), shifted, offset)


def _unit(primitive: Primitive, curve: Curve) -> np.ndarray:
    """Return the factors of a, b and shape that give `shift` primitives the slope 1 or -1 in x, not in u: their a is not searched."""
    unit = curve.half if primitive.affine == "shift" else 1.0
    return np.array([unit, unit, *(1.0 for _ in primitive.shape)])


def _coordinates(curve: Curve, fit: EdgeFit, shifted: bool) -> np.ndarray:
    """Return a, b, shape of a fit in the coordinates of polish."""
    _, a, b, *shape = fit.parameters
    return np.array([a * curve.half, b + a * curve.middle if shifted else 0.0, *shape])


def _trials(primitives: Sequence[Primitive], numbers: np.ndarray, theta: np.ndarray, shifted: bool, offset: bool) -> Trials:
    kinds = [primitives[k].affine for k in numbers]
    free = np.ones(theta.shape, dtype=bool)
    free[:, 0] = [kind in ("scale", "both") for kind in kinds]
    free[:, 1] = [shifted and kind in ("shift", "both") for kind in kinds]
    return Trials(numbers, theta, free, np.full(len(numbers), offset))


def _fitted(curve: Curve, forms: Sequence[PrimitiveForm], trials: Trials) -> list[EdgeFit]:
    """Polish on the coarse copy, then the best of every form on all points."""
    primitives = [form.primitive for form in forms]
    rough = polish(curve.coarse, primitives, trials, _COARSE_ITERATIONS, 1e-4)
    best = [rows[np.argmin(rough.squares[rows])] for k in np.unique(trials.primitive) if len(rows := np.flatnonzero(trials.primitive == k))]
    best = [row for row in best if np.isfinite(rough.squares[row])]
    if not best:
        return []
    fine = polish(curve, primitives, rough.trials[np.array(best)], _FINE_ITERATIONS, 1e-6)
    usable = np.isfinite(fine.squares) & (np.abs(fine.c) < _LARGEST) & (np.abs(fine.c) > 1.0 / _LARGEST)
    return [_edge_fit(curve, forms[k], fine, row) for row, k in enumerate(fine.trials.primitive) if usable[row]]


def _edge_fit(curve: Curve, form: PrimitiveForm, polished: Polished, row: int) -> EdgeFit:
    """Return one result in the units of x and y."""
    trials = polished.trials
    a_unit, b_unit, *shape = (float(v) for v in trials.theta[row])
    a = a_unit / curve.half
    b = b_unit - a_unit * curve.middle / curve.half if trials.free[row, 1] else 0.0
    parameters, offset = canonical(form.primitive, (float(polished.c[row]), a, b, *shape)), float(polished.d[row])
    free = (True, *(bool(v) for v in trials.free[row]))
    error = float(np.sqrt(polished.squares[row] / curve.variance)) if curve.variance > 0 else 0.0
    return EdgeFit(form, parameters, free, offset, bool(trials.offset[row]), error)


# ---------------------------------------------------------------------------------------------------- one way to write it

_PERIOD = {"sin": (np.pi, -1.0), "cos": (np.pi, -1.0), "sin^2": (np.pi, 1.0)}  # f(z + period) = sign f(z)


def canonical(primitive: Primitive, parameters: tuple[float, ...]) -> tuple[float, ...]:
    """Return the same function with a > 0 where f is even or odd, and |b| at most half a period.

    -2 tanh(3 - x) is 2 tanh(x - 3), and sin(x + 2 pi) is sin(x): two ways to write a law must not look like two laws.
    """
    c, a, b, *shape = parameters
    sign = dictionary.parity(primitive)
    if a < 0 and sign:
        c, a, b = sign * c, -a, -b
    if primitive.name in _PERIOD:
        period, flip = _PERIOD[primitive.name]
        turns = np.round(b / period)
        b = float(b - turns * period)
        c = c * flip if turns % 2 else c
    return (c, a, b + 0.0, *shape)

