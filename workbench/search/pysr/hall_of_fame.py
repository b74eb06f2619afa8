"""A hall of fame as PySR writes it, read by our own parser.

    Complexity,Loss,Equation
    1,0.19951081,"1.9762075"
    3,0.12717344,"(x0 + 1.4724599)"

With a template an equation holds its pieces, "f1 = (#1 * 2.0); f2 = cos(#1)". A search that was cut in the middle of writing leaves the file of the moment before
beside it, with ".bak" added, as PySR itself reads it. Rows that cannot be read are left out with their reason; the others are kept.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.exceptions import ExpressionError, TableError
from workbench.expression import RESERVED_NAMES, Expression, Symbol, substitute, symbols
from workbench.search.problem import Proposal
from workbench.search.pysr.spelling import read_equation
from workbench.search.pysr.template import Template

LARGEST_FILE = 10_000_000  # bytes
MOST_ROWS = 10_000
_COLUMNS = ("complexity", "loss", "equation")
_ARGUMENT = re.compile(r"#(\d{1,3})\b")
_BY_NUMBER = re.compile(r"\bx(\d{1,4})\b")


@dataclass(frozen=True)
class HallOfFame:
    """What a file held.

    Parameters
    ----------
    proposals : one for each row that could be read, in the file's order
    notes : what was left out or read in a particular way, in plain words
    """

    proposals: tuple[Proposal, ...]
    notes: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Proposal]:
        return iter(self.proposals)

    def __len__(self) -> int:
        return len(self.proposals)


def open_hall_of_fame(
    path: str | Path, names: Sequence[str], template: Template | None = None, aliases: Mapping[str, str] | None = None
) -> HallOfFame:
    """Read a hall_of_fame.csv, or the folder of a run.

    Parameters
    ----------
    names : the symbols of the columns; a file that says x0, x1, ..., as PySR does for columns without a name, is read by position
    template : how the pieces of its equations make the whole, where the search had a template
    aliases : further names that the file may use -> the symbol each stands for

    Raises
    ------
    TableError : no such file, or none of PySR's
    """
    return read_hall_of_fame(_text(_file(Path(path))), names, template, aliases)


def read_hall_of_fame(
    text: str, names: Sequence[str], template: Template | None = None, aliases: Mapping[str, str] | None = None
) -> HallOfFame:
    """Read the content of a hall_of_fame.csv; parameters and errors as for `open_hall_of_fame`."""
    known = {name: symbol for name, symbol in (aliases or {}).items() if name not in names and name.isidentifier() and name not in RESERVED_NAMES}
    rows = list(_rows(text))
    notes: list[str] = []
    proposals = []
    by_position = _by_position([equation for *_, equation in rows], names, known)
    if by_position:
        notes.append(f"The file names its columns {', '.join(list(by_position)[:3])} ...: they are read as {', '.join(names)}, by position.")
    meaning = {old: Symbol(new) for old, new in {**known, **by_position}.items()}
    for number, loss, equation in rows:
        try:
            expression = substitute(_read(equation, [*names, *meaning], template), meaning)
            proposals.append(Proposal(expression, "pysr", (f"PySR, loss {loss}",)))
        except ExpressionError as error:
            notes.append(f"Row {number} is left out: {error}")
    return HallOfFame(tuple(proposals), tuple(notes))


def _file(path: Path) -> Path:
    """Return the file to read: PySR's copy of it where there is one, as PySR does."""
    if path.is_dir():
        path = path / "hall_of_fame.csv"
    copy = path.with_name(path.name + ".bak")
    if not path.exists() and not copy.exists():
        raise TableError(f"{str(path)!r}: there is no such file. PySR writes hall_of_fame.csv into the folder of a run, by default outputs/<date and time>.")
    return copy if copy.exists() and (not path.exists() or _whole(copy)) else path


def _whole(path: Path) -> bool:
    return path.read_bytes().rstrip(b"\r\n").endswith(b'"')


def _text(path: Path) -> str:
    size = path.stat().st_size
    if size > LARGEST_FILE:
        raise TableError(f"{str(path)!r} has {size:,} bytes; a hall of fame has a few thousand. Allowed: {LARGEST_FILE:,}.")
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise TableError(f"{str(path)!r} is no text in UTF-8, as PySR writes it.") from None


def _rows(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield line number, loss and equation; a last line that was cut in the middle is no row."""
    reader = csv.reader(io.StringIO(text.lstrip("\ufeff")))
    header = [name.strip().lower() for name in next(reader, [])]
    if missing := [name for name in _COLUMNS if name not in header]:
        raise TableError(f"This is no hall of fame of PySR: there is no column {', '.join(missing)}. Its first line is Complexity,Loss,Equation.")
    at = {name: header.index(name) for name in _COLUMNS}
    for number, row in enumerate(reader, 2):
        if number > MOST_ROWS:
            raise TableError(f"A hall of fame with more than {MOST_ROWS:,} rows is none.")
        if len(row) > max(at.values()) and row[at["equation"]].strip():
            yield number, row[at["loss"]].strip(), row[at["equation"]].strip()


def _by_position(equations: Sequence[str], names: Sequence[str], aliases: Iterable[str]) -> dict[str, str]:
    """Return which column each of x0, x1, ... is, where the file counts its columns; empty where it names them."""
    counted = {int(number) for equation in equations for number in _BY_NUMBER.findall(equation)}
    if not counted or any(_BY_NUMBER.fullmatch(name) for name in (*names, *aliases)):
        return {}
    first = 1 if 0 not in counted and max(counted) == len(names) else 0  # SymbolicRegression.jl on its own counts from 1
    return {f"x{first + index}": name for index, name in enumerate(names)}


def _read(equation: str, names: Sequence[str], template: Template | None) -> Expression:
    if "#" not in equation and "=" not in equation:
        return read_equation(equation, names)
    if template is None:
        raise ExpressionError(f"{equation[:60]!r} are the pieces of a template. Give the template, which says how they make the whole.")
    found = {}
    for part in equation.split(";"):
        name, _, text = (piece.strip() for piece in part.partition("="))
        if name not in template.pieces:
            raise ExpressionError(f"{name!r} is no piece of the template. Its pieces: {', '.join(template.pieces)}.")
        found[name] = _piece(text, template.pieces[name])
    if missing := set(template.pieces) - set(found):
        raise ExpressionError(f"the template's {', '.join(sorted(missing))} is missing in {equation[:60]!r}.")
    return template.assembled(found)


def _piece(text: str, arguments: Sequence[str]) -> Expression:
    """Read one piece, where #1 is its first argument."""
    expression = read_equation(_ARGUMENT.sub(r"argument_\1", text), symbols=None)
    known = {f"argument_{number}": Symbol(name) for number, name in enumerate(arguments, 1)}
    if unknown := symbols(expression) - set(known):
        raise ExpressionError(f"{', '.join(sorted(unknown))} in {text[:60]!r} is no argument of this piece, which has {len(arguments)}.")
    return substitute(expression, known)
