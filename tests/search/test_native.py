"""The native engine finds laws from other fields than those it was built on, and survives what is no law."""

import time

import numpy as np
import pytest
from numpy.testing import assert_allclose

from tests.search.conftest import error, problem, search
from workbench.expression import complexity, evaluate, symbols, to_text
from workbench.search import SearchProblem
from workbench.search.native import NativeEngine
from workbench.search.native.judging.judge import functions_of

LAWS = {
    "Darcy-Weisbach head loss": ("f*L*v**2/(2*9.81*D)", {"f": (0.01, 0.05), "L": (10, 90), "v": (0.5, 3), "D": (0.1, 0.6)}),
    "Manning's free exponents": ("1.49*A*R**(0.667)*S**(0.5)/n", {"A": (1, 9), "R": (0.5, 4), "S": (0.001, 0.01), "n": (0.01, 0.05)}),
    "thin lens": ("f*u/(u - f)", {"f": (1, 3), "u": (5, 11)}),
    "Michaelis-Menten with an inhibitor": ("7.3*s/(2.1*(1 + i/0.8) + s)", {"s": (0.3, 12), "i": (0.1, 3)}),
    "Hill equation": ("4.2*x**2.7/(1.9**2.7 + x**2.7)", {"x": (0.3, 6)}),
    "Arrhenius": ("3.1e4*exp(-2513.0/T)", {"T": (290, 420)}),
    "Stefan's law of exchange": ("5.67e-8*a*(T**4 - S**4)", {"a": (0.2, 2), "T": (400, 700), "S": (270, 380)}),
    "a decaying oscillation": ("1.7*exp(-0.31*t)*cos(2.9*t)", {"t": (0, 7)}),
    "two exponentials": ("3.2*exp(-0.4*t) + 1.3*exp(-2.6*t)", {"t": (0, 6)}),
    "relativistic energy": ("sqrt(p**2*c**2 + m**2*c**4)", {"p": (1, 4), "m": (1, 3), "c": (1, 3)}),
}


@pytest.mark.parametrize("name", LAWS)
def test_a_clean_law_is_found(name: str) -> None:
    law, ranges = LAWS[name]
    given = problem(law, ranges, 307)
    found = search(given, 25.0, until=lambda p: error(p.expression, law, ranges) < 1e-6)
    assert error(found[-1].expression, law, ranges) < 1e-6, f"{len(found)} proposals, last {to_text(found[-1].expression)}"


@pytest.mark.parametrize("name", ["Darcy-Weisbach head loss", "thin lens", "Arrhenius"])
def test_noise_leaves_a_law_that_predicts_better_than_the_noise(name: str) -> None:
    law, ranges = LAWS[name]
    found = search(problem(law, ranges, 503, noise=0.02), 6.0)
    assert min(error(p.expression, law, ranges) for p in found) < 0.01


def test_twenty_rows_are_enough_for_a_plain_law() -> None:
    law, ranges = "x**3 + x**2 + x", {"x": (-1, 1)}
    found = search(problem(law, ranges, 20), 5.0, until=lambda p: error(p.expression, law, ranges) < 1e-9)
    assert error(found[-1].expression, law, ranges) < 1e-9


def test_many_rows_are_sampled() -> None:
    law, ranges = "2.5*a/b", {"a": (1, 5), "b": (1, 5)}
    given = problem(law, ranges, 400_009)
    start = time.process_time()
    found = search(given, 20.0)
    assert error(found[-1].expression, law, ranges) < 1e-12
    assert time.process_time() - start < 2.0


def test_a_column_that_does_not_matter_is_left_out() -> None:
    law, ranges = "a*sin(b)", {"a": (1, 5), "b": (0, 3), "c": (1, 9), "d": (-2, 2)}
    found = search(problem(law, ranges, 211), 5.0)
    assert symbols(found[-1].expression) == {"a", "b"}


def test_a_target_that_is_one_of_the_inputs_is_that_input() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(41, 3))
    found = search(SearchProblem(X, X[:, 1].copy(), ("a", "b", "c")), 3.0)
    assert_allclose(evaluate(found[-1].expression, dict(zip("abc", X.T))), X[:, 1], atol=1e-9)


