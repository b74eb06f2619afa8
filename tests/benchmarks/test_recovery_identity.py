"""A scorer that calls everything found, or nothing, fails here: right and wrong answers are planted, and each must get its own verdict."""

from __future__ import annotations

import time

import numpy as np
import pytest

from benchmarks.recovery.identity import freed, judge, same_values
from benchmarks.recovery.laws import Law, read_set
from benchmarks.recovery.symbolic import proved, readable
from workbench.expression import free_constants, parse, with_constants

PLANE = {"x": (1.0, 4.0), "y": (0.5, 2.0)}


def law(formula: str, box: dict | None = None) -> Law:
    return Law("planted", "f", parse(formula), box or PLANE)


RIGHT = [  # truth, found
    ("x*y/2", "0.5*x*y"),
    ("x*exp(-y/2) + 3", "3 + x/sqrt(exp(y))"),
    ("x**2 - y**2", "(x - y)*(x + y)"),
    ("sin(x)**2", "(1 - cos(2*x))/2"),
    ("log(x*y)", "log(x) + log(y)"),
    ("1/(1 + exp(-x))", "exp(x)/(1 + exp(x))"),
    ("x/sqrt(1 - y**2/9)", "3*x/sqrt(9 - y**2)"),
    ("sqrt(x)*y", "x**0.5*y"),
]
SCALED = [  # the skeleton with the wrong constants, as noise leaves them
    ("x*y/2", "0.4983*x*y"),
    ("x*exp(-y/2) + 3", "1.02*x*exp(-0.497*y) + 2.96"),
    ("x**1.85*y", "0.99*x**1.88*y"),
    ("x**2*y", "1.01*x**1.97*y"),  # an exponent that was fitted is a constant like any other
    ("2.5*sin(1.3*x + 0.4) + y", "2.41*sin(1.31*x + 0.39) + 0.98*y"),
    ("x/(y + 3)", "1.1*x/(1.05*y + 3.2)"),
    ("pi*x**2*y/4", "3.1*x**2*y/4"),
]
WRONG = [  # truth, found, what is wrong with it
    ("x*y/2", "0.5*x*y + 0.001*sin(x)", "an extra small term"),
    ("x*y/2", "0.5*x*y + 0.0004", "an extra small constant"),
    ("x*y/2", "0.5*x**1.001*y + 0.001*y**3", "a term that vanishes when it may"),
    ("x*y/2", "0.5*x*y*exp(0.0001*x)", "a factor that vanishes when it may"),
    ("sin(x)", "x - x**3/6 + x**5/120 - x**7/5040", "a good fit near zero"),
    ("2.5*sin(1.3*x) + y", "2.41*sin(1.31*x + 0.01) + 0.98*y", "a phase that vanishes when it may"),
    ("x**2*y", "x**3*y", "another power"),
    ("x + y", "x + 2", "a variable is missing"),
    ("exp(-x)*y", "y/(1 + x + x**2/2 + x**3/6)", "the beginning of the series"),
    ("x*y", "x*y + 1e-5*x**2", "agrees to a hundred-thousandth only"),
    ("sqrt(x**2 + y**2)", "0.96*x + 0.4*y", "a plane through the middle of it"),
]


@pytest.mark.parametrize(("truth", "found"), RIGHT)
def test_rearranged_algebra_is_the_law(truth: str, found: str) -> None:
    judgement = judge(law(truth), found)
    assert judgement.numeric
    assert judgement.recovered
    assert judgement.fit
    assert judgement.why == ""


@pytest.mark.parametrize(("truth", "found"), SCALED)
def test_wrong_constants_in_the_right_skeleton_are_told_apart(truth: str, found: str) -> None:
    judgement = judge(law(truth), found)
    assert not judgement.numeric
    assert judgement.skeleton
    assert judgement.recovered


@pytest.mark.parametrize(("truth", "found", "reason"), WRONG, ids=[reason for *_, reason in WRONG])
def test_what_is_not_the_law_is_not_recovered(truth: str, found: str, reason: str) -> None:
    judgement = judge(law(truth), found)
    assert not judgement.numeric
    assert not judgement.skeleton
    assert not judgement.recovered
    assert judgement.why


def test_a_good_fit_is_not_the_law() -> None:
    judgement = judge(law("exp(-x)*y", {"x": (0.0, 1.0), "y": (1.0, 2.0)}), "y*(1 - 0.9664*x + 0.3536*x**2)")
    assert judgement.fit
    assert judgement.r2 > 0.999
    assert not judgement.recovered


def test_a_formula_that_is_right_only_inside_the_box_is_not_the_law() -> None:
    box = {"x": (0.0, 4.0), "y": (1.0, 2.0)}
    right, inside_only = judge(law("x**2*y", box), "x**2*y"), judge(law("x**2*y", box), "x*abs(x)*y")
    assert right.numeric
    assert inside_only.r2 == 1.0
    assert not inside_only.numeric
    assert not inside_only.skeleton


def test_where_the_truth_ends_nothing_is_asked() -> None:
    edge = law("sqrt(x)*y", {"x": (0.0, 4.0), "y": (1.0, 2.0)})  # the widened box reaches to x = -1
    assert judge(edge, "y*x**0.5").numeric
    assert judge(law("y/sqrt(1 - x**2)", {"x": (0.1, 0.9), "y": (1.0, 2.0)}), "y*(1 - x**2)**(-1/2)").numeric  # up to a pole


def test_an_imitation_out_of_proportion_is_not_recovered_however_close() -> None:
    short = law("sin(x)", {"x": (0.0, 0.5)})
    series = "x - x**3/6 + x**5/120 - x**7/5040 + x**9/362880"
    judgement = judge(short, series)
    assert judgement.numeric
    assert not judgement.recovered
    assert judgement.why == "out of proportion to the truth"


