"""What our server adds to Streamlit's: headers, a check of who is asking, health, and the event stream of a job.

    security headers   every answer; the content policy allows only files of our own, plus the one inline script of
                       Streamlit's page, by its hash
    host and origin    a page on another site must not read our routes, not even through a name that it has pointed at
                       127.0.0.1. Streamlit checks its own WebSocket the same way
    /api/health        {"status": "ok", ...}
    /api/jobs/ID/events  what happens to a job, as server-sent events; `Last-Event-ID` resumes after a lost line

`workbench/ui/asgi.py` and the top-level `app.py` build their app from the same three functions, so both ways of
starting give the same server.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import streamlit
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import config

from workbench import __version__
from workbench.exceptions import JobError
from workbench.jobs import Event
from workbench.ui import warmup
from workbench.ui.crossing import Crossing
from workbench.ui.services import close_services, services

SCRIPT = Path(__file__).with_name("pages") / "router.py"
COMPONENTS = "/_stcore/bidi-components/"
HEARTBEAT = 10.0  # seconds; a proxy must not take a silent stream for a dead one


def middleware() -> list[Middleware]:
    """Return what wraps every request."""
    return [Middleware(Guard), Middleware(Crossing)]


def routes() -> list[BaseRoute]:
    """Return our own routes, beside Streamlit's."""
    return [Route("/api/health", health), Route("/api/jobs/{job}/events", job_events)]


@asynccontextmanager
async def lifespan(_app: object) -> AsyncIterator[dict[str, Any]]:
    """Start the workers with the server, so that the first fit does not wait for them; end them with it."""
    services()
    warmup.start()
    try:
        yield {}
    finally:
        close_services()


@cache
def security_headers() -> tuple[tuple[bytes, bytes], ...]:
    """Return the headers that every answer carries."""
    page = (Path(streamlit.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    return (
        (b"content-security-policy", content_policy(inline_scripts(page)).encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"x-frame-options", b"DENY"),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=()"),
    )


def content_policy(scripts: Iterable[str]) -> str:
    """Return the content security policy that allows files of our own and the given inline scripts, by hash.

    Styles may be inline: Streamlit's own are.
    """
    hashes = [f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" for script in scripts]
    rules = {
        "default-src": "'self'",
        "script-src": " ".join(["'self'", *hashes]),
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "connect-src": "'self' ws: wss:",
        "worker-src": "'self' blob:",
        "frame-ancestors": "'none'",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
    }
    return "; ".join(f"{name} {sources}" for name, sources in rules.items())


def inline_scripts(page: str) -> list[str]:
    """Return the text of every script that stands in a page itself.

    >>> inline_scripts('<script>a = 1</script><script src="b.js"></script>')
    ['a = 1']
    """
    return [text for attributes, text in re.findall(r"<script\b([^>]*)>(.*?)</script>", page, re.DOTALL) if "src=" not in attributes]


class Guard:
    """Refuse foreign hosts, and send the security headers with every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": _guarded(message["headers"], request.url.path)}
            await send(message)

        if not host_is_allowed(request.headers.get("host"), config.get_option("server.allowedHosts")):
            answer = PlainTextResponse("This address is not served here. Open the app at its own address.", status_code=403)
            await answer(scope, receive, send_guarded)
            return
        await self.app(scope, receive, send_guarded)


def _guarded(headers: Iterable[tuple[bytes, bytes]], path: str) -> list[tuple[bytes, bytes]]:
    ours = [*security_headers()]
    if path.startswith(COMPONENTS):  # files without a version in their name: an update must show at once
        ours.append((b"cache-control", b"no-cache"))
    replaced = {name for name, _ in ours}
    return [*((name, value) for name, value in headers if name.lower() not in replaced), *ours]


def host_is_allowed(host: str | None, allowed: Iterable[str]) -> bool:
    """Say whether a Host header names an address that we serve; "*" and an empty list allow every one.

    >>> host_is_allowed("127.0.0.1:8501", ["localhost", "127.0.0.1"]), host_is_allowed("evil.example", ["localhost"])
    (True, False)
    """
    names = {name.strip().lower().rstrip(".") for name in allowed}
    if not names or "*" in names:
        return True
    try:
        name = urlsplit(f"//{host or ''}").hostname
    except ValueError:
        return False
    return name is not None and name.rstrip(".") in names


def is_foreign(request: Request) -> bool:
    """Say whether a browser sent this request for a page of another site."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != request.headers.get("host")


async def health(_request: Request) -> Response:
    """Answer that the server is up."""
    return JSONResponse({"status": "ok", "version": __version__}, headers={"cache-control": "no-store"})


async def job_events(request: Request) -> Response:
    """Stream what happens to a job until it is finished."""
    if is_foreign(request):
        return JSONResponse({"error": "Only the app's own page may follow a job."}, status_code=403)
    job = request.path_params["job"]
    try:
        services().pool.get(job)
    except JobError as error:
        return JSONResponse({"error": str(error)}, status_code=404)
    after = request.headers.get("last-event-id") or request.query_params.get("after") or "0"
    if not (after.isascii() and after.isdigit() and len(after) < 12):
        return JSONResponse({"error": f"after={after!r}: give the number of the last event seen, 0 for all."}, status_code=422)
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(_server_sent(job, int(after)), media_type="text/event-stream", headers=headers)


async def _server_sent(job: str, after: int) -> AsyncIterator[str]:
    """Yield events as text/event-stream. The browser comes back by itself after 1 s if the line breaks."""
    yield "retry: 1000\n\n"
    async for event in services().pool.stream(job, after, HEARTBEAT):
        yield ":\n\n" if event is None else _frame(event)
    yield "event: end\ndata: {}\n\n"


def _frame(event: Event) -> str:
    return f"id: {event.number}\ndata: {event.to_json()}\n\n"
