"""Laws with functions of two columns, with constants inside functions and free exponents in sums; and the steps that find them."""

import time

import numpy as np
import pytest
from numpy.testing import assert_allclose

from tests.search.conftest import error, problem, search
from workbench.expression import Symbol, complexity, evaluate, fold, parse, to_text, upright
from workbench.search.native.engine import NativeEngine
from workbench.search.native.judging.judge import Judge
from workbench.search.native.judging.polishing import Rows
from workbench.search.native.notation.gathering import gathered
from workbench.search.native.notation.parting import parted
from workbench.search.native.notation.phases import at_home
from workbench.search.native.notation.unwinding import unwound
from workbench.search.native.partner import PartnerEngine
from workbench.search.native.reductions.symmetries import evidently_scaled
from workbench.search.native.screens.dictionaries import dictionaries
from workbench.search.native.screens.elimination import exact_fit
from workbench.search.native.screens.entwined import entwined
from workbench.search.native.screens.inner_sums import inner_sums
from workbench.search.native.screens.spans import spans
from workbench.search.native.state import HOLE, State
from workbench.search.native.surrogate import smooth_error
from workbench.search.native.watch import Watch

Box = dict[str, tuple[float, float]]

LAWS: dict[str, tuple[str, Box]] = {
    "a power of two columns": ("2.5*x**y", {"x": (0.5, 4), "y": (0.3, 3)}),
    "Hill with a column as exponent": ("V*x**n/(K**n + x**n)", {"V": (1, 5), "x": (0.3, 6), "n": (1, 4), "K": (0.5, 4)}),
    "Butterworth gain": ("1/sqrt(1 + (f/g)**(2*n))", {"f": (0.3, 3), "g": (0.5, 2), "n": (1, 4)}),
    "payment of a loan": ("P*r/(1 - (1 + r)**(-n))", {"P": (100, 900), "r": (0.01, 0.1), "n": (5, 30)}),
    "a loan with interest each month": ("P*(1 + r/n)**(n*t)", {"P": (100, 1000), "r": (0.01, 0.12), "n": (1, 12), "t": (1, 20)}),
    "effectiveness of a heat exchanger": ("(1 - exp(-N*(1 - C)))/(1 - C*exp(-N*(1 - C)))", {"N": (0.3, 4), "C": (0.1, 0.9)}),
    "one dose taken up and given off": (
        "D*k/(V*(k - z))*(exp(-z*t) - exp(-k*t))",
        {"D": (1, 5), "k": (1, 3), "V": (1, 4), "z": (0.1, 0.8), "t": (0.2, 6)},
    ),
    "hydraulic radius": ("1.49/n*(w*y/(w + 2*y))**(2/3)*sqrt(S)", {"n": (0.01, 0.05), "w": (1, 6), "y": (0.3, 3), "S": (0.001, 0.02)}),
    "friction of a rough pipe": ("1/(-1.8*log((k/3.7)**1.11 + 6.9/R)/log(10))**2", {"k": (0.0005, 0.03), "R": (5e3, 2e5)}),
    "growth of a fish in weight": ("L*(1 - b*exp(-k*t))**3", {"L": (20, 100), "b": (0.3, 0.9), "k": (0.1, 0.9), "t": (0, 6)}),
    "grey surfaces": ("A*(T**4 - S**4)/(1/p + 1/q - 1)", {"A": (0.5, 3), "T": (4, 7), "S": (2.7, 3.8), "p": (0.3, 0.9), "q": (0.3, 0.9)}),
    "speed of a pendulum": (
        "sqrt(v**2 + 2*g*l*(cos(a) - cos(b)))",
        {"v": (3, 5), "g": (1, 2), "l": (0.5, 1.5), "a": (0.2, 1.5), "b": (0.2, 1.5)},
    ),
    "time seen from a train": ("(t - v*x/c**2)/sqrt(1 - v**2/c**2)", {"t": (1, 5), "v": (1, 2), "x": (1, 5), "c": (3, 8)}),
    "cooling from the first moment on": ("B + (A - B)*exp(-k*t)", {"A": (50, 100), "B": (10, 30), "k": (0.05, 0.5), "t": (0, 20)}),
    "a number of Nusselt": ("2 + 0.6*Re**0.5*Pr**(1/3)", {"Re": (10, 1000), "Pr": (0.7, 10)}),
    "growth with a power of its own": ("a*(1 - exp(-b*t))**c", {"a": (10, 40), "b": (0.02, 0.2), "t": (5, 60), "c": (1, 3)}),
    "a current that changes its sign": ("i*(exp(a*39*v) - exp(-(1 - a)*39*v))", {"i": (0.1, 2), "a": (0.3, 0.7), "v": (-0.1, 0.1)}),
    "columns in exponents": ("a*b**c*h**d", {"a": (0.5, 2), "b": (1, 5), "c": (0.5, 1.5), "h": (1, 5), "d": (-1, 0)}),
    "yield stress": ("s + K*g**n", {"s": (1, 10), "K": (0.5, 3), "g": (1, 100), "n": (0.4, 0.9)}),
    "a slit, and a sum of powers": ("(sin(t/2)/t)**2*(exp(k*h) - 1)/(exp(h) - 1)", {"t": (1, 3), "k": (1.2, 3), "h": (0.5, 2)}),
    "a product with a sum of waves": ("x**2*exp(-x)*sin(x)*(cos(x)**2*sin(x) - 1)", {"x": (0, 8)}),
}


