import numpy as np
import pytest
from numpy.testing import assert_allclose

from workbench.networks.program import Evaluation, Program
from workbench.primitives import PrimitiveForm, find
from workbench.snapping import Curve, fit_forms, whole
from workbench.snapping.whole import Whole, with_fit
from workbench.training.penalty import smoothness

NAMES = ("sin", "x^2", "tanh", "x", "cos")


@pytest.mark.parametrize("edge", [(0, 0, 0), (0, 1, 0), (1, 0, 0)])
def test_the_promise_is_the_minimum_of_the_linearised_model(hello, edge) -> None:
    """The truth is one dense system of all constants for each form, without a Schur complement."""
    network, problem = hello
    seen = Whole(network, edge, problem, roughness=1e-5)
    fits = fit_forms(Curve.of(seen.x, seen.y), [PrimitiveForm(find(name)) for name in NAMES])
    program = Program(network)
    evaluation = Evaluation(program, problem.x)
    outputs = evaluation.forward(program.parameters)
    jacobian = evaluation.jacobian(program.parameters, np.ones((1, problem.n_rows)), np.empty((len(program.parameters), problem.n_rows)))
    jacobian /= problem.scale[0]
    layer = program.layers[edge[0]]
    slot = jacobian[layer.bias]  # one slot per layer in this network
    edges = list(zip(layer.edge_source, layer.edge_target, strict=True))
    start = layer.start + edges.index((edge[1], 0)) * layer.n_terms
    rest = np.delete(np.arange(len(program.parameters)), np.arange(start, start + layer.n_terms))
    penalty = smoothness(program, problem, 1e-5)
    curvature, slope = np.zeros((len(program.parameters),) * 2), np.zeros(len(program.parameters))
    penalty.add_to(curvature, slope, program.parameters)
    for fit, promise in zip(fits, seen.promises(fits), strict=True):
        own = fit.form.jacobian(seen.x, fit.parameters)[np.array(fit.free)] * slot
        residual = (outputs[0] - problem.y[0]) / problem.scale[0] + slot * (fit.value(seen.x) - seen.y)
        j = np.vstack([jacobian[rest], own])
        matrix, n = j @ j.T, len(rest)
        matrix[:n, :n] += curvature[np.ix_(rest, rest)]
        gradient = j @ residual
        gradient[:n] += slope[rest]
        damping = np.full(len(j), whole._OWN_DAMPING)
        damping[:n] = whole._DAMPING
        diagonal = matrix.diagonal().copy()
        diagonal[:n] = np.maximum(diagonal[:n], 1e-9 * diagonal[:n].max())
        step = np.linalg.solve(matrix + np.diag(damping * diagonal), -gradient)
        expected = 0.5 * residual @ residual + penalty.value(program.parameters) + 0.5 * gradient @ step
        assert_allclose(promise, max(expected, 0.0), rtol=1e-4, atol=1e-9, err_msg=fit.form.name)


def test_the_true_form_promises_most(hello) -> None:
    network, problem = hello
    seen = Whole(network, (0, 0, 0), problem)
    fits = fit_forms(Curve.of(seen.x, seen.y), [PrimitiveForm(find(name)) for name in NAMES])
    assert fits[int(np.argmin(seen.promises(fits)))].form.name in ("sin", "cos")


def test_a_fit_takes_the_place_of_curve_and_bias(hello) -> None:
    network, problem = hello
    edge = (1, 0, 0)
    seen = Whole(network, edge, problem)
    (fit,) = fit_forms(Curve.of(seen.x, seen.y), [PrimitiveForm(find("exp"))])
    snapped = with_fit(network, edge, fit)
    assert_allclose(snapped(problem.x.T)[:, 0], fit.value(seen.x), rtol=1e-12)
    assert network.symbolic_edge(edge) is None
