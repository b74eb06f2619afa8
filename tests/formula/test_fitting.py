"""Errors of formulas that leave every bound are infinite, not warnings."""

from __future__ import annotations

import numpy as np

from workbench.expression import parse
from workbench.formula.fitting import Sample


def test_the_error_of_a_formula_that_overflows_when_squared_is_infinite() -> None:
    x = np.linspace(1.0, 2.0, 7)
    sample = Sample({"x": x}, x, np.ones(7), {})
    assert sample.rmse(parse("exp(400*x)", {"x"})) == np.inf
    assert sample.rmse(parse("x", {"x"})) == 0.0
