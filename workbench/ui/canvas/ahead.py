"""The parts of Streamlit's own page that the next page will need, so that the canvas can have them loaded while a person looks.

Streamlit loads a part when its first element is drawn, and names its file by what is in it. The page Export needs the two below: half a
second of work for a browser, and without them at hand it would show its code and tables that much later.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import streamlit

PARTS = ("StreamlitSyntaxHighlighter", "DataFrame")  # code, tables


@cache
def parts() -> tuple[str, ...]:
    """Return the addresses of the parts below the root of the app; a part that this Streamlit does not have is left out."""
    root = Path(streamlit.__file__).parent / "static"
    return tuple(file.relative_to(root).as_posix() for part in PARTS for file in sorted(root.glob(f"static/js/{part}.*.js")))
