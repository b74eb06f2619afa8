"""PySR without Julia: what is sent to it, and how it runs; tests that need Julia are marked. What it wrote is read in test_hall_of_fame.py."""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from workbench.exceptions import ExpressionError, JobError, MissingEngineError
from workbench.expression import Symbol, evaluate, parse, symbols
from workbench.julia import JuliaState, julia_state
from workbench.networks import KAN
from workbench.networks.kan import initial, nodes_of
from workbench.search import Engine, SearchProblem
from workbench.search.pysr import PySREngine, Template, template_of
from workbench.search.pysr import engine as engine_module
from workbench.search.pysr.settings import regressor_settings
from workbench.search.pysr.spelling import BINARY, UNARY, julia_text, read_equation


def never() -> bool:
    return False


def table(**more: object) -> SearchProblem:
    X = np.random.default_rng(0).uniform(1, 2, (50, 2))
    return SearchProblem(X, X[:, 0] * X[:, 1], ("mass", "speed"), **more)


# what is sent and understood ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("cube(x) - sub(x, 2.0)", 2.0**3 - 0.0),
        ("relu(x - 3) + relu(x)", 2.0),
        ("min(x, 1) * plus(x, 1)", 3.0),
        ("fma(x, x, 1)", 5.0),
        ("log2_abs(-4 * x) + log10_abs(10)", 4.0),
        ("safe_sqrt(2 * x) + sqrt_abs(-8 * x)", 6.0),
        ("erfc(0 * x) + exp2(x)", 5.0),
        ("x ^ 3.0 / -4", -2.0),
        ("log1p_abs(0 * x) + acosh_abs(0 * x) + mult(x, div(x, 4))", 1.0),
        ("1.5f-3 * x", 3e-3),
    ],
)
def test_operators_of_pysr_mean_what_they_compute(text: str, value: float) -> None:
    assert_allclose(evaluate(read_equation(text, ["x"]), {"x": np.array([2.0])}), [value], rtol=1e-14)


# what is sent ------------------------------------------------------------------------------------------------------------


def test_julia_text_is_bracketed_and_reads_back() -> None:
    law = parse("2*mass*exp(-t/3)**2 - 1/(t + pi)**3 + sqrt(mass)")
    text = julia_text(law, {"mass": "x1", "t": "x2"})
    assert "**" not in text
    columns = {"mass": np.array([1.3, 2.0]), "t": np.array([0.4, 1.1])}
    again = read_equation(text, ["x1", "x2"])
    assert_allclose(evaluate(again, {"x1": columns["mass"], "x2": columns["t"]}), evaluate(law, columns), rtol=1e-14)


def test_a_function_that_the_search_has_not_is_not_written() -> None:
    with pytest.raises(ExpressionError, match="cannot be given to this search"):
        julia_text(parse("erf(x)"), {"x": "x1"}, functions=["exp"])
    with pytest.raises(ExpressionError, match="cannot be given"):
        julia_text(parse("y"), {"x": "x1"})


def test_no_text_of_a_user_reaches_julia() -> None:
    problem = SearchProblem(np.ones((5, 2)), np.ones(5), ("run", "include_string"), functions=frozenset({"exp", "system", "eval"}), units=("`rm`", None))
    guesses = (parse("run*exp(include_string)"),)
    sent = regressor_settings(problem, 1, 10.0, guesses, None)
    template = regressor_settings(problem, 1, 10.0, (), Template({"exit": ("run",), "eval_": ("include_string",)}, parse("exit*eval_")))
    for text in (json.dumps(sent), json.dumps(template)):
        assert not any(word in text for word in ("run", "include_string", "system", "eval", "exit", "`rm"))
    assert sent["regressor"]["guesses"] == ["(x1 * exp(x2))"]
    assert template["template"] == {"combine": "(f1(x1) * f2(x2))", "expressions": ["f1", "f2"], "variable_names": ["x1", "x2"]}
    assert template["regressor"]["guesses"] is None
    assert sent["regressor"]["unary_operators"] == ["exp"]


