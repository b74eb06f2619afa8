"""From a dropped file to a running fit, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.ui.browser.conftest import ROOT, served, visit

pytestmark = pytest.mark.browser

TREES = ROOT / "sample_data" / "cherry_trees.csv"
ROLE = (110, 50)  # where the first role stands in the column table, px


@pytest.fixture(scope="module")
def workbench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(ROOT / "app.py", tmp_path_factory.mktemp("workspace")) as address:
        yield address


@pytest.fixture
def page(browser: Browser, workbench: str) -> Iterator[Page]:
    with visit(browser, workbench) as page:
        yield page


def drop(page: Page, file: Path | dict) -> None:
    page.locator("input[type=file]").set_input_files(file)


def settle(page: Page) -> None:
    """Wait until the run of the page is over: a cell that is edited while a page is still being built may be built anew."""
    expect(page.locator("[data-testid=stApp]")).to_have_attribute("data-test-script-state", "notRunning")


def fitted_line(page: Page) -> Locator:
    return page.locator(".st-key-fit_panel strong")


def ignore_the_first_column(page: Page) -> None:
    """Choose a role in the table, as often as a person would who sees that nothing happened: a page that is still drawn anew forgets a choice."""
    for _ in range(3):
        settle(page)
        page.locator("[data-testid=stDataFrame] canvas").first.dblclick(force=True, position={"x": ROLE[0], "y": ROLE[1]})
        page.locator("#portal").get_by_text("ignore", exact=True).click()
        with suppress(AssertionError):
            expect(fitted_line(page)).not_to_have_text("Volume from Girth, Height", timeout=5000)
            return


def test_a_bad_file_then_a_good_one_then_roles_then_a_fit(page: Page) -> None:
    page.goto("/")
    drop(page, {"name": "trees.csv", "mimeType": "text/csv", "buffer": b"\x89PNG\r\n\x1a\n" + bytes(300)})
    expect(page.get_by_role("alert")).to_have_text(re.compile("'trees.csv' is a PNG picture"))
    drop(page, TREES)
    expect(fitted_line(page)).to_have_text("Volume from Girth, Height")
    assert re.search(r"/data\?project=[\w-]{22}$", page.url)

    ignore_the_first_column(page)
    expect(fitted_line(page)).to_have_text("Volume from Height")
    page.reload()
    expect(fitted_line(page)).to_have_text("Volume from Height")

    page.get_by_role("link", name="Projects").click()
    expect(page.locator("[class*='st-key-open-']")).to_have_count(1)
    page.get_by_role("link", name="Data").click()
    expect(fitted_line(page)).to_have_text("Volume from Height")
    expect(page).to_have_url(re.compile(r"project="))

    page.keyboard.press("Control+Enter")
    expect(page).to_have_url(re.compile("/workbench.*project="))
    expect(page.locator(".st-key-job_pill")).to_be_visible()
    expect(page.locator(".st-key-job_pill")).to_contain_text("Fit finished", timeout=60_000)


def test_a_sample_by_one_click_is_searched_stopped_thrown_away_and_taken_back(page: Page) -> None:
    page.goto("/")
    expander = page.locator(".st-key-samples summary")
    sample = page.get_by_role("button", name="Puromycin: an enzyme at work")
    expander.or_(sample).first.wait_for()  # where there are projects already, the samples are folded away
    if not sample.is_visible():
        expander.click()
    sample.click()
    expect(fitted_line(page)).to_have_text("rate from conc")
    page.get_by_role("button", name="Find the law").first.click()
    expect(page.locator(".st-key-job_pill")).to_contain_text("Searching for the law")
    page.get_by_role("link", name="Data").click()
    expect(page.locator(".st-key-fit button").first).to_be_disabled()
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".st-key-fit button").first).to_be_enabled()

    page.get_by_role("link", name="Projects").click()
    card = page.locator("[class*='st-key-project-']").filter(has_text="Puromycin")
    expect(card).to_contain_text("23 rows · predicts rate")
    card.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Delete").click()
    expect(card).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(card).to_have_count(1)
    card.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Save as file").click()
    with page.expect_download() as download:
        page.get_by_role("dialog").get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "Puromycin an enzyme at work.kanwb"
    page.get_by_role("button", name="Close").click()
    drop(page, Path(download.value.path()).rename(Path(download.value.path()).with_suffix(".kanwb")))
    expect(fitted_line(page)).to_have_text("rate from conc")
