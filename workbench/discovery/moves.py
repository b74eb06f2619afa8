"""A move: one decision of a person or of the autopilot, as data, so that it can be stored, shown, undone and replayed.

    Move("snap", {"edge": [0, "Girth", 0], "form": "x^p"})   is   found.snap((0, 'Girth', 0), 'x^p')
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workbench.exceptions import DiscoveryError

# What each move is called with, in order; `first` arguments are written without their name.
_SIGNATURES: dict[str, tuple[str, ...]] = {
    "model": ("estimator", "parameters"),
    "fit": (),
    "suppose": ("formula", "origin"),
    "extend": (),
    "prune": ("threshold", "edges", "nodes", "inputs"),
    "eliminate": ("tolerance",),
    "snap": ("edge", "form", "parameters", "offset"),
    "release": ("edge",),
    "lock": ("edge",),
    "unlock": ("edge",),
    "refit": ("max_iter", "stop_after"),
}
_LONG_NUMBER = re.compile(r"(?<![\w.])\d+\.\d{4,}(?:e[+-]?\d+)?")
_POSITIONAL = {"edge", "form", "formula"}


@dataclass(frozen=True)
class Move:
    """A named step and its arguments, JSON values only."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.name not in _SIGNATURES:
            raise DiscoveryError(f"There is no move {self.name!r}. Moves: {', '.join(_SIGNATURES)}.")
        object.__setattr__(self, "arguments", json.loads(json.dumps(dict(self.arguments))))

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "arguments": dict(self.arguments)}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Move:
        try:
            return cls(str(record["name"]), dict(record["arguments"]))
        except (KeyError, TypeError, ValueError):
            raise DiscoveryError(f"This is not a recorded move: {record!r}.") from None

    def to_python(self, variable: str = "found") -> str:
        """Return the call that makes this move again.

        >>> Move("snap", {"edge": [0, "Girth", 0], "form": "x^p"}).to_python()
        "found.snap((0, 'Girth', 0), 'x^p')"
        """
        if self.name == "model":
            given = ", ".join(f"{name}={_tuples(value)!r}" for name, value in self.arguments["parameters"].items())
            return f"{variable} = wb.{self.arguments['estimator']}({given}).fit(data.X_train, data.y_train).discover(data)"
        parts = []
        for name, value in self.arguments.items():
            text = repr(_tuples(value))
            parts.append(text if name in _POSITIONAL else f"{name}={text}")
        return f"{variable}.{self.name}({', '.join(parts)})"

    @property
    def label(self) -> str:
        """The move in a few words, for the history."""
        a = self.arguments
        match self.name:
            case "model":
                return f"fit {a['estimator']}"
            case "snap":
                return f"{_edge_words(a['edge'])} is {a['form']}" + ("" if a.get("offset", True) else " through zero")
            case "prune" if "edges" in a:
                return f"prune {', '.join(_edge_words(e) for e in a['edges'])}"
            case "prune" if "threshold" in a:
                return f"prune below {a['threshold']:g}"
            case "suppose":
                return f"{a.get('origin', 'suppose')}: {_shortened(_LONG_NUMBER.sub(_rounded, a['formula']))}"
            case "release" | "lock" | "unlock":
                return f"{self.name} {_edge_words(a['edge'])}"
            case "extend":
                return "fit what it misses" + (", stopped" if "stop_after" in a else "")
            case "fit" | "refit" if "stop_after" in a:
                return f"{self.name}, stopped"
            case _:
                return self.name


def _rounded(number: re.Match[str]) -> str:
    return f"{float(number[0]):.4g}"


def _shortened(text: str, most: int = 60) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _tuples(value: object) -> object:
    return tuple(_tuples(v) for v in value) if isinstance(value, list) else value


def _edge_words(edge: list[Any]) -> str:
    layer, source, target = edge
    start = source if isinstance(source, str) else f"h{layer}.{source}" if layer else f"input {source}"
    return f"{start} → {target if isinstance(target, str) else f'h{layer + 1}.{target}'}"
