"""The server around Streamlit: who is served, with which headers, and how a job is followed."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from streamlit import config
from streamlit.web.server.app_discovery import discover_asgi_app

import workbench
from workbench.ui import services as services_module
from workbench.ui.server import content_policy, host_is_allowed, inline_scripts, middleware, routes, security_headers

ROOT = Path(__file__).parents[2]
PACKAGE = Path(workbench.__file__).parent


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv(services_module.WORKSPACE_VARIABLE, str(tmp_path))
    yield tmp_path
    services_module.close_services()


@pytest.fixture
def only_this_machine() -> Iterator[None]:
    before = config.get_option("server.allowedHosts")
    config.set_option("server.allowedHosts", ["localhost", "127.0.0.1"])
    yield
    config.set_option("server.allowedHosts", before)


def ask(path: str, headers: dict[str, str] | None = None) -> tuple[int, dict[str, str], str]:
    """Send one request through our middleware and routes, and return status, headers and body."""
    app = Starlette(routes=[*routes(), Route("/{rest:path}", lambda _: PlainTextResponse("page"))], middleware=middleware())
    sent: list[dict[str, Any]] = []
    received: list[bool] = []

    async def receive() -> dict[str, Any]:
        if received:
            await asyncio.Event().wait()  # a client that stays until the answer is complete
        received.append(True)
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    named = {"host": "localhost:8501"} | (headers or {})
    raw = [(name.encode(), value.encode()) for name, value in named.items()]
    path, _, query = path.partition("?")
    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http", "path": path, "raw_path": path.encode(),
             "query_string": query.encode(), "headers": raw, "client": ("127.0.0.1", 5), "server": ("127.0.0.1", 8501), "root_path": ""}  # fmt: skip
    with ThreadPoolExecutor(1) as thread:  # browser tests of the same run leave a loop running in this one
        thread.submit(lambda: asyncio.run(app(scope, receive, send))).result()
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return sent[0]["status"], {name.decode(): value.decode() for name, value in sent[0]["headers"]}, body.decode()


def test_every_answer_carries_the_security_headers(only_this_machine: None) -> None:
    for path in ("/", "/api/health"):
        status, headers, _ = ask(path)
        assert status == 200
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert "'unsafe-eval'" not in headers["content-security-policy"]
        assert "script-src 'self' 'sha256-" in headers["content-security-policy"]


def test_the_policy_allows_streamlits_inline_script_by_its_hash() -> None:
    script = "window.prerenderReady = false"
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    page = f'<script src="./a.js"></script><script type="module" crossorigin src="b.js"></script><script>{script}</script>'
    assert inline_scripts(page) == [script]
    assert f"script-src 'self' 'sha256-{digest}';" in content_policy([script])
    assert dict(security_headers())[b"content-security-policy"].count(b"sha256-") == 1


def test_a_name_that_was_pointed_at_this_machine_is_refused(only_this_machine: None) -> None:
    for path in ("/", "/api/health", "/api/jobs/abc/events"):
        status, headers, body = ask(path, {"host": "evil.example"})
        assert status == 403
        assert "page" not in body
        assert headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize(
    ("host", "allowed", "expected"),
    [
        ("localhost:8501", ["localhost"], True), ("LOCALHOST.", ["localhost"], True), ("[::1]:80", ["::1"], True), ("x", ["*"], True), ("x", [], True),
        (None, ["localhost"], False), ("", ["localhost"], False), ("localhost.evil.example", ["localhost"], False), ("[", ["localhost"], False),
        ("evil@localhost", ["evil"], False),
    ],
)  # fmt: skip
def test_hosts(host: str | None, allowed: list[str], expected: bool) -> None:
    assert host_is_allowed(host, allowed) is expected


def test_health_names_the_version() -> None:
    status, headers, body = ask("/api/health")
    assert (status, json.loads(body)) == (200, {"status": "ok", "version": workbench.__version__})
    assert headers["cache-control"] == "no-store"


def test_the_events_of_a_job_are_streamed_to_its_end(workspace: Path) -> None:
    pool = services_module.services().pool
    job = pool.submit("echo", {"text": "hello"}, lane="interactive")
    pool.wait(job.id, timeout=60)
    status, headers, body = ask(f"/api/jobs/{job.id}/events")
    assert status == 200
    assert headers["content-type"].startswith("text/event-stream")
    assert headers["cache-control"] == "no-store"
    events = [json.loads(line.removeprefix("data: ")) for line in body.splitlines() if line.startswith("data: {\"")]
    assert events[-1]["status"] == "done"
    assert body.endswith("event: end\ndata: {}\n\n")
    last = events[-1]["number"]
    _, _, rest = ask(f"/api/jobs/{job.id}/events", {"last-event-id": str(last)})
    assert f"id: {last}\n" not in rest


def test_an_unknown_job_is_named(workspace: Path) -> None:
    status, _, body = ask("/api/jobs/nothing/events")
    assert status == 404
    assert "'nothing'" in json.loads(body)["error"]


def test_a_page_of_another_site_may_not_follow_a_job(workspace: Path) -> None:
    for foreign in ({"sec-fetch-site": "cross-site"}, {"origin": "http://evil.example"}):
        assert ask("/api/jobs/abc/events", foreign)[0] == 403
    for ours in ({"sec-fetch-site": "same-origin"}, {"origin": "http://localhost:8501"}):
        assert ask("/api/jobs/abc/events", ours)[0] == 404


def test_a_wrong_resume_number_is_refused(workspace: Path) -> None:
    job = services_module.services().pool.submit("echo", {"text": "a"}, lane="interactive")
    for after in ("-1", "x", "1" * 20):
        assert ask(f"/api/jobs/{job.id}/events?after={after}")[0] == 422


@pytest.mark.parametrize("path", [ROOT / "app.py", PACKAGE / "ui" / "asgi.py"], ids=["checkout", "installed"])
def test_streamlit_run_finds_the_app_in_the_source(path: Path) -> None:
    found = discover_asgi_app(path)
    assert (found.is_asgi_app, found.app_name) == (True, "app")


def test_both_ways_of_starting_make_the_same_app() -> None:
    lines = [path.read_text(encoding="utf-8").split('"""', 2)[2] for path in (ROOT / "app.py", PACKAGE / "ui" / "asgi.py")]
    assert lines[0] == lines[1]
