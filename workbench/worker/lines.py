"""A formula as the list of the Workbench page shows it: one line, and what opens under it, kept with the state it belongs to; and two compared."""

from __future__ import annotations

import math
from typing import Any

from workbench.dataset import Dataset
from workbench.discovery.laws import Law
from workbench.expression import free_constants, readable, with_constants
from workbench.formula import Formula
from workbench.formula.comparison import Comparison
from workbench.worker.equations import equations

_DIGITS = 4


def told(law: Law, data: Dataset) -> dict[str, Any]:
    """Return a law as JSON.

    ::

        {"text": "0.0026*Girth**2*Height"    constants to four digits,   "latex": "..."   for the page,
         "copy": {"text", "python", "latex"}   all digits,
         "complexity": 7, "r2": 0.97, "share": 0.16   error on checked rows as a share of the target's spread,
         "rmse": 2.6 | null, "unit": "ft^3"   the same in the target's unit, where it has one scale,
         "origin": "screens", "stability": 0.95 | null, "fits_units": true | null, "symbolic": true,
         "constants": [{"value", "low", "high"   95 %, null where they are not known,   "unit": "ft/in" | null}]}
    """
    formula, single = law.formula, len(data.targets) == 1 and data.task == "regression" and not data.transforms and data.groups is None
    spread = _spread(data) if single else None
    return {
        "text": "; ".join(_short(formula)),
        "latex": equations(formula.rounded(3)),
        "copy": {"text": formula.to_text(), "python": formula.python_expression(), "latex": equations(formula)},
        "complexity": formula.complexity,
        "r2": _finite(law.r2),
        "share": _finite(law.error),
        "rmse": None if spread is None else _finite(law.error * spread),
        "unit": data.targets[0].unit if single else "",
        "origin": law.origin,
        "stability": law.stability,
        "fits_units": law.fits_units,
        "symbolic": not formula.definitions,
        "constants": [
            {"value": _finite(c.value), "low": _finite(c.low), "high": _finite(c.high), "unit": c.unit} for c in law.constants
        ],
    }


def compared(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison as JSON: {"text", "relation", "other": the second formula, "curve": {"label", "x", "difference"} | null}."""
    curve = None
    if comparison.along is not None:
        column = next(c for c in comparison.first.inputs if c.name == comparison.along)
        curve = {
            "label": f"{column.name} ({column.unit})" if column.unit else column.name,
            "x": [_finite(value) for value in comparison.x.tolist()],
            "difference": [_finite(value) for value in comparison.difference.tolist()],
        }
    return {"text": comparison.text, "relation": comparison.relation, "other": "; ".join(_short(comparison.second)), "curve": curve}


def _short(formula: Formula) -> list[str]:
    """Return the right-hand sides with constants to four digits, columns by their own names."""
    return [
        readable(with_constants(expression, [float(f"{value:.{_DIGITS}g}") for value in free_constants(expression)]))
        for expression in formula.own_expressions()
    ]


def _spread(data: Dataset) -> float:
    from workbench.training import Problem

    return float(Problem.from_dataset(data).scale[0])


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None
