"""The stopwatch in the page tells the time, and the plan says what the benchmark may claim."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from benchmarks.browser import PLAN, STOPWATCH

PAGE = """<button>Go</button><div id=host></div><script>
  const shadow = document.getElementById("host").attachShadow({ mode: "open" });
  document.querySelector("button").onclick = () => {
    setTimeout(() => { shadow.innerHTML = "<p class=early>early</p>"; }, 150);
    setTimeout(() => { shadow.innerHTML += "<p class=late hidden>late</p>"; }, 200);
    setTimeout(() => { shadow.querySelector(".late").hidden = false; }, 600);
  };
</script>"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.new_page()
    opened.set_content(PAGE)
    opened.evaluate(STOPWATCH.read_text(encoding="utf-8"))
    yield opened
    opened.close()


@pytest.mark.browser
def test_each_answer_is_timed_by_the_first_frame_that_shows_it(page: Page) -> None:
    page.evaluate("() => stopwatch.arm('pointerdown', { early: () => stopwatch.seen('.early'), late: () => stopwatch.seen('.late') })")
    page.wait_for_timeout(300)      # the watch runs from the click, not from here
    page.get_by_role("button").click()
    taken = page.evaluate("() => stopwatch.taken")
    assert list(taken) == ["early", "late"]
    assert 150 <= taken["early"] < 600 <= taken["late"]     # the second stood there hidden before it could be seen
    assert taken["late"] - taken["early"] < 3000


def test_the_gate_is_twice_what_a_person_should_wait() -> None:
    assert {row.gate / row.stretch for row in PLAN} == {2.0}
    assert len({row.what for row in PLAN}) == len(PLAN)