def test_what_binds_the_search_is_passed_on() -> None:
    settings = regressor_settings(table(functions=frozenset({"sin", "log"}), max_complexity=13), 5, 20.0, (), None)["regressor"]
    assert settings["unary_operators"] == ["log", "sin"]
    assert settings["binary_operators"] == list(BINARY)
    assert settings["maxsize"] == 13
    assert (settings["random_state"], settings["deterministic"], settings["parallelism"]) == (5, True, "serial")
    assert settings["timeout_in_seconds"] == 20.0
    assert settings["nested_constraints"] == {outer: {"log": 0, "sin": 0} for outer in ("log", "sin")}


def test_a_guess_with_a_forbidden_function_is_left_out() -> None:
    settings = regressor_settings(table(functions=frozenset({"sin"})), 0, None, (parse("exp(mass)"), parse("sin(speed)")), None)["regressor"]
    assert settings["guesses"] == ["sin(x2)"]


def _source(name: str) -> str:
    found = importlib.util.find_spec("pysr")
    if found is None or not found.submodule_search_locations:
        pytest.skip("PySR is not installed")
    return (Path(found.submodule_search_locations[0]) / name).read_text(encoding="utf-8")


def _parameters(tree: ast.AST, class_name: str, function: str) -> set[str]:
    definition = next(node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name == class_name)
    method = next(node for node in definition.body if isinstance(node, ast.FunctionDef) and node.name == function)
    return {argument.arg for argument in (*method.args.args, *method.args.kwonlyargs)}


def test_every_setting_is_one_that_pysr_knows() -> None:
    tree = ast.parse(_source("sr.py"))
    settings = regressor_settings(table(), 0, 1.0, (), None)
    assert {*settings["regressor"], "expression_spec", "output_directory", "run_id"} <= _parameters(tree, "PySRRegressor", "__init__")
    assert {"X", "y", "weights", "variable_names"} <= _parameters(tree, "PySRRegressor", "fit")
    fields = next(node for node in ast.walk(ast.parse(_source("expression_specs.py"))) if isinstance(node, ast.ClassDef) and node.name == "TemplateExpressionSpec")
    names = {node.target.id for node in fields.body if isinstance(node, ast.AnnAssign)}
    assert {"combine", "expressions", "variable_names"} <= names


def test_every_function_that_may_be_sent_is_one_that_pysr_knows() -> None:
    known = _source("export_sympy.py")
    assert [name for name in UNARY if f'"{name}"' not in known] == []


# a network's structure ---------------------------------------------------------------------------------------------------


def network(hidden: int, dead: list[tuple[int, int, int]], inputs: int = 3, product: bool = False) -> KAN:
    """A network of one hidden layer whose output adds the hidden nodes, or multiplies two slots."""
    layers = [nodes_of(hidden), nodes_of(0, [2]) if product else nodes_of(1)]
    return initial(layers, np.tile([-1.0, 1.0], (inputs, 1)), np.random.default_rng(0)).without_edges(dead)


def test_nodes_of_different_columns_are_the_pieces_of_a_template() -> None:
    template = template_of(network(2, [(0, 2, 0), (0, 0, 1), (0, 1, 1)]), ["a", "b", "c"])
    assert template.pieces == {"f1": ("a", "b"), "f2": ("c",)}
    assert str(template.combine) == "f1 + f2"


def test_a_piece_that_another_holds_is_no_piece_and_one_alone_is_no_template() -> None:
    assert template_of(network(2, [(0, 2, 0), (0, 0, 1), (0, 1, 1), (0, 2, 1)]), ["a", "b", "c"]) is None
    assert template_of(network(3, []), ["a", "b", "c"]) is None
    overlapping = template_of(network(3, [(0, 2, 0), (0, 0, 1), (0, 1, 2), (0, 2, 2)]), ["a", "b", "c"])
    assert sorted(overlapping.pieces.values()) == [("a", "b"), ("b", "c")]


