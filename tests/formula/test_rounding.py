"""Rounding that the data agree with, each with its price; and never more than they agree with."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from workbench.exceptions import TrainingError
from workbench.expression import Number, parse, to_text
from workbench.formula import Formula, Input, Output
from workbench.formula.rounding import description_bits, options, plain_decimal, replaced

_LONG = (
    "-0.9349*L*((0.2211*k + 0.001203*t + 1.0003)**(4.756*s + 0.00182*L + 0.0764*k - 4.785*t) + 0.8692*(0.004025*t - 0.015)*k + 0.0095*s - 0.000787*t - 1.071)"
    " - 0.04345*L*(0.08101*k + 0.000998*t + 0.9697)**(1.201*s - 0.1002*L - 10.82*t) + 1.081*k + 0.03867*t - 0.7949"
)


def law(text: str) -> Formula:
    return Formula((Output("y", "y", None, parse(text)),), (Input("x", "x", None, 0.0, 3.0),))


@pytest.fixture
def x(generator) -> np.ndarray:
    return generator.uniform(0.2, 3.0, 89)


def text(formula: Formula) -> str:
    return to_text(formula.outputs[0].expression)


class TestNice:
    def test_a_constant_keeps_its_digits_where_a_shorter_one_leaves_a_row_without_value(self, generator):
        """The edge of a domain stands next to the least x: rounded, it would cross it."""
        x, z = np.append(0.23579, generator.uniform(0.3, 3.0, 88)), np.append(1e-4, generator.uniform(1.0, 3.0, 88))
        y = 2.1 * z * np.sqrt(x - 0.23577) + 0.05 * generator.standard_normal(89)
        start = Formula((Output("y", "y", None, parse("2.1*z*sqrt(x - 0.23577)")),), (Input("x", "x", None, 0.0, 3.0), Input("z", "z", None, 0.0, 3.0)))
        found = start.nice(np.column_stack([x, z]), y)
        assert np.isfinite(found.formula.prediction(np.column_stack([x, z])).values).all()

    @pytest.mark.parametrize(("start", "truth"), [
        ("0.98*exp(-0.51*x)", "exp(-x/2)"),
        ("2.97*x**2 + 0.51*x", "3*x**2 + x/2"),
        ("0.9*sin(3.1*x + 0.01)", "sin(pi*x)"),
        ("1.4*sqrt(x) + 0.3", "sqrt(2)*sqrt(x) + 1/3"),
        ("1.1*x/(0.27 + x)", "x/(x + 1/4)"),
    ])  # fmt: skip
    def test_noise_free_law_gets_its_exact_constants_back(self, x, start, truth):
        expected = law(truth)
        found = law(start).nice(x, expected.prediction(x).values)
        assert found.formula.constants == ()
        assert_allclose(found.formula.prediction(x).values, expected.prediction(x).values, rtol=1e-12)
        assert all(item.applied for item in found.replacements)

    def test_irrational_constants_of_noise_free_data_keep_all_their_digits(self, x):
        y = 0.7390851332151607 * np.exp(-1.2345678901 * x)
        assert_allclose(law("1.0*exp(-1.0*x)").nice(x, y).formula.constants, [0.7390851332151607, -1.2345678901], rtol=1e-12)

    def test_noisy_law_gets_integers_that_lie_in_the_interval(self, x, generator):
        y = 3.0 * x**2 + 2.0 + 0.1 * generator.normal(size=x.size)
        assert text(law("1.0*x**2 + 1.0").nice(x, y).formula) == "3*x**2 + 2"

    def test_what_is_left_of_a_shift_is_gathered(self, x, generator):
        y = 3.0 / x**2 + 0.02 * generator.normal(size=x.size)
        assert text(law("3/(x*(x + 0.003))").nice(x, y).formula) == "3/x**2"

    def test_no_fraction_is_invented_for_a_constant_the_data_hardly_know(self, x, generator):
        y = 0.7391 * x + 0.8 * generator.normal(size=x.size)
        formula = law("1.0*x").nice(x, y).formula
        assert len(formula.constants) == 1  # every p/12 is within the interval of about 0.1: none of them is news
        assert len(repr(formula.constants[0])) <= 6  # but digits the data do not know are gone

    def test_constant_the_data_contradict_is_refused_and_its_price_is_said(self, x, generator):
        y = 3.02 * x + 0.01 * generator.normal(size=x.size)
        found = law("1.0*x").nice(x, y)
        assert_allclose(found.formula.constants, [3.02], atol=0.003)
        refused = options(law("1.0*x").refit(x, y), 0, x, y)
        three = next(item for item in refused if item.exact == Number(3))
        expected = np.sqrt(np.mean((3 * x - y) ** 2)) - np.sqrt(np.mean((found.formula.prediction(x).values - y) ** 2))
        assert_allclose(three.cost, expected, rtol=0.01)

    def test_constants_that_trade_against_each_other_keep_the_digits_that_matter(self, x, generator):
        y = 2.3456e-8 * np.exp(5.4321 * x) + 0.1 * generator.normal(size=x.size)
        best = law("2.0e-8*exp(5.4*x)").refit(x, y)
        found = best.nice(x, y)
        errors = [np.sum((formula.prediction(x).values - y) ** 2) for formula in (best, found.formula)]
        assert errors[1] - errors[0] < 2 * errors[0] / (x.size - 2)  # two standard deviations' worth, of the eleven that nice may take
        assert len(text(found.formula)) < len(text(best))

    def test_redundant_scale_is_set_to_one(self, x):
        y = 8.0 * np.exp(-2.0 * x)
        found = law("1.5*exp(0.3 - 1.9*x)").nice(x, y).formula
        assert found.constants == ()
        assert_allclose(found.prediction(x).values, y, rtol=1e-6)

    def test_input_never_disappears(self, x, generator):
        y = 1.0 + 0.1 * generator.normal(size=x.size)
        assert "x" in text(law("0.9 + 0.01*x").nice(x, y).formula)

    def test_many_constants_that_the_rows_hardly_know_are_not_tried_for_long(self, generator):
        """What a search proposed for a law of growth: each of a hundred tries fitted two dozen constants again, 14 s in all."""
        names, low, high = "ktLs", np.array([0.1, 1.0, 20.0, -2.0]), np.array([0.8, 12.0, 120.0, 0.0])
        X = generator.uniform(low, high, (599, 4))
        y = X[:, 2] * (1 - np.exp(-X[:, 0] * (X[:, 1] - X[:, 3]))) + 0.6 * generator.normal(size=599)
        inputs = tuple(Input(name, name, None, *ends) for name, *ends in zip(names, low, high, strict=True))
        formula = Formula((Output("y", "y", None, parse(_LONG)),), inputs).refit(X, y)
        found = formula.nice(X, y)
        in_vain = [each for each in found.replacements if not each.applied]
        assert len(formula.constants) == 24
        assert len(in_vain) <= 240 / len(found.formula.constants) + 1

    def test_note_says_what_was_replaced(self, x):
        notes = law("3.1*x").nice(x, np.pi * x).formula.notes
        assert any("3.14159 → pi" in note for note in notes)

    def test_nothing_changes_in_the_formula_asked(self, x):
        formula = law("3.1*x")
        formula.nice(x, np.pi * x)
        assert text(formula) == "3.1*x"


class TestRounded:
    def test_decimals_above_one_and_significant_digits_below(self):
        assert law("1234.56789*x + 0.000123456").rounded(3).constants == (1234.568, 0.000123)

    @pytest.mark.parametrize(("value", "decimals", "expected"), [
        (-2.71828, 2, -2.72), (0.05, 1, 0.05), (-0.0049, 1, -0.005), (1e-12, 3, 1e-12), (0.0, 3, 0.0), (99.9999, 0, 100.0), (0.4, 0, 0.4),
    ])  # fmt: skip
    def test_no_constant_becomes_zero(self, value, decimals, expected):
        assert plain_decimal(value, decimals) == expected

    def test_it_says_so(self):
        assert "3 decimals" in law("1.2345*x").rounded(3).notes[-1]


class TestReplaced:
    def test_others_are_fitted_again(self, x, generator):
        y = 2.0 * x + 1.0 + 0.1 * generator.normal(size=x.size)
        formula = replaced(law("1.0*x + 0.5"), 0, Number(3), x, y)
        assert_allclose(formula.constants, [np.mean(y - 3 * x)], rtol=1e-9)

    def test_value_that_undefines_the_formula_is_refused(self, x):
        with pytest.raises(TrainingError, match=r"undefined on some rows or loses an input"):
            replaced(law("x**2/1.5"), 0, Number(0), x, x)

    def test_constant_that_is_not_there_is_refused(self, x):
        with pytest.raises(TrainingError, match="has 1 constants, numbered from 0; got number 1"):
            replaced(law("1.5*x"), 1, Number(2), x, x)


@pytest.mark.parametrize(("shorter", "longer"), [("1", "2"), ("2", "7"), ("1/2", "7/12"), ("pi", "5*pi/7"), ("3", "3*sqrt(2)")])
def test_simpler_constants_take_fewer_bits(shorter, longer):
    assert description_bits(parse(shorter)) < description_bits(parse(longer))
