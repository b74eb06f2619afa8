"""The LaTeX export is read back by a small evaluator of its mathematics and compared with the formula."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
import scipy.special
from numpy.testing import assert_allclose

from workbench.export import export, to_latex
from workbench.export.latex import symbol, to_coloured_latex
from workbench.expression import parse

FUNCTIONS = {
    **{f"\\{name}": getattr(np, name) for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    **{f"\\arc{name}": getattr(np, f"arc{name}") for name in ("sin", "cos", "tan")},
    **{f"\\operatorname{{ar{name}}}": getattr(np, f"arc{name}") for name in ("sinh", "cosh", "tanh")},
    "\\ln": np.log,
    "\\operatorname{sgn}": np.sign,
    "\\operatorname{erf}": scipy.special.erf,
}


class Latex:
    """An evaluator of the LaTeX a scientist reads: fractions, roots, powers, juxtaposition as product."""

    def __init__(self, text, values):
        self.text = re.sub(r"\\,|\\cdot|\s(?=[-+\d\\])", " ", text)
        self.at, self.values = 0, dict(sorted(values.items(), key=lambda item: -len(item[0])))

    def skip(self):
        while self.at < len(self.text) and self.text[self.at] == " ":
            self.at += 1

    def take(self, *tokens):
        self.skip()
        for token in tokens:
            if self.text.startswith(token, self.at):
                self.at += len(token)
                return token
        return None

    def result(self):
        value = self.sum()
        self.skip()
        assert self.at == len(self.text), self.text[self.at :]
        return value

    def group(self):
        assert self.take("{")
        value = self.sum()
        assert self.take("}")
        return value

    def sum(self):
        value = -self.product() if self.take("-") else self.product()
        while sign := self.take("+", "-"):
            value = value + self.product() if sign == "+" else value - self.product()
        return value

    def product(self):
        value = self.power()
        while not self.ended():
            value = value * self.power()
        return value

    def ended(self):
        self.skip()
        return self.at >= len(self.text) or self.text[self.at] in "+-})|" or self.text.startswith("\\right", self.at)

    def power(self):
        base = self.atom()
        return base ** self.group() if self.take("^") else base

    def atom(self):
        match self.take("\\frac", "\\sqrt[3]", "\\sqrt", "\\left(", "\\left|"):
            case "\\frac":
                return self.group() / self.group()
            case "\\sqrt[3]":
                return np.cbrt(self.group())
            case "\\sqrt":
                return np.sqrt(self.group())
            case "\\left(":
                return self.until("\\right)")
            case "\\left|":
                return abs(self.until("\\right|"))
        return self.named()

    def named(self):
        for name, function in FUNCTIONS.items():
            if self.take(name + "\\left("):
                return function(self.until("\\right)"))
        for name, value in self.values.items():
            if self.take(name):
                return value
        if self.take("\\pi"):
            return math.pi
        if self.take("e"):
            return math.e
        number = re.compile(r"\d+\.?\d*").match(self.text, self.at)
        assert number, self.text[self.at :]
        self.at = number.end()
        return float(number.group())

    def until(self, end):
        value = self.sum()
        assert self.take(end)
        return value


def equations(text):
    body = text.split("\\begin{align}")[1].split("\\end{align}")[0]
    return dict(line.strip().split(" &= ", 1) for line in re.split(r"\\\\\n", body))


def test_latex_reads_as_the_formula_computes(readable):
    text = equations(export(readable.formula, "latex"))
    for index, output in enumerate(readable.formula.outputs):
        values = [
            Latex(text[symbol(output.symbol)], {symbol(c.symbol): v for c, v in zip(readable.formula.inputs, row)}).result()
            for row in readable.rows
        ]
        assert_allclose(values, readable.truth[:, index], rtol=1e-12, err_msg=output.symbol)


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("2*x/(3*theta_2) - exp(-x)", r"\frac{2\,x}{3\,\theta_{2}} - e^{-x}"),
        ("-x**2", "-x^{2}"),
        ("(-x)**2", r"\left(-x\right)^{2}"),
        ("2.5e-7*x", r"2.5 \cdot 10^{-7}\,x"),
        ("1/(1 + x)", r"\frac{1}{x + 1}"),
        ("exp(x)**2", r"\left(e^{x}\right)^{2}"),
        ("2*3.0**x", r"2 \cdot 3.0^{x}"),
        ("x*(-2.0)**y", r"x\,\left(-2.0\right)^{y}"),
        ("Girth*T_cold*x1*alpha_beta", r"\mathrm{Girth}\,T_{\mathrm{cold}}\,x_{1}\,\alpha_{\mathrm{beta}}"),
    ],
)
def test_formulas_are_set_as_one_would_set_them(text, latex):
    assert to_latex(parse(text)) == latex


def test_braces_and_environments_are_balanced(sample):
    body = re.sub(r"\\[{}]", "", "\n".join(line for line in export(sample.formula, "latex").splitlines() if not line.startswith("%")))
    depth = 0
    for sign in body:
        depth += (sign == "{") - (sign == "}")
        assert depth >= 0
    assert depth == 0
    assert len(re.findall(r"\\left", body)) == len(re.findall(r"\\right", body))
    assert body.count("\\begin{align}") == body.count("\\end{align}") == 1


def test_splines_are_written_out_piece_by_piece(splines):
    text = export(splines.formula, "latex")
    for name, curve in splines.formula.definitions.items():
        line = next(line for line in text.splitlines() if line.strip().startswith(f"{symbol(name)}(x) &="))
        assert line.count("\\le x <") == len(curve.polynomials)
        for knot in curve.knots.tolist():
            assert repr(abs(knot)) in line


def test_a_rational_function_is_written_out_in_full(rationals):
    """The equation is read back and computed: sum of a_k u^k over 1 + ..., u from the range."""
    u = np.array([-1.2, -0.4, 0.0, 0.7, 1.0])
    for name, curve in rationals.formula.definitions.items():
        (line,) = [line for line in export(rationals.formula, "latex").splitlines() if line.strip().startswith(f"{symbol(name)}(x) &=")]
        value, inner = line.split("&=")[1].removesuffix(r" \\").split(r", \quad u = ")
        x = 0.5 * ((curve.domain[1] - curve.domain[0]) * u + curve.domain[0] + curve.domain[1])
        assert_allclose(Latex(inner, {"x": x}).result(), u, atol=1e-15)
        assert_allclose(Latex(value, {"u": u}).result() * np.ones(5), curve(x), rtol=1e-12)


def test_column_names_stay_in_comments(names, hostile):
    lines = export(names.formula, "latex").splitlines()
    assert not [line for line in lines if "secret" in line and not line.startswith("%")]
    assert len([line for line in lines if line.startswith("%   input")]) == len(hostile)


def test_without_comments_the_equations_stand_alone(groups):
    assert export(groups.formula, "latex").startswith("% A formula")
    bare = groups.formula.to("latex", comments=False)
    assert bare.splitlines()[0] == r"\mathrm{rate} = \frac{190.0\,c}{c + 0.05} \\"


@pytest.mark.parametrize(
    ("text", "path", "latex"),
    [
        ("x + x*y", (0,), r"\textcolor{#f00001}{{x}} + x\,y"),  # the other x is not it
        ("2*x - 3*y", (1,), r"2\,x - \textcolor{#f00001}{{3\,y}}"),  # the sign stays outside
        ("2*x - 3*y", (1, 0), r"2\,x - \textcolor{#f00001}{{3}}\,y"),
        ("-3*x*y", (0,), r"-\textcolor{#f00001}{{3}}\,x\,y"),
        ("x - 2", (1,), r"x - \textcolor{#f00001}{{2}}"),
        ("5*x/(y + 1)", (2,), r"\frac{5\,x}{\textcolor{#f00001}{{y + 1}}}"),
        ("(x + 2)*(3*y + 1)", (1,), r"\left(x + 2\right)\,\textcolor{#f00001}{{\left(3\,y + 1\right)}}"),
        ("(x + 2)*(3*y + 1)", (1, 0, 0), r"\left(x + 2\right)\,\left(\textcolor{#f00001}{{3}}\,y + 1\right)"),
        ("exp(sin(x) + y)**2", (0,), r"\textcolor{#f00001}{{\left(e^{\sin\left(x\right) + y}\right)}}^{2}"),
        ("exp(sin(x) + y)", (0, 0), r"e^{\textcolor{#f00001}{{\sin\left(x\right)}} + y}"),
        ("sqrt(x + y)", (), r"\textcolor{#f00001}{{\sqrt{x + y}}}"),
        ("x", (), r"\textcolor{#f00001}{{x}}"),
    ],
)
def test_a_part_is_coloured_and_nothing_else_changes(text, path, latex):
    expression = parse(text)
    coloured = to_coloured_latex(expression, {path: "#f00001"})
    assert coloured == latex
    assert to_coloured_latex(expression, {}) == to_latex(expression)
