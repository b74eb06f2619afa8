"""Parity and residual charts: points where they belong, as static SVG and as Plotly figures."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from numpy.testing import assert_allclose

from workbench.figures import plots
from workbench.figures.charts_svg import MOST_POINTS, parity_svg, residuals_svg, ticks
from workbench.figures.markup import coordinate, escape, number

SVG = "{http://www.w3.org/2000/svg}"
PARTS = [
    ("training", np.array([1.0, 2.0, 5.0]), np.array([1.1, 1.8, 5.2])),
    ("validation", np.array([3.0]), np.array([3.0])),
    ("test", np.array([4.0, np.nan]), np.array([4.4, 4.0])),
]


def marks(text: str, kind: int) -> np.ndarray:
    """Return the left or upper ends of the marks of one kind, (n, 2) pixels."""
    root = ElementTree.fromstring(text)
    path = next(node.attrib["d"] for node in root.iter(f"{SVG}path") if node.attrib["class"] == f"mark mark{kind}" and len(node))
    return np.array([[float(v) for v in pair] for pair in re.findall(r"M(-?[\d.]+) (-?[\d.]+)", path)])


def test_parity_points_lie_by_their_values_on_one_scale():
    points = marks(parity_svg(PARTS, "Volume", "ft³"), 0)
    shift = points - points[0]
    assert_allclose(shift[:, 0] / shift[2, 0], np.array([0, 1, 4]) / 4, atol=0.005)
    assert_allclose(shift[:, 1] / shift[2, 1], np.array([0, 0.7, 4.1]) / 4.1, atol=0.005)
    line = next(node for node in ElementTree.fromstring(parity_svg(PARTS, "V")).iter(f"{SVG}line") if node.attrib["class"] == "ideal")
    assert float(line.attrib["y1"]) > float(line.attrib["y2"])


def test_residuals_are_measured_minus_predicted_about_a_line_at_zero():
    text = residuals_svg(PARTS, "Volume")
    zero = next(float(node.attrib["y1"]) for node in ElementTree.fromstring(text).iter(f"{SVG}line") if node.attrib["class"] == "ideal")
    heights = zero - marks(text, 0)[:, 1]
    assert_allclose(heights / heights[1], np.array([-0.1, 0.2, -0.2]) / 0.2, atol=0.02)


def test_rows_without_a_value_are_left_out():
    assert len(marks(parity_svg(PARTS, "V"), 2)) == 1


def test_nothing_to_draw_is_said():
    assert "no rows with a value" in parity_svg([("training", np.array([np.nan]), np.array([1.0]))], "V")


def test_many_rows_are_thinned_and_that_is_said():
    y = np.linspace(0, 1, 4 * MOST_POINTS)
    text = parity_svg([("training", y, y)], "V")
    assert len(marks(text, 0)) == MOST_POINTS
    assert f"every 4th of {4 * MOST_POINTS} rows" in text


@pytest.mark.parametrize(("times", "said"), [(2, "every 2nd"), (3, "every 3rd"), (11, "every 11th"), (12, "every 12th"), (21, "every 21st")])
def test_thinning_is_said_in_english(times, said):
    y = np.linspace(0, 1, times * MOST_POINTS)
    assert f"{said} of {times * MOST_POINTS} rows" in parity_svg([("training", y, y)], "V")


def test_hostile_names_stay_text():
    text = parity_svg(PARTS, '</text><script>alert("x")</script>', "<b>")
    ElementTree.fromstring(text)
    assert "<script" not in text


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-3.2, 17.9), (1e-9, 2e-9), (-1e6, 1e6), (99.9, 100.1)])
def test_ticks_are_round_and_inside(low, high):
    values = ticks(low, high)
    assert 3 <= len(values) <= 8
    assert low - 1e-9 * (high - low) <= values[0]
    assert values[-1] <= high + 1e-9 * (high - low)
    step = (values[1] - values[0]) / 10 ** np.floor(np.log10(values[1] - values[0]) + 1e-9)
    assert round(step, 6) in (1.0, 2.0, 5.0)


@pytest.mark.parametrize(("value", "text"), [(0.0, "0"), (-0.5, "−0.5"), (123456.0, "1.235e5"), (1e-5, "1e−5"), (float("inf"), "inf")])
def test_numbers_are_written_for_people(value, text):
    assert number(value) == text


def test_escape_takes_out_what_no_xml_may_hold():
    text = escape("a\x00b\x1fc\ud800d\u202ee<'\"&>")
    assert text == "abcde&lt;&#x27;&quot;&amp;&gt;"


@pytest.mark.parametrize(("value", "text"), [(1.04, "1"), (-0.04, "0"), (2.25, "2.2"), (-3.06, "-3.1")])
def test_coordinates_are_short(value, text):
    assert coordinate(value) == text


class TestPlotly:
    def test_parity_holds_the_points_and_the_diagonal(self):
        figure = plots.parity(PARTS, "Volume", "ft³")
        assert [trace.name for trace in figure.data] == ["training", "validation", "test", "equal"]
        assert_allclose(figure.data[0].x, PARTS[0][1])
        assert_allclose(figure.data[0].y, PARTS[0][2])
        assert_allclose(figure.data[3].x, [1.0, 5.2])

    def test_residuals_hold_the_differences(self):
        assert_allclose(plots.residuals(PARTS, "V").data[0].y, [-0.1, 0.2, -0.2], atol=1e-12)

    def test_edge_curves_show_every_edge_that_is_alive(self, network, rows):
        figure = plots.edge_curves(network, rows)
        assert len(figure.data) == 10
        x = figure.data[0].x
        assert_allclose(figure.data[0].y, network.edge_value((0, 0, 0), np.asarray(x)), atol=1e-3)
        assert figure.data[0].line.color == plots.COLOURS["snapped"]
        assert figure.data[1].line.dash == "dash"

    def test_important_edges_are_opaque(self, network, rows):
        figure = plots.edge_curves(network, rows, [np.ones((3, 3)), np.array([[1.0, 0.0]])])
        assert [trace.opacity for trace in figure.data[-2:]] == [1.0, 0.25]

    def test_hostile_names_are_no_markup(self, network, rows, labels):
        titles = [annotation.text for annotation in plots.edge_curves(network, rows, labels=labels).layout.annotations]
        assert any("&lt;script&gt;" in title for title in titles)
        assert not any("<script" in title for title in titles)

    def test_pareto_marks_the_picked_formula(self):
        figure = plots.pareto([1, 5, 9], [0.9, 0.1, 0.01], ["x", "x + y", "exp(x)*y"], picked=1)
        assert list(figure.data[0].marker.symbol) == ["circle", "star", "circle"]
        assert figure.layout.yaxis.type == "log"
        assert plots.pareto([1, 5], [0.9, 0.0], ["x", "y"]).layout.yaxis.type == "linear"

    def test_learning_and_pruning_curves_hold_their_numbers(self):
        assert list(plots.learning_curve([1.0, 0.1]).data[0].y) == [1.0, 0.1]
        curve = plots.pruning_curve([5, 3, 1], [0.1, 0.1, 0.9], [0.01, 0.01, 0.2], kept=3)
        assert list(curve.data[0].x) == [5, 3, 1]
        assert list(curve.data[0].error_y.array) == [0.01, 0.01, 0.2]
