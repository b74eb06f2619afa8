"""Networks of several shapes, simplest first: fitted, pruned, and named edge by edge, each form judged by the refitted whole model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from workbench.dataset import Dataset
from workbench.discovery.autopilot.course import Clock
from workbench.discovery.autopilot.findings import LAW, Finding, finding
from workbench.discovery.autopilot.rivals import rival_laws
from workbench.discovery.choices import Choice
from workbench.discovery.discovery import Discovery
from workbench.exceptions import SnapError, TrainingError
from workbench.networks import LEARNED, Edge
from workbench.training import FitProgress

MANY_ROWS = 20_000
ROWS_PER_EDGE = 5
_EXACT = 1e-11  # unitless error that only rounding leaves
_CLEARLY = 0.7  # another form must lower the error to this share to take a named edge over
_LAST_REFIT, _BRIEF_REFIT = 200, 20  # steps when everything is named; of many rows each takes long


def shaped(
    found: Discovery,
    shapes: Sequence[dict[str, Any]],
    forms: Sequence[str] | None,
    clock: Clock,
    random_state: int,
    known: bool,
) -> Iterator[Finding]:
    """Fit networks of these shapes and name their edges, until one is exact or time is over; `known` says whether there is a formula already."""
    exact = False
    for settings in shapes:
        if clock.stopped or (known and (clock.over or exact)):
            return
        clock.say(f"trying the shape {settings['hidden_layer_sizes']}")
        try:
            for each in _attempt(found, {**settings, "random_state": random_state}, forms, clock, wait=not known):
                yield each
                known, exact = True, exact or (each.error < LAW**2 and not each.formula.definitions)
        except (TrainingError, SnapError):
            continue


def shapes_for(data: Dataset, wanted: tuple[int, ...] | None) -> list[dict[str, Any]]:
    """Return the shapes to try, simplest first; those with more edges than a fifth of the rows would only follow the scatter."""
    n_inputs, n_rows = len(data.features), len(data.split.train)
    if wanted is not None:
        return [{"hidden_layer_sizes": wanted, "sparsity": 1e-4}]
    shapes: list[tuple[int, dict[str, Any]]] = [(0, {"hidden_layer_sizes": ()})]
    if n_inputs > 1:
        if n_inputs <= 4:
            shapes.append((n_inputs**2 + 1, {"hidden_layer_sizes": (0,), "product_nodes": ((n_inputs,),), "sparsity": 1e-4}))
        shapes.append((n_inputs + 1, {"hidden_layer_sizes": (1,)}))
    shapes.append((5 * n_inputs + 5, {"hidden_layer_sizes": (5,), "sparsity": 1e-4}))
    return [settings for n_edges, settings in shapes if ROWS_PER_EDGE * n_edges <= n_rows]


def _attempt(found: Discovery, settings: dict[str, Any], forms: Sequence[str] | None, clock: Clock, wait: bool) -> Iterator[Finding]:
    """Fit one shape, name every edge of it, and yield what was found on the way; unless one must wait, a fit ends when time is over."""

    def hurry(_: FitProgress) -> None:
        if (clock.over and not wait) or clock.stopped:
            raise TrainingError("Time is over; there are other shapes.")

    if found.states:
        found.leave()
    found.fit(watch=hurry, **settings)
    yield from named(found, forms, clock)


def named(found: Discovery, forms: Sequence[str] | None, clock: Clock) -> Iterator[Finding]:
    """Prune a network, name every edge of it, and yield what was found on the way."""
    start = found.eliminate().state.id
    if len(found.network.edges()) > 1:  # the best form of a single edge is the first of its rivals
        name_edges(found, forms, lambda: clock.over)
        yield finding(found if clock.over else found.refit(_LAST_REFIT if len(found.data.split.train) <= MANY_ROWS else _BRIEF_REFIT))
    for rival in rival_laws(found.go_to(start), forms, lambda: clock.over):
        with suppress(TrainingError):  # constants so large that the written formula has no value
            yield finding(rival, rival=True)
    if not any(state.parent == start for state in found.states):
        yield finding(found.go_to(start))  # there was no time to name it


def name_edges(found: Discovery, functions: Sequence[str] | None = None, stop: Callable[[], bool] = lambda: False) -> None:
    """Snap every learned edge, the surest first; then ask each edge again, now that the others are named.

    The surest edge is the one whose form costs the refitted model least. Splines beside a form blur the choice (a steep tanh passes for an
    exponential); once everything is named, the error of the right form falls by orders of magnitude, so every name is put to the test again.
    """
    surest: dict[Edge, float] = {}
    for edge in found.network.edges(*LEARNED):
        top = None if stop() else _first_allowed(found.candidates(edge, library=functions))
        surest[edge] = np.inf if top is None or top.rmse_validation is None else top.rmse_validation
    for edge in sorted(surest, key=lambda edge: (surest[edge], edge)):
        top = None if stop() else _first_allowed(found.candidates(edge, library=functions))
        if top is not None:
            found.snap(edge, top.name)
    if not found.network.edges(*LEARNED):
        revise(found, functions, stop)


def revise(found: Discovery, functions: Sequence[str] | None = None, stop: Callable[[], bool] = lambda: False) -> None:
    """Ask every snapped edge again and change its form where another one lowers the error of the whole model clearly."""
    edges = found.network.edges("snapped")
    if len(edges) < 2:
        return
    for edge in edges:
        if stop() or found.metrics.rmse_validation < _EXACT:
            return
        top = _first_allowed(found.candidates(edge, library=functions))
        present = found.network.symbolic_edge(edge)
        if top is None or top.rmse_validation is None or (present is not None and top.name == present.form.name):
            continue
        if top.rmse_validation < _CLEARLY * found.metrics.rmse_validation:
            found.snap(edge, top.name)


def _first_allowed(choices: tuple[Choice, ...]) -> Choice | None:
    return next((choice for choice in choices if choice.refitted), None)
