"""A fit that lasts, in a real browser: its curves move, it is paused, looked at, stepped, gone on with in another tab, and kept."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.ui.browser.conftest import visit
from workbench.store import Store

pytestmark = pytest.mark.browser

EDGE = "2.0.0"
HIDE_AND_SHOW = """() => [true, false].forEach((hidden) => {
  Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
})"""


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve thousand rows of a law with scatter: the fit takes many seconds."""
    generator = np.random.default_rng(0)
    x = generator.uniform(-2, 2, (12_000, 3))
    y = np.sin(3 * x[:, 0] * x[:, 1]) + x[:, 1] ** 2 * np.exp(-x[:, 2]) + 0.05 * generator.normal(size=len(x))
    path = tmp_path_factory.mktemp("tables") / "waves.csv"
    np.savetxt(path, np.column_stack([x, y]), delimiter=",", header="a,b,c,y", comments="", fmt="%.5f")
    return path


def button(page: Page, name: str) -> Locator:
    return page.locator(f".st-key-bench_{name} button:enabled").filter(visible=True)


def strip(page: Page, status: str) -> Locator:
    return page.locator(f".progress[data-status='{status}']").filter(visible=True)


def iteration(page: Page) -> int:
    return int(re.search(r"iteration (\d+)", strip(page, "paused").last.inner_text())[1])


def curve(page: Page) -> str | None:
    return page.locator(f".edge[data-id='{EDGE}'] .curve").last.get_attribute("d")


def test_a_long_fit_is_paused_looked_at_stepped_and_kept(browser: Browser, app: str, page: Page, workspace: Path, table: Path) -> None:
    page.goto("/")
    page.locator("[class*='st-key-upload-'] input[type=file]").set_input_files(table)
    hidden = page.get_by_role("textbox", name="Hidden layers")
    hidden.fill("8, 8")
    hidden.press("Enter")
    page.locator(".st-key-fit button:enabled").click()
    expect(page.locator(".network[data-step]")).to_be_visible(timeout=90_000)  # the first fit waits for the compiler
    first = curve(page)
    page.wait_for_function("([edge, first]) => [...document.querySelectorAll('*')].some((host) =>"
                           " (host.shadowRoot?.querySelector(`.edge[data-id='${edge}'] .curve`)?.getAttribute('d') ?? first) !== first)", arg=[EDGE, first])  # fmt: skip

    button(page, "pause").click()
    expect(strip(page, "paused")).to_have_count(1)
    expect(button(page, "continue")).to_be_visible()
    there, still = iteration(page), curve(page)
    page.wait_for_timeout(700)
    assert (iteration(page), curve(page)) == (there, still)

    errors = page.locator(".loss").last.get_attribute("d")
    page.evaluate(HIDE_AND_SHOW)
    page.wait_for_timeout(500)
    assert page.locator(".loss").last.get_attribute("d") == errors  # nothing is told twice

    page.locator(f".edge[data-id='{EDGE}'] .frame").click()
    expect(page.locator(".inspector[data-live] h2")).to_have_text("h2,0 → y")
    learned = page.locator(".inspector .learned").get_attribute("d")
    button(page, "step").click()
    expect(strip(page, "paused").filter(has_text=re.compile(rf"iteration (?!{there}\b)\d+"))).to_have_count(1)
    assert iteration(page) > there
    expect(page.locator(".inspector .learned")).not_to_have_attribute("d", learned)

    page.get_by_role("button", name="Lock", exact=True).click()
    expect(page.locator(".inspector .message")).to_have_text("Lock waits until the fit is finished or kept.")

    with visit(browser, app) as other:  # somebody else, or oneself after the tab was closed
        other.goto(page.url)
        expect(strip(other, "paused")).to_have_count(1)
        assert iteration(other) == iteration(page)
        button(other, "continue").click()
        expect(strip(other, "running")).to_have_count(1)
        expect(strip(page, "running")).to_have_count(1)  # this tab was told

    button(page, "keep").click()
    expect(page.locator(".progress").filter(visible=True)).to_have_count(0)
    expect(page.locator(".st-key-bench_head .stMarkdownBadge").filter(has_text="symbolic", visible=True)).to_have_text("0/96 symbolic")
    expect(button(page, "continue")).to_be_visible()
    expect(page.locator(f".edge[data-id='{EDGE}']")).to_have_attribute("data-state", "locked")
    with Store(workspace) as store:
        project = re.search(r"project=([\w-]+)", page.url)[1]
        step, lock = store.states.history(project)
    assert lock.label == "lock h2,0 → y"
    assert step.label == "fit, stopped"
    assert step.move["arguments"]["stop_after"] > there


def test_a_finished_network_is_trained_further_and_that_is_discarded_from_another_page(page: Page, workspace: Path) -> None:
    with Store(workspace) as store:
        project = next(project.id for project in store.projects.all() if project.cursor)
        before = store.states.history(project)
    page.goto(f"/workbench?project={project}")
    button(page, "continue").dblclick()  # the second click finds Pause in its place, or nothing yet: never Discard
    expect(page.locator(".progress").filter(visible=True, has_text="Training on")).to_have_count(1)
    pill = page.locator(".st-key-job_pill")
    expect(pill).to_contain_text("Training")
    page.goto(f"/data?project={project}")
    pill.locator(".st-key-end_job button").last.click()
    page.get_by_role("menuitem", name="Discard").or_(page.get_by_role("option", name="Discard")).click()
    expect(pill).to_have_count(0)
    with Store(workspace) as store:
        assert store.states.history(project) == before
