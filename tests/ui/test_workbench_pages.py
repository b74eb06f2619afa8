"""The pages Workbench and Export, run without a browser: what they say, and that their buttons do what they are there for."""

from __future__ import annotations

import json
import re
import time

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

import workbench as wb
from workbench.julia import JuliaState
from workbench.search import engines
from workbench.ui.navigation import PageName
from workbench.ui.services import Services
from workbench.ui.state.jobs import Jobs


def shown(app: AppTest) -> str:
    kinds = (app.markdown, app.caption, app.info, app.warning, app.error, app.text, app.latex)
    return " ".join(str(element.value) for kind in kinds for element in kind)


def on(app: AppTest, page: PageName, project: str) -> AppTest:
    """Open a page by its address; AppTest itself knows only pages that are files."""
    app._page_hash = calc_hash(page)
    app.query_params["project"] = project
    app.run()
    assert not app.exception
    return app


def payload(app: AppTest, component: int = 0) -> dict:
    return json.loads(app.get("bidi_component")[component].proto.json)


def ask(services: Services, project: str, task: str, **arguments: object) -> None:
    services.pool.wait(Jobs(services).submit(project, task, arguments, lane="interactive").id, 120)


@pytest.fixture
def trees(opened: Services) -> str:
    project = opened.store.projects.create("trees *of* $1").id
    opened.store.projects.set_data(project, *wb.load_sample("cherry_trees").to_arrays())
    ask(opened, project, "discovery.fit", settings={"hidden_layer_sizes": ()})
    return project


def test_without_a_project_the_way_to_one_is_shown(app: AppTest) -> None:
    app._page_hash = calc_hash("workbench")
    app.run()
    assert not app.exception
    assert "Open a project first" in shown(app)


def test_before_the_first_fit_there_are_hints_and_the_way_to_the_data(app: AppTest, opened: Services) -> None:
    on(app, "workbench", opened.store.projects.create("new").id)
    assert len(payload(app)["hints"]) == 3
    assert [button.label for button in app.button if "fit" in button.label] == ["Choose columns and fit"]


def test_the_bench_shows_figures_drawing_formula_and_proof(app: AppTest, trees: str) -> None:
    on(app, "workbench", trees)
    assert app.text[0].value == "trees *of* $1"
    assert "0/2 symbolic" in shown(app)
    assert "RMSE" in shown(app)
    assert "ft³" in shown(app)
    assert "\\varphi_{0,0,0}" in app.latex[0].value
    assert "formula = network" in shown(app)
    assert "2 unnamed" in shown(app)
    drawn = payload(app)
    assert [edge["label"] for edge in drawn["edges"]] == ["Girth → Volume", "Height → Volume"]
    assert (drawn["selected"], drawn["streams"], drawn["job"]) == (None, [], None)


def test_a_link_with_an_edge_opens_the_inspector(app: AppTest, trees: str) -> None:
    app.query_params["edge"] = "0.1.0"
    on(app, "workbench", trees)
    for _ in range(100):
        app.run()
        if len(app.get("bidi_component")) > 1 and payload(app, 1)["candidates"][:1] and payload(app, 1)["candidates"][0]["refitted"]:
            break
        time.sleep(0.05)
    told = payload(app, 1)
    assert (told["label"], told["x_label"]) == ("Height → Volume", "Height (ft)")
    assert payload(app)["selected"] == "0.1.0"
    assert app.query_params["edge"] in ("0.1.0", ["0.1.0"])


def test_an_edge_that_does_not_exist_opens_nothing(app: AppTest, trees: str) -> None:
    app.query_params["edge"] = "7.7.7"
    on(app, "workbench", trees)
    assert [element.key for element in app.get("bidi_component")] == ["bench_network", "bench_laws"]
    assert "edge" not in app.query_params


def test_undo_and_redo_walk_the_history(app: AppTest, opened: Services, trees: str) -> None:
    ask(opened, trees, "discovery.move", move={"name": "snap", "arguments": {"edge": [0, 0, 0], "form": "x^3"}})
    on(app, "workbench", trees)
    assert "1/2 symbolic" in shown(app)
    app.button("bench_undo").click().run()
    assert "0/2 symbolic" in shown(app)
    assert app.button("bench_undo").disabled
    app.button("bench_redo").click().run()
    assert "1/2 symbolic" in shown(app)
    assert app.button("bench_redo").disabled


def test_a_line_of_the_history_stands_beside_its_network(app: AppTest, opened: Services, trees: str) -> None:
    ask(opened, trees, "discovery.move", move={"name": "snap", "arguments": {"edge": [0, 0, 0], "form": "x^3"}})
    app.session_state["bench_history_open"] = True
    on(app, "workbench", trees)
    assert [button.key for button in app.button if "bench_state_" in button.key] == ["bench_state_1", "bench_state_2"]
    (pictures,) = [body for body in (element.proto.body for element in app.get("html")) if "svg+xml" in body]
    rules = dict(re.findall(r"\.st-key-(bench_state_\d+) button\{([^}]*)\}", pictures))
    assert {state: "class='snapped'" in rule for state, rule in rules.items()} == {"bench_state_1": False, "bench_state_2": True}


