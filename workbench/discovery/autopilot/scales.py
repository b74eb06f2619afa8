"""On which scale does a law live? Values or logarithms, decided by likelihood before anything is searched for.

A flexible fit (one curve per input; where there are several inputs, a small hidden layer as well) is made on each scale and judged on rows
it was not fitted to, with s^2 the mean squared error of those n rows on the scale of the fit:

    scatter is an amount     y = f(x) + s e             log L = -n/2 log s^2
    scatter is a factor      log y = f(x) + s e         log L = -n/2 log s^2 - sum log y         the Jacobian d log y / dy: densities of y itself

Both are densities of the same measurements in the same unit, so that they can be compared (Box & Cox, 1964, section 3); constants common to
all are left out. Logarithms of inputs need no Jacobian. A scale other than that of the table is taken only where it is clearly better, by more
than 3 in log L and by a tenth per row: splines fit most things well, and a formula in plain columns is easier to read. Of scales that are as
likely as each other the one on which a plane fits best is taken: there the law is simplest.

A flexible fit bends to most things where rows are many; where they are few, a law predicts best. So two kinds of laws are among the fits of
every scale: the plane, which is the power law c x_1^p_1 ... where all is seen as logarithms; and for one input the laws of textbooks, so that
a saturation curve need not be mistaken for a logarithm. Of many inputs neither bends to what a search may have found already. So where rows are held
back, values stay where a formula of the search makes them likelier than it, or any fit, makes their logarithms.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from workbench.dataset import Dataset, Transform
from workbench.discovery.autopilot.rivals import CLASSICS
from workbench.discovery.discovery import Discovery
from workbench.exceptions import SnapError, TrainingError
from workbench.expression import Expression, evaluate
from workbench.formula.dimensions import SHIFTED
from workbench.training import Problem
from workbench.training.score import checked_errors, output_errors

WIDE = 30.0  # largest over smallest value of an input from which its logarithm is tried on its own
MAX_INPUTS = 20  # more inputs than this are left as they are: a flexible fit of them says little
MAX_ROWS = 1000  # rows that judge; more would cost time and change no decision
_CLEARLY, _PER_ROW, _ALIKE = 3.0, 0.1, 1.0  # differences of log-likelihoods


def suggest_transforms(data: Dataset, random_state: int = 0, laws: Sequence[Expression] = ()) -> dict[str, Transform]:
    """Return the columns that a network should see as their logarithm, {} where the values themselves serve as well.

    Parameters
    ----------
    data : the dataset; its training and validation rows are used, never its test rows
    random_state : seed of the fits
    laws : formulas that a search has found, in the columns' own units, fitted to the training rows

    Examples
    --------
    >>> from workbench.dataset import load_sample
    >>> sorted(suggest_transforms(load_sample("mammals")))
    ['body', 'brain']
    """
    if data.task != "regression" or len(data.targets) > 1 or len(data.inputs) > MAX_INPUTS:
        return {}
    data = fewer_rows(data)
    plain = _flexible(data, random_state)
    needed = plain + _CLEARLY + _PER_ROW * len(data.split.train)
    scales = [data.with_transforms(transforms) for transforms in _scales(data)]
    values = [_flexible(scale, random_state) for scale in scales]
    top = max(values, default=-np.inf)
    if top <= needed or _of_formulas(data, laws) > max(top, *(_of_formulas(scale, laws) for scale in scales)):
        return {}
    as_likely = [scale for scale, value in zip(scales, values, strict=True) if value > top - _ALIKE]
    return dict(max(as_likely, key=_straight).transforms)


def log_likelihood(data: Dataset, problems: Sequence[Problem], errors: Sequence[np.ndarray]) -> float:
    """Return log L of this module's docstring, summed over groups of rows.

    Parameters
    ----------
    data : gives the scale of its target
    problems : one per group of rows
    errors : per group, squared errors on checked rows in units of the target's spread; a row may have been checked more than once
    """
    total = 0.0
    for problem, own in zip(problems, errors, strict=True):
        judged = problem if problem.validation is None else problem.validation
        variance = max(float(own.mean()) * float(problem.scale[0]) ** 2, np.finfo(float).tiny)
        total -= 0.5 * judged.n_rows * np.log(variance)
        if data.targets[0].name in data.transforms:
            total -= float(judged.y[0].sum())
    return total


def _scales(data: Dataset) -> Iterator[dict[str, Transform]]:
    """Yield the scales to compare with that of the table: logarithms of wide inputs, of the target, of both, of everything."""
    target = data.targets[0].name
    wide = [name for name in _positive_inputs(data) if np.divide(*data.ranges[data.names.index(name), ::-1]) > WIDE]
    positive = bool((data.y > 0.0).all()) and data.targets[0].unit not in SHIFTED
    if wide:
        yield dict.fromkeys(wide, "log")
    if positive:
        yield {target: "log"}
        for inputs in dict.fromkeys((tuple(wide), tuple(_positive_inputs(data)))):
            if inputs:
                yield dict.fromkeys([*inputs, target], "log")


def _positive_inputs(data: Dataset) -> list[str]:
    """Return the inputs that have logarithms on every row, test rows too: they are to be predicted. Degrees of heat count from anywhere: they have none."""
    numbers = [made.how == "number" and made.column.kind == "number" and made.column.unit not in SHIFTED for made in data.inputs]
    return [name for k, name in enumerate(data.names) if numbers[k] and (data.X[:, k] > 0.0).all()]


def _flexible(data: Dataset, random_state: int) -> float:
    """Return the log-likelihood of the best of a plane, one curve per input and, for several inputs, a small hidden layer; for one, a law."""
    best = _straight(data)
    for hidden in [(), (2,)] if len(data.inputs) > 1 else [()]:
        try:
            found = Discovery(data).fit(hidden_layer_sizes=hidden, n_starts=1, random_state=random_state)
            best = max(best, _judged(found), _law(found) if len(data.inputs) == 1 else -np.inf)
        except (SnapError, TrainingError):
            continue
    return best


def _of_formulas(data: Dataset, formulas: Sequence[Expression]) -> float:
    """Return the log-likelihood of the best of some formulas on rows that were held back, minus infinity where there are none."""
    problem = Discovery(data).problems[0]
    if problem.validation is None or data.groups is not None:
        return -np.inf
    rows = data.split.validation
    columns = {column.symbol: data.X[rows, k] for k, column in enumerate(data.features)}
    best = -np.inf
    for formula in formulas:
        with np.errstate(all="ignore"):  # it need not have a logarithm on every row, nor a value
            values = data.seen_targets(np.broadcast_to(evaluate(formula, columns), (1, len(rows))).T)
            errors = output_errors(values.T, problem.validation)
        if np.isfinite(errors).all():
            best = max(best, log_likelihood(data, [problem], [errors]))
    return best


def _judged(found: Discovery) -> float:
    """Return the log-likelihood of a discovery's networks."""
    parts = zip(found.state.networks, found.problems, strict=True)
    return log_likelihood(found.data, found.problems, [checked_errors(network, problem, found.state.roughness)[0] for network, problem in parts])


