"""A transformer on a table: it learns, is named, remembers why, goes through a file, and says what it cannot do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

import workbench as wb
from tests.transformer.conftest import SETTINGS, table
from workbench.exceptions import DiscoveryError, NetworkError, ProjectError, TrainingError
from workbench.store import Archive, Store, read_project, write_project
from workbench.transformer.learning import Progress
from workbench.transformer.settings import KATSettings
from workbench.transformer.storage import from_store, lessons_from, record
from workbench.transformer.view import code_of, to_script, view_of

FIRST = ("blocks.0.mlp.act1", 0)
SECOND = ("blocks.0.mlp.act2", 1)


def equal(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    pairs = zip(one.state_dict().items(), other.state_dict().items(), strict=True)
    return all(name == same and torch.equal(a, b) for (name, a), (same, b) in pairs)


def test_images_are_learned_from_columns_and_scored_on_rows_nobody_trained_on(trained: wb.Transformer) -> None:
    metrics = trained.metrics()
    assert trained.module.config.tokens.shape == (1, 4, 4)
    assert metrics["r2_validation"] > 0.9
    assert metrics["score"] == "accuracy"
    assert (metrics["n_edges"], metrics["n_symbolic"]) == (4, 0)
    lessons = trained.lessons
    assert sum(map(len, (lessons.training, lessons.validation, lessons.test))) == trained.data.n_rows


def test_a_snap_is_a_new_value_and_says_how_many_channels_share_it(trained: wb.Transformer) -> None:
    before = {name: values.clone() for name, values in trained.module.state_dict().items()}
    snapped = trained.snap(FIRST, "x")
    assert [f.name.form.name if f.name else None for f in snapped.reading.functions] == ["x", None, None, None]
    assert snapped.reading.functions[0].n_channels == 8
    assert snapped.label == "block 1, first, group 1 is x"
    assert all(torch.equal(values, before[name]) for name, values in trained.module.state_dict().items())
    assert snapped.certificate().n_named == 1
    assert snapped.certificate().parts["test"].score_opened == trained.metrics()["r2_test"]


def test_another_name_for_a_named_function_is_fitted_to_the_rational_it_was(trained: wb.Transformer) -> None:
    line = trained.snap(SECOND, "x", epochs=0)  # a poor name
    again = line.snap(SECOND, "gelu", epochs=0)
    direct = trained.snap(SECOND, "gelu", epochs=0)
    assert again.reading.functions[3].text == direct.reading.functions[3].text
    assert equal(again.module, direct.module)


def test_release_gives_the_rational_back(trained: wb.Transformer) -> None:
    assert equal(trained.snap(FIRST, "x", epochs=0).release(FIRST).module, trained.module)


def test_all_functions_get_names_that_are_simple_enough(trained: wb.Transformer) -> None:
    *states, last = trained.names(max_complexity=5)
    assert [state.metrics()["n_symbolic"] for state in states] == [1, 2, 3, 4]
    assert last.move == {"name": "refit", "arguments": {"epochs": 10}}
    assert max(f.name.form.complexity for f in last.reading.functions) <= 5
    assert last.metrics()["r2_test"] > trained.metrics()["r2_test"] - 0.05


def test_the_script_makes_the_same_bytes_again(trained: wb.Transformer) -> None:
    path = [trained, trained.snap(FIRST, "x")]
    path += [path[-1].name(SECOND, max_complexity=4)]
    path += [path[-1].refit(2)]
    script = to_script(path[-1], [state.move for state in path], "sides")
    calls = [line for line in script.splitlines() if line.startswith("kat = ")]
    assert calls == [code_of(state.move) for state in path]
    made = {"wb": wb, "data": trained.data}
    exec("\n".join(calls), made)
    assert equal(made["kat"].module, path[-1].module)


def test_moves_are_data_and_nothing_else_is_a_move(trained: wb.Transformer) -> None:
    moved = trained.moved({"name": "snap", "arguments": {"address": list(FIRST), "form": "x", "epochs": 0}})
    assert equal(moved.module, trained.snap(FIRST, "x", epochs=0).module)
    for move in ({"name": "save", "arguments": {"path": "/tmp/x"}}, {"name": "fit_kat"}, {"name": "snap", "arguments": {"form": "x"}}):
        with pytest.raises(DiscoveryError):
            trained.moved(move)
    with pytest.raises(NetworkError, match="no such activation function"):
        trained.snap(("blocks.7.mlp.act1", 0), "x")


def test_a_training_ended_by_its_watcher_can_be_made_again(sides: wb.Dataset, trained: wb.Transformer) -> None:
    seen: list[Progress] = []

    def watch(progress: Progress) -> bool:
        seen.append(progress)
        return progress.epoch == 3

    ended = wb.Transformer.fit(sides, watch=watch, **SETTINGS)
    assert ended.move["arguments"]["stop_after"] == 3
    assert ended.label == "train a KAT, stopped"
    assert [progress.epoch for progress in seen] == [1, 2, 3]
    assert seen[-1].score() == pytest.approx(ended.metrics()["r2_validation"])
    assert equal(ended.module, wb.Transformer.fit(sides, stop_after=3, **SETTINGS).module)


def test_numbers_come_out_in_their_units_and_rows_outside_are_told() -> None:
    data = wb.Dataset.from_table(table("regression"), "y")
    kat = wb.Transformer.fit(data, **SETTINGS | {"epochs": 60})
    assert kat.metrics()["r2_validation"] > 0.6
    known = {name: values[:5].copy() for name, values in table("regression").items()}
    known["pixel_0_0"][0] = 99.0
    found = kat.predict(known)
    assert_allclose(found.columns["y"][1:], known["y"][1:], atol=12)
    assert found.outside.tolist() == [True, False, False, False, False]
    assert "1 of 5 rows lie outside" in found.message


def test_a_row_with_a_gap_gets_no_prediction(trained: wb.Transformer) -> None:
    rows = {name: values[:4].copy() for name, values in table("classification").items()}
    rows["pixel_1_1"][2] = np.nan
    found = trained.predict(rows)
    assert found.columns["y"][2] is None
    assert np.isnan(found.columns["probability"][2])
    assert set(found.columns["y"][[0, 1, 3]]) <= {"left", "right"}
    with pytest.raises(TrainingError, match="nothing to predict"):
        trained.predict({**{name: np.full(2, np.nan) for name in trained.data.names}, "other": np.arange(2.0)})


def test_a_file_brings_it_back_with_its_training(trained: wb.Transformer, tmp_path: Path) -> None:
    snapped = trained.snap(FIRST, "x")
    snapped.save(tmp_path / "sides.kanwb")
    again = wb.Transformer.load(tmp_path / "sides.kanwb")
    assert equal(again.module, snapped.module)
    assert equal(again.opened, trained.module)
    assert again.certificate() == snapped.certificate()
    assert again.release(FIRST).reading.functions[0].name is None
    with pytest.raises(ProjectError, match=r"Transformer\.load"):
        wb.load_discovery(tmp_path / "sides.kanwb")


def test_a_file_opens_in_the_app_and_leaves_it_unchanged(trained: wb.Transformer, tmp_path: Path) -> None:
    trained.snap(FIRST, "x").save(tmp_path / "sides.kanwb")
    with Store(tmp_path / "workspace") as store:
        project = store.import_file(tmp_path / "sides.kanwb")
        assert [step.label for step in store.states.history(project.id)] == ["train a KAT", "block 1, first, group 1 is x"]
        (tmp_path / "again.kanwb").write_bytes(store.export(project.id))
        assert project.summary["model"] == "kat"  # the page Data opens with what it was made by
    assert wb.Transformer.load(tmp_path / "again.kanwb").certificate().n_named == 1


def test_a_discovery_is_read_from_a_project_that_also_holds_transformers(trained: wb.Transformer, tmp_path: Path) -> None:
    found = wb.Discovery(trained.data)
    found.fit(hidden_layer_sizes=(), max_iter=3)
    found.save(tmp_path / "both.kanwb")
    with Store(tmp_path / "workspace") as store:
        project = store.import_file(tmp_path / "both.kanwb").id
        network, arrays = record(trained)
        from workbench.store import Draft

        first = store.states.history(project)[0].id
        store.states.append(project, Draft("train a KAT", trained.move, network, arrays, trained.metrics(), view_of(trained)))
        assert store.states.undo(project).id == first
        (tmp_path / "kan.kanwb").write_bytes(store.export(project))
        store.states.redo(project)
        (tmp_path / "kat.kanwb").write_bytes(store.export(project))
    assert len(wb.load_discovery(tmp_path / "kan.kanwb").states) == 1
    assert equal(wb.Transformer.load(tmp_path / "kat.kanwb").module, trained.module)
    with pytest.raises(ProjectError, match="does not stand at a transformer"):
        wb.Transformer.load(tmp_path / "kan.kanwb")


@pytest.mark.parametrize("spoil", ["settings", "kat", "width", "parent"])
def test_a_file_that_does_not_fit_together_is_refused(trained: wb.Transformer, tmp_path: Path, spoil: str) -> None:
    trained.snap(FIRST, "x").save(tmp_path / "sides.kanwb")
    document, arrays = read_project(tmp_path / "sides.kanwb")
    last = document["states"][-1]
    if spoil == "parent":
        document["states"][0]["move"] = {"name": "guess"}
    elif spoil == "width":
        last["network"]["settings"]["width"] = 18
    else:
        last["network"][spoil] = {"config": "?", "epochs": "many"}
    write_project(tmp_path / "spoilt.kanwb", document, arrays)
    with pytest.raises(ProjectError, match="does not fit together"):
        wb.Transformer.load(tmp_path / "spoilt.kanwb")


def test_a_state_of_the_store_is_the_state(trained: wb.Transformer, tmp_path: Path) -> None:
    snapped = trained.snap(SECOND, "gelu")
    snapped.save(tmp_path / "sides.kanwb")
    archive = Archive.from_parts(*read_project(tmp_path / "sides.kanwb"))
    states = {state.step.id: state for state in archive.states}
    back = from_store(states[2], states.__getitem__, lessons_from(states[2], snapped.data))
    assert back.move == snapped.move
    assert equal(back.module, snapped.module)


def test_a_view_holds_what_the_page_draws(trained: wb.Transformer) -> None:
    view = view_of(trained.snap(FIRST, "x", epochs=0))
    drawn = view["functions"][0]
    assert (drawn["id"], drawn["state"], drawn["form"], drawn["channels"]) == ("0.0", "snapped", "x", 8)
    assert (min(drawn["y"]), max(drawn["y"]), len(drawn["y"]), max(drawn["density"])) == (0.0, 1000.0, 64, 100.0)
    assert view["functions"][2]["label"] == "block 1, second, group 1"
    assert view["inputs"] == {"kind": "patches", "height": 4, "width": 4, "size": 2}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"width": 30, "n_heads": 5, "n_groups": 4}, "cannot be shared out to 4 groups of channels"),
        ({"tokens": "words"}, "known are auto, columns, patches"),
        ({"epochs": 0}, "one epoch at least"),
        ({"patch_size": 3}, "Sizes that do: 1, 2"),
        ({"colour": 3}, "no setting of a transformer"),
    ],
)
def test_settings_that_cannot_be_are_refused_in_one_sentence(sides: wb.Dataset, settings: dict, words: str) -> None:
    with pytest.raises(TrainingError, match=words):
        KATSettings.from_json(settings).pixels(sides)


def test_data_that_are_not_for_a_transformer_are_refused() -> None:
    few = wb.load_sample("cherry_trees")
    with pytest.raises(TrainingError, match="this table has 31"):
        wb.Transformer.fit(few)
    groups = wb.Dataset.from_table({"x": np.arange(60.0), "g": ["a", "b"] * 30, "y": np.arange(60.0) ** 2}, "y", group="g")
    with pytest.raises(TrainingError, match="one model for all rows"):
        wb.Transformer.fit(groups)
    columns = wb.Dataset.from_table({"x": np.arange(60.0), "y": np.arange(60.0) ** 2}, "y")
    with pytest.raises(TrainingError, match="not the pixels of an image"):
        wb.Transformer.fit(columns, tokens="patches")


def test_a_small_table_keeps_rows_to_judge_by() -> None:
    x = np.linspace(-1, 1, 80)
    data = wb.Dataset.from_table({"x": x, "z": x[::-1] ** 3, "y": np.sin(3 * x)}, "y")
    assert not len(data.split.validation)
    kat = wb.Transformer.fit(data, **SETTINGS | {"epochs": 3})
    assert len(kat.lessons.validation) > 10
    assert len(kat.lessons.training) + len(kat.lessons.validation) == len(data.split.train)


def test_a_column_seen_as_its_logarithm_comes_back_in_its_scale() -> None:
    x = np.random.default_rng(0).uniform(0, 3, (200, 2))
    values = {"a": x[:, 0], "b": x[:, 1], "y": np.exp(2 * x[:, 0])}
    kat = wb.Transformer.fit(wb.Dataset.from_table(values, "y", transforms={"y": "log"}), **SETTINGS | {"epochs": 40})
    found = kat.predict(values).columns["y"]
    assert np.corrcoef(np.log(found), 2 * x[:, 0])[0, 1] > 0.95
