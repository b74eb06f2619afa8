"""Search deeper: the engines for whole formulas, set on one edge that no form of the library fits well.

What they find is a form with letters, which joins the candidates of that edge and is ranked as they are: by what it costs the refitted whole
model. Each engine has its share of the time; of their forms those are tried that follow the edge's curve best for their length.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np

from workbench import snapping
from workbench.discovery.choices import Choice
from workbench.discovery.discovery import Discovery
from workbench.discovery.inspection import placed
from workbench.exceptions import JobCancelled, WorkbenchError
from workbench.expression import Expression, Symbol
from workbench.networks import Edge
from workbench.primitives import TypedForm
from workbench.search.engines import engine, installed
from workbench.trace import trace

Watcher = Callable[[float, str], None]
_SEARCH = 0.7  # share of the time
_TRIED = 8  # forms that the whole model is refitted with


def search_edge(found: Discovery, edge: Edge, time_budget: float, watch: Watcher = lambda fraction, words: None) -> Iterator[Choice]:
    """Yield forms that engines find for the curve of an edge, each with the whole model refitted; the discovery stays as it is.

    Parameters
    ----------
    found : the discovery, at the state to look at
    edge : its address
    time_budget : seconds for all engines together
    watch : called with (fraction, words) some times a second; may raise to stop
    """
    problem = found.problems[0]
    x, y = trace(found.network, problem.x).of(edge)
    curve = snapping.Curve.of(x, y, problem.weights)
    for number, form in enumerate(_best(curve, _forms(curve, _guesses(found, edge), time_budget, watch))):
        watch(_SEARCH + (1.0 - _SEARCH) * number / _TRIED, f"refitting the model with {form.text}")
        choice = found.candidates(edge, library=(form,))[0]
        if choice.refitted:
            yield choice


def searched(found: Discovery, edge: Edge, time_budget: float) -> tuple[Choice, ...]:
    """Return the candidates of an edge, best first, with what engines find for its curve among them."""
    ranked = found.candidates(edge)
    for choice in search_edge(found, edge, time_budget):
        ranked = placed(ranked, choice)
    return ranked


def _guesses(found: Discovery, edge: Edge) -> tuple[Expression, ...]:
    """Return the form that the edge has, in x, if it has one."""
    snapped = found.network.symbolic_edge(edge)
    return () if snapped is None else (snapped.form.expression(Symbol("x"), snapped.parameters),)


def _forms(curve: snapping.Curve, guesses: tuple[Expression, ...], time_budget: float, watch: Watcher) -> Iterator[TypedForm]:
    """Yield what the engines propose, one engine after the other."""
    from workbench.search import deeper

    names = installed()
    for number, name in enumerate(names):
        turn = _Turn(name, number, len(names), time_budget, watch)
        try:
            with np.errstate(all="ignore"):  # an engine tries much that has no value
                yield from deeper.forms(curve, engine(name, guesses), turn.over)
        except WorkbenchError as problem:
            watch(turn.end, str(problem))
        if turn.stopped is not None:
            raise turn.stopped


class _Turn:
    """The time of one engine. That a person has stopped the search is kept until the engine has ended."""

    def __init__(self, name: str, number: int, count: int, time_budget: float, watch: Watcher) -> None:
        self._name, self._watch, self._began, self._seconds = name, watch, time.monotonic(), time_budget / count
        self._start, self.end = _SEARCH * number / count, _SEARCH * (number + 1) / count
        self.stopped: JobCancelled | None = None

    def over(self) -> bool:
        share = min((time.monotonic() - self._began) / self._seconds, 1.0)
        try:
            self._watch(self._start + share * (self.end - self._start), f"{self._name}: looking for forms of this curve")
        except JobCancelled as stop:
            self.stopped = stop
        return share >= 1.0 or self.stopped is not None


def _best(curve: snapping.Curve, forms: Iterator[TypedForm]) -> list[TypedForm]:
    """Return the forms that no shorter one follows the curve as well as, the closest last; not more than can be tried."""
    best: dict[int, tuple[float, TypedForm]] = {}
    for form in forms:
        with np.errstate(all="ignore"):
            gap = curve.y - form.evaluate(curve.x, form.near)[0]
            gap = gap - curve.weights @ gap
            error = float(curve.weights @ gap**2)
        if np.isfinite(error) and (form.complexity not in best or error < best[form.complexity][0]):
            best[form.complexity] = error, form
    front, least = [], np.inf
    for size in sorted(best):
        error, form = best[size]
        if error < least:
            front.append(form)
            least = error
    return front[-_TRIED:]
