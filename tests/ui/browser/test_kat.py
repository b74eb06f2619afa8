"""A transformer in a real browser, on the digits: trained, a function looked at and named, all named, attention, and the model taken home."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

import workbench as wb
from workbench.dataset import pixels_of
from workbench.store import Store

pytestmark = pytest.mark.browser

LONG = 90_000  # ms: torch is imported for the first time, and two cores are shared


def cell(page: Page, address: str) -> Locator:
    return page.locator(f".cell[data-id='{address}']")


def badge(page: Page, words: str) -> Locator:
    return page.locator(".st-key-bench_head .stMarkdownBadge").filter(has_text=re.compile(words), visible=True)


def number(page: Page, label: str, value: int) -> None:
    field = page.get_by_role("spinbutton", name=label)
    field.fill(str(value))
    field.press("Enter")


def test_the_digits_are_learned_read_named_and_taken_home(page: Page, workspace: Path, tmp_path: Path) -> None:
    page.goto("/")
    page.locator(".st-key-sample-digits button").click()
    expect(page.locator(".st-key-fit_panel")).to_contain_text("4 tokens, squares of 4 × 4 pixels", timeout=LONG)
    number(page, "Epochs", 8)
    number(page, "Blocks", 1)
    page.locator(".st-key-fit button:enabled").click()
    expect(page.locator(".progress").filter(has_text=re.compile(r"epoch \d+ of 8 · held-out accuracy"))).to_be_visible(timeout=LONG)
    expect(badge(page, "0/8 named")).to_be_visible(timeout=LONG)
    expect(page.locator(".cell")).to_have_count(8)
    assert float(re.search(r"([\d.]+) %", badge(page, "^accuracy").inner_text())[1]) > 80

    cell(page, "1.2").click()  # look at a function
    inspector = page.locator(".inspector")
    expect(inspector.locator("h2")).to_have_text("block 1, second, group 3")
    expect(inspector).to_contain_text("shared by 24 channels")
    judged = inspector.locator(".row:not([data-preview])")
    expect(judged.first).to_be_visible(timeout=LONG)
    assert judged.count() >= 4
    page.get_by_role("button", name=re.compile("^Snap to ")).click()
    expect(badge(page, "1/8 named")).to_be_visible()
    expect(cell(page, "1.2")).to_have_attribute("data-state", "snapped")
    expect(page.locator(".st-key-kat_proof")).to_contain_text(re.compile(r"test rows [\d.]+ % → [\d.]+ %"))

    page.keyboard.press("Control+z")
    expect(badge(page, "0/8 named")).to_be_visible()
    page.locator(".st-key-bench_redo button:enabled").filter(visible=True).click()
    expect(badge(page, "1/8 named")).to_be_visible()
    page.reload()
    expect(cell(page, "1.2")).to_have_attribute("data-state", "snapped")
    expect(inspector.locator("h2")).to_have_text("block 1, second, group 3")  # the function is in the address

    page.locator(".st-key-kat_name_open button:enabled").filter(visible=True).click()
    page.locator(".st-key-kat_name_all button").click()
    expect(badge(page, "8/8 named")).to_be_visible(timeout=LONG)
    expect(page.locator(".progress").filter(visible=True)).to_have_count(0, timeout=LONG)

    page.locator(".st-key-kat_view").get_by_text("Attention").click()
    attention = page.locator(".attention:not([data-waiting])")
    expect(attention.locator("figure")).to_have_count(4)  # heads of the one block
    row = attention.locator(".picker button[aria-selected='false']").last.get_attribute("data-row")
    attention.locator(f".picker button[data-row='{row}']").click()
    expect(attention).to_have_attribute("data-row", row)
    field = attention.get_by_role("spinbutton", name="Validation row")
    field.fill("7")
    field.press("Enter")
    expect(attention).not_to_have_attribute("data-row", row)
    expect(field).to_have_value("7")
    square = attention.locator(".square").first
    square.click()
    expect(square).to_have_attribute("data-on", "")
    expect(attention.locator(".who")).to_have_text("What token row 1, column 1 looks at")

    page.get_by_test_id("stPageLink").filter(has_text="Export").click()
    expect(page.locator(".st-key-export_kat_proof")).to_contain_text("8 of 8 activation functions have a name")
    with page.expect_download() as download:
        page.locator(".st-key-export_download button").click()
    with zipfile.ZipFile(download.value.path()) as packed:
        packed.extractall(tmp_path)
    check_model(tmp_path, page, workspace)


def check_model(folder: Path, page: Page, workspace: Path) -> None:
    """Run the downloaded code in a process without us, on the rows nobody trained on; compare with what the project says."""
    project = re.search(r"project=([\w-]+)", page.url)[1]
    with Store(workspace) as store:
        (folder / "digits.kanwb").write_bytes(store.export(project))
        told = store.states.get(project).view["certificate"]["parts"]["test"]
    kat = wb.Transformer.load(folder / "digits.kanwb")
    data = kat.data
    images = pixels_of(data).images(data.X_test)
    code = "import json, sys, torch, kat_digit\nX = torch.tensor(json.load(sys.stdin))\nprint(json.dumps(kat_digit.load()(X).argmax(1).tolist()))"
    run = subprocess.run([sys.executable, "-c", code], cwd=folder, input=json.dumps(images.tolist()), capture_output=True, text=True, check=True)
    classes = json.loads(run.stdout)
    right = sum(one == truth for one, truth in zip(classes, data.y_test[:, 0].astype(int), strict=True))
    assert right / len(classes) == pytest.approx(told["score_snapped"])
    assert told["score_opened"] - told["score_snapped"] < 0.05
