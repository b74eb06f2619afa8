"""Projects: what a person does with the cards on the first page."""

from __future__ import annotations

import dataclasses
import stat
import sys

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from workbench.exceptions import ProjectError
from workbench.store import SourceFile, Store


def test_a_new_project_is_empty_and_its_id_cannot_be_guessed(store):
    project = store.projects.create("  Pendulum ", owner="ada")
    assert (project.name, project.owner, project.cursor, project.dataset, project.deleted) == ("Pendulum", "ada", None, None, None)
    assert dict(project.summary) == {}
    assert len(project.id) >= 22  # 128 bits
    assert store.projects.get(project.id) == project
    assert store.states.get(project.id) is None
    assert store.projects.data(project.id) is None
    assert store.states.history(project.id) == ()


def test_projects_are_listed_by_owner_last_touched_first(store):
    first, second, third = (store.projects.create(name, owner).id for name, owner in (("a", "ada"), ("b", "ada"), ("c", "bob")))
    store.projects.summarise(first, {"r2": 0.9})
    assert [project.id for project in store.projects.all("ada")] == [first, second]
    assert [project.id for project in store.projects.all()] == [first, third, second]
    assert store.projects.all("eve") == ()


def test_everything_is_still_there_after_the_workspace_was_closed(grown, make_draft):
    store, project = grown
    before = (store.projects.get(project), store.states.history(project))
    store.close()
    with Store(store.path) as again:
        assert (again.projects.get(project), again.states.history(project)) == before
        assert_array_equal(again.states.get(project).arrays["coefficients"], make_draft("lock").arrays["coefficients"])


@pytest.mark.parametrize("name", ["", "   ", "x" * 201])
def test_a_name_that_is_empty_or_endless_is_refused(store, name):
    project = store.projects.create("good")
    for attempt in (lambda: store.projects.create(name), lambda: store.projects.rename(project.id, name)):
        with pytest.raises(ProjectError, match="Give a name of 1 to 200 characters"):
            attempt()
    assert [project.name for project in store.projects.all()] == ["good"]


def test_rename_and_summarise_change_the_card(store):
    project = store.projects.create("a").id
    store.projects.rename(project, "Länge & Zeit 🌳")
    store.projects.summarise(project, {"r2": 0.5})
    assert store.projects.get(project).name == "Länge & Zeit 🌳"
    assert store.projects.get(project).summary == {"r2": 0.5}


def test_a_deleted_project_lies_in_the_trash_and_comes_back_whole(grown):
    store, project = grown
    before = store.archive(project)
    store.projects.delete(project)
    assert store.projects.all() == ()
    assert [project.name for project in store.projects.all(deleted=True)] == ["Cherry trees"]
    assert store.projects.restore(project).deleted is None
    assert store.projects.all(deleted=True) == ()
    assert store.archive(project).states[3].step == before.states[3].step


def test_purge_leaves_nothing_of_the_project_and_all_of_the_others(grown):
    store, project = grown
    other = store.projects.duplicate(project).id
    store.projects.purge(project)
    with pytest.raises(ProjectError, match="There is no project"):
        store.states.history(project)
    with store._database.read() as connection:
        for table in ("state", "dataset"):
            assert connection.execute(f"SELECT DISTINCT project FROM {table}").fetchall()[0]["project"] == other
    assert len(store.states.history(other)) == 4


def test_a_duplicate_has_the_same_history_and_its_own_future(grown, make_draft):
    store, project = grown
    copy = store.projects.duplicate(project)
    assert copy.name == "Cherry trees (copy)"
    assert (copy.cursor, copy.dataset, copy.summary) == (4, 1, {"r2": 0.97, "formula": "Volume = c·Girth²"})
    assert copy.plan == {"roles": {"Volume": "target"}}
    assert store.states.history(copy.id) == store.states.history(project)
    store.states.append(copy.id, make_draft("refit"))
    assert len(store.states.history(copy.id)) == 5
    assert len(store.states.history(project)) == 4


def test_duplicating_a_project_with_a_very_long_name_works(store):
    assert store.projects.duplicate(store.projects.create("x" * 200).id).name == "x" * 193 + " (copy)"


