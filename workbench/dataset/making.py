"""Make a dataset: choose inputs, leave out rows that cannot be used, divide the rest, and say everything that was done.

The steps, in this order. Values are read by role; a row that lacks one of them is left out with its reason; the rows that stay are divided;
inputs that are constant on the training rows, or copies of another column, are left out; missing inputs are filled if that was asked for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from workbench.dataset.data import Categories, Dataset, LeftOut, Missing, Task
from workbench.dataset.encoding import Input, codes_of, inputs_of, labels_of, matrix
from workbench.dataset.roles import Roles
from workbench.dataset.split import FOLD_ROWS, N_FOLDS, N_REPEATS, Split, SplitPlan, divide
from workbench.exceptions import DatasetError
from workbench.table import Note, Table, content_key, counted, described, is_constant, listed

MIN_ROWS = 3
MAX_INPUTS = 200
MAX_CLASSES = 100
_ROW_NUMBERS = re.compile(r"(column \d+|unnamed.*|index|id|row|row number|number|no\.?|nr\.?|#)( \(\d+\))?", re.IGNORECASE)


@dataclass(frozen=True)
class Choices:
    """What a person decided beside the roles of the columns."""

    task: Task = "regression"
    categories: Categories = "indicators"
    missing: Missing = "drop"
    split_by: str | None = None

    def __post_init__(self) -> None:
        for name, allowed in (
            ("task", ("regression", "classification")),
            ("categories", ("indicators", "group", "ignore")),
            ("missing", ("drop", "median")),
        ):
            if getattr(self, name) not in allowed:
                raise DatasetError(f"{name}={getattr(self, name)!r}: allowed are {', '.join(map(repr, allowed))}.")


@dataclass(frozen=True, eq=False)
class _Values:
    """Everything of the table that has a role, for all rows; NaN, or code -1, where it is missing."""

    X: np.ndarray
    y: np.ndarray
    spread: np.ndarray | None  # the column of weights, or of measurement errors
    groups: np.ndarray | None
    group_labels: tuple[str, ...]
    classes: tuple[str | float, ...]

    def rows(self, keep: np.ndarray) -> _Values:
        """Return some rows, with the classes and groups that these rows have."""
        y, spread = self.y[keep], None if self.spread is None else self.spread[keep]
        groups, labels, classes = None, (), self.classes
        if self.groups is not None:
            groups, labels = _renumbered(self.groups[keep], self.group_labels)
        if classes:
            codes, classes = _renumbered(y[:, 0].astype(np.int64), classes)
            y = codes[:, None].astype(np.float64)
        return _Values(self.X[keep], y, spread, groups, labels, classes)


def make_dataset(table: Table, roles: Roles, choices: Choices, plan: SplitPlan) -> Dataset:
    """Return the dataset of a table whose columns have their roles."""
    notes: list[Note] = []
    roles, inputs = _choose_inputs(table, roles, choices, plan, notes)
    values = _values(table, roles, inputs, choices)
    left_out = _rows_to_leave_out(table, roles, inputs, values, choices)
    usable = np.ones(table.n_rows, dtype=bool)
    for left in left_out:
        usable[left.rows] = False
    keep = np.flatnonzero(usable)
    notes.extend(Note("rows", (), f"Left out: {counted((left.rows + 1).tolist())}, because {left.reason}.") for left in left_out)
    _check_enough(table, keep, left_out, choices)
    values = _settle_groups(values.rows(keep), roles, notes)
    _check_targets(table, roles, values, choices)
    split = _divide(table, keep, values, choices, plan)
    inputs, X = _settle_inputs(inputs, values, roles, split, choices, notes)
    weights, errors = _weights(roles, values, notes)
    notes.append(_about_split(split, len(keep)))
    return Dataset(
        name=table.name, table=table, inputs=inputs, targets=tuple(table.column(name) for name in roles.targets), X=X, y=values.y, rows=keep,
        split=split, weights=weights, errors=errors, groups=values.groups,
        group_columns=roles.groups if values.group_labels else (), group_labels=values.group_labels,
        task=choices.task, classes=values.classes, notes=(*table.notes, *notes), left_out=left_out,
    )  # fmt: skip


def _renumbered(codes: np.ndarray, labels: tuple) -> tuple[np.ndarray, tuple]:
    """Number labels from 0 again after some of them have lost all their rows."""
    used, numbers = np.unique(codes, return_inverse=True)
    return numbers.astype(np.int64), tuple(labels[code] for code in used)


def _choose_inputs(table: Table, roles: Roles, choices: Choices, plan: SplitPlan, notes: list[Note]) -> tuple[Roles, tuple[Input, ...]]:
    """Decide what each column that may be an input becomes; categories may become the groups."""
    if choices.categories == "group":
        categories = tuple(name for name in roles.inputs if table.column(name).kind == "category" and name != choices.split_by)
        roles = replace(roles, groups=(*roles.groups, *categories), inputs=tuple(name for name in roles.inputs if name not in categories))
    found: list[Input] = []
    for name in roles.inputs:
        reason = _reason_to_skip(table, name, name in roles.chosen, choices, plan)
        if reason:
            notes.append(Note("ignored", (name,), f"Column {name!r} is no input: {reason}."))
        else:
            made = inputs_of(table, name)
            found.extend(made)
            notes.extend(_about_input(made))
    if len(found) > MAX_INPUTS:
        raise DatasetError(
            f"{len(found):,} columns could be inputs; at most {MAX_INPUTS} can be read as a law. Name those that matter as features."
        )
    if not found:
        raise DatasetError(f"There is no input: no column but the target holds numbers, dates or categories. Columns: {listed(table.names)}.")
    return roles, tuple(found)


def _reason_to_skip(table: Table, name: str, chosen: bool, choices: Choices, plan: SplitPlan) -> str:
    """Return why a column gives no input, or "" when it gives one."""
    kind, values = table.column(name).kind, table.values[name]
    if kind == "text":
        if chosen:
            raise DatasetError(
                f"Column {name!r} holds text, which cannot be an input. Allowed are numbers, dates, yes/no values and categories that return."
            )
        return "it holds text"
    if kind == "category" and choices.categories == "ignore":
        return "categories are ignored, as asked for"
    if chosen:
        return ""
    if plan.way == "groups" and name == choices.split_by:
        return "it says which rows belong together"
    if kind == "number" and _counts_rows(name, values):
        return "it numbers the rows"
    return ""


def _counts_rows(name: str, values: np.ndarray) -> bool:
    return bool(_ROW_NUMBERS.fullmatch(name)) and values[0] in (0, 1) and np.array_equal(values, np.arange(len(values)) + values[0])


def _about_input(made: Sequence[Input]) -> list[Note]:
    first = made[0] if made else None
    if first and first.how == "date":
        unit = "days" if first.column.unit == "d" else "seconds"
        return [Note("date", (first.source,), f"Column {first.source!r} is counted in {unit} since {first.origin.removesuffix('T00:00:00.000000')}.")]
    if first and first.how == "indicator":
        names = listed([one.column.name for one in made], 6)
        return [Note("category", (first.source,), f"Column {first.source!r} became {names}: 1 where it is so, else 0; {first.levels[0]!r} is all 0.")]
    return []


def _values(table: Table, roles: Roles, inputs: tuple[Input, ...], choices: Choices) -> _Values:
    y, classes = _class_codes(table, roles) if choices.task == "classification" else (_number_targets(table, roles), ())
    column = roles.weight or roles.error
    spread = _finite(table, column, "a weight" if roles.weight else "a measurement error") if column else None
    groups, labels = None, ()
    if roles.groups:
        texts = labels_of(table, roles.groups)
        labels = tuple(sorted({text for text in texts if text is not None}))
        groups = codes_of(texts, labels)
    return _Values(matrix(table, inputs), y, spread, groups, labels, classes)


def _number_targets(table: Table, roles: Roles) -> np.ndarray:
    return np.stack([_finite(table, name, "a target") for name in roles.targets], axis=1)


def _class_codes(table: Table, roles: Roles) -> tuple[np.ndarray, tuple[str | float, ...]]:
    """Return (n_rows, 1) codes of the classes, NaN where the class is missing, and the classes in order."""
    if len(roles.targets) > 1:
        raise DatasetError(f"A classification takes one target, not {len(roles.targets)}: {listed(roles.targets)}. Choose one of them.")
    name = roles.targets[0]
    if table.column(name).kind == "date":
        raise DatasetError(f"Target {name!r} holds dates, which are no classes. Allowed are categories, text, yes/no values and numbers.")
    values = table.values[name]
    missing = table.missing(name)
    classes = tuple(sorted(set(values[~missing].tolist())))
    if len(classes) > MAX_CLASSES:
        raise DatasetError(
            f"Target {name!r} has {len(classes)} different values; a classification has at most {MAX_CLASSES}. "
            "Choose regression as the task: it is for measurements."
        )
    place = {label: float(code) for code, label in enumerate(classes)}
    return np.array([[np.nan if gone else place[value]] for value, gone in zip(values.tolist(), missing)]), classes


def _finite(table: Table, name: str, role: str) -> np.ndarray:
    """Return a column of numbers with NaN where it is missing or infinite."""
    kind = table.column(name).kind
    if kind != "number":
        hint = " For classes, choose classification as the task (in Python, task='classification')." if role == "a target" and kind in ("text", "category", "boolean") else ""
        raise DatasetError(f"Column {name!r} holds {described(kind)} and cannot be {role}: {role} is a column of numbers.{hint}")
    values = table.numbers(name)
    return np.where(np.isfinite(values), values, np.nan)


def _settle_groups(values: _Values, roles: Roles, notes: list[Note]) -> _Values:
    """Say what the groups are; one group is none, and too many cannot be fitted one by one."""
    if values.groups is None:
        return values
    n_groups, n_rows = len(values.group_labels), len(values.groups)
    name = " · ".join(roles.groups)
    if n_groups == 1:
        notes.append(Note("group", roles.groups, f"All rows belong to one group of {name!r}: there is one fit."))
        return replace(values, groups=None, group_labels=())
    if MIN_ROWS * n_groups > n_rows:
        raise DatasetError(
            f"{name!r} has {n_groups} groups in {n_rows} rows; a fit for each needs at least {MIN_ROWS} rows a group. Make it an input, or ignore it."
        )
    notes.append(
        Note(
            "group",
            roles.groups,
            f"Each of the {n_groups} groups of {name!r} has its own constants in one shared form: {listed(values.group_labels)}.",
        )
    )
    return values


def _rows_to_leave_out(table: Table, roles: Roles, inputs: tuple[Input, ...], values: _Values, choices: Choices) -> tuple[LeftOut, ...]:
    """Return the rows that lack something, each under the first thing it lacks."""
    lacking = [(_infinite(table, name), f"the target {name!r} is infinite") for name in roles.targets]
    lacking += [(np.isnan(values.y[:, k]), f"the target {name!r} is missing") for k, name in enumerate(roles.targets)]
    if values.spread is not None and roles.weight:
        if (values.spread < 0).any():
            raise DatasetError(f"The weights in {roles.weight!r} must not be negative; the smallest is {np.nanmin(values.spread):g}.")
        lacking.append((np.isnan(values.spread), f"the weight {roles.weight!r} is missing"))
    if values.spread is not None and roles.error:
        lacking.append((~(values.spread > 0), f"the measurement error {roles.error!r} is missing or not positive"))
    if values.groups is not None:
        lacking.append((values.groups < 0, f"the group {' · '.join(roles.groups)!r} is missing"))
    for k, made in enumerate(inputs):
        if choices.missing == "drop" or made.how == "indicator":
            lacking.append((_infinite(table, made.source), f"the input {made.source!r} is infinite"))
            lacking.append((np.isnan(values.X[:, k]), f"the input {made.source!r} is missing"))
    gone = np.zeros(table.n_rows, dtype=bool)
    left_out = []
    for lacks, reason in lacking:
        rows = np.flatnonzero(lacks & ~gone)
        gone |= lacks
        if len(rows):
            left_out.append(LeftOut(rows, reason))
    return tuple(left_out)


def _infinite(table: Table, name: str) -> np.ndarray:
    values = table.values[name]
    return np.isinf(values) if values.dtype.kind == "f" else np.zeros(table.n_rows, dtype=bool)


def _check_enough(table: Table, keep: np.ndarray, left_out: tuple[LeftOut, ...], choices: Choices) -> None:
    if len(keep) >= MIN_ROWS:
        return
    if not left_out:
        raise DatasetError(f"The table has {table.n_rows} {'row' if table.n_rows == 1 else 'rows'}; at least {MIN_ROWS} are needed to see a law.")
    reasons = "; ".join(f"{len(left.rows)} because {left.reason}" for left in sorted(left_out, key=lambda left: -len(left.rows))[:3])
    filled = ", or have its gaps filled with its median (in Python, missing='median')" if choices.missing == "drop" else ""
    lacking = any(left.reason.startswith("the input") for left in left_out)
    advice = f"Ignore that input{filled}." if lacking else "Fill in the values, or choose another column."
    raise DatasetError(f"Of {table.n_rows} rows {len(keep)} can be used, and {MIN_ROWS} are needed: {reasons}. {advice}")


def _check_targets(table: Table, roles: Roles, values: _Values, choices: Choices) -> None:
    for k, name in enumerate(roles.targets):
        if is_constant(values.y[:, k]):
            value = values.classes[int(values.y[0, k])] if choices.task == "classification" else values.y[0, k]
            raise DatasetError(f"The target {name!r} is {value!s} in every row that can be used: there is nothing to explain. Choose another target.")


def _divide(table: Table, keep: np.ndarray, values: _Values, choices: Choices, plan: SplitPlan) -> Split:
    """Divide the rows that are kept, in the way asked for."""
    if plan.way == "groups":
        if choices.split_by is None:
            raise DatasetError("To divide by groups, choose the column that says which rows belong together (in Python, split_by=...).")
        labels = labels_of(table, (choices.split_by,))[keep]
        known = tuple(sorted({label for label in labels if label is not None}))
        codes = codes_of(labels, known)
        alone = codes < 0
        codes[alone] = len(known) + np.arange(alone.sum())  # a row of no known group is a group of its own
        return divide(len(keep), plan, labels=codes)
    if plan.way == "time":
        return divide(len(keep), plan, order=_times(table, choices.split_by, keep) if choices.split_by else None)
    if choices.split_by is not None:
        raise DatasetError(f"Rows cannot be divided by {choices.split_by!r} at random. Divide by groups or by time (in Python, split='groups' or split='time').")
    labels = values.y[:, 0].astype(np.int64) if choices.task == "classification" else values.groups
    return divide(len(keep), plan, labels=labels)


def _times(table: Table, name: str, keep: np.ndarray) -> np.ndarray:
    if table.column(name).kind not in ("number", "date"):
        raise DatasetError(f"Rows cannot be divided in time by {name!r}: it holds {described(table.column(name).kind)}. Choose a column of dates or numbers.")
    if table.missing(name)[keep].any():
        raise DatasetError(f"Rows cannot be divided in time by {name!r}: {int(table.missing(name)[keep].sum())} rows have none. Fill it in, or leave these rows out.")
    return table.values[name][keep]


def _settle_inputs(
    inputs: tuple[Input, ...], values: _Values, roles: Roles, split: Split, choices: Choices, notes: list[Note]
) -> tuple[tuple[Input, ...], np.ndarray]:
    """Fill in medians where asked for, and leave out inputs that are constant or copies."""
    X = values.X
    seen = {content_key(values.y[:, k]): name for k, name in enumerate(roles.targets)}
    kept: list[int] = []
    settled: list[Input] = []
    for k, made in enumerate(inputs):
        if choices.missing == "median" and made.how != "indicator":
            made, X[:, k] = _filled(made, X[:, k], split, notes)
        reason = ""
        first = seen.get(content_key(X[:, k]))
        if is_constant(X[split.train, k]):
            reason = "it has the same value in every row that is fitted"
        elif first is not None and not (first in roles.targets and made.source in roles.chosen):
            reason = f"it is a copy of {first!r}"
        if reason:
            notes.append(Note("ignored", (made.source,), f"Column {made.column.name!r} is no input: {reason}."))
            continue
        seen.setdefault(content_key(X[:, k]), made.column.name)
        kept.append(k)
        settled.append(made)
    if not settled:
        raise DatasetError(
            f"There is no input left: {listed([made.column.name for made in inputs])} {'is' if len(inputs) == 1 else 'are'} constant, or copies."
        )
    return tuple(settled), np.ascontiguousarray(X[:, kept])


def _filled(made: Input, values: np.ndarray, split: Split, notes: list[Note]) -> tuple[Input, np.ndarray]:
    """Fill missing values with the median of the training rows, so that nothing of the test rows leaks into the fit."""
    known = values[split.train][~np.isnan(values[split.train])]
    if not len(known):
        return made, np.zeros_like(values)
    made = replace(made, fill=float(np.median(known)))
    gaps = np.isnan(values)
    if gaps.any():
        text = (
            f"Column {made.source!r}: {gaps.sum()} missing {'value was' if gaps.sum() == 1 else 'values were'} filled with the median {made.fill:g}."
        )
        notes.append(Note("missing", (made.source,), text))
    return made, np.where(gaps, made.fill, values)


def _weights(roles: Roles, values: _Values, notes: list[Note]) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Return weights of mean 1, and the measurement errors where they were given."""
    if values.spread is None:
        return None, None
    if roles.error:
        smallest = values.spread.min()
        weights = (smallest / values.spread) ** 2  # 1 / error^2 up to a factor, without overflow
        notes.append(Note("weight", (roles.error,), f"Rows are weighted by 1 / {roles.error}**2, so that exact measurements count more."))
        return weights / weights.mean(), values.spread
    if not values.spread.any():
        raise DatasetError(f"All weights in {roles.weight!r} are 0. Give at least some rows a weight.")
    notes.append(Note("weight", (str(roles.weight),), f"Rows are weighted by {roles.weight!r}, scaled to a mean of 1."))
    return values.spread / values.spread.mean(), None


def _about_split(split: Split, n_rows: int) -> Note:
    held = {"random": "drawn at random", "groups": "whole groups", "time": "the last in time"}[split.way]
    if split.kind == "leave_one_out":
        return Note(
            "split",
            (),
            f"{n_rows} rows are too few to set any apart (fewer than {FOLD_ROWS}): each is judged by a fit of the others, without a test.",
        )
    test = (
        f"{len(split.test)} of {n_rows} rows ({held}) are kept for the final report"
        if len(split.test)
        else f"None of the {n_rows} rows is kept for a test"
    )
    if split.kind == "holdout":
        return Note("split", (), f"{test}, {len(split.validation)} judge, {len(split.train)} are fitted.")
    times = f", done {N_REPEATS} times" if len(split.folds) == N_FOLDS * N_REPEATS else ""
    n_folds = len(split.folds) // (2 if times else 1)
    return Note("split", (), f"{test}; the other {len(split.train)} are fitted and judged in {n_folds} folds{times}.")
