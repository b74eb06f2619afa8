"""The human in the loop: moves append, the cursor moves freely, questions change nothing, scripts replay to the same bytes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import workbench as wb
from tests.discovery.conftest import fingerprint
from workbench.discovery import reading
from workbench.discovery.autopilot.shapes import name_edges
from workbench.discovery.inspection import inspect, previews
from workbench.exceptions import DiscoveryError, ProjectError, SnapError, UnknownEdgeError, UnknownPrimitiveError
from workbench.figures.drawing import drawing, edge_id, form_text


def everything(found: wb.Discovery) -> list[str]:
    return [fingerprint(found.branch().go_to(state.id)) for state in found.states]


def test_a_question_never_changes_the_answer(found: wb.Discovery) -> None:
    found.snap((0, "x", found.edges[0].index[2]), "sin")
    before = everything(found)
    found.candidates(found.network.edges("spline")[0])
    found.formula()
    found.formula(decimals=2, nice=True)
    found.pruning_curve()
    _ = found.edges, found.metrics, found.to_script()
    assert everything(found) == before


def test_undo_and_redo_bring_back_every_byte(found: wb.Discovery) -> None:
    start = fingerprint(found)
    edge = found.network.edges("spline")[0]
    after = fingerprint(found.snap(edge, "sin"))
    assert fingerprint(found.undo()) == start
    assert fingerprint(found.redo()) == after


def test_a_move_after_undo_grows_a_branch_and_loses_nothing(found: wb.Discovery) -> None:
    edge = found.network.edges("spline")[0]
    first = found.snap(edge, "sin").state.id
    second = found.undo().snap(edge, "x^2").state.id
    assert {first, second} <= {state.id for state in found.states}
    assert found.go_to(first).network.symbolic_edge(edge).form.name == "sin"
    assert found.undo().redo().state.id == first


def test_snapping_to_a_candidate_costs_what_the_candidate_said(found: wb.Discovery) -> None:
    edge = found.network.edges("spline")[-1]
    choice = next(choice for choice in found.candidates(edge) if choice.refitted)
    assert found.snap(edge, choice.name).metrics.rmse_validation <= 1.05 * choice.rmse_validation


def test_snapping_from_given_constants_starts_there(found: wb.Discovery) -> None:
    edge = found.network.edges("spline")[0]
    constants = {"c": 0.9, "a": 3.0, "b": 0.1}
    found.snap(edge, "sin", parameters=constants)
    assert found.network.symbolic_edge(edge).form.name == "sin"
    assert found.state.move.arguments["parameters"] == constants
    with pytest.raises(SnapError, match="give a number for each of c, a, b"):
        found.snap(edge, "sin", parameters={"a": 1.0})


def test_a_typed_form_is_fitted(found: wb.Discovery) -> None:
    edge = found.network.edges("spline")[0]
    found.snap(edge, "p*x^2 + q*x + r")
    assert found.metrics.n_symbolic == 1
    assert set(found.network.symbolic_edge(edge).form.parameter_names) == {"p", "q"}


def test_release_returns_to_a_spline_of_the_same_curve(found: wb.Discovery) -> None:
    edge = found.network.edges("spline")[0]
    found.snap(edge, "sin")
    error = found.metrics.rmse_validation
    found.release(edge)
    assert found.network.state(edge) == "spline"
    assert found.metrics.rmse_validation < 2 * error


def test_a_locked_edge_keeps_its_constants(found: wb.Discovery) -> None:
    edge = found.network.edges("spline")[0]
    found.snap(edge, "sin").lock(edge)
    before = found.network.symbolic_edge(edge).parameters
    found.refit(10)
    assert found.network.symbolic_edge(edge).parameters == before
    assert found.network.state(edge) == "locked"
    assert found.unlock(edge).network.state(edge) == "snapped"


def test_edges_are_addressed_by_column_name(found: wb.Discovery) -> None:
    target = found.edges[0].index[2]
    assert found.snap((0, "x", target), "sin").state.move.arguments["edge"] == [0, "x", target]
    with pytest.raises(UnknownEdgeError, match=r"'xx' is not a column at this end.*Columns: x, y"):
        found.snap((0, "xx", 0), "sin")
    with pytest.raises(UnknownEdgeError, match=r"There is no edge \(0, 0, 99\)\. Did you mean"):
        found.candidates((0, 0, 99))
    with pytest.raises(UnknownPrimitiveError, match=r"Did you mean 'sin'"):
        found.snap((0, "x", target), "sinn")


def test_inputs_nodes_and_edges_can_be_pruned(found: wb.Discovery) -> None:
    by_input = found.branch().prune(inputs=["y"])
    assert not [edge for edge in by_input.network.edges() if edge[:2] == (0, 1)]
    node = found.network.layers[1].sources[0]
    by_node = found.branch().prune(nodes=[(1, node)])
    assert not [edge for edge in by_node.network.edges() if edge[0] == 1 and edge[1] == node]
    with pytest.raises(DiscoveryError, match="one of threshold=, edges=, nodes= or inputs="):
        found.prune()


def test_the_hello_function_is_read_from_the_network(found: wb.Discovery) -> None:
    found.eliminate()
    name_edges(found)
    formula = found.refit(100).formula(nice=True)
    assert formula.to_text() == "f = exp(sin(pi*x) + y**2)"
    assert formula.certificate.max_abs["test"] < 1e-9


def test_the_script_replays_to_the_same_bytes(tmp_path: Path) -> None:
    found = wb.Discovery(wb.load_sample("cherry_trees")).fit(hidden_layer_sizes=(1,), n_starts=1, random_state=5)
    found.prune(threshold=0.01).snap((0, "Girth", 0), "x^2").refit(20)
    script = found.to_script() + "\nfound.save('replayed.kanwb')\n"
    (tmp_path / "replay.py").write_text(script, encoding="utf-8")
    done = subprocess.run([sys.executable, "-W", "error", "replay.py"], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert everything(wb.load_discovery(tmp_path / "replayed.kanwb")) == everything(found)


def test_the_script_of_ones_own_data_reads_them_from_the_file_they_were_saved_to(found: wb.Discovery, tmp_path: Path) -> None:
    found.snap(found.network.edges("spline")[0], "sin")
    found.save(tmp_path / "mine.kanwb")
    assert f"wb.load_discovery({str(tmp_path / 'mine.kanwb')!r}).data" in found.to_script()
    assert wb.load_discovery(tmp_path / "mine.kanwb").to_script() == found.to_script()
    done = subprocess.run([sys.executable, "-W", "error", "-c", found.to_script()], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(found.formula())


def test_the_script_of_the_autopilot_prints_the_formula_that_it_found() -> None:
    found = wb.discover(wb.load_sample("planets"), time_budget=10, random_state=0)
    done = subprocess.run([sys.executable, "-W", "error", "-c", found.to_script()], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(found.formula())


def test_settings_that_are_none_are_answered(hello: wb.Dataset) -> None:
    with pytest.raises(DiscoveryError, match=r"fit\(hidden_layers=...\): no such setting. Did you mean 'hidden_layer_sizes'"):
        wb.Discovery(hello).fit(hidden_layers=(3,))
    with pytest.raises(DiscoveryError, match=r"hidden_layer_sizes=3.*Sizes are tuples"):
        wb.Discovery(hello).fit(hidden_layer_sizes=3)


def test_a_saved_discovery_comes_back_whole(found: wb.Discovery, tmp_path: Path) -> None:
    found.snap(found.network.edges("spline")[0], "sin").undo()
    found.save(tmp_path / "hello.kanwb")
    again = wb.load_discovery(tmp_path / "hello.kanwb")
    assert everything(again) == everything(found)
    assert again.state.id == found.state.id
    assert again.data.fingerprint == found.data.fingerprint
    assert again.redo().metrics == found.redo().metrics
    assert_array_equal(again.formula().predict(found.data.X_test), found.formula().predict(found.data.X_test))


def test_half_a_file_is_refused(found: wb.Discovery, tmp_path: Path) -> None:
    found.save(tmp_path / "hello.kanwb")
    content = (tmp_path / "hello.kanwb").read_bytes()
    (tmp_path / "half.kanwb").write_bytes(content[: len(content) // 2])
    with pytest.raises(ProjectError):
        wb.load_discovery(tmp_path / "half.kanwb")


def test_groups_share_a_form_and_have_their_own_constants() -> None:
    found = wb.Discovery(wb.load_sample("puromycin")).fit(hidden_layer_sizes=(), n_starts=1)
    formula = found.snap((0, "conc", 0), "x/(1+x)").formula()
    assert set(formula.groups) == {"treated", "untreated"}
    for label, (vmax, km) in {"treated": (212.7, 0.0641), "untreated": (160.3, 0.0477)}.items():
        concentration = np.array([0.05, 0.5])
        values = formula.predict(concentration[:, None], groups=[label, label])
        assert_allclose(values, vmax * concentration / (km + concentration), rtol=0.05)


def test_a_model_hands_over_and_stays_as_it_is(hello: wb.Dataset) -> None:
    model = wb.KANRegressor(hidden_layer_sizes=(2,), n_starts=1, intervals=(5,), random_state=0).fit(hello.X_train, hello.y_train[:, 0])
    before = model.predict(hello.X_test)
    found = model.discover(hello)
    found.prune(threshold=0.05).undo()
    assert_array_equal(model.predict(hello.X_test), before)
    assert_allclose(found.network(hello.X_test)[:, 0], before, rtol=1e-12)
    assert "wb.KANRegressor(" in found.to_script()


def test_the_form_an_edge_has_is_shown_with_the_constants_it_has(found: wb.Discovery) -> None:
    edge = found.network.edges("spline")[0]
    constants = found.snap(edge, "sin").network.symbolic_edge(edge).parameters
    listed = next(choice for choice in found.candidates(edge) if choice.name == "sin")
    assert listed.candidates[0].parameters == constants
    assert next(fit for fit in previews(found, edge) if fit.form.name == "sin").parameters == constants


def test_nothing_to_undo_or_redo_is_said(hello: wb.Dataset, found: wb.Discovery) -> None:
    with pytest.raises(DiscoveryError, match="Nothing is fitted yet"):
        _ = wb.Discovery(hello).network
    with pytest.raises(DiscoveryError, match="nothing to undo"):
        found.undo()
    with pytest.raises(DiscoveryError, match="nothing to redo"):
        found.redo()
    with pytest.raises(DiscoveryError, match="There is no state 99"):
        found.go_to(99)


def test_a_node_has_one_name_in_the_list_of_edges_the_drawing_and_the_inspector():
    data = wb.Dataset.from_table({"a": np.linspace(0, 1, 37), "b": np.cos(np.arange(37.0)), "y": np.sin(np.arange(37.0))}, "y")
    found = wb.Discovery(data).fit(hidden_layer_sizes=(2, 3), max_iter=2, n_starts=1)
    drawn = {edge["id"]: edge["label"] for edge in drawing(found.network, data.X, labels=data)["edges"]}
    told = {edge_id(edge.index): edge.label for edge in found.edges}
    assert told == {name: drawn[name] for name in told}
    assert {told["0.0.1"], told["1.1.2"], told["2.2.0"]} == {"a → h1", "h1 → h2,2", "h2,2 → y"}
    assert inspect(found, (2, 2, 0), previews(found, (2, 2, 0)))["x_label"] == "h2,2"


def test_a_script_leaves_out_the_rows_that_were_set_aside() -> None:
    data = wb.load_sample("cherry_trees").without([3, 4], "they were felled twice").without([0], "it was measured from above")
    found = wb.Discovery(data).fit(hidden_layer_sizes=(), n_starts=1)
    script = found.to_script()
    assert ".without([3, 4], 'they were felled twice').without([0], 'it was measured from above')" in script
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "Volume" in done.stdout


def test_a_number_that_was_typed_stays_in_the_plain_formula() -> None:
    """Mercury's vapour pressure with the zero of temperature left free is 262.6; who typed 273.15 means 273.15."""
    data = wb.load_sample("mercury_vapour").with_transforms({"pressure": "log"})
    found = wb.Discovery(data).fit(hidden_layer_sizes=(), n_starts=1).snap((0, 0, 0), "b/(x+273.15)")
    assert "5463/20" in str(found.formula(nice=True))
    assert "273.15" in form_text(found.network.symbolic_edge((0, 0, 0)))  # what stands beside the curve
    assert "273.15" in found.edges[0].form
    assert "273.15" in found.formula(nice=True).to_latex()


def test_the_plain_formula_of_a_state_is_one_however_often_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of constants that trade against each other the last digit decides which become plain: what was picked must be what is shown."""
    x = np.random.default_rng(5).uniform(1.0, 4.0, 61)
    found = wb.Discovery(wb.Dataset.from_table({"x": x, "y": 2 * x**2 + 0.01 * np.sin(40 * x)}, "y")).suppose("2.001*x**1.9996")
    plain, read = reading.plain, []
    monkeypatch.setattr(reading, "plain", lambda formula, data: read.append(formula) or plain(formula, data))
    first = found.formula(nice=True)
    assert found.branch().formula(nice=True).outputs == first.outputs == found.formula(nice=True).outputs
    assert len(read) == 1
    assert found.refit(5).formula(nice=True).outputs
    assert len(read) == 2
