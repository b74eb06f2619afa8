"""The static SVG: well-formed whatever the names, every state visible without colour."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from itertools import pairwise

import numpy as np
import pytest

from workbench.figures.drawing import drawing
from workbench.figures.svg import network_svg
from workbench.networks.kan import initial, nodes_of

SVG = "{http://www.w3.org/2000/svg}"


def tree(*args, **options) -> ElementTree.Element:
    return ElementTree.fromstring(network_svg(drawing(*args), **options))


def boxes(root) -> list[ElementTree.Element]:
    return [group for group in root.iter(f"{SVG}g") if "data-id" in group.attrib]


def test_every_edge_has_a_box_with_its_state_and_its_words(network, rows):
    found = {group.attrib["data-id"]: group for group in boxes(tree(network, rows))}
    assert len(found) == 11
    assert found["0.0.0"].attrib["class"] == "edge snapped"
    assert found["0.2.1"].attrib["class"] == "edge pruned"
    assert re.fullmatch(r"x1 → h0, snapped, importance \d+ percent", found["0.0.0"].find(f"{SVG}title").text)


def test_hostile_names_stay_text(network, rows, labels):
    text = network_svg(drawing(network, rows, labels=labels))
    root = ElementTree.fromstring(text)
    assert not list(root.iter(f"{SVG}script"))
    assert "<script" not in text
    assert "\u202e" not in text
    assert any('</text><script>' in "".join(node.itertext()) for node in root.iter(f"{SVG}text"))


def test_nothing_is_loaded_from_elsewhere(network, rows):
    text = network_svg(drawing(network, rows)).replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert "http" not in text
    assert "url(" not in text


@pytest.mark.parametrize(("state", "rule"), [("snapped", "stroke-width: 1.8"), ("locked", "stroke-dasharray: 7 3"), ("pruned", "stroke-dasharray: 1.5 3.5")])
def test_states_differ_in_outline_and_not_in_colour_alone(network, rows, state, rule):
    style = tree(network, rows).find(f"{SVG}style").text
    assert re.search(rf"\.{state} \.box[^}}]*{re.escape(rule)}", style)


def test_boxes_do_not_overlap_and_lie_inside_the_picture(network, rows):
    root = tree(network, rows)
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    columns: dict[float, list[tuple[float, float]]] = {}
    for group in boxes(root):
        box = group.find(f"{SVG}rect").attrib
        x, y, h = float(box["x"]), float(box["y"]), float(box["height"])
        assert 0 <= x <= width - float(box["width"])
        assert 0 <= y <= height - h
        columns.setdefault(x, []).append((y, y + h))
    assert len(columns) == 2
    for spans in columns.values():
        spans.sort()
        assert all(upper[0] >= lower[1] for lower, upper in pairwise(spans))


def test_important_edges_have_wide_wires(network, rows):
    given = [np.zeros((3, 3)), np.array([[1.0, 0.0]])]
    widths = [float(path.attrib["stroke-width"]) for path in ElementTree.fromstring(
        network_svg(drawing(network, rows, given))).iter(f"{SVG}path") if path.attrib["class"] == "wire" and "opacity" in path.attrib]  # fmt: skip
    assert widths[-2:] == [5.2, 0.8]


def test_wide_networks_show_the_most_important_edges_and_say_how_many():
    wide = initial([nodes_of(13), nodes_of(1)], np.array([[-1.0, 1.0]] * 7), np.random.default_rng(2))
    X = np.random.default_rng(3).uniform(-1, 1, (53, 7))
    drawn = drawing(wide, X)
    root = ElementTree.fromstring(network_svg(drawn, boxes_per_layer=17))
    shown = {group.attrib["data-id"] for group in boxes(root)}
    first = sorted((edge for edge in drawn["edges"] if edge["layer"] == 0), key=lambda edge: -edge["importance"])[:17]
    assert {edge["id"] for edge in first} <= shown
    assert len(shown) == 17 + 13
    assert any("30 of 104 edges show their curve" in "".join(node.itertext()) for node in root.iter(f"{SVG}text"))


def test_selected_edge_is_marked(network, rows):
    root = ElementTree.fromstring(network_svg(drawing(network, rows, selected=(1, 0, 0))))
    assert [group.attrib["data-id"] for group in boxes(root) if "selected" in group.attrib["class"]] == ["1.0.0"]
