"""Laws that textbooks are made of, all fitted to a table of one or two inputs: where rows are few and scatter, a scientist wants to see them.

    c*x/(k + x)        c*exp(-r*x) + d        c/(1 + (k/x)^n)        c*exp(-((x - s)/v)^2)        ...

A search keeps the best formula of each length. Of twenty rows with two per cent of scatter several forms fit as well, and which of them is the best
is a matter of chance: the law of the field must be among what is shown, whatever was found beside it. So each is fitted here, by itself.

1 - exp(-r*x) stands here as -expm1(-r*x), and log(1 + r*x) as log1p(r*x): where constants of a sum merge freely, its two would part.

c, g, l and d stand outside: for given inner constants they are a linear fit. The inner constants are tried on a grid that the data lay out (variable
projection: Golub & Pereyra, 1973), and polished from its best places. What an inner constant is, its letter says:

    k, i  a size of x      s  a place on the axis      v  a width     r, q  a rate, 1 over a size      p  an exponent      n  one above zero
    w  a frequency, of four points a turn or more      f  a phase      b  an energy over k_B, against 1/x      h, a  the same, against 1/(x + a)      ..._z  of the second input

Of a temperature in °C or °F the laws stand in absolute temperature as well.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np
from scipy.ndimage import minimum_filter

from workbench.expression import Call, Expression, Number, Symbol, add, complexity, evaluate, fold, free_constants, parse, substitute, symbols, walk
from workbench.expression.description import NATS_PER_NODE, rarity
from workbench.formula.dimensions import SHIFTED
from workbench.search.native.judging.judge import functions_of
from workbench.search.native.judging.polishing import Rows, polished
from workbench.search.native.state import HOLE, State
from workbench.search.native.surrogate import smooth_error
from workbench.search.problem import Proposal, SearchProblem

ORIGIN = "textbook"
NEAR, LOST = 8.0, 5.0  # nats by which a law may be a longer description than the shortest, or its rows less likely than under one that is no longer
_MOST, _MOST_ROWS, _GRID_ROWS = 24, 2000, 100
_FEW_ROWS, _SCATTER = 200, 5e-3  # rows, and what a smooth curve leaves of them, of their spread, where they scatter
_BASINS = 3  # places of a grid that are polished
_ALIKE = 0.1  # of what a law misses, by which one with fewer constants that says the same may differ
_SAME = 1e-4  # the same, of one law in two notations
_EXACT = 1e-9  # of the spread

_ONE = (
    "c*x", "c*x**2", "c*x**3", "c/x", "c/x**2", "c*sqrt(x)", "c*x**p", "c*log(x)", "c*x + g*x**2", "c*x + g*x**3", "c*x**2 + g*x**3", "c*x + g/x",
    "c*x + g*sqrt(x)", "c*x + g*x**p", "c/x**12 + g/x**6", "c*sqrt(x + a)", "c/(x + a)", "c/(x + a)**2", "c*log1p(r*x)", "c/(1 + r*x)**n",
    "c*exp(-r*x)", "c*expm1(-r*x)", "c*exp(-r*x) + g*exp(-q*x)", "c*(exp(-r*x) - exp(-q*x))", "c*x*exp(-r*x)", "c*x**n*exp(-r*x)",
    "c*exp(-(x/k)**n)", "c*expm1(-(x/k)**n)", "c*x*exp(-(x/k)**2)", "c*x**2*exp(-(x/k)**2)", "c*exp(-b/x)", "c*exp(b/x)", "c*x**p*exp(-b/x)", "c*exp(-h/(x + a))",
    "c*x/(k + x)", "c/(1 + (k/x)**2)", "c/(1 + (k/x)**n)", "c/(1 + (x/k)**n)", "c*x/(k + x + x**2/i)", "c*x/((1 - x)*(1 + k*x))",
    "c/(1 + exp(-r*(x - s)))", "c*exp(-exp(-r*(x - s)))", "c*tanh(r*x)",
    "c*exp(-((x - s)/v)**2)", "c/(1 + ((x - s)/v)**2)", "c*exp(-(log(x/k)/n)**2)",
    "c*x**3/(exp(r*x) - 1)", "c*x**(-5)/(exp(b/x) - 1)", "c*(1 - exp(-r*(x - s)))**2",
    "c*sin(w*x)", "c*cos(w*x)", "c*sin(w*x + f)", "c*exp(-r*x)*sin(w*x)", "c*exp(-r*x)*cos(w*x)", "c*exp(-r*x)*sin(w*x + f)",
)  # fmt: skip
_TWO = (
    "c*x + g*z", "c*x*z", "c*x/z", "c*x**p*z**p_z", "c*x + g*x*z", "c*x + g*z + l*x*z", "c*x + g*z**2", "c*x**2 + g*z**2", "c*x**2 + g*z", "c*x*z/(x + z)",
    "c*x/(k + x) + g*z", "c*x*z/(k + x)", "c*x/(k*(1 + z/k_z) + x)", "c*x/((k + x)*(1 + z/k_z))", "c*x/(k + x*(1 + z/k_z))",
    "c*x*z/((k + x)*(k_z + z))", "c*x*z/(k*k_z + k_z*x + x*z)", "c*x*exp(-r_z*z)", "c*x**p*exp(-r_z*z)", "c*exp(-r*x)*exp(-r_z*z)", "c*exp(-r*x*z)",
    "c*expm1(-r*x*z)", "c*exp(-b_z/z)*x", "c*exp(-b_z/z)*x**p", "c*x/(1 + r_z*z)", "c*sqrt(x**2 + g*z**2)", "c*log(x) + g*log(z)", "c*log(x) + g*z",
    "c*x*(1 + r_z*z)", "c*exp(-b_z/z)", "c*x*exp(-r*x)*z",
)  # fmt: skip
_HAVE_NO_OFFSET = frozenset({"c*x + g*x**p", "c*x**3/(exp(r*x) - 1)", "c*x**(-5)/(exp(b/x) - 1)", "c*exp(-h/(x + a))", "c*x**p*exp(-b/x)", "c*exp(-b_z/z)*x**p"})
_OUTSIDE, _THERMAL = ("c", "d", "g", "l"), {"b", "p"}  # constants that are fitted linearly; inner ones for which the zero of temperature matters


@dataclass(frozen=True)
class _Fitted:
    """A law with its constants, its root mean square error, by how many nats the rows are likelier than by the mean, and how many words it takes."""

    expression: Expression
    rmse: float
    gained: float
    words: int
    title: str

    @property
    def length(self) -> float:
        return NATS_PER_NODE * self.words - self.gained


def textbook(problem: SearchProblem, stop: Callable[[], bool] = lambda: False) -> list[Proposal]:
    """Return the laws that describe the rows nearly as shortly as the best of them, best first; none where there are more inputs than two, or many rows.

    Examples
    --------
    >>> x = np.array([0.02, 0.02, 0.06, 0.06, 0.11, 0.11, 0.22, 0.22, 0.56, 0.56, 1.1, 1.1])  # Puromycin, treated: Bates & Watts (1988), A1.3
    >>> y = np.array([76.0, 47, 97, 107, 123, 139, 159, 152, 191, 201, 207, 200])
    >>> any(str(each.expression).startswith("212.68") for each in textbook(SearchProblem(x[:, None], y, ("x",))))
    True
    """
    n_rows, n_inputs = problem.X.shape
    if n_inputs not in (1, 2) or not 4 <= n_rows <= _MOST_ROWS or not np.ptp(problem.y) > 0:
        return []
    root = np.ones(n_rows) if problem.weights is None else np.sqrt(problem.weights / problem.weights.mean())
    rows = Rows(dict(zip(problem.symbols, problem.X.T, strict=True)), problem.y, root)
    fits: list[_Fitted] = []
    with np.errstate(all="ignore"):
        for law in _laws(problem):
            if stop():
                break
            fit = law.fitted(rows)
            if fit is not None and (problem.max_complexity is None or complexity(fit.expression) <= problem.max_complexity):
                fits.append(fit)
        name = math.log(2 * len(_ONE if n_inputs == 1 else _TWO))  # which law, and whether it has an offset
        return [
            Proposal(fit.expression, ORIGIN, (f"a law of textbooks, {fit.title}",), name if _has_name(fit.title) else None) for fit in _different(fits, rows)
        ]


def scatters(problem: SearchProblem) -> bool:
    """Whether the rows of one input, few enough for the textbook, are no smooth curve: then only a choice among laws is left, not an exact one."""
    if problem.X.shape[1] != 1 or len(problem.y) > _FEW_ROWS or not np.ptp(problem.X) > 0:
        return False
    curve = State(problem.X, (Symbol(problem.symbols[0]),), problem.y, np.ones(len(problem.y)), HOLE)
    return smooth_error(curve) > _SCATTER * float(np.std(problem.y))


def _different(fits: Sequence[_Fitted], rows: Rows) -> Iterator[_Fitted]:
    """Yield the fits that the rows do not clearly refuse, best first, but for those that say the same as one with fewer constants."""
    ordered = sorted(fits, key=lambda fit: fit.length)
    kept: list[tuple[np.ndarray, int]] = []
    for fit in ordered:
        lost = max(other.gained for other in fits if other.words <= fit.words) - fit.gained
        if len(kept) == _MOST or (lost > LOST and fit.length > ordered[0].length + NEAR):
            continue
        values, n_constants = evaluate(fit.expression, rows.columns) * rows.root_weights, len(free_constants(fit.expression))
        if all(np.sqrt(np.mean((values - other) ** 2)) > (_ALIKE if fewer < n_constants else _SAME) * fit.rmse for other, fewer in kept):
            kept.append((values, n_constants))
            yield fit


# ------------------------------------------------------------------------------------------------------------------ one law


@dataclass(frozen=True)
class _Law:
    """A law of some columns.

    Parameters
    ----------
    text : in x, z and its constants
    columns : what x and z are, in the symbols of the problem
    """

    text: str
    columns: Mapping[str, Expression]

    def fitted(self, rows: Rows) -> _Fitted | None:
        """Return the law with the constants that miss least; None where it has no value on some row, or more constants than the rows can tell."""
        tree = parse(self.text)
        names = sorted(symbols(tree) - set(self.columns))
        if len(names) >= len(rows.y) - 1:
            return None
        places = {name: np.broadcast_to(evaluate(column, rows.columns), rows.y.shape) for name, column in self.columns.items()}
        best: tuple[float, Expression] | None = None
        for constants in self._starts(tree, names, places, rows):
            whole = substitute(tree, {**self.columns, **{name: Number(value) for name, value in constants.items()}})
            expression, rmse = polished(whole, rows)
            if np.isfinite(rmse) and (best is None or rmse < best[0]):
                best = rmse, expression
        if best is None:
            return None
        rmse, expression = best
        spread = float(np.std(rows.y * rows.root_weights)) or 1.0
        return _Fitted(fold(expression), rmse, -len(rows.y) * math.log(rmse / spread + _EXACT), _words(self.text), self.text)

    def _starts(self, tree: Expression, names: Sequence[str], places: Mapping[str, np.ndarray], rows: Rows) -> Iterator[dict[str, float]]:
        """Yield constants worth polishing: the best places of a grid of the inner ones, with the outer ones that go with them."""
        which = np.unique(np.linspace(0, len(rows.y) - 1, min(_GRID_ROWS, len(rows.y))).astype(int))
        inner = [name for name in names if name not in _OUTSIDE]
        outer = [name for name in names if name in _OUTSIDE]
        axes = [_grid(name, places["z" if name.endswith("_z") else "x"], len(inner)) for name in inner]
        if any(not len(axis) for axis in axes):
            return
        grid = np.meshgrid(*axes, indexing="ij")
        known = {name: values[which] for name, values in places.items()} | {name: axis.reshape(-1, 1) for name, axis in zip(inner, grid)}
        shape = (grid[0].size if grid else 1, len(which))
        zero = dict.fromkeys(outer, 0.0)
        features = np.stack([np.broadcast_to(evaluate(tree, {**known, **zero, name: 1.0}), shape) for name in outer], axis=1)
        coefficients, missed = _linear(features * rows.root_weights[which], rows.y[which] * rows.root_weights[which])
        for place in _basins(missed.reshape(grid[0].shape if grid else (1,))):
            yield {**{n: float(axis.flat[place]) for n, axis in zip(inner, grid)}, **{n: float(c) for n, c in zip(outer, coefficients[place])}}


@cache
def _words(text: str) -> int:
    """Return what a law costs to be said, as it is written once its constants have values; absolute temperature is one word like any other quantity."""
    tree = parse(text)
    said = fold(substitute(tree, {name: Number(1.25 + 0.1 * k) for k, name in enumerate(sorted(symbols(tree) - {"x", "z"}))}))
    return complexity(said) + rarity(said)


def _has_name(text: str) -> bool:
    """Whether a law is more than a sum of powers: such sums are in the book to be seen, and are known by nothing but their length."""
    return any(isinstance(node, Call) and (node.function not in ("add", "mul", "pow", "sqrt") or _is_power_of_sum(node)) for node in walk(parse(text)))


def _is_power_of_sum(node: Call) -> bool:
    return node.function == "pow" and isinstance(node.arguments[0], Call) and node.arguments[0].function == "add"


def _linear(features: np.ndarray, goal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fit (n_places, n_features, n_rows) to (n_rows,) at every place; return the coefficients and the squares that are missed."""
    size = np.sqrt(np.einsum("gmn,gmn->gm", features, features))
    usable = np.isfinite(size).all(axis=1) & (size > 0).all(axis=1) & (size < 1e150).all(axis=1)
    scaled = np.where(usable[:, None, None], features / np.where(size > 0, size, 1.0)[:, :, None], 1.0)
    normal = scaled @ scaled.transpose(0, 2, 1) + 1e-12 * np.eye(features.shape[1])
    coefficients = np.linalg.solve(normal, (scaled @ goal)[:, :, None])[:, :, 0]
    missed = np.sum((np.einsum("gm,gmn->gn", coefficients, scaled) - goal) ** 2, axis=1)
    return coefficients / np.where(size > 0, size, 1.0), np.where(usable, missed, np.inf)


