"""Reading a transformer: what it shows is what happened, what it names is what it computes, and nothing changes that was not asked to."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from torch import nn

import workbench as wb
from tests.activations.conftest import LORENTZIAN, TheirModel, TheirRational, rows
from workbench.exceptions import NetworkError, SnapError, TrainingError, UnknownEdgeError
from workbench.networks.kat.snapped import SnappedRational


def same(before: dict[str, torch.Tensor], after: dict[str, torch.Tensor]) -> bool:
    return before.keys() == after.keys() and all(torch.equal(before[name], after[name]) for name in before)


def frozen(module: nn.Module) -> dict[str, torch.Tensor]:
    return copy.deepcopy(module.state_dict())


def target(module: nn.Module, X: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return module(X)


class Wrapped(nn.Module):
    """Gives its outputs by name, as many libraries do."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, X: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"logits": self.inner(X)}


# --------------------------------------------------------------------------------------------------------- recognition


@pytest.mark.parametrize("form", ["sum_abs", "abs_sum", "square"])
def test_the_form_of_somebody_elses_rational_is_found_and_proven(form: str) -> None:
    module = TheirModel(TheirRational([[0.1, 1.0, 0.4]], [[0.5, -0.7], [0.9, 0.3]], form))
    X = rows()
    assert wb.open_kat(module, X, target(module, X)).forms == {"act": form}
    assert wb.open_kat(module, X, target(module, X), form=form).forms == {"act": form}
    wrong = "square" if form != "square" else "sum_abs"
    with pytest.raises(NetworkError, match=f"it is '{form}'. Say form='{form}'"):
        wb.open_kat(module, X, target(module, X), form=wrong)


def test_a_rational_that_computes_something_else_is_not_read_from_the_wrong_formula() -> None:
    """The published plain-torch fall-back takes x^j without absolute values: another function, with poles."""
    module = TheirModel(TheirRational([[0.1, 1.0, 0.4]], [[0.2, 0.7], [0.3, 0.5]], "unsafe"))
    X = rows()
    with pytest.raises(NetworkError, match="computes none of the forms sum_abs, abs_sum, square"):
        wb.open_kat(module, X, target(module, X))


