"""Descent on an engine of the ops: the objective is that of the solvers in NumPy, and it is lowered; all of it runs here on the engine "cpu"."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

import workbench as wb
from workbench.bases.basis import Basis
from workbench.bases.bspline import Spline
from workbench.bases.rational import Rational
from workbench.exceptions import MissingEngineError, TrainingError
from workbench.networks import KAN
from workbench.networks.as_torch import as_torch
from workbench.networks.kan import initial, nodes_of
from workbench.networks.program import Evaluation, Program
from workbench.training import FitConfig, Problem, descent, fitted, penalty, torch_descent
from workbench.training.torch_descent import Goal, Way

COARSE = Spline(5)
ROWS = np.random.default_rng(1).uniform(-1, 1, (2, 401))


def smooth_law() -> Problem:
    """Return rows of exp(sin(pi x) + y^2), the last hundred to check on."""
    y = np.exp(np.sin(np.pi * ROWS[0]) + ROWS[1] ** 2)[None]
    held_out = Problem(ROWS[:, 300:], y[:, 300:])
    return Problem(ROWS[:, :300], y[:, :300], validation=held_out)


def weighted(problem: Problem) -> Problem:
    weights = np.random.default_rng(2).uniform(0.5, 2.0, problem.n_rows)
    return replace(problem, weights=weights / weights.mean())


PROBLEMS = {
    "squared": lambda: smooth_law(),
    "squared, weighted": lambda: weighted(smooth_law()),
    "two classes": lambda: Problem(ROWS, (ROWS[:1] * ROWS[1:] > 0).astype(float), None, "cross_entropy", 2),
    "three classes, weighted": lambda: weighted(Problem(ROWS, np.digitize(ROWS[:1] + ROWS[1:], [-0.4, 0.4]).astype(float), None, "cross_entropy", 3)),
}


def random_network(problem: Problem, hidden: int = 3, basis: Basis = COARSE) -> KAN:
    return initial([nodes_of(hidden), nodes_of(problem.n_outputs)], problem.ranges, np.random.default_rng(0), basis=basis)


@pytest.mark.parametrize("kind", PROBLEMS)
@pytest.mark.parametrize("sparsity", [0.0, 1e-2])
@pytest.mark.parametrize("basis", [Spline(5), Rational(5, 4, "square"), Rational(3, 2, "sum_abs")], ids=str)
def test_the_goal_and_its_gradient_are_those_of_the_solvers_in_numpy(kind: str, sparsity: float, basis: Basis) -> None:
    problem = PROBLEMS[kind]()
    network = random_network(problem, basis=basis).with_lock((0, 1, 2))
    program = Program(network)
    smooth = torch_descent._penalty(network, problem, 1e-2, sparsity)
    module, goal = as_torch(network, engine="cpu"), Goal(network, problem, smooth, torch.float64, "cpu")
    evaluation = Evaluation(program, problem.x)
    outputs = evaluation.forward(program.parameters)
    expected = evaluation.gradient(program.parameters, problem.slope(outputs))
    smooth.add_gradient(expected, program.parameters)
    loss = goal.loss(module)
    assert_allclose(float(loss.detach()) * problem.mass, problem.objective(outputs), rtol=1e-12)
    (loss + goal.penalty(module)).backward()
    for layer, compiled in zip(module.layers, program.layers, strict=True):
        theta = np.where(program.free, expected, 0.0)[compiled.learned].reshape(-1, compiled.n_terms)
        every = [layer.coefficients.grad] + ([layer.base.grad[None]] if isinstance(basis, Spline) else [])
        mine = torch.cat(every).numpy()[:, compiled.edge_target, compiled.edge_source].T
        assert_allclose(mine * problem.mass, theta, rtol=1e-9, atol=1e-9 * np.abs(theta).max())


@pytest.mark.parametrize("kind", PROBLEMS)
def test_every_row_has_its_share_of_a_batch(kind: str) -> None:
    problem = PROBLEMS[kind]()
    network = random_network(problem)
    module = as_torch(network, engine="cpu")
    goal = Goal(network, problem, penalty.smoothness(Program(network), problem, 1e-4), torch.float64, "cpu")
    every = torch.arange(problem.n_rows)
    assert_allclose(float(goal.loss(module, every).detach()), float(goal.loss(module).detach()), rtol=1e-12)


@pytest.mark.parametrize(("engine", "basis"), [("cpu", "spline"), ("reference", "spline"), ("cpu", "rational")])
@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_a_fit_on_an_engine_finds_a_smooth_law(engine: str, basis: str, optimizer: str) -> None:
    resolution = {"intervals": (5,)} if basis == "spline" else {"degrees": ((5, 4),)}
    config = FitConfig(hidden_layer_sizes=(3,), basis=basis, **resolution, roughness=(1e-5,), n_starts=2, max_iter=24, engine=engine, optimizer=optimizer)
    result = fitted(smooth_law(), config)
    assert result.report.rmse < {"lbfgs": 0.03, "adam": 0.1}[optimizer]
    outputs = result.network(smooth_law().validation.x.T)[:, 0]
    truth = smooth_law().validation.y[0]
    assert np.sqrt(np.mean((outputs - truth) ** 2)) < {"lbfgs": 0.06, "adam": 0.2}[optimizer] * truth.std()


def test_the_same_fit_has_the_same_bytes() -> None:
    config = FitConfig(hidden_layer_sizes=(2,), intervals=(5,), roughness=(1e-5,), n_starts=1, max_iter=4, engine="cpu", optimizer="adam")
    one, other = (fitted(smooth_law(), config).network for _ in range(2))
    for mine, theirs in zip(one.layers, other.layers, strict=True):
        assert_array_equal(mine.coefficients, theirs.coefficients)
        assert_array_equal(mine.base, theirs.base)


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_what_is_locked_stays(optimizer: str) -> None:
    problem = smooth_law()
    network = random_network(problem).with_lock((0, 1, 2)).with_bias(1, 0, 0.25, free=False)
    *_, (_, unpack, _) = torch_descent.descend(network, problem, 1e-2, 0.0, 3, Way("cpu", optimizer))
    _, row, column = network.position((0, 1, 2))
    kept = unpack().layers
    # Adam computes in float32
    for mine, given in ((kept[0].coefficients, network.layers[0].coefficients), (kept[0].base[None], network.layers[0].base[None])):
        assert_array_equal(mine[:, row, column], given[:, row, column].astype(np.float32 if optimizer == "adam" else float))
        assert np.abs(mine - given).max() > 1e-3
    assert kept[1].bias[0] == 0.25


def test_a_sparse_fit_lets_an_input_of_no_use_fade() -> None:
    x = np.vstack([ROWS, np.random.default_rng(5).uniform(-1, 1, 401)])
    problem = Problem(x, np.sin(3 * x[:1]) + x[1:2] ** 2)
    config = FitConfig(hidden_layer_sizes=(), intervals=(5,), roughness=(1e-5,), sparsity=1e-2, n_starts=1, max_iter=30, engine="cpu")
    network = fitted(problem, config).network
    swing = [np.ptp(network.edge_value((0, source, 0), x[source])) for source in range(3)]
    assert swing[2] < 0.05 * min(swing[:2])


def test_many_rows_are_taken_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch_descent, "_MANY_ROWS", 200)
    taken = []
    batches = torch_descent._batches
    monkeypatch.setattr(torch_descent, "_batches", lambda *given: taken.append(given) or batches(*given))
    next(torch_descent.descend(random_network(smooth_law()), smooth_law(), 1e-4, 0.0, 1, Way("cpu")))
    assert len(taken) == 1


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_torch_has_its_threads_back_while_nobody_asks_for_the_next_iteration(optimizer: str) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        next(torch_descent.descend(random_network(smooth_law()), smooth_law(), 1e-4, 0.0, 2, Way("cpu", optimizer)))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_a_training_that_leaves_the_numbers_says_so() -> None:
    problem = smooth_law()
    network = random_network(problem)
    broken = network.with_layer(0, bias=np.full(3, np.inf))
    with pytest.raises(TrainingError, match=r"engine='cpu' left the finite numbers in iteration 1. Look for extreme values"):
        next(torch_descent.descend(broken, problem, 1e-4, 0.0, 1, Way("cpu", "adam")))


# --------------------------------------------------------------------------------------------------------- how it is asked for


def test_a_gpu_that_is_not_there_is_named_before_anything_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", None)
    with pytest.raises(MissingEngineError, match="engine='cuda' needs a GPU: this torch is built for CPUs. Take engine='cpu'"):
        fitted(smooth_law(), FitConfig(engine="cuda"))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"engine": "cude"}, r"engine='cude': no such engine. Did you mean 'cuda'\? Known: native, cpu, cuda, reference"),
        ({"engine": "cpu", "optimizer": "lm"}, "optimizer='lm' does not go with engine='cpu'. There: auto, lbfgs, adam"),
        ({"optimizer": "adam"}, "optimizer='adam' does not go with engine='native'. There: auto, lm, lbfgs"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(settings: dict[str, str], words: str) -> None:
    with pytest.raises(TrainingError, match=words):
        FitConfig(**settings)


@pytest.mark.parametrize(("optimizer", "most", "taken"), [("lbfgs", 1100, True), ("lm", 0, False), ("auto", 0, True), ("auto", 1100, False)])
def test_the_solver_in_numpy_is_the_one_that_was_asked_for(monkeypatch: pytest.MonkeyPatch, optimizer: str, most: int, taken: bool) -> None:
    monkeypatch.setattr(descent, "_LM_PARAMETERS", most)
    calls, run = [], descent.lbfgs.descend
    monkeypatch.setattr(descent.lbfgs, "descend", lambda *given: calls.append(given) or run(*given))
    fitted(smooth_law(), FitConfig(hidden_layer_sizes=(), intervals=(5,), roughness=(1e-5,), n_starts=1, max_iter=2, optimizer=optimizer))
    assert bool(calls) == taken


def test_estimator_and_discovery_train_on_an_engine() -> None:
    X, y = ROWS.T, np.sin(3 * ROWS[0]) + ROWS[1]
    model = wb.KANRegressor(hidden_layer_sizes=(), intervals=(5,), roughness=(1e-5,), n_starts=1, max_iter=8, engine="cpu", random_state=0).fit(X, y)
    assert model.score(X, y) > 0.99
    data = wb.load_sample("cherry_trees")
    found = wb.Discovery(data).fit(hidden_layer_sizes=(), n_starts=1, max_iter=8, engine="cpu")
    assert found.metrics.r2_train > 0.9
    assert "engine='cpu'" in found.to_script()


@pytest.mark.gpu
@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_a_gpu_finds_the_smooth_law_too(optimizer: str) -> None:
    config = FitConfig(hidden_layer_sizes=(3,), intervals=(5,), roughness=(1e-5,), n_starts=2, max_iter=24, engine="cuda", optimizer=optimizer)
    assert fitted(smooth_law(), config).report.rmse < {"lbfgs": 0.03, "adam": 0.1}[optimizer]
