"""Find the law in a real browser: a list that fills, a click that draws, a formula that is typed, and what it misses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two hundred rows of 2 a^2 / b with scatter."""
    generator = np.random.default_rng(6)
    a, b = generator.uniform(0.5, 2.0, (2, 211))
    path = tmp_path_factory.mktemp("tables") / "drops.csv"
    np.savetxt(path, np.column_stack([a, b, 2.0 * a**2 / b + 0.02 * generator.normal(size=len(a))]), delimiter=",", header="a,b,y", comments="", fmt="%.6f")
    return path


def rows(page: Page) -> Locator:
    return page.locator(".laws .row")


def drawn(page: Page) -> Locator:
    return page.locator(".network .edge[data-state=snapped]").filter(visible=True)


def test_a_law_is_found_opened_typed_extended_and_compared(page: Page, table: Path) -> None:
    page.goto("/")
    page.locator("[class*='st-key-upload-'] input[type=file]").set_input_files(table)
    expect(page.locator(".st-key-fit button:enabled")).to_be_visible()
    page.get_by_role("link", name="Workbench").click()
    expect(page.locator(".laws .formulas .note")).to_contain_text("No formula yet")

    page.locator(".st-key-bench_law_open button").click()
    page.get_by_text("10 s", exact=True).click()
    page.locator(".st-key-bench_auto button").click()
    expect(page.locator(".laws[data-searching]")).to_be_visible()
    expect(rows(page).first).to_be_visible(timeout=60_000)  # it fills while the search runs, or at its end where that came at once
    expect(page.locator(".laws:not([data-searching]) em.picked")).to_be_visible(timeout=60_000)
    expect(page.locator(".laws .chip")).to_have_text("law found")
    expect(page.locator(".laws .reasons")).to_be_hidden()
    page.locator(".laws .chip").click()
    expect(page.locator(".laws .reasons li").first).to_be_visible()
    page.locator(".laws .chip").click()
    expect(page.locator(".laws .detail .constant b").first).to_be_visible()

    field = page.get_by_role("textbox", name="Type a formula")
    field.fill("k*c")
    expect(page.locator(".laws .verdict")).to_have_text("It needs a column: a, b.")
    field.fill("k*a")
    field.press("Enter")
    expect(rows(page).filter(has_text="typed")).to_have_attribute("aria-selected", "true")
    expect(drawn(page)).to_have_count(1)

    picked = rows(page).filter(has=page.locator("em.picked"))
    picked.hover()
    picked.get_by_role("button", name="compare").click()
    expect(page.locator(".laws .comparison p").first).to_contain_text("differ by up to")
    page.get_by_role("button", name="Close the comparison").click()

    page.locator(".laws .extend").click()
    expect(page.locator(".st-key-bench_head .stMarkdownBadge").filter(has_text="symbolic", visible=True)).not_to_have_text("1/1 symbolic", timeout=60_000)
    page.locator(".st-key-bench_history_open button").click()
    expect(page.locator(".st-key-bench_history")).to_contain_text("fit what it misses")
    expect(page.locator(".st-key-bench_history")).to_contain_text("suppose: k*a")
    page.keyboard.press("Escape")

    page.locator(".laws .point[data-picked]").click()
    expect(picked).to_have_attribute("aria-selected", "true")
    expect(page.locator(".st-key-bench_latex .katex").first).to_contain_text("y=")
