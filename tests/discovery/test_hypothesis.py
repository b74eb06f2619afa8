"""Start from a formula: it becomes a network, its open constants are fitted, and what it misses is fitted on top."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import curve_fit

import workbench as wb
from workbench.discovery import Move
from workbench.exceptions import DiscoveryError, ExpressionError
from workbench.expression import free_constants


def dataset(law: object, n_rows: int = 311, noise: float = 0.0, **options: object) -> wb.Dataset:
    rng = np.random.default_rng(11)
    a, b, c = rng.uniform(0.5, 2.0, (3, n_rows))
    y = law(a, b, c)
    frame = pd.DataFrame({"a": a, "b": b, "c c": c, "y": y + noise * rng.normal(size=n_rows)})
    return wb.Dataset.from_table(frame, target="y", **options)


def test_open_constants_are_those_of_scipys_fit() -> None:
    data = wb.load_sample("puromycin")
    rows = data.split.train[data.groups[data.split.train] == 0]
    truth, _ = curve_fit(lambda x, v, k: v * x / (k + x), data.X[rows, 0], data.y[rows, 0], [200, 0.1])
    found = wb.Discovery(data).suppose("V*conc/(K + conc)")
    assert_allclose(free_constants(found.formula().outputs[0].expression), truth, rtol=1e-5)
    assert found.formula().certificate.exact


@pytest.mark.parametrize(
    ("sample", "text", "r2"),
    [
        ("planets", "k*a_au^p", 0.99999),
        ("mercury_vapour", "pressure = A*exp(-B/(temperature + C))", 0.99999),  # constants of 1e7, 7e3 and 3e2
        ("capacitor", "V0*exp(-Time/tau) + c", 0.9999),
        ("cherry_trees", "k*Girth^p*Height^q", 0.97),
    ],
)
def test_constants_of_any_size_are_found(sample: str, text: str, r2: float) -> None:
    assert wb.Discovery(wb.load_sample(sample)).suppose(text).metrics.r2_train > r2


def test_numbers_without_a_point_are_exact() -> None:
    data = dataset(lambda a, b, c: 3.3 * a**2 / b)
    assert str(wb.Discovery(data).suppose("1.0*a^2/b").formula(decimals=3)) == "y = 3.3*a**2/b"


def test_columns_whose_names_are_no_identifiers_go_by_their_symbols() -> None:
    data = dataset(lambda a, b, c: 2 * a * c)
    found = wb.Discovery(data).suppose(f"k*a*{data.features[2].symbol}")
    assert found.metrics.rmse_validation < 1e-12


def test_logarithmic_scales_are_seen_through() -> None:
    data = dataset(lambda a, b, c: 2.5 * a**1.5 / (b + c)).with_transforms({"y": "log", "a": "log", "b": "log"})
    found = wb.Discovery(data).suppose("k*a^p/(b + q*c_c)")
    assert found.metrics.rmse_validation < 1e-8
    assert str(found.formula(nice=True)) == "y = 5*a**(3/2)/(2*(b + c_c))"


def test_every_group_gets_its_own_constants() -> None:
    rng = np.random.default_rng(2)
    x, which = rng.uniform(1, 3, 83), np.array(["cu", "fe"])[rng.integers(0, 2, 83)]
    frame = pd.DataFrame({"x": x, "metal": which, "y": np.where(which == "cu", 2.0, 5.0) * np.sqrt(x)})
    data = wb.Dataset.from_table(frame, target="y", group="metal")
    formula = wb.Discovery(data).suppose("k*sqrt(x)").formula()
    assert {label: free_constants(outputs[0].expression) for label, outputs in formula.groups.items()} == {"cu": pytest.approx((2.0,)), "fe": pytest.approx((5.0,))}


def test_what_it_misses_is_fitted_on_top_and_can_be_named() -> None:
    data = dataset(lambda a, b, c: a * b + 0.3 * np.sin(3 * c))
    found = wb.Discovery(data).suppose("k*a*b + d")
    missed = 1.0 - found.metrics.r2_validation
    assert missed > 0.02
    found.extend()
    assert 1.0 - found.metrics.r2_validation < 1e-3 * missed
    found.eliminate()
    (curve,) = found.network.edges("spline")
    found.snap(curve, "sin").refit()
    assert str(found.formula(nice=True)) == "y = a*b + 3*sin(3*c_c)/10"


def test_extending_changes_no_constant_of_the_formula_and_can_be_undone() -> None:
    data = dataset(lambda a, b, c: a * b + 0.3 * np.sin(3 * c))
    found = wb.Discovery(data).suppose("k*a*b + d")
    before = {edge: found.network.symbolic_edge(edge) for edge in found.network.edges()}
    state = found.state.id
    found.extend()
    assert {edge: found.network.symbolic_edge(edge) for edge in before} == before
    assert found.undo().state.id == state


def test_it_is_recorded_and_replayed_to_the_same_bytes() -> None:
    data = dataset(lambda a, b, c: a * b + 0.3 * np.sin(3 * c), n_rows=113)
    one, other = (wb.Discovery(data).suppose("k*a*b + d").extend(hidden_layer_sizes=(2,), random_state=3) for _ in range(2))
    assert next(move.to_python() for move in (state.move for state in one.path)) == "found.suppose('k*a*b + d')"
    assert np.array_equal(one.network(data.X), other.network(data.X))
    for state in one.path:
        assert Move.from_json(state.move.to_json()) == state.move


def test_a_project_brings_it_back(tmp_path: object) -> None:
    found = wb.Discovery(wb.load_sample("puromycin")).suppose("V*conc/(K + conc)", origin="operon")
    found.save(tmp_path / "p.kanwb")
    back = wb.load_discovery(tmp_path / "p.kanwb")
    assert back.state.move.arguments["origin"] == "operon"
    assert str(back.formula()) == str(found.formula())


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("k*A", DiscoveryError, "no column 'A'. Did you mean 'a'"),
        ("3 + k", DiscoveryError, "holds no column"),
        ("z = a*b", DiscoveryError, "left of the = stands 'z'; the target is 'y'"),
        ("y*a", DiscoveryError, "holds the target"),
        ("a*(b", ExpressionError, "bracket"),
        ("log(a - 9)", DiscoveryError, "no finite value on"),
        ("k*log(a - 9)", DiscoveryError, "for no value of k"),
        ("+".join(f"k{i}*a^{i}" for i in range(13)), DiscoveryError, "at most 12"),
        ("__import__('os').system('true')", ExpressionError, "Allowed: numbers, names"),
    ],
)
def test_what_cannot_be_a_hypothesis_is_answered(text: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        wb.Discovery(dataset(lambda a, b, c: a * b, n_rows=41)).suppose(text)


def test_who_watches_what_is_fitted_on_top_sees_the_sum() -> None:
    data = dataset(lambda a, b, c: a * b + 0.3 * np.sin(3 * c))
    found = wb.Discovery(data).suppose("k*a*b + d")
    formula, seen = found.network, []
    found.extend(watch=lambda progress: seen.append(progress.network), n_starts=1)
    assert len(seen) > 2
    assert set(formula.edges()) < set(seen[0].edges())
    assert set(seen[-1].edges()) == set(found.network.edges())
