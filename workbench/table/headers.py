"""The row of names: where it is, what the columns are called, and which units it mentions.

Files carry titles and empty lines above their table, or no names at all. The table starts at the first row that is about as full as most
rows are. That row holds the names unless the columns that are numbers below it are numbers there as well.

A unit may stand behind a name: length (m), Mass [kg], v / m s^-1. It is suggested as the column's unit; the name stays as it is.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, time

from workbench.table.cells import MISSING_NUMBERS, Decimal, read_number
from workbench.table.columns import Note, listed

Cell = object  # text, a number, a date, a yes or no, or None

_BRACKETED = re.compile(r".*\S\s*\[(?P<unit>[^\[\]]{1,24})\]")
_IN_PARENTHESES = re.compile(r".*\S\s*(?<![a-z]{3}(?=\(s\)))\((?P<unit>[^()]{1,24})\)")  # not the plural in run(s)
_AFTER_SLASH = re.compile(r".*\S\s+/\s+(?P<unit>\S.{0,23})")

_PREFIXES = ("", "da", "Y", "Z", "E", "P", "T", "G", "M", "k", "h", "d", "c", "m", "u", "µ", "μ", "n", "p", "f", "a")
_PREFIXED = frozenset("m g s A K mol cd rad sr Hz N Pa J W C V F Ω ohm Ohm S Wb T H lm lx Bq Gy Sv kat L l bar eV pc cal Wh M Ci G yr".split())
_ALONE = frozenset(
    "% ‰ ° °C °F °K degC degF deg degree degrees kelvin Kelvin celsius Celsius C F K min h hr hrs hour hours d day days week weeks month months "
    "y yr yrs year years sec secs second seconds ms in inch inches ft foot feet yd mi mile miles mph knot knots kn oz lb lbs ton tons t psi atm "
    "mmHg inHg Torr torr au AU ua ly ppm ppb ppt rpm counts count dB dBm px pH mas arcsec arcmin gal ha acre mol% wt% vol% USD EUR $ € Å meter "
    "meters metre metres kilogram kilograms gram grams volt volts ampere amperes watt watts joule joules newton newtons pascal pascals hertz liter "
    "liters litre litres solMass M_sun Msun R_sun L_sun Hg H2O".split()
)


@dataclass(frozen=True)
class Header:
    """Where the names are and what they are.

    names : one for each column, all different, none empty
    first : index of the first row of values
    notes : columns that were renamed, titles that were skipped
    """

    names: tuple[str, ...]
    first: int
    notes: tuple[Note, ...] = ()


def find_header(rows: Sequence[Sequence[Cell]], decimal: Decimal = ".", header: int | None = None) -> Header:
    """Find the names of a table in its first rows.

    Parameters
    ----------
    rows : the first rows (up to a thousand), each a list of cells
    decimal : the decimal sign of the file
    header : the row that holds the names, counted from 1; 0 says that there is none; None finds out
    """
    width = _usual(map(_width, rows))
    if header:
        return _named(rows[header - 1], header, max(width, _width(rows[header - 1])), ())
    start = _first_full_row(rows, width)
    notes = _skipped(rows[:start])
    if header == 0 or not _holds_names(rows[start:], decimal):
        names = tuple(f"x{number}" for number in range(1, width + 1))
        why = "There is no row of names" if header == 0 else "The first row holds values, not names"
        return Header(names, start, (*notes, Note("header", (), f"{why}: the columns are called {listed(names, 3)}.")))
    return _named(rows[start], start + 1, width, notes)


def different_names(given: Sequence[str]) -> tuple[tuple[str, ...], tuple[Note, ...]]:
    """Give every column a name of its own: an empty name becomes "column 3", the second "x" becomes "x (2)".

    >>> different_names(["x", "", "x"])[0]
    ('x', 'column 2', 'x (2)')
    """
    names: list[str] = []
    notes: list[Note] = []
    taken = {name.strip() for name in given}
    used: set[str] = set()
    for number, raw in enumerate(given, start=1):
        wanted = raw.strip()
        name = wanted or f"column {number}"
        copy = 2
        while name in used or (name != wanted and name in taken):
            name, copy = f"{wanted or f'column {number}'} ({copy})", copy + 1
        if not wanted:
            notes.append(Note("renamed", (name,), f"Column {number} has no name and is called {name!r}."))
        elif name != wanted:
            notes.append(Note("renamed", (name,), f"The name {wanted!r} stands twice: column {number} is called {name!r}."))
        used.add(name)
        names.append(name)
    return tuple(names), tuple(notes)


def unit_in(name: str) -> str:
    """Return the unit that a column's name mentions, or "".

    >>> unit_in("length (m)"), unit_in("Mass [kg]"), unit_in("v / m s^-1"), unit_in("dose (high)")
    ('m', 'kg', 'm s^-1', '')
    """
    bracketed = _BRACKETED.fullmatch(name)
    if bracketed and not bracketed["unit"].strip().isdigit():
        return "" if bracketed["unit"].strip() in ("-", "–", "1") else bracketed["unit"].strip()
    for pattern in (_IN_PARENTHESES, _AFTER_SLASH):
        match = pattern.fullmatch(name)
        if match and is_unit(match["unit"]):
            return match["unit"].strip()
    return ""


def is_unit(text: str) -> bool:
    """Say whether a text is made of units that we know: kg, m/s^2, 1000 K, W m⁻² K⁻¹.

    >>> is_unit("m s^-2"), is_unit("km/h"), is_unit("1000 K"), is_unit("treated")
    (True, True, True, False)
    """
    text = text.strip()
    if re.fullmatch(r"(?:deg|degrees?) ?[CFK]", text):
        return True
    parts = [part for part in re.split(r"[\s*/·.⋅()]+|\bper\b", re.sub(r"\^?\(?[-+−⁻]?[\d⁰¹²³⁴-⁹]+\)?|\^|\*\*", " ", text)) if part]
    return bool(parts) and all(_is_one_unit(part) for part in parts)


def _is_one_unit(part: str) -> bool:
    return part in _ALONE or any(part.startswith(prefix) and part[len(prefix) :] in _PREFIXED for prefix in _PREFIXES)


def _named(row: Sequence[Cell], first: int, width: int, notes: tuple[Note, ...]) -> Header:
    texts = ["" if cell is None else str(cell) for cell in row][:width]
    if len(texts) == width - 1:  # as R writes it: the column of row names has no name
        texts = ["", *texts]
    names, renamed = different_names([*texts, *[""] * (width - len(texts))])
    return Header(names, first, (*notes, *renamed))


def _first_full_row(rows: Sequence[Sequence[Cell]], width: int) -> int:
    """Return the first row that is about as full as most rows are; titles and empty lines stand above it."""
    usual = _usual(map(_filled, rows))
    enough = 1 if width == 1 else max(2, (usual + 1) // 2)
    full = (k for k, row in enumerate(rows) if _filled(row) >= enough and _width(row) >= width - 1)
    return next(full, next((k for k, row in enumerate(rows) if _filled(row)), 0))


def _skipped(rows: Sequence[Sequence[Cell]]) -> tuple[Note, ...]:
    titles = [" ".join(str(cell) for cell in row if not _is_empty(cell)) for row in rows]
    quoted = [title for title in titles if title]
    lines = "1 line above the table was" if len(quoted) == 1 else f"{len(quoted)} lines above the table were"
    return (Note("header", (), f"{lines} skipped: {listed(quoted, 3)}."),) if quoted else ()


def _holds_names(rows: Sequence[Sequence[Cell]], decimal: Decimal) -> bool:
    """Say whether the first row names columns: what is a number below is not all numbers there."""
    first, body = rows[0], rows[1:]
    width = max(len(first), 1)
    is_value = [[_is_value(row[k], decimal) for row in body if k < len(row) and not _is_missing(row[k])] for k in range(width)]
    values_below = [k for k in range(width) if is_value[k] and sum(is_value[k]) >= 0.9 * len(is_value[k])]
    if not body or not values_below:
        return not all(_is_value(cell, decimal) or _is_missing(cell) for cell in first)
    return not all(_is_value(first[k], decimal) or _is_missing(first[k]) for k in values_below)


def _is_value(cell: Cell, decimal: Decimal) -> bool:
    if isinstance(cell, str):
        return read_number(cell, decimal) is not None or read_number(cell, ",") is not None or bool(re.match(r"\d{1,4}[-./:]\d{1,2}", cell))
    return isinstance(cell, bool | int | float | date | time)


def _is_missing(cell: Cell) -> bool:
    return cell is None or (isinstance(cell, str) and cell.strip().lower() in MISSING_NUMBERS)


def _is_empty(cell: Cell) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _filled(row: Sequence[Cell]) -> int:
    return sum(not _is_empty(cell) for cell in row)


def _width(row: Sequence[Cell]) -> int:
    """Return how many columns a row reaches across; empty cells at its end do not count."""
    return next((k + 1 for k in range(len(row) - 1, -1, -1) if not _is_empty(row[k])), 0)


def _usual(sizes: Iterable[int]) -> int:
    """Return the most frequent size but 0, the largest of them where several are."""
    counts = Counter(size for size in sizes if size)
    return max(counts, key=lambda size: (counts[size], size), default=0)
