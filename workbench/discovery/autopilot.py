"""The autopilot: the moves a person would make, made by the machine.

    for every shape, simplest first:  fit -> eliminate -> snap edge by edge, each form judged by the refitted whole model -> refit

Every path is kept as a branch of one discovery, so that it can be opened, stepped through, undone and continued. The formula picked is the
simplest whose error on checked rows is as good as the best found; the verdict says what that is worth.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.dataset import Dataset
from workbench.discovery.choices import Choice
from workbench.discovery.discovery import Discovery
from workbench.exceptions import DiscoveryError, SnapError, TrainingError
from workbench.formula import Formula
from workbench.networks import Edge
from workbench.training.score import checked_errors

Watcher = Callable[[float, str], None]

_LAW = 1e-6  # unitless error below which a formula is exact for all practical purposes
_EXACT = 1e-11  # unitless error that only rounding leaves
_CLEARLY = 0.7  # another form must lower the error to this share to take a named edge over
_NOISE_RATIO = 1.1  # a law may be this much worse, in error, than the most flexible fit


@dataclass(frozen=True)
class Finding:
    """A formula and the state it was read from."""

    formula: Formula
    state: int
    error: float
    standard_error: float


class _Clock:
    def __init__(self, budget: float) -> None:
        self.budget, self._start = budget, time.monotonic()

    @property
    def spent(self) -> float:
        return time.monotonic() - self._start

    @property
    def over(self) -> bool:
        return self.spent > self.budget


def discover(
    data: Dataset,
    time_budget: float = 60.0,
    random_state: int = 0,
    functions: Sequence[str] | None = None,
    max_complexity: int | None = None,
    hidden_layer_sizes: tuple[int, ...] | None = None,
    watch: Watcher | None = None,
) -> Discovery:
    """Search for the law behind a dataset.

    Parameters
    ----------
    data : the dataset
    time_budget : seconds; the sequence of tries is fixed by the seed, time only cuts it
    random_state : seed of every fit
    functions : names of the forms that may be used; all of the library when left out
    max_complexity : the largest complexity of a formula that may be picked
    hidden_layer_sizes : try this shape only
    watch : called with (fraction of the budget, words)

    Returns
    -------
    Discovery with `verdict`, `pareto` (formulas, simplest first) and the picked formula's state as the present one
    """
    if not time_budget > 0:
        raise DiscoveryError(f"time_budget={time_budget}: give seconds above 0, such as 60.")
    found, clock, findings = Discovery(data), _Clock(time_budget), []
    flexible = np.inf
    for settings in _shapes(data, hidden_layer_sizes):
        if findings and clock.over:
            break
        if watch is not None:
            watch(min(clock.spent / time_budget, 0.99), f"trying the shape {settings['hidden_layer_sizes']}")
        start = len(found.states)
        try:
            _attempt(found, {**settings, "random_state": random_state}, functions, clock)
        except (TrainingError, SnapError):
            continue
        made = found.states[start:]
        flexible = min([flexible, *(state.metrics.rmse_validation for state in made)])
        findings.append(_finding(found))
        if findings[-1].error < _LAW**2 and not findings[-1].formula.definitions:
            break
    return _concluded(found, findings, flexible, max_complexity)


def _shapes(data: Dataset, wanted: tuple[int, ...] | None) -> list[dict[str, Any]]:
    """Return the shapes to try, simplest first."""
    n_inputs = len(data.features)
    if wanted is not None:
        return [{"hidden_layer_sizes": wanted, "sparsity": 1e-4}]
    shapes: list[dict[str, Any]] = [{"hidden_layer_sizes": ()}]
    if n_inputs > 1:
        if n_inputs <= 4:
            shapes.append({"hidden_layer_sizes": (0,), "product_nodes": ((n_inputs,),), "sparsity": 1e-4})
        shapes.append({"hidden_layer_sizes": (1,)})
    shapes.append({"hidden_layer_sizes": (5,), "sparsity": 1e-4})
    return shapes


def _attempt(found: Discovery, settings: dict[str, Any], functions: Sequence[str] | None, clock: _Clock) -> None:
    """Fit one shape and name every edge of it; leaves the discovery at the result."""
    if found.states:
        found.leave()
    found.fit(**settings)
    found.eliminate()
    name_edges(found, functions, lambda: clock.over)
    found.refit(200)


def name_edges(found: Discovery, functions: Sequence[str] | None = None, stop: Callable[[], bool] = lambda: False) -> None:
    """Snap every spline edge, the surest first; then ask each edge again, now that the others are named.

    The surest edge is the one whose form costs the refitted model least. Splines beside a form blur the choice (a steep tanh passes for an
    exponential); once everything is named, the error of the right form falls by orders of magnitude, so every name is put to the test again.
    """
    surest: dict[Edge, float] = {}
    for edge in found.network.edges("spline"):
        top = None if stop() else _first_allowed(found.candidates(edge, library=functions))
        surest[edge] = np.inf if top is None or top.rmse_validation is None else top.rmse_validation
    for edge in sorted(surest, key=lambda edge: (surest[edge], edge)):
        top = None if stop() else _first_allowed(found.candidates(edge, library=functions))
        if top is not None:
            found.snap(edge, top.name)
    if not found.network.edges("spline"):
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
        present = found.network.symbolic_edge(edge).form.name
        if top is not None and top.name != present and top.rmse_validation < _CLEARLY * found.metrics.rmse_validation:
            found.snap(edge, top.name)


def _first_allowed(choices: tuple[Choice, ...]) -> Choice | None:
    return next((choice for choice in choices if choice.refitted), None)


def _finding(found: Discovery) -> Finding:
    state = found.state
    parts = zip(state.networks, found.problems, strict=True)
    errors = np.concatenate([checked_errors(network, problem, state.roughness)[0] for network, problem in parts])
    spread = float(errors.std() / np.sqrt(len(errors)))
    return Finding(found.formula(nice=True), state.id, float(errors.mean()), spread)


def _concluded(found: Discovery, findings: list[Finding], flexible: float, max_complexity: int | None) -> Discovery:
    """Pick the simplest formula as good as the best, and say what it is worth."""
    if not findings:
        raise DiscoveryError("No shape could be fitted to these rows. Look at the notes of the dataset: are the inputs finite, is the target varied?")
    front = _pareto(findings)
    allowed = [f for f in front if max_complexity is None or f.formula.complexity <= max_complexity]
    found.front = tuple(finding.state for finding in front)
    if not allowed:
        found.verdict = "none"
        return found.go_to(front[0].state)
    best = min(allowed, key=lambda finding: finding.error)
    as_good = best.error + best.standard_error + _LAW**2
    picked = min((f for f in allowed if f.error <= as_good), key=lambda finding: finding.formula.complexity)
    found.go_to(picked.state)
    found.verdict = _verdict(picked, flexible)
    return found


def _pareto(findings: list[Finding]) -> list[Finding]:
    """Return the findings that no other one beats in both complexity and error, simplest first."""
    ordered = sorted(findings, key=lambda f: (f.formula.complexity, f.error))
    front: list[Finding] = []
    for finding in ordered:
        if not front or finding.error < front[-1].error:
            front.append(finding)
    return front


def _verdict(picked: Finding, flexible: float) -> str:
    """Say "law" when a named formula is as good as the most flexible fit, "none" when it is no better than the mean."""
    if picked.error + 2 * picked.standard_error >= 1.0:
        return "none"
    if picked.formula.definitions:
        return "approximation"
    error = picked.error**0.5
    noise = max(_NOISE_RATIO * flexible, _LAW)
    within = error <= noise or picked.error <= flexible**2 + picked.standard_error
    return "law" if within else "approximation"