def _basins(missed: np.ndarray) -> list[int]:
    """Return the places of a grid that are better than their neighbours, the best first."""
    lowest = np.isfinite(missed) & (missed <= minimum_filter(missed, 3, mode="nearest"))
    found = np.flatnonzero(lowest)
    return found[np.argsort(missed.flat[found], kind="stable")][:_BASINS].tolist()


def _grid(name: str, x: np.ndarray, n_inner: int) -> np.ndarray:
    """Return values to try of an inner constant; none where it has no meaning on these values of x."""
    axis, letter = _Axis.of(x, n_inner), name[0]
    if not axis.span > 0 or (letter in _OF_POSITIVE and not axis.low > 0) or (letter in _OF_SIZES and axis.low < 0):
        return np.empty(0)
    return _VALUES[letter](axis)


@dataclass(frozen=True)
class _Axis:
    """What the values of an input say of the constants beside it: their range and middle, how many differ, and how many constants to try."""

    low: float
    high: float
    middle: float
    n_different: int
    count: int

    @classmethod
    def of(cls, x: np.ndarray, n_inner: int) -> _Axis:
        return cls(float(x.min()), float(x.max()), float(np.median(np.abs(x[x != 0]))), len(np.unique(x)), {1: 24, 2: 14}.get(n_inner, 9))

    @property
    def span(self) -> float:
        return self.high - self.low

    def spread(self, least: float, most: float) -> np.ndarray:
        """Return numbers between two, equally many in each decade."""
        return np.geomspace(least, most, self.count)


