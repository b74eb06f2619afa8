import numpy as np
import pytest
from numpy.testing import assert_allclose

from tests.snapping.conftest import bytes_of, held_out, leave_one_out, one_edge
from workbench.exceptions import SnapError, UnknownEdgeError, UnknownPrimitiveError
from workbench.networks.kan import SymbolicEdge
from workbench.primitives import PrimitiveForm, find
from workbench.snapping import candidates, lock, release, snap, unlock
from workbench.training import FitConfig, Problem, fitted, refit
from workbench.training.score import score


def test_snap_makes_a_new_refitted_network(hello) -> None:
    network, problem = hello
    before = bytes_of(network)
    snapped = snap(network, (0, 0, 0), "sin", problem)
    assert bytes_of(network) == before
    assert snapped.state((0, 0, 0)) == "snapped"
    assert_allclose(snapped.symbolic_edge((0, 0, 0)).parameters[1], np.pi, rtol=1e-3)
    assert score(snapped, problem).rmse_train < 1e-3


def test_to_snap_a_candidate_is_to_take_it(hello) -> None:
    network, problem = hello
    best = candidates(network, (0, 1, 0), problem)[0]
    snapped = snap(network, (0, 1, 0), best, problem)
    assert snapped.symbolic_edge((0, 1, 0)).form == best.form
    assert_allclose(snapped(problem.x.T), best.network(problem.x.T), atol=1e-3 * problem.scale[0])


def test_a_poor_form_can_be_snapped_by_a_person_who_wants_it(hello) -> None:
    network, problem = hello
    assert snap(network, (0, 0, 0), "exp", problem).symbolic_edge((0, 0, 0)).form.name == "exp"


def test_a_law_through_the_origin_fixes_the_bias(kepler: Problem) -> None:
    snapped = snap(one_edge(kepler), (0, 0, 0), "x^p", kepler)
    layer = snapped.layers[0]
    assert (layer.bias[0], bool(layer.free_bias[0])) == (0.0, False)
    assert_allclose(snapped(np.array([[4.0]])), [[8.0]], rtol=1e-2)  # P = a^1.5: no planet is there
    assert refit(snapped, kepler)[0].layers[0].bias[0] == 0.0


def test_release_follows_the_curve_of_the_form(hello) -> None:
    network, problem = hello
    for edge, name in (((0, 0, 0), "sin"), ((1, 0, 0), "exp")):
        snapped = snap(network, edge, name, problem)
        freed = release(snapped, edge, problem)
        assert freed.state(edge) == "spline"
        assert_allclose(freed(problem.x.T), snapped(problem.x.T), atol=1e-3 * problem.scale[0])


def test_release_frees_the_bias_again(kepler: Problem) -> None:
    freed = release(snap(one_edge(kepler), (0, 0, 0), "x^p", kepler), (0, 0, 0), kepler)
    assert freed.layers[0].free_bias[0]


def test_release_widens_a_range_that_no_other_spline_uses() -> None:
    x = np.random.default_rng(0).uniform(0, 1, (1, 97))
    network = one_edge(held_out(x, np.exp(x), 71)).with_symbolic((0, 0, 0), SymbolicEdge(PrimitiveForm(find("exp")), (1.0, 1.0, 0.0), (True,) * 3))
    wide = Problem(4 * x, np.exp(4 * x))
    freed = release(network, (0, 0, 0), wide)
    assert freed.layers[0].domain[0, 0] < 4 * x.min()
    assert freed.layers[0].domain[0, 1] > 4 * x.max()
    assert_allclose(freed(wide.x.T), network(wide.x.T), rtol=1e-3, atol=1e-3)


def test_release_of_an_edge_without_a_form_is_refused(hello) -> None:
    with pytest.raises(SnapError, match="no form but a spline"):
        release(hello[0], (0, 0, 0), hello[1])


def test_a_locked_edge_keeps_its_constants_and_its_form(hello) -> None:
    network, problem = hello
    locked = lock(snap(network, (0, 0, 0), "sin", problem), (0, 0, 0))
    constants = locked.symbolic_edge((0, 0, 0)).parameters
    other = snap(locked, (0, 1, 0), "x^2", problem)
    assert other.symbolic_edge((0, 0, 0)).parameters == constants
    for move in (lambda: snap(locked, (0, 0, 0), "cos", problem), lambda: release(locked, (0, 0, 0), problem)):
        with pytest.raises(SnapError, match="Unlock it first"):
            move()
    assert snap(unlock(locked, (0, 0, 0)), (0, 0, 0), "cos", problem).symbolic_edge((0, 0, 0)).form.name == "cos"


def test_snapping_again_replaces_the_form(hello) -> None:
    network, problem = hello
    again = snap(snap(network, (0, 0, 0), "tanh", problem), (0, 0, 0), "sin", problem)
    assert score(again, problem).rmse_train < 1e-3


def test_bad_moves_say_what_to_do(hello) -> None:
    network, problem = hello
    with pytest.raises(UnknownPrimitiveError, match="Did you mean 'sin'"):
        snap(network, (0, 0, 0), "sinn", problem)
    with pytest.raises(UnknownEdgeError, match="Did you mean"):
        snap(network, (0, 9, 0), "sin", problem)
    with pytest.raises(SnapError, match="nothing to lock"):
        lock(network.without_edges([(0, 0, 0)]), (0, 0, 0))
    with pytest.raises(SnapError, match="receives"):
        snap(network, (0, 0, 0), "a*log(x)", problem)


@pytest.mark.parametrize("name", ["x^2", "sqrt", "exp"])
def test_what_the_list_says_is_what_is_snapped_and_what_it_says_afterwards(name: str) -> None:
    """Below a spline the scale of a form is shared out at will: its constants must not be written in another share by every question."""
    x = np.random.default_rng(4).uniform(1, 2, 61)
    problem = leave_one_out(x, np.tanh(x**1.7) + 0.01 * np.sin(40 * x))
    network = fitted(problem, FitConfig(hidden_layer_sizes=(1,), n_starts=1)).network
    listed = candidates(network, (0, 0, 0), problem, [name])[0]
    snapped = snap(network, (0, 0, 0), name, problem)
    again = next(c for c in candidates(snapped, (0, 0, 0), problem) if c.name == name)
    assert snapped.symbolic_edge((0, 0, 0)).parameters == listed.parameters
    assert again.parameters == listed.parameters
    assert again.text == listed.text
    assert again.delta_rmse == 0.0
