"""The tree of states as a list."""

from __future__ import annotations

import pytest

from workbench.store import Step
from workbench.ui.state.history import change_of, lines


def step(number: int, parent: int | None, redo: int | None = None, name: str = "snap", r2: float = 0.5, dataset: int = 1) -> Step:
    return Step(number, parent, redo, dataset, f"move {number}", {"name": name, "arguments": {}}, {"r2_validation": r2}, 0.0)


#   1 ── 2 ── 3
#        └─── 4 ── 5      redo leads from 2 to 4
TREE = [
    step(1, None, 2, "fit", 0.90), step(2, 1, 4, "snap", 0.93), step(3, 2, None, "snap", 0.71), step(4, 2, 5, "prune", 0.92),
    step(5, 4, None, "refit", 0.95),
]  # fmt: skip


def test_a_branch_stands_under_the_state_it_left_from_set_in_by_one() -> None:
    assert [(line.state, line.depth) for line in lines(TREE, 5)] == [(1, 0), (2, 0), (3, 1), (4, 0), (5, 0)]


def test_the_way_back_is_marked_and_so_is_where_one_is() -> None:
    found = {line.state: line for line in lines(TREE, 3)}
    assert [state for state, line in found.items() if line.on_path] == [1, 2, 3]
    assert [state for state, line in found.items() if line.here] == [3]


def test_every_move_says_what_it_changed_and_a_fit_is_compared_with_nothing() -> None:
    changes = {line.state: line.change for line in lines(TREE, 5)}
    assert changes[1] is None
    assert changes[3] == pytest.approx(0.71 - 0.93)
    assert changes[5] == pytest.approx(0.03)


def test_states_of_other_data_are_not_compared() -> None:
    steps = [step(1, None, 2, "fit", 0.9), step(2, 1, None, "refit", 0.2, dataset=2)]
    assert change_of(steps[1], steps) is None


def test_no_history_is_no_lines() -> None:
    assert lines([], None) == ()


def test_a_thousand_states_in_one_line_are_no_problem() -> None:
    steps = [step(k, k - 1 or None, k + 1) for k in range(1, 1001)]
    assert [line.state for line in lines(steps, 1000)] == list(range(1, 1001))
    assert {line.depth for line in lines(steps, 1000)} == {0}
