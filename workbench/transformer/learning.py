"""Training a transformer on its lessons, epoch by epoch, so that it can be watched, paused and ended with what it has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from workbench.activations.certificate import score
from workbench.networks.kat import KAT, build
from workbench.training.adam import AdamConfig, Samples, outputs_of, train
from workbench.transformer.lessons import Lessons


@dataclass(frozen=True, eq=False)
class Progress:
    """Where a training is after an epoch.

    Parameters
    ----------
    epoch, n_epochs : counted from 1
    loss : mean over the epoch
    module : as trained so far; numbers come out in units of their spread until the end
    lessons : what it is trained on
    """

    epoch: int
    n_epochs: int
    loss: float
    module: KAT
    lessons: Lessons

    @property
    def fraction(self) -> float:
        return self.epoch / self.n_epochs

    def score(self) -> float:
        """Return accuracy or R2 on the validation rows."""
        return score(in_units(outputs_of(self.module, self.lessons.validation.X), self.lessons), self.lessons.validation)


Watcher = Callable[[Progress], "bool | None"]


@dataclass(frozen=True, eq=False)
class Learned:
    """A trained model, and after how many epochs a watcher ended it; None where it was trained to the end."""

    module: KAT
    stop_after: int | None


def learn(lessons: Lessons, watch: Watcher | None = None, stop_after: int | None = None) -> Learned:
    """Train a new model.

    Parameters
    ----------
    lessons : what on
    watch : called after every epoch; where it returns True, the training ends there and the model so far is kept
    stop_after : epochs after which it ends, as a watcher had it end before: the same model comes out
    """
    settings, samples = lessons.settings, lessons.to_learn()
    generator = torch.Generator().manual_seed(settings.random_state)
    module = build(lessons.config, generator, samples.X)
    config = AdamConfig(settings.epochs, settings.batch_size, settings.learning_rate, settings.weight_decay)
    ended = None
    for number, epoch in enumerate(train(module, samples, config, generator), start=1):
        module = epoch.module
        wanted = watch is not None and watch(Progress(number, settings.epochs, epoch.loss, module, lessons))
        if (wanted or number == stop_after) and number < settings.epochs:
            ended = number
            break
    return Learned(_rescaled(module, lessons), ended)


def in_units(outputs: torch.Tensor, lessons: Lessons) -> torch.Tensor:
    """Return outputs on the way in the units of the targets."""
    if lessons.scale is None:
        return outputs
    centre, spread = lessons.scale
    return outputs * spread + centre


def _rescaled(module: KAT, lessons: Lessons) -> KAT:
    """Have the head give numbers in their own units: spread (W x + b) + centre."""
    if lessons.scale is not None:
        centre, spread = lessons.scale
        with torch.no_grad():
            module.head.weight.mul_(spread[:, None])
            module.head.bias.mul_(spread).add_(centre)
    return module.eval()


def samples_score(module: KAT, samples: Samples | None) -> float | None:
    """Return accuracy or R2 on rows, None where there are none."""
    return None if samples is None else score(outputs_of(module, samples.X), samples)
