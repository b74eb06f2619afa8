"""Forms on an edge: value, slope, Jacobian and formula agree, and typed forms are read as a person means them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose

from workbench.exceptions import ExpressionError, UnknownPrimitiveError
from workbench.expression import Symbol, evaluate, fold, free_constants, parse
from workbench.primitives import LIBRARY, Form, PrimitiveForm, TypedForm, find, form_from_json

RANGES = {"any": (-1.9, 2.3), "positive": (0.3, 4.1), "nonnegative": (0.3, 4.1), "nonzero": (0.4, 4.1), "unit": (-0.7, 0.6), "above_one": (1.3, 4.1), "tan": (-1.1, 1.2)}  # fmt: skip
POLES = {"log(1+x)", "x/(1+x)", "x/(1+x)^2", "x/(1+x+p*x^2)", "x^2*gaussian"}

every_primitive = pytest.mark.parametrize("primitive", LIBRARY.values(), ids=LIBRARY)


def on_an_edge(primitive, count=31):
    """x and parameters that keep every z = a*x + b inside the domain, away from kinks."""
    low, high = (0.3, 4.1) if primitive.name in POLES else RANGES[primitive.domain]
    a, b = (0.8, 0.15) if primitive.domain == "above_one" else (0.83, 0.0537)
    x = (np.linspace(low, high, count) - b) / a
    return x, [1.7, a, b, *(shape.starts[0] for shape in primitive.shape)]


@every_primitive
def test_evaluate_is_c_times_f_of_a_x_plus_b(primitive):
    x, parameters = on_an_edge(primitive)
    c, a, b, *shape = parameters
    value, slope = PrimitiveForm(primitive).evaluate(x, parameters)
    assert_allclose(value, c * primitive.value(a * x + b, *shape), rtol=1e-15)
    step = 1e-6
    difference = (PrimitiveForm(primitive).evaluate(x + step, parameters)[0] - PrimitiveForm(primitive).evaluate(x - step, parameters)[0]) / (2 * step)
    assert_allclose(slope, difference, rtol=3e-7, atol=3e-8)


@every_primitive
def test_jacobian_is_the_finite_difference_of_every_parameter(primitive):
    x, parameters = on_an_edge(primitive)
    form = PrimitiveForm(primitive)
    jacobian = form.jacobian(x, parameters)
    assert jacobian.shape == (len(form.parameter_names), 31)
    for row, step in zip(jacobian, 1e-6 * np.eye(len(parameters))):
        difference = (form.evaluate(x, parameters + step)[0] - form.evaluate(x, np.array(parameters) - step)[0]) / 2e-6
        assert_allclose(row, difference, rtol=3e-7, atol=1e-7)


@every_primitive
def test_the_formula_of_an_edge_computes_what_the_edge_computes(primitive):
    x, parameters = on_an_edge(primitive)
    form = PrimitiveForm(primitive)
    formula = form.expression(Symbol("t"), parameters)
    assert_allclose(evaluate(formula, {"t": x}), form.evaluate(x, parameters)[0], rtol=1e-12, atol=1e-14)
    assert_allclose(evaluate(fold(formula), {"t": x}), form.evaluate(x, parameters)[0], rtol=1e-11, atol=1e-13)


@every_primitive
def test_a_form_comes_back_from_json(primitive):
    form = PrimitiveForm(primitive)
    assert isinstance(form, Form)
    assert form_from_json(json.loads(json.dumps(form.to_json()))) == form
    assert len(form.free) == len(form.parameter_names)
    assert form.free[0]


def test_free_parameters_follow_from_what_can_be_told_from_data():
    assert PrimitiveForm(find("x")).free == (True, False, False)
    assert PrimitiveForm(find("exp")).free == (True, True, False)
    assert PrimitiveForm(find("x^2")).free == (True, False, True)
    assert PrimitiveForm(find("sin")).free == (True, True, True)
    assert PrimitiveForm(find("x^p")).free == (True, False, True, True)


@pytest.mark.parametrize(
    ("name", "parameters", "text"),
    [
        ("x", [2.5, 1.0, 0.0], "2.5*t"),
        ("x^2", [2.5, 1.0, -0.5], "2.5*(t - 0.5)**2"),
        ("x^2", [1.0, -1.0, 0.0], "(-t)**2"),
        ("sin", [-1.0, 3.0, 0.25], "-sin(3.0*t + 0.25)"),
        ("x^p", [1.5, 1.0, 0.0, 2.25], "1.5*t**2.25"),
        ("x/(1+x)", [3.0, 0.5, 0.0], "3.0*0.5*t/(0.5*t + 1)"),
    ],
)
def test_trivial_constants_are_left_out_of_the_formula(name, parameters, text):
    assert PrimitiveForm(find(name)).expression(Symbol("t"), parameters) == parse(text)


def test_the_domain_is_checked_on_the_data():
    x = np.array([-1.0, 0.0, 1.0, 2.0])
    assert PrimitiveForm(find("log")).inside_domain(x, [1.0, 1.0, 0.5]).tolist() == [False, True, True, True]
    assert PrimitiveForm(find("1/x")).inside_domain(x, [1.0, 1.0, 1.5]).all()
    assert not PrimitiveForm(find("1/x")).inside_domain(x, [1.0, 1.0, 0.5]).all()
    assert PrimitiveForm(find("x^p")).inside_domain(np.array([0.0, 1.0]), [1.0, 1.0, 0.0, 0.5]).all()
    assert PrimitiveForm(find("x^p")).inside_domain(np.array([0.0, 1.0]), [1.0, 1.0, 0.0, -0.5]).tolist() == [False, True]


def test_an_infinite_slope_at_the_edge_of_the_domain_enters_as_zero():
    value, slope = PrimitiveForm(find("sqrt")).evaluate(np.array([0.0, 4.0]), [3.0, 1.0, 0.0])
    assert value.tolist() == [0.0, 6.0]
    assert slope.tolist() == [0.0, 0.75]
    jacobian = PrimitiveForm(find("x^p")).jacobian(np.array([0.0, 1.0]), [3.0, 1.0, 0.0, 0.5])
    assert np.isfinite(jacobian).all()


# typed forms ---------------------------------------------------------------------------------------------------------------


def test_every_name_but_x_is_a_constant_and_the_offset_goes_to_the_bias():
    form = TypedForm("a*exp(-b*x)+c")
    assert form.parameter_names == ("a", "b")
    assert form.free == (True, True)
    assert form.notes == ("'+ c' is left out: the node has a bias, which is fitted along.",)
    x = np.linspace(0, 3, 7)
    value, slope = form.evaluate(x, [2.0, 0.7])
    assert_allclose(value, 2.0 * np.exp(-0.7 * x), rtol=1e-15)
    assert_allclose(slope, -1.4 * np.exp(-0.7 * x), rtol=1e-15)
    assert_allclose(form.jacobian(x, [2.0, 0.7]), [np.exp(-0.7 * x), -2.0 * x * np.exp(-0.7 * x)], rtol=1e-15, atol=1e-300)


def test_a_constant_that_is_used_elsewhere_is_no_offset():
    assert TypedForm("a + a*x^b").parameter_names == ("a", "b")
    assert TypedForm("a + a*x^b").notes == ()
    assert TypedForm("x^2 + 3").notes == ("'+ 3' is left out: the node has a bias, which is fitted along.",)


def test_numbers_stay_as_typed():
    form = TypedForm("a*x^1.5 + 2*x")
    assert form.parameter_names == ("a",)
    assert_allclose(form.evaluate(np.array([4.0]), [3.0])[0], [32.0], rtol=1e-15)


def test_the_formula_of_a_typed_form_has_its_constants():
    form = TypedForm("v*x/(k + x)")
    assert str(form.expression(parse("t + 1"), [2.5, 0.5])) == "2.5*(t + 1)/(t + 1.5)"
    x = np.linspace(0, 5, 11)
    assert_allclose(evaluate(form.expression(Symbol("t"), [2.5, 0.5]), {"t": x}), form.evaluate(x, [2.5, 0.5])[0], rtol=1e-15)


def test_starts_are_ones_first_and_the_same_every_time():
    for text, count in [("a*x^b", 2), ("a*x^b + c*sin(d*x) + e1*x", 5), ("sin(x)*x", 0)]:
        starts = TypedForm(text).starts
        assert starts[0] == (1.0,) * count
        assert starts == TypedForm(text).starts
        assert {len(start) for start in starts} == {count}
        assert len(set(starts)) == len(starts) == {2: 16, 5: 65, 0: 1}[count]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a*exp(-b*t)", "does not depend on x"),
        ("3", "does not depend on x"),
        ("__import__('os')*x", "found"),
        ("a*exq(x)", "Did you mean 'exp'"),
        ("+".join(f"a{i}*x^{i}" for i in range(1, 15)), "at most 12 can be fitted"),
        ("x" + "+x" * 1500, "at most 2000 characters"),
        ("", "the formula is empty"),
    ],
)
def test_what_cannot_be_a_form_is_refused(text, message):
    with pytest.raises(ExpressionError, match=message):
        TypedForm(text)


def test_a_typed_form_comes_back_from_json():
    form = TypedForm("a*exp(-b*x) + c")
    assert isinstance(form, Form)
    assert form_from_json(json.loads(json.dumps(form.to_json()))) == form
    assert not form.inside_domain(np.array([1.0, 2.0]), [np.nan, 1.0]).any()
    assert TypedForm("log(x)*a").inside_domain(np.array([-1.0, 1.0]), [1.0]).tolist() == [False, True]


@pytest.mark.parametrize("record", [{}, {"kind": "pickle"}, {"kind": "primitive"}, {"kind": "typed", "text": 3}, {"kind": "primitive", "name": ["x"]}])
def test_what_is_no_stored_form_is_refused(record):
    with pytest.raises(ExpressionError, match="allowed are kind"):
        form_from_json(record)


def test_a_stored_primitive_that_is_unknown_is_refused_by_name():
    with pytest.raises(UnknownPrimitiveError, match="'exq'"):
        form_from_json({"kind": "primitive", "name": "exq"})


def test_constants_beyond_all_measure_give_infinities_and_no_warning() -> None:
    """A fit tries hopeless constants and turns them down; a person must not hear of it."""
    form = PrimitiveForm(find("x^p"))
    x = np.array([1.0, 3.0])
    value, slope = form.evaluate(x, (1e300, 1e200, 0.0, 1.5))
    assert np.isinf(value).all()
    assert np.isinf(slope).all()
    assert np.isinf(form.jacobian(x, (1e300, 1e200, 0.0, 1.5))[1]).all()


def test_numbers_of_a_typed_form_are_exact_and_no_fit_or_rounding_moves_them() -> None:
    form = TypedForm("b/(x + 273.15)")
    assert form.parameter_names == ("b",)
    assert_allclose(form.evaluate(np.array([1.0]), [2.0])[0], [2 / 274.15], rtol=1e-15)
    assert free_constants(form.expression(Symbol("T"), [2.5])) == (2.5,)
