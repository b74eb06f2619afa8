"""A transformer on a table of a person's own: fitted, read, named, kept and used, each move a new value.

    kat = Transformer.fit(load_sample("digits"), random_state=0)
    kat = kat.snap(("blocks.0.mlp.act1", 0), "gelu")
    kat.save("digits.kanwb")

It wires data, training and reading for the app and the command line, as `discovery` does for KANs. All of it is torch: import it where torch is
wanted; `transformer.settings` alone is not.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.transformer.settings import KATSettings
    from workbench.transformer.transformer import Transformer

__all__ = ["KATSettings", "Transformer"]

_HOME = {"KATSettings": "settings", "Transformer": "transformer"}


def __getattr__(name: str) -> object:
    """Import a name when it is first asked for: the page reads settings and must not wait for torch."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}.")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