def test_continue_trains_a_finished_network_further_as_one_more_state(app: AppTest, opened: Services, trees: str) -> None:
    on(app, "workbench", trees)
    app.button("bench_continue").click().run()
    assert not app.exception
    assert [step.label for step in opened.store.states.history(trees)] == ["fit", "refit"]


def test_what_a_snap_cost_is_said_and_taken_back_by_one_click(app: AppTest, opened: Services, trees: str) -> None:
    ask(opened, trees, "discovery.move", move={"name": "snap", "arguments": {"edge": [0, 0, 0], "form": "1/x"}})
    ask(opened, trees, "discovery.move", move={"name": "snap", "arguments": {"edge": [0, 0, 0], "form": "0*x+c*x/x"}})
    on(app, "workbench", trees)
    assert "This snap cost" in app.warning[0].value
    app.button("bench_undo_costly").click().run()
    assert not app.warning


def test_a_move_in_another_tab_is_seen_in_the_next_run(app: AppTest, opened: Services, trees: str) -> None:
    on(app, "workbench", trees)
    ask(opened, trees, "discovery.move", move={"name": "lock", "arguments": {"edge": [0, 1, 0]}})
    app.run()
    assert [edge["state"] for edge in payload(app)["edges"]] == ["spline", "locked"]


def test_export_without_a_network_says_so(app: AppTest, opened: Services) -> None:
    on(app, "export", opened.store.projects.create("new").id)
    assert "nothing to export" in shown(app)


def test_export_shows_formula_proof_code_constants_and_ranges(app: AppTest, opened: Services, trees: str) -> None:
    ask(opened, trees, "discovery.move", move={"name": "snap", "arguments": {"edge": [0, 0, 0], "form": "x^3"}})
    on(app, "export", trees)
    assert "Girth" in app.latex[0].value
    assert "The formula is the network" in shown(app)
    assert "def predict(Girth, Height)" in app.code[0].value
    tables = [frame.value for frame in app.dataframe]
    assert list(tables[1]["input"]) == ["Girth", "Height"]
    assert np.isfinite(tables[0]["value"].astype(float)).all()


def test_export_draws_its_plots_at_once_and_loads_plotly_when_asked(app: AppTest, trees: str) -> None:
    on(app, "export", trees)
    pictures = [image for element in app.get("image") for image in element.proto.imgs]
    assert [image.alt for image in pictures] == ["Predicted against measured values", "Measured minus predicted against predicted values"]
    assert not app.get("plotly_chart")
    app.toggle(key="export_interactive").set_value(True).run()
    assert not app.exception
    assert len(app.get("plotly_chart")) == 2
    assert not app.get("image")


@pytest.mark.parametrize(("language", "word"), [("latex", "\\begin{align}"), ("c", "#include <math.h>"), ("julia", "function"), ("json", "kan-workbench formula")])
def test_export_speaks_other_languages(app: AppTest, trees: str, language: str, word: str) -> None:
    on(app, "export", trees)
    app.session_state["export_language"] = language
    app.run()
    assert not app.exception
    assert word in app.code[0].value


def test_fewer_decimals_are_shown_in_formula_and_code(app: AppTest, opened: Services, trees: str) -> None:
    ask(opened, trees, "discovery.move", move={"name": "snap", "arguments": {"edge": [0, 0, 0], "form": "x^p"}})
    on(app, "export", trees)
    app.session_state["export_decimals"] = "2"
    app.run()
    assert "not exactly the network" in shown(app)
    constants = app.dataframe[0].value["value"].astype(float)
    assert all(float(f"{value:.2f}") == value or abs(value) < 1 for value in constants)


def test_predictions_of_an_uploaded_table_are_offered(app: AppTest, trees: str) -> None:
    on(app, "export", trees)
    app.get("file_uploader")[0].upload("new.csv", b"Girth,Height\n10.5,70\n55,70\n", "text/csv")
    app.run()
    assert not app.exception
    assert "1 of 2 rows lie outside" in app.warning[0].value.replace("\\", "")
    assert list(app.dataframe[-1].value.columns) == ["Girth", "Height", "predicted Volume", "outside_range"]


def paused_fit(services: Services, project: str) -> str:
    job = Jobs(services).submit(project, "discovery.fit", {"settings": {"hidden_layer_sizes": (2,)}})
    services.pool.steer(job.id, "step")
    for _ in range(500):
        if services.pool.get(job.id).status == "paused":
            return job.id
        time.sleep(0.02)
    raise AssertionError(services.pool.get(job.id))


def labels(app: AppTest) -> list[str]:
    known = ("bench_continue", "bench_pause", "bench_step", "bench_keep", "bench_discard", "bench_prune_open", "bench_law_open")
    return [button.label for button in app.button if button.key in known]


