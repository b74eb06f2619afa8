"""Requests that cross a change of page: what is kept from Streamlit, and all that must pass."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from workbench.ui.crossing import Crossing, Itinerary


def ask(page: str, fragment: str = "") -> BackMsg:
    request = BackMsg()
    request.rerun_script.page_script_hash = page
    request.rerun_script.fragment_id = fragment
    return request


def draws(page: str) -> ForwardMsg:
    answer = ForwardMsg()
    answer.new_session.page_script_hash = page
    return answer


def navigates(page: str) -> ForwardMsg:
    answer = ForwardMsg()
    answer.navigation.page_script_hash = page
    return answer


def not_found() -> ForwardMsg:
    answer = ForwardMsg()
    answer.page_not_found.page_name = "nowhere"
    return answer


@pytest.mark.parametrize(
    ("before", "late"),
    [
        ([], False),  # nothing is known yet
        ([draws("bench")], False),
        ([ask("", ""), draws("first"), navigates("bench")], False),  # a page opened by its address is known by name first
        ([draws("bench"), ask("export")], True),  # the new page is asked for
        ([draws("bench"), ask("export"), draws("export")], True),  # and drawn
        ([draws("bench"), ask("export"), draws("bench")], True),  # an answer from before was still under way
        ([draws("bench"), navigates("export")], True),  # the server itself changed the page, as st.switch_page does
        ([draws("export"), ask("export"), draws("export"), navigates("bench")], False),
        ([draws("bench"), ask("export"), ask("bench")], False),  # there and back again
        ([draws("bench"), ask("nowhere"), draws("bench"), not_found()], False),
    ],
)
def test_a_fragment_is_late_when_its_page_was_left(before: list[BackMsg | ForwardMsg], late: bool) -> None:
    itinerary = Itinerary()
    for message in before:
        if isinstance(message, BackMsg):
            assert not itinerary.is_late(message)
        else:
            itinerary.hear(message)
    assert itinerary.is_late(ask("bench", "fragment")) is late


def exchange(came: list[dict[str, Any]], sent: list[dict[str, Any]], kind: str = "websocket") -> tuple[list[Any], list[Any]]:
    """Let an application send and then receive everything through a Crossing; return what each end got."""
    came, got, arrived = [*came], [], []

    async def app(_scope: Any, receive: Any, send: Any) -> None:
        for message in sent:
            await send(message)
        while (message := await receive())["type"] != "websocket.disconnect":
            got.append(message)

    async def receive() -> dict[str, Any]:
        return came.pop(0) if came else {"type": "websocket.disconnect"}

    async def send(message: Any) -> None:
        arrived.append(message)

    asyncio.run(Crossing(app)({"type": kind}, receive, send))
    return got, arrived


def frame(message: BackMsg | ForwardMsg) -> dict[str, Any]:
    return {"type": "websocket.receive" if isinstance(message, BackMsg) else "websocket.send", "bytes": message.SerializeToString()}


def test_only_late_requests_are_kept_from_the_server() -> None:
    heartbeat = BackMsg(app_heartbeat=True)
    passing = [{"type": "websocket.connect"}, frame(ask("bench", "pill")), frame(heartbeat), frame(ask("export")), frame(ask("export", "pill"))]
    answers = [{"type": "websocket.accept"}, frame(draws("bench"))]
    odd = [{"type": "websocket.receive", "text": "?"}, {"type": "websocket.receive", "bytes": b"\xff"}]
    got, arrived = exchange([*passing, frame(ask("bench", "canvas")), *odd], answers)
    assert got == [*passing, *odd]
    assert arrived == answers


def test_two_visitors_do_not_share_an_itinerary() -> None:
    exchange([frame(ask("export"))], [frame(draws("export"))])
    mine = [frame(ask("bench", "canvas"))]
    assert exchange(mine, [frame(draws("bench"))])[0] == mine


def test_other_lines_pass_unread() -> None:
    message = {"type": "http.request", "bytes": b"\xff\xff no message of Streamlit"}
    assert exchange([message], [message], kind="http") == ([message], [message])
