"""What a person sees of one edge: its curve over the data, the forms it could be, the constants it has. Plain JSON for the inspector.

    inspect(found, edge)                            the curve, at once
    inspect(found, edge, previews(found, edge))     every form fitted to the curve alone: a fifth of a second later
    inspect(found, edge, found.candidates(edge))    judged by the refitted whole model

Only read: looking at an edge changes nothing. Numbers that are not finite are null.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from workbench import snapping
from workbench.discovery import addresses
from workbench.discovery.choices import Choice
from workbench.discovery.discovery import Discovery
from workbench.exceptions import SnapError
from workbench.expression import Symbol, fold, free_constants, substitute, to_text, with_constants
from workbench.networks import Edge, hidden_label
from workbench.primitives import LIBRARY, Form, PrimitiveForm
from workbench.pruning import importance
from workbench.trace import Trace, trace

_CURVE_POINTS = 161
_DATA_POINTS = 300
_STEPS = 5000  # that a drawn curve is told in
_DRAWS = 40  # of the bootstrap
_DRAWN_ROWS = 2000  # rows that are drawn from; a share of forty draws is not known better from more


def inspect(
    found: Discovery, edge: Edge, forms: Sequence[Choice | snapping.EdgeFit] = (), stability: Mapping[str, float] | None = None
) -> dict[str, Any]:
    """Describe an edge for the inspector (the payload is documented in ui/canvas).

    Parameters
    ----------
    found : the discovery, at the state to look at
    edge : its address
    forms : what `found.candidates(edge)` or `previews` returned, or () when they are not asked for yet
    stability : what `shares` returned
    """
    choices = [form for form in forms if isinstance(form, Choice)]
    stability = stability or {}
    network, problem = found.network, found.problems[0]
    traced = trace(network, problem.x)
    x, given = traced.of(edge)
    grid = np.linspace(x.min(), x.max(), _CURVE_POINTS)
    snapped = network.symbolic_edge(edge)
    levels = [_level(_fit(form), x, given) for form in forms]
    return {
        "edge": ".".join(map(str, edge)),
        "label": addresses.label(found.data, network, edge),
        "state": network.state(edge),
        "importance": min(importance(traced)[edge], 1.0),
        "x": curve(grid),
        "y": curve(network.edge_value(edge, grid)),
        "range": [float(x.min()), float(x.max())],
        "x_label": _x_label(found, edge),
        "points": _points(traced, edge, problem.y),
        "current": snapped.form.name if snapped else None,
        "stability": stability.get(snapped.form.name) if snapped else None,
        "constants": _constants(found, edge),
        "candidates": [_described(form, grid, level) | {"stability": stability.get(_name(form))} for form, level in zip(forms, levels, strict=True)],
        "beyond": _beyond(choices, x, given),
    }


def previews(found: Discovery, edge: Edge) -> tuple[snapping.EdgeFit, ...]:
    """Fit every form of the library to the curve of an edge, the rest of the model frozen; the closest first.

    Raises
    ------
    SnapError : the edge receives one value only
    """
    problem = found.problems[0]
    x, y = trace(found.network, problem.x).of(edge)
    reach = None if problem.validation is None else trace(found.network, problem.validation.x).of(edge)[0]
    fits = snapping.fit_forms(snapping.Curve.of(x, y, problem.weights, reach), [PrimitiveForm(primitive) for primitive in LIBRARY.values()])
    present = snapping.present_fit(found.network, edge)
    if present is not None:  # the form that the edge has stands there with the constants it has
        fits = (present, *(fit for fit in fits if fit.form != present.form))
    return tuple(sorted(fits, key=lambda fit: (round(fit.error, 3), fit.form.complexity)))


def placed(ranked: Sequence[Choice], choice: Choice) -> tuple[Choice, ...]:
    """Put one more choice among ranked ones: before the first that is worse, after simpler ones that tie with the best."""
    if any(other.name == choice.name for other in ranked):
        return tuple(ranked)
    if not choice.refitted:
        return (*ranked, choice)
    worse = (k for k, other in enumerate(ranked) if not other.refitted or _is_worse(other, choice))
    place = next(worse, len(ranked))
    return (*ranked[:place], choice, *ranked[place:])


def _is_worse(other: Choice, choice: Choice) -> bool:
    simpler_tie = bool(other.tied_with) and other.complexity <= choice.complexity
    return not simpler_tie and other.rmse_validation > choice.rmse_validation


def shares(found: Discovery, ranked: Sequence[Choice]) -> dict[str, float]:
    """Return how often each form is chosen when the rows are drawn again; empty where that has no meaning (classes, groups)."""
    problem = found.problems[0]
    if found.data.groups is not None or problem.loss != "squared":
        return {}
    rows = np.linspace(0, problem.n_rows - 1, min(problem.n_rows, _DRAWN_ROWS)).astype(int)
    candidates = [choice.candidates[0] for choice in ranked if choice.refitted]
    try:
        return snapping.stability(candidates, problem.rows(rows), np.random.default_rng(0), _DRAWS, found.state.roughness).chosen
    except SnapError:
        return {}


def curve(values: np.ndarray) -> list[float | None]:
    """Return a curve for JSON, each value to a five-thousandth of the curve's height, finer than any screen; what is not finite becomes null."""
    values = np.asarray(values, dtype=float)
    finite = values[np.isfinite(values)]
    height = float(np.ptp(finite)) if finite.size else 0.0
    if 1e-300 < height < 1e300:
        values = np.round(values, math.ceil(math.log10(_STEPS / height)))
    return [value if math.isfinite(value) else None for value in values.tolist()]


