"""Every page, run without a browser: what it says, and that each of its buttons does what it is there for."""

from __future__ import annotations

import time

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from workbench.jobs import Job
from workbench.ops.gpu import Gpu
from workbench.ui.markdown import literal
from workbench.ui.navigation import PageName
from workbench.ui.services import Services
from workbench.ui.state import data as state_data
from workbench.ui.state.projects import Projects

TREES = "cherry_trees"


def shown(app: AppTest) -> str:
    kinds = (app.markdown, app.caption, app.info, app.warning, app.error, app.subheader, app.header)
    return " ".join(element.value for kind in kinds for element in kind)


def turn_to(app: AppTest, page: PageName) -> AppTest:
    """Open a page by its address; AppTest itself knows only pages that are files."""
    app._page_hash = calc_hash(page)
    return app


def on_data(app: AppTest, project: str) -> AppTest:
    turn_to(app, "data").query_params["project"] = project
    return app.run()


@pytest.fixture
def trees(opened: Services) -> str:
    return Projects(opened).open_sample(TREES)


def test_an_empty_workspace_invites_and_says_that_nothing_leaves_the_machine(app: AppTest) -> None:
    app.run()
    assert not app.exception
    assert "From a table to its law" in shown(app)
    assert "stays on this machine" in app.get("file_uploader")[0].label
    assert len([button for button in app.button if button.key.startswith("sample-")]) == 11  # ten laws, one task


def test_projects_are_listed_under_their_names_as_they_were_typed(app: AppTest, opened: Services) -> None:
    project = opened.store.projects.create("**trees** :red[x] $y$").id
    app.run()
    assert not app.exception
    assert app.button(f"open-{project}").label == r"**\*\*trees\*\* \:red\[x\] \$y\$**"


def test_a_sample_opens_by_one_click_on_the_page_data(app: AppTest, opened: Services) -> None:
    app.run()
    app.button("sample-boyle1662").click().run()
    assert not app.exception
    (project,) = opened.store.projects.all()
    assert app.query_params["project"] == project.id
    assert "pressure\\_inHg from volume" in shown(app)
    assert "25 rows" in shown(app)


def test_a_bad_file_gets_one_sentence_and_the_next_one_is_opened(app: AppTest, opened: Services) -> None:
    app.run()
    app.get("file_uploader")[0].upload("picture.csv", b"\x89PNG\r\n\x1a\n" + bytes(99), "text/csv")
    app.run()
    assert [error.value for error in app.error] == [r"\'picture\.csv\' is a PNG picture\. Readable are CSV, TSV, Excel \(\.xlsx\), "
                                                    r"Parquet, JSON, \.npy and \.npz\."]  # fmt: skip
    assert opened.store.projects.all() == ()
    rows = "\n".join(f"{x},{2 * x * x}" for x in range(1, 12))
    app.get("file_uploader")[0].upload("fall.csv", f"t (s),s\n{rows}\n".encode(), "text/csv")
    app.run()
    assert not app.exception
    assert [project.name for project in opened.store.projects.all()] == ["fall"]
    assert "s from t" in shown(app)


def test_a_deleted_project_is_taken_back_by_undo(app: AppTest, opened: Services, trees: str) -> None:
    app.session_state["just_deleted"] = (trees, "trees")
    opened.store.projects.delete(trees)
    app.run()
    app.button("undo").click().run()
    assert not app.exception
    assert [project.id for project in opened.store.projects.all()] == [trees]
    assert "undo" not in [button.key for button in app.button]


def test_the_trash_gives_back_and_empties(app: AppTest, opened: Services, trees: str) -> None:
    other = opened.store.projects.create("other").id
    for project in (trees, other):
        opened.store.projects.delete(project)
    app.run()
    app.button(f"restore-{trees}").click().run()
    app.button(f"purge-{other}").click().run()
    assert not app.exception
    assert [project.id for project in opened.store.projects.all()] == [trees]
    assert opened.store.projects.all(deleted=True) == ()


def test_data_shows_what_would_be_fitted(app: AppTest, trees: str) -> None:
    on_data(app, trees)
    assert not app.exception
    assert "**Volume from Girth, Height**" in shown(app)
    assert "31 rows: 25 to fit, 6 to report on, 5-fold checks, twice" in shown(app).replace("\\", "")
    assert app.dataframe[0].value.to_dict("list")["role"] == ["input", "input", "target"]


def test_another_target_is_taken_over_and_kept(app: AppTest, opened: Services, trees: str) -> None:
    on_data(app, trees)
    app.selectbox(f"target-{trees}-0").select("Height").run()
    assert not app.exception
    assert "**Height from Girth, Volume**" in shown(app)
    assert opened.store.projects.get(trees).plan["roles"]["Height"] == "target"
    assert app.dataframe[0].value.to_dict("list")["role"] == ["input", "target", "input"]


def test_a_setting_that_is_no_setting_gets_a_sentence_and_stops_the_fit(app: AppTest, trees: str) -> None:
    on_data(app, trees)
    app.text_input(f"hidden-{trees}-0").input("five").run()
    assert not app.exception
    assert "write the size of each, such as 5" in app.error[0].value
    assert app.button("fit").disabled
    app.text_input(f"hidden-{trees}-0").input("4, 3").run()
    assert not app.error
    assert not app.button("fit").disabled


