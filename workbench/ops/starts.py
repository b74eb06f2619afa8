"""Start tables: rational functions that are an identity, a SiLU, a GELU, a ReLU, a tanh or a sigmoid before anything is learned.

Coefficients belong to one form of the denominator: those published as "gelu" for `abs_sum` are 1.46 away from a GELU under `sum_abs`. So
every form has its own, of degrees (5, 4), fitted on [-4, 4] by tools/fit_starts.py; the table also holds how far each is from what it stands
for. Beyond the fitted range they bend away: no quotient of these degrees has two different slopes at the two ends.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from workbench.exceptions import NetworkError, did_you_mean
from workbench.ops.rational import check_form

PATH = Path(__file__).with_name("starts.json")


@dataclass(frozen=True)
class Start:
    """Coefficients to start from, and how good they are.

    Parameters
    ----------
    numerator : a_0 ... a_5
    denominator : b_1 ... b_4
    worst : largest distance from the activation on [-4, 4]
    worst_near : the same on [-3, 3]
    """

    numerator: tuple[float, ...]
    denominator: tuple[float, ...]
    worst: float
    worst_near: float


def start(activation: str, form: str) -> Start:
    """Return the start of an activation in a form.

    >>> start("identity", "square").numerator
    (0.0, 1.0, 0.0, 0.0, 0.0, 0.0)
    >>> start("silu", "sum_abs").worst_near < 1e-4
    True
    """
    check_form(form)
    known = _table()[form]
    if activation not in known:
        raise NetworkError(f"start({activation!r}, {form!r}): no such start.{did_you_mean(activation, known)} Known: {', '.join(known)}.")
    entry = known[activation]
    return Start(tuple(entry["numerator"]), tuple(entry["denominator"]), entry["worst"], entry["worst_near"])


def evaluate(x: np.ndarray, numerator: np.ndarray, denominator: np.ndarray, form: str) -> np.ndarray:
    """Evaluate one rational function in NumPy, elementwise.

    >>> evaluate(np.array([-2.0]), np.array([1.0]), np.array([0.5]), "square")
    array([0.5])
    """
    check_form(form)
    a, b = np.asarray(numerator, float), np.asarray(denominator, float)
    z, b = (np.abs(x), np.abs(b)) if form == "sum_abs" else (x, b)
    q = np.polynomial.polynomial.polyval(z, [0.0, *b])
    return np.polynomial.polynomial.polyval(x, a) / (1 + {"sum_abs": q, "abs_sum": np.abs(q), "square": q * q}[form])


@functools.cache
def _table() -> dict[str, dict[str, dict]]:
    return json.loads(PATH.read_text(encoding="utf-8"))["starts"]
