"""Formulas changed in one place: what a change would leave is known to first order, and laws are found from formulas that only come close."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose

from tests.search.conftest import error, problem
from workbench.expression import complexity, evaluate, parse, symbols, to_text, value_and_gradient
from workbench.expression.description import description
from workbench.search import SearchProblem
from workbench.search.native.judging.judge import Judge, functions_of
from workbench.search.native.judging.polishing import Rows, polished
from workbench.search.native.revisions.parts import parts, parts_with
from workbench.search.native.revisions.places import places, response
from workbench.search.native.revisions.revision import Revision
from workbench.search.native.state import HOLE, Candidate
from workbench.search.native.watch import Watch

NEAR_MISSES = {
    "a product for a root": ("5*k*sqrt(a**2 + b**2)/r**3", "3.1*k*a**0.46*b**0.4/r**3", {"k": (1, 4), "a": (1, 5), "b": (1, 5), "r": (1, 3)}, 0.1),
    "the first terms of a series": ("i*(exp(q*v/t) - 1)", "i*(q*v/t + 0.7)", {"i": (1, 4), "q": (1, 2), "v": (0.3, 2), "t": (1, 2)}, 0.03),
    "a term that is missing": ("x + v*t - g*t**2/2", "x + v*t", {"x": (1, 9), "v": (1, 4), "g": (1, 3), "t": (0.5, 3)}, 0.1),
    "another function of a sum that is there": (
        "6*p*t*sin(t*(u - v)/2)**2/(t*(u - v)/2)**2", "6.4*p*t*exp(-0.094*t**2*(u - v)**2)", {"p": (1, 4), "t": (1, 3), "u": (1, 5), "v": (1, 5)}, 0.02,
    ),
    "a factor beside fitted exponents": ("m**2*n**2*(m + n)/r**5", "1.9*m**2.48*n**2.43*r**-5.02", {"m": (1, 5), "n": (1, 5), "r": (1, 2)}, 0.02),
}


def rows_of(given: SearchProblem) -> Rows:
    return Rows(dict(zip(given.symbols, given.X.T)), given.y, np.ones(len(given.y)))


def revised(start: str, given: SearchProblem, most: int = 12, **bound: object) -> Judge:
    """Return the judge after changes of a formula and of what these led to."""
    judge = Judge(rows_of(given), **bound)
    watch = Watch(judge, lambda: False)
    with np.errstate(all="ignore"):
        judge.offer(Candidate(parse(start), ("a start",)))
        for candidate in Revision().candidates(watch, most):
            judge.offer(candidate)
    return judge


@pytest.mark.parametrize("name", NEAR_MISSES)
def test_a_law_is_found_from_what_comes_close(name: str) -> None:
    law, start, ranges, noise = NEAR_MISSES[name]
    judge = revised(start, problem(law, ranges, 601, noise=noise))
    again, _ = polished(judge.best.expression, rows_of(problem(law, ranges, 401, seed=7)), 200)
    assert error(again, law, ranges) < 1e-6, to_text(judge.best.expression)
    assert complexity(judge.best.expression) <= 1.5 * complexity(parse(law))


def test_a_law_is_left_as_it_is() -> None:
    law, _, ranges, noise = NEAR_MISSES["a product for a root"]
    assert error(revised(law, problem(law, ranges, 601, noise=noise)).best.expression, law, ranges) < 1e-2


def test_only_allowed_functions_are_put_in() -> None:
    law, start, ranges, noise = NEAR_MISSES["the first terms of a series"]
    judge = revised(start, problem(law, ranges, 211, noise=noise), functions=frozenset({"sqrt", "log"}))
    assert len(judge.weighed) > 2
    assert all(functions_of(each.expression) <= {"sqrt", "log"} for each in judge.weighed)


def test_a_search_that_is_over_changes_nothing_more() -> None:
    law, start, ranges, noise = NEAR_MISSES["a term that is missing"]
    judge = Judge(rows_of(problem(law, ranges, 211, noise=noise)))
    judge.offer(Candidate(parse(start), ()))
    assert not list(Revision().candidates(Watch(judge, lambda: True), 5))


def test_nothing_is_changed_twice() -> None:
    law, start, ranges, noise = NEAR_MISSES["a term that is missing"]
    judge = Judge(rows_of(problem(law, ranges, 211, noise=noise)))
    judge.offer(Candidate(parse(start), ()))
    revision, watch = Revision(), Watch(judge, lambda: False)
    first = [each.expression for each in revision.candidates(watch, 1)]
    assert first
    assert not set(first) & {each.expression for each in revision.candidates(watch, 3)}  # none was offered, so there is nothing else to change


def columns(n_rows: int = 307) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(5)
    return {"a": rng.uniform(0.5, 2.0, n_rows), "b": rng.uniform(2.5, 4.0, n_rows), "z": rng.uniform(-1.0, 1.0, n_rows)}  # named like the slots of templates


def test_parts_have_the_values_and_lengths_that_they_say() -> None:
    of = columns()
    made = parts(of)
    assert len(made) > 1000
    for i in range(0, len(made), 37):
        expression = made.expression(i)
        assert_allclose(made.values[i] * made.sizes[i], evaluate(expression, of), rtol=2e-5, atol=2e-6 * made.sizes[i])
        assert abs(made.lengths[i] - description(expression, 1)) < 5.0, to_text(expression)


def test_in_some_parts_a_sum_stands_for_a_column() -> None:
    of = columns()
    made = parts_with((parse("a - b"),), of)
    assert len(made) > 500
    for i in range(0, len(made), 37):
        expression = made.expression(i)
        assert symbols(expression) >= {"a", "b"}
        assert_allclose(made.values[i] * made.sizes[i], evaluate(expression, of), rtol=2e-5, atol=2e-6 * made.sizes[i])
        assert abs(made.lengths[i] - description(expression, 1)) < 5.0, to_text(expression)
    assert any(to_text(made.expression(i)) == "sin(z*(a - b)/2)**2" for i in range(len(made)))


def test_a_formula_without_fitted_constants_that_is_nearly_as_short_is_judged_too() -> None:
    """With such noise the rows do not tell 1/sqrt(1 - v^2/c^2) from shorter formulas: it is one of many that describe them nearly as shortly."""
    ranges = {"m": (1, 5), "v": (1, 2), "c": (3, 10)}
    judge = revised("m*(1 + v/c**2)", problem("m/sqrt(1 - v**2/c**2)", ranges, 701, noise=0.12), most=1)
    with np.errstate(all="ignore"):
        found = [each for each in judge.weighed if error(each.expression, "m/sqrt(1 - v**2/c**2)", ranges) < 1e-9]
    assert found
    assert judge.is_near(found[0].expression, found[0].cost)


def test_parts_are_of_moderate_size_on_every_row() -> None:
    of = columns()
    of["z"][0] = 0.0  # 1/z has no value there
    made = parts(of)
    assert np.isfinite(made.values).all()
    assert np.abs(made.values).max() <= 60.0
    assert not any(to_text(made.expression(i)) == "1/z" for i in range(len(made)))


def test_of_many_parts_the_plainest_are_kept() -> None:
    few, many = parts(columns(), most=100), parts(columns())
    assert len(few) == 100
    assert few.lengths.max() <= np.sort(many.lengths)[100]


FORMULA = "3.2*a*exp(-b/2) + sqrt(a**2 + b)*sin(z + 0.4) - 1.1"


def test_every_place_is_filled_again_by_what_stood_there() -> None:
    of, formula = columns(), parse(FORMULA)
    found = list(places(formula))
    assert {to_text(place.part) for place in found} >= {"a", "exp(-b/2)", "sqrt(a**2 + b)", "a**2", "sin(z + 0.4)", "z + 0.4"}
    for place in found:
        assert_allclose(evaluate(place.filled(place.part), of), evaluate(formula, of), rtol=1e-12)


def test_the_response_of_a_place_is_the_derivative_of_the_formula_by_it() -> None:
    of, formula = columns(), parse(FORMULA)
    for place in places(formula):
        values, slope = response(place, of, 307)
        _, exact = value_and_gradient(place.shell, {**of, HOLE.name: values}, [HOLE.name])
        assert_allclose(slope, np.broadcast_to(exact[0], slope.shape), rtol=1e-5, atol=1e-7)


def test_what_an_added_part_would_leave_is_what_it_leaves() -> None:
    """The formula is linear in what is added, and in its own constant, so the first order is all there is: the cost is that of the fit."""
    law, ranges = "2.3*a + 0.7*b/c", {"a": (1, 4), "b": (1, 5), "c": (1, 3)}
    given = problem(law, ranges, 401, noise=0.05)
    judge = Judge(rows_of(given))
    start = judge.offer(Candidate(parse("2*a"), ()))
    revision, watch = Revision(), Watch(judge, lambda: False)
    best = next(itertools.islice(revision.candidates(watch, 1), 1))
    assert symbols(best.expression) == {"a", "b", "c"}
    assert error(polished(best.expression, judge.rows)[0], law, ranges) < 0.02
    assert judge.cost(*polished(best.expression, judge.rows)) < start.cost - 100




@pytest.fixture
def weighed() -> Watch:
    """Formulas that were judged: some near the law, one of a column alone."""
    given = problem("a*b**2/sqrt(1 - c**2/b**2)", {"a": (1, 4), "b": (3, 9), "c": (1, 2)}, 401, noise=0.1)
    judge = Judge(Rows(dict(zip(given.symbols, given.X.T)), given.y, np.ones(len(given.y))))
    for text in ("a*b**2", "a*b**1.9", "b", "a*b"):
        judge.offer(Candidate(parse(text), (text,)))
    return Watch(judge, lambda: False)


@pytest.mark.parametrize("turn", ["shortest", "plainest"])
def test_parts_of_a_search_begin_at_other_formulas(weighed: Watch, turn: str) -> None:
    """One process changes the formula of the shortest description first, the other the plainest on the front."""
    expected = {"shortest": weighed.judge.best.path, "plainest": ("b",)}
    assert next(Revision((turn,)).candidates(weighed, 1)).path[:1] == expected[turn]
    assert expected["shortest"] != expected["plainest"]


@pytest.mark.parametrize("turn", ["shortest", "plainest"])
def test_either_changes_all_in_the_end(weighed: Watch, turn: str) -> None:
    """Nothing is missed where there is no other process."""
    assert next(each.cost for each in weighed.judge.weighed if each.path == ("b",)) > weighed.judge.best.cost + 100
    changed = {candidate.path[0] for candidate in Revision((turn,)).candidates(weighed, 20)}
    assert {"b", *weighed.judge.best.path} <= changed
