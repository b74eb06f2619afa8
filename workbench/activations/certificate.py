"""What the names of a transformer's activations cost: the snapped model beside the one that was opened.

No formula is claimed for a transformer. What is certified is how far the outputs of both are apart, row by row, and what that does to the score:

    max_abs = max |snapped(x) - opened(x)|        rms = root mean square of the same        score = accuracy, or R2 for numbers
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn

from workbench.training.adam import Samples, outputs_of


@dataclass(frozen=True)
class Compared:
    """Both models on one part of the data.

    Parameters
    ----------
    max_abs, rms : of the difference of their outputs
    output_rms : root mean square of the opened model's outputs, what a difference is to be compared with
    same_class : share of the rows that both put into the same class; None for numbers
    score_opened, score_snapped : accuracy or R2
    n_rows : how many rows were compared
    """

    max_abs: float
    rms: float
    output_rms: float
    same_class: float | None
    score_opened: float
    score_snapped: float
    n_rows: int

    @property
    def cost(self) -> float:
        """How much of the score the names cost; negative where they help."""
        return self.score_opened - self.score_snapped


@dataclass(frozen=True)
class KATCertificate:
    """How far a snapped transformer is from the one it was read from.

    Parameters
    ----------
    n_functions, n_named : group functions in all, and those that have a name
    parts : part of the data ("train", "validation", "test") -> Compared
    """

    n_functions: int
    n_named: int
    parts: Mapping[str, Compared]

    @property
    def text(self) -> str:
        """All of this in plain sentences."""
        said = [f"{self.n_named} of {self.n_functions} activation functions have a name."]
        for part, both in self.parts.items():
            name, size = ("R2", 1.0) if both.same_class is None else ("accuracy", 100.0)
            unit = "" if both.same_class is None else " %"
            same = "" if both.same_class is None else f", the class is the same on {100 * both.same_class:.4g} % of them"
            said.append(
                f"On {both.n_rows} {part} rows outputs differ by {both.max_abs:.2g} at most and {both.rms:.2g} on average (typical output "
                f"{both.output_rms:.2g}){same}; {name} {size * both.score_opened:.4g}{unit} before and {size * both.score_snapped:.4g}{unit} after."
            )
        return " ".join(said)

    def to_json(self) -> dict[str, object]:
        """Return everything as JSON."""
        return {"n_functions": self.n_functions, "n_named": self.n_named, "parts": {name: dict(vars(both)) for name, both in self.parts.items()}}


def compared(opened: nn.Module, snapped: nn.Module, samples: Samples) -> Compared:
    """Run both models on rows and compare what they give."""
    before, after = (outputs_of(module, samples.X).double() for module in (opened, snapped))
    difference = after - before
    classes = samples.loss == "cross_entropy"
    return Compared(
        difference.abs().max().item(),
        difference.square().mean().sqrt().item(),
        before.square().mean().sqrt().item(),
        (before.argmax(1) == after.argmax(1)).double().mean().item() if classes else None,
        score(before, samples),
        score(after, samples),
        len(samples),
    )


def score(outputs: torch.Tensor, samples: Samples) -> float:
    """Return the accuracy for classes and R2 for numbers, the mean over targets; 1 is best."""
    if samples.loss == "cross_entropy":
        return (outputs.argmax(1) == samples.y).double().mean().item()
    y = samples.y.double()
    left, spread = (y - outputs.double()).square().sum(0), (y - y.mean(0)).square().sum(0)
    return (1 - left / torch.where(spread > 0, spread, 1.0)).mean().item()
