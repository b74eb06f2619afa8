"""The sample task of transformers: the digits are learned, and every activation function gets a name at next to no cost."""

from __future__ import annotations

import statistics
import time

import pytest

import workbench as wb
from benchmarks.digits import ACCURACY, COMPLEXITY, LOST, SEEDS, outcome


@pytest.mark.slow
def test_the_digits_are_learned_within_a_minute_and_every_activation_is_named() -> None:
    outcomes = [outcome(seed) for seed in SEEDS]
    assert statistics.median(one.opened for one in outcomes) >= ACCURACY
    assert statistics.median(one.training for one in outcomes) <= 60.0  # CPU seconds, of two cores that a person would wait for less
    assert statistics.median(one.opened - one.named for one in outcomes) <= LOST
    for one in outcomes:
        assert len(one.functions) == 16  # two blocks, two activations each, four groups each
        assert max(complexity for _, _, complexity, *_ in one.functions) <= COMPLEXITY
        assert {channels for *_, channels, _ in one.functions} == {12, 24}


@pytest.mark.slow
def test_the_task_of_the_app_learns_from_three_fifths_of_the_rows_and_is_named_as_cheaply() -> None:
    data, scores, seconds = wb.load_sample("digits"), [], []
    for seed in SEEDS:
        began = time.process_time()
        trained = wb.Transformer.fit(data, random_state=seed)
        seconds.append(time.process_time() - began)
        *_, named = trained.names(COMPLEXITY)
        scores.append((trained.metrics()["r2_test"], named.metrics()["r2_test"]))
        assert named.metrics()["n_symbolic"] == 16
    assert statistics.median(before for before, _ in scores) >= ACCURACY
    assert statistics.median(before - after for before, after in scores) <= LOST
    assert statistics.median(seconds) <= 60.0
