"""Networks in small: every edge is there, in the look of its state, on any theme."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest

from tests.ui.fake_engine import DRAWINGS, deep, hostile, trees, wide
from workbench.ui.state.miniature import HEIGHT, NODE, STATES, WIDTH, picture, sheet

STROKE = re.compile(r"M(\d+),(\d+)(?:L(\d+),(\d+)|V(\d+)|h0)")


def paths(svg: str) -> dict[str, ElementTree.Element]:
    """Return the paths of a picture by what they draw."""
    root = ElementTree.fromstring(svg)
    assert {element.tag.split("}")[1] for element in root} <= {"path"}
    assert not any((element.text or "").strip() for element in root.iter())
    return {element.get("class", ""): element for element in root}


def strokes(svg: str) -> dict[str, list[str]]:
    return {name: [found[0] for found in STROKE.finditer(path.get("d", ""))] for name, path in paths(svg).items()}


def test_two_inputs_and_an_output_are_two_wires_and_three_dots() -> None:
    drawn = strokes(picture(trees()))
    assert drawn == {"snapped": ["M4,12L84,18"], "spline": ["M4,24L84,18"], "nodes": ["M4,12h0", "M4,24h0", "M84,18h0"]}


def test_every_edge_has_a_wire_of_its_state_and_a_product_a_bar() -> None:
    drawn = strokes(picture(deep()))
    assert {name: len(found) for name, found in drawn.items()} == {"pruned": 3, "snapped": 3, "locked": 1, "spline": 12, "nodes": 4 + 3 + 1 + 1}
    assert [mark for mark in drawn["nodes"] if "V" in mark] == ["M44,16V20"]


def test_states_differ_in_colour_and_also_without_it() -> None:
    drawn = paths(picture(deep()))
    states = [state for state in STATES if state != "rational"]
    looks = [(drawn[state].get("stroke-width"), drawn[state].get("stroke-dasharray")) for state in states]
    assert len(set(looks)) == len({drawn[state].get("stroke") for state in states}) == 4
    assert [drawn[state].get("stroke-dasharray") == "none" for state in ("spline", "snapped", "locked", "pruned")] == [True, True, False, False]


def test_what_was_learned_looks_the_same_in_every_basis() -> None:
    drawing = deep()
    before = paths(picture(drawing))["spline"]
    for edge in drawing["edges"]:
        edge["state"] = "rational" if edge["state"] == "spline" else edge["state"]
    after = paths(picture(drawing))["rational"]
    assert {**after.attrib, "class": "spline"} == before.attrib


def test_a_lock_moves_one_wire_to_another_path_and_nothing_else() -> None:
    drawing = deep()
    before = strokes(picture(drawing))
    edge = next(edge for edge in drawing["edges"] if edge["id"] == "1.0.0")
    edge["state"] = "locked"
    after = strokes(picture(drawing))
    (moved,) = set(before["spline"]) - set(after["spline"])
    assert after == before | {"spline": [one for one in before["spline"] if one != moved], "locked": [*before["locked"], moved]}


@pytest.mark.parametrize("case", DRAWINGS)
def test_all_lies_on_whole_pixels_inside_the_picture(case: str) -> None:
    for path in paths(picture(DRAWINGS[case]())).values():
        assert STROKE.sub("", path.get("d", "")) == ""
        for x0, y0, x1, y1, y2 in STROKE.findall(path.get("d", "")):
            assert all(2 <= int(x) <= WIDTH - 2 for x in (x0, x1) if x)
            assert all(2 <= int(y) <= HEIGHT - 2 for y in (y0, y1, y2) if y)


@pytest.mark.parametrize(("importance", "expected"), [(2.0, 1), (-0.5, 0)])
def test_of_a_wide_layer_the_most_important_edges_are_drawn(importance: float, expected: int) -> None:
    drawing = wide()
    for edge in drawing["edges"]:
        edge["state"] = "spline"
    drawing["edges"][37] |= {"state": "locked", "importance": importance}
    svg = picture(drawing)
    drawn = strokes(svg)
    assert len(drawn.get("locked", [])) == expected
    assert 60 < len(drawn["spline"]) <= 40 + 40 + 12
    assert len(svg) < 3000


def test_pruned_edges_of_a_wide_layer_give_way_to_living_ones() -> None:
    drawing = wide()
    for k, edge in enumerate(drawing["edges"]):
        edge |= {"state": "spline", "importance": 0.0} if k % 4 else {"state": "pruned", "importance": 1.0}
    at_left = [one for one in strokes(picture(drawing))["pruned"] if one.startswith("M4,")]
    assert at_left == []


def test_a_name_that_is_markup_is_not_even_looked_at() -> None:
    drawing = hostile()
    nameless = hostile()
    for node in (node for layer in nameless["layers"] for node in layer["nodes"]):
        del node["label"], node["unit"]
    for edge in nameless["edges"]:
        del edge["label"], edge["form"]
    assert picture(drawing) == picture(nameless)


def test_a_sheet_gives_each_state_its_own_picture() -> None:
    drawn = {1: picture(trees()), 12: picture(deep())}
    text = sheet(drawn, ".line_{} button")
    assert re.fullmatch(r"<style>[^<>]*</style>", text)  # a sanitiser drops a sheet that has tags in it
    found = re.findall(r'\.line_(\d+) button\{background-image:url\("data:image/svg\+xml,([^"#]*)"\)\}', text)
    assert {int(state): unquote(svg) for state, svg in found} == drawn


def luminance(colour: str) -> float:
    """Return the relative luminance of WCAG 2.2."""
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("colour", [NODE, *(look[0] for look in STATES.values())])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_are_seen_on_both_themes(colour: str, theme: str) -> None:
    themes = tomllib.loads((Path(__file__).parents[3] / ".streamlit" / "config.toml").read_text("utf-8"))["theme"]
    for name in ("backgroundColor", "secondaryBackgroundColor"):
        low, high = sorted((luminance(colour), luminance(themes[theme][name])))
        assert (high + 0.05) / (low + 0.05) >= 3.0
