"""What the page draws of a transformer's activation functions: plain JSON, every curve over what its function really received.

    {"places": [{"path": "blocks.0.mlp.act1", "label": "Block 1", "detail": "first activation", "channels": 12}],
     "functions": [{"id": "0.2", "place": 0, "group": 2, "label": "block 1, first, group 3", "channels": 12, "state": "spline" | "snapped",
                    "form": "gelu" | None, "text": "1.02*gelu(0.98*x)", "x": [lo, hi], "y": [64 numbers], "range": [lowest, highest],
                    "density": [40 numbers]}]}

`y` is scaled to 0 ... 1000 between the curve's lowest and highest value, which stand in `range`; `density` to 0 ... 100 of its highest bin.
A function that is a rational has the state "spline", that of a curve that was learned; one with a name is "snapped".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from workbench.activations import GroupFunction, KATReading

N_POINTS = 64
N_BINS = 40
_ACTIVATIONS = {"act1": "first activation", "act2": "second activation"}


def functions_drawing(reading: KATReading) -> dict[str, Any]:
    """Describe the functions of a transformer for drawing."""
    paths = list(reading.places)
    first = {path: next(function for function in reading.functions if function.address[0] == path) for path in paths}
    return {
        "places": [{"path": path, **_place(path), "channels": first[path].n_channels, "groups": reading.places[path].n_groups} for path in paths],
        "functions": [_drawn(reading, function, paths.index(function.address[0])) for function in reading.functions],
    }


def function_id(place: int, group: int) -> str:
    """Return the address of a function as the page writes it: the number of its activation, and its group."""
    return f"{place}.{group}"


def function_label(address: tuple[str, int]) -> str:
    """Return where a function stands, in words; groups and blocks are counted from 1.

    >>> function_label(("blocks.0.mlp.act2", 3)), function_label(("body.act", 0))
    ('block 1, second, group 4', 'body.act, group 1')
    """
    path, group = address
    words = _place(path)
    where = f"{words['label'].lower()}, {words['detail'].partition(' ')[0]}" if words["detail"] else path
    return f"{where}, group {group + 1}"


def _drawn(reading: KATReading, function: GroupFunction, place: int) -> dict[str, Any]:
    group = function.address[1]
    seen = reading.received(function.address)
    y = reading.curve(function.address, N_POINTS)[1]
    low, high = float(y.min()), float(y.max())
    shares, _ = np.histogram(seen.x, N_BINS, range=(seen.low, seen.high))
    return {
        "id": function_id(place, group),
        "place": place,
        "group": group,
        "label": function_label(function.address),
        "channels": function.n_channels,
        "state": "spline" if function.name is None else "snapped",
        "form": None if function.name is None else function.name.form.name,
        "text": function.text,
        "x": [seen.low, seen.high],
        "y": [round(float(value), 1) for value in 1000 * (y - low) / (high - low or 1.0)],
        "range": [low, high],
        "density": [round(100 * int(share) / int(shares.max()), 1) for share in shares],
    }


def _place(path: str) -> dict[str, str]:
    """Return how an activation is called: its block, and which of the two it is; the path itself in a model of another make."""
    parts = path.split(".")
    if len(parts) == 4 and parts[0] == "blocks" and parts[1].isdigit() and parts[3] in _ACTIVATIONS:
        return {"label": f"Block {int(parts[1]) + 1}", "detail": _ACTIVATIONS[parts[3]]}
    return {"label": path, "detail": ""}
