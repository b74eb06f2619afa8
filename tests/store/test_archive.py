"""A project out of one workspace, into another: exact, and hostile files get one sentence."""

from __future__ import annotations

import copy
import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from workbench.exceptions import ProjectError
from workbench.store import Archive, Store, read_project, write_project


def test_a_project_travels_whole_to_another_workspace(grown, tmp_path):
    store, project = grown
    path = tmp_path / "trees.kanwb"
    path.write_bytes(store.export(project))
    with Store(tmp_path / "other") as other:
        came = other.import_file(path, owner="bob")
        assert came.owner == "bob"
        assert came.id != project
        assert dataclasses.replace(came, id="", owner=None, created=0, updated=0) == dataclasses.replace(
            store.projects.get(project), id="", owner=None, created=0, updated=0
        )
        assert other.states.history(came.id) == store.states.history(project)
        for number in (1, 2, 3, 4):
            here, there = store.states.get(project, number), other.states.get(came.id, number)
            assert (here.network, here.view) == (there.network, there.view)
            for name, array in here.arrays.items():
                assert_array_equal(there.arrays[name], array, strict=True)
        assert other.export(came.id) == store.export(project)
        assert other.states.undo(came.id).id == 2


def test_an_empty_project_travels_too(store):
    came = store.import_file(store.export(store.projects.create("empty").id))
    assert (came.name, came.cursor) == ("empty", None)


def test_an_archive_needs_no_store(grown, tmp_path):
    store, project = grown
    write_project(tmp_path / "found.kanwb", *store.archive(project).to_parts())
    archive = Archive.from_parts(*read_project(tmp_path / "found.kanwb"))
    assert (archive.name, archive.cursor, [state.step.label for state in archive.states]) == ("Cherry trees", 4, ["fit", "prune", "snap", "lock"])


def test_a_file_cut_in_half_changes_nothing_in_the_workspace(grown):
    store, project = grown
    content = store.export(project)
    with pytest.raises(ProjectError, match="is not a whole KAN Workbench project"):
        store.import_file(content[: len(content) // 2])
    assert len(store.projects.all()) == 1


def forged(document, arrays, path, value):
    """Return the parts with one value of the document replaced (or taken away)."""
    document = copy.deepcopy(document)
    place = document
    for key in path[:-1]:
        place = place[key]
    if value is REMOVED:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return document, arrays


REMOVED = object()
FORGERIES = [
    (("name",), REMOVED, "the document lacks 'name'"),
    (("name",), 5, "'name' of the document is '5'"),
    (("name",), "", "cannot be named"),
    (("plugin",), "os.system", "the document has 'plugin', which is unknown"),
    (("states",), {}, "'states' of the document"),
    (("states",), [7], "a state is not a record"),
    (("states", 0, "code"), "x", "a state has 'code', which is unknown"),
    (("states", 0, "label"), REMOVED, "a state lacks 'label'"),
    (("states", 0, "label"), None, "'label' of a state is 'None'"),
    (("states", 0, "network"), [], "'network' of a state"),
    (("states", 0, "id"), True, "'id' of a state is 'True'"),
    (("states", 0, "id"), "1", "'id' of a state is '1'"),
    (("states", 0, "id"), 2, "arrays belong to state/1|not numbered upwards"),
    (("states", 0, "id"), -1, "arrays belong to state/1"),
    (("states", 3, "id"), 2**40, "arrays belong to state/4"),
    (("states", 0, "parent"), 1, "state 1 was made from state 1, which does not come before it"),
    (("states", 0, "parent"), 3, "state 1 was made from state 3, which does not come before it"),
    (("states", 2, "parent"), 99, "state 3 was made from state 99"),
    (("states", 2, "redo"), 4, "redo at state 3 leads to 4, which was not made from it"),
    (("states", 2, "redo"), 99, "redo at state 3 leads to 99"),
    (("states", 2, "dataset"), 9, "state 3 was made from dataset 9, which it does not have"),
    (("states", 2, "created"), float("nan"), "created at no time"),
    (("states", 2, "created"), 10**400, "created at no time"),
    (("cursor",), 9, "it stands at state 9, which it does not have"),
    (("cursor",), None, "it has states and stands at none"),
    (("cursor",), 1.0, "'cursor' of the document"),
    (("dataset",), 9, "it uses dataset 9, which it does not have"),
    (("datasets",), [], "arrays belong to dataset/1"),
    (("datasets", 0, "more"), 1, "a dataset has 'more'"),
]


@pytest.mark.parametrize(("path", "value", "reason"), FORGERIES)
def test_a_forged_document_is_refused_with_what_is_wrong(grown, path, value, reason):
    store, project = grown
    document, arrays = forged(*store.archive(project).to_parts(), path, value)
    with pytest.raises(ProjectError, match=reason):
        Archive.from_parts(document, arrays)


def test_states_out_of_order_are_refused(grown):
    store, project = grown
    document, arrays = store.archive(project).to_parts()
    document["states"] = document["states"][::-1]
    with pytest.raises(ProjectError, match="not numbered upwards"):
        Archive.from_parts(document, arrays)


@pytest.mark.parametrize("name", ["stray", "state/1", "state/1/", "state/x/a", "state/²/a", "job/1/a", "state/99999999999/a", "state/-1/a"])
def test_an_array_that_belongs_to_nothing_is_refused(grown, name):
    store, project = grown
    document, arrays = store.archive(project).to_parts()
    with pytest.raises(ProjectError, match="belongs to nothing"):
        Archive.from_parts(document, {**arrays, name: np.zeros(1)})


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_value_in_any_place_is_accepted_whole_or_refused_with_a_sentence(data, tmp_path_factory):
    document, arrays = SMALL
    path = data.draw(st.sampled_from(list(_places(document))))
    value = data.draw(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just([]) | st.just({}))
    document, arrays = forged(document, arrays, path, value)
    with Store(tmp_path_factory.mktemp("w")) as store:
        try:
            came = store.import_archive(Archive.from_parts(document, arrays))
        except ProjectError:
            assert store.projects.all() == ()
        else:
            assert len(store.states.history(came.id)) == len(document["states"])


SMALL = (
    {
        "name": "small", "summary": {}, "plan": {}, "cursor": 2, "dataset": 1, "datasets": [{"id": 1, "content": {}}],
        "states": [
            {"id": 1, "parent": None, "redo": 2, "dataset": 1, "label": "a", "move": {}, "metrics": {}, "created": 1.5, "network": {}, "view": {}},
            {"id": 2, "parent": 1, "redo": None, "dataset": 1, "label": "b", "move": {}, "metrics": {}, "created": 2.5, "network": {}, "view": {}},
        ],
    },
    {"dataset/1/X": np.arange(6.0).reshape(2, 3)},
)  # fmt: skip


def _places(value, path=()):
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        yield (*path, key)
        if isinstance(item, dict | list):
            yield from _places(item, (*path, key))