_OF_POSITIVE, _OF_SIZES = ("p", "b"), ("k", "i", "n")
_SIGNS = np.array([[-1.0], [1.0]])
_VALUES: Mapping[str, Callable[[_Axis], np.ndarray]] = {
    "k": lambda x: x.spread(0.01, 30) * x.middle,
    "i": lambda x: x.spread(0.01, 30) * x.middle,
    "v": lambda x: x.spread(0.02, 3) * x.span,
    "r": lambda x: (_SIGNS * x.spread(0.1, 60) / x.span).ravel(),
    "q": lambda x: (_SIGNS * x.spread(0.1, 60) / x.span).ravel(),
    "s": lambda x: np.linspace(x.low - 0.25 * x.span, x.high + 0.25 * x.span, x.count + 1),
    "p": lambda x: (_SIGNS * [0.25, 0.5, 0.75, 1.25, 1.5, 2.0, 3.0, 4.0, 6.0]).ravel(),
    "n": lambda x: x.spread(0.35, 9),
    "w": lambda x: 2 * np.pi / x.span * np.linspace(0.25, min(x.n_different / 4, 20), 6 * x.count),
    "f": lambda x: np.pi * np.array([0.0, 0.25, 0.5, 0.75]),
    "b": lambda x: x.spread(0.1, 40) / (1 / x.low - 1 / x.high),
    "h": lambda x: np.geomspace(0.05, 1000, 2 * x.count) * x.span,
    "a": lambda x: x.spread(0.02, 50) * x.span - x.low,
}


