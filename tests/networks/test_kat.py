"""A KAT: its shape, its first weights, its tokens, and that it can begin as a plain transformer."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from torch import nn
from torch.nn import functional

from workbench.exceptions import NetworkError
from workbench.networks.kat import KAT, Attention, Columns, GroupRational, KATConfig, Patches, RationalFeedForward, Steps, build, from_transformer
from workbench.networks.kat.initialisation import gain, initialise
from workbench.ops.starts import start

FORMS = ("square", "sum_abs", "abs_sum")


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# ------------------------------------------------------------------------------------------------------------ the shape


def test_the_published_tiny_model_has_its_number_of_parameters() -> None:
    with torch.device("meta"):
        model = KAT(KATConfig(Patches(height=224, width=224, size=16, channels=3), n_outputs=1000))
    assert sum(parameter.numel() for parameter in model.parameters()) == 5_718_328


def test_parameters_carry_the_published_names() -> None:
    with torch.device("meta"):
        state = KAT(KATConfig(Patches(32, 32, 16, 3), n_outputs=7, depth=1)).state_dict()
    published = {
        "cls_token": (1, 1, 192),
        "pos_embed": (1, 5, 192),
        "patch_embed.proj.weight": (192, 3, 16, 16),
        "blocks.0.norm1.weight": (192,),
        "blocks.0.attn.qkv.weight": (576, 192),
        "blocks.0.attn.proj.bias": (192,),
        "blocks.0.mlp.act1.weight_numerator": (1, 6),
        "blocks.0.mlp.act2.weight_denominator": (8, 4),
        "blocks.0.mlp.fc1.weight": (768, 192),
        "blocks.0.mlp.fc2.bias": (192,),
        "norm.weight": (192,),
        "head.weight": (7, 192),
    }
    assert {name: tuple(state[name].shape) for name in published} == published


TOKENS = [
    (Columns(5), lambda g: torch.randn(7, 5, generator=g)),
    (Patches(4, 6, 2, channels=3), lambda g: torch.randn(7, 3, 4, 6, generator=g)),
    (Steps(5, n_features=3), lambda g: torch.randn(7, 5, 3, generator=g)),
    (Steps(5, vocabulary=11), lambda g: torch.randint(0, 11, (7, 5), generator=g)),
]


@pytest.mark.parametrize(("tokens", "draw"), TOKENS, ids=["columns", "patches", "steps", "words"])
def test_every_kind_of_data_becomes_tokens_and_every_parameter_learns(tokens: object, draw: Callable) -> None:
    model = build(KATConfig(tokens, n_outputs=2, width=24, depth=2, n_heads=3, n_groups=4), seeded())
    outputs = model(draw(seeded(1)))
    assert outputs.shape == (7, 2)
    outputs.square().sum().backward()
    assert [name for name, parameter in model.named_parameters() if not parameter.grad.abs().max() > 0] == []


def test_a_denominator_that_begins_at_zero_learns_in_every_form_but_the_square() -> None:
    """1 + q^2 is flat at q = 0, where an identity begins: so `square` is not what a KAT takes when nobody says anything."""
    moved = {}
    for form in FORMS:
        layer = GroupRational(2, "identity", form)
        layer(torch.linspace(-2, 2, 12).reshape(3, 4)).square().sum().backward()
        moved[form] = bool(layer.weight_denominator.grad.abs().max() > 0)
    assert moved == {"square": False, "sum_abs": True, "abs_sum": True}


def test_numbers_are_taken_in_their_own_units() -> None:
    X = torch.randn(101, 5, generator=seeded()) * torch.tensor([1e-6, 1.0, 1e3, 1.0, 0.0]) + torch.tensor([0.0, 1e4, 0.0, 0.0, 3.0])
    model = build(KATConfig(Columns(5), n_outputs=1, width=8, depth=1, n_heads=2, n_groups=2), seeded(), X)
    scaled = model.patch_embed.scaled(X)
    assert_allclose(scaled[:, :4].std(0, correction=0), 1.0, rtol=1e-2)     # 1e4 + N(0, 1) has three digits left in float32
    assert_allclose(scaled[:, 4], 0.0)


@pytest.mark.parametrize(("change", "says"), [({"width": 30}, "both must divide it"), ({"depth": 0}, "whole numbers from 1 up")])
def test_a_shape_that_does_not_fit_is_refused(change: dict, says: str) -> None:
    with pytest.raises(NetworkError, match=says):
        KATConfig(Columns(3), n_outputs=1, **change)


def test_data_of_another_shape_are_refused_with_the_shape_that_is_wanted() -> None:
    model = build(KATConfig(Patches(4, 4, 2), n_outputs=1, width=8, depth=1, n_heads=2), seeded())
    with pytest.raises(NetworkError, match=r"takes X \(n_rows, 1, 4, 4\); got \(3, 16\)"):
        model(torch.zeros(3, 16))
    with pytest.raises(NetworkError, match="do not tile"):
        Patches(8, 8, 3)


def test_attention_maps_are_what_attention_mixes_with() -> None:
    attention = Attention(12, 3)
    x = torch.randn(5, 7, 12, generator=seeded())
    maps = attention.maps(x)
    assert maps.shape == (5, 3, 7, 7)
    assert_allclose(maps.sum(-1).detach(), 1.0, rtol=1e-6)
    values = attention.qkv(x)[..., 24:].unflatten(-1, (3, 4)).transpose(1, 2)  # the last third, by head
    mixed = attention.proj((maps @ values).transpose(1, 2).flatten(2))
    assert_allclose(mixed.detach(), attention(x).detach(), rtol=1e-4, atol=1e-6)


# ------------------------------------------------------------------------------------------------------ the first weights


@pytest.mark.parametrize(("activation", "alpha"), [("identity", 1.0), ("relu", 2.0), ("gelu", 2.352), ("silu", 2.811), ("tanh", 2.536), ("sigmoid", 3.41)])
@pytest.mark.parametrize("form", FORMS)
def test_the_gain_of_a_start_is_that_of_its_activation(activation: str, alpha: float, form: str) -> None:
    """True values at x ~ N(0, 1): 1 / E[f(x)^2]."""
    assert gain(GroupRational(4, activation, form)) == pytest.approx(alpha, rel=0.02)


@pytest.mark.parametrize(("activation", "alpha"), [("gelu", 2.352), ("silu", 2.811)])
def test_the_variance_that_is_claimed_is_found_in_the_weights(activation: str, alpha: float) -> None:
    model = build(KATConfig(Columns(3), n_outputs=2, width=96, depth=2, n_heads=3, activation=activation), seeded())
    for block in model.blocks:
        variances = {name: part.weight.var().item() * part.in_features for name, part in block.named_modules() if isinstance(part, nn.Linear)}
        expected = {"attn.qkv": 1.0, "attn.proj": 1.0, "mlp.fc1": 1.0, "mlp.fc2": alpha}
        assert variances == pytest.approx(expected, rel=0.05)  # 9000 draws and more: their variance is known to 1.5 %


def test_values_keep_their_variance_through_the_feed_forward_part() -> None:
    model = build(KATConfig(Columns(3), n_outputs=2, width=96, depth=1, n_heads=3), seeded())
    x = torch.randn(4001, 96, generator=seeded(1))
    assert model.blocks[0].mlp(x).var().item() == pytest.approx(1.0, rel=0.1)


def test_a_model_is_made_by_its_generator_alone() -> None:
    config = KATConfig(Steps(3, vocabulary=5), n_outputs=2, width=8, depth=1, n_heads=2)
    before = torch.random.get_rng_state()
    first, again, other = (build(config, seeded(seed)).state_dict() for seed in (3, 3, 4))
    assert torch.equal(before, torch.random.get_rng_state())
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["head.weight"], other["head.weight"])


def test_every_parameter_is_written() -> None:
    for tokens, _ in TOKENS:
        model = build(KATConfig(tokens, n_outputs=2, width=24, depth=1, n_heads=3), seeded())
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.fill_(torch.nan)
        initialise(model, seeded())
        assert all(parameter.isfinite().all() for parameter in model.parameters())


def test_a_parameter_without_a_rule_is_an_error_and_not_left_to_chance() -> None:
    with pytest.raises(NetworkError, match="no rule for the parameter 'weight_ih_l0'"):
        initialise(nn.Sequential(nn.LSTM(3, 2)), seeded())


# ------------------------------------------------------------------------------------------------- from a plain transformer


class PlainFeedForward(nn.Module):
    """As in timm's vision transformers."""

    def __init__(self, activation: nn.Module) -> None:
        super().__init__()
        self.fc1, self.act, self.fc2 = nn.Linear(24, 56), activation, nn.Linear(56, 24)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc2(self.act(self.fc1(x)))


