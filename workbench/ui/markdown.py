"""A person's own text inside Streamlit's Markdown: shown as it was typed, never read as markup.

Column names, project names and notes hold anything: `$` would begin a formula, `:red[` a colour, `->` an arrow.
"""

from __future__ import annotations

import re

_MEANINGFUL = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:=^\"'])")


def literal(text: object) -> str:
    """Return text so that Markdown shows exactly it, on one line.

    >>> literal("cost $ :red[x]")
    'cost \\\\$ \\\\:red\\\\[x\\\\]'
    """
    return _MEANINGFUL.sub(r"\\\1", " ".join(str(text).split()))
