"""What is loaded before it is needed, what stays where it is, and what is not loaded until somebody asks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

import workbench as wb
from tests.ui.browser.conftest import ROOT, served, visit
from workbench.store import Store
from workbench.worker.desk import Desk

pytestmark = pytest.mark.browser

REQUESTS = "() => performance.getEntriesByType('resource').map(entry => entry.name)"


@pytest.fixture
def trees(tmp_path: Path) -> str:
    """Return a project with a fitted network."""
    with Store(tmp_path) as store:
        project = store.projects.create("trees").id
        store.projects.set_data(project, *wb.load_sample("cherry_trees").to_arrays())
    desk = Desk({"workspace": str(tmp_path), "project": project}, fresh=True)
    desk.found.fit(hidden_layer_sizes=())
    desk.keep(desk.found.state, None)
    return project


@pytest.fixture
def page(browser: Browser, trees: str, tmp_path: Path) -> Iterator[Page]:
    with served(ROOT / "app.py", tmp_path) as address, visit(browser, address) as opened:
        opened.goto(f"/workbench?project={trees}")
        opened.locator(".network .edge .curve").first.wait_for()
        yield opened


def requests(page: Page, name: str) -> int:
    return sum(name in address for address in page.evaluate(REQUESTS))


def wait_for(page: Page, name: str) -> None:
    page.wait_for_function(f"name => ({REQUESTS})().some(address => address.includes(name))", arg=name)


def test_the_next_click_finds_its_modules_and_the_canvas_stays_what_it_was(page: Page) -> None:
    wait_for(page, "/inspector/candidates.js")          # the inspector, before anybody clicked an edge
    wait_for(page, "/StreamlitSyntaxHighlighter.")      # code and tables of the page Export, when nobody has moved for a while
    wait_for(page, "/DataFrame.")
    canvas = page.locator(".network")
    width = canvas.bounding_box()["width"]
    canvas.evaluate("element => { element.mark = 'the same'; }")
    before = len(page.evaluate(REQUESTS))
    page.locator(".edge[data-id='0.0.0'] .frame").click()
    expect(page.locator(".inspector .row:not([data-preview])").first).to_be_visible()
    assert [address for address in page.evaluate(REQUESTS)[before:] if "/kan-workbench." in address and address.endswith(".js")] == []
    assert canvas.evaluate("element => element.mark") == "the same"
    assert canvas.bounding_box()["width"] == pytest.approx(width)      # the inspector takes the place of the list of formulas
    page.get_by_role("button", name="Close inspector").click()
    expect(page.locator(".inspector")).to_have_count(0)
    page.wait_for_function("([wide]) => document.querySelector('.st-key-bench_desk').getBoundingClientRect().width >= wide", arg=[width])
    assert canvas.evaluate("element => element.mark") == "the same"
    assert canvas.bounding_box()["width"] == pytest.approx(width)


def test_plots_are_pictures_until_somebody_wants_to_read_them(page: Page) -> None:
    page.get_by_test_id("stPageLink").filter(has_text="Export").click()
    pictures = page.locator(".st-key-export_plots img")
    expect(pictures).to_have_count(2)
    page.wait_for_function("() => [...document.querySelectorAll('.st-key-export_plots img')].every(picture => picture.naturalWidth > 300)")
    assert requests(page, "/PlotlyChart.") == 0
    page.locator(".st-key-export_interactive label").click()
    expect(page.locator(".js-plotly-plot .point").first).to_be_visible()
    expect(pictures).to_have_count(0)
