"""The order in which the autopilot goes about its work.

    search for whole formulas; an exact law ends the search
    choose scales
    of one or two inputs: the laws of textbooks, of which the front keeps what the rows do not clearly refuse (search/textbook.py)
    where a few rows are far off: a law that all the others follow
    for every shape, simplest first:  fit -> eliminate -> snap edge by edge -> refit
    beside the simplest shape: its rivals

The formula picked is the shortest description of the checked rows; the verdict says what that is worth.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from workbench.dataset import Dataset
from workbench.discovery.autopilot import known as known_part
from workbench.discovery.autopilot import outliers
from workbench.discovery.autopilot.course import Clock, Heard, Listener, Watcher
from workbench.discovery.autopilot.findings import LAW, Finding, finding, has_fitted_terms
from workbench.discovery.autopilot.front import concluded
from workbench.discovery.autopilot.proposals import adopted, search_problem
from workbench.discovery.autopilot.scales import fewer_rows, suggest_transforms
from workbench.discovery.autopilot.searching import Limits, Search
from workbench.discovery.autopilot.shapes import MANY_ROWS, ROWS_PER_EDGE, named, shaped, shapes_for
from workbench.discovery.discovery import Discovery
from workbench.discovery.library import allowed_forms
from workbench.exceptions import DiscoveryError, TrainingError
from workbench.expression.description import PLAIN
from workbench.search.textbook import scatters, textbook
from workbench.table import counted

if TYPE_CHECKING:
    from workbench.search import Proposal

_FIRST_LOOK, _ADOPTED, _SEARCH, _LAST = 0.25, 0.15, 0.7, 0.9  # shares of the time: when there may be a law already, for its rivals, when curves are named, the end
_TEXTBOOKS = 0.25  # of the time at most, which goes to what textbooks say
_ASIDE = 0.85  # share of the time when rows that do not follow are not looked for any more
_ASTRAY = "the law that the others follow does not hold there"  # why rows are left out
_AT_ONCE = 1.5  # seconds of search before the laws of textbooks are tried, where rows are few and scatter
_HARDLY = 2e-3  # of the spread: few rows of which a formula leaves less do not scatter
_UNDISTURBED = 6.0  # seconds of search before it waits for anything
_BRIEFLY = 3  # formulas that are looked at before the search goes on
_LEAST_SCATTER = 1e-3
_NEWS_EVERY, _MOST_LOOKS = 2.0, 20  # seconds between two looks at a search that somebody listens to, and how many there are at most


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
    clock = Clock(time_budget, watch)
    within = data if isinstance(data, Discovery) else None
    data = data if within is None else within.data
    limits = Limits(functions, max_complexity, hidden_layer_sizes, None if known is None else known_part.read(known, data))
    if within is not None:
        return _within_network(within, limits, forms, clock, random_state, listen)
    search = Search(data, limits, random_state, clock.say)
    try:
        run = _Run(search, limits, clock, random_state, _first_look(time_budget), _looks(time_budget, often=listen is not None))
        run.look(data)
        found = Discovery(data)
        heard = Heard(found, listen)
        gross = run.suspects(found, heard)  # they spoil every other step, so they come first
        if (aside := run.without(gross, found, heard)) is not None:
            return aside
        found, heard = run.taken_in(data, scales, listen)
        if not len(gross) and (aside := run.without(run.suspects(found, heard), found, heard)) is not None:
            return aside
        return run.concluded(found, heard, forms)
    finally:
        search.end()


@dataclass(frozen=True)
class _Run:
    """One search from scratch, in its stages.

    Parameters
    ----------
    search : for whole formulas; it goes on from stage to stage
    limits, random_state : what was fixed, and the seed
    clock : the time there is
    first, looks : shares of the time: when there may be a law already, and all at which the search is looked at
    """

    search: Search
    limits: Limits
    clock: Clock
    random_state: int
    first: float
    looks: tuple[float, ...]

    def look(self, data: Dataset) -> None:
        """Search until a law may have been found; where few rows scatter, for a moment: there what textbooks say comes first.

        Few rows may seem to scatter where they bend too much for a smooth curve; a formula that leaves hardly anything shows that they do not.
        """
        self.clock.say("searching for whole formulas")
        problem = search_problem(data)
        if problem is not None and scatters(problem):
            self.search.run(lambda: self.clock.past(min(_AT_ONCE / self.clock.budget, self.looks[0])))
            if self.search.error > _HARDLY:
                return
        self._search_until(self.looks[0])

    def taken_in(self, data: Dataset, scales: str, listen: Listener | None) -> tuple[Discovery, Heard]:
        """Make networks of what was found, on the scales that fit the data, and of what textbooks say; search on until the first look is over."""
        found = Discovery(data if self.search.exact else self._scaled(data, scales))
        heard = Heard(found, listen)
        self._take_in(found, heard, _LAST, 1)
        self._open_textbooks(found, heard)
        if found.data.transforms != data.transforms and found.data.targets[0].name in found.data.transforms:
            self.search.run(lambda: self.clock.past(min(self.first + _FIRST_LOOK, _SEARCH)))
        for share in [share for share in self.looks if share < self.first]:
            self._search_until(share)
            self._take_in(found, heard, share, _BRIEFLY)
        self._search_until(self.first)
        self._take_in(found, heard, self.first + _ADOPTED, _BRIEFLY)
        if self.search.exact and not any(each.error <= LAW**2 for each in heard.findings):
            self.search.doubt()
        return found, heard

    def suspects(self, found: Discovery, heard: Heard) -> np.ndarray:
        """Return rows that may not follow what the others follow: they are far from the best formula, or from any curve."""
        bound = self.limits.hidden_layer_sizes is not None or self.limits.known is not None
        if self.search.exact or bound or self.clock.past(_ASIDE):
            return np.empty(0, dtype=int)
        best = min(heard.findings, key=lambda each: each.length, default=None)
        return outliers.suspects(fewer_rows(found.data), () if best is None else found.go_to(best.state).state.networks)

    def without(self, suspected: np.ndarray, found: Discovery, heard: Heard) -> Discovery | None:
        """Return the law that all but a few rows follow, its discovery without these rows; None where there is no such law, or all rows follow."""
        if not len(suspected):
            return None
        some = fewer_rows(found.data)
        self.clock.say(f"looking without {len(suspected)} rows that are far off")
        end = min(self.clock.share + _FIRST_LOOK, _ASIDE)
        proposals = self.search.aside(some.without(suspected, "they are far off"), lambda: self.clock.past(end))
        off = outliers.off(found.data, proposals[0].expression) if proposals else ()
        if not len(off):
            return None
        rest = Discovery(found.data.without(off, _ASTRAY))
        others = heard.on(rest)
        others.of(adopted(rest, proposals, lambda: self.clock.over))
        if not others.findings:
            return None
        best = concluded(rest, others.findings, _flexible(rest, self.clock, self.random_state), self.limits.max_complexity)
        if best.verdict != "law":
            return None
        best.reasons = (f"It leaves out {counted((found.data.rows[off] + 1).tolist())}: {_ASTRAY}.", *best.reasons)
        return best

    def concluded(self, found: Discovery, heard: Heard, forms: Sequence[str] | None) -> Discovery:
        """Search on unless there is a law already, and pick the best of all."""
        shape, part = self.limits.hidden_layer_sizes, self.limits.known
        self._take_in(found, heard, self.first + 2 * _ADOPTED)
        flexible = np.inf if self.search.exact or shape else _flexible(found, self.clock, self.random_state)
        shapes = [] if part is not None else shapes_for(found.data, shape)  # a network of curves knows of no part
        if not self.search.exact and len(found.data.features) == 1:  # one curve has rivals, which are cheap to see
            heard.of(self._shaped(found, heard, shapes[:1], forms))
            shapes = shapes[1:]
        if not heard.findings or not (self.search.exact or self._settled(found, heard.findings, flexible)):
            self.clock.say("searching further")
            for share in [share for share in self.looks if share > self.first]:
                self._search_until(share)
                self._take_in(found, heard)
            heard.of(self._shaped(found, heard, shapes, forms))
            self._take_in(found, heard)
        flexible = min((state.metrics.rmse_validation for state in found.states if not state.metrics.n_symbolic), default=flexible)
        if not heard.findings and self.clock.stopped:
            raise DiscoveryError("The search was stopped before it had found a formula.")
        if not heard.findings and part is not None:
            raise DiscoveryError(f"No law was found that goes with {part.text}. Give the search more time, or fewer things that are known.")
        best = concluded(found, heard.findings, flexible, self.limits.max_complexity)
        if best.verdict == "law" and (left := self.search.unjudged):
            best.verdict, best.reasons = "approximation", (_no_time_for(left),)
        elif best.verdict == "law":
            best.reasons += self.search.agreement(best.formula(nice=False))
        return best

    def _settled(self, found: Discovery, findings: list[Finding], flexible: float) -> bool:
        """Whether there is a law already, and nothing as brief waits to be judged."""
        return not self.search.unjudged and _settled(found, findings, flexible, self.limits.max_complexity)

    def _search_until(self, share: float) -> None:
        """Search until a share of the time is over; after the last of them the engines end, for what follows needs the cores."""
        self.search.run(lambda: self.clock.past(share))
        if share == self.looks[-1]:
            self.search.leave()

    def _shaped(self, found: Discovery, heard: Heard, shapes: Sequence[dict[str, Any]], forms: Sequence[str] | None) -> Iterator[Finding]:
        return shaped(found, shapes, forms, self.clock, self.random_state, bool(heard.findings))

    def _open_textbooks(self, found: Discovery, heard: Heard) -> None:
        """Take in the laws of textbooks that describe the rows well; where a part of the law is known, or its shape, that is what binds."""
        if self.search.exact or self.limits.known is not None or self.limits.hidden_layer_sizes is not None:
            return
        end = min(self.clock.share + _TEXTBOOKS, _SEARCH)
        heard.of(adopted(found, self._from_textbooks(found.data, end), lambda: self.clock.past(end), rival=True))

    def _from_textbooks(self, data: Dataset, until: float) -> Iterator[Proposal]:
        """Yield the laws of textbooks that describe the rows well; of groups those of one after another until a share of the time is over, each law once."""
        told: set[tuple[str, ...]] = set()
        for group in (None,) if data.groups is None else range(len(data.group_labels)):
            problem = search_problem(data, self.limits.functions, self.limits.max_complexity, group)
            if problem is None or (told and self.clock.past(until)):
                return
            self.clock.say("trying the laws of textbooks")
            laws = [law for law in textbook(problem, lambda: self.clock.over) if law.path not in told]
            told |= {law.path for law in laws}  # of a temperature each stands there twice
            yield from laws

    def _take_in(self, found: Discovery, heard: Heard, until: float = _LAST, most: int | None = None) -> None:
        """Make networks of the news, at most so many, until a share of the time is over: of very many rows each takes long."""
        if not (heard.findings and self.clock.past(until)):
            heard.of(islice(adopted(found, self.search.news(), lambda: self.clock.past(until) or self.clock.over), most))

    def _scaled(self, data: Dataset, scales: str) -> Dataset:
        """Return the data on the scales that were chosen, if that was asked for; a target seen as its logarithm is searched anew."""
        if scales != "auto" or data.transforms:
            return data
        self.clock.say("choosing scales")
        data = data.with_transforms(suggest_transforms(data, self.random_state, self.search.found))
        if data.targets[0].name in data.transforms:
            self.search.on(data)
        return data


def _within_network(
    start: Discovery, limits: Limits, forms: Sequence[str] | None, clock: Clock, random_state: int, listen: Listener | None
) -> Discovery:
    """Prune and name the edges of the present network that are not locked; the start is left as it is."""
    if limits.hidden_layer_sizes is not None or limits.known is not None:
        raise DiscoveryError("discover(): within a network there is no other shape and no known part. Lock the edges that are known, or give the dataset.")
    found = start.branch()
    found.front, begun = (), found.state.id
    heard = Heard(found, listen)
    clock.say("pruning and naming what is not locked")
    heard.of(named(found, forms, clock))
    if not heard.findings:
        heard.of([finding(found.go_to(begun))])
    return concluded(found, heard.findings, _flexible(found, clock, random_state), limits.max_complexity)


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
    return concluded(found, findings, _flexible(found, Clock(math.inf, None), random_state), None)


def _no_time_for(left: int) -> str:
    others = "another formula that describes" if left == 1 else f"{left} other formulas that describe"
    return f"There was no time to judge {others} the rows as shortly. Search longer: one of them may be the law."


def _first_look(time_budget: float) -> float:
    """Return the share of the time after which there may be a law already.

    >>> _first_look(60.0), _first_look(12.0), _first_look(5.0)
    (0.25, 0.5, 0.7)
    """
    return min(max(_FIRST_LOOK, _UNDISTURBED / time_budget), _SEARCH)


def _looks(time_budget: float, *, often: bool) -> tuple[float, ...]:
    """Return the shares of the time at which the search for whole formulas is looked at: more often where somebody waits for news.

    >>> _looks(60.0, often=False), _looks(20.0, often=True)
    ((0.25, 0.7), (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7))
    """
    first = _first_look(time_budget)
    if not often:
        return tuple(sorted({first, _SEARCH}))
    step = max(_NEWS_EVERY / time_budget, _SEARCH / _MOST_LOOKS)
    between = [round(step * k, 9) for k in range(1, math.ceil(_SEARCH / step)) if step * k < _SEARCH]
    return tuple(sorted({*between, first, _SEARCH}))


def _flexible(found: Discovery, clock: Clock, random_state: int) -> float:
    """Fit a network that bends to most things, to compare with, and return its error on checked rows; of very many rows some are enough.

    Of one input it is also made as short as it can be: there a formula may be longer than the curve that it names (verdict.py).
    """
    few = fewer_rows(found.data) if len(found.data.split.train) > MANY_ROWS else found.data
    compared = found.leave() if few is found.data else Discovery(few)
    try:
        fitted = compared.fit(lambda _: clock.over, hidden_layer_sizes=(5,), sparsity=1e-4, random_state=random_state)
    except TrainingError:
        return np.inf
    error = fitted.metrics.rmse_validation
    if len(few.inputs) == 1 and ROWS_PER_EDGE * len(fitted.network.edges()) <= len(few.split.train) and not clock.over:
        fitted.eliminate()
    return error


def _settled(found: Discovery, findings: list[Finding], flexible: float, max_complexity: int | None) -> bool:
    """Whether the formula that would be picked now is a law already: nothing is left in the rows that more search could explain.

    Hardly any measurement scatters by less than a thousandth of its spread. A formula that misses so little, and something, imitates the law
    more likely than it is one, and so does a long one, or one of many inputs with fitted constants in its sums: a curved law is nearly such a sum
    where scatter hides its curvature. More time will show.
    """
    if not findings or concluded(found, findings, flexible, max_complexity).verdict != "law":
        return False
    missed, formula = found.metrics.rmse_validation, found.formula(nice=True)
    if missed <= LAW:
        return True
    return missed > _LEAST_SCATTER and formula.complexity <= PLAIN and not has_fitted_terms(formula)
