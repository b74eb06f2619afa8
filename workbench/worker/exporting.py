"""What the page Export shows of a discovery, as JSON: the formula with its constants and their intervals, plots, predictions of new rows."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from workbench.discovery import Discovery
from workbench.discovery.reading import assembled
from workbench.discovery.state import predict
from workbench.exceptions import TrainingError
from workbench.expression import to_text
from workbench.formula import Formula
from workbench.table import Table
from workbench.training import Problem
from workbench.worker.equations import equations
from workbench.worker.registry import Arguments

_ROWS = 2000  # of each part in a plot
_SHOWN = 4  # decimals
_PREVIEW = 200  # rows of a prediction that the page shows
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")  # what makes a spreadsheet run a text


def asked_for(found: Discovery, arguments: Arguments) -> Formula:
    """Return the formula with the `decimals` and `nice` constants that a person asked for."""
    return found.formula(decimals=cast("int | None", arguments.get("decimals")), nice=bool(arguments.get("nice", False)))


def described(found: Discovery, arguments: Arguments) -> dict[str, Any]:
    """Describe the formula that was asked for; where constants are to stay as fitted, the LaTeX still shows few digits of them."""
    data, formula, nice = found.data, asked_for(found, arguments), bool(arguments.get("nice", False))
    as_fitted = arguments.get("decimals") is None and not nice
    return {
        "text": formula.to_text(),
        "latex": equations(formula.rounded(_SHOWN) if as_fitted else formula),
        "complexity": formula.complexity,
        "unnamed": sorted(formula.definitions),
        "certificate": formula.certificate.to_json() if formula.certificate else None,
        "certificate_text": formula.certificate_text,
        "notes": list(formula.notes),
        "ranges": [{"name": i.name, "unit": i.unit or "", "low": _finite(i.low), "high": _finite(i.high)} for i in formula.inputs],
        "constants": _constants(found, formula),
        "replacements": _replacements(found) if nice else [],
        "fingerprint": data.fingerprint,
        "script": found.to_script(),
        "metrics": found.metrics.to_json(),
        "task": data.task,
        "target": {"name": data.targets[0].name, "unit": data.targets[0].unit},
        "parity": _parity(found) if data.task == "regression" else {},
    }


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _parts(found: Discovery, formula: Formula) -> Iterator[tuple[str, Formula, np.ndarray]]:
    """Yield (label, formula, training rows) of every group; one in all where there are no groups."""
    data, rows = found.data, found.data.split.train
    if data.groups is None:
        yield "", formula, rows
        return
    for number, (label, outputs) in enumerate(formula.groups.items()):
        yield label, replace(formula, outputs=outputs, groups={}), rows[data.groups[rows] == number]


def _constants(found: Discovery, formula: Formula) -> list[dict[str, Any]]:
    """Return every free constant with its 95 % interval; those of splines are not among them."""
    data = found.data
    if data.task != "regression":
        return []
    told = []
    for label, part, rows in _parts(found, formula):
        weights = None if data.weights is None else data.weights[rows]
        for constant in part.intervals(data.X[rows], data.y[rows], weights):
            told.append(
                {
                    "group": label, "output": constant.output, "value": constant.value, "low": _finite(constant.low),
                    "high": _finite(constant.high), "known": constant.identified, "unit": constant.unit or "",
                }
            )  # fmt: skip
    return told


def _replacements(found: Discovery) -> list[dict[str, Any]]:
    """Return every plainer constant that was tried, and what it costs in the target's unit."""
    data = found.data
    told = []
    for label, part, rows in _parts(found, assembled(data, found.state.networks)):
        weights = None if data.weights is None else data.weights[rows]
        if data.task != "regression" or part.definitions:
            continue
        for tried in part.nice(data.X[rows], data.y[rows], weights).replacements:
            told.append({"group": label, "value": tried.value, "exact": to_text(tried.exact), "cost": _finite(tried.cost), "applied": tried.applied})
    return told