class PlainBlock(nn.Module):
    def __init__(self, activation: nn.Module) -> None:
        super().__init__()
        self.norm1, self.attn, self.norm2, self.mlp = nn.LayerNorm(24), nn.MultiheadAttention(24, 3, batch_first=True), nn.LayerNorm(24), PlainFeedForward(activation)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.norm1(x)
        x = x + self.attn(h, h, h)[0]
        return x + self.mlp(self.norm2(x))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("name", "module"), [("gelu", nn.GELU()), ("silu", nn.SiLU()), ("tanh", nn.Tanh())])
def test_a_plain_transformer_becomes_a_kat_within_the_fit_error_of_the_start(name: str, module: nn.Module, form: str) -> None:
    plain = PlainBlock(module).double().eval()
    converted = from_transformer(plain, n_groups=4, form=form)
    x = torch.randn(5, 7, 24, generator=seeded(), dtype=torch.float64)
    inside = []
    plain.mlp.act.register_forward_pre_hook(lambda _, args: inside.append(args[0]))
    difference = (converted(x) - plain(x)).abs().max().item()
    assert inside[0].abs().max() < 4.0      # where starts are fitted
    bound = start(name, form).worst * plain.mlp.fc2.weight.abs().sum(1).max().item()
    assert 0 < difference <= bound
    assert isinstance(converted.mlp, RationalFeedForward)


