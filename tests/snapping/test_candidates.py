"""Candidates are judged by the refitted whole model, and asking for them changes nothing."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from tests.snapping.conftest import bytes_of, held_out, leave_one_out, one_edge
from workbench.exceptions import ExpressionError, SnapError, UnknownEdgeError, UnknownPrimitiveError
from workbench.networks import kan
from workbench.snapping import candidates, form_of
from workbench.training import FitConfig, Problem, fitted, refit
from workbench.training.score import score


def test_kepler_from_eight_rows_is_a_pure_power_law(kepler: Problem) -> None:
    ranked = candidates(one_edge(kepler), (0, 0, 0), kepler)
    power = next(c for c in ranked if c.name == "x^p")
    assert (power.free, power.free_offset, power.offset) == ((True, False, False, True), False, 0.0)
    assert_allclose(power.parameters[3], 1.5, atol=0.005)
    assert ranked[0].name in ("x^1.5", "x^p")
    assert ranked[0].n_constants <= 2
    assert power in ranked[:4]
    assert "x**1.5" in power.text


def test_michaelis_and_menten_are_offered_first_to_third_with_their_constants() -> None:
    # Treloar (1974), R's Puromycin, treated: 212.7 c / (0.0641 + c)
    c = np.array([0.02, 0.02, 0.06, 0.06, 0.11, 0.11, 0.22, 0.22, 0.56, 0.56, 1.1, 1.1])
    rate = np.array([76.0, 47, 97, 107, 123, 139, 159, 152, 191, 201, 207, 200])
    problem = leave_one_out(c, rate)
    ranked = candidates(one_edge(problem), (0, 0, 0), problem)
    law = next(candidate for candidate in ranked[:3] if candidate.name == "x/(1+x)")
    assert law.n_constants == 2
    assert_allclose([law.parameters[0], 1 / law.parameters[1]], [212.7, 0.0641], rtol=2e-3)


def test_every_edge_of_the_hello_network_gets_its_name(hello) -> None:
    network, problem = hello
    first = {edge: candidates(network, edge, problem, top=1)[0] for edge in network.edges()}
    assert {edge: c.name for edge, c in first.items()} == {(0, 0, 0): "sin", (0, 1, 0): "x^2", (1, 0, 0): "exp"}
    assert_allclose(first[0, 0, 0].parameters[1], np.pi, rtol=1e-3)
    assert not first[1, 0, 0].free_offset  # exp(...) + 0 stands alone in its slot


def test_snapped_one_after_the_other_they_give_the_exact_law(hello) -> None:
    network, problem = hello
    for edge in network.edges():
        network = candidates(network, edge, problem, top=1)[0].network
    fresh = np.random.default_rng(99).uniform(-1, 1, (107, 2))
    assert_allclose(network(fresh)[:, 0], np.exp(np.sin(np.pi * fresh[:, 0]) + fresh[:, 1] ** 2), rtol=1e-6)


@pytest.mark.parametrize(("truth", "law"), [("tanh", np.tanh), ("exp", np.exp), ("gaussian", lambda x: np.exp(-x * x)), ("sin", lambda x: np.sin(12 * x + 0.3))])
@pytest.mark.parametrize("noise", [0.0, 1e-2])
def test_a_law_of_one_variable_gets_its_name_from_data(truth, law, noise) -> None:
    generator = np.random.default_rng(3)
    x = generator.uniform(-1.5, 1.5, (1, 401))
    problem = held_out(x, law(x) + noise * generator.normal(size=x.shape), 293)
    network = fitted(problem, FitConfig(hidden_layer_sizes=(), intervals=(10, 20, 40), n_starts=1)).network
    best = candidates(network, (0, 0, 0), problem)[0]
    assert best.name == truth
    assert best.rmse < max(1e-7, 1.5 * noise)


def test_a_question_never_changes_the_answer(hello) -> None:
    network, problem = hello
    before, rows = bytes_of(network), problem.x.tobytes() + problem.y.tobytes()
    candidates(network, (0, 0, 0), problem)
    assert bytes_of(network) == before
    assert problem.x.tobytes() + problem.y.tobytes() == rows


def test_the_same_question_gets_the_same_bits(hello) -> None:
    network, problem = hello
    first, second = (candidates(network, (0, 1, 0), problem) for _ in range(2))
    assert [(c.name, c.parameters, c.rmse_validation, c.tied_with) for c in first] == [
        (c.name, c.parameters, c.rmse_validation, c.tied_with) for c in second
    ]
    assert bytes_of(first[0].network) == bytes_of(second[0].network)


def test_figures_are_those_of_the_candidates_own_network(hello) -> None:
    network, problem = hello
    base = score(network, problem)
    for candidate in candidates(network, (0, 0, 0), problem):
        if candidate.refitted:
            own = score(candidate.network, problem)
            assert_allclose(candidate.rmse_validation, own.rmse_validation, rtol=1e-9)
            assert_allclose(candidate.rmse, own.rmse_validation * problem.scale[0], rtol=1e-9)
            assert_allclose(candidate.delta_rmse, own.rmse_validation - base.rmse_validation, rtol=1e-6, atol=1e-12)
            assert_allclose(candidate.delta_r2, own.r2_validation - base.r2_validation, rtol=1e-6, atol=1e-12)
            assert candidate.network.symbolic_edge((0, 0, 0)).parameters == candidate.parameters


def test_hopeless_forms_stay_previews_and_come_last(hello) -> None:
    network, problem = hello
    ranked = candidates(network, (0, 0, 0), problem)
    states = [c.refitted for c in ranked]
    assert states == sorted(states, reverse=True)
    previews = [c for c in ranked if not c.refitted]
    assert "exp" in {c.name for c in previews}
    assert all(c.network is None and c.rmse_validation is None and c.tied_with == () for c in previews)
    assert [c.preview_r2 for c in previews] == sorted((c.preview_r2 for c in previews), reverse=True)


def test_ties_are_mutual_and_part_beyond_the_data(hello) -> None:
    network, problem = hello
    ranked = candidates(network, (0, 0, 0), problem)
    sine = ranked[0]
    assert "cos" in sine.tied_with
    assert "sin" in next(c for c in ranked if c.name == "cos").tied_with
    low, high = sine.beyond.data_range
    width = high - low
    assert_allclose([sine.beyond.x[0], sine.beyond.x[-1]], [low - width / 2, high + width / 2], rtol=1e-12)
    assert set(sine.beyond.curves) == {"sin", *sine.tied_with}
    at = {name: np.interp(sine.beyond.parting_at, sine.beyond.x, curve) for name, curve in sine.beyond.curves.items()}
    gaps = np.ptp(np.stack(list(sine.beyond.curves.values())), axis=0)
    assert_allclose(max(at.values()) - min(at.values()), gaps.max(), rtol=1e-9)


def test_far_ends_of_other_forms_are_not_named_among_ties(hello) -> None:
    network, problem = hello
    ranked = candidates(network, (1, 0, 0), problem)
    assert ranked[0].name == "exp"
    assert not {"cosh", "sinh", "softplus", "logistic"} & set(ranked[0].tied_with)


def test_a_typed_formula_competes_with_the_library(hello) -> None:
    network, problem = hello
    ranked = candidates(network, (1, 0, 0), problem, ["exp", "a*exp(b*x)", "x^2"])
    typed = next(c for c in ranked if c.name == "a*exp(b*x)")
    assert typed.refitted
    assert_allclose(typed.rmse_validation, next(c for c in ranked if c.name == "exp").rmse_validation, rtol=0.05)
    assert ranked[0].name == "exp"


def test_an_offset_that_another_spline_absorbs_is_kept_free() -> None:
    generator = np.random.default_rng(5)
    x = generator.uniform(-1, 1, (2, 263))
    problem = held_out(x, (np.exp(x[0]) + np.tanh(2 * x[1]))[None], 197)
    network = one_edge(problem)
    best = candidates(network, (0, 0, 0), problem, top=1)[0]
    assert (best.name, best.free_offset, best.alone) == ("exp", True, False)
    assert_allclose(best.parameters[:2], [1, 1], rtol=1e-4)


def test_factors_of_a_product_node_are_named() -> None:
    generator = np.random.default_rng(6)
    x = generator.uniform(0.5, 2, (2, 401))
    problem = held_out(x, (x[0] ** 2 * np.exp(-x[1]))[None], 311)
    config = FitConfig(hidden_layer_sizes=(0,), product_nodes=((2,),), n_starts=2)
    network = fitted(problem, config).network
    assert network.layers[0].nodes == (kan.Node(0, (0, 1)),)
    for edge in network.edges():
        ranked = candidates(network, edge, problem)
        assert ranked[0].refitted
        assert ranked[0].delta_rmse < 1e-2


def test_classes_are_judged_by_their_log_loss() -> None:
    generator = np.random.default_rng(7)
    x = generator.uniform(-2, 2, (1, 401))
    y = (generator.uniform(size=401) < 1 / (1 + np.exp(-3 * x[0]))).astype(float)[None]
    check = Problem(x[:, 307:], y[:, 307:], loss="cross_entropy", n_classes=2)
    problem = Problem(x[:, :307], y[:, :307], loss="cross_entropy", n_classes=2, validation=check)
    network = fitted(problem, FitConfig(hidden_layer_sizes=(), n_starts=1)).network
    best = candidates(network, (0, 0, 0), problem)[0]
    assert best.name == "x"
    assert best.delta_rmse < 0.02
    assert (best.rmse, best.delta_r2) == (None, None)


def test_several_targets_are_judged_together() -> None:
    generator = np.random.default_rng(8)
    x = generator.uniform(-1, 1, (1, 211))
    y = np.vstack([np.sin(3 * x[0]), 100 * np.exp(x[0])])
    problem = held_out(x, y, 149)
    network = one_edge(problem)
    assert candidates(network, (0, 0, 0), problem, top=1)[0].name == "sin"
    second = candidates(network, (0, 0, 1), problem, top=1)[0]
    assert (second.name, second.rmse) == ("exp", None)


def test_many_rows_are_sampled_evenly() -> None:
    x = np.random.default_rng(9).uniform(0.1, 3, (1, 30_011))
    problem = held_out(x, np.log(x), 20_011)
    network, _ = refit(kan.initial([kan.nodes_of(1)], problem.ranges, np.random.default_rng(0), 10), problem)
    assert candidates(network, (0, 0, 0), problem, top=1)[0].name == "log"


# ---- bad questions


def test_an_edge_that_does_not_exist_is_answered_with_the_closest(hello) -> None:
    with pytest.raises(UnknownEdgeError, match="Did you mean"):
        candidates(hello[0], (0, 0, 7), hello[1])


def test_a_pruned_edge_has_no_candidates(hello) -> None:
    network, problem = hello
    with pytest.raises(SnapError, match="pruned"):
        candidates(network.without_edges([(0, 0, 0)]), (0, 0, 0), problem)


def test_unknown_names_are_answered_with_the_closest() -> None:
    with pytest.raises(UnknownPrimitiveError, match="Did you mean 'sin'"):
        form_of("sinn")
    with pytest.raises(ExpressionError):
        form_of("__import__('os').system('ls')")


def test_forms_that_cannot_live_on_the_range_say_which_values() -> None:
    x = np.linspace(-3, -1, 61)[None]
    problem = held_out(x, x**2, 47)
    with pytest.raises(SnapError, match=r"what edge \(0, 0, 0\) receives, -3 to -1"):
        candidates(one_edge(problem), (0, 0, 0), problem, ["a*log(x)"])
