"""One server and one Chromium for all browser tests; a fresh context for each, which must end without any error."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).parents[3]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip
PATIENCE = 20_000  # ms: a loaded two-core machine
expect.set_options(timeout=PATIENCE)


@contextmanager
def served(script: Path, workspace: Path) -> Iterator[str]:
    """Run `streamlit run SCRIPT` on a free port, and yield its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "KAN_WORKBENCH_WORKSPACE": str(workspace)}
    command = [sys.executable, "-m", "streamlit", "run", str(script), f"--server.port={port}", "--server.headless=true"]
    log = (workspace / "server.log").open("w+")
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        _wait(process, port, workspace / "server.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()


def _wait(process: subprocess.Popen, port: int, log: Path) -> None:
    for _ in range(300):
        if process.poll() is not None:
            break
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            connection.request("GET", "/_stcore/health")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(0.1)
    raise AssertionError(f"the server did not come up:\n{log.read_text()}")


@pytest.fixture(scope="session")
def browser(chromium_path: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=chromium_path, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(Path(__file__).with_name("gallery_app.py"), tmp_path_factory.mktemp("gallery")) as address:
        yield address


@contextmanager
def visit(browser: Browser, address: str) -> Iterator[Page]:
    """Open a page at an address; at the end nothing may have gone wrong in it, nor left for another host."""
    context = browser.new_context(viewport={"width": 1400, "height": 820}, base_url=address, reduced_motion="reduce", accept_downloads=True)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: troubles.append(request.url) if not request.url.startswith((address, "data:", "blob:")) else None)
    yield page
    context.close()
    # A page that is opened by its own address asks for two files beside it first; Streamlit then finds them at the root.
    assert [text for text in troubles if "404 (Not Found)" not in text] == []


@pytest.fixture
def canvas(browser: Browser, gallery: str) -> Iterator[Page]:
    with visit(browser, gallery) as page:
        yield page


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that keeps the projects of the app under test; a new one for each file of tests."""
    return tmp_path_factory.mktemp("workspace")


@pytest.fixture(scope="module")
def app(workspace: Path) -> Iterator[str]:
    with served(ROOT / "app.py", workspace) as address:
        yield address


@pytest.fixture
def page(browser: Browser, app: str) -> Iterator[Page]:
    with visit(browser, app) as opened:
        yield opened