@pytest.mark.parametrize("norm_first", [True, False])
@pytest.mark.parametrize("activation", ["gelu", functional.silu])
def test_torchs_own_encoder_becomes_a_kat(norm_first: bool, activation: object) -> None:
    layer = nn.TransformerEncoderLayer(24, 3, 56, dropout=0.1, activation=activation, batch_first=True, norm_first=norm_first)
    plain = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False).double().eval()
    before = copy.deepcopy(plain.state_dict())
    converted = from_transformer(plain, n_groups=4, form="sum_abs")
    x = torch.randn(5, 7, 24, generator=seeded(), dtype=torch.float64)
    padding = torch.arange(7)[None].repeat(5, 1) > 4
    for mask in ({}, {"src_key_padding_mask": padding}):
        with torch.no_grad():
            assert_allclose(converted(x, **mask), plain(x, **mask), atol=2e-2)
    assert sum(isinstance(module, GroupRational) for module in converted.modules()) == 4
    assert all(torch.equal(before[name], value) for name, value in plain.state_dict().items())


def test_what_holds_no_feed_forward_part_is_refused() -> None:
    with pytest.raises(NetworkError, match="no feed-forward part that is known"):
        from_transformer(nn.Linear(3, 2))
    with pytest.raises(NetworkError, match="no start for the activation Hardtanh"):
        from_transformer(PlainBlock(nn.Hardtanh()))


def test_a_rational_computes_its_formula() -> None:
    layer = GroupRational(2, "gelu", "square").double()
    with torch.no_grad():
        layer.weight_denominator[1] *= 3
    a, b = (p.detach().numpy() for p in (layer.weight_numerator, layer.weight_denominator))
    x = np.linspace(-3, 3, 28).reshape(7, 4)
    expected = [np.polyval(a[0, ::-1], x[:, c]) / (1 + np.polyval([*b[c // 2, ::-1], 0.0], x[:, c]) ** 2) for c in range(4)]
    assert_allclose(layer(torch.from_numpy(x)).detach().numpy(), np.stack(expected, 1), rtol=1e-12)
