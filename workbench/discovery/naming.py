"""Naming edges without loss: what a patient person would do with the inspector, edge after edge.

Unlike the autopilot, which searches for the best whole formula, this never changes a network for the worse: an edge is snapped only where its
best form costs next to nothing on the checked rows, and is left as it is otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from workbench.discovery.choices import Choice
from workbench.discovery.discovery import Discovery
from workbench.discovery.state import State
from workbench.exceptions import SnapError, TrainingError
from workbench.networks import LEARNED, Edge


def name_surely(
    found: Discovery, loss: float = 0.01, watch: Callable[[float, str], None] = lambda fraction, words: None
) -> Iterator[State]:
    """Snap the learned edges, the surest first, and yield the state after each; the discovery ends at the last of them.

    Parameters
    ----------
    found : the discovery, at the state to begin with
    loss : how much R2 on the checked rows one snap may cost
    watch : called with (fraction, words) before every edge; may raise to stop
    """
    refused: set[Edge] = set()
    total = max(1, len(found.network.edges(*LEARNED)))
    while waiting := [edge for edge in found.network.edges(*LEARNED) if edge not in refused]:
        best: tuple[float, Edge, Choice] | None = None
        for edge in waiting:
            watch(1 - len(waiting) / total, f"{len(waiting)} of {total} edges to name")
            choice = _best(found, edge)
            if choice is None or _cost(choice) > loss:
                refused.add(edge)
            elif best is None or _cost(choice) < best[0]:
                best = _cost(choice), edge, choice
        if best is None:
            return
        yield found.snap(best[1], best[2].name).state


def _best(found: Discovery, edge: Edge) -> Choice | None:
    try:
        return next((choice for choice in found.candidates(edge) if choice.refitted), None)
    except (SnapError, TrainingError):
        return None


def _cost(choice: Choice) -> float:
    """How much R2 the form costs; classes have none, there the error itself ranks."""
    return -choice.delta_r2 if choice.delta_r2 is not None else 0.0
