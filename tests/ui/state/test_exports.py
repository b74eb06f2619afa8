"""The Export page without a page: what is written is run, what is predicted is compared with the network."""

from __future__ import annotations

import csv
import io
import math
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

import workbench as wb
from workbench.exceptions import ProjectError, WorkbenchError
from workbench.export import TARGETS
from workbench.store import Store
from workbench.ui.services import Services
from workbench.ui.state.export import Exports, Wish
from workbench.ui.state.jobs import Jobs


def made(services: Services, data: wb.Dataset, *moves: dict, **settings: object) -> str:
    """Return a project with a fit and some moves."""
    project = services.store.projects.create(data.name).id
    services.store.projects.set_data(project, *data.to_arrays())
    jobs = [("discovery.fit", {"settings": settings}), *(("discovery.move", {"move": move}) for move in moves)]
    for task, arguments in jobs:
        services.pool.wait(Jobs(services).submit(project, task, arguments, lane="interactive").id, 120)
    return project


def snap(source: object, form: str) -> dict:
    return {"name": "snap", "arguments": {"edge": [0, source, 0], "form": form}}


@pytest.fixture
def trees(opened: Services) -> Exports:
    project = made(opened, wb.load_sample("cherry_trees"), snap("Girth", "x^2"), snap("Height", "x"), hidden_layer_sizes=())
    return Exports(opened, project, OrderedDict())


def test_the_formula_comes_with_its_proof_constants_and_plots(trees: Exports) -> None:
    told = trees.formula(Wish())
    assert told["certificate"]["exact"]
    assert told["unnamed"] == []
    assert "\\mathrm{Girth}" in told["latex"]
    assert [(entry["name"], entry["unit"]) for entry in told["ranges"]] == [("Girth", "in"), ("Height", "ft")]
    data = wb.load_sample("cherry_trees")
    assert told["parity"]["train"]["measured"] == data.y_train[:, 0].tolist()
    residual = np.subtract(told["parity"]["train"]["measured"], told["parity"]["train"]["predicted"])
    assert 1 - residual.var() / data.y_train.var() == pytest.approx(told["metrics"]["r2_train"], abs=1e-6)
    for constant in told["constants"]:
        assert constant["low"] < constant["value"] < constant["high"]
    assert "found.snap((0, 'Girth', 0), 'x^2')" in told["script"]
    assert "found.fit(" in told["script"]


def test_decimals_round_and_plain_constants_say_what_they_cost(trees: Exports) -> None:
    rounded = trees.formula(Wish(decimals=2))
    assert not rounded["certificate"]["exact"]
    assert all(len(f"{constant['value']:g}".lstrip("-0.")) <= 6 for constant in rounded["constants"])
    plain = trees.formula(Wish(nice=True))
    assert any(tried["applied"] for tried in plain["replacements"])
    assert all(tried["cost"] is None or tried["cost"] < 1.0 for tried in plain["replacements"] if tried["applied"])


def test_every_language_is_written_and_an_answer_is_kept(trees: Exports) -> None:
    for target in TARGETS:
        assert len(trees.document(target, Wish()).content) > 100, target
    assert trees.document("c", Wish()) is trees.document("c", Wish())
    ElementTree.fromstring(trees.document("svg", Wish()).content)


