"""The portfolio: short runs with small sets of operators; the better half goes on, twice as long, until one is left, and then all begin again with other seeds.

    15 generations     + - * /     with sqrt     with exp     with log     with sin, cos     with powers     ...
    30 generations                 with sqrt     with exp                  with sin, cos                     ...
    60 generations                               with exp                  with sin, cos
    120 generations                              with exp

Everything is fixed by the seed; whoever asked ends the process when the time is over.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

import numpy as np

from workbench.expression import Expression, Number, Symbol, complexity, free_constants, mul, substitute, symbols
from workbench.search.native.judging.polishing import Rows
from workbench.search.operon.evolution import LONGEST, Setup, evolved
from workbench.search.problem import Proposal, SearchProblem
from workbench.search.trimming import Fitted, fitted, trimmed

ARITHMETIC = ("Add", "Sub", "Mul", "Div")
PORTFOLIO: tuple[tuple[str, ...], ...] = (  # what stands beside arithmetic, plainest first
    ("Square",),
    ("Exp",),
    ("Sqrt", "Square"),
    ("Sin", "Cos"),
    ("Log",),
    ("Pow",),
    ("Exp", "Sin", "Cos", "Square"),
    ("Tanh", "Exp"),
    ("Sqrt", "Exp", "Log", "Square"),
    ("Asin", "Acos", "Atan", "Sqrt"),
)
WITHOUT_NAME = {"Add", "Sub", "Mul", "Div", "Square", "Pow"}  # operators that no list of allowed functions forbids
GENERATIONS = 15  # of the first runs
SEARCH_ROWS = 250  # of a run of Operon: enough to tell formulas apart, and four times as many generations as with 1000
FIT_ROWS = 500  # of the fits in float64
ROWS_PER_CONSTANT = 3
_MODERATE = (0.03, 30.0)  # sizes of a column that Operon's constants, drawn from N(0, 1), reach as they are
_FITTED, _TRIMMED = 8, 2  # formulas of a front that are fitted, and those of them that are trimmed as well, which takes ten times as long


def answers(problem: SearchProblem, settings: Mapping) -> Iterator[Proposal | str]:
    """Yield proposals and, in words, what is being done: the side of the engine that runs in its own process."""
    generator = np.random.default_rng(settings["seed"])
    order = generator.permutation(len(problem.y))
    X, y, units = _moderate(problem, _drawn(problem, order, generator))
    rows = _rows(problem, order[:FIT_ROWS])
    archive = Archive(problem.max_complexity)
    for _ in itertools.count() if settings["rounds"] is None else range(settings["rounds"]):
        going_on, generations = allowed(problem.functions), GENERATIONS
        while going_on:
            least: dict[tuple[str, ...], float] = {}
            for operators in going_on:
                yield f"Operon with {_named(operators)}, {generations} generations"
                setup = Setup(operators, generations, settings["population"], int(generator.integers(2**31)), _longest(problem))
                front = [substitute(expression, units) for expression in evolved(X, y, problem.symbols, setup)]
                honest = _honest(front, rows, archive)
                least[operators] = min((error for _, error in honest), default=np.inf)
                for expression, _ in (found for found in honest if archive.takes(*found)):
                    yield Proposal(expression, "operon", (f"Operon with {_named(operators)}",))
            going_on = sorted(going_on, key=least.__getitem__)[: len(going_on) // 2]
            generations *= 2


def allowed(functions: frozenset[str] | None) -> list[tuple[str, ...]]:
    """Return the portfolio without the functions that may not be used, each set once.

    >>> allowed(frozenset({"exp"}))[:2]
    [('Add', 'Sub', 'Mul', 'Div', 'Square'), ('Add', 'Sub', 'Mul', 'Div', 'Exp')]
    """
    if functions is None:
        return [(*ARITHMETIC, *others) for others in PORTFOLIO]
    kept = [tuple(name for name in others if name in WITHOUT_NAME or name.lower() in functions) for others in PORTFOLIO]
    return [(*ARITHMETIC, *others) for others in dict.fromkeys(kept)]


class Archive:
    """The Pareto front of complexity and error among all that was proposed so far."""

    def __init__(self, max_complexity: int | None = None) -> None:
        self.max_complexity = max_complexity
        self._least: dict[int, float] = {}  # complexity -> the least error of it

    def worth_trimming(self, expression: Expression, error: float) -> bool:
        """Whether it could be taken when it has become half as long, without becoming better."""
        half = complexity(expression) // 2
        return not any(other <= half and least <= error for other, least in self._least.items())

    def takes(self, expression: Expression, error: float) -> bool:
        """Whether nothing as simple was as good; if so it is remembered."""
        size = complexity(expression)
        if self.max_complexity is not None and size > self.max_complexity:
            return False
        if any(other <= size and least <= error * (1 + 1e-9) for other, least in self._least.items()):
            return False
        self._least[size] = error
        return True


def _honest(front: list[Expression], rows: Rows, archive: Archive) -> list[Fitted]:
    """Return formulas of a front with fitted constants, shortest first: an even choice of all lengths, and the best ones trimmed as well."""
    able = [expression for expression in front if symbols(expression)]
    chosen = [able[index] for index in np.unique(np.round(np.linspace(0, len(able) - 1, _FITTED)).astype(int))] if able else []
    results = [result for expression in chosen if (result := fitted(expression, rows)) is not None and _borne(result[0], rows)]
    best = sorted((result for result in results if archive.worth_trimming(*result)), key=lambda result: result[1])[:_TRIMMED]
    return sorted([*results, *(trimmed(result, rows) for result in best)], key=lambda result: complexity(result[0]))


def _borne(expression: Expression, rows: Rows) -> bool:
    """Whether there are enough rows for the constants of a formula: with a handful of rows a long one fits whatever they are."""
    return ROWS_PER_CONSTANT * len(free_constants(expression)) <= len(rows.y)


def _drawn(problem: SearchProblem, order: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return the rows for Operon, which knows no weights: a row with a large weight is drawn the more likely."""
    if problem.weights is None:
        return order[:SEARCH_ROWS]
    count = min(SEARCH_ROWS, int(np.count_nonzero(problem.weights > 1e-6 * problem.weights.max())))
    return generator.choice(len(problem.y), count, replace=False, p=problem.weights / problem.weights.sum())


