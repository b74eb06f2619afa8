"""Dates and times of day written as text.

Read are ISO 8601 (2024-01-31, 2024-01-31T12:30:05.25Z), dates in figures (31.01.2024, 31/01/2024, 01/31/2024, 2024/01/31) and English months
(31-Jan-2024, Jan 31, 2024). Whether a column has the day or the month first is decided by the whole column: one 31 is enough. Where nothing
decides, 01.02.2024 is read day first and 01/02/2024 month first, and that is said.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime, time

import numpy as np

_TIME = r"(?:[T ]+(?P<time>\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?)\s*(?P<zone>Z|[+-]\d{2}:?\d{2})?)?"
_FIGURES = re.compile(r"(?P<first>\d{1,4})(?P<mark>[-./])(?P<second>\d{1,2})(?P=mark)(?P<third>\d{4}|\d{2}|\d)" + _TIME)
_DAY_FIRST = re.compile(r"(?P<day>\d{1,2})[ .-]+(?P<month>[A-Za-z]{3,9})[ .,-]+(?P<year>\d{4})" + _TIME)
_MONTH_FIRST = re.compile(r"(?P<month>[A-Za-z]{3,9})[ .-]+(?P<day>\d{1,2})[ .,-]+(?P<year>\d{4})" + _TIME)
_CLOCK = re.compile(r"(\d{1,3}):([0-5]\d)(?::([0-5]\d(?:[.,]\d+)?))?")
_MONTHS = {name: number for number, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), start=1)}
_CENTURY_TURN = 70  # two figures: 69 is 2069, 70 is 1970 (POSIX has 69)

Order = tuple[int, int, int]  # where year, month and day stand
_YEAR_FIRST, _DAY_FIRST_ORDER, _MONTH_FIRST_ORDER = (0, 1, 2), (2, 1, 0), (2, 0, 1)


def read_dates(texts: Sequence[str]) -> tuple[np.ndarray, str] | None:
    """Return the dates as datetime64[us] and a remark ("" when nothing was doubtful), or None unless every text is a date.

    >>> read_dates(["31.01.2024", "01.02.2024"])[0].astype(str).tolist()
    ['2024-01-31T00:00:00.000000', '2024-02-01T00:00:00.000000']
    """
    if not texts:
        return None
    if all(_DAY_FIRST.fullmatch(text) or _MONTH_FIRST.fullmatch(text) for text in texts):
        return _array(texts, _named_month, "")
    matches = [_FIGURES.fullmatch(text) for text in texts]
    if not all(matches):
        return None
    if all(len(match["first"]) == 4 for match in matches if match):
        return _array(texts, lambda text: _figures(text, _YEAR_FIRST), "")
    orders = (_MONTH_FIRST_ORDER, _DAY_FIRST_ORDER) if matches[0] and matches[0]["mark"] == "/" else (_DAY_FIRST_ORDER, _MONTH_FIRST_ORDER)
    readings = [_array(texts, lambda text, order=order: _figures(text, order), "") for order in orders]
    if readings[0] is None or readings[1] is None:
        return readings[0] or readings[1]
    first = "day" if orders[0] == _DAY_FIRST_ORDER else "month"
    return readings[0][0], f"the {first} was taken to stand first, as nothing in the column decides it"


def read_clock(texts: Sequence[str]) -> np.ndarray | None:
    """Return times such as 12:30 or 00:01:02.5 as seconds, float64, or None unless every text is one.

    >>> read_clock(["00:01:02.5", "1:00:00"]).tolist()
    [62.5, 3600.0]
    """
    matches = [_CLOCK.fullmatch(text) for text in texts]
    if not texts or not all(matches):
        return None
    parts = [match.groups(default="0") for match in matches if match]
    return np.array([int(hours) * 3600 + int(minutes) * 60 + float(seconds.replace(",", ".")) for hours, minutes, seconds in parts])


def _array(texts: Sequence[str], read: Callable[[str], datetime], remark: str) -> tuple[np.ndarray, str] | None:
    try:
        return np.array([read(text) for text in texts], dtype="datetime64[us]"), remark
    except (ValueError, KeyError, OverflowError):  # a 13th month, a 31st of June, a month called "Foo"
        return None


def _figures(text: str, order: Order) -> datetime:
    match = _matched(_FIGURES, text)
    figures = (match["first"], match["second"], match["third"])
    year, month, day = (figures[place] for place in order)
    if len(year) not in (2, 4):
        raise ValueError(f"{year!r} is no year")
    full_year = int(year) if len(year) == 4 else int(year) + (1900 if int(year) >= _CENTURY_TURN else 2000)
    return _moment(date(full_year, int(month), int(day)), match)


def _named_month(text: str) -> datetime:
    match = _DAY_FIRST.fullmatch(text) or _matched(_MONTH_FIRST, text)
    return _moment(date(int(match["year"]), _MONTHS[match["month"][:3].lower()], int(match["day"])), match)


def _moment(day: date, match: re.Match[str]) -> datetime:
    """Join a day with the time of its match; a time zone is turned into UTC."""
    clock = (match["time"] or "0:00").replace(",", ".")
    hours, minutes, seconds = (*clock.split(":"), "0")[:3]
    whole, _, fraction = seconds.partition(".")
    moment = datetime.combine(day, time(int(hours), int(minutes), int(whole), int(fraction.ljust(6, "0")[:6])))
    if not match["zone"]:
        return moment
    offset = datetime.strptime(match["zone"].replace("Z", "+0000"), "%z").utcoffset()
    return (moment - offset).replace(tzinfo=None) if offset else moment


def _matched(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    match = pattern.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no date")
    return match
