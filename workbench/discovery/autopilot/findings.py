"""What the autopilot has found: formulas with their errors on checked rows, and which of them to prefer."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from workbench.dataset import Dataset
from workbench.discovery.discovery import Discovery
from workbench.discovery.laws import fits_its_units, origin_of
from workbench.expression import Call, Constant, Expression, Number, Symbol, add, factors_of, walk
from workbench.expression.description import NATS_PER_NODE, constant_price, description, nearly_as_short, numbers, odd_powers
from workbench.formula import Formula
from workbench.formula.dimensions import absolute_zeros
from workbench.search.textbook import LOST, NEAR
from workbench.snapping.ranking import tied
from workbench.training.problem import Problem
from workbench.training.score import checked_errors, mean_errors, output_errors, reference_loss

_MOST_NEAR = 32  # that are nearly the shortest description stay in the front
_FEW_INPUTS = 2  # of which a sum with fitted constants is taken for a law, whatever the scatter
LAW = 1e-6  # unitless error below which a formula is exact for all practical purposes


@dataclass(frozen=True, eq=False)
class Finding:
    """A formula, the state it was read from, and its squared errors, in the order of every other finding's.

    Parameters
    ----------
    errors : (n_checked,)     of rows that were checked, in units of the target's variance; for classes of what their frequencies lose
    of_mean : (n_checked,)    what the mean of the fitted rows misses there, about 1 on average
    n_rows : how many different rows these are: folds may be done twice
    n_fitted, fitted : how many rows it was fitted to that were not checked, none where folds check every row; and the mean squared error of these
    rival : whether it is a law of textbooks that the rows do not tell from others
    chance : twice the log loss of the frequencies of classes; None for measured targets
    fits_units : None where units say nothing
    named : nats it takes to name its form, of a law that has a name in textbooks
    """

    formula: Formula
    state: int
    errors: np.ndarray
    of_mean: np.ndarray
    n_rows: int
    n_fitted: int
    fitted: float
    rival: bool
    chance: float | None = None
    fits_units: bool | None = None
    named: float | None = None

    @property
    def error(self) -> float:
        return float(self.errors.mean())

    @property
    def standard_error(self) -> float:
        return float(self.errors.std() / np.sqrt(len(self.errors)))

    @property
    def gained(self) -> float:
        """By how many nats the rows are likelier than under the mean: n/2 log(error of the mean / error); for classes what the log loss falls by.

        The rows that it was fitted to count as well: what a fit gains by its constants, their description pays for.
        """
        n_rows = self.n_rows + self.n_fitted
        error = (self.n_rows * self.error + self.n_fitted * self.fitted) / n_rows
        return self._likelier(error, (self.n_rows * float(self.of_mean.mean()) + self.n_fitted) / n_rows, n_rows)

    @property
    def gained_on_checked(self) -> float:
        """The same of the checked rows alone."""
        return self._likelier(self.error, float(self.of_mean.mean()), self.n_rows)

    def _likelier(self, error: float, of_mean: float, n_rows: int) -> float:
        return 0.5 * n_rows * (self.chance * (1.0 - error) if self.chance is not None else float(np.log((of_mean + LAW**2) / (error + LAW**2))))

    @property
    def length(self) -> float:
        """The description length of the rows in nats (Rissanen, 1978), but for what all findings share.

        Each fitted constant takes one of the rows ("MDL denoising", Rissanen, 2000): the less is missed, the more digits of it must be said, and what
        four constants explain of six rows says little. So does the exponent of (x + y)^(9/4), one of many that were at hand. Those of a curve are
        tied by its smoothness and take none; for classes there is no scatter.
        """
        n_rows = self.n_rows + self.n_fitted
        odd = sum(odd_powers(output.expression) for output in self.formula.outputs)
        taken = len(self.formula.constants) + odd if self.chance is None else 0
        return said(self.formula, n_rows, self.named) - self.gained * max(1.0 - taken / n_rows, 0.0)

    def lost(self, other: Finding) -> float:
        """Return by how many nats the rows are less likely than under another formula."""
        return other.gained - self.gained


def said(formula: Formula, n_rows: int, named: float | None = None) -> float:
    """Return the nats it takes to say a formula, with the constants of curves that have no name; the zero of a temperature scale counts.

    A law with a name may be said by its name, which takes so many nats, and its numbers: then it is no matter how often x stands in c*x/(k + x).
    T = t + 273.15 is three words where t is in °C; but the unit says where its zero is, nothing was chosen, and T is one quantity. A power or a
    logarithm of t itself takes the zero of °C for that of nature, and pays as if it had been chosen: (t + a)^p.
    """
    zeros = absolute_zeros(formula.inputs)
    expressions = [output.expression for output in formula.outputs]
    chosen = sum(_chosen_zeros(node, zeros) for expression in expressions for node in walk(expression) if zeros)
    plainly = sum(description(expression, n_rows) for expression in expressions)
    by_name = np.inf if named is None else named + sum(numbers(expression, n_rows) for expression in expressions)
    return formula.n_curve_constants * constant_price(n_rows) + min(plainly, by_name) + chosen


def _chosen_zeros(node: Expression, zeros: Mapping[Expression, Expression]) -> float:
    """Return the nats by which a node is cheaper or dearer than it looks, for the zeros of its temperatures."""
    match node:
        case Call(function="add", arguments=terms):
            given = (add(symbol, zero) for symbol, zero in zeros.items() if symbol in terms and zero in terms)
            return sum(NATS_PER_NODE - description(each, 1) for each in given)
        case Call(function="pow" | "log" | "sqrt" | "cbrt", arguments=(base, *_)):
            return 2.0 * NATS_PER_NODE * (base in zeros)
    return 0.0


def has_fitted_terms(formula: Formula) -> bool:
    """Whether a formula of many inputs has a fitted constant in a sum, by itself or as the factor of a term: such a sum comes close to many curved laws."""
    sums = (node for output in formula.outputs for node in walk(output.expression) if isinstance(node, Call) and node.function == "add")
    factors = (factor for each in sums for term in each.arguments for factor in factors_of(term))
    return len(formula.inputs) > _FEW_INPUTS and any(isinstance(factor, Number) and not factor.exact for factor in factors)


def n_functions(formula: Formula) -> int:
    """Return how many nodes of a formula bend what is in them: functions, and powers of sums but for reciprocals."""
    return sum(map(_bends, (node for output in formula.outputs for node in walk(output.expression))))


def _bends(node: Expression) -> bool:
    match node:
        case Call(function="pow", arguments=(Call(function="add"), Number(value=exponent))):
            return abs(exponent) != 1
        case Call(function=name):
            return name not in {"add", "mul", "pow"}
    return False


def finding(found: Discovery, rival: bool = False, named: float | None = None) -> Finding:
    """Return what the present state of a discovery is as a finding.

    Where rows are held out, its errors are those of the formula as it is written: a fitted 0.0834 that is called 1/12 misses what 1/12 misses.
    """
    state, problems = found.state, found.problems
    chance = None if problems[0].loss == "squared" else float(np.mean([reference_loss(problem) for problem in problems]))
    formula = found.formula(nice=True)
    written = _written_errors(formula, found.data, problems)
    if written is None:
        errors = np.concatenate(
            [checked_errors(network, problem, state.roughness)[0] for network, problem in zip(state.networks, problems, strict=True)]
        )
        fitted = state.metrics.rmse_train**2
    else:
        errors, fitted = written
    rows = sum(problem.n_rows if problem.validation is None else problem.validation.n_rows for problem in problems)
    n_fitted = sum(problem.n_rows for problem in problems if problem.validation is not None)
    fits = fits_its_units(found.data, state, origin_of([state.move]))
    of_mean = np.ones_like(errors) if chance is not None else np.concatenate([mean_errors(problem) for problem in problems])
    return Finding(formula, state.id, errors / (chance or 1.0), of_mean, rows, n_fitted, fitted / (chance or 1.0), rival, chance, fits, named)


def _written_errors(formula: Formula, data: Dataset, problems: Sequence[Problem]) -> tuple[np.ndarray, float] | None:
    """Return the squared errors of a formula on the rows held out, and their mean on those fitted to.

    None with folds or groups, which have constants of their own, and for classes, of which a formula gives the logit.
    """
    problem = problems[0]
    if problem.validation is None or len(problems) > 1 or problem.loss != "squared":
        return None
    with np.errstate(all="ignore"):
        held_out, fitted = (
            output_errors(data.seen_targets(formula.prediction(data.X[rows]).values.reshape(len(rows), -1)).T, part)
            for rows, part in ((data.split.validation, problem.validation), (data.split.train, problem))
        )
    return held_out, float(fitted.mean())


def shortest(findings: Sequence[Finding], imitates: Callable[[Finding], bool]) -> Finding:
    """Return the finding that describes the rows in the fewest nats (Rissanen, 1978): its own length and what it does not explain.

    Among the many formulas that were tried some follow even the checked rows by chance, so that the least error is no reason by itself. Of those
    that are a node apart, one that only imitates another comes last: a form far from where it has its shape, whose constants trade against each other.
    Of the others one that fits the units comes first: they are known beforehand, and a law without hidden constants obeys them. Then one that has a
    name in textbooks, no chosen number, or is a product of powers: of what was tried without a reason, and bent to the rows, something always comes
    as near. Where there is nothing else, a law with a name may be two nodes longer.
    """

    def rank(each: Finding) -> tuple[bool, bool, bool, float]:
        return imitates(each), each.fits_units is False, _is_bent(each), each.length

    best = min(as_short(findings), key=rank)
    with_name = [each for each in as_short(findings, 2) if each.named is not None] if _is_bent(best) else []
    return min([best, *with_name], key=rank)


def _is_bent(each: Finding) -> bool:
    """Whether a finding has numbers that were chosen to fit, more than the factor of whole powers, and no name that says why.

    Fitted constants are; so is the 1 of T - 1, which only units that happen to be right could give a meaning: it bends a column as well.
    """
    expressions, zeros = [output.expression for output in each.formula.outputs], absolute_zeros(each.formula.inputs)
    chosen = bool(each.formula.constants) or any(_shifts_a_column(expression, zeros.values()) for expression in expressions)
    return each.named is None and chosen and not all(map(_is_product, expressions))


def _shifts_a_column(expression: Expression, zeros: Collection[Expression]) -> bool:
    """Whether a number other than the zero of a scale is added to a column, or to a multiple of one."""
    sums = [node.arguments for node in walk(expression) if isinstance(node, Call) and node.function == "add"]
    return any(any(isinstance(term, Number) and term not in zeros for term in terms) and any(map(_is_multiple, terms)) for terms in sums)


def _is_multiple(term: Expression) -> bool:
    """Whether a term is a column, whatever its factor."""
    return [type(factor) for factor in factors_of(term) if not isinstance(factor, Number)] == [Symbol]


def _is_product(expression: Expression) -> bool:
    """Whether an expression is a product of exact powers of columns, whatever its factor."""
    return all(_is_exact_power(factor) for factor in factors_of(expression) if not isinstance(factor, Number))


def _is_exact_power(factor: Expression) -> bool:
    match factor:
        case Call(function="pow", arguments=(Symbol(), Number() as exponent)):
            return exponent.exact
        case Call(function="sqrt" | "cbrt", arguments=(argument,)):
            return isinstance(argument, Symbol)
    return isinstance(factor, Symbol | Constant)


def as_short(findings: Sequence[Finding], nodes: int = 1) -> list[Finding]:
    """Return the findings of which the rows do not say which is the shortest description: they are less than a node apart, or so many."""
    least = min(each.length for each in findings)
    return [each for each in findings if each.length <= least + nodes * NATS_PER_NODE]


def pareto(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings that no other one beats in both complexity and error, and some that none clearly beats; simplest first.

    What is nearly the shortest description of the rows, in closed form, stays: they do not say that it is not the law; of very many the shortest. So
    does a shorter one than all that are simpler: they hold fitted constants, it has whole numbers. A rival stays where the rows do not clearly refuse
    it: its errors tie with those of the best that is no longer, they are hardly less likely, or it is not much longer a description. A formula that fits
    the units stays where all that beat it do not. What is worse than the mean is left out where anything is better.
    """
    finite = [each for each in findings if np.isfinite(each.error)]
    worth_it = [each for each in finite if each.error < float(each.of_mean.mean())] or finite
    near = _nearly_shortest(worth_it)
    ordered = sorted(worth_it, key=lambda f: (f.formula.complexity, f.error))
    front: list[Finding] = []
    for each in ordered:
        best = min(front, key=lambda f: f.error, default=None)
        if best is None or each.error < best.error or _stays(each, best, front, near):
            front.append(each)
    return front


def _nearly_shortest(findings: Sequence[Finding]) -> list[Finding]:
    """Return the shortest description, and those in closed form that are nearly as short, each once in however many words; of very many the shortest."""
    near: dict[str, Finding] = {}
    for each in sorted(findings, key=lambda each: each.length):
        first = next(iter(near.values()), each)
        margin = nearly_as_short(len(each.formula.constants), len(first.formula.constants))
        if each is first or (each.chance is None and not each.formula.definitions and each.length <= first.length + margin):
            near.setdefault(str(each.formula), each)
    return list(near.values())[:_MOST_NEAR]


def _stays(each: Finding, best: Finding, front: Sequence[Finding], near: Sequence[Finding]) -> bool:
    """Whether a finding that others beat stays in the front beside them."""
    if each.length < min(other.length for other in front):
        return True
    if each in near or (each.rival and (each.lost(best) <= LOST or each.length <= near[0].length + NEAR or tied(each.errors, best.errors))):
        return all(str(each.formula) != str(other.formula) for other in front)
    beating = [other for other in front if other.error <= each.error]
    return bool(each.fits_units) and all(other.fits_units is False and each.lost(other) <= NATS_PER_NODE for other in beating)
