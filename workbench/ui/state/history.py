"""The history of a project as a list that can be read: the path one is on as a straight line, branches set in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workbench.store import Step


@dataclass(frozen=True)
class Line:
    """One state in the list.

    depth : 0 on the trunk, one more for every branch it lies on
    r2, change : on checked rows, and against the state it was made from
    score : what r2 is, "R²" or "accuracy"
    here : whether it is looked at
    on_path : whether undo leads to it
    """

    state: int
    label: str
    depth: int
    r2: float | None
    change: float | None
    here: bool
    on_path: bool
    score: str = "R²"


def lines(steps: Sequence[Step], cursor: int | None) -> tuple[Line, ...]:
    """Return the states in the order in which one reads a tree: a branch stands under the state it left from.

    From every state the child that redo leads to goes on straight; the others are set in, the oldest first.
    """
    children: dict[int | None, list[Step]] = {}
    known = {step.id for step in steps}
    for step in steps:
        children.setdefault(step.parent if step.parent in known else None, []).append(step)
    path = _path(steps, cursor)
    found: list[Line] = []
    waiting = [(step, 0) for step in reversed(children.get(None, []))]
    while waiting:
        step, depth = waiting.pop()
        found.append(Line(step.id, step.label, depth, r2_of(step), change_of(step, steps), step.id == cursor, step.id in path, score_of(step)))
        own = children.get(step.id, [])
        straight = step.redo if any(child.id == step.redo for child in own) else (own[-1].id if own else None)
        waiting += [(child, depth) for child in own if child.id == straight]
        waiting += [(child, depth + 1) for child in reversed(own) if child.id != straight]
    return tuple(found)


def r2_of(step: Step) -> float | None:
    """Return R2 on checked rows, as the step recorded it."""
    value = step.metrics.get("r2_validation")
    return float(value) if isinstance(value, int | float) else None


def score_of(step: Step) -> str:
    """Return what the score of a step is called; steps of before had none but R2."""
    return "accuracy" if step.metrics.get("score") == "accuracy" else "R²"


def change_of(step: Step, steps: Sequence[Step]) -> float | None:
    """Return how much a move changed R2 on checked rows; None for a fit and a typed formula, which are compared with nothing."""
    parent = next((other for other in steps if other.id == step.parent), None)
    if parent is None or step.move.get("name") in ("fit", "model", "fit_kat", "suppose") or parent.dataset != step.dataset:
        return None
    before, after = r2_of(parent), r2_of(step)
    return None if before is None or after is None else after - before


def _path(steps: Sequence[Step], cursor: int | None) -> set[int]:
    by_id: Mapping[int, Step] = {step.id: step for step in steps}
    path: set[int] = set()
    while cursor is not None and cursor in by_id:
        path.add(cursor)
        cursor = by_id[cursor].parent
    return path
