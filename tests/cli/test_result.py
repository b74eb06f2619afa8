"""The JSON of a discovery: its fields to the letter, its formula to be computed with, its gaps as null."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest

from workbench.bases.bspline import definition
from workbench.cli.result import discovery_result, finite, python_expression
from workbench.expression import evaluate, parse
from workbench.formula import Certificate, Formula, Input, Output

FIELDS = {"python", "latex", "complexity", "r2_train", "r2_test", "fits_units", "certificate"}


def _formula(text: str, inputs: tuple[Input, ...], **rest: object) -> Formula:
    names = [column.symbol for column in inputs]
    output = Output("period", "period", "s", parse(text, symbols=names, functions=tuple(rest.get("definitions", {}))))
    certificate = Certificate({"train": 1e-15, "validation": 2e-15, "test": float("nan"), "fresh": float("inf")}, 2.5, True, {}, "exact")
    return Formula((output,), inputs, certificate=certificate, **rest)


LENGTH = Input("length", "length", "m", 0.1, 2.0)


class _Latex(Formula):
    """A formula whose LaTeX needs no exporter."""

    def to_latex(self, **options: object) -> str:
        return "2"


def _discovery(text: str, verdict: str = "law", n_test: int = 3) -> SimpleNamespace:
    x = np.linspace(0.1, 2.0, 17)[:, None]
    y = 2.0064 * np.sqrt(x)
    plain = _formula(text, (LENGTH,))
    formula = _Latex(plain.outputs, plain.inputs, certificate=plain.certificate)
    order = np.arange(17)
    return SimpleNamespace(
        verdict=verdict,
        formula=lambda nice: formula,
        pareto=(formula,),
        data=SimpleNamespace(
            X=x, y=y, weights=None, groups=None, split=SimpleNamespace(train=order[n_test:], test=order[:n_test]),
            targets=(SimpleNamespace(name="period", symbol="period"),), features=(SimpleNamespace(name="length", symbol="length"),),
        ),
    )


@pytest.mark.parametrize(("text", "fits"), [("2*sqrt(length)", True), ("2*length + 3*length**2", True), ("length + length**2", False)])
def test_every_formula_says_whether_it_fits_the_units(text: str, fits: bool) -> None:
    assert discovery_result(_discovery(text), seconds=1.0)["pareto"][0]["fits_units"] is fits


def test_the_fields_are_those_of_the_manual() -> None:
    result = discovery_result(_discovery("2.0064*sqrt(length)"), seconds=1.23456)
    assert set(result) == {"target", "features", "symbols", "seconds", "verdict", "formula", "pareto"}
    assert set(result["formula"]) == FIELDS
    assert set(result["formula"]["certificate"]) == {"max_abs", "y_rms", "exact"}
    assert (result["target"], result["features"], result["seconds"]) == ("period", ["length"], 1.235)
    assert result["symbols"] == {"length": "length", "period": "period"}
    assert result["pareto"] == [result["formula"]]


def test_figures_that_are_not_finite_are_null_so_that_it_is_json() -> None:
    result = discovery_result(_discovery("2.0064*sqrt(length)"), seconds=1.0)
    text = json.dumps(result, allow_nan=False)
    assert json.loads(text)["formula"]["certificate"]["max_abs"] == {"train": 1e-15, "test": None, "fresh": None}
    assert finite(None) is None


def test_r2_is_of_the_rows_it_names() -> None:
    found = _discovery("2*sqrt(length)")
    x, y, rows = found.data.X[:, 0], found.data.y[:, 0], found.data.split.train
    truth = 1 - ((y - 2 * np.sqrt(x))[rows] ** 2).sum() / ((y[rows] - y[rows].mean()) ** 2).sum()
    assert discovery_result(found, seconds=1.0)["formula"]["r2_train"] == pytest.approx(truth, rel=1e-12)


@pytest.mark.parametrize("n_test", [0, 1])
def test_r2_of_too_few_test_rows_is_null(n_test: int) -> None:
    assert discovery_result(_discovery("2*sqrt(length)", n_test=n_test), seconds=1.0)["formula"]["r2_test"] is None


def test_without_a_law_the_formula_is_null_and_the_front_is_kept() -> None:
    result = discovery_result(_discovery("2*sqrt(length)", verdict="none"), seconds=1.0)
    assert result["formula"] is None
    assert len(result["pareto"]) == 1


def test_columns_stand_under_their_own_names_where_python_allows_it() -> None:
    inputs = (Input("α", "alpha"), Input("lambda", "lambda_"), Input("runs (s)", "runs_s"), Input("exp", "exp_"))
    text = python_expression(_formula("alpha + lambda_*runs_s + exp(exp_)", inputs))
    values = {"α": np.array([2.0]), "lambda_": np.array([3.0]), "runs_s": np.array([5.0]), "exp_": np.array([0.5])}
    assert evaluate(parse(text, symbols=list(values)), values) == pytest.approx(2 + 3 * 5 + np.exp(0.5))


def test_an_edge_without_a_name_brings_its_exact_definition() -> None:
    edge = definition("phi_0_0_0", np.arange(8.0) ** 2, 0.5, (0.1, 2.0))
    found = _discovery("2*sqrt(length)")
    plain = _formula("phi_0_0_0(length) + 1", (LENGTH,), definitions={"phi_0_0_0": edge})
    formula = _Latex(plain.outputs, plain.inputs, plain.definitions, certificate=plain.certificate)
    found.formula = lambda nice: formula
    result = json.loads(json.dumps(discovery_result(found, seconds=1.0)["formula"]))
    told = result["definitions"]["phi_0_0_0"]
    x = 0.731
    piece = np.searchsorted(told["knots"], x, side="right") - 1
    u = (2 * x - sum(told["domain"])) / (told["domain"][1] - told["domain"][0])
    value = told["base"] * u / (1 + np.exp(-u)) + np.polynomial.polynomial.polyval(x - told["knots"][piece], told["polynomials"][piece])
    assert value == pytest.approx(edge(np.array([x]))[0], rel=1e-14)


def test_functions_that_not_every_reader_knows_are_written_out() -> None:
    text = python_expression(_formula("-22.0*expm1(-0.35*length) + log1p(expm1(length))", (LENGTH,)))
    assert "expm1" not in text
    assert "log1p" not in text
    at = np.linspace(0.1, 2.0, 7)
    assert evaluate(parse(text, symbols=["length"]), {"length": at}) == pytest.approx(22 * (1 - np.exp(-0.35 * at)) + at)
