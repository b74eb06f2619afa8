"""Exports: a formula in other languages, each file with its inputs, units, ranges and certificate, and tested by running it.

    target    what comes out                                             needs
    latex     equations for a paper                                      amsmath
    python    functions of plain numbers                                 nothing
    numpy     functions of columns                                       NumPy
    sympy     SymPy expressions                                          SymPy
    c         functions of doubles                                       math.h
    julia     functions of numbers                                       nothing
    matlab    a function of columns, saved as formula.m                  MATLAB or GNU Octave
    excel     a workbook that computes the formula                       Excel or LibreOffice
    json      formula, curves and certificate for other programs         nothing
    report    one HTML page about the whole discovery                    a browser

`formula.to("python")` and `export(formula, "python")` write a formula; the report needs the discovery: `write_export(found, "report")`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from workbench.exceptions import ExportError, did_you_mean
from workbench.export import c, excel, julia, latex, matlab, numpy, python, sympy_json
from workbench.export.latex import to_latex
from workbench.formula import EXPORTERS, Formula

if TYPE_CHECKING:
    from workbench.export.report import Discovered

__all__ = ["TARGETS", "Target", "Written", "export", "to_latex", "write_export"]


@dataclass(frozen=True)
class Target:
    """A language to export to: its name, title, how its file is called (with {symbol} of the first output), type and writer."""

    name: str
    title: str
    file_name: str
    mime: str
    write: Callable[[Formula], str | bytes] | None  # None: the report, which needs the discovery


@dataclass(frozen=True)
class Written:
    """An export as a file: its name, MIME type and content."""

    name: str
    mime: str
    content: bytes


_EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

TARGETS: Mapping[str, Target] = MappingProxyType(
    {
        target.name: target
        for target in (
            Target("latex", "LaTeX", "{symbol}.tex", "application/x-tex", latex.write),
            Target("python", "Python", "{symbol}.py", "text/x-python", python.write),
            Target("numpy", "NumPy", "{symbol}_numpy.py", "text/x-python", numpy.write),
            Target("sympy", "SymPy", "{symbol}_sympy.py", "text/x-python", sympy_json.write_sympy),
            Target("c", "C", "{symbol}.c", "text/x-csrc", c.write),
            Target("julia", "Julia", "{symbol}.jl", "text/x-julia", julia.write),
            Target("matlab", "MATLAB", "formula.m", "text/x-matlab", matlab.write),
            Target("excel", "Excel", "{symbol}.xlsx", _EXCEL, excel.write),
            Target("json", "JSON", "{symbol}.json", "application/json", sympy_json.write_json),
            Target("report", "Report", "{symbol}.html", "text/html", None),
        )
    }
)

EXPORTERS.update({target.name: target.write for target in TARGETS.values() if target.write})


def export(formula: Formula, target: str) -> str | bytes:
    """Return a formula in the language of a target: text, or bytes for Excel.

    Raises
    ------
    ExportError : an unknown target, or a formula that the target cannot express; the message says what to do
    """
    write = _target(target).write
    if write is None:
        raise ExportError(f"export(formula, {target!r}): a report is about a whole discovery. Use write_export(found, {target!r}).")
    return write(formula)


def write_export(found: Discovered, target: str, formula: Formula | None = None) -> Written:
    """Return the export of a discovery as a file.

    Parameters
    ----------
    target : one of `TARGETS`
    formula : the formula to write, if it is to be another than `found.formula()`, such as a rounded one
    """
    chosen = _target(target)
    formula = found.formula() if formula is None else formula
    if chosen.write is None:
        from workbench.export.report import report  # charts and drawings, which no other target needs

        content: str | bytes = report(found, formula)
    else:
        content = chosen.write(formula)
    name = chosen.file_name.format(symbol=formula.outputs[0].symbol)
    return Written(name, chosen.mime, content.encode("utf-8") if isinstance(content, str) else content)


def _target(name: str) -> Target:
    if name not in TARGETS:
        raise ExportError(f"export: no target {name!r}.{did_you_mean(name, TARGETS)} Known: {', '.join(TARGETS)}.")
    return TARGETS[name]
