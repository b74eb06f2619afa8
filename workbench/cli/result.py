"""What `kan-workbench discover --json` writes; scripts read it, so its names never change.

    {"target", "features", "symbols": {symbol: column}, "seconds", "verdict": "law" | "approximation" | "none",
     "formula": {"python", "latex", "complexity", "r2_train", "r2_test", "fits_units": true | false | null,
                 "certificate": {"max_abs": {"train", "test", "fresh"}, "y_rms", "exact"}} | null,
     "pareto": [the same fields, simplest first]}

With the verdict "none" the formula is null and the Pareto list is kept. `r2_test` is null where there are no test rows, `fits_units` where units
say nothing. JSON has no NaN and no infinity: a figure that is not finite is null. A formula with edges that have no name yet calls them
`phi_0_2_1(x)`; it then has one field more, "definitions", with the exact function of each and what its numbers mean: a piecewise cubic, or a
quotient of polynomials.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from workbench.export.sympy_json import definition_to_json
from workbench.expression import RESERVED_NAMES, Call, Expression, Number, Symbol, add, call, substitute, to_text

if TYPE_CHECKING:
    from workbench.dataset import Dataset
    from workbench.discovery import Discovery
    from workbench.formula import Formula


def discovery_result(found: Discovery, seconds: float) -> dict:
    """Describe a discovery as plain JSON values.

    Parameters
    ----------
    found : the discovery
    seconds : wall time of the whole process
    """
    data = found.data
    return {
        "target": data.targets[0].name,
        "features": [column.name for column in data.features],
        "symbols": {column.symbol: column.name for column in (*data.features, *data.targets)},
        "seconds": round(seconds, 3),
        "verdict": found.verdict,
        "formula": None if found.verdict == "none" else formula_result(found.formula(nice=True), data),
        "pareto": [formula_result(formula, data) for formula in sorted(found.pareto, key=lambda formula: formula.complexity)],
    }


def formula_result(formula: Formula, data: Dataset) -> dict:
    """Describe one formula: its text, its size, how well it holds and how far it is from its network."""
    certificate = formula.certificate
    result = {
        "python": python_expression(formula),
        "latex": formula.to_latex(comments=False),
        "complexity": formula.complexity,
        "r2_train": _r2(formula, data, data.split.train),
        "r2_test": _r2(formula, data, data.split.test),
        "fits_units": formula.fits_units,
        "certificate": certificate and {
            "max_abs": {part: finite(certificate.max_abs.get(part)) for part in ("train", "test", "fresh")},
            "y_rms": finite(certificate.y_rms),
            "exact": bool(certificate.exact),
        },
    }
    if formula.definitions:
        result["definitions"] = {name: definition_to_json(edge) for name, edge in formula.definitions.items()}
    return result


def python_expression(formula: Formula) -> str:
    """Write the first output as one Python expression: plain function names, full precision, and columns under their own names.

    A column whose name is no identifier, or means something else in an expression (`lambda`, `exp`), stands there as its symbol. Not every reader
    knows expm1 and log1p, so they are written out.
    """
    expression = _written_out(formula.outputs[0].expression)
    own = {column.symbol: Symbol(column.name) for column in formula.inputs if column.name.isidentifier() and column.name not in RESERVED_NAMES}
    return to_text(substitute(expression, own))


def _written_out(expression: Expression) -> Expression:
    """Return exp(u) - 1 for expm1(u), and log(1 + u) for log1p(u)."""
    match expression:
        case Call(function="expm1", arguments=(inner,)):
            return add(call("exp", _written_out(inner)), Number(-1))
        case Call(function="log1p", arguments=(inner,)):
            return call("log", add(Number(1), _written_out(inner)))
        case Call(function=function, arguments=arguments):
            return call(function, *map(_written_out, arguments))
    return expression


def _r2(formula: Formula, data: Dataset, rows: np.ndarray) -> float | None:
    """Return R2 on some rows, or None where R2 has no meaning: fewer than two rows, or all of them alike."""
    y = data.y[rows]
    if len(rows) < 2 or not (np.ptp(y, axis=0) > 0).all():
        return None
    groups = None if data.groups is None else [data.group_labels[code] for code in data.groups[rows]]
    weights = None if data.weights is None else data.weights[rows]
    return finite(formula.score(data.X[rows], y, groups, weights))


def finite(value: float | None) -> float | None:
    """Return a number that JSON can carry, or None.

    >>> finite(float("nan")) is None, finite(0.5)
    (True, 0.5)
    """
    return float(value) if value is not None and math.isfinite(value) else None