@pytest.mark.parametrize("name", LAWS)
def test_a_clean_law_is_found(name: str) -> None:
    law, ranges = LAWS[name]
    found = search(problem(law, ranges, 701), 40.0, until=lambda p: error(p.expression, law, ranges) < 1e-7)
    assert error(found[-1].expression, law, ranges) < 1e-7, f"{len(found)} proposals, last {to_text(found[-1].expression)}"
    assert complexity(found[-1].expression) <= 2 * complexity(parse(law)) + 12


def test_a_power_of_two_columns_takes_a_moment() -> None:
    law, ranges = LAWS["a power of two columns"]
    found = search(problem(law, ranges, 211), 10.0, until=lambda p: error(p.expression, law, ranges) < 1e-9)
    assert len(found) < 40


def test_what_imitates_a_law_is_not_taken_for_it() -> None:
    """Interest on small rates is nearly a polynomial in them: a ratio of many terms comes within 1e-9."""
    law, ranges = "(1 + r)**n", {"r": (0.01, 0.02), "n": (1, 3)}
    found = search(problem(law, ranges, 401), 20.0)
    assert error(found[-1].expression, law, {"r": (0.3, 0.9), "n": (5, 9)}) < 1e-9


@pytest.mark.parametrize(
    ("long", "short"),
    [
        ("b*H**(3/2)*(2.9*(h/H + 1)**(3/2) - 2.5*h**(3/2)/H**(3/2))", "b*(2.9*(h + H)**(3/2) - 2.5*h**(3/2))"),
        ("V*C*w/(C**2*w**2*R**2 + 1)**(1/2)", "V/(R**2 + 1/(C**2*w**2))**(1/2)"),
        ("3.1*sqrt(k)*sqrt(tanh(k*h))", "3.1*sqrt(k*tanh(k*h))"),
        ("sqrt(t*r**2)/s", "r*sqrt(t)/s"),
        ("sqrt(t*r)*sqrt(r)/s", "r*sqrt(t)/s"),
        ("f*u/(f + u)", "f*u/(f + u)"),
    ],
)
def test_powers_are_gathered(long: str, short: str) -> None:
    columns = {name: np.random.default_rng(ord(name)).uniform(0.5, 2, 31) for name in "bHhVCwRktrsfu"}
    made = gathered(fold(parse(long)))
    assert_allclose(evaluate(made, columns), evaluate(parse(long), columns), rtol=1e-12)
    assert complexity(made) <= complexity(fold(parse(short)))


def state(law: str, ranges: Box, n_rows: int = 300) -> tuple[State, Watch]:
    given = problem(law, ranges, n_rows)
    columns = dict(zip(given.symbols, given.X.T))
    whole = State(given.X, tuple(Symbol(name) for name in given.symbols), given.y, np.ones(n_rows), HOLE)
    return whole, Watch(Judge(Rows(columns, given.y, np.ones(n_rows))), lambda: False)


def test_spans_say_nothing_of_noise() -> None:
    whole, watch = state("a*exp(-b) + b", {"a": (1, 3), "b": (0.2, 2)})
    noisy = State(whole.columns, whole.names, whole.target + 1e-6 * np.sin(1e5 * whole.target), whole.gain, HOLE)
    assert list(spans(whole, watch))
    assert not list(spans(noisy, watch))


