"""Splits: who fits, who judges, who is kept for the report; for every size, the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from workbench.dataset import SplitPlan, divide
from workbench.exceptions import DatasetError


def parts_of(split):
    return np.concatenate([split.train, split.validation, split.test])


def assert_honest(split, n_rows):
    """Every row is in one part, and folds never see test or validation rows, nor check a row they were fitted on."""
    assert_array_equal(np.sort(parts_of(split)), np.arange(n_rows))
    for fit, check in split.folds:
        assert len(fit)
        assert len(check)
        assert not set(fit) & set(check)
        assert set(fit) | set(check) <= set(split.train)
    assert all(rows.dtype == np.int64 for rows in (split.train, split.validation, split.test, *(rows for fold in split.folds for rows in fold)))


@given(n_rows=st.integers(3, 700), way=st.sampled_from(["random", "time"]), seed=st.integers(0, 99))
def test_parts_cover_all_rows_once_and_folds_stay_among_the_training_rows(n_rows, way, seed):
    split = divide(n_rows, SplitPlan(way, random_state=seed))
    assert_honest(split, n_rows)
    assert split.kind == ("leave_one_out" if n_rows < 30 else "kfold" if n_rows < 200 else "holdout")


@pytest.mark.parametrize(
    ("n_rows", "kind", "sizes", "n_folds"),
    [(29, "leave_one_out", (29, 0, 0), 29), (30, "kfold", (24, 0, 6), 10), (199, "kfold", (159, 0, 40), 10), (200, "holdout", (120, 40, 40), 0)],
)
def test_the_number_of_rows_decides_how_a_fit_is_judged(n_rows, kind, sizes, n_folds):
    split = divide(n_rows, SplitPlan())
    assert (split.kind, len(split.folds)) == (kind, n_folds)
    assert (len(split.train), len(split.validation), len(split.test)) == sizes


def test_leave_one_out_checks_every_row_once_by_all_the_others():
    split = divide(7, SplitPlan())
    assert [check.tolist() for _, check in split.folds] == [[k] for k in range(7)]
    assert all(len(fit) == 6 for fit, _ in split.folds)


def test_each_repeat_of_the_folds_checks_every_training_row_once():
    split = divide(101, SplitPlan(random_state=3))
    for repeat in (split.folds[:5], split.folds[5:]):
        assert_array_equal(np.sort(np.concatenate([check for _, check in repeat])), split.train)
    assert any(not np.array_equal(first[1], second[1]) for first, second in zip(split.folds[:5], split.folds[5:]))


@pytest.mark.parametrize("n_rows", [23, 101, 401])
def test_the_same_seed_gives_the_same_split_and_another_seed_another(n_rows):
    first, again, other = (divide(n_rows, SplitPlan(random_state=seed)) for seed in (5, 5, 7))
    assert_array_equal(parts_of(first), parts_of(again))
    assert all(np.array_equal(a, b) for fold, same in zip(first.folds, again.folds) for a, b in zip(fold, same))
    if n_rows >= 30:
        assert not np.array_equal(first.test, other.test)


def test_a_split_does_not_touch_the_global_generator():
    np.random.default_rng(0)
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    divide(401, SplitPlan())
    assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


@given(n_rows=st.integers(60, 500), seed=st.integers(0, 20))
def test_every_class_goes_to_every_part_in_its_share(n_rows, seed):
    labels = (np.arange(n_rows) % 10 == 0).astype(np.int64)
    split = divide(n_rows, SplitPlan(random_state=seed), labels=labels)
    for part in (split.test, split.validation if n_rows >= 200 else split.test):
        assert abs(labels[part].sum() - 0.2 * labels.sum()) <= 1.5
    for _, check in split.folds:
        assert abs(labels[check].sum() - labels[split.train].sum() / 5) < 1


def test_a_class_of_one_row_is_a_training_row():
    labels = np.zeros(211, dtype=np.int64)
    labels[17] = 1
    for seed in range(20):
        assert 17 in divide(211, SplitPlan(random_state=seed), labels=labels).train


@given(sizes=st.lists(st.integers(1, 60), min_size=3, max_size=20), seed=st.integers(0, 20))
def test_rows_of_one_group_never_part(sizes, seed):
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))
    split = divide(len(labels), SplitPlan("groups", random_state=seed), labels=labels)
    assert_honest(split, len(labels))
    parts = [set(labels[rows]) for rows in (split.train, split.validation, split.test)]
    assert sum(map(len, parts)) == len(set.union(*parts))  # no group is in two parts
    assert all(not set(labels[fit]) & set(labels[check]) for fit, check in split.folds)
    if len(labels) >= 200:
        assert parts[1]
    if len(labels) >= 30:
        assert parts[2]


@pytest.mark.parametrize(("n_rows", "n_groups"), [(23, 1), (101, 2), (401, 2)])
def test_too_few_groups_are_refused(n_rows, n_groups):
    with pytest.raises(DatasetError, match="need at least"):
        divide(n_rows, SplitPlan("groups"), labels=np.arange(n_rows) % n_groups)


def test_in_time_the_last_rows_are_tested_and_folds_look_forward():
    time = np.random.default_rng(0).permutation(211).astype(float)
    split = divide(211, SplitPlan("time"), order=time)
    assert time[split.train].max() < time[split.validation].min()
    assert time[split.validation].max() < time[split.test].min()
    folds = divide(101, SplitPlan("time"), order=time[:101]).folds
    assert len(folds) == 5
    assert all(time[fit].max() < time[check].min() for fit, check in folds)


def test_no_test_rows_on_demand():
    split = divide(101, SplitPlan(test_fraction=0.0))
    assert (len(split.train), len(split.test)) == (101, 0)


@pytest.mark.parametrize(
    "wrong", [{"way": "shuffle"}, {"test_fraction": -0.1}, {"validation_fraction": 0.0}, {"test_fraction": 0.5, "validation_fraction": 0.4}]
)
def test_impossible_plans_are_refused(wrong):
    with pytest.raises(DatasetError, match="Allowed|must be left to fit"):
        SplitPlan(**wrong)


@pytest.mark.parametrize("n_rows", [23, 61, 307])
def test_rows_that_are_taken_out_leave_the_others_in_their_parts(n_rows: int) -> None:
    before = divide(n_rows, SplitPlan())
    gone = np.zeros(n_rows, dtype=bool)
    gone[[2, 5, 17]] = True
    after, kept = before.without(gone), np.flatnonzero(~gone)
    for part in ("train", "validation", "test"):
        assert kept[getattr(after, part)].tolist() == [row for row in getattr(before, part) if not gone[row]]
    for fit, check in after.folds:
        assert len(fit)
        assert len(check)
        assert not set(fit) & set(check)
    assert len(after.folds) == (n_rows - 3 if n_rows == 23 else len(before.folds))
