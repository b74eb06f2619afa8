"""A procedure that calls back, taken step by step."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.optimize import minimize, rosen, rosen_der

from workbench.exceptions import TrainingError
from workbench.training.stepwise import Stepwise

START = np.array([-1.2, 1.0, 0.7])


def search(tell):
    return minimize(rosen, START, jac=rosen_der, method="L-BFGS-B", callback=tell)


def test_the_steps_are_those_of_the_procedure_alone() -> None:
    alone: list[np.ndarray] = []
    found = search(lambda z: alone.append(z.copy()))
    steps = Stepwise(search)
    assert_array_equal(np.array(list(steps)), np.array(alone))
    assert_array_equal(steps.result.x, found.x)


def test_a_procedure_that_is_left_ends_where_it_is_and_leaves_no_thread() -> None:
    steps = Stepwise(search)
    taken = 0
    for taken, z in enumerate(steps, 1):
        if taken == 5:
            last = z.copy()
            break
    assert (taken, steps.result.nit) == (5, 5)
    assert_array_equal(steps.result.x, last)
    assert not any(thread.name == "stepwise" for thread in threading.enumerate())


def test_what_the_procedure_raises_is_raised_where_the_steps_are_taken() -> None:
    def fails(tell):
        tell(1)
        raise TrainingError("not finite")

    told = []
    with pytest.raises(TrainingError, match="not finite"):
        told.extend(Stepwise(fails))
