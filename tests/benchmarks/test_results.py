"""The table says what was measured and nothing else."""

from __future__ import annotations

import pytest

from benchmarks.results import seconds, to_markdown
from benchmarks.timing import Bench, Row, in_turn


@pytest.mark.parametrize(
    ("ours", "theirs", "verdict"),
    [((1.0, 2.0, 4.0), (50.0, 100.0, 200.0), "stretch"), ((1.0,), (12.0,), "gate"), ((1.0,), (9.9,), "no"), ((1.0,), (), "not measured")],
)
def test_a_ratio_is_judged_by_its_gate_and_stretch(ours: tuple, theirs: tuple, verdict: str) -> None:
    assert Row("x", gate=10, stretch=50, ours=ours, theirs=theirs, peer="somebody").verdict == verdict


@pytest.mark.parametrize(("ours", "verdict"), [((0.2, 0.3, 9.0), "stretch"), ((0.9,), "gate"), ((1.1, 1.2), "no"), ((), "not measured")])
def test_a_time_is_judged_by_its_median(ours: tuple, verdict: str) -> None:
    assert Row("x", gate=1.0, stretch=0.3, ours=ours).verdict == verdict


def test_what_never_gets_there_is_a_no_and_not_a_gap() -> None:
    assert Row("x", gate=10, stretch=50, theirs=(3.0,), peer="somebody", never=True).verdict == "no"


def test_the_ratio_is_the_median_over_pairs_taken_in_turn() -> None:
    row = Row("x", 1, 2, ours=(1.0, 10.0, 1.0), theirs=(3.0, 50.0, 4.0), peer="somebody")     # the second pair met a slow machine
    assert row.ratio == 4.0


def test_sides_take_turns_after_one_call_that_is_not_counted() -> None:
    calls = []
    taken = in_turn({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, rounds=3, sample=0.0)
    assert calls == ["a", "a", "b", "b"] + ["a", "b"] * 3
    assert {name: len(seconds) for name, seconds in taken.items()} == {"a": 3, "b": 3}


@pytest.mark.parametrize(("value", "text"), [(17.25, "17.2 s"), (1.0, "1 s"), (0.0123, "12.3 ms"), (4.5e-5, "45 us"), (2e-7, "0.2 us")])
def test_a_time_is_written_in_the_unit_that_suits_it(value: float, text: str) -> None:
    assert seconds(value) == text


def test_what_was_not_run_stands_in_the_table_with_its_reason() -> None:
    text = to_markdown([Row("a fit", 100, 500, peer="pykan", note="pykan is not installed")], Bench(), None)
    assert "| a fit | - | pykan | - | - | 100x | 500x | not measured |" in text
    assert "1. a fit: pykan is not installed." in text
