"""Requests that cross a change of page on the wire: they are of no use any more, and must not be answered.

A person leaves the Workbench, and before the new page has reached the browser a fragment of the old one asks to be run
again, because a job has news or an edge was clicked:

    browser   open Export    run the bench of Workbench         (Export is shown, then all of it vanishes)
    server         Export runs ...  the bench is gone: nothing is run, under the address of Workbench

Streamlit 1.67 answers both, the later one as a run of the page that was left. The bench is not there any more, so nothing
is drawn; the browser sees that the page has changed once more, and takes down what belongs to Export: it stays blank. Or,
where both arrive together, they become one run of the page that was left, and the click on Export is lost. Streamlit
itself ends the timers of a page when it is left, for the same reason; here the other requests of its fragments end too.
"""

from __future__ import annotations

from google.protobuf.message import DecodeError
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg


class Itinerary:
    """Which page one visitor is on, as both ends of the line will soon agree.

    A request for a whole page counts as soon as it is made, and until it is answered: what is under way to the browser
    may still be about the page before. Otherwise the page is the one that the server told last.
    """

    def __init__(self) -> None:
        self._asked = self._told = ""  # hashes of pages; "" is not known

    def is_late(self, request: BackMsg) -> bool:
        """Say whether a request is about a fragment of a page that was left; take note of where others lead."""
        if request.WhichOneof("type") != "rerun_script":
            return False
        rerun = request.rerun_script
        if not rerun.fragment_id:
            self._asked = rerun.page_script_hash
            return False
        page = self._asked or self._told
        return bool(page and rerun.page_script_hash) and rerun.page_script_hash != page

    def hear(self, answer: ForwardMsg) -> None:
        """Take note of the page that the server says it draws."""
        kind = answer.WhichOneof("type")
        if kind in ("new_session", "navigation"):
            self._told = getattr(answer, kind).page_script_hash or self._told
        if kind == "page_not_found" or self._told == self._asked:
            self._asked = ""


class Crossing:
    """Keep late requests from Streamlit's line to the browser; everything else passes as it is."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await self.app(scope, receive, send)
            return
        itinerary = Itinerary()

        async def receive_in_time() -> Message:
            while True:
                message = await receive()
                if not _is_late(itinerary, message.get("bytes")):
                    return message

        async def send_heard(message: Message) -> None:
            if content := message.get("bytes"):
                itinerary.hear(ForwardMsg.FromString(content))
            await send(message)

        await self.app(scope, receive_in_time, send_heard)


def _is_late(itinerary: Itinerary, content: bytes | None) -> bool:
    try:
        return itinerary.is_late(BackMsg.FromString(content or b""))
    except DecodeError:  # no request at all: Streamlit says so
        return False
