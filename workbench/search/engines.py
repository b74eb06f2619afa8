"""Which engines are installed here, found without importing them, and one of them by its name.

    screens     our own; it is always there
    operon      where the package pyoperon is
    pysr        where PySR is and its Julia was set up (kan-workbench doctor --install pysr)
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from typing import Literal

from workbench.exceptions import MissingEngineError
from workbench.expression import Expression
from workbench.julia import julia_state
from workbench.search.problem import Engine

TITLES = {"screens": "The built-in engine", "operon": "Operon", "pysr": "PySR"}
NAMES = tuple(TITLES)


def installed() -> tuple[str, ...]:
    """Return the engines that can be used here, ours first."""
    there = {"screens": True, "operon": importlib.util.find_spec("pyoperon") is not None, "pysr": julia_state().ready}
    return tuple(name for name in NAMES if there[name])


def engine(name: str, guesses: Sequence[Expression] = (), part: Literal["whole", "first"] = "whole") -> Engine:
    """Return an engine.

    Parameters
    ----------
    name : one of NAMES, or "partner", which takes the second part of our own engine's sequence
    guesses : formulas that PySR starts from; the others start from the rows alone
    part : of our own engine's sequence

    Raises
    ------
    MissingEngineError : there is no engine of this name
    """
    match name:
        case "screens":
            from workbench.search.native.engine import NativeEngine

            return NativeEngine(part=part)
        case "partner":
            from workbench.search.native.partner import PartnerEngine

            return PartnerEngine()
        case "operon":
            from workbench.search.operon import OperonEngine

            return OperonEngine()
        case "pysr":
            from workbench.search.pysr import PySREngine

            return PySREngine(guesses=tuple(guesses))
    raise MissingEngineError(f"There is no engine {name!r}. Engines: {', '.join(NAMES)}.")