def _moderate(problem: SearchProblem, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, dict[str, Expression]]:
    """Return the rows with huge and tiny columns divided by a power of two, and what each symbol then stands for."""
    X, y, units = problem.X[rows].copy(), problem.y[rows], {}
    for index, name in enumerate(problem.symbols):
        unit = _unit(X[:, index])
        if unit != 1.0:
            X[:, index] /= unit
            units[name] = mul(Number(1 / unit), Symbol(name))
    return X, y / _unit(y), units


def _unit(column: np.ndarray) -> float:
    size = float(np.sqrt(np.mean(column**2)))
    if size == 0 or _MODERATE[0] <= size <= _MODERATE[1]:
        return 1.0
    return float(2.0 ** np.round(np.log2(size)))


def _rows(problem: SearchProblem, which: np.ndarray) -> Rows:
    weights = np.ones(len(problem.y)) if problem.weights is None else problem.weights / problem.weights.mean()
    columns = {name: np.ascontiguousarray(problem.X[which, index]) for index, name in enumerate(problem.symbols)}
    return Rows(columns, problem.y[which], np.sqrt(weights[which]))


def _longest(problem: SearchProblem) -> int:
    """Return how many nodes a tree may have: no more than rows, and half as many again as a formula that is written down, for binary operators."""
    allowed_nodes = LONGEST if problem.max_complexity is None else problem.max_complexity * 3 // 2
    return max(5, min(LONGEST, allowed_nodes, len(problem.y)))


def _named(operators: tuple[str, ...]) -> str:
    return "+ - * / " + " ".join(name.lower() for name in operators if name not in ARITHMETIC)
