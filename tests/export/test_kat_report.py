"""The report of a transformer: it says what the names cost, shows every function, and carries nothing that could run."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import pytest

import workbench as wb
from tests.transformer.conftest import SETTINGS, table
from workbench.export.kat_report import kat_report
from workbench.figures.functions import functions_drawing
from workbench.figures.functions_svg import functions_svg

EVIL = '<script>alert("1")</script>'


@pytest.fixture(scope="module")
def named() -> wb.Transformer:
    columns = table("classification")
    columns[EVIL] = columns.pop("y")
    data = wb.Dataset.from_table(columns, EVIL, task="classification")
    return wb.Transformer.fit(data, **SETTINGS | {"epochs": 5}).snap(("blocks.0.mlp.act2", 0), "gelu")


def report(kat: wb.Transformer) -> str:
    return kat_report(kat.reading, kat.data, kat.certificate(), [("a move", "kat = kat.refit()")], "import workbench as wb")


def test_the_report_says_what_the_names_cost_and_names_every_function(named: wb.Transformer) -> None:
    text = report(named)
    both = named.certificate().parts["test"]
    assert f"{100 * both.score_opened:.2f} %" in text
    assert "1 of its 4 activation functions have a name" in text
    assert text.count('<g transform="translate(') == 4
    assert ">GELU<" in text
    assert "kat = kat.refit()" in text
    assert text == report(named)


def test_nothing_in_it_runs_or_is_fetched(named: wb.Transformer) -> None:
    text = report(named)
    assert "<script" not in text
    assert re.findall(r"https?://(?!www\.w3\.org/(?:2000/svg|1998/Math/MathML))", text) == []
    assert "default-src 'none'" in text


def test_the_drawing_is_xml_with_a_curve_for_every_function(named: wb.Transformer) -> None:
    drawn = functions_drawing(named.reading)
    drawn["places"][0]["label"] = "<b>&"
    root = ElementTree.fromstring(functions_svg(drawn))
    curves = [path.get("class") for path in root.iter("{http://www.w3.org/2000/svg}path") if (path.get("class") or "").startswith("curve")]
    assert curves == ["curve spline", "curve spline", "curve snapped", "curve spline"]


def test_numbers_have_r2_and_no_classes() -> None:
    kat = wb.Transformer.fit(wb.Dataset.from_table(table("regression"), "y"), **SETTINGS | {"epochs": 2})
    text = report(kat)
    assert "R² as trained" in text
    assert "0 of its 4" in text
    assert kat.certificate().parts["train"].same_class is None