def test_an_unknown_project_is_said_to_be_unknown_by_everything(store, make_draft):
    attempts = [
        store.projects.get, store.projects.delete, store.projects.restore, store.projects.purge, store.projects.duplicate, store.projects.data,
        store.states.get, store.states.history, store.states.undo, store.states.redo, store.archive, store.export,
        lambda project: store.projects.rename(project, "x"),
        lambda project: store.projects.set_data(project, {}, {}),
        lambda project: store.states.append(project, make_draft("fit")),
        lambda project: store.states.go_to(project, 1),
    ]  # fmt: skip
    for attempt in attempts:
        with pytest.raises(ProjectError, match=r"There is no project 'nobody' .* open one from the list"):
            attempt("nobody")


def test_data_come_back_exactly(grown):
    store, project = grown
    data = store.projects.data(project)
    assert (data.id, data.content) == (1, {"target": "Volume", "unit": "m^3"})
    assert_array_equal(data.arrays["X"], np.arange(14.0).reshape(7, 2).T)


def test_data_without_states_are_removed_and_data_with_states_are_kept(store, make_draft):
    project = store.projects.create("a").id
    store.projects.set_data(project, {"role": "first try"}, {})
    assert store.projects.set_data(project, {"role": "corrected"}, {}).id == 2
    store.states.append(project, make_draft("fit"))
    assert store.projects.set_data(project, {"role": "other target"}, {}).id == 3
    store.states.append(project, make_draft("fit again"))
    assert [step.dataset for step in store.states.history(project)] == [2, 3]
    assert store.projects.data(project, 2).content == {"role": "corrected"}
    assert store.projects.data(project).content == {"role": "other target"}
    for gone in (1, 4):
        with pytest.raises(ProjectError, match=f"no dataset {gone}"):
            store.projects.data(project, gone)


def test_the_number_of_a_dataset_is_never_used_again(store):
    """Workers keep a dataset they have read under its number."""
    project = store.projects.create("a").id
    numbers = [store.projects.set_data(project, {"try": k}, {}).id for k in range(5)]
    assert numbers == [1, 2, 3, 4, 5]


def test_a_state_made_from_an_older_dataset_says_so(store, make_draft):
    project = store.projects.create("a").id
    store.projects.set_data(project, {"role": "first"}, {})
    store.states.append(project, make_draft("fit"))
    store.projects.set_data(project, {"role": "second"}, {})
    assert store.states.append(project, dataclasses.replace(make_draft("snap"), dataset=1)).dataset == 1
    assert store.states.append(project, make_draft("fit")).dataset == 2


def test_the_file_a_table_was_read_from_is_kept_copied_and_forgotten(store):
    project = store.projects.create("a").id
    assert store.projects.source(project) is None
    store.projects.set_source(project, SourceFile("first.xlsx", b"PK"))
    store.projects.set_source(project, SourceFile("runs.xlsx", b"PK\x00\xff"))
    copy = store.projects.duplicate(project).id
    store.projects.set_source(project, None)
    assert store.projects.source(project) is None
    assert store.projects.source(copy) == SourceFile("runs.xlsx", b"PK\x00\xff")
    store.projects.purge(copy)
    with store._database.read() as connection:
        assert connection.execute("SELECT count(*) FROM source").fetchone()[0] == 0


def test_a_dataset_beyond_what_sqlite_holds_is_refused_with_its_size(store, monkeypatch):
    monkeypatch.setattr("workbench.store.database.MAX_BLOB_BYTES", 2_000_000)
    project = store.projects.create("a").id
    with pytest.raises(ProjectError, match="The dataset has 8 MB; a project can hold up to 2 MB"):
        store.projects.set_data(project, {}, {"X": np.zeros(1_000_003)})
    assert store.projects.data(project) is None


@pytest.mark.parametrize("summary", [{"x": object()}, {"x": {1, 2}}])
def test_a_summary_that_is_not_json_is_refused(store, summary):
    project = store.projects.create("a").id
    with pytest.raises(ProjectError, match="The summary cannot be saved"):
        store.projects.summarise(project, summary)


def test_text_that_is_not_unicode_is_refused(store):
    with pytest.raises(ProjectError, match="cannot be saved"):
        store.projects.create("\ud800")


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX rights")
def test_a_new_workspace_is_closed_to_others(tmp_path):
    with Store(tmp_path / "new" / "workspace") as store:
        assert stat.S_IMODE(store.path.stat().st_mode) == 0o700
