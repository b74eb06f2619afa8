"""Which rows fit, which rows judge, and which rows are kept for the final report.

    rows          kind             train       judged by                                    test
    200 or more   "holdout"        the rest    validation rows (20 %)                       20 %
    30 to 199     "kfold"          the rest    5 folds of the training rows, done twice     20 %
    below 30      "leave_one_out"  all rows    each row by a fit of all the others          none

Test rows are for reporting only: they are in no fold, and nothing is chosen by them.

Three ways to divide. "random": every class, and every group that is fitted on its own, goes to each part in its share. "groups": rows that
belong together (one patient, one sample) never part. "time": what is later is tested, what is earlier is fitted; a fold checks the rows that
follow those it was fitted on (Bergmeir & Benitez 2012 give the reason: neighbours in time know each other).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from workbench.exceptions import DatasetError

Way = Literal["random", "groups", "time"]
SplitKind = Literal["holdout", "kfold", "leave_one_out"]
Fold = tuple[np.ndarray, np.ndarray]

HOLDOUT_ROWS = 200  # from here on validation rows are set apart
FOLD_ROWS = 30  # from here on test rows are set apart
N_FOLDS = 5
N_REPEATS = 2
_WAYS = ("random", "groups", "time")


@dataclass(frozen=True, eq=False)
class Split:
    """The rows of each part, as row numbers of the dataset (int64).

    folds : ((rows to fit on, rows to check on), ...), all among the training rows; empty for "holdout"
    way : how the rows were divided
    """

    kind: SplitKind
    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    folds: tuple[Fold, ...] = ()
    way: Way = "random"

    def without(self, gone: np.ndarray) -> Split:
        """Return the split of the rows that stay, numbered from 0 again; a fold that would fit or check nothing goes as well.

        Parameters
        ----------
        gone : (n_rows,)     whether a row is taken out
        """
        numbers = np.cumsum(~gone) - 1
        train, validation, test = (numbers[part[~gone[part]]] for part in (self.train, self.validation, self.test))
        folds = [tuple(numbers[part[~gone[part]]] for part in fold) for fold in self.folds]
        return Split(self.kind, train, validation, test, tuple(fold for fold in folds if all(map(len, fold))), self.way)

    def __post_init__(self) -> None:
        for rows in (self.train, self.validation, self.test, *(part for fold in self.folds for part in fold)):
            rows.setflags(write=False)


@dataclass(frozen=True)
class SplitPlan:
    """How to divide: the way, the shares of test and validation rows, and the seed."""

    way: Way = "random"
    test_fraction: float = 0.2
    validation_fraction: float = 0.2
    random_state: int = 0

    def __post_init__(self) -> None:
        if self.way not in _WAYS:
            raise DatasetError(f"split={self.way!r}: not a way to divide rows. Allowed: {', '.join(map(repr, _WAYS))}.")
        if not (0 <= self.test_fraction and 0 < self.validation_fraction and self.test_fraction + self.validation_fraction <= 0.8):
            raise DatasetError(
                f"test_fraction={self.test_fraction}, validation_fraction={self.validation_fraction}: test may be 0, validation may not, "
                "and at least 0.2 of the rows must be left to fit."
            )


def divide(n_rows: int, plan: SplitPlan, labels: np.ndarray | None = None, order: np.ndarray | None = None) -> Split:
    """Divide rows as this module's docstring says.

    Parameters
    ----------
    n_rows : how many rows there are
    plan : way, shares and seed
    labels : (n_rows,) "random": the class or group whose share is kept; "groups": what the rows belong to
    order : (n_rows,) "time": rows are sorted by it; None takes them as they stand

    Returns
    -------
    Split
        The same for the same arguments.
    """
    rng = np.random.default_rng(plan.random_state)
    labels = np.zeros(n_rows, dtype=np.int64) if labels is None else labels
    if plan.way == "groups":
        return _by_groups(labels, plan, rng)
    in_order = np.argsort(order, kind="stable") if order is not None else np.arange(n_rows)
    if plan.way == "random":
        in_order = _spread(labels, rng)
    n_test = round(plan.test_fraction * n_rows) if n_rows >= FOLD_ROWS else 0
    n_validation = max(1, round(plan.validation_fraction * n_rows)) if n_rows >= HOLDOUT_ROWS else 0
    train, validation, test = np.split(in_order, [n_rows - n_test - n_validation, n_rows - n_test])
    if plan.way == "random":
        train, validation, test = np.sort(train), np.sort(validation), np.sort(test)
    if n_rows >= HOLDOUT_ROWS:
        return Split("holdout", train, validation, test, way=plan.way)
    if n_rows < FOLD_ROWS:
        return Split("leave_one_out", train, validation, test, tuple((np.delete(train, k), train[k : k + 1]) for k in range(len(train))), plan.way)
    folds = _forward_folds(train) if plan.way == "time" else _random_folds(train, labels[train], rng)
    return Split("kfold", train, validation, test, folds, plan.way)


def _spread(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Shuffle rows so that every stretch of them holds each label in its share; labels of one or two rows come first (training rows)."""
    place = np.empty(len(labels))
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        place[rows] = -1.0 if len(rows) < 3 else (np.arange(len(rows)) + rng.random(len(rows))) / len(rows)
    return np.argsort(place, kind="stable")


