import numpy as np
import pytest
from numpy.testing import assert_allclose

from workbench.exceptions import SnapError
from workbench.snapping import Curve


def test_points_are_put_in_order_with_their_weights() -> None:
    curve = Curve.of(np.array([3.0, 1.0, 2.0]), np.array([9.0, 1.0, 4.0]), np.array([1.0, 2.0, 5.0]))
    assert_allclose(curve.y, [1, 4, 9])
    assert_allclose(curve.weights, [0.25, 0.625, 0.125])


def test_many_points_are_thinned_evenly_in_rank_and_the_ends_stay() -> None:
    x = np.random.default_rng(0).exponential(size=10_007)
    curve = Curve.of(x, x**2)
    assert curve.x.size == 2000
    assert (curve.x[0], curve.x[-1]) == (x.min(), x.max())
    # the density is the data's own: quantiles stay within two ranks' distance
    assert_allclose(np.quantile(curve.x, [0.1, 0.5, 0.9]), np.quantile(x, [0.1, 0.5, 0.9]), rtol=5e-3)


def test_the_coarse_copy_keeps_weighted_means() -> None:
    generator = np.random.default_rng(1)
    x, w = generator.normal(size=1009), generator.uniform(0, 2, 1009)
    curve = Curve.of(x, np.sin(x), w)
    assert curve.coarse.x.size == 128
    assert_allclose(curve.coarse.weights @ curve.coarse.y, curve.weights @ curve.y, rtol=1e-12)
    assert (curve.coarse.low, curve.coarse.high) == (x.min(), x.max())


def test_the_range_includes_where_a_form_must_be_defined_as_well() -> None:
    curve = Curve.of(np.array([1.0, 2.0]), np.array([0.0, 1.0]), reach=np.array([-1.0, 1.5]))
    assert (curve.low, curve.high) == (-1.0, 2.0)


def test_an_edge_that_receives_one_value_has_no_form() -> None:
    with pytest.raises(SnapError, match="the single value 2"):
        Curve.of(np.full(5, 2.0), np.arange(5.0))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_curve_that_is_not_finite_is_refused(bad: float) -> None:
    with pytest.raises(SnapError, match="not finite"):
        Curve.of(np.arange(3.0), np.array([0.0, bad, 1.0]))
