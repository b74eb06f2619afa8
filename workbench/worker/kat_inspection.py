"""What the page shows of one activation function, of the attention to one row, and of the whole for the page Export, as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.activations import GroupFunction, KATCandidate
from workbench.activations.candidates import text_of
from workbench.figures.functions import function_id, function_label
from workbench.primitives import Form, PrimitiveForm
from workbench.training.adam import outputs_of
from workbench.transformer.transformer import Transformer

_POINTS = 160
_BINS = 48
_DRAWN_TIES = 4
_OFFERED = 24  # rows to look at
_MOST_TOKENS = 65  # of a map that is sent whole; of a larger one what the class token looks at
_CHANCES = 3


def inspected(state: Transformer, address: tuple[str, int], candidates: Sequence[KATCandidate] = ()) -> dict[str, Any]:
    """Describe a function, with the forms it could have; the payload of the inspector (see workbench/ui/canvas)."""
    reading = state.reading
    function = next(one for one in reading.functions if one.address == address)
    x, y = reading.curve(address, _POINTS)
    seen = reading.received(address)
    current = None if function.name is None else function.name.form.name
    return {
        "edge": function_id(list(reading.places).index(address[0]), address[1]),
        "label": function_label(address),
        "state": "spline" if function.name is None else "snapped",
        "x": x.tolist(), "y": y.tolist(), "range": [seen.low, seen.high], "x_label": "x, what the function receives",
        "density": np.histogram(seen.x, _BINS, range=(seen.low, seen.high))[0].tolist(),
        "chips": [_shared(function)], "text": function.text, "moves": ["snap", "release"], "score": _score(state),
        "points": [], "current": current, "constants": [], "stability": None, "importance": None,
        "candidates": [_candidate(one, x) for one in candidates], "beyond": _beyond(candidates, seen.low, seen.high),
    }  # fmt: skip


def _shared(function: GroupFunction) -> str:
    return f"shared by {function.n_channels} channels"


def _score(state: Transformer) -> str:
    return "accuracy" if state.data.task == "classification" else "R²"


def title_of(form: Form) -> str:
    """Return a form's name for people."""
    return form.primitive.title if isinstance(form, PrimitiveForm) else form.name


def _values(candidate: KATCandidate, x: np.ndarray) -> list[float | None]:
    name = candidate.name
    with np.errstate(all="ignore"):
        values = name.form.evaluate(x, name.constants[:-1])[0] + name.constants[-1]
    return [float(value) if np.isfinite(value) else None for value in values]


def _candidate(candidate: KATCandidate, x: np.ndarray) -> dict[str, Any]:
    form = candidate.name.form
    return {
        "name": form.name, "title": title_of(form), "text": text_of(candidate.name), "complexity": candidate.complexity,
        "validation_rmse": candidate.difference, "delta_r2": candidate.delta_score, "r2": candidate.preview_r2, "y": _values(candidate, x),
        "tie": bool(candidate.tied_with), "refitted": candidate.difference is not None, "stability": None, "offset": 0.0, "parameters": {},
    }  # fmt: skip


def _beyond(candidates: Sequence[KATCandidate], low: float, high: float) -> dict[str, Any]:
    """Return how forms that tie with the best go on outside of what the function has received."""
    tied = [one for one in candidates if one.difference is not None and one.name.form.name in {candidates[0].name.form.name, *candidates[0].tied_with}]
    if len(tied) < 2:
        return {"x": [], "forms": []}
    x = np.linspace(low - (high - low) / 2, high + (high - low) / 2, _POINTS)
    forms = [{"name": one.name.form.name, "title": title_of(one.name.form), "y": _values(one, x)} for one in tied[:_DRAWN_TIES]]
    return {"x": x.tolist(), "forms": forms}


def attended(state: Transformer, wanted: int | None) -> dict[str, Any]:
    """Describe what the attention heads do on one validation row, and which rows there are to look at: those it gets wrong first.

    Parameters
    ----------
    wanted : number of a row among the validation rows; the first that is offered when left out
    """
    data, samples = state.data, state.lessons.validation
    outputs = outputs_of(state.module, samples.X)
    said, wrong = _answers(state, outputs.double().numpy())
    right = np.flatnonzero(~wrong)
    even = right[np.unique(np.linspace(0, len(right) - 1, min(len(right), _OFFERED)).astype(int))] if len(right) else right
    offered = [*np.flatnonzero(wrong)[: _OFFERED // 2].tolist(), *even.tolist()][:_OFFERED]
    row = wanted if wanted is not None and 0 <= wanted < len(samples) else offered[0]
    truth = [str(label) for label in _truths(state)]
    images = state.lessons.pixels is not None
    maps = state.reading.attention(samples.X[row : row + 1])
    return {
        "row": row,
        "n_rows": len(samples),
        "offered": [
            {"row": k, "truth": truth[k], "predicted": said[k], "wrong": bool(wrong[k]), "image": samples.X[k, 0].tolist() if images else None} for k in offered
        ],
        "truth": truth[row], "predicted": said[row], "wrong": bool(wrong[row]), "target": data.targets[0].name,
        "image": samples.X[row, 0].tolist() if images else None,
        "values": None if images else samples.X[row].flatten().tolist(),
        "heads": [{"block": block + 1, "head": head + 1, "map": _map(one)} for block, own in enumerate(maps.values()) for head, one in enumerate(own[0])],
    }  # fmt: skip


def _map(values: np.ndarray) -> list[list[float]]:
    """Return a map (n_tokens, n_tokens) with four decimals; of a large one the row of the class token."""
    return np.round(values if len(values) <= _MOST_TOKENS else values[:1], 4).tolist()


def _truths(state: Transformer) -> list[Any]:
    y = state.lessons.validation.y.numpy()
    if state.data.task == "classification":
        return [state.data.classes[code] for code in y]
    return [f"{value:.4g}" for value in y[:, 0]]


def _answers(state: Transformer, outputs: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Return what the model says of every validation row in words, and where it is wrong; of numbers, where it is far off."""
    y = state.lessons.validation.y.numpy()
    if state.data.task == "classification":
        codes = outputs.argmax(1)
        return [str(state.data.classes[code]) for code in codes], codes != y
    errors = np.abs(outputs[:, 0] - y[:, 0])
    return [f"{value:.4g}" for value in outputs[:, 0]], errors > 2 * np.sqrt(np.mean(errors**2))
