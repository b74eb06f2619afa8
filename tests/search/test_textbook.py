"""The laws of textbooks are fitted to every small table: certified constants are found, and forms that the rows cannot tell apart stand side by side."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from tests.search.conftest import problem
from workbench.expression import Expression, complexity, evaluate, free_constants, parse
from workbench.expression.description import description, rarity
from workbench.search import Proposal, SearchProblem
from workbench.search.textbook import textbook

# NIST Statistical Reference Datasets, nonlinear regression: Misra1d (of the rows of Misra1a) and BoxBOD, with certified values
MISRA = (
    np.array([77.6, 114.9, 141.1, 190.8, 239.9, 289.0, 332.8, 378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760.0]),
    np.array([10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02, 44.82, 50.76, 55.05, 61.01, 66.40, 75.47, 81.78]),
)
BOX = np.array([1.0, 2, 3, 5, 7, 10]), np.array([109.0, 149, 149, 191, 213, 224])

LAWS = {
    "decay to a level": ("8.4*exp(-0.42*x) + 3.3", {"x": (0, 9)}),
    "enzyme": ("4.7*x/(2.3 + x)", {"x": (0.1, 15)}),
    "cooperative binding": ("9.2/(1 + (3.4/x)**2.6)", {"x": (0.2, 12)}),
    "crowded growth": ("105/(1 + exp(-0.9*(x - 6.2)))", {"x": (0, 14)}),
    "Gompertz growth": ("88*exp(-exp(-0.55*(x - 3.1)))", {"x": (0, 12)}),
    "a spectral line": ("14*exp(-((x - 5.3)/1.7)**2) + 2.1", {"x": (0, 11)}),
    "a resonance": ("33/(1 + ((x - 4.8)/1.3)**2)", {"x": (0, 10)}),
    "a pendulum that comes to rest": ("5.5*exp(-0.25*x)*cos(2.1*x)", {"x": (0, 10)}),
    "a tide": ("15.2 + 6.8*sin(0.52*x + 1.1)", {"x": (0, 20)}),
    "a drug in the blood": ("9.4*(exp(-0.2*x) - exp(-1.4*x))", {"x": (0.1, 14)}),
    "an enzyme with too much substrate": ("11*x/(1.4 + x + x**2/9)", {"x": (0.1, 25)}),
    "a hot body": ("4.2*x**3/(exp(1.3*x) - 1)", {"x": (0.3, 9)}),
    "drag and lift": ("1.6*x + 0.22*x**3", {"x": (0.3, 5)}),
    "an inhibitor": ("9.1*s/(1.8*(1 + i/2.5) + s)", {"s": (0.2, 15), "i": (0, 9)}),
    "labour and capital": ("2.4*k**0.33*l**0.71", {"k": (1, 20), "l": (1, 30)}),
    "a plane that is bent": ("1.1 + 0.6*a + 0.45*a*b", {"a": (0, 8), "b": (0, 6)}),
}


def one_input(x: np.ndarray, y: np.ndarray, **more: object) -> SearchProblem:
    return SearchProblem(x[:, None], y, ("x",), **more)


def nearest(found: list[Proposal], truth: Expression, given: SearchProblem) -> float:
    """Return how far the nearest proposal is from the truth, against the scatter."""
    columns = dict(zip(given.symbols, given.X.T))
    clean = evaluate(truth, columns)
    scatter = float(np.std(given.y - clean))
    return min(float(np.sqrt(np.mean((evaluate(each.expression, columns) - clean) ** 2))) for each in found) / scatter


@pytest.mark.parametrize(("rows", "certified"), [
    (MISRA, "437.36970754*x/(x + 1/3.0227324449e-4)"),
    (BOX, "213.80940889*(1 - exp(-0.54723748542*x))"),
])  # fmt: skip
def test_certified_constants_are_found(rows: tuple[np.ndarray, np.ndarray], certified: str) -> None:
    truth = evaluate(parse(certified), {"x": rows[0]})
    two = [each.expression for each in textbook(one_input(*rows)) if len(free_constants(each.expression)) == 2]
    assert min(np.abs(evaluate(each, {"x": rows[0]}) / truth - 1).max() for each in two) < 1e-6


@pytest.mark.parametrize("name", LAWS)
def test_a_law_is_among_what_few_scattered_rows_allow(name: str) -> None:
    law, ranges = LAWS[name]
    given = problem(law, ranges, 31, noise=0.02, seed=3)
    truth = parse(law)
    found = textbook(given)
    clean = problem(law, ranges, 401, seed=11)
    refitted = [again for each in found if (again := _missed(each.expression, clean)) < 1e-6]
    assert nearest(found, truth, given) < 1.0
    assert refitted, [str(each.expression) for each in found]


def _missed(expression: Expression, clean: SearchProblem) -> float:
    """Return what an expression leaves of clean rows once its constants are fitted to them: nothing where its skeleton is the law's."""
    from workbench.search.native.judging.polishing import Rows, polished

    _, rmse = polished(expression, Rows(dict(zip(clean.symbols, clean.X.T)), clean.y, np.ones(len(clean.y))), 300)
    return rmse / float(np.std(clean.y))


