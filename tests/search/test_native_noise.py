"""With noise the native engine finds the law itself: smooth stand-ins are no more flexible than the rows allow, and nothing superfluous is kept."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from tests.search.conftest import error, problem, search
from workbench.expression import Expression, complexity, evaluate, fold, parse, symbols, to_text
from workbench.expression.description import description
from workbench.search import Proposal, SearchProblem
from workbench.search.native.judging.judge import Judge
from workbench.search.native.judging.polishing import Rows, polished
from workbench.search.native.judging.series import alike
from workbench.search.native.judging.shortening import shortened, shorter
from workbench.search.native.notation.factoring import factorings, shortest_factoring
from workbench.search.native.screens.polynomials import polynomial
from workbench.search.native.state import HOLE, Candidate, State
from workbench.search.native.surrogate import Fit, chebyshev, ends_of, logarithmic, smooth_error, smoothed
from workbench.search.native.transforms import TRANSFORMS, transformed
from workbench.search.native.watch import Watch

LAWS = {
    "Monod growth with a yield": ("0.7*m*s*b/(1.3 + s)", {"m": (0.5, 3), "s": (0.2, 6), "b": (1, 4)}, 0.05, 20.0),
    "interference of two slits": ("4*i*cos(d*s/2)**2", {"i": (1, 4), "d": (1, 3), "s": (0.2, 2)}, 0.1, 20.0),
    "energy of a spring pendulum": ("m*v**2/2 + k*x**2/2", {"m": (1, 4), "v": (0.5, 3), "k": (1, 5), "x": (0.3, 2)}, 0.1, 20.0),
    "resultant of two forces": ("sqrt(a**2 + b**2 + 2*a*b*cos(p))", {"a": (1, 4), "b": (1, 4), "p": (0, 2.5)}, 0.05, 40.0),
}


def rows_of(given: SearchProblem) -> Rows:
    return Rows(dict(zip(given.symbols, given.X.T)), given.y, np.ones(len(given.y)))


def shortest(found: list[Proposal], rows: Rows) -> Expression:
    judge = Judge(rows)
    return min((p.expression for p in found), key=lambda e: judge.cost(e, rows.rmse(e)))


def state_of(columns: np.ndarray, target: np.ndarray, *names: str) -> State:
    return State(columns, tuple(parse(name) for name in names), target, np.ones(len(target)), HOLE)


@pytest.mark.parametrize("name", [name if name == "Monod growth with a yield" else pytest.param(name, marks=pytest.mark.slow) for name in LAWS])
def test_the_shortest_description_of_noisy_rows_is_the_law(name: str) -> None:
    law, ranges, noise, budget = LAWS[name]
    given = problem(law, ranges, 601, noise=noise)
    best = shortest(search(given, budget), rows_of(given))
    clean = rows_of(problem(law, ranges, 401, seed=7))
    again, _ = polished(best, clean, 200)  # its skeleton is the law's where clean rows leave nothing
    assert error(again, law, ranges) < 1e-6, to_text(best)
    assert complexity(best) <= 1.5 * complexity(parse(law))


@pytest.mark.parametrize(
    ("law", "ranges"),
    [
        ("(t - x*v)/sqrt(1 - v**2)", {"t": (1, 5), "x": (5, 10), "v": (0.1, 0.7)}),
        ("s*sqrt(1 - v**2)/(1 + v*cos(p))", {"s": (1, 3), "v": (0.1, 0.7), "p": (0, 3)}),
    ],
    ids=["a factor of one column and a sum", "a reciprocal that is a sum"],
)
def test_a_small_problem_that_leaves_the_least_is_searched_thoroughly(law: str, ranges: dict[str, tuple[float, float]]) -> None:
    given = problem(law, ranges, 601, noise=0.01)
    rows, clean = rows_of(given), rows_of(problem(law, ranges, 401, seed=7))

    def is_the_law(proposal: Proposal) -> bool:
        if rows.rmse(proposal.expression) > 1.02 * rows.rmse(parse(law)):
            return False
        return error(polished(proposal.expression, clean, 200)[0], law, ranges) < 1e-6

    assert is_the_law(search(given, 60.0, is_the_law)[-1])


def rms(given: SearchProblem) -> float:
    return float(np.sqrt(np.mean(given.y**2)))


def test_a_law_of_many_powers_has_a_surrogate_though_noise_hides_where_it_is_small() -> None:
    """Of G^4 m^5/(c r)^5 most rows are smaller than the noise, many of them negative; its logarithm is a plane."""
    given = problem("g**4*m**5/(c*r)**5", {"g": (1, 2), "m": (1, 5), "c": (1, 2), "r": (1, 2)}, 601, noise=0.01)
    state = state_of(given.X, given.y, *given.symbols)
    assert (given.y < 0).mean() > 0.1
    assert smooth_error(state) < 0.02 * rms(given)


def test_a_surrogate_is_no_more_flexible_than_noise_allows() -> None:
    rng = np.random.default_rng(5)
    places = rng.uniform(-1, 1, (401, 3))
    target = 1 + places[:, 0] * places[:, 1] + 0.3 * rng.standard_normal(401)
    basis, ends = chebyshev(places, 7), ends_of(3, 7)
    fit = Fit.of(basis, target, np.ones(401), ends)
    whole = Fit.of(basis, target, np.ones(401))
    assert fit.settled
    assert np.count_nonzero(fit.coefficients) == 10  # all terms of degree 2
    assert fit.error < 0.32 < 0.37 < whole.error
    lowest = np.linalg.lstsq(basis[:, :10], target, rcond=None)[0]
    assert_allclose(fit.coefficients[:10], lowest, atol=1e-8)


def test_leave_one_out_is_what_leaving_rows_out_gives() -> None:
    rng = np.random.default_rng(6)
    places, weights = rng.uniform(-1, 1, (23, 2)), rng.uniform(0.5, 2, 23)
    target, basis = rng.standard_normal(23), chebyshev(places, 1)
    missed = []
    for row in range(23):
        others = np.arange(23) != row
        c = np.linalg.lstsq(basis[others] * weights[others, None], target[others] * weights[others], rcond=None)[0]
        missed.append(weights[row] * (target[row] - basis[row] @ c))
    assert_allclose(Fit.of(basis, target, weights).error, np.sqrt(np.mean(np.square(missed))), rtol=1e-6)


def test_logarithms_of_noisy_values_are_fitted_without_bias() -> None:
    rng = np.random.default_rng(7)
    places = rng.uniform(-1, 1, (809, 2))
    truth = np.exp(1.5 * places[:, 0] - 1.1 * places[:, 1])
    noisy = truth + 0.35 * rng.standard_normal(809)
    basis, ends, even = chebyshev(places, 3), ends_of(2, 3), np.ones(809)
    assert 0 < (noisy <= 0).mean() < 0.1
    fit = logarithmic(basis, noisy, even, ends, Fit.of(basis, noisy, even, ends))
    assert_allclose(fit.coefficients[:3], [0, -1.1, 1.5], atol=0.06)  # the last column first
    assert_allclose(fit.error, 0.35, rtol=0.08)


def test_a_steep_factor_does_not_hide_an_error() -> None:
    rng = np.random.default_rng(8)
    u = rng.uniform(1, 5, (503, 2))
    state = state_of(u, u[:, 0] / u[:, 1] + 0.2 * rng.standard_normal(503), "a", "b")
    divided = state.divided(np.exp(4 * u[:, 0]), parse("exp(4*a)"))
    assert smooth_error(divided) > 0.15


def test_a_transform_of_noisy_values_is_not_biased() -> None:
    rng = np.random.default_rng(9)
    u = rng.uniform(0.5, 2, (997, 1))
    truth, noise = 1 + u[:, 0], 0.25 * rng.standard_normal(997)
    state = state_of(u, truth + noise, "u")
    assert_allclose(smoothed(state), truth, atol=0.1)
    for name, exact in (("y^2", truth**2), ("1/y", 1 / truth), ("log(y)", np.log(truth))):
        target = transformed(state, TRANSFORMS[name])
        missed = (target.values - exact) * target.weights
        assert abs(missed.mean()) < 3 * missed.std() / np.sqrt(997), name
        assert_allclose(missed.std(), 0.25, rtol=0.1)


def test_values_without_noise_are_transformed_as_they_are() -> None:
    u = np.random.default_rng(10).uniform(0.5, 2, (307, 1))
    state = state_of(u, np.sqrt(1 + u[:, 0] ** 3), "u")
    assert smoothed(state) is None
    assert_allclose(transformed(state, TRANSFORMS["y^2"]).values, 1 + u[:, 0] ** 3, rtol=1e-14)


def test_a_formula_loses_what_only_follows_the_noise() -> None:
    given = problem("2.5*a*exp(-0.7*b)", {"a": (1, 4), "b": (0, 3), "c": (1, 2)}, 401, noise=0.05)
    rows = rows_of(given)
    judge = Judge(rows)
    long, rmse = polished(parse("(2.4*a + 0.03)*exp(-0.71*b + 0.01*c)*(1.0 + 0.02*c) + 0.01*a*c"), rows, 40)
    short, error_of_short = shortened(long, rmse, rows, judge.cost)
    assert judge.cost(short, error_of_short) < judge.cost(long, rmse)
    assert complexity(short) <= complexity(parse("2.5*a*exp(-0.7*b)"))
    assert "c" not in symbols(short)


def test_every_part_is_left_out_once() -> None:
    texts = {to_text(each) for each in shorter(parse("a*b + sin(c)"))}
    assert texts == {"sin(c)", "a*b", "b + sin(c)", "a + sin(c)", "a*b + 1.0*c"}


def test_coefficients_under_a_root_that_are_near_to_plain_ratios_are_offered_as_such() -> None:
    rng = np.random.default_rng(11)
    u = rng.uniform(1, 3, (601, 2))
    clean = np.sqrt(u[:, 0] ** 2 + u[:, 1] ** 2 - 2 * u[:, 0] * u[:, 1])  # touches zero, where a root has no room for errors
    state = state_of(u, clean + 0.1 * rng.standard_normal(601), "a", "b")
    judge = Judge(Rows({"a": u[:, 0], "b": u[:, 1]}, state.target, np.ones(601)))
    judge.floor = 0.2
    offered = list(polynomial(state, Watch(judge, lambda: False), ("y^2",), degrees=(2,)))
    assert any(np.isfinite(judge.rows.rmse(c.expression)) for c in offered)


def test_functions_that_begin_alike_are_told_apart_by_their_fit() -> None:
    given = problem("a/sqrt(1 - b**2)", {"a": (1, 4), "b": (0.1, 0.9)}, 401, noise=0.02)
    rows = rows_of(given)
    judge = Judge(rows)
    for start in ("a*exp(0.6*b**2)", "a + 0.6*a*b**2", "a*(1 - 0.6*b**2)**(-1)"):
        fitted, rmse = polished(parse(start), rows)
        found, _ = shortened(fitted, rmse, rows, judge.cost)
        assert_allclose(evaluate(found, {"a": np.array([2.0]), "b": np.array([0.95])}), 2 / np.sqrt(1 - 0.95**2), rtol=0.05)


def test_an_exact_number_is_freed_where_the_rows_say_another() -> None:
    given = problem("3*a*b/(b + 2.6)", {"a": (1, 4), "b": (0.5, 9)}, 401, noise=0.02)
    rows = rows_of(given)
    judge = Judge(rows)
    found, _ = shortened(*polished(parse("2.0*a*b*(b + 1)**(-0.9)"), rows), rows, judge.cost)
    again, rmse = polished(found, rows_of(problem("3*a*b/(b + 2.6)", {"a": (1, 4), "b": (0.5, 9)}, 203)), 100)
    assert rmse < 1e-6, to_text(again)


@pytest.mark.parametrize("text", ["exp(0.01*x)", "a + 0.02*x", "(1 + 0.02*x)**(-1/2)", "3*(a + 0.01*x)**2"])
def test_what_is_put_in_place_of_a_function_begins_as_it_does(text: str) -> None:
    law, columns = parse(text), {"a": np.array([1.0, 1.5]), "x": np.array([0.3, 0.9])}
    near = [evaluate(each, columns) for each in alike(law)]
    close = [values for values in near if np.abs(values / evaluate(law, columns) - 1).max() < 1e-2]
    assert len(close) >= 6


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("x*(1 - t*u/x)", "x - t*u"),
        ("c/(u*(c**2/u**2 - 1)**(1/2))", "(1 - u**2/c**2)**(-1/2)"),
        ("a*(b/a + 1)**2/b", "a*(b/a + 1)**2/b"),
        ("y*(x/y + 1)", "x + y"),
        ("sin((t*x - t*u)/2)", "sin(t*(x - u)/2)"),
        ("a/(x*sqrt(t) - u*sqrt(t))**2", "a/(t*(x - u)**2)"),
    ],
)
def test_factors_stand_before_or_in_a_sum_as_is_shorter(text: str, wanted: str) -> None:
    positive = frozenset("abcutx")
    law = parse(text)
    found = shortest_factoring(law, positive, lambda each: fold(each, positive), lambda each: description(each, 500))
    columns = dict(zip(["a", "b", "c", "t", "u", "x", "y"], np.random.default_rng(2).uniform(0.5, 0.9, (7, 11))))
    columns["c"] = columns["c"] + 1
    assert_allclose(evaluate(found, columns), evaluate(law, columns), rtol=1e-12)
    assert description(found, 500) <= description(parse(wanted), 500)


def test_a_factor_that_may_be_negative_does_not_go_under_a_root() -> None:
    law, columns = parse("y*(x/y**2 + 1)**(1/2)"), {"x": np.array([2.0, 3.0]), "y": np.array([-1.5, 0.7])}
    for each in factorings(law, frozenset("x")):
        assert_allclose(evaluate(each, columns), evaluate(law, columns), rtol=1e-12)


def test_with_fewer_fitted_constants_a_formula_is_near_the_best_from_farther_off() -> None:
    """All are fitted; the last has a constant too many. It and the plain one describe the rows by some ten nats less shortly than the best."""
    given = problem("m*exp(v/2)*(1 + 0.034*sin(3*m))", {"v": (1, 2), "m": (1, 5)}, 601, noise=0.08)
    judge = Judge(rows_of(given))
    best = judge.offer(Candidate(parse("1.01*m*exp(0.5*v)*(1 + 0.01*sin(3.01*m))"), ()))
    plain, longer = (polished(parse(text), judge.rows, 50) for text in ("m*exp(v/2)", "1.01*m*exp(0.5*v)*(1 + 0.01*sin(3.01*m)) + 0.01"))
    above = [judge.cost(*each) - best.cost for each in (plain, longer)]
    assert 6.0 < min(above) < max(above) < 12.0, above
    assert judge.is_near(plain[0], judge.cost(*plain))
    assert not judge.is_near(longer[0], judge.cost(*longer))
