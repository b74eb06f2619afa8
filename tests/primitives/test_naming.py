"""Forms of expressions: the library's where it says all, typed ones where something exact would become a float."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from workbench.expression import evaluate, parse
from workbench.primitives.naming import named

CASES = {
    "x": ("x", ()),
    "-x": ("x", ()),
    "2.5*x": ("x", (2.5,)),
    "3*x": ("3*x", ()),
    "1.5*exp(-0.25*x)": ("exp", (1.5, -0.25)),
    "exp(-x + 0.5)": ("exp", (0.5,)),
    "sin(2*pi*x)": ("sin(2*pi*x)", ()),
    "0.7*sin(3.1*x + 0.2)": ("sin", (0.7, 3.1, 0.2)),
    "x**2": ("x^2", ()),
    "1/(1.25*x + 0.5)": ("1/x", (1.25, 0.5)),
    "sqrt(x)": ("sqrt", ()),
    "x**1.7": ("x^p", (1.7,)),
    "x**(3/2)": ("x^1.5", ()),
    "x**(2/3)": ("x**(2/3)", ()),
    "asin(0.25*x)": ("arcsin", (0.25,)),
    "x*exp(-1.5*x)": ("x*exp(k1*x)", (-1.5,)),
    "2.5*x/(x + 0.75)": ("k1*x/(x + k2)", (2.5, 0.75)),
}


@pytest.mark.parametrize("text", CASES)
def test_it_is_the_form_with_its_constants(text: str) -> None:
    form, parameters, free = named(parse(text))
    name, constants = CASES[text]
    assert form.name == name
    assert tuple(value for value, fitted in zip(parameters, free, strict=True) if fitted) == constants
    x = np.linspace(0.3, 1.9, 23)
    assert_allclose(form.evaluate(x, parameters)[0], evaluate(parse(text), {"x": x}), rtol=1e-14)
