"""MathML: well-formed, structured as a person writes it, and safe whatever the names."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.export.mathml import equation, identifier, mathml
from workbench.expression import Symbol, parse

M = "{http://www.w3.org/1998/Math/MathML}"


def flat(text: str, **options) -> str:
    """Return MathML as one line of plain signs, fractions as (a)/(b) and powers as ^."""
    return _flat(ElementTree.fromstring(f"<r>{mathml(parse(text, functions=['phi_0_2_1']), **options)}</r>")).strip()


def _flat(node: ElementTree.Element) -> str:
    parts = [_flat(child) for child in node]
    match node.tag.removeprefix(M):
        case "mfrac":
            return f"({parts[0]})/({parts[1]})"
        case "msup":
            return f"{parts[0]}^{{{parts[1]}}}"
        case "msub":
            return f"{parts[0]}_{{{parts[1]}}}"
        case "msqrt":
            return f"√{{{''.join(parts)}}}"
        case "mroot":
            return f"√[{parts[1]}]{{{parts[0]}}}"
        case "mspace":
            return " "
        case "mo" if node.text in ("\u2062", "\u2061"):
            return ""
    return (node.text or "") + "".join(parts)


@pytest.mark.parametrize(("text", "written"), [
    ("2*x/(3*y)", "(2x)/(3y)"),
    ("-x/2", "−(x)/(2)"),
    ("x - 2*y", "x−2y"),
    ("x - (y - z)", "x−(y−z)"),
    ("-(x + y)*z", "−(x+y)z"),
    ("(x + y)**2", "(x+y)^{2}"),
    ("(x**2)**y", "(x^{2})^{y}"),
    ("x**-2", "(1)/(x^{2})"),
    ("x**0.5", "x^{0.5}"),
    ("sin(x)**2", "sin^{2}(x)"),
    ("log(x)**2", "(ln(x))^{2}"),
    ("exp(-x/2)", "e^{−(x)/(2)}"),
    ("exp(sin(x))", "exp(sin(x))"),
    ("sqrt(x + 1)", "√{x+1}"),
    ("cbrt(x)", "√[3]{x}"),
    ("abs(x - 1)", "|x−1|"),
    ("3*pi/4", "(3π)/(4)"),
    ("2*3**x", "2·3^{x}"),
    ("(-2)**x", "(−2)^{x}"),
    ("x*(-y)", "−xy"),
    ("1/3 + x", "x+(1)/(3)"),
    ("1.5e-7*x", "1.5·10^{−7}x"),
    ("phi_0_2_1(x)", "φ_{0,2,1}(x)"),
    ("2*Girth*x", "2 Girth x"),
])  # fmt: skip
def test_structure_is_what_a_person_writes(text, written):
    assert flat(text) == written


def test_floats_are_rounded_for_the_eye():
    assert flat("3.14159265*x") == "3.1416x"
    assert flat("3.14159265*x", digits=3) == "3.14x"


@pytest.mark.parametrize(("name", "written"), [
    ("x", "x"), ("theta_2", "θ_{2}"), ("x1", "x_{1}"), ("Lange_m", "Lange_{m}"), ("a_b_c", "a_b_c"), ("phi_0_2_1", "φ_{0,2,1}"), ("phi", "φ"), ("β", "β"),
])  # fmt: skip
def test_names_are_set_as_people_write_them(name, written):
    assert _flat(ElementTree.fromstring(f"<r>{identifier(name)}</r>")) == written


@given(st.text(max_size=30))
def test_every_name_stays_text(name):
    root = ElementTree.fromstring(f"<r>{identifier(name)}</r>")
    assert {node.tag for node in root.iter()} <= {"r", "mi", "mn", "msub"}


def test_long_sums_are_broken_between_terms():
    text = " + ".join(f"{k}.5*alpha{k}*beta{k}**2" for k in range(1, 20))
    root = ElementTree.fromstring(equation("y", parse(text)))
    lines = root.findall(f"{M}mtable/{M}mtr")
    assert len(lines) > 2
    written = "".join(_flat(line) for line in lines)
    assert written.replace(" ", "") == _flat(ElementTree.fromstring(equation("y", parse(text), width=10**6))).replace(" ", "")


def test_short_formulas_stay_on_one_line():
    assert "mtable" not in equation("y", Symbol("x") + 1)


def test_a_long_fraction_is_a_decimal_as_in_latex() -> None:
    assert flat("1/(t + 5463/20)") == "(1)/(t+273.15)"
    assert flat("t + 7/12") == "t+(7)/(12)"
