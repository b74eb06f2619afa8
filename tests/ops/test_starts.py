"""Start tables are as good as they say, in every form, and the script that made them makes them again."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import erf, expit

from workbench.exceptions import NetworkError
from workbench.ops.rational import FORMS, group_forward
from workbench.ops.starts import start

ROOT = Path(__file__).parents[2]
TRUTH = {
    "identity": lambda x: x,
    "silu": lambda x: x * expit(x),
    "gelu": lambda x: x * (1 + erf(x / np.sqrt(2))) / 2,
    "relu": lambda x: np.where(x > 0, x, 0.0),
    "tanh": np.tanh,
    "sigmoid": expit,
}
# The worst errors on [-3, 3] of the tables published with the GPU kernels (form sum_abs; gelu in abs_sum). Ours, fitted on a range that is wider by a
# third, are no worse; ten times where the published one is below 1e-4 (SiLU 1.2e-6, tanh 4e-5).
ALLOWED = {"identity": 0.0, "silu": 1.2e-5, "gelu": 2.95e-3, "relu": 3.0e-2, "tanh": 4e-4, "sigmoid": 1.9e-5}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("activation", TRUTH)
def test_a_start_is_as_far_from_its_activation_as_the_table_says(activation: str, form: str) -> None:
    found = start(activation, form)
    for reach, said in ((4.0, found.worst), (3.0, found.worst_near)):
        x = np.linspace(-reach, reach, 20_001)
        y = group_forward(x[:, None], np.array([found.numerator]), np.array([found.denominator]), form)[:, 0]
        assert_allclose(np.abs(y - TRUTH[activation](x)).max(), said, rtol=1e-2, atol=1e-12)
    assert found.worst_near <= found.worst
    assert found.worst_near <= ALLOWED[activation]


@pytest.mark.parametrize("form", FORMS)
def test_a_start_has_no_pole_and_stays_finite_far_away(form: str) -> None:
    x = np.linspace(-100, 100, 4001)[:, None]
    for activation in TRUTH:
        found = start(activation, form)
        assert np.abs(group_forward(x, np.array([found.numerator]), np.array([found.denominator]), form)).max() < 1e6


@pytest.mark.parametrize(("activation", "form"), [("sigmoid", "square"), ("silu", "abs_sum")])
def test_the_script_finds_the_table_again(activation: str, form: str) -> None:
    script = runpy.run_path(str(ROOT / "tools" / "fit_starts.py"))
    script["fit"].__globals__["STARTS"] = 6        # of 24: the best is found from most of them
    assert script["fit"](activation, form)["worst"] <= 1.3 * start(activation, form).worst


def test_names_that_do_not_exist_are_refused_with_those_that_do() -> None:
    with pytest.raises(NetworkError, match=r"Did you mean 'gelu'\? Known: identity, silu"):
        start("gellu", "square")
    with pytest.raises(NetworkError, match=r"Did you mean 'square'\? Known: sum_abs, abs_sum, square"):
        start("gelu", "squared")