def test_a_paused_fit_is_stepped_gone_on_with_and_leaves_its_network(app: AppTest, opened: Services, trees: str) -> None:
    on(app, "workbench", trees)
    assert labels(app) == ["Continue"]
    job = paused_fit(opened, trees)
    app.run()
    assert labels(app) == ["Discard", "Stop and keep", "Step", "Continue"]
    assert (payload(app)["job"]["status"], len(payload(app)["edges"])) == ("paused", 2 * 2 + 2)
    assert "Fit paused at" in shown(app)
    before = payload(app)["job"]["iterations"]
    app.button("bench_step").click().run()
    assert payload(app)["job"]["iterations"] > before
    app.button("bench_continue").click().run()
    opened.pool.wait(job, 60)
    app.run()
    assert not app.exception
    assert labels(app) == ["Continue"]
    assert payload(app)["job"] is None
    assert [step.label for step in opened.store.states.history(trees)] == ["fit", "fit"]


@pytest.mark.parametrize(("button", "steps"), [("bench_keep", ["fit", "fit, stopped"]), ("bench_discard", ["fit"])])
def test_a_fit_is_ended_with_what_it_has_or_without(app: AppTest, opened: Services, trees: str, button: str, steps: list[str]) -> None:
    paused_fit(opened, trees)
    on(app, "workbench", trees)
    app.button(button).click().run()
    assert not app.exception
    assert payload(app)["job"] is None
    assert [step.label for step in opened.store.states.history(trees)] == steps


def test_the_first_fit_can_be_steered_before_there_is_any_network(app: AppTest, opened: Services) -> None:
    project = opened.store.projects.create("first").id
    opened.store.projects.set_data(project, *wb.load_sample("cherry_trees").to_arrays())
    paused_fit(opened, project)
    on(app, "workbench", project)
    assert labels(app) == ["Discard", "Stop and keep", "Step", "Continue"]
    app.button("bench_keep").click().run()
    assert "0/6 symbolic" in shown(app)


def test_the_pill_steers_from_every_page_and_the_page_data_says_what_is_paused(app: AppTest, opened: Services, trees: str) -> None:
    job = paused_fit(opened, trees)
    on(app, "data", trees)
    assert "A fit of this project is paused" in shown(app)
    app.button("continue_job").click().run()
    opened.pool.wait(job, 60)
    app.run()
    assert "Fit finished just now" in shown(app)


def component(app: AppTest, key: str) -> dict | None:
    return next((json.loads(element.proto.json) for element in app.get("bidi_component") if element.key == key), None)


def test_a_search_takes_the_limits_that_were_set_and_its_formulas_are_listed(app: AppTest, opened: Services, trees: str) -> None:
    on(app, "workbench", trees)
    assert component(app, "bench_laws")["laws"] == []
    app.session_state["bench_law_open"] = True
    app.run()
    app.session_state["bench_functions"] = ["exp"]
    app.session_state["bench_longest"] = 7
    app.session_state["bench_budget"] = "10 s"
    app.button(key="bench_auto").click().run()
    assert not app.exception
    job = next(job for job in opened.pool.jobs(trees) if job.task == "discovery.auto")
    assert "Stop the search" in [button.label for button in app.button]
    opened.pool.wait(job.id, 60)
    app.run()
    told = component(app, "bench_laws")
    assert told["laws"]
    assert told["here"] in {law["state"] for law in told["laws"]}
    picked = next(law for law in told["laws"] if law["picked"])
    assert picked["complexity"] <= 7
    assert not any(name in law["text"] for law in told["laws"] for name in ("log", "sin", "tanh"))


def test_a_locked_edge_is_said_to_bind_the_search(app: AppTest, opened: Services, trees: str) -> None:
    ask(opened, trees, "discovery.move", move={"name": "snap", "arguments": {"edge": [0, 0, 0]}})
    ask(opened, trees, "discovery.move", move={"name": "lock", "arguments": {"edge": [0, 0, 0]}})
    on(app, "workbench", trees)
    app.session_state["bench_law_open"] = True
    app.run()
    assert "One edge is locked; the others are pruned and named." in shown(app)
    assert "bench_known" not in [field.key for field in app.text_input]


def test_an_engine_that_is_missing_is_offered_where_it_would_be_used(app: AppTest, opened: Services, trees: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "julia_state", lambda: JuliaState(None, fault="not installed"))
    on(app, "workbench", trees)
    app.session_state["bench_law_open"] = True
    app.run()
    assert "PySR" not in app.segmented_control(key="bench_engine").options
    assert "PySR, which searches in Julia, is not set up here. An estimate: a few hundred MB" in shown(app)
    monkeypatch.setattr(engines, "julia_state", lambda: JuliaState("2.7.2", "1.11.7", "julia"))
    app.run()
    app.segmented_control(key="bench_engine").set_value("pysr").run()
    assert "is not set up here" not in shown(app)
    app.checkbox(key="bench_structure").check()
    app.button(key="bench_search").click().run()
    assert not app.exception
    assert "discovery.search" in [job.task for job in opened.pool.jobs(trees)]


def test_without_data_there_is_no_list_and_no_search(app: AppTest, opened: Services) -> None:
    on(app, "workbench", opened.store.projects.create("new").id)
    assert component(app, "bench_laws") is None
    assert "bench_law_open" not in str(app)
