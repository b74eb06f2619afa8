"""What `kan-workbench discover --json` writes; scripts read it, so its names never change.

    {"target", "features", "symbols": {symbol: column}, "seconds", "verdict": "law" | "approximation" | "none",
     "formula": {"python", "latex", "complexity", "r2_train", "r2_test",
                 "certificate": {"max_abs": {"train", "test", "fresh"}, "y_rms", "exact"}} | null,
     "pareto": [the same fields, simplest first]}

With the verdict "none" the formula is null and the Pareto list is kept. `r2_test` is null where there are no test rows. JSON has no NaN and no
infinity: a figure that is not finite is written as null.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.dataset import Dataset
    from workbench.discovery import Discovery
    from workbench.formula import Formula


def discovery_result(found: Discovery, data: Dataset, seconds: float) -> dict:
    """Describe a discovery as plain JSON values.

    Parameters
    ----------
    found : the discovery
    data : the dataset it was made from
    seconds : wall time of the whole process
    """
    return {
        "target": data.targets[0].name,
        "features": [column.name for column in data.features],
        "symbols": {column.symbol: column.name for column in (*data.features, *data.targets)},
        "seconds": round(seconds, 3),
        "verdict": found.verdict,
        "formula": None if found.verdict == "none" else formula_result(found.formula(), data),
        "pareto": [formula_result(formula, data) for formula in sorted(found.pareto, key=lambda formula: formula.complexity)],
    }


def formula_result(formula: Formula, data: Dataset) -> dict:
    """Describe one formula: its text, its size, how well it holds and how far it is from its network."""
    certificate = formula.certificate
    return {
        "python": formula.python_expression(),
        "latex": formula.to_latex(),
        "complexity": formula.complexity,
        "r2_train": finite(formula.score(data.X_train, data.y_train)),
        "r2_test": finite(formula.score(data.X_test, data.y_test)) if len(data.y_test) else None,
        "certificate": {
            "max_abs": _figures(certificate.max_abs, ("train", "test", "fresh")),
            "y_rms": finite(certificate.y_rms),
            "exact": bool(certificate.exact),
        },
    }


def _figures(values: Mapping[str, float | None], names: tuple[str, ...]) -> dict[str, float | None]:
    return {name: finite(values.get(name)) for name in names}


def finite(value: float | None) -> float | None:
    """Return a number that JSON can carry, or None.

    >>> finite(float("nan")) is None, finite(0.5)
    (True, 0.5)
    """
    return float(value) if value is not None and math.isfinite(value) else None
