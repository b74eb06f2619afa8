"""The autopilot: the moves a person would make, made by the machine.

    search for whole formulas (proposals.py): what the engine proposes becomes a network; an exact law ends the search
    choose scales (scales.py): values or logarithms
    for every shape, simplest first:  fit -> eliminate -> snap edge by edge, each form judged by the refitted whole model -> refit
    beside the simplest shape: the rival laws that these data cannot tell from it (rivals.py)

Every path is kept as a branch of one discovery, so that it can be opened, stepped through, undone and continued. The formula picked is the
shortest description of the checked rows (findings.py); the verdict says what that is worth (verdict.py).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from workbench.dataset import Dataset
from workbench.discovery import known as known_part
from workbench.discovery.choices import Choice
from workbench.discovery.discovery import Discovery
from workbench.discovery.findings import LAW, Finding, finding
from workbench.discovery.front import concluded
from workbench.discovery.library import allowed_forms
from workbench.discovery.proposals import adopted
from workbench.discovery.rivals import rival_laws
from workbench.discovery.scales import fewer_rows, suggest_transforms
from workbench.discovery.searching import Limits, Search
from workbench.exceptions import DiscoveryError, SnapError, TrainingError
from workbench.networks import LEARNED, Edge
from workbench.training import FitProgress

if TYPE_CHECKING:
    from workbench.search import Proposal

Watcher = Callable[[float, str], "bool | None"]
Listener = Callable[[Discovery, Finding], None]

_FIRST_LOOK, _SEARCH, _CONCLUDE = 0.25, 0.7, 0.9  # shares of the time: when there may be a law already, when curves are named, when the end is near
_LEAST_SCATTER = 1e-3
_CONCLUSION = 0.5  # seconds that a verdict takes
_NEWS_EVERY, _MOST_LOOKS = 2.0, 20  # seconds between two looks at a search that somebody listens to, and how many there are at most
_TOLD_EVERY = 0.2  # seconds between two words to the watcher
_EXACT = 1e-11  # unitless error that only rounding leaves
_CLEARLY = 0.7  # another form must lower the error to this share to take a named edge over
_ROWS_PER_EDGE = 5
_LAST_REFIT, _BRIEF_REFIT, _MANY_ROWS = 200, 20, 20_000  # steps when everything is named; of many rows each takes long


class _Clock:
    """The time there is, and the watcher, who is told how it passes and may end it."""

    def __init__(self, budget: float, watch: Watcher | None) -> None:
        self.budget, self._start, self._watch = budget, time.monotonic(), watch
        self._words, self._told, self.stopped = "", -math.inf, False

    def say(self, words: str) -> None:
        """Tell what is being done."""
        self._words = words
        self._tell()

    def _tell(self) -> None:
        self._told = time.monotonic()
        if self._watch is not None and self._watch(self.share, self._words):
            self.stopped = True

    @property
    def spent(self) -> float:
        return time.monotonic() - self._start

    @property
    def share(self) -> float:
        """How much of the budget is spent; at most 0.99, as the last word is not said yet."""
        return min(self.spent / self.budget, 0.99)

    def past(self, share: float) -> bool:
        """Whether more than a share of the time is spent, or no more is wanted; the watcher is told now and then."""
        if time.monotonic() - self._told > _TOLD_EVERY:
            self._tell()
        return self.stopped or self.share > share

    @property
    def over(self) -> bool:
        """Whether it is time to conclude, which takes a moment itself."""
        return self.past(min(_CONCLUDE, 1.0 - _CONCLUSION / self.budget))


def discover(  # noqa: PLR0913, PLR0917  the public face: each keyword is one decision that a person can take
    data: Dataset | Discovery,
    time_budget: float = 60.0,
    random_state: int = 0,
    functions: Sequence[str] | None = None,
    max_complexity: int | None = None,
    hidden_layer_sizes: tuple[int, ...] | None = None,
    known: str | None = None,
    scales: Literal["auto", "given"] = "auto",
    watch: Watcher | None = None,
    listen: Listener | None = None,
) -> Discovery:
    """Search for the law behind a dataset.

    Parameters
    ----------
    data : the dataset; or a discovery, whose present network is kept then: its locked edges stay, the others are pruned and named
    time_budget : seconds; the sequence of tries is fixed by the seed, time only cuts it
    random_state : seed of every fit
    functions : the only functions that a law may use, such as ("exp", "log"); sums, products and powers are always allowed (library.py)
    max_complexity : the largest complexity of a formula that may be picked
    hidden_layer_sizes : try this shape only
    known : a part of the law, with a ? for the rest, such as "3*a + ?" or "exp(-b)*?"; the search fills in the ?
    scales : "auto" sees columns as their logarithm where they clearly live there, unless the dataset has transforms; "given" leaves them
    watch : called with (fraction of the budget, words), some times a second; where it returns True the search ends, and what there is is concluded
    listen : called with every formula as it is found, while the discovery stands at its state; it may look, and must leave the discovery as it is

    Returns
    -------
    Discovery with `verdict`, `pareto` (formulas, simplest first) and the picked formula's state as the present one; its `data` is the
    dataset with the scales that were chosen
    """
    if not time_budget > 0:
        raise DiscoveryError(f"time_budget={time_budget}: give seconds above 0, such as 60.")
    forms = allowed_forms(functions)
    clock = _Clock(time_budget, watch)
    if isinstance(data, Discovery):
        return _within_network(data, _Bounds(forms, max_complexity, hidden_layer_sizes, known), clock, random_state, listen)
    part = None if known is None else known_part.read(known, data)
    search = Search(data, Limits(functions, max_complexity, hidden_layer_sizes, part), random_state, clock.say)
    try:
        clock.say("searching for whole formulas")
        looks = _looks(time_budget, often=listen is not None)
        search.run(lambda: clock.past(looks[0]))
        found = Discovery(data if search.exact else _scaled(data, search, clock, scales, random_state))
        heard = _Heard(found, listen)
        heard.of(adopted(found, search.news(), lambda: clock.over))
        for share in (share for share in looks[1:] if share <= _FIRST_LOOK):
            search.run(lambda share=share: clock.past(share))
            heard.of(adopted(found, search.news(), lambda: clock.over))
        flexible = np.inf if search.exact or hidden_layer_sizes else _flexible(found, clock, random_state)
        if not heard.findings or not (search.exact or _settled(found, heard.findings, flexible, max_complexity)):
            clock.say("searching further")
            for share in (share for share in looks if share > _FIRST_LOOK):
                search.run(lambda share=share: clock.past(share))
                heard.of(adopted(found, search.news(), lambda: clock.over))
            if part is None:  # a network of curves knows of no part
                heard.of(_shaped(found, hidden_layer_sizes, forms, clock, random_state, bool(heard.findings)))
            heard.of(adopted(found, search.news(), lambda: clock.over))
    finally:
        search.end()
    flexible = min((state.metrics.rmse_validation for state in found.states if not state.metrics.n_symbolic), default=flexible)
    if not heard.findings and (clock.stopped or part is not None):
        raise DiscoveryError(
            "The search was stopped before it had found a formula." if clock.stopped
            else f"No law was found that goes with {known}. Give the search more time, or fewer things that are known."
        )  # fmt: skip
    best = concluded(found, heard.findings, flexible, max_complexity)
    if best.verdict == "law":
        best.reasons += search.agreement(best.formula(nice=False))
    return best


@dataclass(frozen=True)
class _Bounds:
    """What was asked of a search within a network; a shape and a known part go with a search from scratch only."""

    forms: Sequence[str] | None
    max_complexity: int | None
    hidden_layer_sizes: tuple[int, ...] | None
    known: str | None


def _within_network(start: Discovery, bounds: _Bounds, clock: _Clock, random_state: int, listen: Listener | None) -> Discovery:
    """Prune and name the edges of the present network that are not locked; the start is left as it is."""
    if bounds.hidden_layer_sizes is not None or bounds.known is not None:
        raise DiscoveryError("discover(): within a network there is no other shape and no known part. Lock the edges that are known, or give the dataset.")
    found = start.branch()
    found.front, begun = (), found.state.id
    heard = _Heard(found, listen)
    clock.say("pruning and naming what is not locked")
    heard.of(_named(found, bounds.forms, clock))
    if not heard.findings:
        heard.of(iter([finding(found.go_to(begun))]))
    return concluded(found, heard.findings, _flexible(found, clock, random_state), bounds.max_complexity)


def judged(data: Dataset, proposals: Sequence[Proposal], random_state: int = 0) -> Discovery:
    """Judge formulas that come from elsewhere as the autopilot judges its own: verdict, front and pick are as `discover` returns them.

    Raises
    ------
    DiscoveryError : none of them can be used on these rows
    """
    found = Discovery(data)
    findings = list(adopted(found, proposals, lambda: False))
    if not findings:
        raise DiscoveryError("None of these formulas has a finite value on every row. Are they about these columns, in these units?")
    return concluded(found, findings, _flexible(found, _Clock(math.inf, None), random_state), None)


def _looks(time_budget: float, *, often: bool) -> tuple[float, ...]:
    """Return the shares of the time at which the search for whole formulas is looked at: more often where somebody waits for news.

    >>> _looks(60.0, often=False), _looks(20.0, often=True)
    ((0.25, 0.7), (0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7))
    """
    if not often:
        return (_FIRST_LOOK, _SEARCH)
    step = max(_NEWS_EVERY / time_budget, _SEARCH / _MOST_LOOKS)
    between = [round(step * k, 9) for k in range(1, math.ceil(_SEARCH / step)) if step * k < _SEARCH]
    return tuple(sorted({*between, _FIRST_LOOK, _SEARCH}))


class _Heard:
    """What was found, and who is told of it."""

    def __init__(self, found: Discovery, listen: Listener | None) -> None:
        self.findings: list[Finding] = []
        self._found, self._listen = found, listen

    def of(self, findings: Iterable[Finding]) -> None:
        """Take in findings as they are made."""
        for each in findings:
            self.findings.append(each)
            if self._listen is not None:
                self._listen(self._found, each)


def _scaled(data: Dataset, search: Search, clock: _Clock, scales: str, random_state: int) -> Dataset:
    """Return the data on the scales that were chosen, if that was asked for; a target seen as its logarithm is searched anew."""
    if scales != "auto" or data.transforms:
        return data
    clock.say("choosing scales")
    data = data.with_transforms(suggest_transforms(data, random_state))
    if data.targets[0].name in data.transforms:
        search.on(data)
        search.run(lambda: clock.past(2 * _FIRST_LOOK))
    return data


def _flexible(found: Discovery, clock: _Clock, random_state: int) -> float:
    """Fit a network that bends to most things, to compare with, and return its error on checked rows; of very many rows some are enough.

    Of one input it is also made as short as it can be: there a formula may be longer than the curve that it names (verdict.py).
    """
    few = fewer_rows(found.data) if len(found.data.split.train) > _MANY_ROWS else found.data
    compared = found.leave() if few is found.data else Discovery(few)
    try:
        fitted = compared.fit(lambda _: clock.over, hidden_layer_sizes=(5,), sparsity=1e-4, random_state=random_state)
    except TrainingError:
        return np.inf
    error = fitted.metrics.rmse_validation
    if len(few.inputs) == 1 and _ROWS_PER_EDGE * len(fitted.network.edges()) <= len(few.split.train) and not clock.over:
        fitted.eliminate()
    return error


def _settled(found: Discovery, findings: list[Finding], flexible: float, max_complexity: int | None) -> bool:
    """Whether the formula that would be picked now is a law already: nothing is left in the rows that more search could explain.

    Hardly any measurement scatters by less than a thousandth of its spread. A formula that misses so little, and something, imitates the law
    more likely than it is one; more time will show.
    """
    if not findings or concluded(found, findings, flexible, max_complexity).verdict != "law":
        return False
    missed = found.metrics.rmse_validation
    return missed <= LAW or missed > _LEAST_SCATTER


def _shaped(
    found: Discovery,
    hidden_layer_sizes: tuple[int, ...] | None,
    forms: Sequence[str] | None,
    clock: _Clock,
    random_state: int,
    known: bool,
) -> Iterator[Finding]:
    """Fit networks of several shapes and name their edges, until one is exact or time is over; `known` says whether there is a formula already."""
    exact = False
    for settings in _shapes(found.data, hidden_layer_sizes):
        if clock.stopped or (known and (clock.over or exact)):
            return
        clock.say(f"trying the shape {settings['hidden_layer_sizes']}")
        try:
            for each in _attempt(found, {**settings, "random_state": random_state}, forms, clock, wait=not known):
                yield each
                known, exact = True, exact or (each.error < LAW**2 and not each.formula.definitions)
        except (TrainingError, SnapError):
            continue


def _shapes(data: Dataset, wanted: tuple[int, ...] | None) -> list[dict[str, Any]]:
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
    return [settings for n_edges, settings in shapes if _ROWS_PER_EDGE * n_edges <= n_rows]


def _attempt(found: Discovery, settings: dict[str, Any], forms: Sequence[str] | None, clock: _Clock, wait: bool) -> Iterator[Finding]:
    """Fit one shape, name every edge of it, and yield what was found on the way; unless one must wait, a fit ends when time is over."""

    def hurry(_: FitProgress) -> None:
        if (clock.over and not wait) or clock.stopped:
            raise TrainingError("Time is over; there are other shapes.")

    if found.states:
        found.leave()
    found.fit(watch=hurry, **settings)
    yield from _named(found, forms, clock)


def _named(found: Discovery, forms: Sequence[str] | None, clock: _Clock) -> Iterator[Finding]:
    """Prune a network, name every edge of it, and yield what was found on the way."""
    start = found.eliminate().state.id
    if len(found.network.edges()) > 1:  # the best form of a single edge is the first of its rivals
        name_edges(found, forms, lambda: clock.over)
        yield finding(found if clock.over else found.refit(_LAST_REFIT if len(found.data.split.train) <= _MANY_ROWS else _BRIEF_REFIT))
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
