"""The whole way in a real browser, on the cherry trees: from a file to a formula that predicts what the app showed."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from playwright.sync_api import Browser, Locator, Page, expect

import workbench as wb
from tests.ui.browser.conftest import ROOT, served, visit
from workbench.store import Store

pytestmark = pytest.mark.browser

TREES = ROOT / "sample_data" / "cherry_trees.csv"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("workspace")


@pytest.fixture(scope="module")
def app(workspace: Path) -> Iterator[str]:
    with served(ROOT / "app.py", workspace) as address:
        yield address


@pytest.fixture
def page(browser: Browser, app: str) -> Iterator[Page]:
    with visit(browser, app) as opened:
        yield opened


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
    page.get_by_test_id("stPageLink").filter(has_text="Export").click()
    expect(page.locator(".st-key-export_formula")).to_contain_text("The formula is the network")
    with page.expect_download() as download:
        page.locator(".st-key-export_download button").click()
    download.value.save_as(tmp_path / "Volume.py")
    check_predictions(tmp_path, page, workspace)


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
        project = next(project.id for project in store.projects.all() if project.cursor)
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


def test_two_tabs_share_one_project_and_history_leads_anywhere(browser: Browser, app: str, page: Page, workspace: Path) -> None:
    with Store(workspace) as store:
        project = next(project.id for project in store.projects.all() if project.cursor)
        first = store.states.history(project)[0].id
    page.goto(f"/workbench?project={project}")
    page.locator(".st-key-bench_history_open button").filter(visible=True).click()
    page.locator(f".st-key-bench_state_{first} button").click()
    expect(badge(page, "0/2 symbolic")).to_be_visible()
    with visit(browser, app) as other:
        other.goto(f"/workbench?project={project}")
        edge(other, "0.1.0").focus()
        other.keyboard.press("p")
        expect(edge(other, "0.1.0")).to_have_attribute("data-state", "pruned")
        expect(badge(other, "0/1 symbolic")).to_be_visible()
    edge(page, "0.0.0").locator(".frame").click()
    expect(badge(page, "0/1 symbolic")).to_be_visible()
