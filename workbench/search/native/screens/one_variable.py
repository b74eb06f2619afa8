"""One variable left: every form of the library with its inner constants, for transforms of the target and powers beside it.

    T(h u^q) = c f(a u^p + b) + d         e.g.   h = u^3 / (exp(a u) - 1)   has q = -3, T = 1/y, f = exp

Fits of all forms take tens of milliseconds (`snapping.edge_fit`): they are what lets constants stand inside functions. Sums of two or three
such functions are found in a dictionary over a grid of inner constants, which the polish then moves to where they belong.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from workbench.expression import Expression, Number, add, call, mul, power
from workbench.primitives import LIBRARY, PrimitiveForm
from workbench.search.native.monomials import combination
from workbench.search.native.screens.sums import combinations
from workbench.search.native.state import Candidate, State
from workbench.search.native.surrogate import smooth_error
from workbench.search.native.transforms import Target, targets
from workbench.search.native.watch import Watch
from workbench.snapping.curve import Curve
from workbench.snapping.edge_fit import EdgeFit, fit_forms

_FORMS = tuple(PrimitiveForm(primitive) for primitive in LIBRARY.values() if primitive.name not in ("abs", "sign", "|x|^p", "log^2"))
_PLAIN = tuple(
    form for form in _FORMS if form.name in ("x", "x^2", "x^3", "1/x", "x^p", "exp", "log", "exp(-1/x)", "gaussian", "sin", "cos", "tan", "tanh", "cosh")
)  # under a transform of the target: the others are transforms of these themselves
NONE, OTHERS = (0,), (1, -1, 2, -2, 3, -3, 0.5, -0.5)  # powers beside a form
_ALL, _FEW = ("y", "1/y", "log(y)", "y^2", "sqrt(y)", "1/y^2"), ("y", "1/y", "log(y)")
_SCATTER, _WORSE = 0.003, 1.15  # a curve's scatter, against the spread of y and the error of the best surrogate
_CLEAN, _CLEAN_ROWS = 1e-2, 250
_BEST = 6  # fits of each kind that are offered
_NODES = 12.0  # what a node of a form costs, against n log(error^2)


def one_variable(state: State, watch: Watch, powers: Sequence[float] = NONE) -> Iterator[Candidate]:
    """Yield forms of the only column of a state, with one of the powers beside them."""
    if state.n_rows < 8 or np.ptp(state.columns[:, 0]) <= 0 or not a_new_curve(state, watch, powers):
        return
    state = _enough_rows(state)
    positive = bool(state.positive[0])
    for beside in powers if positive else [p for p in powers if p in (0, -1, 1)]:
        for inside in _inside(beside, positive):
            yield from _forms(state, watch, beside, inside, _FEW if beside == 0 and inside != 1 else _ALL)
            if watch.over:
                return
    if powers == NONE:
        yield from sums_of_functions(state, watch)


def _inside(beside: float, positive: bool) -> tuple[float, ...]:
    """Return the powers of the column inside a form: u and 1/u say the same, but not every form has its mirror image in the library."""
    if beside == 0:
        return (1, -1, 2, 0.5) if positive else (1, 2)
    if positive and abs(beside) == 0.5:
        return (1, -1, 0.5)
    return (1, -1) if positive and abs(beside) <= 2 else (1,)


def a_new_curve(state: State, watch: Watch, kind: Sequence[float | str]) -> bool:
    """Whether y may be a function of the column alone, and was not looked at as one before: u and 1/u are the same curve."""
    error = curve_error(state)
    if error > max(_SCATTER * watch.judge.spread, _WORSE * watch.judge.floor):
        return False
    key = (f"{error:.6g}", tuple(kind))
    known = key in watch.curves
    watch.curves.add(key)
    return not known


def curve_error(state: State) -> float:
    """Return how far y is from being a curve over the only column, in units of y: by neighbours, or by a smooth curve."""
    order = np.argsort(state.columns[:, 0], kind="stable")
    steps = np.diff(state.target[order]) * state.gain[order][1:]
    return min(float(np.sqrt(0.5 * np.mean(steps**2))), smooth_error(state))


def _enough_rows(state: State) -> State:
    """Return fewer rows where they show the curve without noise: a fit of all forms to them is faster."""
    spread = float(np.std(state.target * state.gain))
    return state.thinned(_CLEAN_ROWS) if curve_error(state) < _CLEAN * spread else state


def _forms(state: State, watch: Watch, beside: float, inside: float, transforms: tuple[str, ...]) -> Iterator[Candidate]:
    """Yield the best fits of one combination of powers."""
    u, name = state.columns[:, 0], state.names[0]
    exponent = Number(Fraction(beside).limit_denominator(2))
    moved = state.divided(u**-beside, power(name, -exponent.value)).finite() if beside else state
    if moved is None:
        return
    places = moved.columns[:, 0] ** inside
    argument = power(name, Number(Fraction(inside).limit_denominator(2)))
    best: list[tuple[float, int, Target, EdgeFit]] = []
    for target in targets(moved, transforms):
        if watch.over:
            return
        curve = Curve.of(places, target.values, target.weights**2)
        if state.n_rows > _CLEAN_ROWS:  # noise: means of neighbours know as much, and are fewer
            curve = curve.coarse
        if not curve.variance > 0:
            continue
        scale = np.sqrt(curve.variance * float(np.mean(target.weights**2)))
        own = []
        for fit in fit_forms(curve, _FORMS if target.name == "y" and abs(inside) == 1 else _PLAIN):
            cost = 2 * state.n_rows * np.log(fit.error * scale + 1e-14 * watch.judge.size) + _NODES * (fit.form.complexity + fit.n_free)
            own.append((cost, len(best) + len(own), target, fit))
        best += heapq.nsmallest(_BEST if target.name == "y" else _BEST // 2, own)
    for _, _, target, fit in sorted(best, key=lambda b: b[:2]):
        note = f"{target.name} is a form of one variable: {fit.form.title}"
        for body in _bodies(fit, argument):
            yield moved.candidate(target.back(body), note)


def _bodies(fit: EdgeFit, argument: Expression) -> Iterator[Expression]:
    """Yield the form with and without its offset and its shift."""
    c, a, b, *shape = fit.parameters
    choices = [fit.parameters] if b == 0 else [fit.parameters, (c, a, 0.0, *shape)]
    for parameters in choices:
        body = fit.form.expression(argument, parameters)
        yield add(body, Number(fit.offset))
        yield body


# ---------------------------------------------------------------------------------------------------- sums of functions


@dataclass(frozen=True, eq=False)
class _Feature:
    values: np.ndarray
    name: Expression


def sums_of_functions(state: State, watch: Watch) -> Iterator[Candidate]:
    """Yield sums of up to three functions of the column, their inner constants on a grid at first."""
    features = list(_features(state.columns[:, 0], state.names[0]))
    values = np.column_stack([f.values for f in features])
    good = np.isfinite(values).all(axis=0) & (np.abs(values).max(axis=0) < 1e8)
    names = [f.name for f, usable in zip(features, good) if usable]

    def written(columns: list[int], coefficients: np.ndarray) -> Expression:
        return combination(coefficients, [names[i] for i in columns])

    yield from combinations(state, watch, targets(state, ("y", "log(y)", "1/y")), values[:, good], written, 3, polish=True)


def _features(u: np.ndarray, name: Expression) -> Iterator[_Feature]:
    yield _Feature(np.ones_like(u), Number(1))
    size = float(np.abs(u).max())
    with np.errstate(all="ignore"):
        for exponent in range(1, 7):
            yield _Feature(u**exponent, power(name, exponent))
        if (u > 0).all():
            for exponent in (-3, -2, -1, -0.5, 0.5, 1.5, 2.5):
                yield _Feature(u**exponent, power(name, Number(Fraction(exponent))))
            yield _Feature(np.log(u), call("log", name))
        for rate in np.geomspace(0.3, 30, 24) / size:
            for sign in (-1.0, 1.0):
                inner = mul(Number(sign * float(rate)), name)
                yield _Feature(np.exp(sign * rate * u), call("exp", inner))
                yield _Feature(u * np.exp(sign * rate * u), mul(name, call("exp", inner)))
            if (u > 0).all():
                yield _Feature(u / (u + 1 / rate), mul(name, power(add(name, Number(float(1 / rate))), -1)))
            yield _Feature(np.exp(-((rate * u) ** 2)), call("exp", mul(Number(-float(rate**2)), power(name, 2))))
            yield _Feature(np.tanh(rate * u), call("tanh", mul(Number(float(rate)), name)))
        for frequency in np.linspace(0.5, 40, 80) / size:
            inner = mul(Number(float(frequency)), name)
            yield _Feature(np.sin(frequency * u), call("sin", inner))
            yield _Feature(np.cos(frequency * u), call("cos", inner))
