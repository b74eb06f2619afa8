"""Search deeper: a curve that no form of the library fits gets a name from an engine, and the fit begins where the engine ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

import workbench as wb
from workbench.exceptions import ExpressionError
from workbench.expression import evaluate, parse
from workbench.primitives import TypedForm, form_from_json
from workbench.search import Proposal, SearchProblem
from workbench.search.deeper import forms, typed_form
from workbench.search.operon import OperonEngine
from workbench.snapping import typed
from workbench.snapping.curve import Curve


def never() -> bool:
    return False


def curve(text: str, low: float = 0.5, high: float = 3.0) -> Curve:
    x = np.sort(np.random.default_rng(0).uniform(low, high, 200))
    return Curve.of(x, evaluate(parse(text), {"x": x}))


class Planted:
    """An engine that proposes what it was given."""

    name = "planted"

    def __init__(self, *texts: str) -> None:
        self.texts = texts
        self.asked: list[SearchProblem] = []

    def search(self, problem: SearchProblem, stop: Callable[[], bool], random_state: int = 0) -> Iterator[Proposal]:
        self.asked.append(problem)
        yield from (Proposal(parse(text), self.name) for text in self.texts)


def test_the_edge_is_the_whole_problem() -> None:
    engine = Planted("x")
    shape = curve("x**2")
    list(forms(shape, engine, never, functions=frozenset({"exp"}), max_complexity=12))
    problem, = engine.asked
    assert problem.symbols == ("x",)
    assert problem.X.shape == (200, 1)
    assert np.array_equal(problem.y, shape.y)
    assert np.array_equal(problem.weights, shape.weights)
    assert (problem.functions, problem.max_complexity) == (frozenset({"exp"}), 12)


def test_constants_become_letters_and_their_values_a_start() -> None:
    form = typed_form(Proposal(parse("1.5*exp(-0.25*x**2)/(x + 2.0) + 7.0"), "operon"))
    assert form.parameter_names == ("a", "b", "c")
    assert "d" not in form.text
    fit = typed.fit(curve("1.5*exp(-0.25*x**2)/(x + 2.0) + 7.0"), form)
    assert fit.error < 1e-9
    assert fit.offset == pytest.approx(7.0)


def test_a_form_is_yielded_once_and_a_constant_never() -> None:
    found = list(forms(curve("x**2"), Planted("2.5*x**2", "1.75", "3.5*x**2 + 1.0", "2.0*x", "sin(3.0*x)"), never))
    assert [form.text for form in found] == ["a*x**2", "a*x", "sin(a*x)"]


def test_too_many_constants_for_an_edge_are_no_form() -> None:
    many = "+".join(f"{number}.5*sin({number}.25*x)" for number in range(1, 9))
    assert typed_form(Proposal(parse(many), "operon")) is None


def test_the_start_matters_where_a_fit_from_anywhere_goes_astray() -> None:
    text = "0.8*sin(173.0*x + 0.4)*exp(-0.6*x)"
    form = typed_form(Proposal(parse(text), "operon"))
    assert typed.fit(curve(text), form).error < 1e-9
    assert typed.fit(curve(text), TypedForm(form.text)).error > 1e-3


def test_a_start_is_kept_in_a_file_and_must_fit_the_form() -> None:
    form = TypedForm("a*exp(b*x)", (2.0, -1.0))
    assert form_from_json(form.to_json()) == form
    assert form_from_json({"kind": "typed", "text": "a*x"}) == TypedForm("a*x")
    found = TypedForm("x*exp(-x)", ())
    assert form_from_json(found.to_json()) == found
    assert (found.title, TypedForm("x*exp(-x)").title) == ("found form", "typed form")
    assert TypedForm("a*x").to_json() == {"kind": "typed", "text": "a*x"}
    with pytest.raises(ExpressionError, match="1 values for 2 constants"):
        TypedForm("a*exp(b*x)", (2.0,))


def test_operon_names_a_curve_that_no_form_of_the_library_fits() -> None:
    pytest.importorskip("pyoperon", reason="Operon has wheels for Linux x86-64 and macOS arm64 only")
    shape = curve("x*exp(-x)/(x + 1)")
    for form in forms(shape, OperonEngine(seconds=60), never):
        fit = typed.fit(shape, form)
        if fit is not None and fit.error < 1e-5:
            return
    pytest.fail("no form fits this curve")


def test_what_an_engine_found_is_ranked_among_the_candidates_of_an_edge() -> None:
    pytest.importorskip("pyoperon", reason="Operon has wheels for Linux x86-64 and macOS arm64 only")
    x = np.random.default_rng(0).uniform(0.5, 4, 300)
    data = wb.Dataset.from_table({"x": x, "y": x * np.exp(-x) / (x + 1)}, "y")
    found = wb.Discovery(data).fit(hidden_layer_sizes=())
    before = found.state
    edge, = found.network.edges("spline")
    ranked = found.search_deeper(edge, time_budget=12)
    assert found.state is before
    library = {choice.name for choice in found.candidates(edge)}
    new = [choice for choice in ranked if choice.name not in library]
    assert new
    assert library <= {choice.name for choice in ranked}
    assert {choice.title for choice in new} == {"found form"}