@pytest.mark.parametrize(
    ("found", "why"),
    [
        ("x*z", "cannot be read"),
        ("__import__('os')", "cannot be read"),
        ("phi_0_1_0(x) + phi_0_0_0(y)", "2 of its curves have no name"),
        ("log(x - 2)", "no finite value at"),  # where x is below 2
        ("", "cannot be read"),
    ],
)
def test_what_cannot_be_judged_says_why_and_is_not_recovered(found: str, why: str) -> None:
    judgement = judge(law("x*y"), found)
    assert not judgement.recovered
    assert why in judgement.why


def test_symbols_stand_for_their_columns() -> None:
    named = law("lambda_*y/2", {"lambda_": (1.0, 4.0), "y": (0.5, 2.0)})
    assert judge(named, "l*y/2", {"l": "lambda_", "y": "y"}).numeric
    assert "cannot be read" in judge(named, "l*y/2", {"y": "y"}).why


def test_a_heavy_tail_hides_no_error_of_the_bulk() -> None:
    truth = np.r_[np.linspace(-1, 1, 999), 1e9]
    wrong = truth + 1e-3
    assert same_values(truth, truth).all()
    assert not same_values(wrong, truth)[:999].any()


def test_exact_exponents_are_structure_and_other_numbers_are_constants() -> None:
    assert str(freed(parse("2*x**3 + 1/2"))) == "2.0*x**3 + 0.5"
    assert str(freed(parse("pi*x**(1/2)*exp(-y/3)"))).startswith("3.14159")


@pytest.mark.parametrize(("truth", "found"), RIGHT)
def test_algebra_proves_what_numbers_say(truth: str, found: str) -> None:
    assert proved(parse(found), parse(truth), positive=PLANE, seconds=60) == "yes"


@pytest.mark.parametrize(("truth", "found", "reason"), WRONG[::4], ids=[reason for *_, reason in WRONG[::4]])
def test_algebra_proves_nothing_that_is_false(truth: str, found: str, reason: str) -> None:
    assert proved(parse(found), parse(truth), positive=PLANE, seconds=60) == "undecided"


def test_algebra_that_takes_too_long_is_killed_and_undecided() -> None:
    long = parse("*".join(f"(x + {k}*y**{k} + sin({k}*x))**9" for k in range(2, 12)))
    began = time.monotonic()
    assert proved(long, parse("x"), seconds=3) == "undecided"
    assert time.monotonic() - began < 10


def test_constants_are_read_as_what_they_stand_for() -> None:
    assert str(readable(parse("0.33333333333*x + 6.283185307179*y"))) == "x/3 + 2*pi*y"
    assert str(readable(parse("0.7390851332151607*x"))) == "0.7390851332151607*x"


@pytest.mark.parametrize(("name", "count"), [("feynman_dev", 60), ("applied", 30), ("nguyen", 12), ("keijzer", 15), ("livermore", 23), ("classic", 37)])
def test_every_law_of_every_set_is_found_by_itself_and_by_no_neighbour(name: str, count: int) -> None:
    laws = read_set(name)
    assert len(laws) == count
    for own, other in zip(laws, laws[1:] + laws[:1]):
        columns, y = own.table(seed=0)
        assert np.isfinite(y).all()
        assert len(y) == (own.n_rows or 1000)
        assert judge(own, str(own.expression)).recovered, own.id
        same_box = set(own.box) == set(other.box) and str(own.expression) != str(other.expression)
        if same_box:
            assert not judge(own, str(other.expression)).recovered, (own.id, other.id)


@pytest.mark.parametrize("name", ["feynman_dev", "applied", "nguyen", "classic"])
def test_every_law_is_known_by_its_skeleton_when_its_constants_are_a_little_off(name: str) -> None:
    generator = np.random.default_rng(1)
    for own in read_set(name):
        skeleton = freed(own.expression)
        constants = np.array(free_constants(skeleton))
        off = with_constants(skeleton, (constants * (1 + 2e-4 * generator.standard_normal(len(constants)))).tolist())
        judgement = judge(own, str(off))
        assert judgement.recovered, own.id


def test_constants_a_little_off_may_leave_a_root_without_a_value() -> None:
    triangle = law("sqrt(x**2 + y**2 - 2*x*y*cos(z))", {"x": (1.0, 5.0), "y": (1.0, 5.0), "z": (-0.3, 0.3)})
    judgement = judge(triangle, "sqrt(x**2 + y**2 - 2.001*x*y*cos(z))")
    assert judgement.r2 is None
    assert not judgement.fit
    assert judgement.skeleton


def test_noise_is_a_fraction_of_the_root_mean_square() -> None:
    own = read_set("feynman_dev")[0]
    _, clean = own.table(seed=3)
    _, noisy = own.table(seed=3, noise=0.1)
    assert np.std(noisy - clean) == pytest.approx(0.1 * np.sqrt(np.mean(clean**2)), rel=0.1)


def test_tables_differ_by_seed_and_are_the_same_again() -> None:
    own = read_set("nguyen")[0]
    assert np.array_equal(own.table(0)[1], own.table(0)[1])
    assert not np.array_equal(own.table(0)[1], own.table(1)[1])


def test_a_set_keeps_its_own_sampling_and_rows() -> None:
    grid = next(law for law in read_set("keijzer") if law.id == "Keijzer-4")
    columns, _ = grid.table(seed=0, n_rows=5)
    assert np.allclose(np.diff(columns["x"]), 0.1)
    assert len(columns["x"]) == 101