def test_the_python_file_predicts_what_the_page_shows(trees: Exports, tmp_path: Path) -> None:
    document = trees.document("python", Wish())
    (tmp_path / document.name).write_bytes(document.content)
    data = wb.load_sample("cherry_trees")
    calls = "\n".join(f"print(predict({girth!r}, {height!r}))" for girth, height in data.X_train.tolist())
    run = subprocess.run([sys.executable, "-c", f"from {Path(document.name).stem} import predict\n{calls}"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert_allclose([float(line) for line in run.stdout.split()], trees.formula(Wish())["parity"]["train"]["predicted"], rtol=1e-12)


def test_the_project_file_holds_all_of_it(trees: Exports, tmp_path: Path) -> None:
    with Store(tmp_path / "elsewhere") as other:
        project = other.import_file(trees.project_file())
        assert [step.label for step in other.states.history(project.id)] == ["fit", "Girth → Volume is x^2", "Height → Volume is x"]
    (tmp_path / "trees.kanwb").write_bytes(trees.project_file())
    assert wb.load_discovery(tmp_path / "trees.kanwb").metrics.n_symbolic == 2


def test_a_new_table_is_predicted_and_rows_outside_the_range_are_marked(trees: Exports) -> None:
    content = b"Height;Girth;note\n70;10,5;beech\n75;44;=2+2\n80;;oak\n"
    found = trees.predict("new.csv", content, Wish())
    rows = list(csv.DictReader(io.StringIO(found.csv.decode())))
    told = trees.formula(Wish())
    assert [row["outside_range"] for row in rows] == ["0", "1", "0"]
    assert (found.rows, found.predicted, found.outside) == (3, 2, 1)
    assert rows[2]["predicted Volume"] == ""
    assert rows[1]["note"] == "'=2+2"
    assert "Girth 44" in found.message
    assert "missing or unknown" in found.message
    value = value_of(told["text"], Girth=10.5, Height=70.0)
    assert float(rows[0]["predicted Volume"]) == pytest.approx(value, rel=1e-12)


def value_of(text: str, **values: float) -> float:
    """Evaluate `Volume = ...` by our own parser."""
    from workbench.expression import evaluate, parse

    return float(evaluate(parse(text.partition("=")[2]), {name: np.array([value]) for name, value in values.items()})[0])


def test_a_table_without_an_input_is_refused_by_its_name(trees: Exports) -> None:
    with pytest.raises(WorkbenchError, match="Girth"):
        trees.predict("new.csv", b"Height,Width\n70,1\n80,2\n", Wish())
    with pytest.raises(WorkbenchError, match="PNG"):
        trees.predict("new.csv", b"\x89PNG\r\n\x1a\n" + bytes(50), Wish())


def test_without_a_network_there_is_nothing_to_export(opened: Services) -> None:
    exports = Exports(opened, opened.store.projects.create("empty").id, OrderedDict())
    assert exports.state is None
    with pytest.raises(ProjectError, match="Fit one on the page Data"):
        exports.formula(Wish())


def test_groups_have_a_law_and_constants_for_each(opened: Services) -> None:
    x = np.tile(np.linspace(1.0, 5.0, 23), 2)
    kind = np.repeat(["left", "right"], 23)
    y = np.where(kind == "left", 2.0, 7.0) * x + 1.0
    data = wb.Dataset.from_table({"x": x, "kind": kind, "y": y}, "y", group="kind")
    exports = Exports(opened, made(opened, data, snap("x", "x"), hidden_layer_sizes=()), OrderedDict())
    told = exports.formula(Wish())
    assert {constant["group"] for constant in told["constants"]} == {"left", "right"}
    assert told["latex"].count("\\mathrm{y}") + told["latex"].count("y &=") >= 2
    found = exports.predict("new.csv", b"x,kind\n2,left\n2,right\n2,middle\n", Wish())
    rows = list(csv.DictReader(io.StringIO(found.csv.decode())))
    assert [float(row["predicted y"] or math.nan) for row in rows[:2]] == pytest.approx([5.0, 15.0], rel=1e-6)
    assert rows[2]["predicted y"] == ""


def test_classes_are_predicted_with_their_probability(opened: Services) -> None:
    generator = np.random.default_rng(5)
    x = generator.uniform(-1, 1, 211)
    data = wb.Dataset.from_table({"x": x, "side": np.where(x > 0.1, "above", "below")}, "side", task="classification")
    exports = Exports(opened, made(opened, data, hidden_layer_sizes=()), OrderedDict())
    assert exports.formula(Wish())["parity"] == {}
    rows = list(csv.DictReader(io.StringIO(exports.predict("new.csv", b"x\n-0.8\n0.9\n", Wish()).csv.decode())))
    assert [row["predicted side"] for row in rows] == ["below", "above"]
    assert all(float(row["predicted probability"]) > 0.9 for row in rows)


def test_a_shorter_form_is_looked_for_by_a_worker(trees: Exports) -> None:
    found = trees.shorter(Wish(nice=True))
    assert [output["symbol"] for output in found["outputs"]] == ["Volume"]
    assert sum(output["complexity"] for output in found["outputs"]) <= trees.formula(Wish(nice=True))["complexity"]
