"""One engine goes on from where a discovery stands: the formula there is its guess, the network there its structure."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

import workbench as wb
from workbench.discovery import continuation
from workbench.exceptions import DiscoveryError, MissingEngineError
from workbench.expression import Expression, parse
from workbench.search import Proposal, SearchProblem, pysr

N = 131
A, B = np.random.default_rng(4).uniform(0.5, 2.0, (2, N))


def data(y: np.ndarray) -> wb.Dataset:
    return wb.Dataset.from_table({"a": A, "b": B, "y": y}, "y")


class Told:
    """An engine that proposes the truth and remembers what it was given."""

    name = "told"

    def __init__(self, truth: str, guesses: tuple[Expression, ...] = (), template: pysr.Template | None = None) -> None:
        self.truth, self.guesses, self.template = truth, guesses, template

    def search(self, problem: SearchProblem, stop: Callable[[], bool], random_state: int = 0) -> Iterator[Proposal]:
        yield Proposal(parse("1.1*a"), self.name)
        yield Proposal(parse(self.truth), self.name)


@pytest.mark.parametrize("engine", ["screens", "operon"])
def test_an_engine_finds_the_law_and_it_joins_the_front(engine: str) -> None:
    if engine == "operon":
        pytest.importorskip("pyoperon")
    found = wb.Discovery(data(A * B)).suppose("k*a")
    first = found.state.id
    found.search(engine, time_budget=6)
    assert found.metrics.rmse_validation < 1e-6
    assert found.formula().python_expression() in ("a*b", "b*a")
    assert found.state.move.arguments["origin"] == engine
    assert found.state.id in found.front
    assert first in [state.id for state in found.states]


def test_the_present_formula_is_the_guess_and_nameless_curves_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Told] = []

    def engine(name: str, guesses: tuple[Expression, ...]) -> Told:
        made.append(Told("1.5*a/b**2", guesses))
        return made[-1]

    monkeypatch.setattr(continuation, "engine", engine)
    found = wb.Discovery(data(1.5 * A / B**2))
    found.suppose("1.25*a*b").search("pysr")
    found.leave().fit(hidden_layer_sizes=(), n_starts=1).search("pysr")
    assert [[str(parse(str(guess))) for guess in each.guesses] for each in made][1] == []
    (guess,) = made[0].guesses
    assert set("ab") <= set(str(guess))


@pytest.mark.parametrize(("logarithmic", "combine"), [(False, "f1 + f2"), (True, "f1*f2")])
def test_the_structure_of_the_network_is_the_template_of_pysr(monkeypatch: pytest.MonkeyPatch, logarithmic: bool, combine: str) -> None:
    templates: list[pysr.Template] = []

    def engine(template: pysr.Template) -> Told:
        templates.append(template)
        return Told("2.0*a*exp(b)")

    monkeypatch.setattr(pysr, "PySREngine", engine)
    rows = data(2.0 * A * np.exp(B))
    found = wb.Discovery(rows.with_transforms({"y": "log"}) if logarithmic else rows).fit(hidden_layer_sizes=(), n_starts=1)
    found.search("pysr", keep_structure=True)
    assert dict(templates[0].pieces) == {"f1": ("a",), "f2": ("b",)}
    assert str(templates[0].combine) == combine
    assert found.metrics.rmse_validation < 1e-6


def test_what_cannot_be_searched_is_answered() -> None:
    found = wb.Discovery(data(A * B)).fit(hidden_layer_sizes=(1,), n_starts=1)
    with pytest.raises(DiscoveryError, match="engine operon knows of no structure"):
        found.search("operon", keep_structure=True)
    with pytest.raises(DiscoveryError, match="all columns meet in one piece"):
        found.search("pysr", keep_structure=True)
    with pytest.raises(MissingEngineError, match="There is no engine 'eureqa'"):
        found.search("eureqa")
    with pytest.raises(DiscoveryError, match="one formula of one measured target"):
        wb.Discovery(wb.load_sample("puromycin")).search("screens")


def test_where_nothing_that_was_found_holds_on_every_row_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(continuation, "engine", lambda name, guesses: Told("1.0*a"))
    monkeypatch.setattr(continuation, "adopted", lambda *_: iter(()))
    with pytest.raises(DiscoveryError, match="no finite value on every row"):
        wb.Discovery(data(A * B)).search("operon")


def test_without_julia_pysr_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("PYTHON_JULIAPKG_PROJECT", str(tmp_path))
    with pytest.raises(MissingEngineError, match="pysr"):
        wb.Discovery(data(A * B)).search("pysr", time_budget=1)
