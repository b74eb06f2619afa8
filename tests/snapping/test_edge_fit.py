"""Forms fitted to one curve: planted laws are found to rounding, constants mean what they say."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from workbench.primitives import LIBRARY, PrimitiveForm, TypedForm, find
from workbench.snapping import Curve, fit_forms
from workbench.snapping.edge_fit import EdgeFit, canonical, plain, variants

EVERY = tuple(PrimitiveForm(p) for p in LIBRARY.values())


def best_of(x: np.ndarray, y: np.ndarray, name: str, **options: np.ndarray) -> EdgeFit:
    (fit,) = fit_forms(Curve.of(x, y, **options), [PrimitiveForm(find(name))])
    return fit


@pytest.mark.parametrize("frequency", [0.7, 3.0, 12.0, 41.0, 200.0])
def test_a_sinusoid_of_any_frequency_is_exact(frequency: float) -> None:
    x = np.random.default_rng(0).uniform(-1, 1, 1009)
    fit = best_of(x, np.sin(frequency * x + 0.3), "sin")
    assert fit.error**2 < 1e-20
    assert_allclose(fit.parameters, [1.0, frequency, 0.3], rtol=1e-9)


@pytest.mark.parametrize(
    ("name", "law", "low", "high", "constants"),
    [
        ("exp", lambda x: 2.5 * np.exp(-0.7 * x) + 3, 0, 5, (2.5, -0.7, 0.0)),
        ("log", lambda x: 2 * np.log(x + 1.5) - 1, -1, 4, (2.0, 1.0, 1.5)),
        ("sqrt", lambda x: np.sqrt(4 - x), -3, 3.9, (1.0, -1.0, 4.0)),
        ("1/x", lambda x: 3 / (x - 7), -2, 5, (3.0, 1.0, -7.0)),
        ("x^p", lambda x: 1.7 * (x + 2) ** 2.4 + 1, -1, 5, (1.7, 1.0, 2.0, 2.4)),
        ("x^p/(1+x^p)", lambda x: 4 * x**2.5 / (2**2.5 + x**2.5), 0.1, 9, (4.0, 0.5, 0.0, 2.5)),
        ("x^p*exp(-x)", lambda x: x**1.3 * np.exp(-2 * x), 0.01, 4, (2.0**-1.3, 2.0, 0.0, 1.3)),
        ("tanh", lambda x: -2 * np.tanh(3 - 1.5 * x) + 1, -1, 5, (2.0, 1.5, -3.0)),
        ("gaussian", lambda x: np.exp(-((2 * x - 1) ** 2)), -2, 2, (1.0, 2.0, -1.0)),
        ("arcsin", lambda x: np.arcsin(0.4 * x + 0.1), -2, 2, (1.0, 0.4, 0.1)),
        ("x/(1+x)", lambda x: 212.7 * x / (0.0641 + x), 0.02, 1.1, (212.7, 1 / 0.0641, 0.0)),
        ("sign", lambda x: 2 * np.sign(x - 0.123) + 1, -1, 1, None),
        ("abs", lambda x: 2 * np.abs(x - 0.123) + 1, -1, 1, (2.0, 1.0, -0.123)),
    ],
)
def test_constants_of_a_planted_law_are_found(name, law, low, high, constants) -> None:
    x = np.random.default_rng(1).uniform(low, high, 307)
    fit = best_of(x, law(x), name)
    assert fit.error < 1e-9
    if constants is not None:
        assert_allclose(fit.parameters, constants, rtol=1e-6, atol=1e-9)


def test_the_error_is_that_of_the_constants_returned() -> None:
    generator = np.random.default_rng(2)
    x, w = generator.uniform(0.3, 4, 211), generator.uniform(0, 3, 211)
    y = np.log(x) + 0.1 * generator.normal(size=211)
    w /= w.sum()
    spread = np.sqrt(w @ (y - w @ y) ** 2)
    fits = fit_forms(Curve.of(x, y, w), EVERY)
    assert len(fits) > 50
    for fit in fits:
        assert_allclose(fit.error, np.sqrt(w @ (fit.value(x) - y) ** 2) / spread, rtol=1e-6, err_msg=fit.form.name)


def test_every_fit_is_defined_on_the_whole_range() -> None:
    x = np.concatenate([np.random.default_rng(3).uniform(-1, 1, 101), [-1.0, 1.0]])
    y = 1 / (x + 1.001) + 0.05 * np.random.default_rng(4).normal(size=x.size)
    between = np.linspace(-1, 1, 1001)
    for fit in fit_forms(Curve.of(x, y), EVERY):
        assert np.all(fit.form.inside_domain(between, fit.parameters)), fit.form.name
        assert np.isfinite(fit.value(between)).all(), fit.form.name


def test_a_form_must_also_hold_where_it_will_be_checked() -> None:
    x = np.linspace(1, 2, 53)
    fit = best_of(x, np.log(x), "log", reach=np.array([0.1]))
    assert fit.parameters[2] > -0.1
    outside = best_of(x, np.sqrt(x - 1 + 1e-3), "sqrt", reach=np.array([0.5]))
    assert outside.parameters[2] >= -0.5


def test_a_line_has_one_constant_and_an_offset() -> None:
    x = np.linspace(-2, 5, 31)
    fit = best_of(x, 3 * x - 1, "x")
    assert_allclose(fit.parameters, [3, 1, 0], rtol=1e-12)
    assert (fit.n_free, fit.free) == (2, (True, False, False))
    assert_allclose(fit.offset, -1, rtol=1e-12)


def test_the_same_curve_gives_the_same_bits() -> None:
    x = np.random.default_rng(5).uniform(-1, 3, 503)
    curve = Curve.of(x, np.exp(np.sin(x)))
    assert fit_forms(curve, EVERY) == fit_forms(Curve.of(x, np.exp(np.sin(x))), EVERY)


@pytest.mark.parametrize(("shift", "scale"), [(0.0, 1.0), (1000.0, 1.0), (0.0, 1e6), (-300.0, 1e-3)])
def test_units_and_origin_of_x_and_y_do_not_matter(shift: float, scale: float) -> None:
    u = np.random.default_rng(6).uniform(-1, 1, 401)
    x, y = shift + scale * u, 1e-7 * np.tanh(2 * u + 0.3) + 5e-7
    assert best_of(x, y, "tanh").error < 1e-8


# ---- variants


def test_a_pure_power_law_has_a_variant_of_two_constants() -> None:
    x = np.random.default_rng(7).uniform(0.4, 30, 59)
    curve = Curve.of(x, 0.997 * x**1.5)
    (full,) = fit_forms(curve, [PrimitiveForm(find("x^p"))])
    simplest = plain([full, *variants(curve, [full])], x.size)
    assert (simplest.free, simplest.free_offset, simplest.offset) == ((True, False, False, True), False, 0.0)
    assert_allclose(simplest.parameters, [0.997, 1, 0, 1.5], rtol=1e-9)


def test_a_saturation_without_offset_keeps_its_two_constants() -> None:
    x = np.random.default_rng(8).uniform(0.02, 1.1, 67)
    curve = Curve.of(x, 212.7 * x / (0.0641 + x))
    (full,) = fit_forms(curve, [PrimitiveForm(find("saturation"))])
    simplest = plain([full, *variants(curve, [full])], x.size)
    assert (simplest.n_free, simplest.free_offset) == (2, False)
    assert_allclose(1 / simplest.parameters[1], 0.0641, rtol=1e-9)


def test_constants_that_are_needed_stay() -> None:
    x = np.random.default_rng(9).uniform(-1, 2, 211)
    curve = Curve.of(x, 2 * np.tanh(3 * x - 1) + 0.5)
    (full,) = fit_forms(curve, [PrimitiveForm(find("tanh"))])
    assert plain([full, *variants(curve, [full])], x.size) == full


def test_an_offset_that_is_free_of_charge_is_not_questioned() -> None:
    x = np.random.default_rng(10).uniform(0.1, 2, 83)
    curve = Curve.of(x, x**2)
    (full,) = fit_forms(curve, [PrimitiveForm(find("x^2"))])
    assert all(v.free_offset for v in variants(curve, [full], offset_matters=False))


# ---- one way to write it


@pytest.mark.parametrize(
    ("name", "parameters", "written"),
    [
        ("tanh", (-2.0, -0.5, 3.0), (2.0, 0.5, -3.0)),
        ("gaussian", (2.0, -0.5, 3.0), (2.0, 0.5, -3.0)),
        ("sin", (1.0, 2.0, np.pi + 0.2), (-1.0, 2.0, 0.2)),
        ("cos", (1.0, -2.0, 4 * np.pi - 0.2), (1.0, 2.0, 0.2)),
        ("exp", (1.0, -2.0, 0.0), (1.0, -2.0, 0.0)),
    ],
)
def test_one_function_is_written_in_one_way(name, parameters, written) -> None:
    x = np.linspace(-1, 1, 7)
    form = PrimitiveForm(find(name))
    found = canonical(form.primitive, parameters)
    assert_allclose(found, written, atol=1e-12)
    assert_allclose(form.evaluate(x, found)[0], form.evaluate(x, parameters)[0], atol=1e-12)


# ---- typed forms


def test_a_typed_form_is_fitted_in_the_scales_of_the_data() -> None:
    x = np.random.default_rng(11).uniform(200, 900, 151)
    (fit,) = fit_forms(Curve.of(x, 4e5 * np.exp(-0.004 * x) + 12), [TypedForm("a*exp(-b*x)+c")])
    assert fit.error < 1e-9
    assert_allclose(fit.parameters, [4e5, 0.004], rtol=1e-6)
    assert_allclose(fit.offset, 12, rtol=1e-6)


def test_a_typed_form_without_constants_is_compared_as_it_is() -> None:
    x = np.linspace(0.1, 3, 41)
    (fit,) = fit_forms(Curve.of(x, x * np.sin(x) + 2), [TypedForm("x*sin(x)")])
    assert (fit.parameters, fit.error < 1e-12) == ((), True)


def test_a_typed_form_that_is_nowhere_defined_is_left_out() -> None:
    x = np.linspace(-3, -1, 41)
    assert fit_forms(Curve.of(x, x), [TypedForm("a*log(x)")]) == ()
