"""What the formula that the autopilot picked is worth: a law, an approximation, or nothing.

    none            on checked rows it is not clearly better than the mean, or only on a few of them: a pole anywhere follows a row that lies far off
    law             it earns its length: the checked rows gain 3 nats of likelihood over the mean for every node, and
                        it is exact (an error below 1e-9 of the spread, or of a plain formula below 1e-6 where that is the rounding of the
                        table and so is scatter), or all of this holds:
                        no fit of splines does clearly better, so that nothing is left that curves could explain
                        what it misses is scatter: it does not go with any input, and rows that are neighbours are not missed in the
                        same direction
                        no formula close to it does better: factors, exponents and offsets that it lacks would explain no more
                        the data know its constants: no 95 % interval holds zero, they do not trade against each other, and none
                        could as well stand elsewhere
                        the data know its functions: none of them could as well be a parabola, nor is it a series, which any curve is close to
                        no other formula describes the rows as shortly, unless only the one picked fits the units, nor do curves without a name;
                        and all that may were judged (pilot.py)
                        of many inputs no fitted constant stands in a sum, unless the rows would show a bend of a hundredth
    approximation   everything else, and every formula in which a curve has no name

Scatter is told from a pattern in scatter.py; what a formula could as well be is asked in formula/variations.py. Test rows are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from workbench.dataset import Dataset
from workbench.discovery.autopilot.findings import LAW, NATS_PER_NODE, Finding, finding, has_fitted_terms, n_functions
from workbench.discovery.autopilot.scatter import is_scatter, looked_at
from workbench.discovery.discovery import Discovery, Verdict
from workbench.discovery.laws import with_loose_numbers
from workbench.discovery.reading import assembled
from workbench.discovery.state import State
from workbench.exceptions import WorkbenchError
from workbench.expression import Expression
from workbench.expression.description import PLAIN
from workbench.formula import Formula, Output, variations
from workbench.formula.constants import samples_of
from workbench.formula.fitting import Sample

_NOISE_RATIO = 1.1  # a law may be this much worse, in error, than the most flexible fit
_VISIBLE, _TOLD = 0.01, 20.0  # of the spread, that a law may be bent and hidden by scatter, and the chi-squared by which any test would tell
_MOST_PLAIN = 4  # fitted constants of a plain law, whose error of a millionth may be that of printed digits
_MOST_BENDS = 8  # functions and fitted constants of a law of one input that scatters
_NEARBY = 2.3  # a standard normal beyond is no chance either, one time in a hundred
DIGITS = 1.5  # that constants may lose on average by trading against each other
_LIKE = 1.5  # nats by which the description that a rival gives may be longer
_AS_LIKELY, _HARDLY_LONGER = 3.0, 5  # nats by which the rows may be less likely under a rival, and nodes that it may have more
_VERY_FEW = 7  # rows that tell hardly any formulas apart
_FEW, _FEWEST = 0.02, 8  # share of the checked rows that may be a few far off, and how many must be checked to ask
_EXACT = 1e-9  # of the spread, that a fit to numbers without error may miss
_SAME = 0.01  # of what is missed, for classes of the logit: a formula that follows another one as closely says the same
_LONG = 30  # nodes: of a longer formula that leaves something to be explained it is not asked what else it could be, which takes long
_MANY_ROWS = 20_000


@dataclass(frozen=True)
class Judgement:
    """A verdict, and in sentences what it rests on: all that speaks for a law, or what speaks against one."""

    verdict: Verdict
    reasons: tuple[str, ...]


def judgement(found: Discovery, picked: Finding, findings: Sequence[Finding], flexible: float) -> Judgement:
    """Say what a finding is worth.

    Parameters
    ----------
    found : the discovery
    picked : the finding in question
    findings : all that there is beside it
    flexible : error of the best fit of splines, in units of the target's spread, on checked rows
    """
    if reason := _like_the_mean(picked):
        return Judgement("none", (reason,))
    if picked.formula.definitions:
        return Judgement("approximation", ("One of its curves has no name.",))
    if not _earns_its_length(picked):
        return Judgement("approximation", (f"It is long for what it explains: {picked.formula.complexity} parts on so few rows, or so much scatter.",))
    if picked.error <= _EXACT**2 or (picked.error <= LAW**2 and _is_plain(picked.formula) and is_scatter(found, _state(found, picked))):
        return Judgement("law", (f"It is exact: what it misses is {picked.error**0.5:.0e} of the target's spread.",))
    checks = list(_rest(found, picked, flexible))
    if picked.formula.complexity <= _LONG or all(check.holds for check in checks):
        checks += _variations(found, picked)
    checks += _doubts(found, picked, findings)
    if against := tuple(check.against for check in checks if not check.holds):
        return Judgement("approximation", against)
    if len(picked.formula.inputs) == 1 and (many := n_functions(picked.formula) + len(picked.formula.constants)) > _MOST_BENDS:
        return Judgement("approximation", (f"It has {many} functions and constants for one input: any smooth curve is close to such a formula.",))
    if has_fitted_terms(picked.formula) and _unseen(picked) > _VISIBLE:
        hidden = "The rows scatter so much that a bend of a hundredth of the spread is not seen in them: a sum with fitted constants comes as close to many laws."
        return Judgement("approximation", (hidden,))
    return Judgement("law", tuple(check.favour for check in checks))


def _is_plain(formula: Formula) -> bool:
    """Whether a formula has too few parts and constants to be bent to the rows until it misses but a millionth."""
    return formula.complexity <= PLAIN and len(formula.constants) <= _MOST_PLAIN


@dataclass(frozen=True)
class _Check:
    """Something that holds of a law, and what is to be said where it does and where it does not."""

    holds: bool
    favour: str
    against: str


def _like_the_mean(picked: Finding) -> str:
    """Say so if it is not clearly better than the mean on checked rows, or not without the few for which it gains most."""
    errors, of_mean = picked.errors, picked.of_mean
    if _is_as_large(errors, of_mean):
        return "On rows that it was not fitted to it is not clearly better than the mean."
    n_few = max(1, round(_FEW * len(errors)))
    others = np.argsort(of_mean - errors, kind="stable")[:-n_few]
    if picked.chance is None and len(errors) >= _FEWEST and _is_as_large(errors[others], of_mean[others]):
        few = "a single row" if n_few == 1 else f"{n_few} rows"
        return f"Of the rows that it was not fitted to it explains {few}: of the others it is not clearly better than the mean."
    return ""


def _is_as_large(errors: np.ndarray, reference: np.ndarray) -> bool:
    return bool(errors.mean() + 2 * errors.std() / np.sqrt(len(errors)) >= reference.mean())


def _rest(found: Discovery, picked: Finding, flexible: float) -> Iterator[_Check]:
    """Ask whether what the formula misses is scatter."""
    yield _Check(
        _close_to(flexible / (picked.chance or 1.0) ** 0.5, picked),
        "A network of free curves does no better.",
        "A network of free curves does clearly better: something is left to be explained.",
    )
    yield _Check(
        is_scatter(found, _state(found, picked)),
        "What it misses is scatter: it goes with no input.",
        "What it misses is more than scatter: it goes with an input, or rows that are neighbours are missed in the same direction.",
    )
    if parts := _parts(found.data, picked.formula):
        yield _Check(
            all(variations.missed(output.expression, sample) <= _NEARBY for output, sample in parts),
            "No formula close to it does better: a factor, exponent or offset that it lacks would explain nothing more.",
            "A formula close to it does clearly better: a factor, exponent or offset that it lacks would explain more.",
        )


def _doubts(found: Discovery, picked: Finding, findings: Sequence[Finding]) -> Iterator[_Check]:
    """Ask whether the rows know what is in it, and nothing else describes them as shortly."""
    yield _Check(
        _constants_known(found, picked),
        "The rows know each of its constants.",
        "The rows do not know its constants: one of them may be zero, or they trade against each other.",
    )
    rival = next((other for other in findings if _is_rival(found, other, picked)), None)
    yield _Check(
        rival is None,
        "No other formula that was found describes the rows as shortly, or as well.",
        "" if rival is None else f"Another formula describes the rows as shortly, or as well: {rival.formula.readable(3)}.",
    )
    yield _Check(
        not _as_short_as_curves(found, picked),
        "It is a shorter description of the rows than any network of free curves.",
        "A network of free curves is as short a description of the rows: its names explain nothing.",
    )


def _unseen(picked: Finding) -> float:
    """Return how large a miss, in units of the spread, the scatter hides, however many rows there are: one of which hardly a test would tell."""
    return (picked.error * _TOLD / (picked.n_rows + picked.n_fitted)) ** 0.5


def _parts(data: Dataset, formula: Formula) -> list[tuple[Output, Sample]]:
    """Return the outputs of a formula with the rows that are looked at; none where groups share a form, and for classes: there it is taken for granted."""
    if data.groups is not None or data.task == "classification":
        return []
    rows = looked_at(data)
    weights = None if data.seen_weights is None else data.seen_weights[rows]
    return list(zip(formula.outputs, samples_of(formula, data.X[rows], data.y[rows], weights), strict=True))


def _variations(found: Discovery, picked: Finding) -> Iterator[_Check]:
    """Ask what the formula could as well be, as far as the rows say."""
    formula, parts = picked.formula, _parts(found.data, picked.formula)
    if not parts:
        return
    moves = ((output, variations.moved(output.expression, sample, _LIKE)) for output, sample in parts)
    elsewhere = next((_rounded(formula, output, moved) for output, moved in moves if moved is not None), None)
    yield _Check(
        elsewhere is None,
        "Each of its constants is needed where it stands.",
        f"One of its constants could as well stand elsewhere: {elsewhere}.",
    )
    of = next(filter(None, (variations.series(output.expression) for output in formula.outputs)), None)
    if of is not None:
        yield _Check(False, "", f"It is a polynomial of a high degree in {of}, with fitted coefficients: any smooth curve is close to one.")
    if any(any(variations.shaped(output.expression)) for output in formula.outputs):
        name = next(filter(None, (variations.like_a_parabola(output.expression, sample, _LIKE) for output, sample in parts)), None)
        yield _Check(
            name is None,
            "Each of its functions is needed: no parabola does as well.",
            f"A parabola does as well as its {name}: the rows do not tell them apart.",
        )


def _rounded(formula: Formula, output: Output, expression: Expression) -> str:
    """Write another expression for one output of a formula, with three decimals."""
    return replace(formula, outputs=(replace(output, expression=expression),)).readable(3)


def _earns_its_length(picked: Finding) -> bool:
    return picked.gained_on_checked >= NATS_PER_NODE * picked.formula.complexity


def _close_to(flexible: float, picked: Finding) -> bool:
    return picked.error <= (_NOISE_RATIO * flexible) ** 2 or picked.error <= flexible**2 + 2.0 * picked.standard_error


def _constants_known(found: Discovery, picked: Finding) -> bool:
    """Whether the data tell every constant from zero, and know them on average as well as so many rows with such errors can.

    That is, with a relative error of about rmse / sqrt(n). Constants known far worse trade against each other: the formula uses its functions
    away from where they have their shape, to imitate another one. Taken for granted where groups share a form, and for classes.
    """
    data, rows = found.data, found.data.split.train
    if data.groups is not None or data.task == "classification":
        return True
    weights = None if data.seen_weights is None else data.seen_weights[rows]
    intervals = picked.formula.intervals(data.X[rows], data.y[rows], weights)
    if not all(constant.low > 0.0 or constant.high < 0.0 for constant in intervals):
        return False
    return digits_lost(found, picked) <= DIGITS


def digits_lost(found: Discovery, picked: Finding) -> float:
    """Return how many digits the constants lose on average by trading against each other: 0 where each is known as well as so many rows can."""
    data, rows = found.data, _some(found.data)
    if data.groups is not None or data.task == "classification":
        return 0.0
    weights = None if data.seen_weights is None else data.seen_weights[rows]
    intervals = picked.formula.intervals(data.X[rows], data.y[rows], weights)
    worse = [constant.standard_error / abs(constant.value) * (len(rows) / picked.error) ** 0.5 for constant in intervals if constant.value]
    return float(np.log10(np.maximum(worse, 1.0)).mean()) if worse else 0.0


def _is_rival(found: Discovery, other: Finding, picked: Finding) -> bool:
    """Whether another formula, that is no mere imitation, describes the rows as shortly, or as well: then the rows do not say which is the law."""
    if other.state == picked.state or other.formula.definitions or not (_is_as_short(other, picked) or _is_as_likely(other, picked)):
        return False
    if picked.fits_units and other.fits_units is False:
        return False
    return digits_lost(found, other) <= DIGITS and not _says_the_same(found, _state(found, other), picked)


def _is_as_short(other: Finding, picked: Finding) -> bool:
    """Whether another formula is as short a description; exp(atan(x)) or (exp(x) + c)^2 beside exp(x) is stranger, and needs more than to be as good."""
    return other.length <= picked.length + _LIKE and n_functions(other.formula) <= n_functions(picked.formula)


def _is_as_likely(other: Finding, picked: Finding) -> bool:
    """Whether another formula makes the rows as likely, and is hardly longer: then what whole numbers are thought to cost decides, and not the rows.

    Few rows, and classes, do not tell most laws from such others; there it is enough that none is as short. Of very few, some short formula among
    thousands always comes near: there it is not.
    """
    hardly_longer = other.formula.complexity <= picked.formula.complexity + _HARDLY_LONGER
    asked = picked.chance is None and (picked.n_fitted > 0 or picked.n_rows <= _VERY_FEW)
    return asked and hardly_longer and other.lost(picked) <= _AS_LIKELY


def _as_short_as_curves(found: Discovery, picked: Finding) -> bool:
    """Whether a network of curves without names describes the rows as shortly, but for a node: then the names explain nothing."""
    for state in found.states:
        if state.metrics.n_symbolic or assembled(found.data, state.networks).complexity >= picked.formula.complexity:
            continue
        if finding(found.branch().go_to(state.id)).length < picked.length + NATS_PER_NODE:
            return True
    return False


def _says_the_same(found: Discovery, state: State, picked: Finding) -> bool:
    """Whether the formula of a state is the one picked in another notation, or holds it: with constants of its own it has the same values.

    Where it has fewer, its plain numbers may be those that were fitted in the other: exp(-x/2) beside exp(-0.497*x).
    """
    data, rows = found.data, _some(found.data)
    groups = None if data.groups is None else [data.group_labels[code] for code in data.groups[rows]]
    values, formula = picked.formula.prediction(data.X[rows], groups).values, assembled(data, state.networks)
    try:
        if groups is None and len(formula.constants) < len(picked.formula.constants):
            formula = with_loose_numbers(formula)
        again = formula.refit(data.X[rows], values, groups=groups).prediction(data.X[rows], groups).values
    except WorkbenchError:  # a group has fewer rows than constants, or there are no finite values
        return False
    difference, values = (again - values).reshape(len(rows), -1), values.reshape(len(rows), -1)
    size = values - data.y[rows] if data.task == "regression" else values
    return bool(((difference**2).mean(0) <= _SAME**2 * (size**2).mean(0)).all())


def _some(data: Dataset) -> np.ndarray:
    """Return the rows that are fitted, of very many an even choice: what is asked of them does not depend on how many they are."""
    rows = data.split.train
    return rows[:: -(-len(rows) // _MANY_ROWS)]


def _state(found: Discovery, finding: Finding) -> State:
    return next(state for state in found.states if state.id == finding.state)
