"""What a browser may send, and what it may not."""

from __future__ import annotations

import math

import pytest

from workbench.exceptions import UnknownEdgeError, WorkbenchError
from workbench.ui.canvas import Action, edge_id, parse_actions, parse_edge


def test_nothing_triggered_is_no_action() -> None:
    assert parse_actions(None) == ()


def test_an_action_is_read_whole() -> None:
    payload = [{"op": "snap", "edge": "1.7.13", "form": "sin", "parameters": {"a": 3, "b": -0.5}, "order": 17}]
    assert parse_actions(payload) == (Action("snap", 17, (1, 7, 13), form="sin", parameters={"a": 3.0, "b": -0.5}),)


def test_actions_that_were_done_are_not_done_again() -> None:
    payload = [{"op": "undo", "order": number} for number in (3, 5, 8)]
    assert [action.order for action in parse_actions(payload, after=5)] == [8]


def test_history_needs_no_edge() -> None:
    assert parse_actions([{"op": "redo", "edge": None, "order": 1}]) == (Action("redo", 1),)


@pytest.mark.parametrize(
    "wrong",
    [
        "snap", {"op": "snap"}, [7], [{"op": "erase", "order": 1}], [{"op": ["snap"], "order": 1}], [{"op": "undo"}], [{"op": "undo", "order": True}],
        [{"op": "undo", "order": 1}] * 9, [{"op": "snap", "order": 1, "edge": "0.0"}], [{"op": "snap", "order": 1, "edge": "0.0.0", "form": 3}],
        [{"op": "fit_form", "order": 1, "edge": "0.0.0", "text": "x" * 501}], [{"op": "snap", "order": 1, "edge": "0.0.0", "parameters": {"a": math.nan}}],
        [{"op": "snap", "order": 1, "edge": "0.0.0", "parameters": {"a": "1"}}], [{"op": "snap", "order": 1, "edge": "0.0.0", "parameters": [1.0]}],
        [{"op": "snap", "order": 1, "edge": "0.0.0", "parameters": {f"p{k}": 1.0 for k in range(17)}}],
    ],
)  # fmt: skip
def test_a_payload_that_is_not_ours_is_refused_with_a_sentence(wrong: object) -> None:
    with pytest.raises(WorkbenchError, match=r"\.$"):
        parse_actions(wrong)


@pytest.mark.parametrize("address", [(0, 0, 0), (2, 11, 5)])
def test_an_edge_keeps_its_address(address: tuple[int, int, int]) -> None:
    assert parse_edge(edge_id(address)) == address


@pytest.mark.parametrize("text", ["", "0.1", "0.1.2.3", "a.b.c", "-1.0.0", "0.0.٣", "0..1", None, 5, "1" * 10 + ".0.0"])
def test_what_is_no_address_is_refused(text: object) -> None:
    with pytest.raises(UnknownEdgeError, match="layer.source.target"):
        parse_edge(text)
