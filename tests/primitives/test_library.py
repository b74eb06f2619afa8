"""The table of primitives: values in 50 digits, slopes, domains, and that each row says the truth about itself."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import scipy.special
from numpy.testing import assert_allclose

from workbench.exceptions import UnknownPrimitiveError
from workbench.expression import Call, Constant, Number, Symbol, symbols, value_and_gradient
from workbench.primitives import ACTIVATIONS, LIBRARY, find

PRIMITIVES = [*LIBRARY.values(), *ACTIVATIONS.values()]
ids = [primitive.name for primitive in PRIMITIVES]

every_primitive = pytest.mark.parametrize("primitive", PRIMITIVES, ids=ids)

INTERVALS = {"any": (-4.3, 4.1), "positive": (0.02, 7.3), "nonnegative": (0.02, 7.3), "nonzero": (0.4, 6.1), "unit": (-0.97, 0.93), "above_one": (1.1, 5.3), "above_minus_one": (-0.9, 5.3), "tan": (-1.4, 1.5)}  # fmt: skip
POLES = {"log(1+x)": (-0.9, 5.3), "x/(1+x)": (-0.9, 5.3), "x/(1+x)^2": (-0.9, 5.3), "x/(1+x+p*x^2)": (0.1, 5.3)}


def points(primitive, count=23):
    low, high = POLES.get(primitive.name, INTERVALS[primitive.domain])
    return np.linspace(low, high, count)  # no point at 0: kinks and removable holes have tests of their own


def shape_of(primitive):
    return [shape.starts[0] for shape in primitive.shape]


def in_fifty_digits(node, values):
    """The template evaluated by mpmath: a second evaluation that shares no code with ours."""
    match node:
        case Number(value=value):
            return mpmath.mpf(value.numerator) / value.denominator if not isinstance(value, float) else mpmath.mpf(value)
        case Constant(name=name):
            return getattr(mpmath, name)
        case Symbol(name=name):
            return values[name]
        case Call(function="add", arguments=terms):
            return mpmath.fsum(in_fifty_digits(term, values) for term in terms)
        case Call(function="mul", arguments=factors):
            return mpmath.fprod(in_fifty_digits(factor, values) for factor in factors)
        case Call(function="pow", arguments=(base, exponent)):
            return mpmath.power(in_fifty_digits(base, values), in_fifty_digits(exponent, values))
        case Call(function="abs", arguments=(argument,)):
            return mpmath.fabs(in_fifty_digits(argument, values))
        case Call(function="cbrt", arguments=(argument,)):
            inner = in_fifty_digits(argument, values)
            return mpmath.sign(inner) * mpmath.cbrt(mpmath.fabs(inner))
        case Call(function=name, arguments=(argument,)):
            return getattr(mpmath, name)(in_fifty_digits(argument, values))
    raise AssertionError(node)


def truth(primitive, z, shape):
    with mpmath.workdps(50):
        values = {"z": mpmath.mpf(float(z)), **{own.name: mpmath.mpf(float(v)) for own, v in zip(primitive.shape, shape)}}
        return in_fifty_digits(primitive.expression, values)


def test_activations_are_found_by_name_and_not_offered_to_edges():
    assert find("GELU") is ACTIVATIONS["gelu"]
    assert not set(ACTIVATIONS) & set(LIBRARY)


def test_there_are_at_least_45_forms_with_names_of_their_own():
    assert len(LIBRARY) >= 45
    assert len({primitive.title for primitive in PRIMITIVES}) == len(PRIMITIVES)
    assert len({primitive.text for primitive in PRIMITIVES}) == len(PRIMITIVES)
    assert all(name == primitive.name for name, primitive in LIBRARY.items())


@every_primitive
def test_value_is_that_of_the_formula_in_fifty_digits(primitive):
    z, shape = points(primitive), shape_of(primitive)
    assert_allclose(primitive.value(z, *shape), [float(truth(primitive, v, shape)) for v in z], rtol=1e-13, atol=1e-15)


@every_primitive
def test_derivative_is_the_central_difference_in_fifty_digits(primitive):
    z, shape = points(primitive), shape_of(primitive)
    with mpmath.workdps(50):
        step = mpmath.mpf(10) ** -18
        truths = [
            float((truth_at(primitive, v, step, shape) - truth_at(primitive, v, -step, shape)) / (2 * step)) for v in z
        ]
    assert_allclose(primitive.derivative(z, *shape), truths, rtol=1e-11, atol=1e-13)


def truth_at(primitive, z, step, shape):
    values = {"z": mpmath.mpf(float(z)) + step, **{own.name: mpmath.mpf(float(v)) for own, v in zip(primitive.shape, shape)}}
    return in_fifty_digits(primitive.expression, values)


@every_primitive
def test_derivatives_are_those_of_the_expression_calculus(primitive):
    z, shape = points(primitive, 101), shape_of(primitive)
    names = ["z", *(own.name for own in primitive.shape)]
    value, gradient = value_and_gradient(primitive.expression, dict(zip(names, [z, *shape])), names)
    assert_allclose(primitive.value(z, *shape), value, rtol=1e-12, atol=1e-14)
    assert_allclose(primitive.derivative(z, *shape), gradient[0], rtol=1e-11, atol=1e-13)
    assert primitive.shape_derivatives(z, *shape).shape == (len(primitive.shape), 101)
    assert_allclose(primitive.shape_derivatives(z, *shape), gradient[1:], rtol=1e-11, atol=1e-13)


@every_primitive
def test_every_row_names_what_its_formula_uses(primitive):
    assert symbols(primitive.expression) == {"z", *(shape.name for shape in primitive.shape)}
    assert primitive.affine in ("none", "scale", "shift", "both")
    assert 1 <= primitive.complexity <= 7
    for shape in primitive.shape:
        low, high = shape.bounds
        assert shape.starts
        assert all(low <= start <= high for start in shape.starts)


@every_primitive
def test_values_inside_the_domain_are_finite_and_never_complain(primitive):
    z, shape = points(primitive, 211), shape_of(primitive)
    assert primitive.inside(z).all()
    assert np.isfinite(primitive.value(z, *shape)).all()
    assert np.isfinite(primitive.derivative(z, *shape)).all()
    everywhere = np.array([-1e300, -750.0, -1.0, 0.0, 1.0, 750.0, 1e300, np.nan, np.inf])
    primitive.value_and_derivative(everywhere, *shape)  # warnings are errors here
    primitive.shape_derivatives(everywhere, *shape)
    assert not primitive.inside(everywhere)[-2:].any()


@every_primitive
def test_what_affine_says_cannot_be_told_apart_really_cannot(primitive):
    """With a (shift) or b (scale) moved, some other c, offset and b (a) give the very same curve."""
    if primitive.affine in ("both", "none") or primitive.name == "sign":
        return
    shape = shape_of(primitive)
    if primitive.affine == "shift":
        if primitive.shape and primitive.name == "x^3+p*x":
            return  # a is absorbed by c and p together
        z = np.linspace(1.1, 3.7, 37)
        curve = primitive.value(1.7 * z, *shape)
        again = primitive.value(z, *shape)
    elif primitive.name == "exp":
        z = np.linspace(-1.1, 1.9, 37)
        curve, again = primitive.value(z + 0.7), primitive.value(z)
    else:
        return  # starts at the origin by definition
    design = np.stack([again, np.ones_like(again)], 1)
    weights, *_ = np.linalg.lstsq(design, curve, rcond=None)
    assert_allclose(design @ weights, curve, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("erf", scipy.special.erf),
        ("logistic", scipy.special.expit),
        ("softplus", lambda z: -scipy.special.log_expit(-z)),
        ("x*log", lambda z: scipy.special.xlogy(z, z)),
        ("sinc", lambda z: scipy.special.spherical_jn(0, z)),
    ],
)
def test_special_functions_are_those_of_scipy_far_out_too(name, reference):
    z = np.array([0.0, 1e-12, 1e-3, 0.049, 0.051, 1.0, 30.0, 700.0, 800.0])
    assert_allclose(LIBRARY[name].value(z), reference(z), rtol=1e-14, atol=1e-300)


@pytest.mark.parametrize(
    ("name", "value", "slope"),
    [("sinc", 1.0, 0.0), ("sinc^2", 1.0, 0.0), ("x^3/(exp(x)-1)", 0.0, 0.0), ("langevin", 0.0, 1 / 3), ("x*gaussian", 0.0, 1.0)],
)
def test_removable_holes_are_filled(name, value, slope):
    found = LIBRARY[name].value_and_derivative(np.array([0.0]))
    assert_allclose(np.concatenate(found), [value, slope], atol=1e-16)


@pytest.mark.parametrize("name", ["sinc", "langevin", "x^3/(exp(x)-1)", "sinc^2"])
def test_no_digits_are_lost_next_to_a_removable_hole(name):
    primitive = LIBRARY[name]
    z = np.array([-0.06, -0.0500001, -0.0499999, -1e-2, -1e-4, -1e-9, 1e-9, 1e-5, 3e-3, 0.0499, 0.0501, 0.2])
    with mpmath.workdps(50):
        values = [truth_at(primitive, v, 0, []) for v in z]
        step = mpmath.mpf(10) ** -22
        slopes = [(truth_at(primitive, v, step, []) - truth_at(primitive, v, -step, [])) / (2 * step) for v in z]
    assert_allclose(primitive.value(z), [float(v) for v in values], rtol=2e-13)
    assert_allclose(primitive.derivative(z), [float(s) for s in slopes], rtol=2e-12)


@pytest.mark.parametrize(
    ("name", "z", "inside"),
    [
        ("log", [1e-9, 0.0, -1.0], [True, False, False]),
        ("sqrt", [0.0, 1.0, -1e-9], [True, True, False]),
        ("1/x", [1.0, 0.0, -1.0], [True, False, False]),
        ("1/x", [-1.0, 0.0, 1.0], [True, False, False]),
        ("arcsin", [-1.0, 1.0, 1.0001], [True, True, False]),
        ("arccosh", [1.0, 0.9, 3.0], [True, False, True]),
        ("tan", [0.1, 1.5, 1.6], [True, True, False]),
        ("tan", [3.2, 4.7, 4.8], [True, True, False]),
        ("sin", [-1e6, 0.0, np.nan], [True, True, False]),
    ],
)
def test_domains_are_those_of_mathematics_and_stay_on_one_side_of_a_pole(name, z, inside):
    assert LIBRARY[name].inside(np.array(z)).tolist() == inside


def test_a_single_number_can_be_checked_too():
    assert LIBRARY["1/x"].inside(2.0)
    assert not LIBRARY["tan"].inside(np.pi / 2)


def test_many_candidates_are_checked_at_once():
    z = np.array([[1.0, 2.0, 3.0], [-1.0, -2.0, -3.0], [-1.0, 1.0, 2.0]])
    assert LIBRARY["1/x"].inside(z).all(-1).tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("given", "name"),
    [("x**2", "x^2"), ("sin(x)", "sin"), ("Sigmoid", "logistic"), ("saturation", "x/(1+x)"), ("x / (K + x)", "x/(1+x)"), ("sqrt(x)", "sqrt")],
)
def test_other_names_are_understood(given, name):
    assert find(given).name == name


def test_an_unknown_name_gets_the_closest_one_and_the_list():
    with pytest.raises(UnknownPrimitiveError, match=r"'gausian': no such primitive\. Did you mean 'gaussian'\? Known: x, x\^2, .*langevin"):
        find("gausian")


def test_simpler_textbook_forms_have_lower_complexity():
    order = [["x"], ["x^2", "1/x", "sqrt", "exp", "log", "sin"], ["x^3", "x^p", "tanh", "gaussian", "x/(1+x)"], ["logistic", "x^4"], ["x^p/(1+x^p)"]]
    for simpler, longer in zip(order, order[1:]):
        assert max(LIBRARY[name].complexity for name in simpler) < min(LIBRARY[name].complexity for name in longer)
