"""The gallery as our server would serve it: same headers, and a stream of one fit that moves one curve."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import streamlit as st
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

from workbench.ui.server import middleware


async def _frames() -> AsyncIterator[str]:
    for step in range(1, 6):
        frame = {"step": step, "edges": {"0.1.0": {"y": [100.0 * step] * 64, "range": [0.0, 1.0], "importance": 0.1 * step}}}
        yield f"id: {step}\ndata: {json.dumps({'number': step, 'payload': frame})}\n\n"
        await asyncio.sleep(0.05)
    yield "event: end\ndata: {}\n\n"


async def stream(_request: Request) -> StreamingResponse:
    return StreamingResponse(_frames(), media_type="text/event-stream")


app = st.App(Path(__file__).parents[1] / "gallery.py", routes=[Route("/api/jobs/live/events", stream)], middleware=middleware())
