"""A transformer goes through JSON and arrays and comes back to the bit; what does not fit together is refused."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from workbench.activations.recognition import rationals, replaced
from workbench.exceptions import NetworkError
from workbench.networks.kat import Columns, KATConfig, Patches, Steps, build
from workbench.networks.kat.snapped import Name, SnappedRational
from workbench.networks.kat.storage import from_arrays, to_arrays
from workbench.primitives import TypedForm, find
from workbench.primitives.forms import PrimitiveForm

KINDS = [Columns(5), Patches(4, 6, 2), Steps(3, 2), Steps(7, vocabulary=11)]


def model(tokens=KINDS[0]):
    return build(KATConfig(tokens, 3, width=12, depth=2, n_heads=3, n_groups=2), torch.Generator().manual_seed(0))


def named(module, path, names):
    place = next(place for place in rationals(module) if place.path == path)
    return replaced(module, place, SnappedRational(place.rational, place.n_groups, names, torch.zeros(1)))


def snapped():
    gelu = Name(PrimitiveForm(find("gelu")), (1.5, 0.5, -0.2, 0.3), (True, True, False, True))
    typed = Name(TypedForm("a*x + b*sin(x)"), (0.7, 0.2, -0.1), (True, True, True))
    return named(named(model(), "blocks.0.mlp.act1", {0: gelu, 1: typed}), "blocks.1.mlp.act2", {1: gelu})


@pytest.mark.parametrize("tokens", KINDS, ids=str)
def test_every_kind_of_tokens_comes_back(tokens) -> None:
    module = model(tokens)
    described, arrays = to_arrays(module)
    again = from_arrays(json.loads(json.dumps(described)), arrays)
    assert again.config == module.config
    for (name, values), (other, same) in zip(module.state_dict().items(), again.state_dict().items(), strict=True):
        assert name == other
        assert_close(values, same, rtol=0, atol=0)


def test_names_come_back_with_their_constants_and_the_outputs_are_the_same() -> None:
    module = snapped()
    described, arrays = to_arrays(module)
    again = from_arrays(json.loads(json.dumps(described)), {name: np.array(values) for name, values in arrays.items()})
    X = torch.randn(7, 5, generator=torch.Generator().manual_seed(1))
    assert_close(again(X), module(X), rtol=0, atol=0)
    assert [place.module.names for place in rationals(again) if isinstance(place.module, SnappedRational)] == [
        place.module.names for place in rationals(module) if isinstance(place.module, SnappedRational)
    ]


def _spoilt(described: dict, arrays: dict) -> list[tuple[dict, dict]]:
    def with_(change) -> dict:
        other = copy.deepcopy(described)
        change(other)
        return other

    head = {**arrays, "head.weight": arrays["head.weight"][:, :-1]}
    return [
        ({}, arrays),
        (described, {name: values for name, values in arrays.items() if name != "head.bias"}),
        (described, {**arrays, "more": np.zeros(3)}),
        (described, head),
        (with_(lambda d: d["config"].update(width=10**9)), arrays),
        (with_(lambda d: d["config"].update(depth=10**6)), arrays),
        (with_(lambda d: d["config"].update(n_heads=5)), arrays),
        (with_(lambda d: d["config"]["tokens"].update(kind="pictures")), arrays),
        (with_(lambda d: d["names"]["blocks.0.mlp.act1"]["0"]["form"].update(name="no such form")), arrays),
        (with_(lambda d: d["names"]["blocks.0.mlp.act1"]["0"].update(free=[True])), arrays),
        (with_(lambda d: d["names"].update({"head": {"0": d["names"]["blocks.0.mlp.act1"]["0"]}})), arrays),
    ]


@pytest.mark.parametrize("case", range(11))
def test_what_does_not_fit_together_is_refused(case: int) -> None:
    described, arrays = _spoilt(*map(dict, to_arrays(snapped())))[case]
    with pytest.raises(NetworkError, match="not a stored transformer"):
        from_arrays(described, arrays)