# ------------------------------------------------------------------------------------------------------------------ which laws


def _laws(problem: SearchProblem) -> Iterator[_Law]:
    """Yield the laws of the problem's inputs that hold no forbidden function, each with and without an offset."""
    columns = [list(_quantities(problem, i)) for i in range(len(problem.symbols))]
    for texts, chosen in ((_ONE, [(own,) for each in columns for own in each]), (_TWO, _pairs(columns))):
        for text, own in itertools.product(texts, chosen):
            names = dict(zip(("x", "z"), own))
            if not set(_letters(text)) <= _THERMAL and not isinstance(names["x"], Symbol):
                continue  # a rate, a place or a size of absolute temperature is one of degrees
            for whole in (text,) if text in _HAVE_NO_OFFSET else (text, f"{text} + d"):
                if problem.functions is None or functions_of(parse(whole)) <= problem.functions:
                    yield _Law(whole, names)


def _letters(text: str) -> Iterator[str]:
    """Yield what the inner constants of the first input are."""
    yield from (name for name in symbols(parse(text)) - {"x", "z", *_OUTSIDE} if not name.endswith("_z"))


def _quantities(problem: SearchProblem, i: int) -> Iterator[Expression]:
    """Yield a column, and where it is a temperature in degrees the absolute one."""
    yield Symbol(problem.symbols[i])
    zero = SHIFTED.get(problem.units[i] or "") if problem.units else None
    if zero is not None:
        yield add(Symbol(problem.symbols[i]), Number(Fraction(zero)))


def _pairs(columns: Sequence[Sequence[Expression]]) -> list[tuple[Expression, Expression]]:
    if len(columns) != 2:
        return []
    return [pair for a, b in itertools.product(*columns) for pair in ((a, b), (b, a))]
