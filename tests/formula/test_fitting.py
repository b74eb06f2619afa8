"""Formulas that leave every bound: their errors are infinite, not warnings, and no fit to them fails."""

from __future__ import annotations

import numpy as np

from workbench.expression import free_constants, parse, with_constants
from workbench.formula.fitting import Sample, fitted


def test_the_error_of_a_formula_that_overflows_when_squared_is_infinite() -> None:
    x = np.linspace(1.0, 2.0, 7)
    sample = Sample({"x": x}, x, np.ones(7), {})
    assert sample.rmse(parse("exp(400*x)", {"x"})) == np.inf
    assert sample.rmse(parse("x", {"x"})) == 0.0


def test_a_step_without_numbers_is_refused() -> None:
    """A factor at the end of float64 has derivatives beyond it, and a step from there is no number: the constants stay."""
    x = np.geomspace(0.13, 9.1, 17)
    sample = Sample({"x": x}, 1.9 * np.exp(-((np.log(x / 1.6) / 1.3) ** 2)), np.ones(17), {})
    form = parse("1.5*exp(-709.1240013518941/(1 - 0.0016559181252244473*(log(x) - 0.4692425024938704)**2)**(1/2))", {"x"})
    extreme = with_constants(form, [1.7556458258249844e308, *free_constants(form)[1:]])
    assert np.isfinite(sample.rmse(extreme))
    assert fitted(extreme, sample) == extreme
