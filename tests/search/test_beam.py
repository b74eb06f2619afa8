"""The beam of the native engine: which states it goes to, and how it is told that one is worth a look."""

import itertools

import numpy as np
import pytest

from tests.search.conftest import problem
from workbench.expression import parse, to_text
from workbench.search.native.beam import Beam
from workbench.search.native.judging.judge import Judge
from workbench.search.native.judging.polishing import Rows
from workbench.search.native.reductions.moves import collapsed
from workbench.search.native.state import HOLE, State
from workbench.search.native.surrogate import smooth_error, smooth_error_below, smoothed
from workbench.search.native.watch import Watch
from workbench.search.problem import SearchProblem


def state_of(given: SearchProblem) -> State:
    return State(given.X, tuple(parse(name) for name in given.symbols), given.y, np.ones(len(given.y)), HOLE)


@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_columns_collapse_into_the_one_product_that_a_law_depends_on(noise: float) -> None:
    given = problem("i/(exp(h*f/t) - 1)", {"i": (1, 4), "h": (1, 3), "f": (1, 3), "t": (1, 4)}, 503, noise=noise)
    found = collapsed(state_of(given))
    assert to_text(found[0].state.names[0]) in ("h*f/t", "t/(h*f)")
    assert found[0].error == smooth_error(found[0].state) <= smooth_error(state_of(given))


@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_a_law_of_a_sum_does_not_collapse_into_a_product(noise: float) -> None:
    given = problem("m*(v**2 + w**2)*x**2/4", {"m": (1, 3), "v": (1, 3), "w": (1, 3), "x": (1, 3)}, 503, noise=noise)
    assert collapsed(state_of(given)) == []


@pytest.mark.parametrize("noise", [0.0, 0.05])
@pytest.mark.parametrize("law", ["a*exp(-b*c)", "a*b**2/(c + 1)", "a - b*c"])
def test_an_error_below_the_bar_is_exact_and_one_above_stays_above(law: str, noise: float) -> None:
    state = state_of(problem(law, {"a": (1, 4), "b": (0.5, 2), "c": (0.2, 3)}, 401, noise=noise))
    error = smooth_error(state, 80)
    assert smooth_error_below(1.001 * error, state, 80) == error
    for share in (0.9, 0.3, 0.01):
        assert smooth_error_below(share * error, state, 80) >= error


def test_a_state_that_is_searched_elsewhere_leaves_the_time_to_others() -> None:
    given = problem("a*b**2/sqrt(1 - c**2/b**2)", {"a": (1, 4), "c": (1, 2), "b": (3, 9)}, 601, noise=0.1)
    root = state_of(given)
    small = root.without([1], "does not depend on c")  # what c does is less than the noise
    assert smoothed(small) is not None

    def paths(elsewhere: bool) -> list[tuple[str, ...]]:
        judge = Judge(Rows(dict(zip(given.symbols, given.X.T)), given.y, np.ones(len(given.y))))
        judge.floor = smooth_error(root)
        found = Beam([small], Watch(judge, lambda: False), elsewhere).descend()
        return [candidate.path for candidate in itertools.islice(found, 200)]

    def searched(path: tuple[str, ...]) -> bool:
        return path[: len(small.path)] == small.path and len(path) == len(small.path) + 1

    assert any(map(searched, paths(elsewhere=False)))
    assert not any(map(searched, paths(elsewhere=True)))