def _random_folds(train: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> tuple[Fold, ...]:
    """Deal the rows of each label round the folds, and do it again with another shuffle."""
    folds: list[Fold] = []
    for _ in range(N_REPEATS):
        shuffled = np.concatenate([rng.permutation(train[labels == label]) for label in np.unique(labels)])
        for k in range(N_FOLDS):
            check = np.sort(shuffled[k::N_FOLDS])
            folds.append((np.setdiff1d(train, check), check))
    return tuple(folds)


def _forward_folds(train: np.ndarray) -> tuple[Fold, ...]:
    """Fit on the first k of six stretches of time, check on the next."""
    stretches = np.array_split(train, N_FOLDS + 1)
    return tuple((np.concatenate(stretches[:k]), stretches[k]) for k in range(1, N_FOLDS + 1))


def _by_groups(labels: np.ndarray, plan: SplitPlan, rng: np.random.Generator) -> Split:
    """Divide whole groups of rows."""
    n_rows = len(labels)
    groups = [np.flatnonzero(labels == label) for label in rng.permutation(np.unique(labels))]
    parts_needed = 1 + (n_rows >= FOLD_ROWS and plan.test_fraction > 0) + 1
    if len(groups) < parts_needed:
        raise DatasetError(
            f"The rows belong to {len(groups)} {'group' if len(groups) == 1 else 'groups'}, and {n_rows} rows need at least "
            f"{parts_needed} to be divided. Divide by another column, or at random."
        )
    test = _taken(groups, plan.test_fraction * n_rows, leave=parts_needed - 1) if n_rows >= FOLD_ROWS else []
    validation = _taken(groups, plan.validation_fraction * n_rows, leave=1) if n_rows >= HOLDOUT_ROWS else []
    parts = (_joined(groups), _joined(validation), _joined(test))
    if n_rows >= HOLDOUT_ROWS:
        return Split("holdout", *parts, way="groups")
    if n_rows < FOLD_ROWS:
        return Split("leave_one_out", *parts, _group_folds([[group] for group in groups]), "groups")
    repeats = N_REPEATS if len(groups) > N_FOLDS else 1
    folds = tuple(fold for _ in range(repeats) for fold in _group_folds(_dealt(groups, rng)))
    return Split("kfold", *parts, folds, "groups")


def _taken(groups: list[np.ndarray], wanted: float, leave: int) -> list[np.ndarray]:
    """Take groups off the list until the wanted number of rows is about reached: at least one, and `leave` groups stay."""
    taken: list[np.ndarray] = []
    count = 0.0
    while wanted > 0 and len(groups) > leave and (not taken or count + len(groups[-1]) / 2 <= wanted):
        taken.append(groups.pop())
        count += len(taken[-1])
    return taken


def _dealt(groups: list[np.ndarray], rng: np.random.Generator) -> list[list[np.ndarray]]:
    """Deal groups into folds of about equal size: the largest first, each to the smallest fold."""
    folds: list[list[np.ndarray]] = [[] for _ in range(min(N_FOLDS, len(groups)))]
    shuffled = [groups[k] for k in rng.permutation(len(groups))]
    for group in sorted(shuffled, key=len, reverse=True):
        min(folds, key=lambda fold: sum(map(len, fold))).append(group)
    return folds


def _group_folds(folds: list[list[np.ndarray]]) -> tuple[Fold, ...]:
    train = _joined([group for fold in folds for group in fold])
    return tuple((np.setdiff1d(train, _joined(fold)), _joined(fold)) for fold in folds)


def _joined(groups: list[np.ndarray]) -> np.ndarray:
    return np.sort(np.concatenate(groups)) if groups else np.empty(0, dtype=np.int64)
