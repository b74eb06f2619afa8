"""What was typed becomes settings, and what was kept comes back, or its default."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.dataset import load_sample
from workbench.exceptions import DatasetError, TrainingError
from workbench.table import read_table
from workbench.ui.state.plan import Network, Plan, Reading, first_plan, hidden_layers, plan_of, product_nodes


@pytest.mark.parametrize(
    ("text", "sizes"),
    [("", None), (" auto ", None), ("none", ()), ("0", ()), ("5", (5,)), ("4, 3", (4, 3)), ("4 3", (4, 3)), ("(7,)", (7,)), ("[2, 3, 5]", (2, 3, 5))],
)
def test_hidden_layers_are_read_as_people_write_them(text, sizes):
    assert hidden_layers(text) == sizes


@pytest.mark.parametrize("text", ["five", "-3", "2.5", "5,0", "101", "1,1,1,1,1,1,1", "٣", "1e9", "()"])
def test_hidden_layers_that_are_none_are_refused_with_an_example(text):
    if text == "()":
        assert hidden_layers(text) == ()
    else:
        with pytest.raises(TrainingError, match="such as 5, or 4, 3 for two layers, or none"):
            hidden_layers(text)


def test_product_nodes_belong_to_hidden_layers():
    assert product_nodes("2, 2; 3", 2) == ((2, 2), (3,))
    assert product_nodes("; 3", 2) == ((), (3,))
    assert product_nodes(" none ", 0) == ()
    with pytest.raises(TrainingError, match="need 1 hidden layers, and there are 0"):
        product_nodes("2", 0)
    for text in ("1", "7", "x", "2,,y"):
        with pytest.raises(TrainingError, match="number of factors"):
            product_nodes(text, 3)


@pytest.mark.parametrize(("n_inputs", "n_rows", "hidden"), [(1, 1000, []), (2, 31, [1]), (2, 199, [1]), (3, 200, [5])])
def test_the_shape_left_to_us_is_the_smallest_that_can_hold_a_law(n_inputs, n_rows, hidden):
    settings = Network().settings(n_inputs, n_rows)
    assert settings["hidden_layer_sizes"] == hidden
    assert settings["sparsity"] == (1e-3 if hidden else 0.0)


def test_a_fit_goes_to_the_gpu_where_it_was_asked_to():
    assert Network(gpu=True).settings(2, 500)["engine"] == "cuda"
    assert "engine" not in Network().settings(2, 500)


def test_a_plan_survives_being_kept():
    plan = Plan(
        roles={"a": "input", "b": "target", "s": "error"}, units={"a": "m"}, transforms={"a": "log"}, split="groups", split_by="a",
        test_fraction=0.3, network=Network("4,3", "2", 0.01, 7, 30.0, "rational", gpu=True), reading=Reading("x.xlsx", ("one", "two"), "two", 3, "B2:F9"),
    )  # fmt: skip
    assert Plan.from_json(plan.to_json()) == plan


def test_edge_functions_are_a_setting_of_the_fit_where_they_are_not_the_usual_ones():
    assert "basis" not in Network().settings(3, 500)
    assert Network(basis="rational").settings(3, 500)["basis"] == "rational"
    assert Plan.from_json({"network": {"basis": "polynomials"}}).network.basis == "spline"


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4), lambda inner: st.lists(inner, max_size=3))
FIELDS = [*Plan.__dataclass_fields__, "unknown"]


@given(st.dictionaries(st.sampled_from(FIELDS), JSON | st.dictionaries(st.text(max_size=3), JSON, max_size=3)))
def test_whatever_a_file_holds_becomes_a_plan(stored):
    plan = Plan.from_json(stored)
    assert plan.split in ("random", "groups", "time")
    assert isinstance(plan.network.seed, int)
    assert all(isinstance(name, str) for name in plan.reading.sheets)
    assert Plan.from_json(plan.to_json()) == plan


@pytest.mark.parametrize(("name", "group"), [("puromycin", "state"), ("cherry_trees", None)])
def test_the_plan_of_a_sample_makes_the_same_dataset_again(name, group):
    data = load_sample(name)
    plan = plan_of(data)
    assert [column for column, role in plan.roles.items() if role == "group"] == ([group] if group else [])
    again = plan.dataset(data.table)
    assert again.fingerprint == data.fingerprint
    np.testing.assert_array_equal(again.split.train, data.split.train)


def test_a_new_table_predicts_its_last_column_of_numbers_and_leaves_out_what_numbers_the_rows():
    rows = "\n".join(f"{k},{np.sin(k):.6f},{np.cos(k):.6f},{'remark no ' + str(k)}" for k in range(1, 42))
    plan = first_plan(read_table(f"No.,x (m),y,remark\n{rows}\n".encode(), name="t.csv"))
    assert plan.roles == {"No.": "ignore", "x (m)": "input", "y": "target", "remark": "ignore"}
    assert plan.units["x (m)"] == "m"


def test_a_new_table_that_ends_in_categories_asks_for_classes():
    rows = "\n".join(f"{np.sin(k):.6f},{np.cos(k):.6f},{('good', 'bad', 'ugly')[k % 3]}" for k in range(41))
    table = read_table(f"x,y,verdict\n{rows}\n".encode(), name="t.csv")
    plan = first_plan(table)
    assert plan.roles == {"x": "input", "y": "input", "verdict": "target"}
    assert plan.dataset(table).task == "classification"


def test_a_table_of_which_nothing_can_be_made_still_gets_a_plan_and_says_why():
    table = read_table(b"a,b\n1,2\n", name="one.csv")
    with pytest.raises(DatasetError, match="1 row; at least 3"):
        first_plan(table).dataset(table)


def test_one_target_replaces_another():
    plan = Plan(roles={"a": "target", "b": "input", "c": "ignore"}).with_target("c")
    assert plan.roles == {"a": "input", "b": "input", "c": "target"}
    assert plan.targets == ("c",)


def test_roles_of_columns_that_are_gone_do_no_harm():
    table = read_table({"a": np.arange(11.0), "b": np.arange(11.0) ** 2})
    plan = Plan(roles={"a": "input", "b": "target", "gone": "input"}, units={"gone": "m", "a": "s"}, transforms={"gone": "log"})
    assert plan.dataset(table).units == ("s",)


def test_groups_need_a_column():
    table = read_table({"a": np.arange(31.0), "b": np.arange(31.0) ** 2})
    plan = replace(Plan(roles={"a": "input", "b": "target"}), split="groups")
    with pytest.raises(DatasetError, match="choose the column"):
        plan.dataset(table)
