"""Training of torch modules leaves everything else as it was, and depends on its generator alone."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from torch import nn

from workbench.exceptions import TrainingError
from workbench.training.adam import AdamConfig, Samples, jitter, outputs_of, train, trained


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def line(seed: int = 0, dropout: float = 0.0) -> nn.Module:
    module = nn.Sequential(nn.Linear(3, 16), nn.Tanh(), nn.Dropout(dropout), nn.Linear(16, 2))
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_(0.0, 0.5, generator=seeded(seed))
    return module


def samples(n_rows: int = 211) -> Samples:
    X = torch.randn(n_rows, 3, generator=seeded(5))
    return Samples(X, torch.stack([X[:, 0] - X[:, 1], 0.5 * X[:, 2]], 1), "squared")


CONFIG = AdamConfig(epochs=20, batch_size=17, rate=1e-2, weight_decay=0.0)


def test_it_learns_what_can_be_learned() -> None:
    data = samples()
    before, after = (data.mean(outputs_of(module, data.X)).item() for module in (line(), trained(line(), data, CONFIG, seeded())))
    assert after < 0.05 < 1.0 < before


def test_the_module_given_and_torchs_generator_stay_as_they_were() -> None:
    module, state = line(dropout=0.3), torch.random.get_rng_state()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    trained(module, samples(), CONFIG, seeded())
    assert torch.equal(state, torch.random.get_rng_state())
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())
    assert module.training


def test_dropout_and_order_come_from_the_generator() -> None:
    first, again, other = (trained(line(dropout=0.3), samples(), CONFIG, seeded(seed)).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["0.weight"], other["0.weight"])


def test_the_number_of_threads_is_given_back() -> None:
    before = torch.get_num_threads()
    trained(line(), samples(), AdamConfig(epochs=1), seeded())
    assert torch.get_num_threads() == before


def test_progress_is_told_after_every_epoch() -> None:
    epochs = list(train(line(), samples(), AdamConfig(epochs=4), seeded()))
    assert [epoch.fraction for epoch in epochs] == [0.25, 0.5, 0.75, 1.0]
    assert epochs[-1].loss < epochs[0].loss
    assert not epochs[-1].module.training


def test_a_row_of_weight_zero_is_as_good_as_absent() -> None:
    data = samples(34)
    y = data.y.clone()
    y[17:] = 1e6
    weights = torch.cat([torch.full((17,), 2.0), torch.zeros(17)])
    spoiled = Samples(data.X, y, "squared", weights)
    assert spoiled.mean(data.y).item() == 0.0
    assert data.mean(torch.zeros(34, 2)).item() == pytest.approx(data.y.square().mean().item())


def test_decay_is_for_linear_maps_only() -> None:
    """Targets are what the module gives already: nothing moves but by decay."""
    module = line().eval()
    X = samples().X
    data = Samples(X, module(X).detach() * 1.0, "squared")
    after = trained(module, data, AdamConfig(epochs=1, batch_size=211, rate=1e-2, weight_decay=0.1), seeded())
    moved = {name: not torch.allclose(value, module.state_dict()[name], rtol=1e-6, atol=0) for name, value in after.state_dict().items()}
    assert moved == {"0.weight": True, "0.bias": False, "3.weight": True, "3.bias": False}


def test_a_loss_that_is_not_finite_is_said() -> None:
    data = samples()
    with pytest.raises(TrainingError, match="left the finite numbers in epoch 1"):
        trained(line(), Samples(data.X * math.inf, data.y, "squared"), CONFIG, seeded())


def test_jitter_of_no_strength_changes_nothing_and_jitter_keeps_most_of_an_image() -> None:
    images = torch.zeros(7, 1, 8, 8)
    images[:, :, 2:6, 2:6] = torch.rand(7, 1, 4, 4, generator=seeded())
    assert_allclose(jitter(0.0)(images), images, atol=1e-5)
    varied = jitter(1.0)(images)
    assert 0.01 < (varied - images).abs().mean() < 0.2
    assert_allclose(varied.sum((1, 2, 3)), images.sum((1, 2, 3)), rtol=0.3)
    places = np.unravel_index(varied[0, 0].argmax().item(), (8, 8))
    assert all(1 <= place <= 6 for place in places)
