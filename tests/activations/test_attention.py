"""Attention maps are those that the model mixed its tokens with."""

from __future__ import annotations

import pytest
import torch
from numpy.testing import assert_allclose
from torch import nn

from workbench.activations import attention_maps
from workbench.exceptions import NetworkError
from workbench.networks.kat import Attention


class AsInTimm(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.num_heads, self.scale = 2, 0.5
        self.qkv, self.proj = nn.Linear(8, 24), nn.Linear(8, 8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        queries, keys, values = self.qkv(x).reshape(*x.shape[:2], 3, 2, 4).permute(2, 0, 3, 1, 4)
        self.last = (queries @ keys.transpose(-2, -1) * self.scale).softmax(-1)
        return self.proj((self.last @ values).transpose(1, 2).reshape(x.shape))


def test_maps_of_parts_with_qkv_are_their_own() -> None:
    torch_generator = torch.Generator().manual_seed(0)
    module, x = AsInTimm(), torch.randn(5, 7, 8, generator=torch_generator)
    maps = attention_maps(nn.Sequential(module), x)
    module(x)
    assert_allclose(maps["0"], module.last.detach(), rtol=1e-5)


def test_ours_and_torchs_attention_agree_on_equal_weights() -> None:
    ours, theirs = Attention(8, 2), nn.MultiheadAttention(8, 2, batch_first=True)
    ours.qkv.weight, ours.qkv.bias = theirs.in_proj_weight, theirs.in_proj_bias
    x = torch.randn(5, 7, 8, generator=torch.Generator().manual_seed(0))

    class Torchs(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attn = theirs

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.attn(x, x, value=x, need_weights=False)[0]

    maps = attention_maps(Torchs(), x)["attn"]
    assert maps.shape == (5, 2, 7, 7)
    assert_allclose(maps.sum(-1), 1.0, rtol=1e-6)
    assert_allclose(maps, attention_maps(ours, x)[""], rtol=1e-4, atol=1e-6)


def test_torchs_own_encoder_is_looked_into_and_leaves_no_hook_behind() -> None:
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, norm_first=True, activation="gelu")
    module = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
    x = torch.randn(5, 7, 8, generator=torch.Generator().manual_seed(0))
    maps = attention_maps(module, x)
    assert list(maps) == ["layers.0.self_attn", "layers.1.self_attn"]
    assert maps["layers.1.self_attn"].shape == (5, 2, 7, 7)
    assert not any(part._forward_pre_hooks for part in module.modules())
    assert module.training


def test_a_module_without_attention_is_refused() -> None:
    with pytest.raises(NetworkError, match="no attention part that is known"):
        attention_maps(nn.Linear(3, 3), torch.zeros(2, 3))
