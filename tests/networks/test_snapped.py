"""A rational with names computes its forms, trains them, and keeps the rest."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from workbench.exceptions import NetworkError
from workbench.networks.kat import GroupRational
from workbench.networks.kat.snapped import Name, SnappedRational
from workbench.primitives import ACTIVATIONS, LIBRARY, PrimitiveForm, TypedForm, find

EVERYWHERE = [PrimitiveForm(p) for p in (*LIBRARY.values(), *ACTIVATIONS.values()) if p.domain == "any"]


def named(form: object, dtype: torch.dtype = torch.float64) -> SnappedRational:
    constants = (1.3, 0.7, 0.2, *(shape.starts[0] for shape in form.primitive.shape), -0.4)
    return SnappedRational(None, 1, {0: Name(form, constants, (True,) * len(constants))}, torch.zeros(1, dtype=dtype))


@pytest.mark.parametrize("form", EVERYWHERE, ids=lambda form: form.name)
def test_every_form_is_computed_as_the_library_has_it(form: PrimitiveForm) -> None:
    module, x = named(form), torch.linspace(-3, 3, 28, dtype=torch.float64).reshape(7, 4).requires_grad_()
    y = module(x)
    y.sum().backward()
    constants = module.name(0).constants
    value, slope = form.evaluate(x.detach().numpy(), constants[:-1])
    assert_allclose(y.detach(), value - 0.4, rtol=1e-12)
    assert_allclose(x.grad, slope, rtol=1e-7, atol=1e-12)
    assert_allclose(module.constants["0"].grad[:-1], form.jacobian(x.detach().numpy().ravel(), constants[:-1]).sum(1), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", ["relu", "gelu", "silu", "logistic", "softplus", "tanh", "sech", "sech^2", "sin", "gaussian", "erf"])
def test_values_far_out_have_finite_slopes(name: str) -> None:
    """z / (1 + exp(-z)) by its expression has the slope inf/inf below -89 in float32."""
    module, x = named(PrimitiveForm(find(name)), torch.float32), torch.tensor([-1e4, -200.0, 200.0, 1e4], requires_grad=True)
    module(x).sum().backward()
    assert x.grad.isfinite().all()
    assert module.constants["0"].grad.isfinite().all()


def test_groups_without_a_name_are_computed_as_before_and_may_still_learn() -> None:
    rational = GroupRational(3, "gelu")
    constants = (2.0, 1.0, 0.0, 0.5)
    module = SnappedRational(rational, 3, {1: Name(PrimitiveForm(find("tanh")), constants, (True, True, False, True))}, torch.zeros(1))
    x = torch.randn(5, 7, 6, generator=torch.Generator().manual_seed(0))
    y, before = module(x), rational(x)
    assert torch.equal(y[..., [0, 1, 4, 5]], before[..., [0, 1, 4, 5]])
    assert_allclose(y[..., 2:4].detach(), 2 * torch.tanh(x[..., 2:4]) + 0.5, rtol=1e-6)
    y.square().sum().backward()
    assert module.constants["1"].grad.abs().gt(0).tolist() == [True, True, False, True]  # b is not free
    assert module.rational.weight_denominator.grad[[0, 2]].abs().max() > 0


def test_a_typed_form_and_a_copy_of_the_module() -> None:
    form = TypedForm("k*x/(1 + x^2)")
    module = SnappedRational(None, 1, {0: Name(form, (2.0, 0.0), (True, True))}, torch.zeros(1, dtype=torch.float64))
    x = torch.linspace(-2, 2, 7, dtype=torch.float64)[:, None]
    assert_allclose(module(x).detach(), 2 * x / (1 + x**2), rtol=1e-12)
    other = copy.deepcopy(module)
    with torch.no_grad():
        other.constants["0"][0] = 3.0
    assert module.name(0).constants == (2.0, 0.0)
    assert other.name(0).form.name == form.name


def test_names_are_given_as_they_stand_after_training() -> None:
    module = named(PrimitiveForm(find("tanh")))
    with torch.no_grad():
        module.constants["0"] += 1.0
    assert np.allclose(module.names[0].constants, (2.3, 1.7, 1.2, 0.6))
    assert "0: tanh" in repr(module)


def test_what_does_not_fit_together_is_refused() -> None:
    name = Name(PrimitiveForm(find("x")), (1.0, 1.0, 0.0, 0.0), (True, False, False, True))
    with pytest.raises(NetworkError, match="every one of the 2 groups needs a name"):
        SnappedRational(None, 2, {0: name}, torch.zeros(1))
    with pytest.raises(NetworkError, match="5 channels are not shared out evenly to 2 groups"):
        SnappedRational(None, 2, {0: name, 1: name}, torch.zeros(1))(torch.zeros(3, 5))