def _x_label(found: Discovery, edge: Edge) -> str:
    level, source, _ = edge
    if level:
        return hidden_label(level - 1, source)
    column = found.data.features[source]
    name = found.data.seen_name(column.name)
    return f"{name} ({column.unit})" if column.unit else name


def _points(traced: Trace, edge: Edge, y: np.ndarray) -> list[list[float]]:
    """Return rows as (x, what the edge gives + what the model misses): into an output the missed part is in the edge's own unit."""
    x, given = traced.of(edge)
    level, row, _ = traced.network.position(edge)
    layer = traced.network.layers[level]
    into_output = level == len(traced.network.layers) - 1 and len(layer.nodes) == len(layer.targets) == len(y)
    missed = y[row] - traced.outputs[row] if into_output else np.zeros_like(given)
    rows = np.linspace(0, len(x) - 1, min(len(x), _DATA_POINTS)).astype(int)
    points = np.column_stack([x, given + missed])[rows]
    return [[float(f"{a:.6g}"), float(f"{b:.6g}")] for a, b in points if math.isfinite(a) and math.isfinite(b)]


def _constants(found: Discovery, edge: Edge) -> list[dict[str, Any]]:
    if found.network.symbolic_edge(edge) is None:
        return []
    intervals = snapping.intervals(found.network, edge, found.problems[0], roughness=found.state.roughness)
    return [
        {
            "name": interval.name,
            "value": interval.value,
            "low": interval.low if math.isfinite(interval.low) else None,
            "high": interval.high if math.isfinite(interval.high) else None,
        }
        for interval in intervals
    ]


def template(form: Form) -> str:
    """Return a form with its constants as letters, in our grammar: "c*sin(a*x + b)"."""
    if isinstance(form, PrimitiveForm):
        inside = Symbol("a") * Symbol("x") + Symbol("b")
        return to_text(Symbol("c") * substitute(form.primitive.expression, {"z": inside}))
    return form.name


def _name(form: Choice | snapping.EdgeFit) -> str:
    return form.name if isinstance(form, Choice) else form.form.name


def _fit(form: Choice | snapping.EdgeFit) -> snapping.Candidate | snapping.EdgeFit:
    return form.candidates[0] if isinstance(form, Choice) else form


def _level(fit: snapping.EdgeFit | snapping.Candidate, x: np.ndarray, given: np.ndarray) -> float:
    """Return the constant that brings a form to the height of the edge's curve: how a slot's bias is shared out among its edges has no meaning."""
    with np.errstate(all="ignore"):
        gap = given - fit.form.evaluate(x, fit.parameters)[0]
    gap = gap[np.isfinite(gap)]
    return float(gap.mean()) if gap.size else 0.0


def _described(form: Choice | snapping.EdgeFit, grid: np.ndarray, level: float) -> dict[str, Any]:
    return _candidate(form, grid, level) if isinstance(form, Choice) else _preview(form, grid, level)


def _preview(fit: snapping.EdgeFit, grid: np.ndarray, level: float) -> dict[str, Any]:
    expression = fold(fit.form.expression(Symbol("x"), fit.parameters))
    return {
        "name": fit.form.name,
        "title": fit.form.title,
        "text": to_text(with_constants(expression, [float(f"{value:.4g}") for value in free_constants(expression)])),
        "complexity": fit.form.complexity,
        "validation_rmse": None,
        "delta_r2": None,
        "r2": fit.r2,
        "y": curve(_value(fit, grid, level)),
        "tie": False,
        "refitted": False,
    }


def _value(fit: snapping.EdgeFit | snapping.Candidate, x: np.ndarray, level: float) -> np.ndarray:
    with np.errstate(all="ignore"):
        return fit.form.evaluate(x, fit.parameters)[0] + level


def _candidate(choice: Choice, grid: np.ndarray, level: float) -> dict[str, Any]:
    first = choice.candidates[0]
    return {
        "name": choice.name,
        "title": choice.title,
        "text": choice.text,
        "formula": template(first.form),
        "parameters": dict(zip(first.form.parameter_names, map(float, first.parameters), strict=True)),
        "offset": level,
        "complexity": choice.complexity,
        "validation_rmse": choice.rmse_validation,
        "delta_r2": choice.delta_r2,
        "r2": float(first.preview_r2),
        "y": curve(_value(first, grid, level)),
        "tie": bool(choice.tied_with),
        "refitted": choice.refitted,
    }


def _beyond(choices: Sequence[Choice], x: np.ndarray, given: np.ndarray) -> dict[str, Any]:
    """Return the curves of the tied forms over the range widened by half its width on both sides."""
    tied = [choice for choice in choices if choice.tied_with][:5]
    width = float(x.max() - x.min())
    wide = np.linspace(x.min() - 0.5 * width, x.max() + 0.5 * width, _CURVE_POINTS)
    forms = []
    for choice in tied:
        first = choice.candidates[0]
        forms.append({"name": choice.name, "title": choice.title, "y": curve(_value(first, wide, _level(first, x, given)))})
    return {"x": curve(wide), "forms": forms}