def test_advanced_settings_are_kept(app: AppTest, opened: Services, trees: str) -> None:
    on_data(app, trees)
    app.selectbox(f"split-{trees}-0").select("time").run()
    app.number_input(f"test_fraction-{trees}-0").set_value(0.4).run()
    app.number_input(f"seed-{trees}-0").set_value(7).run()
    app.text_input(f"products-{trees}-0").input("2").run()
    assert not app.exception
    plan = opened.store.projects.get(trees).plan
    assert (plan["split"], plan["test_fraction"], plan["network"]["seed"], plan["network"]["products"]) == ("time", 0.4, 7, "2")
    assert "19 to fit, 12 to report on, 5 checks forward in time" in shown(app)


def test_without_a_gpu_the_switch_says_why_and_cannot_be_turned_on(app: AppTest, trees: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_data, "_gpu", lambda: Gpu("", "There is no NVIDIA driver here."))
    on_data(app, trees)
    switch = app.toggle(f"gpu-{trees}-0")
    assert (switch.value, switch.disabled, switch.help) == (False, True, literal("There is no NVIDIA driver here."))


def test_with_a_gpu_a_fit_can_be_sent_to_it(app: AppTest, opened: Services, trees: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_data, "_gpu", lambda: Gpu("NVIDIA H100, 81559 MiB, 580.65"))
    on_data(app, trees)
    switch = app.toggle(f"gpu-{trees}-0")
    assert "NVIDIA H100" in switch.help
    switch.set_value(True).run()
    assert not app.exception
    assert opened.store.projects.get(trees).plan["network"]["gpu"] is True
    monkeypatch.setattr(state_data, "_gpu", lambda: Gpu("", "There is no NVIDIA driver here."))     # the project on another machine
    assert not app.run().toggle(f"gpu-{trees}-0").disabled


def test_fit_starts_a_job_with_the_settings_and_goes_to_the_workbench(app: AppTest, opened: Services, trees: str) -> None:
    on_data(app, trees)
    app.text_input(f"hidden-{trees}-0").input("none").run()
    app.button("fit").click().run()
    assert not app.exception
    (job,) = opened.store.jobs.all(trees)
    assert job.task == "discovery.fit"
    assert app.query_params["project"] == trees
    opened.pool.wait(job.id, timeout=120)
    state = opened.store.states.get(trees)
    assert state is not None
    assert state.step.move["arguments"]["hidden_layer_sizes"] == []


def test_edges_can_be_rational_functions(app: AppTest, opened: Services, trees: str) -> None:
    on_data(app, trees)
    app.text_input(f"hidden-{trees}-0").input("none").run()
    app.selectbox(f"basis-{trees}-0").select("rational").run()
    assert opened.store.projects.get(trees).plan["network"]["basis"] == "rational"
    app.button("fit").click().run()
    assert not app.exception
    (job,) = opened.store.jobs.all(trees)
    opened.pool.wait(job.id, timeout=120)
    state = opened.store.states.get(trees)
    assert state is not None
    assert state.step.move["arguments"]["basis"] == "rational"
    assert state.network["networks"][0]["layers"][0]["basis"]["family"] == "rational"


def test_while_a_fit_runs_another_cannot_be_started_and_the_pill_says_so(app: AppTest, opened: Services, trees: str) -> None:
    now = time.time()
    opened.store.jobs.record(Job("j1", trees, "discovery.fit", "batch", "running", 0.43, "descending", None, now, now))
    on_data(app, trees)
    assert not app.exception
    assert app.button("fit").disabled
    assert "Fitting 43 %" in shown(app)
    assert "pause_job" in [button.key for button in app.button]


def test_an_interrupted_fit_is_said_until_it_is_dismissed(app: AppTest, opened: Services, trees: str) -> None:
    opened.store.jobs.record(Job("j1", trees, "discovery.fit", "batch", "running", 0.43, "", None, 1.0, 1.0))
    opened.store.jobs.interrupt()
    on_data(app, trees)
    assert "Fit was interrupted just now" in shown(app)
    app.button("dismiss_job").click().run()
    assert not app.exception
    assert "interrupted" not in shown(app)


@pytest.mark.parametrize("page", ["data"])
def test_without_a_project_a_page_shows_the_way_to_the_list(app: AppTest, page: str) -> None:
    turn_to(app, page).run()
    assert not app.exception
    assert "Open a project first" in shown(app)
    app.query_params["project"] = "nobody"
    app.run()
    assert not app.exception
    assert "There is no project" in shown(app)
    assert "project" not in app.query_params


def test_every_column_name_is_shown_as_it_is(app: AppTest, opened: Services) -> None:
    names = ["λ 🌡 $x$", ":red[b]", "a|b", "**c** -> d", "y"]
    rng = np.random.default_rng(3)
    lines = [";".join(names), *(";".join(f"{value:.6f}" for value in row) for row in rng.uniform(1, 2, (31, 5)))]
    project = Projects(opened).open_file("names.csv", "\n".join(lines).encode())
    on_data(app, project)
    assert not app.exception
    assert "**y from λ 🌡 \\$x\\$, \\:red\\[b\\], a\\|b, \\*\\*c\\*\\* \\-\\> d**" in shown(app)
    assert app.dataframe[0].value["name"].tolist() == names


def test_the_dialog_about_this_machine_says_what_is_there(app: AppTest) -> None:
    app.run()
    app.button(key="machine").click().run()
    assert not app.exception
    told = app.dataframe[0].value
    assert {"numpy", "PySR", "GPU"} <= set(told[""])
    assert set(told["state"]) <= {"ready", "absent", "broken"}
