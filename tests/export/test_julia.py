"""The Julia export is read back by a small evaluator of Julia's arithmetic, and run where Julia is installed."""

from __future__ import annotations

import json
import math
import re
import subprocess

import numpy as np
import pytest
import scipy.special
from numpy.testing import assert_allclose

from workbench.export import export
from workbench.export.julia import JULIA

FUNCTIONS = {
    **{name: getattr(np, name) for name in ("exp", "log", "sqrt", "cbrt", "abs", "sign", "sin", "cos", "tan", "sinh", "cosh", "tanh", "expm1", "log1p")},
    **{f"a{name}": getattr(np, f"arc{name}") for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    "erf": scipy.special.erf,
    "Float64": float,
}
CONSTANTS = {"pi": math.pi, "MathConstants.e": math.e}
TOKEN = re.compile(r"\s*(?:(\d+\.?\d*(?:e[+-]?\d+)?)|([A-Za-z_][\w.]*)|([-+*/^(),]))")


class Julia:
    """An evaluator of +, -, *, /, ^ and calls with Julia's precedence: -x^2 is -(x^2), 2^-1 and a^b^c to the right."""

    def __init__(self, text, values, functions):
        self.tokens = [found.groups() for found in TOKEN.finditer(text)]
        assert "".join(t for g in self.tokens for t in g if t) == re.sub(r"\s", "", text)
        self.at, self.values, self.functions = 0, {**CONSTANTS, **values}, {**FUNCTIONS, **functions}

    def take(self, *signs):
        if self.at < len(self.tokens) and self.tokens[self.at][2] in signs:
            self.at += 1
            return self.tokens[self.at - 1][2]
        return None

    def result(self):
        value = self.sum()
        assert self.at == len(self.tokens)
        return value

    def sum(self):
        value = self.product()
        while sign := self.take("+", "-"):
            value = value + self.product() if sign == "+" else value - self.product()
        return value

    def product(self):
        value = self.signed()
        while sign := self.take("*", "/"):
            value = value * self.signed() if sign == "*" else value / self.signed()
        return value

    def signed(self):
        return -self.signed() if self.take("-") else self.power()

    def power(self):
        base = self.atom()
        return float(base) ** self.signed() if self.take("^") else base

    def atom(self):
        if self.take("("):
            value = self.sum()
            assert self.take(")")
            return value
        number, name, _ = self.tokens[self.at]
        self.at += 1
        if number:
            return float(number)
        if not self.take("("):
            return self.values[name]
        argument = self.sum()
        assert self.take(")")
        return self.functions[name](argument)


def numbers(text):
    return [float(value) for value in re.findall(r"-?\d+\.?\d*(?:e[+-]?\d+)?", text)]


def read_back(source):
    """Every function of the file as a Python callable; comments are dropped as Julia drops them."""
    lines = "\n".join(line for line in source.splitlines() if not line.startswith("#"))
    functions = {}
    for name, arguments, body in re.findall(r"^function (\w+)\(([^)]*)\)\n(.*?)\nend$", lines, re.M | re.S):
        if name == "edge":
            continue
        if "pieces = [" in body:
            functions[name] = curve(body)
        elif body.lstrip().startswith("u = "):
            inner, value = body.strip().removeprefix("u = ").split("\n    return ")
            functions[name] = rational(law(["x"], inner, functions), law(["u"], value, functions))
        else:
            functions[name] = law(arguments.split(", "), body.strip().removeprefix("return "), functions)
    return functions


def law(arguments, text, functions):
    return lambda *row: Julia(text, dict(zip(arguments, row)), functions).result()


def rational(inner, value):
    return lambda x: value(inner(x))


def curve(body):
    knots = numbers(re.search(r"knots = \[(.*?)\]", body).group(1))
    pieces = [numbers(row) for row in re.findall(r"^ +\((.*)\),?$", body, re.M)]
    low, high, base = numbers(re.search(r"return edge\(x, (.*), knots, pieces\)", body).group(1))

    def value(x):
        u = (2 * x - low - high) / (high - low)
        total = base * u * scipy.special.expit(u)
        for start, stop, piece in zip(knots, knots[1:], pieces, strict=False):
            if start <= x < stop:
                total += sum(c * (x - start) ** n for n, c in enumerate(piece))
        return total

    return value


def test_julia_reads_back_as_the_formula(sample):
    functions = read_back(export(sample.formula, "julia"))
    called = JULIA.names(sample.formula)
    values = [[functions[called[output.symbol]](*row) for output in sample.formula.outputs] for row in sample.rows]
    assert_allclose(values, sample.truth, rtol=1e-12, atol=1e-12)


def test_every_group_has_a_function_with_its_constants(groups):
    functions = read_back(export(groups.formula, "julia"))
    for number, outputs in enumerate(groups.formula.groups.values(), start=1):
        assert_allclose([[functions[f"rate_group{number}"](*row)] for row in groups.rows], groups.of(outputs), rtol=1e-13)


@pytest.mark.julia
def test_julia_computes_what_the_formula_computes(sample, tmp_path):
    rows = ", ".join(f"({', '.join(map(repr, row))},)" for row in sample.rows.tolist())
    driver = f'\nfor row in [{rows}]\n    println("[", join(predict(row...), ", "), "]")\nend\n'
    (tmp_path / "formula.jl").write_text(export(sample.formula, "julia") + driver, encoding="utf-8")
    done = subprocess.run(["julia", "--startup-file=no", "formula.jl"], cwd=tmp_path, check=False, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert_allclose([json.loads(line) for line in done.stdout.splitlines()], sample.truth, rtol=1e-12, atol=1e-13)
