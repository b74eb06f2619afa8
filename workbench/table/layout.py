"""How a text table is written: its delimiter, its decimal sign and its comments, told from its first lines.

Every delimiter is tried. A good one splits the rows into the same number of cells (more than one), and cells that are values; a comma that is
really a decimal sign gives ragged rows or cells such as "5;2". The score of a delimiter is

    share of rows with the usual number of cells  x  (1 + share of cells that are numbers or missing) / 2

and a file without any delimiter scores at most 0.5, so that a text column with a comma here and there stays one column.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from workbench.table.cells import MISSING_NUMBERS, Decimal, read_number

BLANKS = "blanks"  # any run of spaces and tabs
DELIMITERS = ("\t", ";", "|", ",", BLANKS)  # of equally good ones the first is taken
_COMMENT = "#"
_COMMENT_LINE = re.compile(r"#(?!DIV/0!|N/A|NA\b|VALUE!|REF!|NUM!|NAME\?|NULL!)")  # these are the errors of a spreadsheet
_DATE = re.compile(r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}([T ]\d{1,2}:.*)?|\d{1,3}:\d{2}(:.*)?")
_ONE_COLUMN = 0.5
_PREFERENCE = 1e-3  # breaks ties between delimiters
_ENOUGH_ROWS = 200


@dataclass(frozen=True)
class Layout:
    """How a text table is written.

    delimiter : one character, or BLANKS
    decimal : the decimal sign of most numbers
    comment : "#" when there are comment lines, else ""
    names_line : number from 0 of the comment line that holds the names ("# time voltage", as NumPy writes it), or -1
    """

    delimiter: str
    decimal: Decimal
    comment: str = ""
    names_line: int = -1


def find_layout(lines: Sequence[str], delimiter: str | None = None, decimal: Decimal | None = None) -> Layout:
    """Find delimiter, decimal sign and comments from the first lines; what is given is taken as it is.

    >>> find_layout(["x;y", "1,5;2", "2,5;3"])
    Layout(delimiter=';', decimal=',', comment='', names_line=-1)
    """
    comments = [is_comment(line) for line in lines]
    body: list[str] = [line for line, skip in zip(lines, comments) if not skip and line.strip()][:_ENOUGH_ROWS] or list(lines) or [""]
    if delimiter is None and decimal != "." and _is_one_column_with_commas(body):
        return Layout(";", ",", _COMMENT if any(comments) else "")
    found = _checked(delimiter) if delimiter else max(DELIMITERS, key=lambda candidate: _score(body, candidate))
    if delimiter is None and _score(body, found) < _ONE_COLUMN * (1 + _values(split(body, "\0"))) / 2:
        found = ","
    cells = [cell for row in split(body, found) for cell in row]
    sign = decimal or ("." if found == "," and not any('"' in line for line in body) else _decimal_sign(cells, found))
    names_line = _names_in_comment(lines, comments, found)
    return Layout(found, sign, _COMMENT if any(comments) else "", names_line)


def is_comment(line: str) -> bool:
    """Say whether a line is a comment: it begins with "#" and not with an error such as "#DIV/0!"."""
    return bool(_COMMENT_LINE.match(line))


def split(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    """Split lines into cells; a broken quotation gives what could be split until then."""
    if delimiter == BLANKS:
        lines, delimiter = [" ".join(line.split()) for line in lines], " "
    rows: list[list[str]] = []
    try:
        rows.extend(row for row in csv.reader(lines, delimiter=delimiter, skipinitialspace=True) if row)
    except csv.Error:
        return rows
    return rows


def _checked(delimiter: str) -> str:
    return BLANKS if not delimiter.strip(" ") else delimiter


def _is_one_column_with_commas(lines: Sequence[str]) -> bool:
    """Say whether a name without a comma stands above numbers such as 1,5: one column, not two."""
    numbers = [line.strip() for line in lines[1:]]
    is_plain = "," not in lines[0] and len(lines[0].split()) == 1 and any("," in number for number in numbers)
    return is_plain and all(read_number(number, ",") is not None for number in numbers)


def _score(lines: Sequence[str], delimiter: str) -> float:
    rows = split(lines, delimiter)
    counts = Counter(len(row) for row in rows if len(row) > 1)
    if not counts:
        return 0.0
    usual = max(counts, key=lambda size: (counts[size], size))
    start = next(k for k, row in enumerate(rows) if len(row) >= usual - 1)  # titles above the table have fewer cells
    agreement = counts[usual] / len(rows[start:])
    preference = 1 - _PREFERENCE * DELIMITERS.index(delimiter)
    return agreement * (1 + _values([row for row in rows if len(row) == usual])) / 2 * preference


def _values(rows: Sequence[Sequence[str]]) -> float:
    """Return the share of cells that are values: numbers under either decimal sign, dates, or missing."""
    cells = [cell.strip() for row in rows for cell in row]
    good = sum(
        read_number(cell) is not None or read_number(cell, ",") is not None or cell.lower() in MISSING_NUMBERS or bool(_DATE.fullmatch(cell))
        for cell in cells
    )
    return good / max(len(cells), 1)


def _decimal_sign(cells: Sequence[str], delimiter: str) -> Decimal:
    """Decide by the cells that only one sign explains: 1,5 or 1.5. A lone 1,234 is a decimal comma in files split at semicolons."""
    with_comma = [cell for cell in cells if "," in cell]
    comma = sum(read_number(cell, ",") is not None and read_number(cell, ".") is None for cell in with_comma)
    point = sum(read_number(cell, ".") is not None and read_number(cell, ",") is None for cell in cells if "." in cell)
    if comma or point:
        return "," if comma > point else "."
    has_point = any(read_number(cell, ".") is not None for cell in cells if "." in cell)
    doubtful = any(read_number(cell, ",") is not None for cell in with_comma)
    return "," if doubtful and not has_point and delimiter == ";" else "."


def _names_in_comment(lines: Sequence[str], comments: Sequence[bool], delimiter: str) -> int:
    """Return the number of the last of the comment lines on top when it has one name for each column, else -1."""
    last = next((k for k, comment in enumerate(comments) if not comment), len(lines)) - 1
    if last < 0:
        return -1
    rows = split([line for line in lines[last + 1 :] if line.strip()][:_ENOUGH_ROWS], delimiter)
    names = split([lines[last].lstrip(_COMMENT).strip()], delimiter)
    usual = Counter(map(len, rows)).most_common(1)
    if not usual or not names or len(names[0]) != usual[0][0] or any(read_number(name) is not None for name in names[0]):
        return -1
    return last if _values(rows[:1]) > _ONE_COLUMN else -1
