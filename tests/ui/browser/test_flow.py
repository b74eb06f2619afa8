"""The whole way in a real browser, on the cherry trees: from a file to a formula that predicts what the app showed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from playwright.sync_api import Browser, Locator, Page, WebSocketRoute, expect

import workbench as wb
from tests.ui.browser.conftest import ROOT, visit
from workbench.store import Store

pytestmark = pytest.mark.browser

TREES = ROOT / "sample_data" / "cherry_trees.csv"


def edge(page: Page, address: str) -> Locator:
    return page.locator(f".edge[data-id='{address}']")


def badge(page: Page, words: str) -> Locator:
    return page.locator(".st-key-bench_head .stMarkdownBadge").filter(has_text=re.compile(f"^{words}", re.IGNORECASE), visible=True)


def upload_and_fit(page: Page) -> None:
    page.goto("/")
    page.locator("[class*='st-key-upload-'] input[type=file]").set_input_files(TREES)
    hidden = page.get_by_role("textbox", name="Hidden layers")
    hidden.fill("none")
    hidden.press("Enter")
    page.locator(".st-key-fit button:enabled").click()
    expect(edge(page, "0.0.0")).to_have_attribute("data-state", "spline", timeout=90_000)      # the first fit waits for the compiler
    expect(badge(page, "0/2 symbolic")).to_be_visible()


def test_from_a_file_to_a_formula_that_predicts_what_the_app_showed(page: Page, workspace: Path, tmp_path: Path) -> None:
    upload_and_fit(page)
    edge(page, "0.0.0").locator(".frame").click()
    inspector = page.locator(".inspector")
    expect(inspector.locator("h2")).to_have_text("Girth → Volume")
    square = inspector.locator(".row[data-name='x^2']:not([data-preview])")
    square.click()
    page.get_by_role("button", name="Snap to square").click()
    expect(edge(page, "0.0.0")).to_have_attribute("data-state", "snapped")
    expect(badge(page, "1/2 symbolic")).to_be_visible()

    page.keyboard.press("Control+z")
    expect(badge(page, "0/2 symbolic")).to_be_visible()
    expect(edge(page, "0.0.0")).to_have_attribute("data-state", "spline")
    page.locator(".st-key-bench_redo button:enabled").filter(visible=True).click()
    expect(badge(page, "1/2 symbolic")).to_be_visible()

    page.reload()
    expect(edge(page, "0.0.0")).to_have_attribute("data-state", "snapped")
    expect(page.locator(".inspector h2")).to_have_text("Girth → Volume")       # the edge is in the address

    edge(page, "0.1.0").focus()
    page.keyboard.press("s")                                                   # the best form there is
    expect(badge(page, "2/2 symbolic")).to_be_visible()
    expect(page.locator(".st-key-bench_formula")).to_contain_text("formula = network")
    page.locator(".st-key-bench_latex [data-term='1']").hover()
    expect(edge(page, "0.1.0")).to_have_attribute("data-hot", "")
    expect(edge(page, "0.0.0")).not_to_have_attribute("data-hot", "")
    edge(page, "0.0.0").locator(".frame").hover()
    expect(page.locator(".st-key-bench_latex [data-lit]")).to_have_attribute("data-term", "0")
    page.get_by_test_id("stPageLink").filter(has_text="Export").click()
    expect(page.locator(".st-key-export_formula")).to_contain_text("The formula is the network")
    with page.expect_download() as download:
        page.locator(".st-key-export_download button").click()
    download.value.save_as(tmp_path / "Volume.py")
    check_predictions(tmp_path, page, workspace)


def test_a_resonance_is_learned_by_rational_functions_and_exported_as_one(page: Page, tmp_path: Path) -> None:
    x = np.random.default_rng(3).uniform(0.5, 4.5, 211)
    y = 1 / ((x**2 - 4) ** 2 + 0.25)
    (tmp_path / "resonance.csv").write_text("frequency,power\n" + "\n".join(f"{a!r},{b!r}" for a, b in zip(x.tolist(), y.tolist(), strict=True)))
    page.goto("/")
    page.locator("[class*='st-key-upload-'] input[type=file]").set_input_files(tmp_path / "resonance.csv")
    page.get_by_text("Advanced", exact=True).click()
    page.get_by_role("combobox", name=re.compile("Edge functions")).click()
    page.get_by_role("option", name="rational functions").click()
    page.locator(".st-key-fit button:enabled").click()
    expect(edge(page, "0.0.0")).to_have_attribute("data-state", "rational", timeout=90_000)
    expect(page.locator(".legend")).to_have_text(re.compile("^1 learned"))
    edge(page, "0.0.0").locator(".frame").click()
    expect(page.locator(".inspector h2")).to_have_text("frequency → power")
    expect(page.locator(".inspector").get_by_role("button", name="Release")).to_be_disabled()
    expect(page.locator(".st-key-bench_formula")).to_contain_text("formula = network")
    page.get_by_test_id("stPageLink").filter(has_text="Export").click()
    expect(page.locator(".st-key-export_formula")).to_contain_text("The formula is the network")
    with page.expect_download() as download:
        page.locator(".st-key-export_download button").click()
    download.value.save_as(tmp_path / "power.py")
    run = subprocess.run([sys.executable, "-c", f"from power import predict\nprint([predict(a) for a in {x.tolist()!r}])"],
                         cwd=tmp_path, capture_output=True, text=True, check=True)  # fmt: skip
    assert_allclose(np.array(run.stdout.strip("[]\n").split(","), dtype=float), y, atol=1e-4)


def check_predictions(folder: Path, page: Page, workspace: Path) -> None:
    """Run the downloaded file in a process of its own; compare with the R2 that the page shows and with the stored network."""
    data = wb.load_sample("cherry_trees")
    calls = "\n".join(f"print(predict({girth!r}, {height!r}))" for girth, height in data.X_train.tolist())
    run = subprocess.run([sys.executable, "-c", f"from Volume import predict\n{calls}"], cwd=folder, capture_output=True, text=True, check=True)
    predicted = np.array([float(line) for line in run.stdout.split()])
    r2 = 1 - np.sum((data.y_train[:, 0] - predicted) ** 2) / np.sum((data.y_train[:, 0] - data.y_train.mean()) ** 2)
    assert float(re.search(r"training ([\d.]+)", page.get_by_text(re.compile("^R²: training")).inner_text())[1]) == pytest.approx(r2, abs=6e-5)
    project = re.search(r"project=([\w-]+)", page.url)[1]
    with Store(workspace) as store:
        (folder / "trees.kanwb").write_bytes(store.export(project))
    found = wb.load_discovery(folder / "trees.kanwb")
    assert_allclose(predicted, found.network(data.X_train)[:, 0], rtol=1e-12)


def test_a_new_table_is_predicted_and_the_project_downloads(page: Page, workspace: Path, tmp_path: Path) -> None:
    with Store(workspace) as store:
        project = next(project.id for project in store.projects.all() if project.cursor and project.name == TREES.stem)
    page.goto(f"/export?project={project}")
    (tmp_path / "new.csv").write_text("Girth,Height\n10.5,70\n55,70\n")
    page.locator(".st-key-export_upload input[type=file]").set_input_files(tmp_path / "new.csv")
    expect(page.get_by_text("1 of 2 rows lie outside")).to_be_visible()
    with page.expect_download() as download:
        page.locator(".st-key-export_predictions button").click()
    lines = Path(download.value.path()).read_text().splitlines()
    assert lines[0] == "Girth,Height,predicted Volume,outside_range"
    assert [line.rpartition(",")[2] for line in lines[1:]] == ["0", "1"]
    page.get_by_role("tab", name="Files").click()
    with page.expect_download() as download:
        page.locator(".st-key-export_project button").click()
    assert wb.load_discovery(download.value.path()).data.targets[0].name == "Volume"


def test_a_click_that_crosses_the_way_to_another_page_leaves_that_page_whole(browser: Browser, app: str, workspace: Path) -> None:
    with Store(workspace) as store:
        project = next(project.id for project in store.projects.all() if project.cursor and project.name == TREES.stem)
    with visit(browser, app) as page:
        line = Line(page)
        page.goto(f"/workbench?project={project}")
        expect(edge(page, "0.0.0")).to_be_visible()
        line.hold()
        page.get_by_test_id("stPageLink").filter(has_text="Export").click()
        page.locator(".edge[aria-pressed='false'] .frame").first.click()
        expect(page.locator(".edge[aria-pressed='true']")).to_have_count(1)    # the Workbench is still there, and can be worked on
        line.release()
        download = page.locator(".st-key-export_download button")
        expect(download).to_be_visible()
        expect(page.locator(".st-key-export_upload")).to_be_visible()          # the end of the page
        page.wait_for_timeout(1500)                                            # what came late has been answered, if it is
        expect(download).to_be_visible()
        expect(page).to_have_url(re.compile("/export"))


class Line:
    """The line between a page and its server, which can be held up both ways, as by a slow network."""

    def __init__(self, page: Page) -> None:
        self._held: list[tuple[WebSocketRoute, str | bytes]] | None = None
        page.route_web_socket(re.compile("/_stcore/stream"), self._connect)

    def _connect(self, browser: WebSocketRoute) -> None:
        server = browser.connect_to_server()
        browser.on_message(lambda message: self._pass(server, message))
        server.on_message(lambda message: self._pass(browser, message))

    def _pass(self, to: WebSocketRoute, message: str | bytes) -> None:
        if self._held is None:
            to.send(message)
        else:
            self._held.append((to, message))

    def hold(self) -> None:
        self._held = []

    def release(self) -> None:
        held, self._held = self._held or [], None
        for to, message in held:
            to.send(message)


def test_two_tabs_share_one_project_and_history_leads_anywhere(browser: Browser, app: str, page: Page, workspace: Path) -> None:
    with Store(workspace) as store:
        project = next(project.id for project in store.projects.all() if project.cursor and project.name == TREES.stem)
        first = store.states.history(project)[0].id
    page.goto(f"/workbench?project={project}")
    page.locator(".st-key-bench_history_open button").filter(visible=True).click()
    line = page.locator(f".st-key-bench_state_{first} button")
    expect(line).to_have_css("background-image", re.compile("^url.*svg"))  # its network in small
    line.click()
    expect(badge(page, "0/2 symbolic")).to_be_visible()
    with visit(browser, app) as other:
        other.goto(f"/workbench?project={project}")
        edge(other, "0.1.0").focus()
        other.keyboard.press("p")
        expect(edge(other, "0.1.0")).to_have_attribute("data-state", "pruned")
        expect(badge(other, "0/1 symbolic")).to_be_visible()
    edge(page, "0.0.0").locator(".frame").click()
    expect(badge(page, "0/1 symbolic")).to_be_visible()