def _law(found: Discovery) -> float:
    """Return the log-likelihood of the best law of textbooks for one curve, minus infinity where none is defined."""
    choice = found.candidates(found.network.edges()[0], library=CLASSICS, top=1)[0]
    if not choice.refitted:
        return -np.inf
    return log_likelihood(found.data, found.problems, [np.array([candidate.rmse_validation**2]) for candidate in choice.candidates])


def _straight(data: Dataset) -> float:
    """Return the log-likelihood of a plane fitted by weighted least squares to every group."""
    problems = Discovery(data).problems
    return log_likelihood(data, problems, [_plane_errors(problem) for problem in problems])


def _plane_errors(problem: Problem) -> np.ndarray:
    folds = problem.folds or ((np.arange(problem.n_rows), np.arange(problem.n_rows)),)
    if problem.validation is not None:
        return _missed(problem, problem.validation)
    return np.concatenate([_missed(problem.rows(fit), problem.rows(check)) for fit, check in folds])


def _missed(fitted: Problem, checked: Problem) -> np.ndarray:
    """Fit a plane to some rows; return the squared errors of others in units of the spread."""
    root = np.ones(fitted.n_rows) if fitted.weights is None else np.sqrt(fitted.weights)
    columns = np.vstack([np.ones(fitted.n_rows), fitted.x]).T * root[:, None]
    plane = np.linalg.lstsq(columns, fitted.y[0] * root, rcond=None)[0]
    errors = ((plane[0] + plane[1:] @ checked.x - checked.y[0]) / fitted.scale[0]) ** 2
    return errors if checked.weights is None else errors * checked.weights


def fewer_rows(data: Dataset) -> Dataset:
    """Return the dataset with at most 1,000 rows to fit and 1,000 to check, evenly picked; folds are for few rows and stay."""
    split = data.split
    if split.kind != "holdout" or len(split.train) <= MAX_ROWS:
        return data
    train, validation = (rows[:: max(1, -(-len(rows) // MAX_ROWS))].copy() for rows in (split.train, split.validation))
    return data.with_split(replace(split, train=train, validation=validation))
