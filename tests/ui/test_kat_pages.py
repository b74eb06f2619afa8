"""The pages of a transformer, run without a browser: what they say, and that their buttons do what they are there for."""

from __future__ import annotations

import io
import json
import time
import zipfile

import pytest
from streamlit.testing.v1 import AppTest

from tests.transformer.conftest import SETTINGS, table
from tests.ui.state.test_kat import ask, project_of, until
from tests.ui.test_workbench_pages import on, payload, shown
from workbench.ui.services import Services


@pytest.fixture
def sides(opened: Services) -> str:
    project = project_of(opened)
    ask(opened, project, "kat.fit", settings=SETTINGS)
    return project


def test_the_workbench_of_a_transformer_shows_figures_functions_and_proof(app: AppTest, opened: Services, sides: str) -> None:
    on(app, "workbench", sides)
    said = shown(app)
    assert "0/4 named" in said
    assert "accuracy" in said
    assert "No function has a name yet" in said
    assert [one["id"] for one in payload(app)["functions"]] == ["0.0", "0.1", "1.0", "1.1"]
    ask(opened, sides, "kat.move", move={"name": "snap", "arguments": {"function": "1.0", "form": "gelu"}})
    app.run()
    said = shown(app)
    assert "1/4 named" in said
    assert "**test rows**" in said
    assert "points" in said
    app.button("bench_undo").click().run()
    assert "0/4 named" in shown(app)
    app.button("bench_redo").click().run()
    assert "1/4 named" in shown(app)


def test_a_link_with_a_function_opens_the_inspector(app: AppTest, sides: str) -> None:
    app.query_params["function"] = "1.1"
    on(app, "workbench", sides)
    for _ in range(200):
        app.run()
        if payload(app, 1)["candidates"][:1] and payload(app, 1)["candidates"][0]["refitted"]:
            break
        time.sleep(0.05)
    assert payload(app, 1)["label"] == "block 1, second, group 2"
    assert payload(app)["selected"] == "1.1"
    assert app.query_params["function"] in ("1.1", ["1.1"])


def test_attention_is_one_click_away(app: AppTest, sides: str) -> None:
    on(app, "workbench", sides)
    app.session_state["kat_view"] = "attention"
    app.run()

    def drawn() -> bool:
        app.run()
        return not payload(app)["waiting"]

    until(drawn)
    assert len(payload(app)["heads"]) == 2
    assert not app.exception


def test_all_functions_are_named_from_the_page(app: AppTest, opened: Services, sides: str) -> None:
    app.session_state["kat_name_open"] = True
    on(app, "workbench", sides)
    assert "Name the 4 functions" in shown(app)
    app.button("kat_name_all").click().run()
    until(lambda: all(job.finished for job in opened.pool.jobs(sides)))
    app.run()
    assert "4/4 named" in shown(app)
    assert app.button("kat_refit").disabled is False


def test_a_training_that_runs_is_drawn_and_kept_from_the_page(app: AppTest, opened: Services, sides: str) -> None:
    from workbench.ui.state.jobs import Jobs

    job = Jobs(opened).submit(sides, "kat.fit", {"settings": {**SETTINGS, "epochs": 500}})
    until(lambda: opened.pool.get(job.id).status == "running" and opened.pool.get(job.id).progress > 0)
    on(app, "workbench", sides)
    assert payload(app)["job"]["title"] == "Training"
    app.button("bench_keep").click().run()
    until(lambda: opened.pool.get(job.id).finished)
    app.run()
    assert [step.label for step in opened.store.states.history(sides)] == ["train a KAT", "train a KAT, stopped"]


def test_a_kan_is_fitted_beside_a_transformer_and_undo_leads_back(app: AppTest, opened: Services, sides: str) -> None:
    from tests.ui.test_workbench_pages import paused_fit

    job = paused_fit(opened, sides)  # of a KAN, while the project stands at a transformer
    on(app, "workbench", sides)
    assert "edges" in payload(app)
    assert "0/4 named" not in shown(app)
    app.button("bench_keep").click().run()
    until(lambda: opened.pool.get(job).finished)
    app.run()
    assert "symbolic" in shown(app)
    app.button("bench_undo").click().run()
    assert not app.exception
    assert "0/4 named" in shown(app)
    on(app, "export", sides)
    assert "class Rational(nn.Module):" in app.code[0].value


def test_export_offers_the_model_its_names_and_what_they_cost(app: AppTest, opened: Services, sides: str) -> None:
    ask(opened, sides, "kat.move", move={"name": "snap", "arguments": {"function": "1.0", "form": "gelu"}})
    on(app, "export", sides)
    assert "1 of 4 activation functions have a name" in shown(app)
    assert "class Rational(nn.Module):" in app.code[0].value
    compared, functions = (frame.value for frame in app.dataframe)
    assert list(compared["rows"]) == ["training (156)", "validation (52)", "test (52)"]
    assert list(functions["name"]) == ["–", "–", "GELU", "–"]
    for target, word in (("csv", "place,activation,group"), ("markdown", "| place |"), ("latex", r"\toprule"), ("names", "NAMES = {")):
        app.session_state["export_kat_format"] = target
        app.run()
        assert not app.exception
        assert word in app.code[0].value


def test_the_download_holds_code_and_weights(opened: Services, sides: str) -> None:
    from collections import OrderedDict

    from workbench.ui.state.export import KATExports

    exports = KATExports(opened, sides, OrderedDict())
    with zipfile.ZipFile(io.BytesIO(exports.document("torch").content)) as packed:
        assert sorted(packed.namelist()) == ["functions.csv", "kat_y.py", "kat_y.safetensors"]
        assert len(packed.read("kat_y.safetensors")) > 1000


def test_a_new_table_is_predicted_as_classes(app: AppTest, sides: str) -> None:
    columns = table("classification", 12)
    rows = "\n".join(",".join(str(values[row]) for values in columns.values()) for row in range(12))
    on(app, "export", sides)
    app.get("file_uploader")[0].upload("new.csv", f"{','.join(columns)}\n{rows}\n".encode(), "text/csv")
    app.run()
    assert not app.exception
    found = app.dataframe[-1].value
    assert set(found["predicted y"]) <= {"left", "right"}
    assert found["predicted probability"].between(0.5, 1).all()


def test_the_model_is_chosen_on_the_page_data(app: AppTest, opened: Services) -> None:
    on(app, "data", project_of(opened))
    assert app.button("find_law").label == "Find the law"
    (model,) = [group for group in app.button_group if group.label == "Model"]
    model.set_value("kat").run()
    assert not app.exception
    assert [button.label for button in app.button if button.key == "fit"] == ["Train"]
    assert not [button for button in app.button if button.key == "find_law"]
    assert "4 tokens, squares of 2 × 2 pixels" in shown(app).replace("\\", "")


def test_the_payload_of_every_component_is_json(app: AppTest, sides: str) -> None:
    on(app, "workbench", sides)
    json.dumps(payload(app), allow_nan=False)
