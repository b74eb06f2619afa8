"""The page Data without a page: edits are kept, what would be fitted is said, the same data are stored once."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.dataset import Dataset
from workbench.exceptions import DatasetError, JobError, ProjectError, WorkbenchError
from workbench.jobs import Job
from workbench.ui.services import Services
from workbench.ui.state.data import Preparation
from workbench.ui.state.projects import Projects


@pytest.fixture
def open_csv(opened: Services):
    def open_(text: str) -> Preparation:
        return Preparation(opened, Projects(opened).open_file("a.csv", text.encode()))

    return open_


@pytest.fixture
def trees(opened: Services) -> Preparation:
    return Preparation(opened, Projects(opened).open_sample("cherry_trees"))


def again(opened: Services, data: Preparation) -> Preparation:
    return Preparation(opened, data.project.id)


def lab(n_rows: int) -> str:
    """Return a table with an error column, a category, a date and what is not a number."""
    rng = np.random.default_rng(11)
    x = rng.uniform(1, 5, n_rows)
    lines = [f"2024-01-{k % 28 + 1:02d},{x[k]:.6f},{'steel' if k % 3 else 'brass'},{0.1 + 0.001 * k:.4f},{x[k] ** 1.5:.6f}" for k in range(n_rows)]
    return "\n".join(["day,x,material,σ,y", *lines])


def test_the_column_table_says_what_is_in_each_column(open_csv):
    rows = {row.name: row for row in open_csv(lab(41)).columns()}
    assert (rows["day"].kind, rows["day"].lowest, rows["day"].highest) == ("dates", "2024-01-01", "2024-01-28")
    assert (rows["material"].kind, rows["material"].lowest, rows["material"].distribution) == ("categories", "", (27, 14))
    assert rows["σ"].symbol == "sigma"
    assert sum(rows["x"].distribution) == 41
    assert [rows[name].role for name in ("x", "material", "y")] == ["input", "input", "target"]


def test_edits_are_kept_and_change_what_would_be_fitted(opened, open_csv):
    data = open_csv(lab(41))
    data.edit({0: {"role": "ignore"}, 3: {"role": "error", "unit": " m/s "}, "1": {"transform": "log"}})
    data = again(opened, data)
    assert {row.name: row.role for row in data.columns()} == {"day": "ignore", "x": "input", "material": "input", "σ": "error", "y": "target"}
    assert data.plan.units["σ"] == "m/s"
    assert data.outlook().title == "y from log x, material = steel"
    assert data.dataset().errors is not None
    data.edit({1: {"transform": "none"}, 2: {"role": "group"}})
    assert data.outlook().title == "y from x"
    assert data.dataset().group_labels == ("brass", "steel")


@pytest.mark.parametrize("cells", [{"role": "king"}, {"role": None}, {"role": ["input"]}, {"name": "other"}, {"transform": "exec"}, {"unit": None}])
def test_an_edit_that_is_no_edit_changes_nothing_of_the_roles(trees, cells):
    before = dict(trees.plan.roles)
    trees.edit({0: cells})
    assert trees.plan.roles == before
    assert trees.plan.transforms == {}


@pytest.mark.parametrize("row", [3, -1, "x", None])
def test_an_edit_of_a_row_that_is_not_there_is_refused(trees, row):
    with pytest.raises(ProjectError, match="Reload the page"):
        trees.edit({row: {"role": "ignore"}})


@pytest.mark.parametrize(
    ("n_rows", "changes", "says"),
    [
        (11, {}, "11 rows: all are fitted, each is checked by a fit of the others, none is left to report on"),
        (41, {}, "41 rows: 33 to fit, 8 to report on, 5-fold checks, twice"),
        (41, {"test_fraction": 0.0}, "41 rows: 41 to fit, none to report on, 5-fold checks, twice"),
        (41, {"split": "time", "split_by": "day"}, "41 rows: 33 to fit, 8 to report on, 5 checks forward in time"),
        (211, {"validation_fraction": 0.3}, "211 rows: 106 to fit, 63 to choose by, 42 to report on"),
        (1999, {}, "1,999 rows: 1,199 to fit, 400 to choose by, 400 to report on"),
    ],
)
def test_the_rows_and_what_they_are_for_are_said(open_csv, n_rows, changes, says):
    data = open_csv(lab(n_rows))
    data.change(**changes)
    assert data.outlook().detail == says


def test_many_inputs_are_not_all_named(open_csv):
    names = [f"c{k}" for k in range(9)]
    rng = np.random.default_rng(5)
    data = open_csv("\n".join([",".join([*names, "y"]), *(",".join(f"{v:.5f}" for v in row) for row in rng.uniform(1, 2, (13, 10)))]))
    assert data.outlook().title == "y from c0, c1, c2, c3, c4, c5 and 3 more"


@pytest.mark.parametrize(
    ("text", "edits", "says"),
    [
        ("a,b\n1,2\n", {}, "1 row; at least 3"),
        ("a,b\n1,5\n2,5\n3,5\n4,5\n", {0: {"role": "input"}, 1: {"role": "target"}}, "nothing to explain"),
        ("a,b\n1,x1\n2,y2\n3,z3\n4,w4\n", {0: {"role": "input"}, 1: {"role": "target"}}, "cannot be a target"),
        ("a,b\n1,\n,2\n3,\n,4\n", {}, "Of 4 rows 0 can be used"),
        ("a,b\n1,2\n2,4\n3,7\n", {0: {"role": "ignore"}}, "There is no input"),
        ("a,b\n1,2\n2,4\n3,7\n", {1: {"role": "ignore"}}, "No column is predicted yet"),
        ("a,b\n1,inf\n2,inf\n3,inf\n4,2\n", {}, "can be used"),
    ],
)
def test_data_that_cannot_be_fitted_get_a_sentence_and_are_kept(opened, open_csv, text, edits, says):
    data = open_csv(text)
    data.edit(edits)
    outlook = again(opened, data).outlook()
    assert says in outlook.problem
    with pytest.raises(WorkbenchError, match=says):
        data.fit()
    assert opened.store.jobs.all(data.project.id) == ()
    assert again(opened, data).table.names == data.table.names


def test_5000_columns_open_and_are_too_many_to_fit(open_csv):
    rng = np.random.default_rng(2)
    data = open_csv("\n".join([",".join(f"c{k}" for k in range(5000)), *(",".join(map(str, row)) for row in rng.integers(1, 999, (7, 5000)))]))
    assert len(data.columns()) == 5000
    with pytest.raises(DatasetError, match="4,999 columns could be inputs; at most 200"):
        data.dataset()


def test_a_fit_stores_the_dataset_once_and_the_worker_finds_it(opened, trees):
    trees.edit({1: {"role": "ignore"}})
    job = trees.fit()
    opened.pool.wait(job.id, timeout=120)
    state = opened.store.states.get(trees.project.id)
    stored = opened.store.projects.data(trees.project.id)
    assert Dataset.from_arrays(stored.content, stored.arrays).names == ("Girth",)
    assert (state.step.dataset, state.step.move["arguments"]["hidden_layer_sizes"]) == (stored.id, [])
    same = again(opened, trees)
    opened.pool.wait(same.fit().id, timeout=120)
    assert opened.store.projects.data(trees.project.id).id == stored.id
    same = again(opened, trees)
    same.edit({1: {"role": "input"}})
    opened.pool.wait(same.fit().id, timeout=120)
    newest = opened.store.projects.data(trees.project.id)
    assert newest.id == stored.id + 1
    assert opened.store.states.get(trees.project.id).step.dataset == newest.id
    assert [step.dataset for step in opened.store.states.history(trees.project.id)] == [stored.id, stored.id, newest.id]


def test_a_second_fit_waits_for_the_first(opened, trees):
    opened.store.jobs.record(Job("j", trees.project.id, "discovery.fit", "batch", "running", 0.5, "", None, 1.0, 1.0))
    for start in (trees.fit, trees.search):
        with pytest.raises(JobError, match="under way"):
            start()


def test_a_search_gets_its_seconds(opened, trees, monkeypatch):
    handed = {}
    monkeypatch.setattr(type(opened.pool), "submit", lambda pool, task, arguments, **rest: handed.update({"task": task, **arguments, **rest}))
    trees.change_network(seconds=17.0)
    trees.search()
    assert (handed["task"], handed["time_budget"], handed["project"]) == ("discovery.auto", 17.0, trees.project.id)


def test_a_target_of_categories_is_a_class_and_one_of_numbers_a_measurement(open_csv):
    data = open_csv(lab(41))
    data.choose_target("material")
    assert (data.plan.task, data.dataset().classes) == ("classification", ("brass", "steel"))
    data.edit({2: {"role": "input"}, 4: {"role": "target"}})
    assert (data.plan.task, data.dataset().classes) == ("regression", ())
    data.change(task="classification")
    data.edit({0: {"unit": "d"}})
    assert data.plan.task == "classification"


def test_a_target_that_is_not_there_is_refused(trees):
    with pytest.raises(DatasetError, match="Did you mean 'Height'"):
        trees.choose_target("Heigth")


def test_a_project_that_is_not_there_is_refused(opened):
    with pytest.raises(ProjectError, match="There is no project"):
        Preparation(opened, "nobody")


def test_a_file_that_was_not_kept_cannot_be_read_again(trees):
    assert not trees.can_read_again()
    with pytest.raises(ProjectError, match="Drop it again"):
        trees.read_again(trees.plan.reading)
