"""The canvas in a real browser, under our content policy, with the fake engine behind it."""

from __future__ import annotations

import json
import math
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from workbench.discovery.inspection import template
from workbench.primitives import LIBRARY, PrimitiveForm

pytestmark = pytest.mark.browser

COMPONENT = "/_stcore/bidi-components/kan-workbench.network"


def open_case(page: Page, query: str) -> None:
    page.goto(f"/?{query}")
    expect(page.locator(".network")).to_be_visible()


def edge(page: Page, address: str) -> Locator:
    return page.locator(f".edge[data-id='{address}']")


def log(page: Page) -> list:
    return json.loads(page.locator("[data-testid=stCode] code").inner_text())


def wait_for_log(page: Page, length: int) -> list:
    page.wait_for_function("n => JSON.parse(document.querySelector('[data-testid=stCode] code').innerText).length >= n", arg=length)
    return log(page)


def test_a_click_opens_an_edge_and_snap_names_it(canvas: Page) -> None:
    open_case(canvas, "case=trees")
    edge(canvas, "0.1.0").locator(".frame").click()
    expect(edge(canvas, "0.1.0")).to_have_attribute("aria-pressed", "true")
    expect(canvas.locator(".inspector h2")).to_have_text("Height → Volume")
    canvas.get_by_role("option", name=re.compile("^cubic")).hover()
    assert canvas.locator(".overlay").get_attribute("d").startswith("M")
    canvas.get_by_role("option", name=re.compile("^cubic")).click()
    canvas.get_by_role("button", name="Snap to cubic").click()
    expect(edge(canvas, "0.1.0")).to_have_attribute("data-state", "snapped")
    assert wait_for_log(canvas, 1) == [["snap", [0, 1, 0], "cubic", None, {}]]
    canvas.get_by_role("button", name="Close inspector").click()
    expect(edge(canvas, "0.1.0")).to_have_attribute("aria-pressed", "false")
    expect(canvas.locator(".inspector")).to_have_count(0)