def _parity(found: Discovery) -> dict[str, Any]:
    """Return measured and predicted values of every part of the data, at most 2000 rows of each."""
    data, parts = found.data, {}
    for name in ("train", "validation", "test"):
        rows = getattr(data.split, name)
        rows = rows[:: max(1, -(-len(rows) // _ROWS))]
        if len(rows):
            parts[name] = {
                "measured": data.y[rows, 0].tolist(),
                "predicted": predict(data, found.state.networks, rows)[:, 0].tolist(),
            }
    return parts


@dataclass(frozen=True)
class Predicted:
    """Predictions for the rows of a table: what to say about them, and the table as a CSV file with the new columns."""

    about: dict[str, Any]
    csv: bytes


def predicted(found: Discovery, formula: Formula, table: Table) -> Predicted:
    """Predict every row of a new table; a row without all inputs gets none, a row outside the range of the fit is marked.

    Parameters
    ----------
    found, formula : the discovery and the formula read from it
    table : with the inputs as columns, under the names of the data that were fitted
    """
    data = found.data
    encoded = data.encode(table)
    usable = encoded.complete
    if not usable.any():
        raise TrainingError("No row of this table has all inputs of the formula, so there is nothing to predict. Give rows without gaps.")
    groups = None if encoded.groups is None else [data.group_labels[code] for code in encoded.groups[usable]]
    prediction = formula.prediction(encoded.X[usable], groups)
    columns = _columns(found, prediction.values.reshape(int(usable.sum()), -1), usable)
    outside = np.zeros(len(usable), dtype=bool)
    outside[usable] = prediction.outside
    about = {"predicted": int(usable.sum()), "message": prediction.message, "notes": [note.text for note in encoded.notes]}
    return joined(table, columns, outside, about)


def joined(table: Table, columns: Mapping[str, np.ndarray], outside: np.ndarray, about: Mapping[str, Any]) -> Predicted:
    """Return a table with its predictions.

    Parameters
    ----------
    columns : what was predicted, (n_rows,) each
    outside : (n_rows,) which rows lie outside the range of the fit
    about : "predicted", how many rows; "message" and "notes", what is to be said
    """
    frame = table.frame
    for name in frame.select_dtypes(include="object").columns:
        frame[name] = frame[name].map(_harmless)
    for name, values in columns.items():
        frame[f"predicted {name}"] = [_harmless(value) for value in values] if values.dtype == object else values
    frame["outside_range"] = outside.astype(int)
    frame.columns = [_harmless(str(name)) for name in frame.columns]
    preview = [[_plain(value) for value in row] for row in frame.head(_PREVIEW).itertuples(index=False, name=None)]
    told = {**about, "rows": len(outside), "outside": int(outside.sum()), "columns": list(frame.columns), "preview": preview}
    return Predicted(told, frame.to_csv(index=False, lineterminator="\n").encode("utf-8"))


def as_file(name: str, mime: str, content: bytes) -> dict[str, str]:
    """Return a file as JSON, its content in base64."""
    return {"name": name, "mime": mime, "content": base64.b64encode(content).decode("ascii")}


def _columns(found: Discovery, values: np.ndarray, usable: np.ndarray) -> dict[str, np.ndarray]:
    """Return the new columns: a value per target or, for classes, the most likely one and its probability."""
    data = found.data
    if data.task == "regression":
        return {target.name: _spread(values[:, k], usable) for k, target in enumerate(data.targets)}
    problem = Problem(np.zeros((1, len(values))), np.zeros((1, len(values))), None, "cross_entropy", len(data.classes))
    chances = problem.probabilities(values.T)  # (n_outputs, n_rows) -> (n_classes, n_rows)
    likely = np.full(len(usable), None, dtype=object)
    likely[usable] = [data.classes[code] for code in chances.argmax(0)]
    return {data.targets[0].name: likely, "probability": _spread(chances.max(0), usable)}


def _spread(values: np.ndarray, usable: np.ndarray) -> np.ndarray:
    column = np.full(len(usable), np.nan)
    column[usable] = values
    return column


def _harmless(value: object) -> object:
    """Quote a text that a spreadsheet would run as a formula.

    >>> _harmless("=1+1"), _harmless("beech"), _harmless(None)
    ("'=1+1", 'beech', None)
    """
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_SIGNS) else value


def _plain(value: object) -> object:
    """Return a cell as JSON."""
    if isinstance(value, float | np.floating):
        return _finite(float(value))
    if value is None or isinstance(value, str | bool | int):
        return value
    return value.item() if isinstance(value, np.integer | np.bool_) else str(value)