def test_the_square_of_a_root_is_in_no_span() -> None:
    """The law is a polynomial of degree five: sqrt(1 + u)^2 would give it a name that nobody writes."""
    whole, watch = state("x**5 + x**4 + x**3", {"x": (-0.9, 1)}, 60)
    found = [to_text(candidate.expression) for candidate in spans(whole, watch)]
    assert found
    assert not [text for text in found if "(x + 1)" in text]


def test_inner_sums_find_a_free_exponent() -> None:
    law, ranges = "3.4*a**0.8*(b**1.37 + 0.62*a)**0.55", {"a": (0.5, 3), "b": (0.3, 4)}
    whole, watch = state(law, ranges)
    for candidate in inner_sums(whole, watch):
        watch.judge.offer(candidate)
    assert error(watch.judge.best.expression, law, ranges) < 1e-9


def test_every_column_of_a_dictionary_is_what_its_name_says() -> None:
    whole, _ = state("a + b", {"a": (0.2, 0.8), "b": (1.2, 3)}, 40)
    columns = {"a": whole.columns[:, 0], "b": whole.columns[:, 1]}
    assert len(list(entwined(whole))) > 20
    for dictionary in dictionaries(whole, pairs=True):
        for name, values in zip(dictionary.state.names, dictionary.state.columns.T):
            assert_allclose(evaluate(name, columns), values, rtol=1e-9, atol=1e-12)


def test_an_exact_fit_that_keeps_losing_terms_is_none() -> None:
    """Columns that nearly repeat each other: the terms that matter change with every fit."""
    rng = np.random.default_rng(4)
    x = rng.uniform(0.9, 1.1, 60)
    fit = exact_fit(np.column_stack([x**k for k in range(14)]), np.exp(x))
    assert fit is None or len(fit.terms) == len(fit.coefficients)


def test_the_same_seed_gives_the_same_sequence_with_splits() -> None:
    given = problem("a*(b**4 - c**4)/(1/d + 1)", {"a": (1, 3), "b": (4, 7), "c": (2, 3), "d": (0.3, 0.9)}, 199)

    def texts() -> list[str]:
        steps = iter(range(100_000))
        return [to_text(p.expression) for p in NativeEngine().search(given, lambda: next(steps) > 400, random_state=1)]

    assert texts() == texts()


@pytest.mark.parametrize(
    ("odd", "plain"),
    [
        ("m*sqrt(-1/(v**2/c**2 - 1))", "m*(1 - v**2/c**2)**(-1/2)"),
        ("-m/(a - 1)", "m/(1 - a)"),
        ("-2*m/(a - b - 1)**3", "2*m/(b - a + 1)**3"),
        ("exp(-3*(a - b))", "exp(3*(b - a))"),
        ("-m*(a + b + 1)", "-m*(a + b + 1)"),
        ("-m/(a - 1)**2", "-m/(a - 1)**2"),
        ("sqrt(v**2)", "sqrt(v**2)"),
        ("m*(-v/c + a/b)", "m*(a/b - v/c)"),
    ],
)
def test_signs_and_reciprocals_stand_where_one_expects_them(odd: str, plain: str) -> None:
    assert upright(parse(odd)) == parse(plain)
    rng = np.random.default_rng(2)
    at = {"m": rng.uniform(1, 2, 31), "v": rng.uniform(-1, 1, 31), "c": rng.uniform(2, 3, 31), "a": rng.normal(size=31), "b": rng.normal(size=31)}
    assert_allclose(evaluate(upright(parse(odd)), at), evaluate(parse(odd), at), rtol=1e-12)


@pytest.mark.parametrize(
    ("long", "short"),
    [
        ("a*exp(c*log(b) + d*log(h))", "a*b**c*h**d"),
        ("a*exp(c*log(1 - exp(-b*h)))", "a*(1 - exp(-b*h))**c"),
        ("exp(2.5*log(a) - b)", "a**2.5*exp(-b)"),
        ("log(a**(-1.7)*b**1.7*exp(c))", "c + 1.7*log(b/a)"),
        ("exp(-(a*b - log(c - 1/3)))", "(c - 1/3)*exp(-a*b)"),
        ("log(a*b)", "log(a*b)"),
        ("exp(a*b)", "exp(a*b)"),
    ],
)
def test_detours_by_logarithms_are_unwound(long: str, short: str) -> None:
    columns = {name: np.random.default_rng(ord(name)).uniform(0.5, 2, 31) for name in "abcdh"}
    found = unwound(parse(long))
    assert_allclose(evaluate(found, columns), evaluate(parse(long), columns), rtol=1e-12)
    assert complexity(found) == complexity(fold(parse(short))), to_text(found)


