"""Undo, redo and branches: the cursor moves, nothing is lost."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from numpy.testing import assert_array_equal

from workbench.exceptions import ProjectError
from workbench.store import Draft, Store


def test_a_state_comes_back_as_it_was_made(grown, make_draft):
    store, project = grown
    state, made = store.states.get(project, 3), make_draft("snap")
    assert (state.step.id, state.step.parent, state.step.label) == (3, 2, "snap")
    assert (state.step.move, state.step.metrics) == (made.move, made.metrics)
    assert (state.network, state.view) == (made.network, made.view)
    assert state.arrays.keys() == made.arrays.keys()
    for name, array in made.arrays.items():
        assert_array_equal(state.arrays[name], array, strict=True)


def test_views_are_those_of_the_states_asked_for_and_need_no_network(grown):
    store, project = grown
    with store._database.write() as connection:
        connection.execute("UPDATE state SET network = ?", (b"",))
    assert store.states.views(project, [4, 1]) == {4: {"drawn": "lock"}, 1: {"drawn": "fit"}}
    assert store.states.views(project, []) == {}


def test_undo_goes_to_the_parent_and_redo_back(grown):
    store, project = grown
    assert [store.states.undo(project).id for _ in range(2)] == [2, 1]
    assert [store.states.redo(project).id for _ in range(2)] == [2, 4]
    assert store.projects.get(project).cursor == 4


def test_a_move_after_undo_makes_a_branch_and_keeps_the_old_one(grown):
    store, project = grown
    assert [(step.id, step.parent) for step in store.states.history(project)] == [(1, None), (2, 1), (3, 2), (4, 2)]
    assert store.states.go_to(project, 3).label == "snap"


def test_redo_leads_to_where_one_was_last_also_after_a_visit_to_another_branch(grown):
    store, project = grown
    store.states.go_to(project, 3)
    store.states.go_to(project, 1)
    assert [store.states.redo(project).id for _ in range(2)] == [2, 3]


def test_undo_at_the_first_state_and_redo_at_the_last_say_that_there_is_nothing(grown, store):
    store, project = grown
    with pytest.raises(ProjectError, match="nothing to redo"):
        store.states.redo(project)
    store.states.go_to(project, 1)
    with pytest.raises(ProjectError, match="nothing to undo"):
        store.states.undo(project)
    empty = store.projects.create("empty").id
    for attempt, word in ((store.states.undo, "undo"), (store.states.redo, "redo")):
        with pytest.raises(ProjectError, match=f"nothing to {word}"):
            attempt(empty)


@pytest.mark.parametrize("state", [0, 5, -1, 10**30])
def test_a_state_that_does_not_exist_is_refused_and_the_cursor_stays(grown, make_draft, state):
    store, project = grown
    states = store.states
    for attempt in (
        lambda: states.get(project, state), lambda: states.go_to(project, state), lambda: states.views(project, [1, state]),
        lambda: states.append(project, make_draft("x"), parent=state),
    ):  # fmt: skip
        with pytest.raises(ProjectError):
            attempt()
    assert store.projects.get(project).cursor == 4
    with pytest.raises(ProjectError, match=r"has no state 5\. Its states are 1 to 4"):
        store.states.get(project, 5)


def test_a_fit_that_took_long_becomes_a_branch_of_where_it_began(grown, make_draft):
    store, project = grown
    step = store.states.append(project, make_draft("long fit"), parent=1)
    assert (step.id, step.parent) == (5, 1)
    assert store.projects.get(project).cursor == 5


def test_questions_change_nothing(grown):
    store, project = grown
    before = store.path.joinpath("workbench.sqlite-wal").read_bytes()
    for ask in (store.projects.get, store.projects.data, store.states.get, store.states.history, store.archive, store.export):
        ask(project)
    store.states.views(project, [1, 2])
    store.projects.all()
    store.jobs.all()
    assert store.path.joinpath("workbench.sqlite-wal").read_bytes() == before


def test_a_damaged_blob_is_noticed(grown):
    store, project = grown
    with store._database.write() as connection:
        blob = bytearray(connection.execute("SELECT network FROM state WHERE id = 4").fetchone()[0])
        blob[-1] ^= 1
        connection.execute("UPDATE state SET network = ? WHERE id = 4", (bytes(blob),))
    with pytest.raises(ProjectError, match="state 4 of the project is not a whole"):
        store.states.get(project)
    assert store.states.get(project, 3).network["label"] == "snap"


class Tree(RuleBasedStateMachine):
    """Whatever a person does, the store agrees with a model of six lines."""

    @initialize()
    def begin(self):
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        self.store = Store(self.folder.name)
        self.project = self.store.projects.create("tree").id
        self.parent, self.last_child, self.cursor = {}, {}, None

    def visit(self, state):
        self.cursor = state
        while self.parent[state] is not None:
            self.last_child[self.parent[state]] = state
            state = self.parent[state]

    @rule()
    def move(self):
        step = self.store.states.append(self.project, Draft(f"move {len(self.parent) + 1}", {}, {}))
        self.parent[step.id] = self.cursor
        self.visit(step.id)

    @precondition(lambda self: self.parent)
    @rule(data=st.data())
    def go_to(self, data):
        state = data.draw(st.sampled_from(sorted(self.parent)))
        self.store.states.go_to(self.project, state)
        self.visit(state)

    @rule()
    def undo(self):
        up = self.parent.get(self.cursor)
        if up is None:
            with pytest.raises(ProjectError):
                self.store.states.undo(self.project)
        else:
            self.store.states.undo(self.project)
            self.last_child[up], self.cursor = self.cursor, up

    @rule()
    def redo(self):
        down = self.last_child.get(self.cursor)
        if down is None:
            with pytest.raises(ProjectError):
                self.store.states.redo(self.project)
        else:
            assert self.store.states.redo(self.project).id == down
            self.cursor = down

    @invariant()
    def agree(self):
        assert self.store.projects.get(self.project).cursor == self.cursor
        steps = self.store.states.history(self.project)
        assert {step.id: step.parent for step in steps} == self.parent
        assert {step.id: step.redo for step in steps if step.redo} == self.last_child

    def teardown(self):
        self.store.close()
        self.folder.cleanup()


TestTree = Tree.TestCase
TestTree.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