def test_every_move_can_be_made_without_a_mouse(canvas: Page) -> None:
    open_case(canvas, "case=trees")
    canvas.locator(".edge[tabindex='0']").focus()
    canvas.keyboard.press("ArrowDown")
    expect(edge(canvas, "0.1.0")).to_be_focused()
    canvas.keyboard.press("s")
    expect(edge(canvas, "0.1.0")).to_have_attribute("data-state", "snapped")
    canvas.keyboard.press("l")
    expect(edge(canvas, "0.1.0")).to_have_attribute("data-state", "locked")
    wait_for_log(canvas, 2)
    canvas.keyboard.press("l")
    expect(edge(canvas, "0.1.0")).to_have_attribute("data-state", "spline")
    wait_for_log(canvas, 3)
    canvas.keyboard.press("p")
    expect(edge(canvas, "0.1.0")).to_have_attribute("data-state", "pruned")
    wait_for_log(canvas, 4)
    canvas.keyboard.press("Control+z")
    canvas.keyboard.press("Control+Shift+z")
    assert [entry[0] for entry in wait_for_log(canvas, 6)] == ["snap", "lock", "unlock", "prune", "undo", "redo"]
    canvas.keyboard.press("?")
    expect(canvas.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    canvas.keyboard.press("Escape")
    expect(canvas.get_by_role("dialog", name="Keyboard shortcuts")).to_be_hidden()


def test_a_typed_form_is_checked_while_it_is_typed_and_ctrl_z_stays_in_the_field(canvas: Page) -> None:
    open_case(canvas, "case=trees&edge=0.1.0")
    field = canvas.get_by_label("Filter forms, or type a form in x")
    field.fill("tanh")
    expect(canvas.get_by_role("option")).to_have_count(1)
    field.fill("a*foo(x)")
    expect(canvas.locator(".note:visible").last).to_contain_text("“foo” is not a function we know")
    field.fill("a*exp(-b*x)+c")
    expect(canvas.locator(".own")).to_contain_text("fits a, b, c")
    canvas.keyboard.press("Control+z")
    field.fill("a*exp(-b*x)+c")
    canvas.keyboard.press("Enter")
    assert wait_for_log(canvas, 1) == [["fit_form", [0, 1, 0], None, "a*exp(-b*x)+c", {}]]


def test_a_slider_redraws_the_form_here_and_its_constants_travel_with_snap(canvas: Page) -> None:
    open_case(canvas, "case=trees&edge=0.1.0")
    canvas.get_by_role("option", name=re.compile("^sine")).click()
    before = canvas.locator(".overlay").get_attribute("d")
    expect(canvas.get_by_role("slider", name="Constant a")).to_be_visible()
    canvas.get_by_role("slider", name="Constant a").focus()
    canvas.keyboard.press("End")
    assert canvas.locator(".overlay").get_attribute("d") != before
    assert log(canvas) == []
    canvas.get_by_role("button", name="Snap to sine").click()
    (operation, _, form, _, constants) = wait_for_log(canvas, 1)[0]
    assert (operation, form) == ("snap", "sin")
    assert constants == {"c": 1.0, "a": 6.0, "b": 0.0}


def test_a_running_fit_moves_the_curves(canvas: Page) -> None:
    open_case(canvas, "case=trees&stream=/api/jobs/live/events")
    expect(canvas.locator(".network")).to_have_attribute("data-step", "5")
    heights = {float(y) for y in re.findall(r"[ML][\d.]+ ([\d.]+)", edge(canvas, "0.1.0").locator(".curve").get_attribute("d"))}
    assert len(heights) == 1
    assert "importance 50 percent" in edge(canvas, "0.1.0").get_attribute("aria-label")


def test_a_wide_network_opens_as_a_matrix_and_importance_filters_it(canvas: Page) -> None:
    open_case(canvas, "case=wide")
    expect(canvas.locator(".network")).to_have_attribute("data-mode", "matrix")
    expect(canvas.locator(".edge:not([data-bare])")).to_have_count(402)
    canvas.get_by_label("Smallest importance shown").fill("60")
    shown = canvas.locator(".share").inner_text()
    count, total = (int(number) for number in re.match(r"(\d+) of (\d+) edges", shown).groups())
    assert 0 < count < total < 402
    assert canvas.locator(".edge[data-faint]").count() == total - count
    canvas.get_by_role("radio", name="Graph").click()
    expect(canvas.locator(".network")).to_have_attribute("data-mode", "graph")


def test_the_drawing_downloads_as_an_svg_that_stands_alone(canvas: Page) -> None:
    open_case(canvas, "case=deep")
    with canvas.expect_download() as download:
        canvas.get_by_role("button", name="Download as SVG").click()
    assert download.value.suggested_filename == "deep.svg"
    root = ElementTree.parse(download.value.path()).getroot()
    texts = {element.text for element in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"q₁", "θ", "F", "Π", "sin(3.01x)"} - texts == {"sin(3.01x)"}  # that box is too small for its form
    assert "0.7x" in texts
    assert not any("class" in element.attrib or "style" in element.attrib for element in root.iter())
    strokes = [element.get("stroke-width") for element in root.iter("{http://www.w3.org/2000/svg}path")]
    assert all(strokes)


def test_a_column_name_is_never_read_as_markup(canvas: Page) -> None:
    open_case(canvas, "case=hostile&edge=0.0.0")
    expect(canvas.locator(".inspector h2")).to_have_text("<img src=x onerror=alert(1)> → y")
    assert canvas.locator("img[src=x]").count() == 0


FORMULAS = {
    "a*exp(-b*x)+c": lambda x: 2.5 * math.exp(-0.7 * x) - 1.25,
    "-x**2": lambda x: -(x**2),
    "2**-x": lambda x: 2**-x,
    "2^3^0.5*x": lambda x: 2 ** (3**0.5) * x,
    "erf(x)": math.erf,
    "erf(x/3) + sign(-x)": lambda x: math.erf(x / 3) + (1 if x == 0 else -math.copysign(1, x)),
    "log1p(x*x) - expm1(-1e-1*x)": lambda x: math.log1p(x * x) - math.expm1(-0.1 * x),
    "sin(pi*x)/(1+abs(x))": lambda x: math.sin(math.pi * x) / (1 + abs(x)),
    "asinh(x)+atan(x)*tanh(x)-.5": lambda x: math.asinh(x) + math.atan(x) * math.tanh(x) - 0.5,
}


def test_formulas_mean_in_the_browser_what_they_mean_in_python(canvas: Page) -> None:
    open_case(canvas, "case=empty")
    xs = [-5.3, -2.1, -1.0, -0.4, 0.0, 0.3, 1.0, 1.9, 2.3, 7.1]
    program = f"""async ([formulas, xs]) => {{
        const {{ compile }} = await import("{COMPONENT}/shared/expression.js");
        return formulas.map(text => xs.map(x => compile(text).evaluate({{ x, a: 2.5, b: 0.7, c: -1.25 }})));
    }}"""
    found = canvas.evaluate(program, [list(FORMULAS), xs])
    for (text, truth), values in zip(FORMULAS.items(), found, strict=True):
        assert values == pytest.approx([truth(x) for x in xs], rel=1e-13, abs=1e-15), text


def test_every_form_of_the_library_has_the_same_values_under_the_sliders(canvas: Page) -> None:
    open_case(canvas, "case=empty")
    xs = np.linspace(0.05, 1.9, 11)  # forms with a narrow domain have values at some of them
    forms = [PrimitiveForm(primitive) for primitive in LIBRARY.values()]
    constants = [dict(zip(form.parameter_names, [1.3, 0.9, 0.07, 1.7, 0.6], strict=False)) for form in forms]
    program = f"""async ([forms, xs]) => {{
        const {{ compile }} = await import("{COMPONENT}/shared/expression.js");
        return forms.map(([text, values]) => xs.map(x => compile(text).evaluate({{ ...values, x }})));
    }}"""
    asked = [[template(form), {"a": 1.0, "b": 0.0, "c": 1.0} | values] for form, values in zip(forms, constants, strict=True)]
    for form, values, found in zip(forms, constants, canvas.evaluate(program, [asked, xs.tolist()]), strict=True):
        truth, _ = form.evaluate(xs, np.array(list(values.values())))
        known = np.isfinite(truth)
        assert known.any(), form.name
        np.testing.assert_allclose(np.array(found, dtype=float)[known], truth[known], rtol=1e-10, atol=1e-12, err_msg=form.name)


NO_FORMULAS = ["", "x +", "(x", "x)", "__import__('os')", "x.y", "sin", "f(x)", "x x", "constructor(x)", "a[0]"]


def test_a_text_that_is_no_formula_is_refused_with_a_sentence(canvas: Page) -> None:
    open_case(canvas, "case=empty")
    program = f"""async texts => {{
        const {{ compile }} = await import("{COMPONENT}/shared/expression.js");
        return texts.map(text => {{ try {{ compile(text); return ""; }} catch (error) {{ return `${{error.name}}: ${{error.message}}`; }} }});
    }}"""
    for text, answer in zip(NO_FORMULAS, canvas.evaluate(program, NO_FORMULAS), strict=True):
        assert re.fullmatch(r"Error: .*\.", answer), (text, answer)


def test_quick_undos_all_arrive(canvas: Page) -> None:
    open_case(canvas, "case=trees")
    canvas.locator(".edge[tabindex='0']").focus()
    for _ in range(5):
        canvas.keyboard.press("Control+z")
    wait_for_log(canvas, 5)
    canvas.wait_for_timeout(500)
    assert [entry[0] for entry in log(canvas)] == ["undo"] * 5


def term(page: Page, number: int) -> Locator:
    return page.locator(f".st-key-bench_latex [data-term='{number}']")


def lit(page: Page, mark: str) -> list[str]:
    return page.locator(f".st-key-bench_latex [{mark}]").evaluate_all("found => [...new Set(found.map(one => one.dataset.term))]")


def hot_edges(page: Page) -> list[str]:
    return page.locator(".edge[data-hot]").evaluate_all("found => found.map(one => one.dataset.id)")


def test_a_term_lights_the_edges_it_came_from_and_an_edge_its_terms(canvas: Page) -> None:
    open_case(canvas, "case=trees")
    expect(canvas.locator(".st-key-bench_latex [data-term]")).to_have_count(4)                 # one element each, also in a table of lines
    term(canvas, 1).hover()
    assert (lit(canvas, "data-hot"), hot_edges(canvas)) == (["1"], ["0.0.0"])            # the innermost one
    term(canvas, 0).hover(position={"x": 3, "y": 18})
    assert (lit(canvas, "data-hot"), hot_edges(canvas)) == (["0"], ["0.0.0", "0.1.0"])
    edge(canvas, "0.1.0").locator(".frame").hover()
    assert (lit(canvas, "data-hot"), hot_edges(canvas)) == ([], ["0.1.0"])
    assert lit(canvas, "data-lit") == ["0", "2", "3"]
    canvas.mouse.move(5, 5)
    assert (lit(canvas, "data-lit"), hot_edges(canvas)) == ([], [])


def test_a_click_on_a_term_opens_its_edges_in_turn(canvas: Page) -> None:
    open_case(canvas, "case=trees")
    term(canvas, 3).click()
    expect(canvas.locator(".inspector h2")).to_have_text("Height → Volume")
    term(canvas, 0).click(position={"x": 3, "y": 18})
    expect(canvas.locator(".inspector h2")).to_have_text("Girth → Volume")
    term(canvas, 0).click(position={"x": 3, "y": 18})
    expect(canvas.locator(".inspector h2")).to_have_text("Height → Volume")


def test_terms_are_reached_without_a_mouse(canvas: Page) -> None:
    open_case(canvas, "case=trees")
    expect(term(canvas, 0)).to_have_attribute("tabindex", "0")
    term(canvas, 0).focus()
    canvas.keyboard.press("ArrowRight")
    canvas.keyboard.press("ArrowRight")
    expect(term(canvas, 2)).to_be_focused()
    assert hot_edges(canvas) == ["0.1.0"]
    expect(term(canvas, 2)).to_have_attribute("aria-label", "Term 3 of 4: Height → Volume")
    assert canvas.locator(".st-key-bench_latex [aria-hidden=true] [data-term]").count() == 0   # what has the focus must not be hidden
    canvas.keyboard.press("Enter")
    expect(canvas.locator(".inspector h2")).to_have_text("Height → Volume")
    edge(canvas, "0.0.0").focus()
    assert lit(canvas, "data-lit") == ["0", "1"]


def test_terms_keep_up_with_a_formula_that_is_set_anew(canvas: Page) -> None:
    open_case(canvas, "case=trees")
    expect(term(canvas, 3)).to_have_count(1)
    canvas.evaluate("""() => {
        const typeset = document.querySelector('.st-key-bench_latex .katex-html');
        typeset.replaceWith(Object.assign(document.createElement('span'), {className: 'katex-html'}));
        const line = document.querySelector('.st-key-bench_latex .katex-html').appendChild(document.createElement('span'));
        line.style.color = '#f00003';
        line.textContent = 'y';
    }""")
    expect(canvas.locator(".st-key-bench_latex [data-term]")).to_have_count(1)
    term(canvas, 2).hover()
    assert hot_edges(canvas) == ["0.1.0"]


def test_what_is_lit_stays_lit_when_the_formula_is_set_anew(canvas: Page) -> None:
    set_anew = """() => {
        const typeset = document.querySelector('.st-key-bench_latex .katex-html');
        const bare = typeset.cloneNode(true);
        for (const term of bare.querySelectorAll('[data-term]')) for (const name in term.dataset) delete term.dataset[name];
        typeset.replaceWith(bare);
    }"""
    open_case(canvas, "case=trees")
    edge(canvas, "0.1.0").locator(".frame").hover()
    assert lit(canvas, "data-lit") == ["0", "2", "3"]
    canvas.evaluate(set_anew)
    expect(canvas.locator(".st-key-bench_latex [data-lit]")).to_have_count(3)
    assert lit(canvas, "data-lit") == ["0", "2", "3"]
    term(canvas, 1).hover()
    assert lit(canvas, "data-hot") == ["1"]
    canvas.evaluate(set_anew)
    expect(canvas.locator(".st-key-bench_latex [data-hot]")).to_have_count(1)
    assert (lit(canvas, "data-hot"), hot_edges(canvas)) == (["1"], ["0.0.0"])
