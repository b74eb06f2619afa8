"""The normal equations: the same matrix in double and in single precision, whatever is measured in what."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from workbench.networks import SymbolicEdge
from workbench.networks.kan import KAN, initial, nodes_of
from workbench.networks.program import Evaluation, Program
from workbench.primitives import PrimitiveForm, find
from workbench.training import Problem, lm


def rows(n_rows: int, unit: float) -> Problem:
    X = np.random.default_rng(5).uniform(0.2, 1.0, (n_rows, 2))
    return Problem(X.T, (unit * X[:, 0] / X[:, 1])[None])


def mixed(problem: Problem, constant: float) -> KAN:
    """Splines, a product of two factors, and one named edge whose constant is of any size."""
    network = initial([nodes_of(2, (2,)), nodes_of(1)], problem.ranges, np.random.default_rng(3))
    return network.with_symbolic((0, 0, 1), SymbolicEdge(PrimitiveForm(find("exp")), (constant, -1.0, 0.0), (True, True, True)))


@pytest.mark.parametrize("unit", [1.0, 1e30, 1e-30])
@pytest.mark.parametrize("constant", [1.0, 1e25, 1e-25])
def test_the_matrix_in_single_precision_is_the_matrix(unit: float, constant: float) -> None:
    problem = rows(307, unit)
    program = Program(mixed(problem, constant))
    normal = lm.Normal(program, problem)
    normal.loss(program.parameters)
    fine, gradient = normal.equations(program.parameters)
    coarse, same = normal.equations(program.parameters, coarse=True)
    size = np.sqrt(np.outer(fine.diagonal(), fine.diagonal()))  # what rounding is judged by: |a . b| <= |a| |b|
    lower = np.tril(np.ones(fine.shape, dtype=bool)) & (size > 0)
    assert_allclose((coarse / np.where(lower, size, 1.0))[lower], (fine / np.where(lower, size, 1.0))[lower], atol=1e-6)
    assert_allclose(same, gradient, rtol=0, atol=0)


def test_rows_in_blocks_give_the_matrix_of_all_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = rows(307, 1.0)
    program = Program(mixed(problem, 1.0))
    whole = lm.Normal(program, problem)
    whole.loss(program.parameters)
    monkeypatch.setattr(lm, "_BLOCK", 101)
    blocks = lm.Normal(program, problem)
    for coarse, tolerance in ((False, 1e-12), (True, 1e-5)):
        for one, other in zip(whole.equations(program.parameters, coarse), blocks.equations(program.parameters, coarse), strict=True):
            assert_allclose(np.tril(np.atleast_2d(other)), np.tril(np.atleast_2d(one)), rtol=tolerance, atol=tolerance * np.abs(one).max())


def test_a_scaled_jacobian_times_its_units_is_the_jacobian() -> None:
    problem = rows(211, 1e6)
    program = Program(mixed(problem, 1e25))
    evaluation = Evaluation(program, problem.x)
    outputs = evaluation.forward(program.parameters)
    seed = np.random.default_rng(7).normal(size=outputs.shape)
    plain, scaled = np.empty((2, len(program.parameters), 211))
    evaluation.jacobian(program.parameters, seed, plain)
    units = evaluation.scaled_jacobian(program.parameters, seed, scaled)
    assert_allclose(scaled * units[:, None], plain, rtol=1e-14)
    assert np.abs(scaled).max() <= 1.0 + 1e-12
