"""Operon in its own process: it finds a law that is no screen's, the same one for the same seed, and can be stopped at any moment."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from workbench.exceptions import ExpressionError, JobError, MissingEngineError
from workbench.expression import complexity, evaluate, free_constants, parse, walk
from workbench.expression.tree import Call
from workbench.search import Engine, SearchProblem
from workbench.search.native.judging.polishing import Rows
from workbench.search.operon import OperonEngine
from workbench.search.operon.nodes import OPERATORS, expression_of
from workbench.search.operon.portfolio import PORTFOLIO, Archive, allowed
from workbench.search.process import proposals
from workbench.search.trimming import fitted, trimmed

op = pytest.importorskip("pyoperon", reason="Operon has wheels for Linux x86-64 and macOS arm64 only")


def never() -> bool:
    return False


def problem(text: str, names: str = "abc", n_rows: int = 300, noise: float = 0.0, **more: object) -> SearchProblem:
    generator = np.random.default_rng(7)
    X = generator.uniform(1, 3, (n_rows, len(names)))
    y = evaluate(parse(text), dict(zip(names, X.T)))
    return SearchProblem(X, y + noise * y.std() * generator.standard_normal(n_rows), tuple(names), **more)


def error_of(text: object, of: SearchProblem) -> float:
    values = evaluate(parse(str(text)), dict(zip(of.symbols, of.X.T)))
    return float(np.sqrt(np.mean((values - of.y) ** 2)) / of.y.std())


def first_exact(found: Iterator, of: SearchProblem) -> object:
    return next((one for one in found if error_of(one.expression, of) < 1e-7), None)


def test_it_is_an_engine() -> None:
    engine: Engine = OperonEngine()
    assert engine.name == "operon"


def test_a_law_that_is_not_simple_is_found_to_the_last_digit() -> None:
    law = problem("a**2/(b + c)")
    found = first_exact(OperonEngine(seconds=60).search(law, never), law)
    assert found is not None
    assert found.origin == "operon"
    assert complexity(found.expression) <= 9
    assert found.path[0].startswith("Operon with + - * /")


def test_huge_and_tiny_columns_are_no_obstacle() -> None:
    law = problem("a**2/(b + c)")
    scaled = SearchProblem(law.X * [1e6, 1e-7, 1e-7], 3e11 * law.y, law.symbols)
    assert first_exact(OperonEngine(seconds=60).search(scaled, never), scaled) is not None


def test_the_same_seed_gives_the_same_sequence() -> None:
    law = problem("a*b/c + c", n_rows=100)
    once, again, other = ([str(one.expression) for one in OperonEngine(rounds=1, population=20).search(law, never, seed)] for seed in (3, 3, 4))
    assert once == again != other
    assert len(once) > 3


def test_time_only_cuts_the_sequence() -> None:
    law = problem("a*b/c + sin(c)", n_rows=100)
    whole = [str(one.expression) for one in OperonEngine(rounds=1, population=40).search(law, never, 0)]
    cut = [str(one.expression) for one in OperonEngine(seconds=4, population=40).search(law, never, 0)]
    shorter = min(len(whole), len(cut))
    assert shorter > 0
    assert cut[:shorter] == whole[:shorter]


def test_it_stops_when_it_is_told_and_leaves_no_process() -> None:
    law = problem("a*exp(-b*c)", n_rows=1000)
    began = time.monotonic()
    search = OperonEngine(population=60).search(law, lambda: time.monotonic() > began + 5.0)
    assert len(list(search)) > 0
    assert time.monotonic() - began < 15


def test_a_search_that_is_given_up_ends_its_process(monkeypatch: pytest.MonkeyPatch) -> None:
    from workbench.search import process

    started = []

    class Watched(process.WorkerProcess):
        def __init__(self, *arguments: object, **more: object) -> None:
            super().__init__(*arguments, **more)
            started.append(self.pid)

    monkeypatch.setattr(process, "WorkerProcess", Watched)
    search = OperonEngine().search(problem("a + b*c"), never)
    next(search)
    search.close()
    with pytest.raises(ProcessLookupError):
        os.kill(started[0], 0)


def test_a_law_in_noise_keeps_its_shape() -> None:
    noisy, clean = problem("a**2/(b + c)", noise=0.01, n_rows=500), problem("a**2/(b + c)", n_rows=500)
    found = OperonEngine(seconds=60).search(noisy, never)
    assert any(error_of(one.expression, clean) < 5e-3 and complexity(one.expression) <= 15 for one in found)


def test_only_allowed_functions_are_used() -> None:
    law = problem("exp(a/2) + sin(b)*c", functions=frozenset({"sin"}))
    found = list(OperonEngine(rounds=1, population=60).search(law, never))
    used = {node.function for one in found for node in walk(one.expression) if isinstance(node, Call)} - {"add", "mul", "pow"}
    assert used == {"sin"}


def test_no_proposal_is_larger_than_allowed_and_each_is_on_the_front_of_those_before() -> None:
    law = problem("a*b/(c + 1) + sqrt(a)", max_complexity=11)
    found = [(complexity(one.expression), error_of(one.expression, law)) for one in OperonEngine(rounds=1, population=60).search(law, never)]
    assert max(size for size, _ in found) <= 11
    for index, (size, error) in enumerate(found):
        assert not any(other <= size and least < error for other, least in found[:index])


def test_a_handful_of_rows_bears_a_handful_of_constants() -> None:
    x = np.array([1.309, 1.471, 1.490, 1.565, 1.611, 1.680])
    few = SearchProblem(x[:, None], np.array([2.138, 3.421, 3.597, 4.340, 4.882, 5.660]), ("a",))
    found = list(OperonEngine(rounds=1, population=40).search(few, never))
    assert found
    assert max(len(free_constants(one.expression)) for one in found) <= 2


def test_weights_say_which_rows_count() -> None:
    law = problem("2*a + b", n_rows=200)
    broken = law.y.copy()
    broken[::4] += 5
    weights = np.where(np.arange(200) % 4 == 0, 1e-12, 1.0)
    weighted = SearchProblem(law.X, broken, law.symbols, weights=weights)
    assert any(error_of(one.expression, law) < 1e-3 for one in OperonEngine(rounds=1, population=60).search(weighted, never))


def test_progress_is_told_in_words() -> None:
    told: list[str] = []
    list(OperonEngine(rounds=1, population=20, progress=told.append).search(problem("a + b", n_rows=50), never))
    assert told[0] == "Operon with + - * / square, 15 generations"
    assert [int(words.split()[-2]) for words in told] == [15] * 10 + [30] * 5 + [60] * 2 + [120]
    assert len(PORTFOLIO) == 10


def test_an_engine_that_dies_is_one_sentence_and_what_it_found_is_kept() -> None:
    found: list = []
    with pytest.raises(JobError, match=r"The engine operon ended in the middle of its search \(killed by SIGKILL\). What it had found is kept."):
        found.extend(_killed_after_the_first(problem("a + b*c")))  # which keeps what came before the error
    assert found


def _killed_after_the_first(law: SearchProblem) -> Iterator:
    from workbench.search import process

    pids = []
    original = process.WorkerProcess.__init__

    def noted(self: object, *arguments: object, **more: object) -> None:
        original(self, *arguments, **more)
        pids.append(self.pid)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process.WorkerProcess, "__init__", noted)
        for one in OperonEngine().search(law, never):
            yield one
            os.kill(pids[0], 9)


def test_a_fault_in_the_process_is_one_sentence() -> None:
    with pytest.raises(JobError, match="The engine operon failed: KeyError: 'seed'"):
        list(proposals("operon", problem("a + b"), {}, never))


def test_without_operon_it_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingEngineError, match="pip install pyoperon"):
        next(OperonEngine().search(problem("a"), never))


def test_the_portfolio_loses_what_is_forbidden_and_nothing_twice() -> None:
    assert len(allowed(None)) == len(PORTFOLIO)
    sets = allowed(frozenset())
    assert sets == [("Add", "Sub", "Mul", "Div", "Square"), ("Add", "Sub", "Mul", "Div"), ("Add", "Sub", "Mul", "Div", "Pow")]
    assert {name for operators in allowed(None) for name in operators} <= OPERATORS


def _dataset(X: np.ndarray) -> tuple[object, list, dict[int, str]]:
    dataset = op.Dataset(np.asfortranarray(X))
    variables = sorted(dataset.Variables, key=lambda variable: variable.Index)
    return dataset, variables, {variable.Hash: name for variable, name in zip(variables, "ab")}


@pytest.mark.parametrize("name", sorted(OPERATORS))
def test_every_operator_means_here_what_operon_computes(name: str) -> None:
    X = np.random.default_rng(0).uniform(0.3, 0.9, (20, 2))
    dataset, variables, names = _dataset(X)
    nodes = []
    for variable, weight in zip(variables, (0.75, 1.0)):
        node = op.Node.Variable(weight)
        node.HashValue = variable.Hash
        nodes.append(node)
    operator = op.Node(getattr(op.NodeType, name))
    operator.Value = 1.5
    nodes = [*nodes[-operator.Arity :], operator] if operator.Arity < 2 else [*nodes, operator]
    tree, dispatch, rows = op.Tree(nodes).UpdateNodes(), op.DispatchTable(), op.Range(0, 20)
    ours = evaluate(expression_of(tree.Nodes, names), dict(zip("ab", X.T)))
    assert_allclose(ours, op.Evaluate(dispatch, tree, dataset, rows), rtol=2e-5)  # Operon's float32, and its fast functions


def test_operators_of_more_and_fewer_operands() -> None:
    X = np.random.default_rng(0).uniform(1, 2, (20, 2))
    dataset, variables, names = _dataset(X)
    for kind in (op.NodeType.Add, op.NodeType.Sub, op.NodeType.Mul, op.NodeType.Div):
        for count in (1, 3):
            leaves = [op.Node(op.NodeType.Constant), *(op.Node.Variable(1.0) for _ in range(2))][-count:]
            leaves[0].Value = 2.5
            for leaf, variable in zip([leaf for leaf in leaves if leaf.IsVariable], variables):
                leaf.HashValue = variable.Hash
            operator = op.Node(kind)
            operator.Arity = count
            tree, dispatch, rows = op.Tree([*leaves, operator]).UpdateNodes(), op.DispatchTable(), op.Range(0, 20)
            ours = evaluate(expression_of(tree.Nodes, names), dict(zip("ab", X.T)))
            assert_allclose(ours, op.Evaluate(dispatch, tree, dataset, rows), rtol=2e-5, err_msg=f"{kind} of {count}")


def test_an_operator_without_a_counterpart_is_refused() -> None:
    variable = op.Node.Variable(1.0)
    variable.HashValue = 1
    with pytest.raises(ExpressionError, match="Floor has no counterpart"):
        expression_of([variable, op.Node(op.NodeType.Floor)], {1: "a"})


def rows_of(of: SearchProblem) -> Rows:
    return Rows(dict(zip(of.symbols, of.X.T)), of.y, np.ones(len(of.y)))


def made_honest(text: str, of: SearchProblem) -> tuple:
    return trimmed(fitted(parse(text), rows_of(of)), rows_of(of))


@pytest.mark.parametrize(
    ("bloated", "law"),
    [
        ("0.5*(a + 0.001)*exp(-1.9*b) + 0.0001*c", "0.5*a*exp(-2*b)"),
        ("0.9*a**1.01*b**0.98/(c + 0.01)", "a*b/c"),
        ("1.3*(a + 0.2*b)**2 + 0.01*sin(c) - 0.1", "1.3*(a + 0.25*b)**2"),
    ],
)
def test_constants_that_the_rows_do_not_need_are_dropped(bloated: str, law: str) -> None:
    for noise in (0.0, 0.01):
        rows = problem(law, noise=noise)
        result, _ = made_honest(bloated, rows)
        assert complexity(result) <= complexity(parse(law)) + 2, str(result)
        assert error_of(result, problem(law)) < max(1e-6, noise)


def test_constants_that_the_rows_need_are_kept() -> None:
    rows = problem("a*exp(-b) + 0.05*c")
    result, error = made_honest("1.1*a*exp(-0.9*b) + 0.04*c", rows)
    assert error < 1e-10
    assert {"a", "b", "c"} <= set(str(result))


def test_a_formula_without_value_is_none() -> None:
    assert fitted(parse("log(a - 100)"), rows_of(problem("a"))) is None


def test_the_archive_takes_what_is_better_or_simpler() -> None:
    archive = Archive(max_complexity=9)
    assert archive.takes(parse("x + 1.0"), 0.5)
    assert not archive.takes(parse("x + 2.0"), 0.5)
    assert archive.takes(parse("x"), 0.9)
    assert not archive.takes(parse("x*y + 1.0"), 0.6)
    assert archive.takes(parse("x*y + 1.0"), 0.1)
    assert not archive.takes(parse("x*y + 1.0 + sin(x) + exp(y)"), 0.001)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_search_never_outlives_who_asked_for_it() -> None:
    program = """
import numpy as np
from workbench.search import SearchProblem, process
from workbench.search.operon import OperonEngine
started = process.WorkerProcess.__init__
def noted(self, *arguments, **more):
    started(self, *arguments, **more)
    print(self.pid, flush=True)
process.WorkerProcess.__init__ = noted
X = np.random.default_rng(0).uniform(1, 2, (500, 3))
list(OperonEngine().search(SearchProblem(X, X[:, 0] * X[:, 1], ("a", "b", "c")), lambda: False))
"""
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    child = int(parent.stdout.readline())
    time.sleep(2)
    parent.kill()
    parent.communicate()
    for _ in range(200):
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            return
        if Path(f"/proc/{child}/stat").exists() and Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return  # nobody here reaps it, but it runs no more
        time.sleep(0.1)
    pytest.fail("the engine goes on though nobody listens")
