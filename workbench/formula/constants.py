"""What data say about the constants of a formula: fitted again, with standard errors and intervals.

    covariance = sigma^2 (J^T J)^+,      sigma^2 = sum_n w_n r_n^2 / (n_rows - rank J),      interval = value +- t_0.975 * standard error

J is the weighted Jacobian of the whole formula by all its constants at once, so that constants that can trade against each other have the wide
intervals they deserve. It is decomposed by SVD after scaling its columns; a constant with a part in the null space cannot be told from
these data at all (c and b in c*exp(x + b), say): it is marked `identified=False` and its interval is infinite.

Constants inside functions that have no name yet are not among them: the intervals hold with those functions as they are.
Seber & Wild (1989) "Nonlinear Regression", section 5.1; weights are relative: their scale does not matter.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from workbench.exceptions import DatasetError
from workbench.expression import Expression, free_constants
from workbench.formula.fitting import Sample, fitted
from workbench.formula.formula import Formula, Output
from workbench.formula.rows import Rows, group_labels, input_rows, seen, target_rows
from workbench.formula.units import constant_units

_NULL = 1e-10  # singular values below this share of the largest are zero in float64


@dataclass(frozen=True)
class ConstantInterval:
    """One constant, how well the data know it, and its unit where that is plain.

    Parameters
    ----------
    output : name of the output whose expression holds it
    index : its number in `Formula.constants`
    value, standard_error : infinite error when not identified
    low, high : 95 % interval
    identified : whether the data determine it at all
    unit : such as "ft³/in^2"; None where it is not a plain factor or term
    """

    output: str
    index: int
    value: float
    standard_error: float
    low: float
    high: float
    identified: bool
    unit: str | None


def refit(
    formula: Formula, X: Rows, y: np.ndarray, weights: np.ndarray | None = None, groups: Sequence[object] | None = None
) -> Formula:
    """Fit all constants of a formula again; with `groups`, a set of constants for every group as well.

    Parameters
    ----------
    formula : Formula
    X : rows in any form (rows.py)
    y : (n_rows,) or (n_rows, n_outputs)
    weights : (n_rows,)     1 / sigma^2 of each row
    groups : (n_rows,)     the label of each row's group
    """
    samples = samples_of(formula, X, y, weights)
    outputs = _refitted(formula.outputs, samples)
    by_group = {}
    if groups is not None:
        labels = group_labels(groups, len(samples[0].y))
        for label in dict.fromkeys(labels):
            by_group[label] = _of_group(outputs, samples, labels == label, label)
    return replace(formula, outputs=outputs, groups=by_group, certificate=None)


def intervals(formula: Formula, X: Rows, y: np.ndarray, weights: np.ndarray | None = None) -> tuple[ConstantInterval, ...]:
    """Return value, standard error and 95 % interval of every constant, in the order of `Formula.constants`."""
    found: list[ConstantInterval] = []
    for output, sample in zip(formula.outputs, samples_of(formula, X, y, weights), strict=True):
        values, errors, half_widths = uncertainty(output.expression, sample)
        units = constant_units(output.expression, formula.inputs, output.unit)
        for value, error, half, unit in zip(values, errors, half_widths, units, strict=True):
            identified = math.isfinite(error)
            found.append(ConstantInterval(output.name, len(found), value, error, value - half, value + half, identified, unit))
    return tuple(found)


def uncertainty(expression: Expression, sample: Sample, held: Sequence[int] = ()) -> tuple[list[float], list[float], list[float]]:
    """Return the constants of an expression, their standard errors and the half widths of their 95 % intervals.

    Constants numbered in `held` are taken as known: they have no error, and the others do not have to trade against them.
    """
    values = list(free_constants(expression))
    residual, jacobian = sample.linearised(expression)
    jacobian[:, list(held)] = 0.0
    usable = np.isfinite(residual) & np.isfinite(jacobian).all(1)
    residual, jacobian = residual[usable], jacobian[usable]
    if not values or not len(residual):
        return values, [math.inf] * len(values), [math.inf] * len(values)
    variances, rank = _unscaled_variances(jacobian)
    freedom = len(residual) - rank
    if freedom <= 0:
        return values, [math.inf] * len(values), [math.inf] * len(values)
    from scipy.special import stdtrit

    with np.errstate(invalid="ignore", over="ignore"):
        errors = np.sqrt(variances * float(residual @ residual) / freedom)
    errors = np.where(np.isnan(errors), np.inf, errors)  # unidentified, and not a single residual: infinity times zero
    errors[list(held)] = 0.0
    return values, errors.tolist(), (float(stdtrit(freedom, 0.975)) * errors).tolist()


def _unscaled_variances(jacobian: np.ndarray) -> tuple[np.ndarray, int]:
    """Return diag((J^T J)^+), infinite for constants with a part in the null space, and the rank of J."""
    largest = np.abs(jacobian).max(0)  # a hopeless constant may have derivatives whose squares overflow
    largest = np.where(largest > 0.0, largest, 1.0)
    size = largest * np.linalg.norm(jacobian / largest, axis=0)
    scale = np.where(size > 0.0, size, 1.0)
    _, singular, directions = np.linalg.svd(jacobian / scale, full_matrices=False)
    kept = singular > _NULL * singular[0] if singular[0] > 0.0 else np.zeros(len(singular), dtype=bool)
    with np.errstate(over="ignore", under="ignore"):
        variances = np.sum((directions[kept] / singular[kept, None] / scale) ** 2, axis=0)
    covered = np.sum(directions[kept] ** 2, axis=0)  # 1 for a constant that lies wholly in the row space
    return np.where(covered > 1.0 - 1e-6, variances, np.inf), int(kept.sum())


def samples_of(formula: Formula, X: Rows, y: np.ndarray, weights: np.ndarray | None) -> list[Sample]:
    """Return the rows as one sample per output, each on the scale that the output is fitted on."""
    rows = input_rows(X, formula.inputs)
    targets = target_rows(y, len(rows), len(formula.outputs))
    w = np.ones(len(rows)) if weights is None else np.asarray(weights, dtype=float)
    if w.shape != (len(rows),) or not (w >= 0.0).all() or not w.sum() > 0.0:
        raise DatasetError(f"weights: {len(rows)} numbers of 0 or more are needed, one per row and not all 0; got shape {w.shape}.")
    columns = {column.symbol: np.ascontiguousarray(rows[:, i]) for i, column in enumerate(formula.inputs)}
    root = np.sqrt(w / w.mean())
    targets = seen(targets, formula.outputs)
    return [
        Sample(columns, np.ascontiguousarray(targets[:, t]), root, formula.definitions, output.transform) for t, output in enumerate(formula.outputs)
    ]


def _refitted(outputs: Sequence[Output], samples: Sequence[Sample]) -> tuple[Output, ...]:
    return tuple(replace(o, expression=fitted(o.expression, s)) for o, s in zip(outputs, samples, strict=True))


def _of_group(outputs: Sequence[Output], samples: Sequence[Sample], rows: np.ndarray, label: str) -> tuple[Output, ...]:
    """Fit the constants to one group's rows, starting from those of all rows."""
    needed = max(len(free_constants(output.expression)) for output in outputs)
    if rows.sum() < needed:
        raise DatasetError(f"refit(groups=...): group {label!r} has {rows.sum()} rows, and the formula has {needed} constants. Join groups or drop it.")
    own = [replace(s, columns={k: v[rows] for k, v in s.columns.items()}, y=s.y[rows], root_weights=s.root_weights[rows]) for s in samples]
    return _refitted(outputs, own)
