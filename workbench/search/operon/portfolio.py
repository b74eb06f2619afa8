"""The portfolio: short runs with small sets of operators, again and again, each round twice as long, always in the same order.

    round 1      + - * /     with sqrt     with exp     with log     with sin, cos     with powers     ...      15 generations each
    round 2      the same with other seeds and 30 generations, and so on up to 120

Everything is fixed by the seed; whoever asked ends the process when the time is over.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

import numpy as np

from workbench.expression import Expression, complexity, free_constants, mul, substitute
from workbench.expression.tree import Number, Symbol
from workbench.formula.fitting import Sample
from workbench.search.operon.evolution import LONGEST, Setup, evolved
from workbench.search.problem import Proposal, SearchProblem
from workbench.search.trimming import trimmed

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
FIRST_GENERATIONS, MOST_GENERATIONS = 15, 120
SEARCH_ROWS = 250  # of a run of Operon: enough to tell formulas apart, and four times as many generations as with 1000
FIT_ROWS = 2000  # of the fits in float64
_MODERATE = (0.03, 30.0)  # sizes of a column that Operon's constants, drawn from N(0, 1), reach as they are
_TRIMMED = 12  # formulas of a front that are worth a fit


def answers(problem: SearchProblem, settings: Mapping) -> Iterator[Proposal | str]:
    """Yield proposals and, in words, what is being done: the side of the engine that runs in its own process."""
    generator = np.random.default_rng(settings["seed"])
    order = generator.permutation(len(problem.y))
    X, y, units = _moderate(problem, order[:SEARCH_ROWS])
    sample = _sample(problem, order[:FIT_ROWS])
    archive = Archive(problem.max_complexity)
    rounds = itertools.count() if settings["rounds"] is None else range(settings["rounds"])
    for turn in rounds:
        generations = min(MOST_GENERATIONS, FIRST_GENERATIONS * 2**turn)
        for operators in allowed(problem.functions):
            yield f"Operon with {_named(operators)}, {generations} generations"
            setup = Setup(operators, generations, settings["population"], int(generator.integers(2**31)), _longest(problem))
            for expression in _worth_a_fit(evolved(X, y, problem.symbols, setup), sample, units):
                result = trimmed(expression, sample, archive.worth_trimming)
                if result is not None and archive.takes(*result):
                    yield Proposal(result[0], "operon", (f"Operon with {_named(operators)}",))


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


def _worth_a_fit(front: list[Expression], sample: Sample, units: Mapping[str, Expression]) -> list[Expression]:
    """Return the formulas of a front in the columns' own units: the longest, which fit best, and an even choice of the shorter ones."""
    with_constants = [expression for expression in front if not isinstance(expression, Number)]
    chosen = np.unique(np.round(np.linspace(0, len(with_constants) - 1, _TRIMMED)).astype(int)) if with_constants else []
    return [substitute(with_constants[index], units) for index in chosen if len(free_constants(with_constants[index])) < len(sample.y)]


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


def _sample(problem: SearchProblem, rows: np.ndarray) -> Sample:
    weights = np.ones(len(problem.y)) if problem.weights is None else problem.weights / problem.weights.mean()
    columns = {name: np.ascontiguousarray(problem.X[rows, index]) for index, name in enumerate(problem.symbols)}
    return Sample(columns, problem.y[rows], np.sqrt(weights[rows]), definitions={})


def _longest(problem: SearchProblem) -> int:
    """Return how many nodes a tree may have: a formula that is short when written down may need half as many again in binary operators."""
    return LONGEST if problem.max_complexity is None else min(LONGEST, max(5, problem.max_complexity * 3 // 2))


def _named(operators: tuple[str, ...]) -> str:
    return "+ - * / " + " ".join(name.lower() for name in operators if name not in ARITHMETIC)
