"""An Excel workbook that computes the formula: named cells for the inputs, a live formula for every output.

Curves without a name of their own take a few cells of the sheet "Steps" for every call: the argument, then for a spline the number of its
piece, which is looked up in a sheet of knots and cubics, for a rational function its u, and the value. Text from the table that starts with = + - or @ gets an apostrophe in front, so that no column
name is ever run as a formula. Excel's own limits are checked: 8192 characters in a formula, no cell address as a name.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from workbench.bases.basis import EdgeDefinition
from workbench.bases.bspline import SplineDefinition
from workbench.bases.rational import RationalDefinition
from workbench.exceptions import ExportError
from workbench.export.source import Language, check, clean, header, variants
from workbench.expression import Call, Expression, Symbol, call
from workbench.formula import Formula

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

_LONGEST = 8000  # characters; Excel's limit is 8192
_ADDRESS = re.compile(r"[A-Za-z]{1,3}\d+|[RrCc]\d*|[Rr]\d*[Cc]\d*")

EXCEL = Language(
    title="Excel",
    comment="",
    functions={
        **{name: name.upper() for name in ("exp", "sqrt", "abs", "sign", "sin", "cos", "tan", "asin", "acos", "atan", "erf")},
        **{name: name.upper() for name in ("sinh", "cosh", "tanh", "asinh", "acosh", "atanh")},
        "log": "LN",
    },
    constants={"pi": "PI()", "e": "EXP(1)"},
    reserved=frozenset({"true", "false"}),
    power=lambda base, exponent: f"POWER({base},{exponent})",
    power_is_call=True,
    whole_power="^",
    minus="-1*",  # to Excel, -x^2 is the square of -x
    case_matters=False,
)


def write(formula: Formula) -> bytes:
    """Return an .xlsx workbook: sheets Formula, for curves without a name Steps, and one of knots per spline."""
    import openpyxl

    check(formula)
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Formula"
    names = _cell_names(formula)
    row = _inputs(book, sheet, formula, names)
    steps = _Steps(book, formula.definitions, names) if formula.definitions else None
    for variant in variants(formula):
        for output in variant.outputs:
            row += 1
            expression = steps.resolved(output.expression) if steps else output.expression
            label = f"{output.name} (group {variant.label})" if variant.label is not None else output.name
            _text(sheet, row, 1, label)
            _formula(sheet, row, 2, EXCEL.write(_spelled(expression), steps.names if steps else names))
            _text(sheet, row, 3, output.unit or "")
    for line in header(formula, EXCEL.title):
        row += 1
        _text(sheet, row + 1, 1, line)
    sheet.column_dimensions["A"].width = 28
    sheet.column_dimensions["B"].width = 24
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def _inputs(book: Workbook, sheet: Worksheet, formula: Formula, names: Mapping[str, str]) -> int:
    """Write a named cell for every input, filled with the middle of its range; return the last row used."""
    from openpyxl.workbook.defined_name import DefinedName

    for column, title in enumerate(("Input", "Value", "Unit", "Fitted from", "to"), start=1):
        _text(sheet, 1, column, title)
    for row, column in enumerate(formula.inputs, start=2):
        known = math.isfinite(column.low) and math.isfinite(column.high)
        _text(sheet, row, 1, column.name)
        sheet.cell(row, 2, (column.low + column.high) / 2 if known else 1.0)
        _text(sheet, row, 3, column.unit or "")
        if known:
            sheet.cell(row, 4, float(column.low))
            sheet.cell(row, 5, float(column.high))
        name = names[column.symbol]
        book.defined_names[name] = DefinedName(name, attr_text=f"Formula!$B${row}")
    last = len(formula.inputs) + 3
    _text(sheet, last, 1, "Output")
    return last


class _Steps:
    """The sheet where calls of unnamed curves are computed, one row each: argument, piece or u, value."""

    def __init__(self, book: Workbook, definitions: Mapping[str, EdgeDefinition], names: Mapping[str, str]) -> None:
        self.definitions = definitions
        self.names = dict(names)
        self.sheet = book.create_sheet("Steps")
        for column, title in enumerate(("Curve", "Argument", "Piece or u", "Value"), start=1):
            _text(self.sheet, 1, column, title)
        self.tables = {name: self._table(book, spline) for name, spline in definitions.items() if isinstance(spline, SplineDefinition)}
        self.done: dict[Expression, Symbol] = {}

    def resolved(self, node: Expression) -> Expression:
        """Return the expression with every call of a curve replaced by the cell that holds its value."""
        if not isinstance(node, Call):
            return node
        node = call(node.function, *(self.resolved(argument) for argument in node.arguments))
        if not isinstance(node, Call) or node.function not in self.definitions:
            return node
        if node not in self.done:
            self.done[node] = self._row(node)
        return self.done[node]

    def _table(self, book: Workbook, definition: SplineDefinition) -> str:
        """Write knots and cubics to a sheet of their own and return its name."""
        sheet = book.create_sheet(definition.name)
        for column, title in enumerate(("knot", "c0", "c1", "c2", "c3"), start=1):
            _text(sheet, 1, column, title)
        for row, knot in enumerate(definition.knots.tolist(), start=2):
            sheet.cell(row, 1, knot)
        for row, piece in enumerate(definition.polynomials.tolist(), start=2):
            for column, coefficient in enumerate(piece, start=2):
                sheet.cell(row, column, coefficient)
        return definition.name

    def _row(self, node: Call) -> Symbol:
        row = self.sheet.max_row + 1
        definition = self.definitions[node.function]
        _text(self.sheet, row, 1, node.function)
        _formula(self.sheet, row, 2, EXCEL.write(_spelled(node.arguments[0]), self.names))
        if isinstance(definition, RationalDefinition):
            _formula(self.sheet, row, 3, EXCEL.write(definition.inner, {"x": f"$B${row}"}))
            _formula(self.sheet, row, 4, EXCEL.write(definition.outer, {"u": f"$C${row}"}))
        else:
            self._spline(row, definition)
        name = f"steps_cell_{row}"
        while name in self.names:
            name += "_"
        self.names[name] = f"Steps!$D${row}"
        return Symbol(name)

    def _spline(self, row: int, definition: SplineDefinition) -> None:
        """Write piece and value of a spline to a row that has its argument."""
        table, n = self.tables[definition.name], len(definition.polynomials)
        low, high = (float(bound) for bound in definition.domain)
        x, piece = f"$B${row}", f"$C${row}"
        knot = f"INDEX({table}!$A$2:$A${n + 2},{piece})"
        inside = f"AND({x}>={table}!$A$2,{x}<{table}!$A${n + 2})"
        _formula(self.sheet, row, 3, f"IF({inside},MATCH({x},{table}!$A$2:$A${n + 1},1),0)")
        c0, c1, c2, c3 = (f"INDEX({table}!${column}$2:${column}${n + 1},{piece})" for column in "BCDE")
        t = f"({x}-{knot})"
        cubic = f"IF({piece}=0,0,(({c3}*{t}+{c2})*{t}+{c1})*{t}+{c0})"
        u = f"((2*{x}-({low!r})-({high!r}))/({high - low!r}))"
        _formula(self.sheet, row, 4, f"({float(definition.base)!r})*{u}/(1+EXP(-1*{u}))+{cubic}")


def _spelled(node: Expression) -> Expression:
    """Replace functions that Excel lacks by what it has, without losing digits near 0."""
    if not isinstance(node, Call):
        return node
    arguments = tuple(_spelled(argument) for argument in node.arguments)
    if node.function not in ("cbrt", "expm1", "log1p"):
        return Call(node.function, arguments)
    (u,) = arguments
    if node.function == "cbrt":
        return call("sign", u) * call("abs", u) ** (1 / 3)
    if node.function == "expm1":
        return 2 * call("exp", u / 2) * call("sinh", u / 2)
    return 2 * call("atanh", u / (u + 2))


def _formula(sheet: Worksheet, row: int, column: int, text: str) -> None:
    if len(text) > _LONGEST:
        raise ExportError(
            f"excel: a formula of {len(text)} characters does not fit into a cell (8192 at most). "
            "Prune the network, round the formula, or export to Python or MATLAB."
        )
    sheet.cell(row, column, f"={text}")


def _text(sheet: Worksheet, row: int, column: int, text: str) -> None:
    """Write text that can never be taken for a formula."""
    plain = clean(text)
    cell = sheet.cell(row, column)
    cell.value = f"'{plain}" if plain.lstrip().startswith(("=", "+", "-", "@")) else plain
    cell.data_type = "s"


def _cell_names(formula: Formula) -> dict[str, str]:
    """Return a name for every symbol that is no cell address and taken once, whatever its case: x1 -> x1_."""
    names: dict[str, str] = {}
    for symbol, name in EXCEL.names(formula).items():
        while _ADDRESS.fullmatch(name) or name.casefold() in (taken.casefold() for taken in names.values()):
            name += "_"
        names[symbol] = name
    return names
