"""Modules of somebody else, with rational activations as published libraries have them."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from workbench.training.adam import AdamConfig, Samples, trained


class TheirRational(nn.Module):
    """P(x) / Q_g(x) written out by hand, for groups of channels, with three-dimensional input as the published kernels ask for."""

    def __init__(self, numerator: list, denominator: list, form: str) -> None:
        super().__init__()
        self.weight_numerator = nn.Parameter(torch.tensor(numerator, dtype=torch.float32))
        self.weight_denominator = nn.Parameter(torch.tensor(denominator, dtype=torch.float32))
        self.kind = form

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        assert x.dim() == 3
        n_groups = len(self.weight_denominator)
        z = x.unflatten(-1, (n_groups, -1))
        a = self.weight_numerator.expand(n_groups, -1)[..., None]
        b = self.weight_denominator[..., None]
        above = sum(a[:, k] * z**k for k in range(a.shape[1]))
        terms = [b[:, k] * z ** (k + 1) for k in range(b.shape[1])]
        below = {
            "sum_abs": lambda: 1 + sum(term.abs() for term in terms),
            "abs_sum": lambda: 1 + sum(terms).abs(),
            "square": lambda: 1 + sum(terms) ** 2,
            "unsafe": lambda: 1 + sum(terms),
        }[self.kind]()
        return (above / below).flatten(-2)


class TheirModel(nn.Module):
    """Tokens in, one number out: linear, rational, linear, mean."""

    def __init__(self, rational: nn.Module) -> None:
        super().__init__()
        self.first, self.act, self.last = nn.Linear(3, 6), rational, nn.Linear(6, 1)
        generator = torch.Generator().manual_seed(4)
        with torch.no_grad():
            for parameter in (*self.first.parameters(), *self.last.parameters()):
                parameter.normal_(0.0, 0.7, generator=generator)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return self.last(self.act(self.first(X))).mean(1)


LORENTZIAN = ([[1.0, 0.0, 0.0]], [[0.0, 1.0], [0.0, 4.0]])  # 1 / (1 + x^2) and 1 / (1 + 4 x^2), alike in "sum_abs" and "abs_sum"


def rows(n_rows: int = 211) -> torch.Tensor:
    return torch.randn(n_rows, 5, 3, generator=torch.Generator().manual_seed(7))


@pytest.fixture
def lorentzian() -> TheirModel:
    return TheirModel(TheirRational(*LORENTZIAN, form="abs_sum"))


@pytest.fixture(scope="session")
def trained_kat() -> tuple[nn.Module, Samples]:
    """A small KAT of ours that has learned something: y = |x_0| x_1 and x_2."""
    from workbench.networks.kat import Columns, KATConfig, build

    generator = torch.Generator().manual_seed(0)
    X = torch.randn(401, 3, generator=generator)
    samples = Samples(X, torch.stack([X[:, 0].abs() * X[:, 1], X[:, 2]], 1), "squared")
    module = build(KATConfig(Columns(3), n_outputs=2, width=12, depth=1, n_heads=3, expansion=2, n_groups=2), generator, X)
    return trained(module, samples, AdamConfig(epochs=40, rate=1e-2), generator), samples
