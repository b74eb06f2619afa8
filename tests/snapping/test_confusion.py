"""The confusion matrix: curves of every primitive with random constants, and what each is called.

A curve may be called by another name only when that name is the same curve (sin and cos) or, on noisy points, when the points cannot tell.
"""

from __future__ import annotations

import functools

import numpy as np
import pytest

from workbench.primitives import LIBRARY, Primitive, PrimitiveForm
from workbench.snapping import Curve, EdgeFit, fit_forms
from workbench.snapping.ranking import EXACT, burden, digits_lost

EVERY = tuple(PrimitiveForm(p) for p in LIBRARY.values())
TRIALS = 1

# f(a x + b) and c g(a' x + b') + d are the same curves, by identities of a textbook
SAME = [
    {"sin", "cos", "sin^2"},
    {"tanh", "logistic"},
    {"arcsin", "arccos"},
    {"log", "log(1+x)"},
    {"1/x", "x/(1+x)"},
    {"1/(1+x^2)", "x^2/(1+x^2)"},
]


def planted(primitive: Primitive, seed: int, n_points: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """Return points of a random curve of a primitive that no parabola could be mistaken for."""
    generator = np.random.default_rng([seed, *primitive.name.encode()])
    form = PrimitiveForm(primitive)
    for _ in range(20_000):
        low = generator.uniform(-3, 3)
        x = np.sort(generator.uniform(low, low + generator.uniform(0.8, 6), n_points))
        slope, shift = generator.choice([-1, 1]) * generator.uniform(0.4, 2.5), generator.uniform(-3, 3)
        a = slope if form.free[1] else np.sign(slope) if primitive.affine == "shift" else 1.0
        b = shift if form.free[2] else 0.0
        shape = [generator.uniform(min(s.starts), max(s.starts)) for s in primitive.shape]
        z = a * x + b
        if np.abs(z).max() > 6 or not primitive.inside(np.linspace(z[0], z[-1], 999)).all():
            continue
        if primitive.domain in ("positive", "nonnegative", "nonzero") and np.abs(z).min() < 0.1:
            continue
        y = primitive.value(z, *shape)
        between = primitive.value(np.linspace(z[0], z[-1], 999), *shape)
        if not np.isfinite(between).all() or np.abs(between).max() > 1e3 * y.std() or y.std() < 1e-3:
            continue
        degree = {"x": 0, "x^2": 1}.get(primitive.name, 2)
        u = (x - x.mean()) / x.std()
        if (y - np.polyval(np.polyfit(u, y, degree), u)).std() > 0.03 * y.std():
            return x, generator.choice([-1, 1]) * y / y.std() + generator.uniform(-2, 2)
    raise AssertionError(f"no curve of {primitive.name} was drawn")


def same(first: str, second: str) -> bool:
    return first == second or any({first, second} <= names for names in SAME)


@functools.cache
def named(primitive: Primitive, seed: int, noise: float) -> tuple[str, dict[str, EdgeFit]]:
    """Return what a planted curve is called, and every fit to it by name."""
    x, y = planted(primitive, seed)
    y = y + noise * np.random.default_rng(seed).normal(size=x.size)
    fits = {fit.form.name: fit for fit in fit_forms(Curve.of(x, y), EVERY)}
    if noise == 0:
        exact = [fit for fit in fits.values() if fit.error < EXACT] or list(fits.values())
        return min(exact, key=lambda fit: burden(fit, digits_lost(fit, x))).form.name, fits

    def evidence(fit: EdgeFit) -> float:  # like BIC, with what the form asks to be believed in place of the number of constants
        return x.size * np.log(fit.error**2) + 2 * burden(fit, digits_lost(fit, x))

    return min(fits.values(), key=evidence).form.name, fits


# sqrt(z)^3 with a branch point at least 0.1 away is close to a parabola on every range that we draw from
DRAWN = [p for p in LIBRARY.values() if p.name != "x^1.5"]


def test_on_clean_points_nearly_every_planted_form_is_found_and_none_gets_a_false_name() -> None:
    missed, wrong = [], []
    for primitive in DRAWN:
        for seed in range(TRIALS):
            name, fits = named(primitive, seed, 0.0)
            if primitive.name not in fits or fits[primitive.name].error > EXACT:
                missed.append((primitive.name, seed))
            elif not same(primitive.name, name):
                wrong.append((primitive.name, name, seed))
    assert not wrong
    assert len(missed) <= 0.04 * TRIALS * len(DRAWN), missed


def test_with_noise_of_a_thousandth_the_true_form_fits_as_well_as_any() -> None:
    worse = []
    for primitive in DRAWN:
        for seed in range(TRIALS):
            _, fits = named(primitive, seed, 1e-3)
            least = min(fit.error for fit in fits.values())
            if primitive.name not in fits or fits[primitive.name].error > 1.03 * least:
                worse.append((primitive.name, seed))
    assert len(worse) <= 0.06 * TRIALS * len(DRAWN), worse


@pytest.mark.parametrize("noise", [0.0, 1e-3])
@pytest.mark.parametrize(
    ("truth", "never"),
    [
        ("tanh", {"sin", "cos", "gaussian", "arctan", "erf", "exp", "x^3"}),
        ("gaussian", {"sin", "cos", "sech", "sech^2", "1/(1+x^2)", "x^2", "x^4", "tanh"}),
        ("exp", {"tanh", "x^2", "x^p", "logistic", "gaussian", "sin"}),
        ("sin", {"tanh", "gaussian", "x^3", "sinc", "x^3+p*x"}),
        ("log", {"sqrt", "x^p", "arctan", "tanh"}),
        ("1/x", {"exp", "log", "1/x^2"}),
        ("sqrt", {"log", "arctan", "tanh", "sin"}),
        ("arctan", {"tanh", "erf", "sin", "logistic"}),
        ("erf", {"tanh", "arctan", "sin", "logistic"}),
    ],
)
def test_well_known_forms_are_never_taken_for_their_look_alikes(truth: str, never: set[str], noise: float) -> None:
    for seed in range(10, 15):
        name, _ = named(LIBRARY[truth], seed, noise)
        assert name not in never, f"{truth} was called {name} (seed {seed})"


@pytest.mark.parametrize(("truth", "low", "high"), [("tanh", -1, 1), ("gaussian", -1, 1)])
def test_the_two_forms_that_the_known_library_calls_sine_keep_their_name(truth: str, low: float, high: float) -> None:
    # pykan 0.2.8 names tanh(x) and a Gaussian "sin" on clean samples in [-1, 1] (methods.md, 1a)
    x = np.linspace(low, high, 1000)
    fits = {fit.form.name: fit for fit in fit_forms(Curve.of(x, LIBRARY[truth].value(x)), EVERY)}
    assert fits[truth].error < 1e-12
    assert fits["sin"].error > 1e-3
