"""The app as a person feels it: from a click in a real browser to the frame in which its answer stands, server, workers and all."""

from __future__ import annotations

import http.client
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.interactive import table
from benchmarks.timing import Bench, Row

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

GROUP = "browser"
STEPS = {  # stretch is what a person should wait at most, gate is twice that
    "start": Row("the app started: to its first answer", 6.0, 3.0),
    "first page": Row("first page by its address, nothing in the browser's cache", 4.0, 2.0),
    "open": Row("a project opened: to its network", 2.0, 1.0),
    "hover": Row("an edge under the pointer: to its light", 0.100, 0.050),
    "first curve": Row("first click on an edge: to its curve and data", 0.500, 0.250),
    "first forms": Row("first click on an edge: to its forms, ranked by the refitted whole model", 2.0, 1.0),
    "curve": Row("click on another edge: to its curve and data", 0.500, 0.250),
    "forms": Row("click on another edge: to its forms, ranked by the refitted whole model", 2.0, 1.0),
    "snap": Row("snap: to the refitted network", 1.0, 0.500),
    "undo": Row("undo: to the network before", 0.600, 0.300),
    "redo": Row("redo: to the network after", 0.600, 0.300),
    "reload": Row("Workbench reloaded, an edge in hand: to network and inspector", 4.0, 2.0),
    "export": Row("page Export: to formula, code and plots", 2.0, 1.0),
    "export again": Row("page Export once more", 2.0, 1.0),
    "data": Row("page Data: to columns and what will be fitted", 2.0, 1.0),
    "job": Row("Fit: to the running job on the page", 2.0, 1.0),
}
PLAN = list(STEPS.values())
STARTS = 3
MOST_TOURS = 6
GLANCE = 1500  # ms that a person looks before the next click
OPENING = 3.0  # seconds from a server's first answer until a person's browser asks it for a page
FIRST, *OTHERS = "0.0.0", "0.1.1", "0.2.2", "0.3.3"  # edges of a [4,5,1]
CHROMIUMS = (os.environ.get("KAN_WORKBENCH_CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync"]
ROOT = Path(__file__).parents[1]
STOPWATCH = Path(__file__).with_name("stopwatch.js")

NETWORK = "seen('.network .edge .curve') && seen('.st-key-bench_formula')"
RANKED = "seen('.inspector .row:not([data-preview])')"
EXPORT = "seen('.st-key-export_formula') && seen('.stCode') && (seen('.st-key-export_plots img') || seen('.js-plotly-plot .point'))"
DATA = "seen('.st-key-fit_panel strong') && seen('[data-testid=stDataFrame] canvas')"


def rows(bench: Bench) -> list[Row]:
    """Walk through the app, with a copy of the same project for each tour."""
    chromium = next((path for name in CHROMIUMS if name and (path := shutil.which(name))), None)
    if chromium is None or importlib.util.find_spec("playwright") is None:
        return [replace(row, note="Playwright and a Chromium are needed: `make bench` installs them where it may") for row in PLAN]
    from playwright.sync_api import sync_playwright

    taken: dict[str, list[float]] = defaultdict(list)
    with every_core(), tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        projects = fitted_projects(Path(folder), 1 + min(MOST_TOURS, max(2, bench.rounds // 2)))
        for _ in range(STARTS - 1):
            with served(Path(folder)) as (_, seconds):
                taken["start"].append(seconds)
        with served(Path(folder)) as (address, seconds):
            taken["start"].append(seconds)
            time.sleep(OPENING)
            browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            lost: Counter[str] = Counter()
            for number, project in enumerate(projects):
                steps, missed = tour(browser, address, project)
                lost.update(missed)
                for step, seconds in steps if number else ():
                    taken[step].append(seconds)
            note = (
                f"a [4,5,1] of 1000 rows, a click every {GLANCE / 1000} s, {len(projects) - 1} tours, each in a new browser session with a project that"
                f" nobody has opened before, after one that is not counted; Chromium {browser.version}, server and workers share all cores"
            )
            browser.close()
    notes = {"first page": note} | {step: f"in {count} of {len(projects)} tours it was not seen at all" for step, count in lost.items()}
    return [replace(row, ours=tuple(taken[step]), note=notes.get(step, "")) for step, row in STEPS.items()]


# ---- what the tour is made through


def fitted_projects(workspace: Path, copies: int) -> list[str]:
    """Fit a network as the app's worker does, and return that many copies of the project."""
    import pandas as pd

    from workbench.dataset import Dataset
    from workbench.store import Store
    from workbench.worker.desk import Desk

    with Store(workspace) as store:
        project = store.projects.create("Tour").id
        store.projects.set_data(project, *Dataset.from_table(pd.DataFrame(table()), target="y").to_arrays())
        desk = Desk({"workspace": str(workspace), "project": project}, fresh=True)
        desk.found.fit(hidden_layer_sizes=(5,))
        desk.keep(desk.found.state, None)
        return [store.projects.duplicate(project, f"Tour {number}").id for number in range(copies)]


@contextmanager
def every_core() -> Iterator[None]:
    """Let what is started in the block use the whole machine, as a person's app does."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def served(workspace: Path) -> Iterator[tuple[str, float]]:
    """Run `kan-workbench app`; yield its address, and the seconds until it answered."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "workbench.cli", "app", "--port", str(port), "--workspace", str(workspace), "--no-browser"]
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not _answers(port):
            if process.poll() is not None or time.perf_counter() - began > 60:
                raise RuntimeError("the app did not come up")
            time.sleep(0.01)
        yield f"http://127.0.0.1:{port}", time.perf_counter() - began
    finally:
        process.terminate()
        process.wait(20)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2.0)
    try:
        connection.request("GET", "/_stcore/health")
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()


# ---- the tour


def tour(browser: Browser, address: str, project: str) -> tuple[list[tuple[str, float]], tuple[str, ...]]:
    """Go through the app once as a new visitor; return what each step took, in seconds, and the steps whose end was not seen.

    A tour ends where a step has no end.
    """
    from playwright.sync_api import Error

    context = browser.new_context(base_url=address, viewport={"width": 1400, "height": 820}, reduced_motion="reduce")
    context.add_init_script(path=STOPWATCH)
    visitor = _Visitor(context.new_page())
    try:
        _walk(visitor, project)
    except Error:
        return visitor.taken, visitor.awaited
    finally:
        context.close()
    return visitor.taken, ()


def _walk(visitor: _Visitor, project: str) -> None:
    visitor.page.goto("/", wait_until="commit")
    visitor.loaded({"first page": "seen('.st-key-machine')"})
    visitor.click(visitor.page.locator(f".st-key-open-{project} button"), {"open": NETWORK})
    _look_at_edges(visitor)
    _move(visitor, OTHERS[-1])
    visitor.page.reload(wait_until="commit")
    visitor.loaded({"reload": f"{NETWORK} && {_inspected(OTHERS[-1])} && {RANKED}"})
    _leave(visitor)


def _look_at_edges(visitor: _Visitor) -> None:
    visitor.begin("pointermove", {"hover": f"find('.edge[data-id=\"{FIRST}\"]').hasAttribute('data-hot')"})
    visitor.edge(FIRST).hover()
    visitor.end()
    visitor.click(visitor.edge(FIRST), {"first curve": _inspected(FIRST), "first forms": f"{_inspected(FIRST)} && {RANKED}"})
    for edge in OTHERS:
        visitor.click(visitor.edge(edge), {"curve": _inspected(edge), "forms": f"{_inspected(edge)} && {RANKED}"})


def _move(visitor: _Visitor, edge: str) -> None:
    visitor.click(visitor.page.locator(".inspector button[data-op=snap]"), {"snap": _stands(edge, "snapped")})
    for step, key, state in (("undo", "Control+z", "spline"), ("redo", "Control+Shift+Z", "snapped")):
        visitor.begin("keydown", {step: _stands(edge, state)})
        visitor.page.keyboard.press(key)
        visitor.end()


def _leave(visitor: _Visitor) -> None:
    visitor.click(visitor.to("Export"), {"export": EXPORT})
    visitor.click(visitor.to("Workbench"), {"back": NETWORK})
    visitor.click(visitor.to("Export"), {"export again": EXPORT})
    visitor.click(visitor.to("Data"), {"data": DATA})
    visitor.click(visitor.page.locator(".st-key-fit button"), {"job": "seen('.st-key-job_pill')"})
    visitor.page.locator(".st-key-job_pill").filter(has_text="finished").wait_for()  # the next visitor finds the workers at rest


class _Visitor:
    """A person with a stopwatch: `taken` holds the steps and their seconds, `awaited` those whose end is waited for.

    `marks` are conditions in JavaScript by the step that has come to its end when they hold (see stopwatch.js).
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.taken: list[tuple[str, float]] = []
        self.awaited: tuple[str, ...] = ()

    def click(self, target: Locator, marks: Mapping[str, str]) -> None:
        """Click, and wait until all marks are seen."""
        self.begin("pointerdown", marks)
        target.click()
        self.end()

    def begin(self, event: str, marks: Mapping[str, str]) -> None:
        """Have the watch started by the next event of this kind."""
        self.awaited = tuple(marks)
        self.page.evaluate(f"() => {{ const {{ find, seen }} = stopwatch; stopwatch.arm('{event}', {_functions(marks)}); }}")

    def end(self) -> None:
        """Wait until all marks are seen, and look for a moment."""
        self._note(self.page.evaluate("() => stopwatch.taken"))

    def loaded(self, marks: Mapping[str, str]) -> None:
        """Take the time since the page was asked for."""
        self.awaited = tuple(marks)
        self._note(self.page.evaluate(f"() => {{ const {{ find, seen }} = stopwatch; return stopwatch.load({_functions(marks)}); }}"))

    def edge(self, edge: str) -> Locator:
        """Return the box of an edge."""
        return self.page.locator(f".edge[data-id='{edge}'] .frame")

    def to(self, page: str) -> Locator:
        """Return the link to a page in the top navigation."""
        return self.page.get_by_test_id("stTopNavLinkContainer").filter(has_text=page).locator("a")

    def _note(self, milliseconds: Mapping[str, float]) -> None:
        self.taken += [(step, value / 1000) for step, value in milliseconds.items()]
        self.page.wait_for_timeout(GLANCE)


def _inspected(edge: str) -> str:
    return f"seen('.inspector[data-edge=\"{edge}\"] .points circle')"


def _stands(edge: str, state: str) -> str:
    """A move is done when the edge is what it should be and nothing is awaited any more."""
    return f"seen('.edge[data-id=\"{edge}\"][data-state={state}]:not([data-busy])')"


def _functions(marks: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"'{step}': () => {condition}" for step, condition in marks.items()) + "}"