def test_a_single_rational_for_all_channels_is_known_by_its_other_names() -> None:
    class OneForAll(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.numerator, self.denominator = nn.Parameter(torch.tensor([0.0, 1.0, 0.3])), nn.Parameter(torch.tensor([0.2, 0.4]))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return (x + 0.3 * x**2) / (1 + (0.2 * x + 0.4 * x**2).abs())

    module, X = TheirModel(OneForAll()), rows()
    reading = wb.open_kat(module, X, target(module, X))
    assert [(function.address, function.n_channels) for function in reading.functions] == [(("act", 0), 6)]
    assert reading.forms == {"act": "abs_sum"}


def test_a_module_without_rationals_is_refused() -> None:
    with pytest.raises(NetworkError, match="holds no rational activation"):
        wb.open_kat(nn.Linear(3, 1), torch.zeros(4, 3), torch.zeros(4))


def test_targets_that_fit_no_output_are_refused(lorentzian: TheirModel) -> None:
    with pytest.raises(TrainingError, match=r"gives \(1,\) numbers per row, y has \(2,\)"):
        wb.open_kat(lorentzian, rows(), torch.zeros(211, 2))
    with pytest.raises(TrainingError, match=r"a tensor \(n_rows, n_outputs\); on two rows it gave dict"):
        wb.open_kat(Wrapped(lorentzian), rows(), torch.zeros(211))
    with pytest.raises(TrainingError, match="as many rows of y as of X"):
        wb.open_kat(lorentzian, rows(), torch.zeros(3))


# ------------------------------------------------------------------------------------------------------------ looking


def test_what_a_function_received_is_what_was_sent(lorentzian: TheirModel) -> None:
    X = rows()
    reading = wb.open_kat(lorentzian, X, target(lorentzian, X), validation=(X[:20], target(lorentzian, X[:20])))
    sent = target(lorentzian.first, X).flatten(0, 1)[:, 3:].flatten().sort().values.double().numpy()  # the three channels of group 1
    seen = reading.received(("act", 1))
    assert seen.n_channels == 3
    assert_allclose(seen.x, sent, rtol=1e-6)
    assert_allclose(seen.y, 1 / (1 + 4 * sent**2), rtol=1e-5)
    shares, edges = seen.density
    assert_allclose((shares * np.diff(edges)).sum(), 1.0)
    assert edges[0] == pytest.approx(sent[0])
    assert edges[-1] == pytest.approx(sent[-1])


def test_a_function_that_receives_very_much_is_thinned_and_keeps_its_ends() -> None:
    module = TheirModel(TheirRational(*LORENTZIAN, form="abs_sum"))
    X = torch.randn(1999, 50, 3, generator=torch.Generator().manual_seed(1))
    reading = wb.open_kat(module, X, target(module, X), validation=(X[:9], target(module, X[:9])))
    sent = target(module.first, X)[..., :3]
    seen = reading.received(("act", 0))
    assert seen.x.size <= 4000
    assert (seen.low, seen.high) == pytest.approx((sent.min().item(), sent.max().item()))
    assert_allclose(np.quantile(seen.x, [0.1, 0.5, 0.9]), np.quantile(sent.numpy(), [0.1, 0.5, 0.9]), atol=0.05)


def test_the_curve_that_is_drawn_is_what_the_module_computes(trained_kat: tuple) -> None:
    module, samples = trained_kat
    reading = wb.open_kat(module, samples.X, samples.y)
    address = ("blocks.0.mlp.act2", 1)
    for state in (reading, reading.refit(1), reading.snap(address, "gelu", epochs=1)):  # a rational, one that went on learning, a name
        x, y = state.curve(address)
        assert (x[0], x[-1]) == (state.received(address).low, state.received(address).high)
        given = target(state.module.blocks[0].mlp.act2, torch.tensor(x).float()[:, None].expand(-1, 24))
        assert_allclose(y, given[:, 20], rtol=1e-4, atol=1e-5)


def test_an_address_that_there_is_none_of_names_those_there_are(lorentzian: TheirModel) -> None:
    X = rows()
    reading = wb.open_kat(lorentzian, X, target(lorentzian, X))
    with pytest.raises(UnknownEdgeError, match=r"There are: \('act', 0 to 1\)"):
        reading.received(("act", 2))


# ------------------------------------------------------------------------------------------------------------- naming


def test_a_planted_law_is_named_and_costs_nothing(lorentzian: TheirModel) -> None:
    X = rows()
    reading = wb.open_kat(lorentzian, X, target(lorentzian, X))
    best = reading.candidates(("act", 1), top=3)[0]
    assert best.name.form.name == "1/(1+x^2)"
    assert best.difference < 1e-3
    assert abs(best.name.constants[1]) == pytest.approx(2.0, rel=1e-3)  # 1 / (1 + (2 x)^2)
    assert best.preview_r2 > 0.999999


def test_asking_changes_nothing(trained_kat: tuple) -> None:
    module, samples = trained_kat
    before, generator = frozen(module), torch.random.get_rng_state()
    reading = wb.open_kat(module, samples.X, samples.y)
    state = frozen(reading.module)
    address = reading.functions[0].address
    first, again = (reading.candidates(address, top=2) for _ in range(2))
    reading.received(address)
    reading.certificate()
    reading.attention(samples.X[:3])
    assert same(before, module.state_dict())
    assert same(state, reading.module.state_dict())
    assert torch.equal(generator, torch.random.get_rng_state())
    assert [(c.text, c.difference) for c in first] == [(c.text, c.difference) for c in again]


def test_a_snap_is_a_new_reading_and_acts_on_every_channel_that_shares_the_function(trained_kat: tuple) -> None:
    module, samples = trained_kat
    reading = wb.open_kat(module, samples.X, samples.y)
    before, description = frozen(reading.module), repr(reading.module)
    snapped = reading.snap(("blocks.0.mlp.act2", 1), "gelu", epochs=0)
    assert same(before, reading.module.state_dict())
    assert repr(reading.module) == description
    assert snapped.moves == ("blocks.0.mlp.act2[1] is gelu, on 12 channels",)

    x = torch.randn(7, 24, generator=torch.Generator().manual_seed(2))
    old, new = (target(state.module.blocks[0].mlp.act2, x) for state in (reading, snapped))
    assert torch.equal(old[:, :12], new[:, :12])
    c, a, b, d = snapped.functions[3].name.constants
    assert_allclose(new[:, 12:], c * nn.functional.gelu(a * x[:, 12:] + b) + d, rtol=1e-4, atol=1e-5)


def test_a_refit_brings_the_outputs_back_towards_those_of_the_opened_model(trained_kat: tuple) -> None:
    module, samples = trained_kat
    reading = wb.open_kat(module, samples.X, samples.y)
    for group in range(2):
        reading = reading.snap(("blocks.0.mlp.act2", group), "x^2", epochs=0)
    rough, fitted = (state.certificate().parts["validation"].rms for state in (reading, reading.refit(10)))
    assert fitted < 0.7 * rough


def test_every_function_can_be_named_and_the_model_handed_back_as_torch(trained_kat: tuple) -> None:
    module, samples = trained_kat
    reading = wb.open_kat(module, samples.X, samples.y)
    named = reading.snap_all(top=2, epochs=5)
    plain = named.to_torch()
    assert type(plain) is type(module)
    assert not [name for name, _ in plain.named_parameters() if "numerator" in name or "denominator" in name]
    proof = named.certificate({"test": (samples.X[:50], samples.y[:50])})
    assert (proof.n_named, proof.n_functions) == (4, 4)
    assert proof.parts["test"].cost < 0.05
    difference = target(plain, samples.X[:50]) - target(module, samples.X[:50])
    assert proof.parts["test"].max_abs == pytest.approx(difference.abs().max().item(), rel=1e-5)
    assert "4 of 4 activation functions have a name. On " in proof.text
    with torch.no_grad():
        next(plain.parameters()).zero_()
    assert not same(plain.state_dict(), named.module.state_dict())  # what was handed back is nobody else's


def test_the_same_moves_give_the_same_bytes(trained_kat: tuple) -> None:
    module, samples = trained_kat
    states = [wb.open_kat(module, samples.X, samples.y, random_state=3).snap(("blocks.0.mlp.act1", 0), "x").refit(2).module for _ in range(2)]
    assert same(*(state.state_dict() for state in states))


def test_a_released_function_is_the_rational_it_was(trained_kat: tuple) -> None:
    module, samples = trained_kat
    opened = wb.open_kat(module, samples.X, samples.y)
    reading = opened
    for group in range(2):
        reading = reading.snap(("blocks.0.mlp.act2", group), "gelu", epochs=0)
    assert not any("numerator" in name for name in reading.module.blocks[0].mlp.act2.state_dict())
    half = reading.release(("blocks.0.mlp.act2", 0))
    assert [function.name is None for function in half.functions] == [True, True, True, False]
    assert same(half.release(("blocks.0.mlp.act2", 1)).module.state_dict(), opened.module.state_dict())
    with pytest.raises(SnapError, match="nothing to release"):
        opened.release(("blocks.0.mlp.act2", 0))


def test_a_rational_that_stands_in_two_places_is_one_function() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            shared = TheirRational(*LORENTZIAN, form="abs_sum")
            self.inner, self.act2, self.mix = TheirModel(shared), shared, nn.Linear(6, 6)

        def forward(self, X: torch.Tensor) -> torch.Tensor:
            return self.inner.last(self.act2(self.mix(self.inner.act(self.inner.first(X))))).mean(1)

    module, X = Twice(), rows()
    reading = wb.open_kat(module, X, target(module, X))
    assert len(reading.functions) == 2
    assert reading.received(("inner.act", 0)).x.size == 4000  # 169 rows of 5 tokens and 3 channels, from both places
    snapped = reading.snap(("inner.act", 0), "gaussian", epochs=0).module
    assert isinstance(snapped.act2, SnappedRational)
    assert snapped.act2 is snapped.inner.act


def test_a_model_that_was_handed_back_can_be_opened_again(trained_kat: tuple) -> None:
    module, samples = trained_kat
    first = wb.open_kat(module, samples.X, samples.y)
    for address in (("blocks.0.mlp.act1", 1), ("blocks.0.mlp.act2", 0), ("blocks.0.mlp.act2", 1)):
        first = first.snap(address, first.candidates(address, top=1)[0], epochs=0)
    again = wb.open_kat(first.to_torch(), samples.X, samples.y)
    assert [function.text for function in again.functions] == [function.text for function in first.functions]
    assert again.forms == {"blocks.0.mlp.act1": "sum_abs"}
    assert again.snap(("blocks.0.mlp.act1", 0), "x", epochs=0).certificate().n_named == 4
    with pytest.raises(SnapError, match="had a name when the model was opened"):
        again.release(("blocks.0.mlp.act2", 0))


def test_a_name_can_be_changed_for_another(trained_kat: tuple) -> None:
    module, samples = trained_kat
    reading = wb.open_kat(module, samples.X, samples.y)
    for form in ("gelu", "softplus"):
        reading = reading.snap(("blocks.0.mlp.act2", 0), form, epochs=0)
    assert reading.functions[2].name.form.name == "softplus"
    assert reading.certificate().n_named == 1


def test_a_form_that_is_not_defined_everywhere_is_refused_for_an_activation(lorentzian: TheirModel) -> None:
    X = rows()
    reading = wb.open_kat(lorentzian, X, target(lorentzian, X))
    with pytest.raises(SnapError, match="'log' is not defined everywhere"):
        reading.snap(("act", 0), "log")
    assert reading.snap(("act", 0), "1/(1 + k*x^2)", epochs=0).functions[0].name.constants[0] == pytest.approx(1.0, rel=1e-3)


def test_a_form_that_only_imitates_another_is_refused() -> None:
    """tanh follows an exponential as 3e11 tanh(0.2 x + 13) - 3e11, of which float32 keeps nothing: found on a trained model."""

    series = [[(-0.3) ** k / math.factorial(k) for k in range(6)]]
    module, X = TheirModel(TheirRational(series, [[0.0]] * 2, "abs_sum")), rows()
    reading = wb.open_kat(module, X, target(module, X))
    with pytest.raises(SnapError, match="an imitation of another"):
        reading.snap(("act", 0), "tanh")
    assert all(np.isfinite(candidate.name.constants).all() for candidate in reading.candidates(("act", 0), top=1))


def test_classes_are_scored_by_accuracy() -> None:
    from workbench.networks.kat import Columns, KATConfig, build

    X = torch.randn(61, 2, generator=torch.Generator().manual_seed(0))
    module = build(KATConfig(Columns(2), n_outputs=3, width=4, depth=1, n_heads=2, n_groups=2), torch.Generator().manual_seed(0))
    y = target(module, X).argmax(1)
    y[:6] = (y[:6] + 1) % 3
    parts = wb.open_kat(module, X, y, validation=(X, y)).certificate().parts
    assert parts["validation"].score_opened == pytest.approx(55 / 61)
    assert parts["validation"].same_class == 1.0
    assert_array_equal([parts["train"].max_abs, parts["train"].cost], 0.0)