def test_a_product_node_makes_a_product() -> None:
    pruned = network(2, [(0, 2, 0), (0, 0, 1), (0, 1, 1), (1, 1, 0), (1, 0, 1)], product=True)
    template = template_of(pruned, ["f", "g", "h"])
    assert list(template.pieces.values()) == [("f", "g"), ("h",)]
    assert not set(template.pieces) & {"f", "g", "h"}
    assert str(template.assembled(dict.fromkeys(template.pieces, Symbol("g")))) == "g*g"


def test_edges_that_are_pruned_above_count_as_well() -> None:
    template = template_of(network(3, [(0, 1, 0), (0, 2, 0), (0, 0, 1), (0, 2, 1), (1, 2, 0)]), ["a", "b", "c"])
    assert template.pieces == {"f1": ("a",), "f2": ("b",)}


def test_a_template_of_names_that_clash_is_refused() -> None:
    with pytest.raises(ExpressionError, match="is no piece"):
        Template({"f": ("a",)}, parse("f + g"))
    with pytest.raises(ExpressionError, match="a piece and a column"):
        Template({"a": ("a",)}, parse("a"))


# a search ----------------------------------------------------------------------------------------------------------------


STAND_IN = """
import json, os, sys, time
from pathlib import Path

class TemplateExpressionSpec:
    def __init__(self, combine, expressions, variable_names):
        self.told = [combine, expressions, variable_names]

class PySRRegressor:
    def __init__(self, **settings):
        self.settings = settings

    def fit(self, X, y, weights=None, variable_names=None):
        print("this must not disturb the conversation")
        folder = Path(self.settings["output_directory"]) / self.settings["run_id"]
        folder.mkdir(parents=True)
        told = {name: getattr(value, "told", value) for name, value in self.settings.items()}
        Path(os.environ["STAND_IN_TOLD"]).write_text(json.dumps([told, X.shape, None if weights is None else list(weights), variable_names]))
        template = "expression_spec" in self.settings
        best = "f1 = #1; f2 = #1" if template else "(x1 * x2)"
        rows = ['1,0.5,"' + ("f1 = 1.5; f2 = #1" if template else "1.5") + '"', f'3,1.0e-9,"{best}"']
        for count in (1, 2):
            (folder / "hall_of_fame.csv").write_text("\\n".join(["Complexity,Loss,Equation", *rows[:count]]) + "\\n")
            time.sleep(1.0)
        if os.environ.get("STAND_IN_ENDS") == "badly":
            os.abort()
        if os.environ.get("STAND_IN_ENDS") == "never":
            time.sleep(600)
"""


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package called pysr that writes a hall of fame as PySR does, in the place of one that needs Julia."""
    (tmp_path / "pysr.py").write_text(textwrap.dedent(STAND_IN).replace("\\\\n", "\\n"))
    path = [str(tmp_path), str(Path(__file__).parents[2])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path))
    monkeypatch.setenv("STAND_IN_TOLD", str(tmp_path / "told.json"))
    monkeypatch.setattr(engine_module, "julia_state", lambda: JuliaState("2.7.2", "1.11.7", "julia"))
    return tmp_path


def test_it_is_an_engine() -> None:
    engine: Engine = PySREngine()
    assert engine.name == "pysr"


def test_formulas_are_proposed_when_they_appear_in_the_hall_of_fame(stand_in: Path) -> None:
    told: list[str] = []
    problem = table(weights=np.arange(1.0, 51.0))
    found = list(PySREngine(guesses=(parse("mass*speed"),), progress=told.append).search(problem, never, random_state=9))
    assert [str(proposal.expression) for proposal in found] == ["1.5", "mass*speed"]
    assert {proposal.origin for proposal in found} == {"pysr"}
    settings, shape, weights, names = json.loads((stand_in / "told.json").read_text())
    assert settings["guesses"] == ["(x1 * x2)"]
    assert settings["random_state"] == 9
    assert (shape, names) == ([50, 2], ["x1", "x2"])
    assert weights == list(range(1, 51))
    assert told == ["PySR starts Julia, which takes a while the first time", "PySR searches"]


def test_a_template_is_passed_and_its_pieces_are_put_together(stand_in: Path) -> None:
    template = Template({"left": ("mass",), "right": ("speed",)}, parse("left*right"))
    found = list(PySREngine(template=template).search(table(), never))
    assert [str(proposal.expression) for proposal in found] == ["1.5*speed", "mass*speed"]
    settings, *_ = json.loads((stand_in / "told.json").read_text())
    assert settings["expression_spec"] == ["(f1(x1) * f2(x2))", ["f1", "f2"], ["x1", "x2"]]


def test_a_search_can_be_stopped_and_has_a_time_limit(stand_in: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAND_IN_ENDS", "never")
    began = time.monotonic()
    found = list(PySREngine(seconds=6.0).search(table(), never))
    assert [str(proposal.expression) for proposal in found] == ["1.5", "mass*speed"]
    stopping = PySREngine().search(table(), lambda: time.monotonic() - began > 12)
    assert len(list(stopping)) >= 1
    assert time.monotonic() - began < 40


def test_a_search_that_dies_keeps_what_it_wrote(stand_in: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAND_IN_ENDS", "badly")
    found: list = []
    with pytest.raises(JobError, match=r"The engine pysr ended in the middle of its search \(killed by SIGABRT\)"):
        found.extend(PySREngine().search(table(), never))
    assert [str(proposal.expression) for proposal in found] == ["1.5", "mass*speed"]


def test_proposals_larger_than_allowed_are_not_made(stand_in: Path) -> None:
    found = list(PySREngine().search(table(max_complexity=2), never))
    assert [str(proposal.expression) for proposal in found] == ["1.5"]


def test_without_julia_it_is_one_plain_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_JULIAPKG_PROJECT", str(tmp_path))
    with pytest.raises(MissingEngineError, match=r"its Julia packages are not installed. Type: kan-workbench doctor --install pysr") as missing:
        next(PySREngine().search(table(), never))
    assert "\n" not in str(missing.value)
    assert "pysr" not in sys.modules
    assert "juliacall" not in sys.modules


def test_without_pysr_it_is_one_plain_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "julia_state", lambda: JuliaState(None, fault="not installed"))
    with pytest.raises(MissingEngineError, match="pip install pysr"):
        next(PySREngine().search(table(), never))


@pytest.mark.julia
@pytest.mark.skipif(not julia_state().ready, reason="PySR's Julia is not installed")
def test_julia_finds_a_law() -> None:
    X = np.random.default_rng(0).uniform(1, 3, (200, 2))
    problem = SearchProblem(X, 2.5 * X[:, 0] ** 2 / X[:, 1], ("mass", "speed"), functions=frozenset())
    found = list(PySREngine(seconds=120).search(problem, never))
    errors = [np.abs(evaluate(one.expression, dict(zip(problem.symbols, X.T))) - problem.y).max() for one in found]
    assert min(errors) < 1e-6


@pytest.mark.julia
@pytest.mark.skipif(not julia_state().ready, reason="PySR's Julia is not installed")
def test_julia_takes_guesses_and_templates() -> None:
    X = np.random.default_rng(0).uniform(1, 3, (200, 2))
    problem = SearchProblem(X, np.exp(X[:, 0]) + X[:, 1] ** 3, ("mass", "speed"))
    guessed = list(PySREngine(seconds=60, guesses=(parse("exp(mass) + speed**3"),)).search(problem, never))
    template = Template({"left": ("mass",), "right": ("speed",)}, parse("left + right"))
    pieces = list(PySREngine(seconds=120, template=template).search(problem, never))
    for found in (guessed, pieces):
        errors = [np.abs(evaluate(one.expression, dict(zip(problem.symbols, X.T))) - problem.y).max() for one in found]
        assert min(errors) < 1e-2
        assert all(symbols(one.expression) <= {"mass", "speed"} for one in found)
