"""What a person does on the canvas, as values: parsed and checked once, at the border.

A component's payload comes from a browser and may hold anything. `parse_actions` turns it into `Action`s or says in one
sentence what is wrong with it; nothing behind this module sees raw payloads. A payload repeats the latest few actions,
each under a growing number, because Streamlit keeps only the last of several quick triggers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, cast, get_args

from workbench.exceptions import UnknownEdgeError, WorkbenchError

Edge = tuple[int, int, int]
Function = tuple[int, int]  # number of an activation, and group
Operation = Literal[
    "snap", "release", "lock", "unlock", "prune", "search", "end_search", "fit_form", "undo", "redo", "close", "open", "suppose", "extend", "compare", "forget"
]
OPERATIONS: tuple[str, ...] = get_args(Operation)
WITHOUT_EDGE = frozenset({"undo", "redo", "close", "open", "suppose", "extend", "compare", "forget"})
LONGEST_TEXT = 500  # characters of a typed form; longer ones are a slip of the clipboard
MOST_PARAMETERS = 16
MOST_ACTIONS = 8


@dataclass(frozen=True)
class Action:
    """One move a person asked for: the operation, its edge, and what it needs besides.

    edge        the address of an edge, or of an activation function
    order       grows from action to action: what was done already is told by it
    form        name of the candidate to snap to; None means the best one
    text        a form or a formula that the person typed
    state       number of a state of the history
    parameters  constants as the sliders stood, the starting point of the refit
    """

    operation: Operation
    order: int
    edge: Edge | Function | None = None
    form: str | None = None
    text: str | None = None
    state: int | None = None
    parameters: Mapping[str, float] = field(default_factory=dict)


def edge_id(edge: Edge) -> str:
    """Return the address of an edge as the canvas writes it.

    >>> edge_id((0, 2, 1))
    '0.2.1'
    """
    return address_text(edge)


def parse_edge(text: object) -> Edge:
    """Read the address of an edge, `"layer.source.target"`.

    >>> parse_edge("0.2.1")
    (0, 2, 1)
    """
    parts = text.split(".") if isinstance(text, str) else []
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() and len(part) <= 9 for part in parts):
        raise UnknownEdgeError(
            f"{text!r} is not the address of an edge. An address reads layer.source.target, as in 0.2.1."
        )
    layer, source, target = (int(part) for part in parts)
    return layer, source, target


def address_text(address: tuple[int, ...]) -> str:
    """Return an address, of an edge or a function, as the canvas writes it."""
    return ".".join(map(str, address))


def parse_function(text: object) -> Function:
    """Read the address of an activation function, `"activation.group"`.

    >>> parse_function("3.1")
    (3, 1)
    """
    parts = text.split(".") if isinstance(text, str) else []
    if len(parts) != 2 or not all(part.isascii() and part.isdigit() and len(part) <= 9 for part in parts):
        raise UnknownEdgeError(f"{text!r} is not the address of an activation function. An address reads activation.group, as in 0.2.")
    return int(parts[0]), int(parts[1])


def parse_actions(payload: object, after: int = 0, address: Callable[[object], Edge | Function] = parse_edge) -> tuple[Action, ...]:
    """Read the payload of a canvas trigger: the actions numbered above `after`, in order; none when nothing was triggered.

    `address` reads what an action is about.

    Raises
    ------
    WorkbenchError
        When the payload is not one of ours: an unknown operation, a wrong address, constants that are no numbers.
    """
    if payload is None:
        return ()
    if not isinstance(payload, list) or len(payload) > MOST_ACTIONS:
        raise WorkbenchError(f"The canvas sent {type(payload).__name__}; actions come as a list of at most {MOST_ACTIONS}. Reload the page.")
    return tuple(action for action in (_action(one, address) for one in payload) if action.order > after)


def _action(payload: object, address: Callable[[object], Edge | Function]) -> Action:
    if not isinstance(payload, Mapping):
        raise WorkbenchError(f"The canvas sent {type(payload).__name__}; an action is an object. Reload the page.")
    operation, order = payload.get("op"), payload.get("order")
    if operation not in OPERATIONS:
        raise WorkbenchError(
            f"The canvas asked for {operation!r}. Known: {', '.join(OPERATIONS)}. Reload the page."
        )
    if not isinstance(order, int) or isinstance(order, bool):
        raise WorkbenchError(f"The canvas numbered an action {order!r}; a whole number is needed. Reload the page.")
    return Action(
        operation=cast("Operation", operation),
        order=order,
        edge=None if operation in WITHOUT_EDGE else address(payload.get("edge")),
        form=_text(payload.get("form"), "form"),
        text=_text(payload.get("text"), "text"),
        state=_state(payload.get("state")),
        parameters=_parameters(payload.get("parameters")),
    )


def _text(value: object, name: str) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        raise WorkbenchError(f"{name} must be a text of at most {LONGEST_TEXT} characters. Shorten it.")
    return value


def _state(value: object) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value > 0):
        return cast("int | None", value)
    raise WorkbenchError(f"{value!r} is not the number of a state. Reload the page.")


def _parameters(value: object) -> dict[str, float]:
    if value is None:
        return {}
    if not isinstance(value, Mapping) or len(value) > MOST_PARAMETERS:
        raise WorkbenchError(f"Constants come as an object of at most {MOST_PARAMETERS} numbers. Reload the page.")
    constants: dict[str, float] = {}
    for name, number in value.items():
        is_number = isinstance(number, int | float) and not isinstance(number, bool) and math.isfinite(number)
        if not isinstance(name, str) or not is_number:
            raise WorkbenchError(f"The constant {name!r} is {number!r}; it must be a finite number.")
        constants[name] = float(number)
    return constants
