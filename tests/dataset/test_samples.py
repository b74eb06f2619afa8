"""The ten sample tables: each opens by name, and the law in laws.json is what least squares finds on exactly these numbers."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import least_squares
from scipy.stats import t as student

import workbench as wb
from workbench.dataset import sample_info
from workbench.exceptions import DatasetError

# The laws once more, as Python that does not come from laws.json.
LAWS = {
    "planets": lambda x, c, p: c * x[:, 0] ** p,
    "hubble1929": lambda x, H0: H0 * x[:, 0],
    "boyle1662": lambda x, C: C / x[:, 0],
    "mercury_vapour": lambda x, a, b: np.exp(a - b / (x[:, 0] + 273.15)),
    "puromycin": lambda x, Vmax, Km: Vmax * x[:, 0] / (Km + x[:, 0]),
    "cherry_trees": lambda x, c, p, q: c * x[:, 0] ** p * x[:, 1] ** q,
    "forbes1857": lambda x, a, b: np.exp(a - b / ((x[:, 0] + 459.67) * 5 / 9)),
    "mammals": lambda x, c, b: c * x[:, 0] ** b,
    "capacitor": lambda x, V0, RC: V0 * np.exp(-x[:, 0] / RC),
    "danwood": lambda x, b1, b2: b1 * x[:, 0] ** b2,
}
ROWS = {"planets": 8, "hubble1929": 24, "boyle1662": 25, "mercury_vapour": 19, "puromycin": 23, "cherry_trees": 31, "forbes1857": 17, "mammals": 62}
ROWS |= {"capacitor": 50, "danwood": 6}
FITS = [(name, fit) for name in wb.sample_names() for fit in sample_info(name).fits]

# Published figures: (sample, scale, group, constant, value, its rounding). NIST StRD certifies DanWood; R's documentation gives Puromycin.
PUBLISHED = [
    ("danwood", "linear", None, "b1", 7.6886226176e-01, 1e-5),
    ("danwood", "linear", None, "b2", 3.8604055871, 1e-5),
    ("puromycin", "linear", "treated", "Vmax", 212.7, 0.05),
    ("puromycin", "linear", "treated", "Km", 0.0641, 5e-5),
    ("puromycin", "linear", "untreated", "Vmax", 160.3, 0.05),
    ("puromycin", "linear", "untreated", "Km", 0.0477, 5e-5),
    ("cherry_trees", "log", None, "p", 1.98, 5e-3),
    ("cherry_trees", "log", None, "q", 1.12, 5e-3),
    ("mammals", "log", None, "b", 0.752, 5e-4),
    ("planets", "log", None, "p", 1.4999, 5e-5),
    ("hubble1929", "linear", None, "H0", 424, 0.5),
]


def selected(name, fit):
    data = wb.load_sample(name)
    rows = np.ones(data.n_rows, bool) if fit.group is None else data.groups == data.group_labels.index(fit.group)
    return data.X[rows], data.y[rows, 0]


def refit(name, fit):
    """Return the constants, their standard errors, the degrees of freedom and R2, by SciPy from a start 5 % off."""
    X, y = selected(name, fit)
    seen = np.log if fit.scale == "log" else np.asarray
    start = np.array([constant.value for constant in fit.constants.values()]) * 1.05
    found = least_squares(lambda c: seen(LAWS[name](X, *(c * start))) - seen(y), np.ones(len(start)), xtol=1e-15, ftol=1e-15, gtol=1e-15)
    freedom = len(y) - len(start)
    covariance = np.linalg.inv(found.jac.T @ found.jac) * (found.fun @ found.fun) / freedom
    r2 = 1 - (found.fun @ found.fun) / np.sum((seen(y) - seen(y).mean()) ** 2)
    return dict(zip(fit.constants, found.x * start)), np.sqrt(np.diag(covariance)) * start, freedom, r2


def test_all_ten_samples_are_there_with_the_rows_of_the_readme():
    assert {name: wb.load_sample(name).n_rows for name in wb.sample_names()} == ROWS


@pytest.mark.parametrize(("name", "fit"), FITS, ids=[f"{name}-{fit.scale}-{fit.group}" for name, fit in FITS])
def test_least_squares_finds_the_constants_within_their_tolerances(name, fit):
    constants, errors, freedom, r2 = refit(name, fit)
    for (key, stated), error in zip(fit.constants.items(), errors):
        assert abs(constants[key] - stated.value) < 0.02 * stated.tolerance, key
        assert_allclose(stated.tolerance, student.ppf(0.995, freedom) * error, rtol=0.11)  # rounded up to two digits
    assert_allclose(r2, fit.r2, atol=1e-5)


@pytest.mark.parametrize(("name", "scale", "group", "constant", "value", "rounding"), PUBLISHED)
def test_published_figures_are_met(name, scale, group, constant, value, rounding):
    fit = next(fit for fit in sample_info(name).fits if (fit.scale, fit.group) == (scale, group))
    assert_allclose(fit.constants[constant].value, value, atol=rounding)


@pytest.mark.parametrize(("name", "fit"), FITS, ids=[f"{name}-{fit.scale}-{fit.group}" for name, fit in FITS])
def test_the_skeleton_is_the_law_in_our_own_expression_syntax(name, fit):
    from workbench.expression import evaluate, parse

    data = wb.load_sample(name)
    X, _ = selected(name, fit)
    constants = {key: constant.value for key, constant in fit.constants.items()}
    expression = parse(sample_info(name).skeleton, symbols=(*data.symbols, *constants))
    values = dict(zip(data.symbols, X.T)) | {key: np.full(len(X), value) for key, value in constants.items()}
    assert_allclose(evaluate(expression, values), LAWS[name](X, **constants), rtol=1e-12)


def test_samples_carry_their_units_and_roles():
    trees = wb.load_sample("cherry_trees")
    assert (trees.names, trees.units, trees.targets[0].unit) == (("Girth", "Height"), ("in", "ft"), "ft^3")
    assert wb.load_sample("planets").names == ("a_au",)
    puromycin = wb.load_sample("puromycin")
    assert puromycin.group_labels == ("treated", "untreated")
    assert np.bincount(puromycin.groups).tolist() == [12, 11]


def test_an_unknown_sample_is_answered_with_the_closest_name():
    with pytest.raises(DatasetError, match="no such sample. Did you mean 'cherry_trees'"):
        wb.load_sample("cherrytrees")
