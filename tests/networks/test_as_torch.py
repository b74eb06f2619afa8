"""A KAN as a torch module: the same values, gradients that autograd itself confirms, and no torch before it is asked for."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from workbench.exceptions import NetworkError
from workbench.networks import KAN, SymbolicEdge
from workbench.networks.as_torch import as_network, as_torch
from workbench.networks.kan import initial, nodes_of
from workbench.networks.program import Evaluation, Program
from workbench.primitives import LIBRARY, PrimitiveForm, TypedForm, find


def of_one_edge(edge: SymbolicEdge) -> KAN:
    network = initial([nodes_of(1)], np.array([[-1.0, 1.0]]), np.random.default_rng(0))
    return network.with_symbolic((0, 0, 0), edge, offset=0.25)


def test_the_module_computes_what_the_network_does(mixed: KAN, rows: np.ndarray) -> None:
    assert_allclose(as_torch(mixed)(torch.from_numpy(rows)).detach().numpy(), mixed(rows), rtol=1e-12, atol=1e-12)


def test_single_precision_is_close(mixed: KAN, rows: np.ndarray) -> None:
    given = as_torch(mixed, torch.float32)(torch.from_numpy(rows).float())
    assert given.dtype == torch.float32
    assert_allclose(given.detach().numpy(), mixed(rows), rtol=0, atol=1e-4 * np.abs(mixed(rows)).max())


def test_other_precisions_are_refused(mixed: KAN) -> None:
    with pytest.raises(NetworkError, match=r"torch\.float64 or torch\.float32"):
        as_torch(mixed, torch.float16)


def test_autograd_confirms_the_gradients_of_a_mixed_network(mixed: KAN, rows: np.ndarray) -> None:
    module = as_torch(mixed)
    X = torch.from_numpy(rows[:5].copy()).requires_grad_()
    assert torch.autograd.gradcheck(module, (X,))
    assert torch.autograd.gradgradcheck(module, (X[:2],))


@pytest.mark.parametrize("engine", ["cpu", "reference"])
def test_every_engine_gives_the_network(mixed: KAN, rows: np.ndarray, engine: str) -> None:
    assert_allclose(as_torch(mixed, engine=engine)(torch.from_numpy(rows)).detach().numpy(), mixed(rows), rtol=1e-12, atol=1e-12)


def test_an_engine_that_works_on_other_tensors_is_refused(mixed: KAN, rows: np.ndarray) -> None:
    with pytest.raises(NetworkError, match=r"engine='cuda' works on tensors of a cuda device; x is on cpu"):
        as_torch(mixed, engine="cuda")(torch.from_numpy(rows))


def test_gradients_of_all_constants_are_those_of_the_engine(mixed: KAN, rows: np.ndarray) -> None:
    """The engine's own are held against finite differences elsewhere."""
    module, program = as_torch(mixed), Program(mixed)
    seed = np.random.default_rng(6).normal(size=(2, len(rows)))
    (module(torch.from_numpy(rows)) * torch.from_numpy(seed.T)).sum().backward()
    evaluation = Evaluation(program, np.ascontiguousarray(rows.T))
    evaluation.forward(program.parameters)
    expected = np.where(program.free, evaluation.gradient(program.parameters, seed), 0.0)     # locked: no gradient
    for level, (layer, compiled) in enumerate(zip(module.layers, program.layers, strict=True)):
        theta = expected[compiled.start : compiled.learned_stop].reshape(-1, compiled.n_terms)
        learned = np.zeros((*mixed.layers[level].alive.shape, compiled.n_terms))
        learned[compiled.edge_target, compiled.edge_source] = theta
        n = compiled.basis.n_coefficients
        assert_allclose(layer.coefficients.grad.numpy(), learned[..., :n].transpose(2, 0, 1), rtol=1e-9, atol=1e-9)
        if compiled.n_terms > n:
            assert_allclose(layer.base.grad.numpy(), learned[..., n], rtol=1e-9, atol=1e-9)
        assert_allclose(layer.bias.grad.numpy(), expected[compiled.bias : compiled.stop], rtol=1e-9, atol=1e-9)
        for block, constants in zip(compiled.forms, layer.constants, strict=True):
            assert_allclose(constants.grad.numpy(), expected[block.start : block.stop], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", LIBRARY)
def test_every_form_of_the_library_is_the_same_in_torch(name: str) -> None:
    form = PrimitiveForm(find(name))
    a, b = {"unit": (0.3, 0.1), "above_one": (0.3, 2.0)}.get(find(name).domain, (0.4, 0.9))
    parameters = (1.7, a, b, *(shape.starts[0] for shape in find(name).shape))
    network = of_one_edge(SymbolicEdge(form, parameters, form.free))
    x = np.linspace(-1, 1, 101)[:, None]
    assert_allclose(as_torch(network)(torch.from_numpy(x)).detach().numpy(), network(x), rtol=1e-10, atol=1e-10)


def test_a_hole_of_a_form_is_filled_by_its_limit() -> None:
    form = PrimitiveForm(find("sinc"))
    network = of_one_edge(SymbolicEdge(form, (2.0, 1.0, 0.0), form.free))
    X = torch.tensor([[-0.5], [0.0], [0.5]], dtype=torch.float64, requires_grad=True)
    given = as_torch(network)(X)
    given.sum().backward()
    assert_allclose(given.detach().numpy()[1], 2.25, rtol=1e-12)
    assert_allclose(X.grad.numpy()[1], 0.0, atol=1e-6)


def test_a_typed_form_is_the_same_in_torch() -> None:
    form = TypedForm("a*exp(-b*x)*x + cbrt(k*x)")
    network = of_one_edge(SymbolicEdge(form, (1.5, -0.7, 3.0), form.free))
    x = np.linspace(-1, 1, 57)[:, None]
    assert_allclose(as_torch(network)(torch.from_numpy(x)).detach().numpy(), network(x), rtol=1e-12)


def test_training_the_module_leaves_the_network_and_comes_back_as_one(mixed: KAN, rows: np.ndarray) -> None:
    before, module = mixed(rows), as_torch(mixed)
    optimizer = torch.optim.SGD(module.parameters(), lr=1e-3)
    module(torch.from_numpy(rows)).square().mean().backward()
    optimizer.step()
    assert_array_equal(mixed(rows), before)
    trained = as_network(module, mixed)
    assert_allclose(trained(rows), module(torch.from_numpy(rows)).detach().numpy(), rtol=1e-12, atol=1e-12)
    assert np.abs(trained(rows) - before).max() > 1e-4
    _, row, column = mixed.position((1, 1, 0))     # locked
    assert_array_equal(trained.layers[1].coefficients[:, row, column], mixed.layers[1].coefficients[:, row, column])


def test_torch_is_imported_only_when_a_module_is_made() -> None:
    code = "import sys, workbench.networks.as_torch; print('torch' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"