@pytest.mark.parametrize(
    ("far", "home"),
    [
        ("sin(3*a - 20.420352248333657)", "-cos(3*a)"),
        ("cos(a + 7.853981633974483)", "-sin(a)"),
        ("2*sin(a*b + 6.783185307179586)", "2*sin(a*b + 0.5)"),
        ("exp(cos(a - 3.5))", "exp(-cos(a - 0.3584073464102069))"),
        ("sin(a + 1)", "sin(a + 1)"),
        ("cos(a - pi/2)", "sin(a)"),
        ("sin(2*a + 3*pi)*b", "-sin(2*a)*b"),
        ("sin(a + pi/6)", "sin(a + pi/6)"),
    ],
)
def test_phases_are_brought_home(far: str, home: str) -> None:
    columns = {name: np.random.default_rng(ord(name)).uniform(-2, 2, 31) for name in "ab"}
    found = at_home(parse(far))
    assert_allclose(evaluate(found, columns), evaluate(parse(far), columns), atol=1e-12)
    assert complexity(found) == complexity(fold(parse(home))), to_text(found)


@pytest.mark.parametrize("text", ["(sqrt(a)*sqrt(b))**2/c**2", "(a**(1/2)*c*b**(1/2))**2", "(a*sqrt(b)*(c - 3))**2"])
def test_powers_of_products_lose_their_roots(text: str) -> None:
    columns = {name: np.random.default_rng(ord(name)).uniform(0.5, 2, 31) for name in "abc"}
    found = fold(parted(parse(text), "abc"))
    assert_allclose(evaluate(found, columns), evaluate(parse(text), columns), rtol=1e-12)
    assert "sqrt" not in to_text(found)
    assert "1/2" not in to_text(found)


def test_the_engine_in_two_parts_finds_what_the_whole_finds() -> None:
    """The law of cosines is found down the beam alone: by the second part at once, by the first later."""
    law, ranges = "sqrt(a**2 + b**2 - 2*a*b*cos(s - t))", {"a": (1, 5), "b": (1, 5), "s": (1, 5), "t": (1, 5)}
    given = problem(law, ranges, 701)
    for part in ("whole", "first", "second"):
        end, found = time.monotonic() + 60.0, []
        for proposal in NativeEngine(part=part).search(given, lambda end=end: time.monotonic() > end):
            found.append(proposal)
            if error(proposal.expression, law, ranges) < 1e-9:
                break
        assert error(found[-1].expression, law, ranges) < 1e-9, part


def test_the_second_part_answers_from_its_own_process() -> None:
    law, ranges = "a*exp(-b)/c", {"a": (1, 5), "b": (0, 3), "c": (1, 5)}
    end = time.monotonic() + 30.0
    found = next(p for p in PartnerEngine().search(problem(law, ranges, 211), lambda: time.monotonic() > end) if error(p.expression, law, ranges) < 1e-9)
    assert found.origin == "screens"


def test_a_symmetry_that_nearly_holds_is_not_evident() -> None:
    """A surrogate of five columns is poor. That h nearly depends on a*H alone makes it no better; that it depends on c*sqrt(k)/(H*r) does."""
    h, a, k, c, r = np.random.default_rng(19).uniform(1.0, 5.0, (5, 601))
    values = (h**2 * (2 * a - 1) - k * c**2 / r**2) * c**2
    state = State(np.column_stack([h, a, k, c, r]), tuple(map(Symbol, ("h", "a", "k", "c", "r"))), values, np.ones(601), HOLE)
    while (smaller := evidently_scaled(state)) is not None:
        state = smaller
    assert smooth_error(state) < 0.01 * np.std(values)
    given = dict(h=h, a=a, k=k, c=c, r=r)
    pairs = np.column_stack([evaluate(name, given) for name in state.names])
    assert_allclose(pairs, state.columns)
    assert state.n_columns <= 3
