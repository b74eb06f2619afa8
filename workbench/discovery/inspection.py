"""What a person sees of one edge: its curve over the data, the forms it could be, the constants it has. Plain JSON for the inspector.

Only read: looking at an edge changes nothing. Numbers that are not finite are null.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench import snapping
from workbench.discovery import addresses
from workbench.discovery.choices import Choice
from workbench.discovery.discovery import Discovery
from workbench.expression import Symbol, substitute, to_text
from workbench.networks import Edge
from workbench.primitives import Form, PrimitiveForm
from workbench.pruning import importance
from workbench.trace import Trace, trace

_CURVE_POINTS = 161
_DATA_POINTS = 300


def inspect(found: Discovery, edge: Edge, choices: Sequence[Choice]) -> dict[str, Any]:
    """Describe an edge for the inspector (the payload is documented in ui/canvas).

    Parameters
    ----------
    found : the discovery, at the state to look at
    edge : its address
    choices : what `found.candidates(edge)` returned, or () when they are not asked for yet
    """
    network, problem = found.network, found.problems[0]
    traced = trace(network, problem.x)
    x, _ = traced.of(edge)
    grid = np.linspace(x.min(), x.max(), _CURVE_POINTS)
    snapped = network.symbolic_edge(edge)
    return {
        "edge": ".".join(map(str, edge)),
        "label": addresses.label(found.data, network, edge),
        "state": network.state(edge),
        "importance": min(importance(traced)[edge], 1.0),
        "x": finite(grid),
        "y": finite(network.edge_value(edge, grid)),
        "range": [float(x.min()), float(x.max())],
        "x_label": _x_label(found, edge),
        "points": _points(traced, edge, problem.y),
        "current": snapped.form.name if snapped else None,
        "stability": None,
        "constants": _constants(found, edge),
        "candidates": [_candidate(choice, grid) for choice in choices],
        "beyond": _beyond(choices, x),
    }


def finite(values: np.ndarray) -> list[float | None]:
    """Return numbers for JSON: what is not finite becomes null."""
    return [float(v) if math.isfinite(v) else None for v in np.asarray(values, dtype=float)]


def _x_label(found: Discovery, edge: Edge) -> str:
    level, source, _ = edge
    if level:
        return f"h{source}" if level == 1 else f"h{level},{source}"
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
    return [[float(a), float(b)] for a, b in points if math.isfinite(a) and math.isfinite(b)]


def _constants(found: Discovery, edge: Edge) -> list[dict[str, Any]]:
    if found.network.symbolic_edge(edge) is None:
        return []
    intervals = snapping.intervals(found.network, edge, found.problems[0])
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


def _candidate(choice: Choice, grid: np.ndarray) -> dict[str, Any]:
    first = choice.candidates[0]
    value = first.form.evaluate(grid, first.parameters)[0] + first.offset
    return {
        "name": choice.name,
        "title": choice.title,
        "text": choice.text,
        "formula": template(first.form),
        "parameters": dict(zip(first.form.parameter_names, map(float, first.parameters), strict=True)),
        "offset": float(first.offset),
        "complexity": choice.complexity,
        "validation_rmse": choice.rmse_validation,
        "delta_r2": choice.delta_r2,
        "r2": float(first.preview_r2),
        "y": finite(value),
        "tie": bool(choice.tied_with),
        "refitted": choice.refitted,
        "stability": None,
    }


def _beyond(choices: Sequence[Choice], x: np.ndarray) -> dict[str, Any]:
    """Return the curves of the tied forms over the range widened by half its width on both sides."""
    tied = [choice for choice in choices if choice.tied_with][:5]
    width = float(x.max() - x.min())
    wide = np.linspace(x.min() - 0.5 * width, x.max() + 0.5 * width, _CURVE_POINTS)
    forms = []
    for choice in tied:
        first = choice.candidates[0]
        with np.errstate(all="ignore"):
            value = first.form.evaluate(wide, first.parameters)[0] + first.offset
        forms.append({"name": choice.name, "title": choice.title, "y": finite(value)})
    return {"x": finite(wide), "forms": forms}
