"""The sample task of transformers: the digits are learned, and every activation function gets a name at next to no cost."""

from __future__ import annotations

import statistics

import pytest

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