@pytest.mark.parametrize(("unit", "zero", "factor"), [("°C", 273.15, 1.0), ("°F", 459.67, 1.8)])
def test_laws_of_a_temperature_stand_in_absolute_temperature(unit: str, zero: float, factor: float) -> None:
    """Truth: ln p = 18.3 - 5132 K / T, about water in mmHg between 5 and 95 degrees centigrade."""
    kelvin = np.linspace(278.0, 368.0, 13)
    p = np.exp(18.3 - 5132.0 / kelvin) * (1 + 0.003 * np.random.default_rng(5).standard_normal(13))
    t = factor * kelvin - zero
    found = textbook(SearchProblem(t[:, None], p, ("t",), weights=1 / p**2, units=(unit,)))
    texts = [str(each.expression) for each in found]
    exact = {"°C": "5463/20", "°F": "45967/100"}[unit]
    (best,) = [each for each in texts if f"/(t + {exact})" in each and each.count("exp") == 1 and len(free_constants(parse(each))) == 2]
    assert_allclose(sorted(abs(c) for c in free_constants(parse(best)))[0], 5132.0 * factor, rtol=0.01)


def test_forms_that_fit_as_well_stand_side_by_side_each_once() -> None:
    found = textbook(one_input(*MISRA))
    assert len({str(each.expression) for each in found}) == len(found) > 2
    assert all(each.origin == "textbook" and each.path for each in found)


def test_nothing_is_proposed_that_was_forbidden() -> None:
    everything = textbook(one_input(*MISRA))
    assert not any("exp" in str(each.expression) for each in textbook(one_input(*MISRA, functions=frozenset({"log"}))))
    assert max(complexity(each.expression) for each in textbook(one_input(*MISRA, max_complexity=7))) <= 7 < max(complexity(e.expression) for e in everything)


def test_other_tables_are_left_to_the_search() -> None:
    rng = np.random.default_rng(2)
    assert textbook(SearchProblem(rng.uniform(1, 2, (40, 3)), rng.uniform(1, 2, 40), ("a", "b", "c"))) == []
    assert textbook(one_input(MISRA[0], np.full(14, 2.0))) == []
    assert textbook(one_input(*MISRA), stop=lambda: True) == []


def test_a_table_holds_values_of_any_kind() -> None:
    """A repeated input, one that never changes, negative and huge values: forms without a value there are passed over."""
    rng = np.random.default_rng(8)
    x = np.repeat([-3.0, 0.0, 2.0, 1e7], 4)
    assert textbook(one_input(x, 3 * x + rng.standard_normal(16)))
    constant = np.column_stack([np.full(16, 4.0), x])
    assert textbook(SearchProblem(constant, 3 * x + rng.standard_normal(16), ("a", "x")))


def test_rare_functions_are_a_longer_description() -> None:
    usual, rare = parse("37.0*log(137.0*x)"), parse("37.0*asinh(137.0*x)")
    assert rarity(usual) == 0 < rarity(rare)
    assert description(rare, 12) >= description(usual, 12) + 3.0
