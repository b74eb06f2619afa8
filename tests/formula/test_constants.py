"""Constants against closed forms: linear regression has its errors in every textbook, and data with known noise have theirs."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from workbench.exceptions import DatasetError, TrainingError
from workbench.expression import parse
from workbench.formula import Formula, Input, Output, assemble


def law(text: str, *inputs: Input) -> Formula:
    return Formula((Output("y", "y", "J", parse(text)),), inputs or (Input("x", "x", "s", 0.0, 1.0),))


@pytest.fixture
def x(generator) -> np.ndarray:
    return generator.uniform(0.2, 3.0, 67)


class TestRefit:
    def test_line_gets_the_least_squares_constants(self, x, generator):
        y = 3.0 * x - 0.5 + 0.1 * generator.normal(size=x.size)
        slope, intercept = np.polyfit(x, y, 1)
        assert_allclose(law("1.0*x + 0.0").refit(x, y).constants, [slope, intercept], rtol=1e-10)

    def test_weighted_line_gets_the_weighted_constants(self, x, generator):
        sigma = generator.uniform(0.1, 1.0, x.size)
        y = 3.0 * x - 0.5 + sigma * generator.normal(size=x.size)
        slope, intercept = np.polyfit(x, y, 1, w=1 / sigma)
        assert_allclose(law("1.0*x + 0.0").refit(x, y, weights=1 / sigma**2).constants, [slope, intercept], rtol=1e-9)

    def test_planted_constants_are_found_to_the_last_digits(self, x):
        y = 1.7 * np.exp(-0.9 * x) + 0.3 * np.sin(4.0 * x)
        found = law("1.0*exp(-1.0*x) + 0.5*sin(3.8*x)").refit(x, y).constants
        assert_allclose(found, [1.7, -0.9, 0.3, 4.0], rtol=1e-12)

    def test_constants_inside_a_spline_edge_are_fitted_through_it(self, hello, generator):
        network = hello.with_spline((1, 0, 0), generator.normal(size=8), 1.0)
        formula = assemble(network)
        X = generator.uniform(-1, 1, (101, 2))
        y = formula.predict(X)
        moved = formula.with_constants([value * 1.02 for value in formula.constants])
        assert_allclose(moved.refit(X, y).predict(X), y, atol=1e-9)

    def test_each_output_has_its_own_fit(self, x):
        both = Formula((Output("u", "u", None, parse("1.0*x")), Output("v", "v", None, parse("1.0*x**2"))), (Input("x", "x"),))
        assert_allclose(both.refit(x, np.column_stack([2 * x, 3 * x**2])).constants, [2.0, 3.0], rtol=1e-12)

    def test_one_law_gets_a_set_of_constants_per_group(self, x):
        groups = np.where(np.arange(x.size) % 3 == 0, "treated", "untreated")
        y = np.where(groups == "treated", 212.0, 160.0) * x / (np.where(groups == "treated", 0.064, 0.048) + x)
        law_ = law("200.0*x/(0.06 + x)").refit(x, y, groups=groups)
        constants = {label: formula.constants for label, formula in
                     ((label, Formula(outputs, law_.inputs)) for label, outputs in law_.groups.items())}  # fmt: skip
        assert_allclose(sorted(constants["treated"]), [0.064, 212.0], rtol=1e-9)
        assert_allclose(sorted(constants["untreated"]), [0.048, 160.0], rtol=1e-9)
        assert_allclose(law_.prediction(x, groups=groups).values, y, rtol=1e-10)

    def test_start_without_a_value_is_refused(self, x):
        with pytest.raises(TrainingError, match=r"no finite value on \d+ of 67 rows"):
            law("log(x - 1.0)").refit(x, x)

    def test_trial_steps_without_a_value_do_not_stop_the_fit(self, x):
        y = np.sqrt(x - 0.19)
        assert_allclose(law("1.0*sqrt(x + 0.5)").refit(x, y).constants, [1.0, -0.19], rtol=1e-6)

    def test_group_with_fewer_rows_than_constants_is_refused(self, x):
        groups = ["few"] + ["many"] * (x.size - 1)
        with pytest.raises(DatasetError, match="group 'few' has 1 rows, and the formula has 2 constants"):
            law("1.0*x + 0.5").refit(x, x, groups=groups)

    @pytest.mark.parametrize("weights", [[1.0, 2.0], np.zeros(67), -np.ones(67)])
    def test_unusable_weights_are_refused(self, x, weights):
        with pytest.raises(DatasetError, match="weights: 67 numbers"):
            law("1.0*x").refit(x, x, weights=weights)


class TestIntervals:
    def test_errors_of_a_line_are_those_of_the_textbook(self, x, generator):
        y = 3.0 * x - 0.5 + 0.1 * generator.normal(size=x.size)
        formula = law("1.0*x + 0.0").refit(x, y)
        residual = y - formula.prediction(x).values
        sigma2 = residual @ residual / (x.size - 2)
        spread = np.sum((x - x.mean()) ** 2)
        slope, intercept = formula.intervals(x, y)
        assert_allclose(slope.standard_error, np.sqrt(sigma2 / spread), rtol=1e-9)
        assert_allclose(intercept.standard_error, np.sqrt(sigma2 * (1 / x.size + x.mean() ** 2 / spread)), rtol=1e-9)
        t = 1.9971379  # Student's t, 65 degrees of freedom, 97.5 %: tables
        assert_allclose(slope.high - slope.value, t * slope.standard_error, rtol=1e-6)
        assert_allclose(slope.value - slope.low, t * slope.standard_error, rtol=1e-6)

    def test_scale_of_the_weights_does_not_matter(self, x, generator):
        y = 3.0 * x + generator.normal(size=x.size)
        weights = generator.uniform(0.5, 2.0, x.size)
        formula = law("1.0*x").refit(x, y, weights)
        small, large = formula.intervals(x, y, weights), formula.intervals(x, y, 1e6 * weights)
        assert_allclose(small[0].standard_error, large[0].standard_error, rtol=1e-10)

    def test_interval_holds_the_truth_19_times_of_20(self, x):
        noise = np.random.default_rng(0)
        inside = 0
        for _ in range(200):
            y = 2.0 * np.exp(-1.3 * x) + 0.05 * noise.normal(size=x.size)
            (_, rate) = law("1.8*exp(-1.0*x)").refit(x, y).intervals(x, y)
            inside += rate.low <= -1.3 <= rate.high
        assert 180 <= inside <= 199  # 190 expected, standard deviation 3.1

    def test_constants_that_only_act_together_are_marked(self, x):
        scale, rate, shift = law("1.0*exp(2.0*x + 0.5)").intervals(x, np.exp(0.5 + 2.0 * x) + np.sin(50 * x))
        assert not scale.identified
        assert not shift.identified
        assert rate.identified
        assert scale.high == np.inf

    def test_fewer_rows_than_constants_identify_nothing(self):
        (slope, intercept) = law("1.0*x + 0.0").intervals([1.0], np.array([2.0]))
        assert not slope.identified
        assert not intercept.identified


class TestUnits:
    inputs = (Input("L", "L", "m"), Input("T", "T", "s"), Input("n", "n", None))

    @pytest.mark.parametrize(("text", "units"), [
        ("2.0*L*T**2 + 0.5", ["J/(m·s^2)", "J"]),
        ("2.0*L/T", ["J·s/m"]),
        ("2.0*sqrt(L)", ["J/m^(1/2)"]),
        ("2.0*n", [None]),
        ("2.0*exp(-0.5*T)", [None, None]),
        ("2*L + 1.5*T", ["J/s"]),
    ])  # fmt: skip
    def test_plain_factors_and_terms_have_the_unit_that_balances_them(self, text, units, generator):
        rows = generator.uniform(1, 2, (13, 3))
        assert [constant.unit for constant in law(text, *self.inputs).intervals(rows, rows[:, 0])] == units
