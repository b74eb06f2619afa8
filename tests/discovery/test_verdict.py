"""The autopilot's verdict: planted laws are laws, noise is nothing, and what the library cannot say is an approximation."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.special import jv

import workbench as wb
from benchmarks.recovery.laws import read_set
from workbench.discovery.autopilot.findings import LAW, Finding, finding, n_functions
from workbench.discovery.autopilot.verdict import judgement

Law = Callable[..., np.ndarray]


def table(n_rows: int, law: Law, names: str, low: float, high: float, noise: float = 0.0, seed: int = 0) -> wb.Dataset:
    """Return rows of a law, with noise in units of its spread."""
    generator = np.random.default_rng(seed)
    X = generator.uniform(low, high, (n_rows, len(names)))
    y = law(*X.T)
    y = y + noise * y.std() * generator.normal(size=n_rows)
    return wb.Dataset.from_table({**dict(zip(names, X.T, strict=True)), "y": y}, "y")


def judged(data: wb.Dataset, *forms: tuple[str, ...]) -> str:
    """Return the verdict on the first of some formulas, each one form per input; the others are its rivals."""
    found = wb.Discovery(data).fit(hidden_layer_sizes=(), n_starts=1)
    start, findings = found.state.id, list[Finding]()
    for names in forms:
        found.go_to(start)
        for edge, name in zip(found.network.edges(), names, strict=True):
            found.snap(edge, name)
        findings.append(finding(found.refit(50)))
    return judgement(found, findings[0], findings, found.go_to(start).metrics.rmse_validation).verdict


@pytest.mark.parametrize(
    ("names", "n_rows"), [("x", 25), ("abc", 100), ("abc", 300), *(pytest.param(*each, marks=pytest.mark.slow) for each in (("x", 100), ("x", 300), ("abc", 25)))]
)
def test_pure_noise_is_no_law(names: str, n_rows: int) -> None:
    data = table(n_rows, lambda *X: np.random.default_rng(9).normal(size=n_rows), names, 0, 1)
    assert wb.discover(data, time_budget=6, random_state=0).verdict == "none"


PLANTED = {"decay": (lambda x: 3 * np.exp(-x / 2) + 1, 0.0, 6.0), "saturation": (lambda x: 2 * x / (0.7 + x), 0.05, 5.0)}
SLOW = {("decay", 100, 0.01), ("saturation", 25, 0.01), ("saturation", 300, 0.01)}  # noise takes all the time there is


@pytest.mark.parametrize(
    ("law", "n_rows", "noise"),
    [pytest.param(*each, marks=pytest.mark.slow if each in SLOW else ()) for each in itertools.product(PLANTED, (25, 100, 300), (0.0, 0.01))],
)
def test_a_planted_law_is_a_law(law: str, n_rows: int, noise: float) -> None:
    values, low, high = PLANTED[law]
    assert wb.discover(table(n_rows, values, "x", low, high, noise), time_budget=8, random_state=0).verdict == "law"


def test_a_law_of_two_inputs_is_a_law() -> None:
    data = table(100, lambda a, b: 1.5 * a**2 / b**0.5, "ab", 0.5, 4)
    assert wb.discover(data, time_budget=20, random_state=0).verdict == "law"


@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_what_is_outside_the_library_is_an_approximation(noise: float) -> None:
    data = table(100, lambda x: jv(0, 3 * x) + 0.3 * jv(3, 4 * x), "x", 0, 4, noise)
    assert wb.discover(data, time_budget=8, random_state=0).verdict == "approximation"


FIVE_CONSTANTS = "0.8333943*(x + 0.39997156)**3 + 0.60446474*x*(x**4 + 49.093)**(1/4) + sin(y**2) - 0.05332635"
MANY_PARTS = "5*(x + 2/5)**3/6 + (1.6*x - 0.053333272)*exp(0.00522623*(x - 0.00722*x**3 + 0.0082714)**4) + sin(y**2)"


@pytest.mark.parametrize("text", [FIVE_CONSTANTS, MANY_PARTS])
def test_what_many_constants_or_parts_come_within_a_millionth_of_is_not_exact(text: str) -> None:
    """Twenty rows of x^3 + x^2 + x + sin(x) + sin(y^2), and formulas that a search found instead: printed digits would leave as much."""
    law = next(law for law in read_set("livermore") if law.id == "Livermore-14")
    columns, y = law.table(0, 0.0, None)
    found = wb.Discovery(wb.Dataset.from_table({**columns, "t": y}, "t"))
    found.suppose(text)
    picked = finding(found.refit(200))
    assert picked.error < LAW**2
    assert judgement(found, picked, [picked], np.inf).verdict == "approximation"
    exact = finding(found.suppose("x**3 + x**2 + x + sin(x) + sin(y**2)"))
    assert judgement(found, exact, [exact], np.inf).verdict == "law"


def test_many_functions_and_constants_of_one_input_are_no_law_where_rows_scatter() -> None:
    data = table(100, lambda x: jv(0, 3 * x) + 0.3 * jv(3, 4 * x), "x", 0, 4, 0.01)
    found = wb.Discovery(data).fit(hidden_layer_sizes=(5,), sparsity=1e-4)
    text = "(cos(x**2 - 0.186*cos(2*x)) - 0.00889*(x**1.5 - 1.729)**4)/(x**2 + 0.9502)**2 - 0.2705*sin(1.2203*x**1.5)"
    picked = finding(found.leave().suppose(text))
    many = n_functions(picked.formula) + len(picked.formula.constants)
    assert many > 8
    said = judgement(found, picked, [picked], found.metrics.rmse_validation)
    assert said.verdict == "approximation"


@pytest.mark.parametrize(("text", "count"), [("2.1*x + 1.2", 0), ("1/(x + 1.3)", 0), ("(x + 1.3)**2", 1), ("sqrt(x + 1.3)", 1), ("x**2.2*exp(-x)", 1), ("(exp(-x) + 0.2)**2", 2)])
def test_powers_of_sums_bend_as_functions_do(text: str, count: int) -> None:
    found = wb.Discovery(table(53, lambda x: np.exp(-x), "x", 0.5, 3))
    assert n_functions(finding(found.suppose(text)).formula) == count


def test_a_formula_longer_than_the_curve_that_it_names_is_no_law() -> None:
    """Nine constants follow any smooth curve into its scatter; a curve without a name does so with fewer."""
    data = table(100, lambda x: jv(0, 3 * x) + 0.3 * jv(3, 4 * x), "x", 0, 4, 0.01)
    found = wb.Discovery(data).fit(hidden_layer_sizes=(5,), sparsity=1e-4)
    flexible = found.metrics.rmse_validation
    picked = finding(found.leave().suppose("(cos(cos(0.807*x + 3.741) - 3.276*x + 1.086) - 0.6454*x)*(0.5398 - 0.08642*x) + 0.4813"))
    longer = "A network of free curves is as short a description of the rows: its names explain nothing."
    assert longer not in judgement(found, picked, [picked], flexible).reasons
    found.go_to(1).eliminate()
    said = judgement(found, picked, [picked], flexible)
    assert said.verdict == "approximation"
    assert longer in said.reasons


def test_a_formula_that_leaves_a_pattern_is_no_law_though_no_curve_does_better() -> None:
    """a*b + 3*c is no sum of curves: the best sum is a plane, and what it misses has the shape of a*b."""
    assert judged(table(100, lambda a, b, c: a * b + 3 * c, "abc", 0.5, 4, 0.01), ("x", "x", "x")) == "approximation"
    assert judged(table(100, lambda a, b, c: a - b + 3 * c, "abc", 0.5, 4, 0.01), ("x", "x", "x")) == "law"


def test_the_verdict_gives_its_reasons() -> None:
    generator = np.random.default_rng(5)
    a, b = generator.uniform(0.5, 4.0, (2, 100))
    exact = wb.discover(wb.Dataset.from_table({"a": a, "b": b, "y": 2 * a / b}, "y"), time_budget=4)
    assert exact.reasons[0].startswith("It is exact: what it misses is")
    noisy = wb.discover(wb.Dataset.from_table({"a": a, "b": b, "y": 2 * a / b * (1 + 0.02 * generator.normal(size=100))}, "y"), time_budget=8)
    assert noisy.verdict == "law"
    assert "What it misses is scatter: it goes with no input." in noisy.reasons
    short = wb.discover(wb.Dataset.from_table({"a": a, "b": b, "y": np.sin(5 * a) * b}, "y"), time_budget=4, max_complexity=1)
    assert (short.verdict, short.reasons) == ("none", ("No formula of at most 1 parts was found.",))


def test_what_speaks_against_a_law_is_said() -> None:
    data = table(100, lambda a, b, c: a * b + 3 * c, "abc", 0.5, 4, 0.01)
    found = wb.Discovery(data).fit(hidden_layer_sizes=(), n_starts=1)
    for edge in found.network.edges():
        found.snap(edge, "x")
    picked = finding(found.refit(50))
    (against,) = judgement(found, picked, [picked], picked.error**0.5).reasons
    assert against.startswith("What it misses is more than scatter")
    assert "free curves does clearly better" in judgement(found, picked, [picked], 0.1 * picked.error**0.5).reasons[0]


def scattered(law: Law, seed: int) -> wb.Discovery:
    generator = np.random.default_rng(seed)
    m, v, c = (generator.uniform(low, high, 1009) for low, high in ((1, 5), (1, 2), (3, 10)))
    y = law(m, v, c)
    return wb.Discovery(wb.Dataset.from_table({"m": m, "v": v, "c": c, "E": y + 0.1 * np.sqrt(np.mean(y**2)) * generator.normal(size=1009)}, "E"))


def test_a_formula_is_no_law_where_only_its_whole_numbers_speak_for_it() -> None:
    """An energy m*c^2/sqrt(1 - v^2/c^2) with a scatter of a tenth, in which its root can hardly be seen."""
    found = scattered(lambda m, v, c: m * c**2 / np.sqrt(1 - v**2 / c**2), seed=10)
    short, other = (finding(found.leave().suppose(text, "screens")) for text in ("m*(c**2 + v)", "0.94*m*(c + 0.36)**2"))
    assert other.length > short.length + 5.0
    assert other.lost(short) < 3.0
    said = judgement(found, short, [short, other], short.error**0.5)
    assert said.verdict == "approximation"
    assert any(reason.startswith("Another formula describes the rows as shortly, or as well: ") for reason in said.reasons)
    assert not any("Another formula" in reason for reason in judgement(found, short, [short], short.error**0.5).reasons)


@pytest.mark.parametrize(("digits", "verdict"), [(17, "approximation"), (7, "law")])
def test_what_misses_a_millionth_is_exact_only_where_the_table_is_rounded_there(digits: int, verdict: str) -> None:
    """A polynomial of the fifth degree follows exp(-x/4) to a few millionths; the law itself misses what was rounded away."""
    x = np.linspace(0.0, 1.0, 211)
    y = np.array([float(f"{value:.{digits}g}") for value in np.exp(-x / 4)])
    found = wb.Discovery(wb.Dataset.from_table({"x": x, "y": y}, "y"))
    imitation = "1.0 - 0.25*x + 0.03125*x**2 - 0.0026*x**3 + 0.00015*x**4"
    picked = finding(found.suppose("c*exp(k*x)" if digits < 17 else imitation))
    assert 1e-9 < picked.error**0.5 < 1e-6
    assert judgement(found, picked, [picked], np.inf).verdict == verdict


def test_reasons_come_back_from_a_file_and_a_file_may_lie(tmp_path: Path) -> None:
    x = np.linspace(0.5, 4.0, 53)
    found = wb.discover(wb.Dataset.from_table({"x": x, "y": 2 * np.exp(-x)}, "y"), time_budget=3)
    found.save(tmp_path / "found.kan")
    assert wb.load_discovery(tmp_path / "found.kan").reasons == found.reasons
    found.reasons, found.front = (3,), ([1],)
    found.save(tmp_path / "lies.kan")
    assert (wb.load_discovery(tmp_path / "lies.kan").reasons, wb.load_discovery(tmp_path / "lies.kan").front) == ((), ())


def supposed(law: Law, ranges: dict[str, tuple[float, float]], *formulas: str) -> list[tuple[str, str]]:
    """Return the verdict on each formula by itself, with all that is said of it, for a thousand rows of a law that scatter by a tenth of their spread."""
    generator = np.random.default_rng(1)
    columns = {name: generator.uniform(low, high, 1000) for name, (low, high) in ranges.items()}
    y = law(*columns.values())
    found = wb.Discovery(wb.Dataset.from_table({**columns, "y": y + 0.1 * y.std() * generator.normal(size=1000)}, "y"))
    said = []
    for formula in formulas:
        picked = finding(found.leave().suppose(formula))
        found_to_be = judgement(found, picked, [picked], np.inf)
        said.append((found_to_be.verdict, " ".join(found_to_be.reasons)))
    return said


def test_a_formula_that_lacks_an_offset_within_is_no_law() -> None:
    """1/(exp(x) - 1) is 1/x - 1/2 + ...: a multiple of 1/x takes most of it, and a network of curves errs by as much where it is steep."""
    wrong, right = supposed(lambda a, b: 1 / (np.exp(a / b) - 1), {"a": (1, 5), "b": (1, 5)}, "c*b/a", "1/(exp(a/b) - 1)")
    assert (wrong[0], right[0]) == ("approximation", "law")
    assert "A formula close to it does clearly better" in wrong[1]
    assert "No formula close to it does better" in right[1]


def test_a_correction_that_could_as_well_stand_elsewhere_is_no_law() -> None:
    """Energy at a third of the speed of light: an exponent of 1.9 imitates the root, and so does an offset."""
    ranges = {"m": (1, 5), "v": (1, 2), "c": (3, 10)}
    wrong, right = supposed(lambda m, v, c: m * c**2 / np.sqrt(1 - v**2 / c**2), ranges, "k*m*c^p", "m*c^2/sqrt(1 - v^2/c^2)")
    assert (wrong[0], right[0]) == ("approximation", "law")
    assert "One of its constants could as well stand elsewhere: y = " in wrong[1]
    assert "Each of its constants is needed where it stands." in right[1]


def test_a_function_that_could_as_well_be_a_parabola_is_no_law() -> None:
    ranges = {"n": (0, 1), "a": (0, 1)}
    wrong, right = supposed(lambda n, a: 1 + n * a / (1 - n * a / 3), ranges, "exp(k*n*a)", "1 + n*a/(1 - n*a/3)")
    assert (wrong[0], right[0]) == ("approximation", "law")
    assert "A parabola does as well as its exp" in wrong[1]
    assert "parabola" not in right[1]  # it has no function
    ((verdict, reasons),) = supposed(lambda a, n: n * np.exp(-0.83 * a), {"a": (0, 4), "n": (1, 5)}, "n*exp(-k*a)")
    assert verdict == "law"
    assert "no parabola does as well" in reasons


def test_a_series_is_no_law() -> None:
    """cos(x) from 1 to 5 is a polynomial to within a hundredth of its spread."""
    series, law = supposed(lambda b, x: b * (1 + np.cos(x)), {"b": (1, 5), "x": (1, 5)}, "b*(x - pi)^2*(p*x^2 + q*x + r)", "b*(1 + cos(x))")
    assert (series[0], law[0]) == ("approximation", "law")
    assert "It is a polynomial of a high degree in x" in series[1]


def test_a_formula_whose_constants_trade_against_each_other_is_no_law() -> None:
    """The far end of a logarithm imitates a product to within the noise: log((a + 15)^p (b + 15)^q) and the like."""
    data = table(200, lambda a, b: a + b + 0.02 * a**2, "ab", 0.5, 4, 0.01)
    assert judged(data, ("log", "log")) == "approximation"


def test_a_formula_that_leaves_out_an_input_that_matters_is_no_law() -> None:
    data = table(60, lambda a, b: 0.3 * a + b**2, "ab", 0.5, 3, 0.01)
    found = wb.Discovery(data).fit(hidden_layer_sizes=(), n_starts=1).prune(inputs=["a"])
    flexible = found.metrics.rmse_validation
    picked = finding(found.snap(found.network.edges()[0], "x^2").refit(50))
    assert judgement(found, picked, [picked], flexible).verdict == "approximation"


def test_two_formulas_that_explain_the_rows_alike_are_no_law() -> None:
    """Half of a saturation curve under much noise: an arctangent does as well."""
    data = table(60, lambda x: x / (0.7 + x), "x", 0.05, 2.0, 0.15)
    assert judged(data, ("x/(1+x)",)) == "law"
    assert judged(data, ("arctan",), ("x/(1+x)",)) == "approximation"


def test_one_law_in_two_notations_is_no_rival_of_itself() -> None:
    data = table(100, lambda x: 2 * x / (0.7 + x), "x", 0.05, 5.0, 0.01)
    assert judged(data, ("x/(1+x)",), ("1/x",)) == "law"


def test_a_law_with_a_plain_number_is_no_rival_of_the_same_law_with_a_fitted_one() -> None:
    found = wb.Discovery(table(25, lambda x: 3 * np.exp(-x / 2) + 1, "x", 0.0, 6.0, 0.01))
    fitted, plain = (finding(found.leave().suppose(text)) for text in ("3*exp(-0.4973*x) + 1", "3*exp(-x/2) + 1"))
    assert len(fitted.formula.constants) > len(plain.formula.constants)
    assert judgement(found, fitted, [fitted, plain], np.inf).verdict == "law"
    assert judgement(found, plain, [fitted, plain], np.inf).verdict == "law"


def test_a_long_formula_needs_many_rows() -> None:
    """Two curves on 15 rows, half of the variance explained: the next 15 rows may say otherwise."""
    data = table(15, lambda a, b: np.sin(3 * a) + b, "ab", 0, 3, 0.7)
    assert judged(data, ("sin", "x^2")) in {"approximation", "none"}


def test_classes_are_judged_against_their_frequencies() -> None:
    generator = np.random.default_rng(3)
    x = generator.uniform(-2, 2, 400)
    known = generator.random(400) < 1 / (1 + np.exp(-2.5 * x))
    data = wb.Dataset.from_table({"x": x, "y": np.where(known, "yes", "no").tolist()}, "y", task="classification")
    assert wb.discover(data, time_budget=8, random_state=0).verdict == "law"
    chance = wb.Dataset.from_table({"x": x, "y": generator.permutation(np.where(known, "yes", "no")).tolist()}, "y", task="classification")
    assert wb.discover(chance, time_budget=8, random_state=0).verdict == "none"


def test_time_is_kept_where_rows_are_many() -> None:
    """What takes long on 100,000 rows, taking edges away and the last refit, must not take as many seconds beyond the budget as it likes."""
    data = table(100_000, lambda a, b, c: a * np.exp(-b) + c**2, "abc", 0.5, 3, 0.01)
    begun = time.process_time()
    wb.discover(data, time_budget=4, random_state=0)
    assert time.process_time() - begun < 15


def test_a_pole_that_follows_two_rows_far_off_is_no_law() -> None:
    """A fitted row and a checked one lie far off, and beside each other: a pole between them explains most of the squares, and nothing else."""
    generator = np.random.default_rng(7)
    x, y = generator.uniform(0.5, 2.0, 211), generator.normal(size=211)
    split = wb.Dataset.from_table({"x": x, "y": y}, "y").split
    fitted, checked = split.train[0], split.validation[0]
    x[fitted], y[fitted], y[checked] = x[checked] - 2e-5, 30.0, 30.0
    data = wb.Dataset.from_table({"x": x, "y": y}, "y")
    assert (data.split.train[0], data.split.validation[0]) == (fitted, checked)
    found = wb.Discovery(data)
    pole = finding(found.suppose(f"0.006/(x - {float(x[fitted]) - 2e-4!r})"))
    assert pole.error < 0.6 * pole.of_mean.mean()
    said = judgement(found, pole, [pole], 1.0)
    assert said.verdict == "none"
    assert "it explains a single row" in said.reasons[0]


def test_the_mean_is_judged_on_the_rows_that_are_checked() -> None:
    """Where the rows that are checked happen to lie close to the mean, a formula close to it explains none of them."""
    generator = np.random.default_rng(8)
    x, y = generator.uniform(0.5, 2.0, 211), generator.normal(size=211)
    split = wb.Dataset.from_table({"x": x, "y": y}, "y").split
    y[split.validation] *= 0.3
    found = wb.Discovery(wb.Dataset.from_table({"x": x, "y": y}, "y"))
    flat = finding(found.suppose("0.01*x + 0.01"))
    assert flat.error + 2 * flat.standard_error < 0.5
    assert abs(flat.gained_on_checked) < 2.0
    assert judgement(found, flat, [flat], 1.0).verdict == "none"


def test_what_goes_with_a_product_of_inputs_is_no_scatter() -> None:
    """The clock of a moving observer, (t - u*x/c^2)/sqrt(1 - u^2/c^2) with a scatter of a tenth: no plane through the misses of a*t - b*x shows u and c."""
    generator = np.random.default_rng(13)
    x, t, u, c = generator.uniform([[1.0], [1.0], [1.0], [3.0]], [[5.0], [5.0], [2.0], [10.0]], (4, 1009))
    values = (t - u * x / c**2) / np.sqrt(1 - u**2 / c**2)
    y = values + 0.1 * np.sqrt(np.mean(values**2)) * generator.normal(size=1009)
    found = wb.Discovery(wb.Dataset.from_table({"x": x, "t": t, "u": u, "c": c, "y": y}, "y"))
    straight = finding(found.suppose("-0.062*x + 1.05*t"))
    reasons = judgement(found, straight, [straight], straight.error**0.5).reasons
    assert any(reason.startswith("What it misses is more than scatter") for reason in reasons)
    law = finding(found.leave().suppose("(t - u*x/c**2)/sqrt(1 - u**2/c**2)"))
    assert judgement(found, law, [law], law.error**0.5).verdict == "law"


@pytest.mark.parametrize(("noise", "verdict"), [(0.1, "approximation"), (0.01, "law")])
def test_of_many_inputs_a_fitted_sum_is_a_law_only_where_its_bends_would_be_seen(noise: float, verdict: str) -> None:
    """The clearance of creatinine, weight*(140 - age)/(72*creatinine) (Cockcroft & Gault, 1976): within a tenth it may fall with age in many ways."""
    generator = np.random.default_rng(17)
    weight, age, creatinine = generator.uniform([[40.0], [20.0], [0.5]], [[120.0], [90.0], [4.0]], (3, 997))
    values = weight * (140 - age) / (72 * creatinine)
    y = values + noise * np.sqrt(np.mean(values**2)) * generator.normal(size=997)
    found = wb.Discovery(wb.Dataset.from_table({"weight": weight, "age": age, "creatinine": creatinine, "y": y}, "y"))
    picked = finding(found.suppose("weight*(1.944 - 0.01389*age)/creatinine"))
    said = judgement(found, picked, [picked], picked.error**0.5)
    assert (said.verdict, any("bend" in reason for reason in said.reasons)) == (verdict, verdict == "approximation")
