"""A discovery with rational edges: every move, question and file that there is for splines."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import workbench as wb
from tests.discovery.conftest import fingerprint
from workbench.bases.rational import Rational
from workbench.export import export
from workbench.figures.drawing import drawing
from workbench.networks.as_torch import as_torch


@pytest.fixture(scope="module")
def data() -> wb.Dataset:
    """y = sin(3a) + 1/(1 + 4 b^2), and an input c that does nothing."""
    X = np.random.default_rng(9).uniform(-1, 1, (307, 3))
    columns = {"a": X[:, 0], "b": X[:, 1], "c": X[:, 2], "y": np.sin(3 * X[:, 0]) + 1 / (1 + 4 * X[:, 1] ** 2)}
    return wb.Dataset.from_table(pd.DataFrame(columns), target="y")


@pytest.fixture(scope="module")
def fitted(data: wb.Dataset) -> wb.Discovery:
    return wb.Discovery(data).fit(hidden_layer_sizes=(2,), basis="rational", degrees=((5, 4),), random_state=1)


@pytest.fixture
def found(fitted: wb.Discovery) -> wb.Discovery:
    return fitted.branch()


def test_edges_say_what_they_are(found: wb.Discovery) -> None:
    assert {edge.state for edge in found.edges} == {"rational"}
    assert all(edge.form is None for edge in found.edges)
    assert found.metrics.r2_test > 0.999


def test_the_formula_is_the_network_to_the_last_digits(found: wb.Discovery, data: wb.Dataset) -> None:
    formula = found.formula()
    assert formula.certificate.exact
    assert set(formula.definitions) == {"phi_{}_{}_{}".format(*edge.index) for edge in found.edges}
    assert "exact rational functions" in " ".join(formula.notes)
    assert_allclose(formula.predict(data.X_train), found.network(data.X_train)[:, 0], rtol=1e-11, atol=1e-11)


def test_a_question_never_changes_the_answer(found: wb.Discovery) -> None:
    before = fingerprint(found)
    found.candidates(found.edges[0].index, top=3)
    found.formula(decimals=3)
    found.pruning_curve()
    drawing(found.network, found.data.X_train)
    export(found.formula(), "c")
    assert fingerprint(found) == before


def test_drawn_curves_are_the_edges(found: wb.Discovery, data: wb.Dataset) -> None:
    for edge in drawing(found.network, data.X_train)["edges"]:
        low, high = edge["range"]
        x = np.linspace(*edge["x"], 64)
        address = (edge["layer"], edge["source"], edge["target"])
        drawn = low + np.array(edge["y"]) / 1000 * (high - low)
        assert_allclose(drawn, found.network.edge_value(address, x), atol=1e-3 * (high - low))


def test_edges_are_pruned_named_released_and_locked(found: wb.Discovery) -> None:
    found.eliminate()
    assert not [edge for edge in found.network.edges() if edge[:2] == (0, 2)]  # c does nothing
    assert found.metrics.r2_test > 0.9999
    edge = next(edge.index for edge in found.edges if edge.index[:2] == (0, 0))
    assert "sin" in [choice.name for choice in found.candidates(edge, top=6)]
    found.snap(edge, "sin")
    assert (found.network.state(edge), found.metrics.n_symbolic) == ("snapped", 1)
    before = found.metrics.r2_test
    found.release(edge)
    assert found.network.state(edge) == "rational"
    assert found.metrics.r2_test > before - 1e-4
    constants = found.network.layers[0].coefficients[:, edge[2], 0].copy()
    found.lock(edge).refit(5)
    assert_array_equal(found.network.layers[0].coefficients[:, edge[2], 0], constants)
    found.unlock(edge).refit(5)
    assert np.abs(found.network.layers[0].coefficients[:, edge[2], 0] - constants).max() > 0


def test_a_law_hidden_in_rational_edges_comes_out(data: wb.Dataset) -> None:
    found = wb.Discovery(data).fit(hidden_layer_sizes=(), basis="rational").prune(inputs=["c"])
    found.snap((0, "a", 0), "sin").snap((0, "b", 0), "1/(1+k*x^2)").refit()
    formula = found.formula(decimals=6)
    assert formula.score(data.X_test, data.y_test) > 1 - 1e-10
    assert not formula.definitions


def test_a_file_brings_every_byte_back_and_the_script_makes_them_again(found: wb.Discovery, tmp_path: Path) -> None:
    found.prune(threshold=0.05)
    found.snap(found.edges[0].index, "sin")
    path = tmp_path / "rational.kanwb"
    found.save(path)
    again = wb.load_discovery(path)
    assert fingerprint(again) == fingerprint(found)
    assert {layer.basis for layer in again.network.layers} == {Rational(5, 4, "square")}
    script = tmp_path / "again.py"
    script.write_text(found.to_script() + f"found.save({str(tmp_path / 'replayed.kanwb')!r})\n", encoding="utf-8")
    subprocess.run([sys.executable, "-W", "error", str(script)], check=True, capture_output=True, cwd=tmp_path, timeout=300)
    assert fingerprint(wb.load_discovery(tmp_path / "replayed.kanwb")) == fingerprint(found)


def test_what_a_formula_misses_can_be_fitted_by_rational_functions_and_they_by_more_of_their_kind(data: wb.Dataset) -> None:
    found = wb.Discovery(data).suppose("sin(3*a) + d").extend(basis="rational", degrees=((5, 4),))
    assert found.metrics.r2_validation > 1 - 1e-4
    assert found.network.state((0, 1, 1)) == "rational"
    before = found.network(data.X_train)
    found.extend(degrees=((6, 2),), max_iter=3)
    assert {layer.basis for layer in found.network.layers} == {Rational(6, 4)}
    assert np.abs(found.network(data.X_train) - before).max() < 0.1
    assert found.formula().certificate.exact


def test_groups_of_rows_have_functions_of_their_own() -> None:
    generator = np.random.default_rng(2)
    x, kind = generator.uniform(0, 5, 211), generator.integers(0, 2, 211)
    rate = np.where(kind == 0, 3.0, 5.0) / (1 + (x - 2) ** 2)
    table = pd.DataFrame({"x": x, "kind": np.array(["plain", "treated"])[kind], "rate": rate})
    data = wb.Dataset.from_table(table, target="rate", categories="group")
    formula = wb.Discovery(data).fit(hidden_layer_sizes=(), basis="rational").formula()
    assert set(formula.definitions) == {"phi_0_0_0_0", "phi_0_0_0_1"}
    assert formula.certificate.exact


def test_torch_has_the_same_function(found: wb.Discovery, data: wb.Dataset) -> None:
    import torch

    module = as_torch(found.network)
    assert_allclose(module(torch.from_numpy(data.X_test)).detach().numpy(), found.network(data.X_test), rtol=1e-10, atol=1e-10)
