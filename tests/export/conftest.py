"""Formulas that use every part of an export, rows to compute them on, and the true values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from workbench.bases.bspline import definition
from workbench.bases.rational import RationalDefinition
from workbench.expression import FUNCTIONS, evaluate, parse
from workbench.formula import Formula, Input, Output


@dataclass(frozen=True)
class Sample:
    """A formula, rows (N, n_inputs) inside its range, and what it gives there: (N, n_outputs)."""

    formula: Formula
    rows: np.ndarray

    @property
    def truth(self) -> np.ndarray:
        return self.of(self.formula.outputs)

    def of(self, outputs) -> np.ndarray:
        columns = {column.symbol: self.rows[:, i] for i, column in enumerate(self.formula.inputs)}
        values = [evaluate(output.expression, columns, self.formula.definitions) for output in outputs]
        return np.stack([np.broadcast_to(value, len(self.rows)) for value in values], 1)


def _formula(outputs, inputs, **more) -> Formula:
    return Formula(tuple(outputs), tuple(inputs), notes=("Read from a test.",), **more)


def _operators() -> Sample:
    texts = [
        "2.5*x**2*exp(-y/3)/(1 + x**2) - 0.3*y + x**1.5/2 - 1.25",
        "-x**2 + y/(x*y + 2)**2 - 2/3*x/(5*y) + (x - y)**3/7",
        "x**(-1.5) - (1/3)*y**(2/3) + 1e-12*x - 3.5e20/(1e20 + x) + (-x)**2 - (-2)**3*y",
        "2**x - x**y + pi*x - e/y + (2/3)**y - 2*pi",
        "1/x**3 - 1/y - (x + y)/(x - 10) - (-(x + 1))",
        "-(x**2)*y**2 - -x**4 + 12345678901234567890*x/98765432109876543210",
    ]
    outputs = [Output(f"target {i}", f"t{i}", "kg m^-1", parse(text)) for i, text in enumerate(texts)]
    inputs = [Input("x", "x", "s", 0.2, 3.0), Input("y", "y", None, 0.4, 2.5)]
    rows = np.random.default_rng(1).uniform([0.2, 0.4], [3.0, 2.5], (13, 2))
    return Sample(_formula(outputs, inputs), rows)


def _functions() -> Sample:
    outputs = [Output(name, f"f_{name}", None, parse(f"1.5*{name}({'u + 1' if name == 'acosh' else 'u'})")) for name in FUNCTIONS]
    rows = np.array([[0.03], [0.21], [0.5], [0.77], [0.99]])
    return Sample(_formula(outputs, [Input("u", "u", "rad", 0.03, 0.99)]), rows)


def _splines() -> Sample:
    generator = np.random.default_rng(2)
    curves = {
        "phi_0_0_0": definition("phi_0_0_0", generator.normal(size=8), 0.37, (-1.5, 2.5)),
        "phi_0_1_0": definition("phi_0_1_0", generator.normal(size=13), -1.25, (0.0, 4.0)),
        "phi_1_0_0": definition("phi_1_0_0", generator.normal(size=5), 0.0, (-3.0, 3.0)),
    }
    text = "1.5*phi_1_0_0(0.5*phi_0_0_0(x) + phi_0_1_0(y) - 0.25) + phi_0_0_0(x)*x"
    outputs = [Output("net", "net", None, parse(text, functions=curves)), Output("one", "one", None, parse("phi_0_1_0(y)", functions=curves))]
    inputs = [Input("x", "x", None, -1.5, 2.5), Input("y", "y", "m", 0.0, 4.0)]
    rows = generator.uniform([-3.0, -1.5], [4.5, 6.0], (29, 2))
    rows[:4] = [[-1.5, 0.0], [2.5, 4.0], [-30.0, 50.0], [0.1, 1.2]]  # ends of the ranges, far outside, a knot
    return Sample(_formula(outputs, inputs, definitions=curves), rows)


def _rationals() -> Sample:
    generator = np.random.default_rng(5)
    curves = {
        "phi_0_0_0": RationalDefinition("phi_0_0_0", tuple(generator.normal(size=6)), tuple(generator.normal(size=4)), "square", (-1.5, 2.5)),
        "phi_0_1_0": RationalDefinition("phi_0_1_0", (0.3, -2.5e-7, 1e3), (-0.7, 0.0, 2.0), "abs_sum", (0.0, 4.0)),
        "phi_1_0_0": RationalDefinition("phi_1_0_0", tuple(generator.normal(size=9)), tuple(generator.normal(size=8)), "sum_abs", (-3.0, 5.0)),
        "phi_1_1_0": RationalDefinition("phi_1_1_0", (-0.0, 2.0, 0.0, -1.0), (), "square", (-1e-3, 2e-3)),
    }
    text = "1.5*phi_1_0_0(0.5*phi_0_0_0(x) + phi_0_1_0(y) - 0.25) + phi_0_0_0(x)*x + phi_1_1_0(x/1000)"
    outputs = [Output("net", "net", None, parse(text, functions=curves)), Output("one", "one", None, parse("phi_0_1_0(y)", functions=curves))]
    inputs = [Input("x", "x", None, -1.5, 2.5), Input("y", "y", "m", 0.0, 4.0)]
    rows = generator.uniform([-3.0, -1.5], [4.5, 6.0], (29, 2))
    rows[:4] = [[-1.5, 0.0], [2.5, 4.0], [-30.0, 50.0], [0.5, 2.0]]  # ends of the ranges, far outside, the middles, where u is 0
    return Sample(_formula(outputs, inputs, definitions=curves), rows)


HOSTILE = {
    "lambda_": "lambda",
    "double": 'double";\nimport os\nraise SystemExit(3) #',
    "end": "*/ int main(void) { return 3; } /*",
    "x1": "=1+1",
    "R": "@SUM(A1)",
    "np": "a\\",
    "math": "π \u202e\u2028 raise SystemExit(3)",
    "sp": "%{\nerror('no')\n%}",
    "predict": "🌡 \r\nexit(3)\x00\x07",
    "edge": "-2+3",
    "I": "'); quit; ('",
    "law": "#= =#",
    "_v": "\t=2",
    "gamma": "\\input{secret}",
}


def _names() -> Sample:
    inputs = [Input(name, symbol, "=m\n" if symbol == "x1" else None, 0.5, 2.0) for symbol, name in HOSTILE.items()]
    text = " + ".join(f"{k}.5*{symbol}**2" for k, symbol in enumerate(HOSTILE, start=1))
    outputs = [Output("=out\nput", "Sin", "+u", parse(text)), Output("index", "index", None, parse("x1*R - I/np")), Output("two", "sin2", None, parse("2.0"))]
    rows = np.random.default_rng(3).uniform(0.5, 2.0, (3, len(inputs)))
    return Sample(_formula(outputs, inputs), rows)


def _groups() -> Sample:
    def outputs(v, k):
        return (Output("rate", "rate", None, parse(f"{v}*c/({k} + c)")),)

    groups = {"treated": outputs(212.7, 0.0641), "un'treated\n%": outputs(160.3, 0.0477)}
    rows = np.linspace(0.02, 1.1, 7)[:, None]
    return Sample(_formula(outputs(190.0, 0.05), [Input("conc", "c", "ppm", 0.02, 1.1)], groups=groups), rows)


SAMPLES = {"operators": _operators, "functions": _functions, "splines": _splines, "rationals": _rationals, "names": _names, "groups": _groups}


@pytest.fixture(params=SAMPLES)
def sample(request) -> Sample:
    return SAMPLES[request.param]()


@pytest.fixture
def groups() -> Sample:
    return _groups()


@pytest.fixture
def names() -> Sample:
    return _names()


@pytest.fixture
def splines() -> Sample:
    return _splines()


@pytest.fixture
def rationals() -> Sample:
    return _rationals()


@pytest.fixture
def hostile() -> dict[str, str]:
    return HOSTILE


@pytest.fixture(params=["operators", "functions"])
def readable(request) -> Sample:
    """Formulas without splines, whose names LaTeX keeps apart."""
    return SAMPLES[request.param]()