def test_columns_that_repeat_each_other_do_no_harm() -> None:
    rng = np.random.default_rng(1)
    x = rng.uniform(1, 3, 101)
    given = SearchProblem(np.column_stack([x, x, 2 * x]), 3 * x**2, ("a", "b", "c"))
    found = search(given, 5.0)
    assert_allclose(evaluate(found[-1].expression, {"a": x, "b": x, "c": 2 * x}), 3 * x**2, rtol=1e-9)


def test_only_allowed_functions_are_used() -> None:
    law, ranges = "exp(-a)*sin(b)", {"a": (0, 2), "b": (0, 3)}
    found = search(problem(law, ranges, 101, functions=frozenset({"log"})), 4.0)
    assert found
    assert all(functions_of(p.expression) <= {"log"} for p in found)


def test_no_proposal_is_longer_than_allowed() -> None:
    law, ranges = "a*b + sin(c)*exp(a)", {"a": (0, 2), "b": (0, 3), "c": (0, 3)}
    found = search(problem(law, ranges, 101, max_complexity=7), 4.0)
    assert found
    assert max(complexity(p.expression) for p in found) <= 7


def test_the_same_seed_gives_the_same_sequence() -> None:
    given = problem("exp(-a)*b + 1", {"a": (0, 2), "b": (0, 3)}, 127, noise=0.05)

    def first(count: int) -> list[str]:
        steps = iter(range(100_000))
        proposals = NativeEngine().search(given, lambda: next(steps) > 300, random_state=5)
        return [to_text(p.expression) for _, p in zip(range(count), proposals)]

    assert first(12) == first(12)


def test_a_wish_to_stop_is_heard_soon() -> None:
    ranges = {name: (1.0, 5.0) for name in "abcdfgh"}
    given = problem("a*b/c + sin(d)*f - g**2/h", ranges, 1009, noise=0.1)
    start = time.process_time()  # not by the clock on the wall: the machine may be busy
    list(NativeEngine().search(given, lambda: time.process_time() - start > 1.0))
    assert time.process_time() - start < 2.0


def test_a_stop_before_the_start_still_gives_a_constant() -> None:
    given = problem("a*b", {"a": (1, 2), "b": (1, 2)}, 23)
    found = list(NativeEngine().search(given, lambda: True))
    assert len(found) == 1


def test_no_proposal_after_the_constant_is_worse_than_it() -> None:
    given = problem("a*b - c/a", {"a": (1, 4), "b": (-2, 2), "c": (0, 5)}, 89, noise=0.3)
    values = dict(zip(given.symbols, given.X.T))
    errors = [float(np.mean((evaluate(p.expression, values) - given.y) ** 2)) for p in search(given, 4.0)]
    assert max(errors) <= np.var(given.y) * (1 + 1e-9)


@pytest.mark.parametrize(
    "y",
    [np.full(17, 4.0), np.zeros(17), np.arange(17.0), np.where(np.arange(17) > 8, 1e12, -1e12), np.full(17, 1e-200), np.r_[np.zeros(16), 1.0]],
    ids=["constant", "zero", "line", "step", "tiny", "spike"],
)
def test_targets_without_a_law_end_in_proposals_and_not_in_faults(y: np.ndarray) -> None:
    X = np.column_stack([np.linspace(-1, 1, 17), np.zeros(17)])
    for proposal in search(SearchProblem(X, y, ("a", "b")), 2.0):
        assert np.isfinite(evaluate(proposal.expression, {"a": X[:, 0], "b": X[:, 1]})).all()


@pytest.mark.parametrize("n_rows", [1, 2, 3, 5])
def test_a_handful_of_rows_gives_something(n_rows: int) -> None:
    rng = np.random.default_rng(2)
    given = SearchProblem(rng.uniform(1, 2, (n_rows, 2)), rng.uniform(1, 2, n_rows), ("a", "b"))
    assert search(given, 1.0)


def test_the_weight_of_a_row_counts() -> None:
    rng = np.random.default_rng(4)
    x = rng.uniform(1, 5, 61)
    y, weights = 2 * x, np.ones(61)
    y[:9] += 50.0
    weights[:9] = 1e-30
    found = search(SearchProblem(x[:, None], y, ("x",), weights=weights), 5.0)
    assert_allclose(evaluate(found[-1].expression, {"x": x}), 2 * x, rtol=1e-4)
