r"""The table of a transformer's named functions, for papers and programs: CSV, Markdown, LaTeX, Python.

    place                     channels   name   function of x
    block 1, first, group 3   12         gelu   1.02*gelu(0.98*x)
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from workbench.activations import KATReading
from workbench.activations.candidates import short
from workbench.export.latex import to_latex
from workbench.expression import Expression, Number, Symbol, add, fold, to_text
from workbench.figures.functions import function_label
from workbench.primitives import PrimitiveForm

_HEAD = ("place", "channels", "name", "function of x")
_SPECIAL = str.maketrans({"\\": r"\textbackslash{}", "_": r"\_", "^": r"\^{}", "%": r"\%", "&": r"\&", "#": r"\#", "$": r"\$", "{": r"\{", "}": r"\}", "~": r"\~{}"})


@dataclass(frozen=True)
class NamedFunction:
    """One function of a transformer.

    Parameters
    ----------
    place : where it stands, in words
    address : path of its activation, and group
    channels : how many share it
    name, title : of its form; "" for a rational that has no name
    text : of the function in x, constants rounded to four digits; which rational it is where it has no name
    expression : the function with all digits; None where it has no name
    short : the same for reading
    """

    place: str
    address: tuple[str, int]
    channels: int
    name: str
    title: str
    text: str
    expression: Expression | None
    short: Expression | None


def functions_of(reading: KATReading) -> tuple[NamedFunction, ...]:
    """Return every function, from the input to the output."""
    found = []
    for function in reading.functions:
        name, title, expression, brief = "", "", None, None
        if function.name is not None:
            form, constants = function.name.form, function.name.constants
            name, title = form.name, form.primitive.title if isinstance(form, PrimitiveForm) else "typed form"
            brief = short(function.name)
            expression = fold(add(form.expression(Symbol("x"), constants[:-1]), Number(constants[-1])))
        found.append(NamedFunction(function_label(function.address), function.address, function.n_channels, name, title, function.text, expression, brief))
    return tuple(found)


def to_csv(functions: Sequence[NamedFunction]) -> str:
    """Return the table as CSV, every constant with all its digits."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(("place", "activation", "group", "channels", "name", "function of x"))
    writer.writerows((f.place, *f.address, f.channels, f.name or "rational", f.text if f.expression is None else to_text(f.expression)) for f in functions)
    return file.getvalue()


def to_markdown(functions: Sequence[NamedFunction]) -> str:
    """Return the table as Markdown."""
    rows = [(f.place, str(f.channels), f.name or "–", f"`{f.text}`") for f in functions]
    lines = [_HEAD, ("---", "---:", "---", "---"), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def to_latex_table(functions: Sequence[NamedFunction]) -> str:
    """Return the table as a LaTeX tabular; it needs booktabs."""
    rows = [f"{f.place} & {f.channels} & {(f.name or 'rational').translate(_SPECIAL)} & {_set(f)} \\\\" for f in functions]
    return "\n".join(["\\begin{tabular}{lrll}", "\\toprule", "place & channels & name & function of $x$ \\\\", "\\midrule", *rows, "\\bottomrule", "\\end{tabular}", ""])


def _set(function: NamedFunction) -> str:
    return function.text.translate(_SPECIAL) if function.short is None else f"${to_latex(function.short)}$"


def to_python(functions: Sequence[NamedFunction]) -> str:
    """Return the names as a Python dictionary, (activation, group) -> (form, function of x, channels); all digits."""
    lines = [f"    {f.address!r}: ({f.name!r}, {to_text(f.expression)!r}, {f.channels})," for f in functions if f.expression is not None]
    return "\n".join(["# (activation, group): (form, function of x, channels that share it)", "NAMES = {", *lines, "}", ""])
