"""The sum of two networks: values add, addresses of the first one hold, whatever their depth and their nodes."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from workbench.bases.bspline import Spline
from workbench.bases.rational import Rational
from workbench.exceptions import NetworkError
from workbench.expression import parse
from workbench.networks import KAN
from workbench.networks.addition import sum_of
from workbench.networks.compile import compile_expression
from workbench.networks.kan import initial, nodes_of

RANGES = np.array([[0.3, 2.1], [-1.0, 4.0]])
X = np.random.default_rng(5).uniform(RANGES[:, 0], RANGES[:, 1], (97, 2))


def splines(*layers: tuple, n_intervals: int = 5) -> KAN:
    return initial(list(layers), RANGES, np.random.default_rng(7), n_intervals)


def rationals(*layers: tuple, degrees: tuple[int, int] = (5, 4)) -> KAN:
    return initial(list(layers), RANGES, np.random.default_rng(7), basis=Rational(*degrees))


PAIRS = {
    "a line and a curve": (compile_expression(parse("2.5*a"), ("a", "b"), X), splines(nodes_of(1))),
    "a product and curves": (compile_expression(parse("a*b"), ("a", "b"), X), splines(nodes_of(1))),
    "deep below shallow": (splines(nodes_of(3), nodes_of(1, (2,)), nodes_of(1)), compile_expression(parse("a*exp(a*b) + b"), ("a", "b"), X)),
    "products on both sides": (splines(nodes_of(1, (2, 3)), nodes_of(0, (2,))), splines(nodes_of(2), nodes_of(0, (2,)))),
    "two outputs": (splines(nodes_of(2)), splines(nodes_of(3), nodes_of(2))),
    "a line and rational functions": (compile_expression(parse("2.5*a"), ("a", "b"), X), rationals(nodes_of(3), nodes_of(1))),
    "rational functions on both sides": (rationals(nodes_of(1, (2, 3)), nodes_of(0, (2,))), rationals(nodes_of(2), nodes_of(0, (2,)))),
}


@pytest.mark.parametrize("name", PAIRS)
def test_values_add(name: str) -> None:
    first, second = PAIRS[name]
    assert_allclose(sum_of(first, second)(X), first(X) + second(X), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", PAIRS)
def test_addresses_of_the_first_network_still_hold(name: str) -> None:
    first, second = PAIRS[name]
    total = sum_of(first, second)
    x = np.linspace(0.5, 1.5, 13)
    for edge in first.edges():
        assert_allclose(total.edge_value(edge, x), first.edge_value(edge, x), rtol=0, atol=1e-14)


def test_locks_and_fixed_constants_stay() -> None:
    first = compile_expression(parse("2.5*a*b"), ("a", "b"), X).with_lock((0, 0, 0))
    total = sum_of(first, splines(nodes_of(1)))
    assert total.state((0, 0, 0)) == "locked"
    assert total.state((0, 1, 1)) == "snapped"


def test_what_does_not_fit_together_is_refused() -> None:
    with pytest.raises(NetworkError, match="same inputs and outputs"):
        sum_of(splines(nodes_of(1)), splines(nodes_of(2)))
    with pytest.raises(NetworkError, match="of one basis"):
        sum_of(splines(nodes_of(1)), splines(nodes_of(1), n_intervals=7))
    with pytest.raises(NetworkError, match="of one basis"):
        sum_of(splines(nodes_of(1)), rationals(nodes_of(1)))


def test_a_common_basis_has_room_for_both() -> None:
    assert Spline(5).common(Spline(12)) == Spline(12)
    assert Rational(5, 2).common(Rational(3, 4)) == Rational(5, 4)
    for one, other in ((Spline(5), Rational()), (Rational(), Spline(5)), (Rational(), Rational(form="abs_sum"))):
        with pytest.raises(NetworkError, match="with the same basis"):
            one.common(other)
