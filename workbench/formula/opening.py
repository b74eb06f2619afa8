"""Constants that a formula leaves open, by name: fitted from many starts.

    k*x^p with k and p open   ->   2.1*x^1.5

Nothing is known about the role of a constant, so starts of all sizes and signs are tried: a start is judged by the correlation of its values with
the target, which does not care for scale and offset, and the best are polished by Levenberg-Marquardt on the formula itself.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbench.exceptions import TrainingError, WorkbenchError
from workbench.expression import Expression, Number, evaluate, substitute
from workbench.formula.fitting import Sample, fitted

_DRAWS, _POLISHED, _LOOKED_AT = 600, 10, 300  # starts, those that are fitted, rows on which starts are compared


def with_open_constants(expression: Expression, names: Sequence[str], sample: Sample) -> Expression:
    """Return the formula with its open constants fitted; as it is, where there are none.

    Raises
    ------
    TrainingError : for no start is the formula finite on all rows
    """
    if not names:
        return expression
    best, least = None, np.inf
    for start in _starts(expression, names, sample):
        try:
            trial = fitted(substitute(expression, {name: Number(float(v)) for name, v in zip(names, start, strict=True)}), sample)
        except (TrainingError, OverflowError):
            continue
        error = sample.rmse(trial)
        if error < least:
            best, least = trial, error
    if best is None:
        raise TrainingError(f"for no value of {', '.join(names)} that was tried is the formula finite on all rows. Give numbers instead.")
    return best


def _starts(expression: Expression, names: Sequence[str], sample: Sample) -> list[np.ndarray]:
    """Return the best of many starts: all ones first, then seeded draws of all sizes and signs."""
    generator = np.random.default_rng(0)
    shape = (_DRAWS, len(names))
    sizes = np.array([float(np.abs(values).max()) or 1.0 for values in (*sample.columns.values(), sample.y)])
    scales = np.array([1.0, *sizes, *(1.0 / sizes)])
    draws = 10.0 ** generator.uniform(-1.5, 1.5, shape) * generator.choice(scales, shape) * generator.choice([1.0, -1.0], shape)
    draws = np.vstack([np.ones(len(names)), np.abs(draws[: _DRAWS // 2]), draws])
    few = slice(None, None, max(1, len(sample.y) // _LOOKED_AT))
    columns, y = {name: values[few] for name, values in sample.columns.items()}, sample.y[few]
    scores = np.array([_match(expression, {**columns, **dict(zip(names, draw, strict=True))}, y) for draw in draws])
    order = np.argsort(-scores, kind="stable")[:_POLISHED]
    return [draws[k] for k in order if np.isfinite(scores[k])]


def _match(expression: Expression, values: dict[str, np.ndarray | float], y: np.ndarray) -> float:
    """Return how well values go with the target, whatever their scale and offset; -inf where they are not finite."""
    try:
        with np.errstate(all="ignore"):
            f = np.broadcast_to(evaluate(expression, values), y.shape)
            if not np.isfinite(f).all():
                return -np.inf
            f, centred = f - f.mean(), y - y.mean()
            length = float(np.sqrt((f @ f) * (centred @ centred)))
            return abs(float(f @ centred)) / length if 0.0 < length < np.inf else -1.0
    except WorkbenchError:
        return -np.inf
