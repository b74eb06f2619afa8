"""A transformer that was read as one HTML file that explains itself: what its names cost, every function, every decision, the data.

Like the report of a discovery it loads nothing and runs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from workbench.activations import KATReading
from workbench.activations.certificate import Compared, KATCertificate
from workbench.export.mathml import mathml
from workbench.export.names import NamedFunction, functions_of
from workbench.export.report import about_data, document, footer, section, table
from workbench.figures.functions import functions_drawing
from workbench.figures.functions_svg import functions_svg
from workbench.figures.markup import escape, number

if TYPE_CHECKING:
    from workbench.dataset import Dataset

_PARTS = {"train": "training", "validation": "validation", "test": "test"}


def kat_report(
    reading: KATReading, data: Dataset, certificate: KATCertificate, decisions: Sequence[tuple[str, str]], script: str, moment: datetime | None = None
) -> str:
    """Return the report of a transformer.

    Parameters
    ----------
    reading, data, certificate : what was read, on which data, and what the names cost
    decisions : every move in words, and the call that makes it again
    script : the same as a Python program
    moment : date and time to print; left out, none is, and the same reading gives the same text
    """
    target = " and ".join(column.name for column in data.targets)
    named, total = certificate.n_named, certificate.n_functions
    lead = f"A Kolmogorov-Arnold transformer that was fitted to {len(data.X)} rows of <em>{escape(data.name)}</em>; {named} of its {total} activation functions have a name."
    sections = [
        f'<header><h1>{escape(target)} by a transformer that can be read</h1><p class="lead">{lead}</p></header>\n',
        _cost(certificate),
        section("The activation functions", _functions(reading)),
        section("What they are called", _table(functions_of(reading))),
        section("Decisions", _decisions(decisions, script)),
        section("Data", about_data(data)),
        footer(moment),
    ]
    return document(target, sections)


def _cost(certificate: KATCertificate) -> str:
    """Tabulate both models beside each other."""
    rows = [_row(_PARTS.get(part, part), both) for part, both in certificate.parts.items()]
    score = "R²" if any(both.same_class is None for both in certificate.parts.values()) else "accuracy"
    head = ["rows", "", f"{score} as trained", f"{score} with names", "same class", "outputs apart", "at most", "typical output"]
    words = "The model with names beside the one that was trained. No closed formula of the whole is claimed."
    return f'<div class="certificate"><strong>What the names cost.</strong> {words}</div>{table(head, rows, numbers=range(1, 8))}'


def _row(part: str, both: Compared) -> list[str]:
    scores = both.score_opened, both.score_snapped
    shown = [f"{score:.4f}" if both.same_class is None else f"{100 * score:.2f} %" for score in scores]
    same = "–" if both.same_class is None else f"{100 * both.same_class:.2f} %"
    return [escape(part), str(both.n_rows), *shown, same, number(both.rms, 2), number(both.max_abs, 2), number(both.output_rms, 2)]


def _functions(reading: KATReading) -> str:
    words = "Every curve over the density of what its function received on the training rows. Green ones have a name."
    return f"<figure>{functions_svg(functions_drawing(reading))}<figcaption>{words}</figcaption></figure>"


def _table(functions: Sequence[NamedFunction]) -> str:
    rows = [[escape(f.place), str(f.channels), escape(f.title or "–"), _set(f)] for f in functions]
    return f'<p class="soft">Every function is shared by its channels: a name holds for all of them.</p>{table(["place", "channels", "name", "function of x"], rows, numbers=(1,))}'


def _set(function: NamedFunction) -> str:
    return escape(function.text) if function.short is None else f"<math>{mathml(function.short)}</math>"


def _decisions(decisions: Sequence[tuple[str, str]], script: str) -> str:
    items = "".join(f"<li>{escape(label)} <code>{escape(code)}</code></li>" for label, code in decisions)
    return f'<ol class="decisions">{items}</ol><details><summary>the same as a Python script</summary><pre>{escape(script)}</pre></details>'
