"""A formula in use: predictions with their range, scores, constants, exports found by name."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from workbench.exceptions import DatasetError, ExportError, UnknownColumnError
from workbench.expression import parse
from workbench.formula import EXPORTERS, Formula, Input, Output, OutsideRangeWarning, assemble
from workbench.table import Column, Table

INPUTS = (Input("Girth (in)", "girth", "in", 8.0, 20.0), Input("height", "height", "ft", 60.0, 90.0))


def volume(text: str = "0.5*girth**2 + 0.25*height", **more) -> Formula:
    return Formula((Output("Volume", "volume", "ft³", parse(text)),), INPUTS, **more)


ROWS = np.array([[8.0, 60.0], [10.0, 90.0], [20.0, 75.0]])
VALUES = np.array([47.0, 72.5, 218.75])


class TestPredict:
    @pytest.mark.parametrize("rows", [
        ROWS,
        ROWS.tolist(),
        pd.DataFrame({"note": ["a", "b", "c"], "height": ROWS[:, 1], "Girth (in)": ROWS[:, 0]}),
        {"height": ROWS[:, 1], "Girth (in)": ROWS[:, 0]},
        {"height": ROWS[:, 1].tolist(), "girth": ROWS[:, 0].tolist()},
        Table("trees", (Column("height", "height"), Column("Girth (in)", "Girth_in")), {"Girth (in)": ROWS[:, 0].copy(), "height": ROWS[:, 1].copy()}),
        SimpleNamespace(features=INPUTS, X=ROWS),
    ], ids=["array", "list", "frame", "mapping", "by symbol", "table", "dataset"])  # fmt: skip
    def test_takes_rows_in_any_form(self, rows):
        assert_allclose(volume().predict(rows), VALUES)

    def test_several_outputs_give_a_column_each(self):
        both = Formula((*volume().outputs, Output("h", "h", None, parse("height/2"))), INPUTS)
        assert_allclose(both.predict(ROWS), np.column_stack([VALUES, ROWS[:, 1] / 2]))

    def test_one_input_takes_a_plain_column(self):
        line = Formula((Output("y", "y", None, parse("2.0*girth")),), INPUTS[:1])
        assert_allclose(line.predict([9.0, 10.0]), [18.0, 20.0])

    def test_missing_column_is_named_with_the_closest_one(self):
        with pytest.raises(UnknownColumnError, match=r"needs the column 'height'\. Did you mean 'Height'\? There are: girth, Height"):
            volume().predict({"girth": [9.0], "Height": [70.0]})

    def test_array_of_another_width_is_refused(self):
        with pytest.raises(DatasetError, match=r"2 inputs \(Girth \(in\), height\); got an array of shape \(1, 3\)"):
            volume().predict([[1.0, 2.0, 3.0]])

    def test_text_in_a_column_is_refused(self):
        with pytest.raises(DatasetError, match="height: numbers are needed"):
            volume().predict({"girth": [9.0], "height": ["tall"]})

    def test_rows_outside_the_range_are_named_in_a_warning(self):
        rows = np.array([[9.0, 70.0], [25.0, 70.0], [5.0, 95.0]])
        with pytest.warns(OutsideRangeWarning, match=r"2 of 3 rows .*\(rows 2, 3\): Girth \(in\) 5 to 25, fitted on 8 to 20; height 95 to 95"):
            volume().predict(rows)

    def test_prediction_says_which_rows_and_inputs_lie_outside_without_a_warning(self):
        prediction = volume().prediction([[9.0, 70.0], [25.0, 70.0], [9.0, 95.0]])
        assert prediction.outside.tolist() == [False, True, True]
        assert {name: rows.tolist() for name, rows in prediction.inputs_outside.items()} == {
            "Girth (in)": [False, True, False],
            "height": [False, False, True],
        }

    def test_ends_of_the_range_are_inside(self):
        assert volume().prediction([[8.0, 60.0], [20.0, 90.0 + 1e-12]]).message == ""


class TestGroups:
    treated = volume("1.5*girth + height").outputs
    law = volume("girth + height", groups={"treated": treated, "untreated": volume("2.0*girth + height").outputs})

    def test_every_row_is_computed_by_its_own_group(self):
        values = self.law.predict([[10.0, 60.0], [10.0, 60.0], [12.0, 60.0]], groups=["untreated", "treated", "treated"])
        assert_allclose(values, [80.0, 75.0, 78.0])

    def test_without_labels_the_common_law_holds(self):
        assert_allclose(self.law.predict([[10.0, 60.0]]), [70.0])

    def test_unknown_group_is_refused_with_the_known_ones(self):
        with pytest.raises(DatasetError, match=r"no constants for 'other'\. Known groups: 'treated', 'untreated'"):
            self.law.predict([[10.0, 60.0]], groups=["other"])


def test_score_is_the_explained_share_of_variance():
    y = np.array([1.0, 2.0, 4.0])
    line = Formula((Output("y", "y", None, parse("girth")),), INPUTS[:1])
    assert_allclose(line.score([1.0, 2.0, 3.0], y), 1 - 1 / (16 / 9 + 1 / 9 + 25 / 9))
    assert line.score([1.0, 2.0, 4.0], y) == 1.0


def test_score_by_weights_counts_a_row_as_often_as_its_weight():
    x, y = np.array([1.0, 2.0, 3.0]), np.array([1.1, 2.0, 2.7])
    line = Formula((Output("y", "y", None, parse("girth")),), INPUTS[:1])
    assert_allclose(line.score(x, y, weights=[2, 1, 3]), line.score(np.repeat(x, [2, 1, 3]), np.repeat(y, [2, 1, 3])))


def test_score_of_a_constant_target_is_refused():
    with pytest.raises(DatasetError, match="y is constant"):
        volume().score(ROWS, np.ones(3))


def test_complexity_counts_the_expression_and_the_constants_of_splines(mixed, hello):
    assert assemble(hello).complexity == 9  # exp, +, sin, *, 3.14, x1, **, x2, 2
    spline = assemble(mixed)
    written = sum(len(definition.polynomials) - 2 for definition in spline.definitions.values())
    assert spline.complexity > written == 9 * len(spline.definitions)  # 8 coefficients and a base weight each


def test_constants_are_listed_in_order_and_can_be_set():
    formula = volume()
    assert formula.constants == (0.5, 0.25)
    assert_allclose(formula.with_constants([1.0, 2.0]).predict(ROWS), ROWS[:, 0] ** 2 + 2 * ROWS[:, 1])
    assert formula.constants == (0.5, 0.25)
    with pytest.raises(DatasetError, match="2 constants; got 1 values"):
        formula.with_constants([1.0])


def test_formula_changed_since_carries_no_certificate():
    assert "no certificate" in volume().certificate_text


def test_exports_are_found_by_name_and_unknown_ones_answered_with_the_closest(monkeypatch):
    monkeypatch.setitem(EXPORTERS, "shouting", lambda formula, mark="!": formula.to_text().upper() + mark)
    assert volume("girth").to("shouting", mark="?") == "VOLUME = GIRTH?"
    with pytest.raises(ExportError, match="Did you mean 'shouting'"):
        volume().to("shoutin")


@pytest.mark.parametrize(("name", "written"), [
    ("Girth", "Girth"), ("Girth (in)", "x_1"), ("β", "β"), ("lambda", "x_1"), ("exp", "x_1"), ("pi", "x_1"), ("x_2", "x_1"), ("2nd", "x_1"),
])  # fmt: skip
def test_python_expression_uses_own_names_where_python_can(name, written):
    formula = Formula((Output("y", "y", None, parse("2.5*exp(x_1) + x_2")),), (Input(name, "x_1"), Input("other one", "x_2")))
    assert formula.python_expression() == f"2.5*exp({written}) + x_2"
