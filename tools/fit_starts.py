"""Fit the start tables of rational functions, one for each form of the denominator, and write them beside the code that reads them.

    python tools/fit_starts.py            # a minute or two; the same table every time on one machine

Each activation is approximated by degrees (5, 4) on [-4, 4] for the smallest error at the worst point: least squares from many starts, then
Lawson's weights (1961), which grow where the error is large. P is linear in its coefficients, so the search is over the denominator alone
(variable projection). The table says how large the worst error is, there and on [-3, 3].
"""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
from scipy.optimize import least_squares
from scipy.special import erf

from workbench.ops.rational import FORMS
from workbench.ops.starts import PATH, evaluate

M, N = 5, 4
REACH, NEAR = 4.0, 3.0
POINTS = REACH * np.cos(np.linspace(0.0, np.pi, 401))  # dense at the ends, where a polynomial errs most
FINE = np.linspace(-REACH, REACH, 8001)
STARTS, FINALISTS, ROUNDS = 24, 3, 40

ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "identity": lambda x: x,
    "silu": lambda x: x / (1 + np.exp(-x)),
    "gelu": lambda x: 0.5 * x * (1 + erf(x / np.sqrt(2))),
    "relu": lambda x: np.maximum(x, 0.0),
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
}

Coefficients = tuple[np.ndarray, np.ndarray]


def main() -> None:
    """Write the table."""
    table = {form: {activation: fit(activation, form) for activation in ACTIVATIONS} for form in FORMS}
    PATH.write_text(json.dumps({"reach": REACH, "near": NEAR, "starts": table}, indent=1) + "\n", encoding="utf-8")
    for form, rows in table.items():
        print(form, {name: f"{row['worst']:.1e} ({row['worst_near']:.1e})" for name, row in rows.items()})


def fit(activation: str, form: str) -> dict:
    """Return numerator, denominator and worst errors of one activation in one form."""
    target = ACTIVATIONS[activation]
    if activation == "identity":  # exact, and a start that can learn everything
        best = np.eye(M + 1)[1], np.zeros(N)
    else:
        generator = np.random.default_rng(0)
        found = [_least_squares(b, target, form, np.ones_like(POINTS)) for b in generator.normal(0.0, 0.3, (STARTS, N))]
        found.sort(key=lambda pair: _worst(pair, target, form))
        best = min((_lawson(pair, target, form) for pair in found[:FINALISTS]), key=lambda pair: _worst(pair, target, form))
    near = FINE[np.abs(FINE) <= NEAR]
    return {
        "numerator": best[0].tolist(),
        "denominator": best[1].tolist(),
        "worst": _worst(best, target, form),
        "worst_near": _worst(best, target, form, near),
    }


def _least_squares(b: np.ndarray, target: Callable, form: str, weights: np.ndarray) -> Coefficients:
    found = least_squares(lambda b: _projected(b, target, form, weights)[1], b, method="lm", xtol=1e-14, ftol=1e-14, max_nfev=2000)
    return _projected(found.x, target, form, weights)[0], found.x


def _projected(b: np.ndarray, target: Callable, form: str, weights: np.ndarray) -> Coefficients:
    """Return the best numerator for a denominator, and the weighted errors that are left."""
    inverse = evaluate(POINTS, np.ones(1), b, form)
    design = np.vander(POINTS, M + 1, increasing=True) * inverse[:, None]
    root, wanted = np.sqrt(weights), target(POINTS)
    a = np.linalg.lstsq(design * root[:, None], wanted * root, rcond=None)[0]
    return a, root * (design @ a - wanted)


def _lawson(start: Coefficients, target: Callable, form: str) -> Coefficients:
    """Return the best on the way from the smallest mean square to the smallest maximum."""
    weights, pair, best = np.ones_like(POINTS), start, start
    for _ in range(ROUNDS):
        errors = np.abs(evaluate(POINTS, *pair, form) - target(POINTS))
        weights = weights * (errors / errors.max() + 1e-3)
        weights /= weights.mean()
        pair = _least_squares(pair[1], target, form, weights)
        best = min(best, pair, key=lambda pair: _worst(pair, target, form))
    return best


def _worst(pair: Coefficients, target: Callable, form: str, points: np.ndarray = FINE) -> float:
    return float(np.abs(evaluate(points, *pair, form) - target(points)).max())


if __name__ == "__main__":
    main()
