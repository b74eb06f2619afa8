"""The app starts on a free port of this machine only, and leaves nothing running behind it."""

from __future__ import annotations

import argparse
import http.client
import os
import signal
import socket
import threading
import time
from pathlib import Path

import pytest

from workbench.cli import main, server


@pytest.fixture
def taken() -> int:
    """Listen on a port for as long as the test runs."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_taken_port_is_passed_over(taken: int) -> None:
    assert server.free_port("127.0.0.1", first=taken, tries=23) > taken


def test_when_every_port_is_taken_the_range_is_named(taken: int) -> None:
    with pytest.raises(server.ServerError, match=rf"no port from {taken} to {taken} is free"):
        server.free_port("127.0.0.1", first=taken, tries=1)


def test_a_port_that_was_asked_for_and_is_taken_is_bad_input(taken: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["app", "--port", str(taken), "--no-browser"]) == 2
    assert f"--port {taken}: something else is listening there" in capsys.readouterr().err


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "example.org"])
def test_an_address_that_others_can_reach_is_refused_without_a_sign_in(host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert main(["app", "--host", host, "--no-browser"]) == 2


@pytest.mark.parametrize(
    ("file", "text"),
    [("secrets.toml", '[auth]\nclient_id = "kan"\n'), ("config.toml", '[server]\ntrustedUserHeaders = {"X-User" = "email"}\n')],
)
def test_a_configured_sign_in_opens_the_way(file: str, text: str, tmp_path: Path) -> None:
    with pytest.raises(server.ServerError, match="nobody would have to sign in"):
        server.require_sign_in("0.0.0.0", [tmp_path])
    (tmp_path / file).write_text(text)
    server.require_sign_in("0.0.0.0", [tmp_path])


def test_settings_that_are_no_toml_are_named(tmp_path: Path) -> None:
    (tmp_path / "secrets.toml").write_text("[auth\n")
    with pytest.raises(server.ServerError, match=r"secrets\.toml cannot be read as TOML"):
        server.require_sign_in("0.0.0.0", [tmp_path])


def test_a_workspace_is_made(tmp_path: Path) -> None:
    assert server._workspace(str(tmp_path / "new" / "projects")).is_dir()


def test_a_workspace_that_is_a_file_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in ("file", "file/inside"):
        with pytest.raises(server.ServerError, match="name a folder"):
            server._workspace(str(tmp_path / folder))


@pytest.mark.parametrize(("environment", "screen"), [({"CI": "true", "DISPLAY": ":0"}, False), ({}, False), ({"DISPLAY": ":0"}, True), ({"WAYLAND_DISPLAY": "w"}, True)])
def test_a_browser_opens_only_where_there_is_a_screen(environment: dict, screen: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server.sys, "platform", "linux")
    assert server._has_screen(environment) is screen


PAGE = """
import os
import streamlit as st
from starlette.responses import PlainTextResponse
from starlette.routing import Route

async def told(request):
    return PlainTextResponse(os.environ["KAN_WORKBENCH_WORKSPACE"])

app = st.App("page.py", routes=[Route("/told", told)])
"""


@pytest.mark.skipif(os.name != "posix", reason="a signal to one's own process stands in for Ctrl+C")
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_the_app_is_served_with_its_workspace_until_it_is_stopped(
    stop: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ui").mkdir()
    (tmp_path / "ui" / "asgi.py").write_text(PAGE)
    (tmp_path / "ui" / "page.py").write_text("import streamlit as st\nst.write('here')\n")
    monkeypatch.setattr(server.workbench, "__file__", str(tmp_path / "__init__.py"))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)      # a shell starts what runs in the background with Ctrl+C ignored
    port = server.free_port("127.0.0.1", first=18501)
    seen: list[str] = []

    def visit_and_stop() -> None:
        try:
            for _ in range(600):
                try:
                    seen.append(_get(port, "/told"))
                    break
                except OSError:
                    time.sleep(0.1)
            time.sleep(0.5)
        finally:
            os.kill(os.getpid(), stop)

    visitor = threading.Thread(target=visit_and_stop)
    visitor.start()
    options = argparse.Namespace(host="127.0.0.1", port=port, workspace=str(tmp_path / "projects"), no_browser=True)
    try:
        assert server.app(options) == 0
    finally:
        visitor.join()
        signal.signal(signal.SIGINT, before)
    assert seen == [str(tmp_path / "projects")]
    assert f"http://127.0.0.1:{port}" in capsys.readouterr().out
    assert server._is_free("127.0.0.1", port)


def test_a_server_that_dies_at_once_is_a_fault_and_not_a_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(server.workbench, "__file__", str(tmp_path / "__init__.py"))      # no page there
    assert main(["app", "--no-browser"]) == 1
    assert "before it was up" in capfd.readouterr().err


def _get(port: int, path: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().read().decode()
    finally:
        connection.close()
