"""What the search engines propose, as findings: formulas become networks, are fitted again, certified, and judged on checked rows.

An engine works in the columns' own units. Where the target is seen as its logarithm, an error counts by its share of the value: the rows get
the weights that go with it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workbench.dataset import Dataset
from workbench.discovery.autopilot.findings import LAW, Finding, finding
from workbench.discovery.discovery import Discovery
from workbench.discovery.library import allowed_functions
from workbench.exceptions import WorkbenchError
from workbench.expression import Expression, complexity, evaluate, fold, free_constants, walk
from workbench.expression.description import NATS_PER_NODE, description, is_logarithm, nearly_as_short
from workbench.formula.dimensions import dimension, is_of, loosened, vectors
from workbench.table import is_constant

if TYPE_CHECKING:
    from workbench.search import Dimensions, Proposal, SearchProblem

_MOST_ADOPTED, _MOST_NEAR = 12, 48  # proposals that become networks
_MOST_ROWS = 10_000
_ALIKE = 0.1  # of what one of them misses, by which two formulas that say the same may differ
_EXACT = 1e-9  # of the spread: below it a formula is not an approximation


def search_problem(
    data: Dataset, functions: Sequence[str] | None = None, max_complexity: int | None = None, group: int | None = None
) -> SearchProblem | None:
    """Return what an engine is given of a dataset, or of one group of its rows; None where no whole formula can be searched.

    That is for classes, several targets, and all groups at once, which have constants of their own.
    """
    from workbench.search import SearchProblem

    if data.task != "regression" or len(data.targets) > 1 or (data.groups is None) != (group is None):
        return None
    train, checked = (
        _sampled(rows if group is None else rows[data.groups[rows] == group]) for rows in (data.split.train, data.split.validation)
    )
    weights = data.seen_weights
    if data.targets[0].name in data.transforms:
        weights = (np.ones(len(data.y)) if weights is None else weights) / data.y[:, 0] ** 2
    return SearchProblem(
        X=data.X[train],
        y=data.y[train, 0],
        symbols=tuple(column.symbol for column in data.features),
        weights=None if weights is None else weights[train],
        X_checked=data.X[checked] if len(checked) else None,
        y_checked=data.y[checked, 0] if len(checked) else None,
        units=tuple(column.unit or None for column in data.features),
        target_unit=data.targets[0].unit or None,
        dimensions=_dimensions(data),
        functions=allowed_functions(functions),
        max_complexity=max_complexity,
    )


def _dimensions(data: Dataset) -> Dimensions | None:
    """Return what the columns of a dataset measure, those too that are no inputs as they do not vary; None where no unit says anything.

    A date counts from a day that somebody chose: like a temperature in °C it is in no ratio to anything.
    """
    from workbench.search import Dimensions

    inputs = [None if made.how == "date" else made.column.unit or None for made in data.inputs]
    table, used = data.table, {made.source for made in data.inputs} | {column.name for column in data.targets}
    alike = [name for name in table.units if name not in used and table.column(name).kind == "number" and is_constant(table.values[name])]
    target, *known = vectors([data.targets[0].unit or None, *inputs, *(table.units[name] for name in alike)])
    if not target and not any(filter(None, known)):
        return None
    return Dimensions(tuple(known[: len(inputs)]), target, tuple(own for own in known[len(inputs) :] if own is not None))


def _sampled(rows: np.ndarray) -> np.ndarray:
    """Return at most so many rows as a search can use; the verdict is on all of them."""
    return rows if len(rows) <= _MOST_ROWS else np.sort(np.random.default_rng(0).choice(rows, _MOST_ROWS, replace=False))


@dataclass(frozen=True, eq=False)
class _Weighed:
    """A proposal, its mean square error in units of the spread, and the description length of the rows by it."""

    proposal: Proposal
    error: float
    nats: float

    @property
    def exact(self) -> bool:
        return self.error < _EXACT**2

    def is_near(self, shortest: _Weighed) -> bool:
        """Whether it is nearly as short a description as the shortest."""
        fitted, of_shortest = (len(free_constants(each.proposal.expression)) for each in (self, shortest))
        return self.nats <= shortest.nats + nearly_as_short(fitted, of_shortest)


class Collected:
    """The proposals of engines for one problem: those that no simpler one beats, also among those that fit the units, and those nearly as short."""

    def __init__(self, problem: SearchProblem) -> None:
        self.problem = problem
        self.all: list[Proposal] = []
        self._best: dict[tuple[int, bool], _Weighed] = {}  # by complexity, and whether it does not fit the units
        self._near: dict[str, _Weighed] = {}  # by error: the nearly shortest descriptions
        self._units = {symbol: dimension(unit) for symbol, unit in zip(problem.symbols, problem.units)}
        self._columns = dict(zip(problem.symbols, problem.X.T, strict=True))
        self._checked = {} if problem.X_checked is None else dict(zip(problem.symbols, problem.X_checked.T, strict=True))
        mean = np.average(problem.y, weights=problem.weights)
        self._spread = float(np.average((problem.y - mean) ** 2, weights=problem.weights))

    @property
    def exact(self) -> bool:
        """Whether a proposal has no error but that of rounding."""
        return any(each.exact for each in self._best.values())

    @property
    def error(self) -> float:
        """What the shortest description leaves of the spread of the rows, as a root mean square; infinite where there is none."""
        shortest = min(self._best.values(), key=lambda each: each.nats, default=None)
        return np.inf if shortest is None else float(np.sqrt(shortest.error))

    @property
    def shortest_exact(self) -> float:
        """The complexity of the shortest proposal without error; infinite where there is none."""
        return min((size for (size, _), each in self._best.items() if each.exact), default=np.inf)

    def take(self, proposal: Proposal) -> bool:
        """Keep a proposal if it is the shortest description of the rows among those of its complexity; return whether it is now that of all."""
        error = self._error(proposal)
        with np.errstate(all="ignore"):
            checked = not self._checked or np.isfinite(evaluate(proposal.expression, self._checked)).all()
        self.all.append(proposal)
        kind = complexity(fold(proposal.expression)), not is_of(loosened(proposal.expression), self._units, dimension(self.problem.target_unit))
        if not (np.isfinite(error) and checked):
            return False
        weighed = _Weighed(proposal, error, self._nats(proposal.expression, error))
        self._keep_near(weighed)
        if kind in self._best and weighed.nats >= self._best[kind].nats:
            return False
        self._best[kind] = weighed
        return self.front[0] is proposal

    def _keep_near(self, weighed: _Weighed) -> None:
        """Remember a proposal that is nearly the shortest description, once in however many words it came."""
        alike = _alike(weighed.error)
        if alike not in self._near or weighed.nats < self._near[alike].nats:
            self._near[alike] = weighed
        shortest = min(self._near.values(), key=lambda each: each.nats)
        self._near = {alike: each for alike, each in self._near.items() if each.is_near(shortest)}

    def _error(self, proposal: Proposal) -> float:
        """Return the mean square error of a proposal in units of the spread."""
        with np.errstate(all="ignore"):
            values = np.broadcast_to(evaluate(proposal.expression, self._columns), self.problem.y.shape)
            return float(np.average((values - self.problem.y) ** 2, weights=self.problem.weights)) / (self._spread or 1.0)

    def as_short(self, but: Collection[int]) -> list[Proposal]:
        """Return the proposals that are as short a description as the shortest, less than a node apart, but for those of some ids, in whatever words."""
        if self.exact or not self._near:
            return []
        said = {_alike(self._error(each)) for each in self.all if id(each) in but}
        least = min(each.nats for each in self._near.values())
        return [each.proposal for alike, each in self._near.items() if alike not in said and each.nats <= least + NATS_PER_NODE]

    def _nats(self, expression: Expression, error: float) -> float:
        return description(expression, len(self.problem.y)) + 0.5 * len(self.problem.y) * float(np.log(error + _EXACT**2))

    def doubt(self) -> None:
        """Forget proposals without error, which did not hold as networks; others of their length take their places."""
        while self.exact:
            doubted = {id(each.proposal) for each in self._best.values() if each.exact}
            kept, self.all, self._best, self._near = [each for each in self.all if id(each) not in doubted], [], {}, {}
            for each in kept:
                self.take(each)

    def starts(self, expression: Expression) -> int:
        """Return from how many different starts, of whichever engine, proposals came that say the same on the rows as an expression.

        That is, with a difference that is small beside what the expression misses.
        """
        with np.errstate(all="ignore"):
            values = np.broadcast_to(evaluate(expression, self._columns), self.problem.y.shape)
            missed = max(float(np.mean((values - self.problem.y) ** 2)), _EXACT**2 * self._spread)
            alike = {
                (proposal.origin, proposal.path)
                for proposal in self.all
                if np.mean((np.broadcast_to(evaluate(proposal.expression, self._columns), values.shape) - values) ** 2) <= _ALIKE**2 * missed
            }
        return len(alike)

    @property
    def front(self) -> list[Proposal]:
        """The proposals that none of the same length or shorter beats, the shortest description of the rows first; not more than can be adopted.

        Where the shortest does not fit the units, those that do and are nearly as short are among them. So are some that are nearly as short and as
        long as another: rows that are held back may prefer them. Where there is one without error, nothing else is near.
        """
        kept = self._unbeaten(sorted(self._best))
        of_units = self._unbeaten(sorted(kind for kind in self._best if not kind[1]))
        kept += [each for each in of_units if each not in kept and each.is_near(min(kept, key=lambda own: own.nats))]
        kept = sorted(kept, key=lambda each: each.nats)[:_MOST_ADOPTED]
        near = [] if self.exact else sorted((each for each in self._near.values() if each not in kept), key=lambda each: each.nats)
        return [each.proposal for each in sorted([*kept, *near[:_MOST_NEAR]], key=lambda each: each.nats)]

    def _unbeaten(self, kinds: Iterable[tuple[int, bool]]) -> list[_Weighed]:
        """Return the proposals of some kinds that none before them beats: in error, or as a description of the rows."""
        kept: list[_Weighed] = []
        least, shortest = np.inf, np.inf
        for each in (self._best[kind] for kind in kinds):
            if (each.error < least * (1.0 - 1e-9) and not least < LAW**4) or each.nats < shortest:
                kept.append(each)
                least, shortest = min(least, each.error), min(shortest, each.nats)
        return kept


def _alike(error: float) -> str:
    """Return what proposals have in common that say the same in other words."""
    return f"{error:.6g}"


def adopted(found: Discovery, proposals: Iterable[Proposal], stop: Callable[[], bool], rival: bool = False) -> Iterator[Finding]:
    """Make a network of every proposal, each a branch of its own, and yield it as a finding.

    A rival that was bent into a logarithm when all groups were fitted is none: the logarithm is in the book as well.
    """
    for proposal in proposals:
        try:
            each = finding(found.leave().suppose(proposal.expression, proposal.origin), rival, proposal.named)
        except WorkbenchError:
            continue  # no finite value on a row that the engine did not see
        bent = rival and any(is_logarithm(node) for output in each.formula.outputs for node in walk(output.expression))
        if not bent and np.isfinite(each.error):  # it has a value on every row that is checked
            yield each
        if stop():
            return
