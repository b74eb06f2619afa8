"""What the text of a cell means: a number in any of the world's spellings, a yes or no, a date, a missing value, or just text.

    1234.5   1,234.5   1.234,5   1 234,5   1'234.5   -1e-3   −5   12 %   1.5D+03   inf          numbers
    "" NA N/A n/a nan null - -- ? #DIV/0! ...                                                   missing
    true false yes no                                                                           yes/no values
    2024-01-31   31.01.2024   01/31/2024 12:30   12:30:05                                       dates, times of day

A column is decided as a whole, from its different texts. It is a column of numbers when at least 90 % of what is there are numbers; the rest
then counts as missing, and is quoted in a note. Whether a comma is the decimal sign or groups thousands is a matter of the column too: the
file's own habit is tried first, then the other one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from workbench.table.columns import Kind, Note, listed
from workbench.table.dates import read_clock, read_dates

Decimal = Literal[".", ","]

_NO_TEXT = ("", "na", "n/a", "#n/a", "n.a.", "nan", "null")
_NO_NUMBER = (
    *_NO_TEXT,
    "none",
    "nil",
    "-",
    "--",
    "---",
    "–",
    "—",
    "?",
    ".",
    "*",
    "missing",
    "#div/0!",
    "#value!",
    "#ref!",
    "#num!",
    "#name?",
    "<na>",
)
MISSING_NUMBERS = frozenset(_NO_NUMBER)
MISSING_TEXTS = frozenset(_NO_TEXT)

_YES_NO = {"true": 1.0, "false": 0.0, "yes": 1.0, "no": 0.0}
_MOSTLY = 0.9  # of the cells that are there must be numbers for the rest to count as missing
_MOST_CATEGORIES = 50  # a category has at most so many different values, each twice on average

_EXPONENT = r"(?:[eEdD][+-]?\d+)?"
_INFINITE = re.compile(r"[+-]?inf(?:inity)?", re.IGNORECASE)
_PLAIN = {
    ".": re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)" + _EXPONENT),
    ",": re.compile(r"[+-]?(?:\d+(?:,\d+)?|,\d+)" + _EXPONENT),
}
_GROUPED = {
    ".": re.compile(r"[+-]?\d{1,3}(?:(?P<mark>[,  '’_])\d{3})(?:(?P=mark)\d{3})*(?:\.\d+)?" + _EXPONENT),
    ",": re.compile(r"[+-]?\d{1,3}(?:(?P<mark>[.  '’_])\d{3})(?:(?P=mark)\d{3})*(?:,\d+)?" + _EXPONENT),
}
_ODD_SIGNS = str.maketrans({"−": "-", "\u00a0": " ", "\u202f": " ", "\u2009": " "})  # a typographic minus, spaces that do not break


@dataclass(frozen=True, eq=False)
class Cells:
    """A column as it was understood: its kind, its values as workbench.table.columns keeps them, the unit its cells carry, and notes."""

    kind: Kind
    values: np.ndarray
    unit: str = ""
    notes: tuple[Note, ...] = ()


def read_number(text: str, decimal: Decimal = ".") -> float | None:
    """Return the number a text spells with that decimal sign, or None when it spells none.

    >>> read_number("1,234.5"), read_number("1.234,5", ","), read_number("12 %"), read_number("1,5"), read_number("")
    (1234.5, 1234.5, 12.0, None, None)
    """
    text = text.translate(_ODD_SIGNS).strip().removesuffix("%").rstrip()
    if _PLAIN[decimal].fullmatch(text):
        plain = text.replace(",", ".")
    elif _GROUPED[decimal].fullmatch(text):
        plain = re.sub(r"[ '’_]", "", text.replace("," if decimal == "." else ".", "")).replace(",", ".")
    elif _INFINITE.fullmatch(text):
        plain = text
    else:
        return None
    return float(plain.replace("d", "e").replace("D", "e"))


def read_cells(name: str, texts: np.ndarray | Sequence[str | None], decimal: Decimal = ".") -> Cells:
    """Decide what a column of texts holds and return its values.

    Parameters
    ----------
    name : the column's name, for the notes
    texts : (n_rows,) text, None where there is nothing
    decimal : the decimal sign of the file
    """
    codes, different = pd.factorize(np.asarray(texts, dtype=object))
    counts = np.bincount(codes[codes >= 0], minlength=len(different))
    spelled = [str(text).strip() for text in different]
    there = np.array([text.lower() not in MISSING_NUMBERS for text in spelled], dtype=bool)
    present = [text for text, is_there in zip(spelled, there) if is_there]
    if not present:
        return Cells("number", np.full(len(codes), np.nan))
    found = _yes_no(present) or _dates(name, present) or _clock(name, present) or _numbers(name, present, counts[there], decimal)
    if found is None:
        return _texts(spelled, codes)
    place = np.full(len(different) + 1, len(present))  # the last place is for what is missing
    place[:-1][there] = np.arange(len(present))
    empty = np.array(["NaT"], dtype=found.values.dtype) if found.kind == "date" else np.array([np.nan])
    return Cells(found.kind, np.concatenate([found.values, empty])[place[codes]], found.unit, found.notes)


def _yes_no(texts: list[str]) -> Cells | None:
    words = [text.lower() for text in texts]
    return Cells("boolean", np.array([_YES_NO[word] for word in words])) if all(word in _YES_NO for word in words) else None


def _dates(name: str, texts: list[str]) -> Cells | None:
    found = read_dates(texts)
    if found is None:
        return None
    values, remark = found
    notes = (Note("date", (name,), f"Column {name!r} holds dates: {remark}."),) if remark else ()
    return Cells("date", values, notes=notes)


def _clock(name: str, texts: list[str]) -> Cells | None:
    seconds = read_clock(texts)
    if seconds is None:
        return None
    return Cells(
        "number", seconds, "s", (Note("date", (name,), f"Column {name!r} holds times such as {texts[0]!r}: they were turned into seconds."),)
    )


def _numbers(name: str, texts: list[str], counts: np.ndarray, decimal: Decimal) -> Cells | None:
    """Read texts as numbers under the file's decimal sign, or under the other one where that reads more of them."""
    other: Decimal = "," if decimal == "." else "."
    readings = {sign: [read_number(text, sign) for text in texts] for sign in (decimal, other)}
    unread = {sign: counts[[number is None for number in numbers]].sum() for sign, numbers in readings.items()}
    sign = other if unread[other] < unread[decimal] else decimal
    if unread[sign] > (1 - _MOSTLY) * counts.sum():
        return None
    notes = []
    if sign == other:
        notes.append(Note("number", (name,), f"Column {name!r} was read with {sign!r} as its decimal sign, unlike the rest of the file."))
    grouped = [text for text, number in zip(texts, readings[sign]) if number is not None and _GROUPED[sign].match(text.translate(_ODD_SIGNS))]
    if grouped:
        notes.append(Note("number", (name,), f"Column {name!r}: the mark in {grouped[0]!r} was read as grouping thousands."))
    strange = [text for text, number in zip(texts, readings[sign]) if number is None]
    if strange:
        cells = "One cell that is no number counts" if unread[sign] == 1 else f"{unread[sign]} cells that are no numbers count"
        notes.append(Note("missing", (name,), f"Column {name!r}: {cells} as missing ({listed(strange, 5)})."))
    values = np.array([np.nan if number is None else number for number in readings[sign]])
    per_cent = all(text.endswith("%") for text, number in zip(texts, readings[sign]) if number is not None)
    return Cells("number", values, "%" if per_cent else "", tuple(notes))


def _texts(spelled: list[str], codes: np.ndarray) -> Cells:
    """Keep texts as they are, and call them a category when few different ones return again and again."""
    kept = np.array([None if text.lower() in MISSING_TEXTS else text for text in [*spelled, ""]], dtype=object)
    values = kept[codes]
    present = values[values != None]  # noqa: E711  elementwise: the array holds None
    different = len(set(present))
    is_category = different <= _MOST_CATEGORIES and 2 * different <= len(present)
    return Cells("category" if is_category else "text", values)
