"""Values or logarithms: decided by likelihood, carried by the dataset, replayed by the script."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose

import workbench as wb
from workbench.discovery.autopilot.scales import log_likelihood, suggest_transforms
from workbench.discovery.state import outputs, predict
from workbench.exceptions import DiscoveryError
from workbench.expression import parse
from workbench.figures.drawing import drawing


def mammals():
    return wb.load_sample("mammals").with_transforms({"brain": "log", "body": "log"})


@pytest.mark.parametrize(
    ("name", "transforms"),
    [
        ("mammals", {"body", "brain"}),
        ("mercury_vapour", {"pressure"}),
        ("cherry_trees", {"Girth", "Height", "Volume"}),
        ("hubble1929", set()),  # some velocities are negative
        ("puromycin", set()),
        ("capacitor", set()),
    ],
)
def test_scales_of_the_samples(name, transforms):
    assert set(suggest_transforms(wb.load_sample(name))) == transforms


@pytest.mark.parametrize(("factor", "expected"), [(True, {"y"}), (False, set())])
def test_scatter_that_is_a_factor_is_told_from_scatter_that_is_an_amount(factor, expected):
    generator = np.random.default_rng(17)
    x = generator.uniform(0.0, 4.0, 113)
    law, noise = 5.0 + np.exp(x), generator.normal(size=113)
    y = law * np.exp(0.25 * noise) if factor else law + 0.8 * noise
    assert set(suggest_transforms(wb.Dataset.from_table({"x": x, "y": np.abs(y)}, "y"))) == expected


@pytest.mark.parametrize("factor", [True, False])
def test_what_a_search_has_found_tells_scatter_that_is_a_factor_from_scatter_that_is_an_amount(factor):
    """Of five inputs no small network bends to s*m^2*b^2/(k*t), whose logarithm is a plane; the formula knows what the scatter is."""
    generator = np.random.default_rng(12)
    s, m, b, k, t = generator.uniform(1.0, 3.0, (5, 1009))
    truth, e = s * m**2 * b**2 / (k * t), 0.05 * generator.normal(size=1009)
    data = wb.Dataset.from_table({"s": s, "m": m, "b": b, "k": k, "t": t, "n": truth * np.exp(e) if factor else truth + e}, "n")
    assert "n" in suggest_transforms(data)
    found = suggest_transforms(data, laws=[parse("0.3*s"), parse("s*m**2*b**2/(k*t)"), parse("log(s - 2.0)")])
    assert ("n" in found) is factor


def test_log_likelihood_is_that_of_the_normal_density():
    """Truth from scipy: the density of y itself, lognormal on the logarithmic scale, at the variance found on checked rows."""
    from scipy.stats import lognorm, norm

    data = wb.Dataset.from_table({"x": np.arange(1.0, 8.0), "y": [1.3, 2.1, 2.9, 4.4, 5.2, 5.7, 7.9]}, "y")
    constant = 0.5 * 7 * (np.log(2 * np.pi) + 1)
    missed = np.array([0.11, -0.2, 0.07, 0.31, -0.13, -0.23, 0.17])
    for seen in (data, data.with_transforms({"y": "log"})):
        problem = wb.Discovery(seen).problems[0]
        sigma = np.sqrt(np.mean(missed**2))
        found = log_likelihood(seen, [problem], [(missed / problem.scale[0]) ** 2])
        y = data.y[:, 0]
        if seen.transforms:
            expected = lognorm.logpdf(y, sigma, scale=y * np.exp(missed)).sum()
        else:
            expected = norm.logpdf(y, y + missed, sigma).sum()
        assert_allclose(found - constant, expected, rtol=1e-10)


def test_figures_are_on_the_fitted_scale_and_predictions_on_that_of_the_table():
    data = mammals()
    found = wb.Discovery(data).fit(hidden_layer_sizes=()).snap((0, "body", 0), "x")
    rows = data.split.test
    slope, offset = np.polyfit(np.log(data.X_train[:, 0]), np.log(data.y_train[:, 0]), 1)
    modelled, truth = offset + slope * np.log(data.X[rows, 0]), np.log(data.y[rows, 0])
    assert_allclose(outputs(data, found.state.networks, rows)[:, 0], modelled, rtol=1e-7, atol=1e-8)  # one of them is near 0
    assert_allclose(predict(data, found.state.networks, rows)[:, 0], np.exp(modelled), rtol=1e-7)
    assert_allclose(found.metrics.r2_test, 1 - np.sum((truth - modelled) ** 2) / np.sum((truth - truth.mean()) ** 2), rtol=1e-6)
    assert_allclose(found.formula().predict(data.X[rows]), np.exp(modelled), rtol=1e-7)


def test_the_drawing_and_the_edge_say_that_logarithms_are_seen():
    data = mammals()
    found = wb.Discovery(data).fit(hidden_layer_sizes=())
    drawn = drawing(found.network, data.seen(data.X_train), labels=data)
    assert [node["label"] for layer in drawn["layers"] for node in layer["nodes"]] == ["log body", "log brain"]
    assert_allclose(drawn["edges"][0]["x"], [np.log(data.X_train.min()), np.log(data.X_train.max())], rtol=1e-12)
    assert drawn["edges"][0]["label"] == found.edges[0].label == "log body → log brain"


def test_the_script_replays_the_scales():
    found = wb.Discovery(mammals()).fit(hidden_layer_sizes=()).snap((0, "body", 0), "x")
    script = found.to_script()
    assert "wb.load_sample('mammals').with_transforms({'body': 'log', 'brain': 'log'})" in script
    replayed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert replayed.stdout.strip() == str(found.formula())


def test_a_saved_discovery_brings_the_scales_back(tmp_path):
    found = wb.Discovery(mammals()).fit(hidden_layer_sizes=()).snap((0, "body", 0), "x")
    found.save(tmp_path / "brains.kanwb")
    back = wb.load_discovery(tmp_path / "brains.kanwb")
    assert dict(back.data.transforms) == {"body": "log", "brain": "log"}
    assert str(back.formula()) == str(found.formula())


def test_a_model_of_the_values_does_not_begin_a_discovery_on_logarithms():
    data = mammals()
    model = wb.KANRegressor(hidden_layer_sizes=(), random_state=0).fit(data.X_train, data.y_train)
    with pytest.raises(DiscoveryError, match="the network of this dataset sees logarithms"):
        model.discover(data)


def test_a_law_without_an_offset_is_a_move_that_replays():
    data = wb.load_sample("capacitor")
    found = wb.Discovery(data).fit(hidden_layer_sizes=()).snap((0, "Time", 0), "exp", offset=False)
    assert found.path[-1].move.to_python() == "found.snap((0, 'Time', 0), 'exp', offset=False)"
    v0, rate = found.formula().constants
    assert_allclose([v0, -1 / rate], [9.11132, 0.472377], rtol=0.01)  # sample_data: V0 exp(-t/RC), the training rows of it


def test_scales_that_a_person_gave_are_left_alone():
    data = wb.load_sample("mammals").with_transforms({"brain": "log"})
    assert dict(wb.discover(data, time_budget=1, hidden_layer_sizes=()).data.transforms) == {"brain": "log"}
    assert not wb.discover(wb.load_sample("mammals"), time_budget=1, hidden_layer_sizes=(), scales="given").data.transforms


@pytest.mark.parametrize(("unit", "has_logarithm"), [("m", True), ("°C", False), ("degF", False)])
def test_degrees_of_heat_have_no_logarithm(unit: str, has_logarithm: bool) -> None:
    t = np.geomspace(1.0, 900.0, 61)
    y = 3.0 * t**1.7 * np.exp(0.05 * np.random.default_rng(2).normal(size=61))
    chosen = suggest_transforms(wb.Dataset.from_table({"t": t, "y": y}, "y", units={"t": unit}))
    assert ("t" in chosen) is has_logarithm
