"""What all exports share: the registry, JSON, clean headers, and refusals."""

from __future__ import annotations

import json

import pytest

from workbench.exceptions import ExportError
from workbench.export import TARGETS, export, write_export
from workbench.export.source import clean
from workbench.expression import Call, Constant, Expression, Number, Symbol, parse
from workbench.formula import EXPORTERS, Formula, Input, Output

TEXTS = [name for name in TARGETS if name not in ("excel", "report")]


def tree(record) -> Expression:
    """Rebuild a tree from the JSON alone, without our parser."""
    match record:
        case {"integer": value} | {"number": value}:
            return Number(value)
        case {"fraction": [p, q]}:
            from fractions import Fraction

            return Number(Fraction(p, q))
        case {"constant": name}:
            return Constant(name)
        case {"symbol": name}:
            return Symbol(name)
        case {"call": name, "arguments": arguments}:
            return Call(name, tuple(map(tree, arguments)))
    raise AssertionError(record)


def test_json_holds_every_tree_as_text_and_as_a_tree(sample):
    content = json.loads(export(sample.formula, "json"))
    assert [column["name"] for column in content["inputs"]] == [column.name for column in sample.formula.inputs]
    for record, output in zip(content["outputs"], sample.formula.outputs, strict=True):
        assert record["name"] == output.name
        assert parse(record["text"], functions=sample.formula.definitions) == output.expression
        assert tree(record["tree"]) == output.expression
    for record, (name, definition) in zip(content["definitions"], sample.formula.definitions.items(), strict=True):
        assert (record["name"], tuple(record["domain"])) == (name, definition.domain)
        if "form" in record:
            numbers = (record["form"], record["numerator"], record["denominator"])
            assert numbers == (definition.form, list(definition.numerator), list(definition.denominator))
        else:
            assert record["base"] == definition.base
            assert record["knots"] == definition.knots.tolist()
            assert record["polynomials"] == definition.polynomials.tolist()


def test_json_writes_an_unknown_range_as_null():
    formula = Formula((Output("y", "y", None, Symbol("x")),), (Input("x", "x"),))
    assert json.loads(export(formula, "json"))["inputs"][0]["low"] is None


@pytest.mark.parametrize("target", TEXTS)
def test_the_same_formula_gives_the_same_text_and_stays_as_it_was(sample, target):
    before = str(sample.formula)
    assert export(sample.formula, target) == export(sample.formula, target)
    assert str(sample.formula) == before


@pytest.mark.parametrize("target", [name for name in TEXTS if name != "json"])
def test_every_column_is_named_beside_its_symbol_in_a_comment(names, hostile, target):
    sign = {"latex": "%", "matlab": "%", "c": "//"}.get(target, "#")
    comments = [line for line in export(names.formula, target).split("\n") if line.startswith(sign)]
    for symbol, name in hostile.items():
        assert any(line.startswith(f'{sign}   input  {symbol}: column "{clean(name)}"') for line in comments)


def test_cleaned_text_is_one_line_that_reads_from_left_to_right():
    assert clean("a\r\nb\x00c\u2028d\u202ee\x85f\x1b[31m") == "a  b c d e f [31m"
    assert clean("Länge (µm) 🌡 β") == "Länge (µm) 🌡 β"


def test_a_function_without_definition_is_refused_by_every_target():
    formula = Formula((Output("y", "y", None, parse("phi_0_0_0(x)", functions=["phi_0_0_0"])),), (Input("x", "x", None, 0.0, 1.0),))
    for target in (*TEXTS, "excel"):
        with pytest.raises(ExportError, match="no definition for phi_0_0_0"):
            export(formula, target)


def test_an_unknown_target_gets_the_closest_one(groups):
    with pytest.raises(ExportError, match=r"no target 'pyton'\. Did you mean 'python'\? Known: latex, python, "):
        export(groups.formula, "pyton")
    with pytest.raises(ExportError, match="a report is about a whole discovery"):
        export(groups.formula, "report")


def test_formulas_know_all_targets(groups):
    assert set(EXPORTERS) >= set(TARGETS) - {"report"}
    assert groups.formula.to("julia") == export(groups.formula, "julia")


def test_an_export_is_a_file_with_a_name_and_type(groups):
    class Found:
        def formula(self):
            return groups.formula

    written = write_export(Found(), "excel")
    assert (written.name, written.mime.split(".")[-1]) == ("rate.xlsx", "sheet")
    assert written.content.startswith(b"PK")
    assert write_export(Found(), "matlab").name == "formula.m"
    other = groups.formula.with_constants([1.0, 2.0])
    assert b"1.0*c/(c + 2.0)" in write_export(Found(), "python", other).content
