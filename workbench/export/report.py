"""A discovery as one HTML file that explains itself: the formula, its proof, what it was made from and every decision on the way.

The file loads nothing, runs nothing and forbids both to itself by a content policy; formulas are MathML, drawings are SVG. It follows the
reader's light or dark setting and prints on white.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from importlib import metadata, resources
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from workbench.bases.basis import EdgeDefinition
from workbench.bases.bspline import SplineDefinition
from workbench.bases.rational import RationalDefinition
from workbench.exceptions import DatasetError
from workbench.export.mathml import equation, identifier, mathml
from workbench.export.source import rationals, splines
from workbench.expression import Symbol, with_constants
from workbench.figures.charts_svg import parity_svg, residuals_svg
from workbench.figures.drawing import drawing
from workbench.figures.markup import escape, number, unit
from workbench.figures.svg import network_svg
from workbench.formula import Formula
from workbench.networks import KAN

if TYPE_CHECKING:
    from workbench.dataset import Dataset

PARTS = (("train", "training"), ("validation", "validation"), ("test", "test"))
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_MOST_COLUMNS = 24  # that are listed without being asked for
_LONG = 60  # nodes of an expression beyond which it is set smaller


class Move(Protocol):
    """A decision: in words, and as the call that makes it again."""

    @property
    def label(self) -> str: ...
    def to_python(self) -> str: ...


class State(Protocol):
    """A step of a discovery."""

    @property
    def move(self) -> Move: ...


class Metrics(Protocol):
    """Scores of a state; where there are no validation rows, `r2_validation` is that of the folds."""

    @property
    def r2_validation(self) -> float: ...


class Discovered(Protocol):
    """What the report reads of a discovery; it asks and changes nothing."""

    data: Dataset

    @property
    def network(self) -> KAN: ...
    @property
    def metrics(self) -> Metrics: ...
    @property
    def path(self) -> Sequence[State]: ...
    def formula(self) -> Formula: ...
    def to_script(self) -> str: ...


def report(found: Discovered, formula: Formula | None = None, moment: datetime | None = None) -> str:
    """Return the report of a discovery's present state as one HTML text.

    Parameters
    ----------
    found : Discovery
    formula : the formula to report, if it is to be another than `found.formula()`, such as a rounded one
    moment : date and time to print; left out, none is, and the same discovery gives the same text
    """
    data, formula = found.data, found.formula() if formula is None else formula
    target = " and ".join(output.name for output in formula.outputs)
    sections = [
        _header(data, formula, target),
        _formula_section(found, formula),
        section("Constants", _constants(data, formula)),
        section("Range of validity", _ranges(formula)),
        section("The network", _network(found)),
        section("Measured and predicted", _charts(data, formula)),
        section("Functions without a name", _definitions(formula)),
        section("Decisions", _decisions(found)),
        section("Data", about_data(data)),
        footer(moment),
    ]
    return document(target, sections)


def document(title: str, sections: Iterable[str]) -> str:
    """Return a whole HTML file of sections, which are markup already."""
    style = resources.files("workbench.export").joinpath("report.css").read_text(encoding="utf-8")
    head = (
        f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{escape(title)} · KAN Workbench</title>'
    )
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}<style>\n{style}</style></head>\n<body>\n{"".join(sections)}</body></html>\n'


def write_report(found: Discovered, path: str | os.PathLike[str]) -> None:
    """Write the report to a file, with the present date and time."""
    Path(path).write_text(report(found, moment=datetime.now().astimezone()), encoding="utf-8")


# ---- sections


def _header(data: Dataset, formula: Formula, target: str) -> str:
    causes = ", ".join(escape(column.name) for column in formula.inputs)
    return (
        f"<header><h1>{escape(target)} as a function of {causes}</h1>"
        f'<p class="lead">A formula read from a Kolmogorov-Arnold network that was fitted to {len(data.X)} rows of <em>{escape(data.name)}</em>.</p></header>\n'
    )


def _formula_section(found: Discovered, formula: Formula) -> str:
    data, certificate = found.data, formula.certificate
    exact = certificate is not None and certificate.exact
    verdict = "Certified." if exact else "Certificate." if certificate is not None else "No certificate."
    figures = [(f"R² {words}", _r2(data, formula, part)) for part, words in PARTS]
    if not len(data.split.validation) and np.isfinite(found.metrics.r2_validation):
        figures.insert(1, ("R² cross-validated", number(found.metrics.r2_validation, 5)))
    figures.append(_error(data, formula))
    figures += [("complexity", str(formula.complexity)), ("constants", str(len(formula.constants)))]
    listed = "".join(f"<div><dt>{escape(name)}</dt><dd>{value}</dd></div>" for name, value in figures if value)
    notes = "".join(f'<p class="soft">{escape(note)}</p>' for note in formula.notes)
    return (
        f"{_equations(formula)}"
        f'<dl class="figures">{listed}</dl>'
        f'<div class="certificate{"" if exact else " inexact"}"><strong>{verdict}</strong> {escape(formula.certificate_text)}</div>{notes}'
        f"<details><summary>as text, with all digits</summary><pre>{escape(_all_text(formula))}</pre></details>"
        f"<details><summary>as LaTeX</summary><pre>{escape(formula.to_latex())}</pre></details>\n"
    )


def _equations(formula: Formula) -> str:
    """Set the outputs; with groups, those of each group under its label."""
    parts = []
    long = False
    for label, outputs in formula.groups.items() or [("", formula.outputs)]:
        own = replace(formula, outputs=tuple(outputs), groups={})
        long |= own.complexity > _LONG
        parts += [f"<h3>{escape(label)}</h3>"] if label else []
        parts += [equation(output.symbol, e) for output, e in zip(own.outputs, own.own_expressions(), strict=True)]
    return f'<div class="formula{" long" if long else ""}">{"".join(parts)}</div>'


def _all_text(formula: Formula) -> str:
    parts = [f"{label}\n{replace(formula, outputs=tuple(outputs)).to_text()}" for label, outputs in formula.groups.items()]
    return "\n\n".join(parts) if parts else formula.to_text()


def _constants(data: Dataset, formula: Formula) -> str:
    """Tabulate every constant with its 95 % interval, below the formula with c1, c2, ... in their place."""
    if _task(data) != "regression" or not formula.constants:
        return ""
    rows = data.split.train
    tables = []
    for k, (label, outputs) in enumerate(formula.groups.items() or [("", formula.outputs)]):
        own = replace(formula, outputs=tuple(outputs), groups={})
        chosen = rows if not label else rows[np.asarray(data.groups)[rows] == k]
        weights = None if data.weights is None else data.weights[chosen]
        heading = f"<h3>{escape(label)}</h3>" if label else ""
        tables.append(heading + _lettered(own) + _interval_table(own, data.X[chosen], data.y[chosen], weights))
    return "".join(tables) + (
        '<p class="soft">Intervals hold for 95 of 100 repetitions of the measurement, if the formula is right and the errors of its rows are '
        "independent. They come from the training rows.</p>"
    )


def _lettered(formula: Formula) -> str:
    """Set the formula with its constants as letters."""
    set_, start = [], 0
    for output, expression in zip(formula.outputs, formula.own_expressions(), strict=True):
        count = len(replace(formula, outputs=(output,)).constants)
        letters = [Symbol(f"c_{start + i + 1}") for i in range(count)]
        set_.append(equation(output.symbol, with_constants(expression, letters)))
        start += count
    return f'<div class="wide">{"".join(set_)}</div>'


def _interval_table(formula: Formula, X: np.ndarray, y: np.ndarray, weights: np.ndarray | None) -> str:
    rows = []
    for constant in formula.intervals(X, y, weights):
        known = constant.identified
        spread = f"{number(constant.low, 5)} … {number(constant.high, 5)}" if known else "not determined by these data"
        error = number(constant.standard_error, 2) if known else "—"
        letter = f"<math>{identifier(f'c_{constant.index + 1}')}</math>"
        rows.append([letter, number(constant.value, 8), error, spread, escape(unit(constant.unit))])
    return table(["", "value", "standard error", "95 % interval", "unit"], rows, numbers=(1, 2, 3))


def _ranges(formula: Formula) -> str:
    rows = [
        [f"<math>{identifier(column.symbol)}</math>", escape(column.name), escape(unit(column.unit)), number(column.low, 6), number(column.high, 6)]
        for column in formula.inputs
    ]
    words = '<p class="soft">The formula was fitted inside these ranges. Outside them it is an extrapolation, and predictions say so.</p>'
    return words + table(["symbol", "column", "unit", "from", "to"], rows, numbers=(3, 4))


def _network(found: Discovered) -> str:
    drawn = drawing(found.network, found.data.seen(found.data.X_train), labels=found.data)
    states = [edge["state"] for edge in drawn["edges"]]
    named = sum(state == "snapped" or (state == "locked" and edge["form"]) for state, edge in zip(states, drawn["edges"], strict=True))
    alive = sum(state != "pruned" for state in states)
    words = f"{alive} of {len(states)} edges are left, {named} of them have a name. Wires are as wide as the edge is important."
    return f"<figure>{network_svg(drawn)}<figcaption>{words}</figcaption></figure>"


def _charts(data: Dataset, formula: Formula) -> str:
    if _task(data) != "regression":
        return ""
    charts = []
    for t, output in enumerate(formula.outputs):
        parts = [(words, data.y[rows, t], _predicted(data, formula, rows)[:, t]) for words, rows in _split(data)]
        charts.append(f"<figure>{parity_svg(parts, output.name, output.unit)}</figure><figure>{residuals_svg(parts, output.name, output.unit)}</figure>")
    return f'<div class="pair">{"".join(charts)}</div>'


def _definitions(formula: Formula) -> str:
    if not formula.definitions:
        return ""
    tables = [*map(_spline, splines(formula)), *map(_rational, rationals(formula))]
    words = "These edges have no name yet: exact functions of one variable, given here in full. JSON and code exports carry all digits."
    return f'<p class="soft">{words}</p>{"".join(tables)}'


def _spline(definition: SplineDefinition) -> str:
    rows = [[number(knot, 8), *(number(c, 8) for c in row)] for knot, row in zip(definition.knots, definition.polynomials, strict=False)]
    pieces = table(["from x =", "1", "t", "t²", "t³"], rows, numbers=range(5))
    words = f"base weight {number(definition.base, 8)} for silu(u), {_u(definition)}; plus, from each knot on, a cubic in t = x − knot; 0 outside."
    return _unnamed(definition, words, f'<div class="wide">{pieces}</div>')


def _rational(definition: RationalDefinition) -> str:
    value = f'<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">{mathml(definition.by_powers, 8)}</math>'
    return _unnamed(definition, f"a quotient of polynomials in {_u(definition)}", f'<div class="wide">{value}</div>')


def _u(definition: EdgeDefinition) -> str:
    low, high = definition.domain
    return f"u = (2x − {number(low + high, 8)}) / {number(high - low, 8)}"


def _unnamed(definition: EdgeDefinition, words: str, body: str) -> str:
    low, high = definition.domain
    head = f"<summary><math>{identifier(definition.name)}</math> on {number(low)} … {number(high)}</summary>"
    return f'<details>{head}<p class="soft">{words}</p>{body}</details>'


def _decisions(found: Discovered) -> str:
    items = "".join(f"<li>{escape(state.move.label)} <code>{escape(state.move.to_python())}</code></li>" for state in found.path)
    script = f"<details><summary>the same as a Python script</summary><pre>{escape(found.to_script())}</pre></details>"
    return f'<ol class="decisions">{items}</ol>{script}'


def about_data(data: Dataset) -> str:
    """Return what the data were, and what became of their rows."""
    columns = [[escape(c.name), "input", escape(unit(c.unit))] for c in data.features] + [[escape(c.name), "target", escape(unit(c.unit))] for c in data.targets]
    split = ", ".join(f"{len(rows)} {words}" for words, rows in _split(data))
    left = "".join(f"<li>{len(rows)} rows left out: {escape(reason)}</li>" for rows, reason in data.left_out)
    notes = "".join(f"<li>{escape(getattr(note, 'text', note))}</li>" for note in data.notes)
    return (
        f"<p>{len(data.X)} rows are used: {split}. Test rows were used for reporting only, never to fit or to choose. "
        f"Fingerprint of the values used: <code>{escape(data.fingerprint)}</code> (SHA-256).</p>"
        f"{_folded(table(['column', 'role', 'unit'], columns), len(columns))}" + (f"<ul>{left}{notes}</ul>" if left or notes else "")
    )


def _folded(columns: str, count: int) -> str:
    return columns if count <= _MOST_COLUMNS else f"<details><summary>the {count} columns</summary>{columns}</details>"


def footer(moment: datetime | None) -> str:
    """Return versions, and the moment if one is given."""
    versions = ", ".join(f"{name} {_version(name)}" for name in ("kan-workbench", "numpy", "scipy", "numba"))
    when = f"Written {moment:%Y-%m-%d %H:%M %Z}. " if moment else ""
    return f"<footer>{when}{escape(versions)}, Python {platform.python_version()} on {escape(platform.system())} {escape(platform.machine())}.</footer>\n"


# ---- pieces


def section(title: str, body: str) -> str:
    """Return a section under its title; none where there is nothing to say."""
    return f"<section><h2>{escape(title)}</h2>\n{body}</section>\n" if body else ""


def table(head: Sequence[str], rows: Iterable[Sequence[str]], numbers: Iterable[int] = ()) -> str:
    """Return a table; cells are markup already."""
    right = set(numbers)

    def line(cells: Sequence[str], tag: str) -> str:
        return "".join(f'<{tag}{" class=number" if k in right else ""}>{cell}</{tag}>' for k, cell in enumerate(cells))

    body = "".join(f"<tr>{line(row, 'td')}</tr>" for row in rows)
    return f"<table><thead><tr>{line([escape(cell) for cell in head], 'th')}</tr></thead><tbody>{body}</tbody></table>"


def _task(data: Dataset) -> str:
    return getattr(data, "task", "regression")


def _split(data: Dataset) -> list[tuple[str, np.ndarray]]:
    """Return the parts that have rows: (name in words, row numbers)."""
    return [(words, getattr(data.split, part)) for part, words in PARTS if len(getattr(data.split, part))]


def _labels(data: Dataset, rows: np.ndarray) -> list[str] | None:
    if data.groups is None:
        return None
    return [str(data.group_labels[code]) for code in np.asarray(data.groups)[rows]]


def _predicted(data: Dataset, formula: Formula, rows: np.ndarray) -> np.ndarray:
    groups = _labels(data, rows) if formula.groups else None
    return formula.prediction(data.X[rows], groups).values.reshape(len(rows), -1)


def _r2(data: Dataset, formula: Formula, part: str) -> str:
    rows = getattr(data.split, part)
    if len(rows) < 2 or _task(data) != "regression":
        return ""
    try:
        return number(formula.score(data.X[rows], data.y[rows], _labels(data, rows) if formula.groups else None), 5)
    except DatasetError:  # these few rows happen to have one and the same target: R2 is not defined
        return ""


def _error(data: Dataset, formula: Formula) -> tuple[str, str]:
    """Return the root mean square error of the last part that has rows, in the target's unit."""
    if _task(data) != "regression" or len(formula.outputs) > 1:
        return "", ""
    words, rows = _split(data)[-1]
    error = float(np.sqrt(np.mean((data.y[rows] - _predicted(data, formula, rows)) ** 2)))
    return f"RMSE {words}", f"{number(error, 3)} {escape(unit(formula.outputs[0].unit))}"


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:  # run from a source tree
        return "(source tree)"


