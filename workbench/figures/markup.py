"""Text inside XML and HTML: names of columns come from strangers' files and must come out as text, never as markup.

Besides the five characters of XML, two kinds of character are taken out: control characters, which no XML file may hold, and the invisible
marks that turn the reading direction, which let a name rearrange the page around it (Boucher & Anderson, 2021, "Trojan Source").
"""

from __future__ import annotations

import html
import re

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u202a-\u202e\u2066-\u2069]")

_EXPONENT = re.compile(r"(?:\^|\*\*)([-−]?\d+)")
_RAISED = str.maketrans("0123456789-−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁻")


def escape(text: object, longest: int | None = None) -> str:
    """Return text that is safe between tags and inside quoted attributes, shortened with an ellipsis where it is too long.

    >>> escape('<script>"x" & y</script>', longest=12)
    '&lt;script&gt;&quot;x&quot;…'
    """
    plain = _FORBIDDEN.sub("", str(text))
    if longest is not None and len(plain) > longest:
        plain = plain[: longest - 1].rstrip() + "…"
    return html.escape(plain, quote=True)


def unit(text: str | None) -> str:
    """Write a unit with raised exponents; an unknown one is empty.

    >>> unit("kg m^2 s^-2"), unit("ft**3"), unit(None)
    ('kg m² s⁻²', 'ft³', '')
    """
    return _EXPONENT.sub(lambda found: found[1].translate(_RAISED), text or "")


def number(value: float, digits: int = 4) -> str:
    """Write a number for people: a few significant digits, a true minus sign, an exponent only where needed.

    >>> number(-0.000012345), number(1234567.0), number(2.50)
    ('−1.234e−5', '1.235e6', '2.5')
    """
    text = f"{value:.{digits}g}"
    if "e" in text:
        mantissa, exponent = text.split("e")
        text = f"{mantissa}e{int(exponent)}"
    return text.replace("-", "−")


def coordinate(value: float) -> str:
    """Write a coordinate of a drawing: a tenth of a pixel is enough, and the file stays small."""
    text = f"{value:.1f}"
    return text.removesuffix(".0") if text != "-0.0" else "0"
