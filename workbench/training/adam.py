"""Training of torch modules: AdamW over mini-batches, the rate rising for a while and then falling along a cosine.

    rate(t) = r t / w  for t < w,      r (1 + cos(pi (t - w) / (1 - w))) / 2  after it,      t the share of all steps made, w the warm-up

Weights of linear maps decay, all others do not: a decayed coefficient of a rational bends its curve for no reason (Loshchilov & Hutter, 2019,
for the decay; the recipe is that of vision transformers). The module given stays as it is, all randomness comes from the generator, and
torch's own generator, which dropout draws from, is given back as it was.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import nn
from torch.nn import functional

from workbench.exceptions import TrainingError

Loss = Literal["cross_entropy", "squared"]

_SMALL = 1_000_000  # parameters below which a step is not worth a second thread: two that wait for each other cost tenfold on a busy machine


@dataclass(frozen=True, eq=False)
class Samples:
    """Rows to train or judge a torch module on.

    Parameters
    ----------
    X : (n_rows, ...)     what the module takes
    y : (n_rows,) class numbers for "cross_entropy"; (n_rows, n_targets) for "squared"
    loss : how an output is judged
    weights : (n_rows,) with mean 1, or None for equal ones
    vary : how rows are varied whenever they are trained on, such as a `jitter` of images; it draws from torch's own generator
    """

    X: torch.Tensor
    y: torch.Tensor
    loss: Loss
    weights: torch.Tensor | None = None
    vary: Callable[[torch.Tensor], torch.Tensor] | None = None

    def __len__(self) -> int:
        return len(self.X)

    def rows(self, index: torch.Tensor | slice) -> Samples:
        """Return some of the rows."""
        return replace(self, X=self.X[index], y=self.y[index], weights=None if self.weights is None else self.weights[index])

    def errors(self, outputs: torch.Tensor, smoothing: float = 0.0) -> torch.Tensor:
        """Return the loss of every row, (n_rows,)."""
        if self.loss == "cross_entropy":
            return functional.cross_entropy(outputs, self.y, reduction="none", label_smoothing=smoothing)
        return (outputs - self.y).square().mean(1)

    def mean(self, outputs: torch.Tensor, smoothing: float = 0.0) -> torch.Tensor:
        """Return the mean loss, rows counted by their weights."""
        errors = self.errors(outputs, smoothing)
        return errors.mean() if self.weights is None else (errors * self.weights).mean()


@dataclass(frozen=True)
class AdamConfig:
    """Settings of a training.

    Parameters
    ----------
    epochs : how often every row is seen
    batch_size : rows of a step
    rate : highest learning rate
    weight_decay : of linear maps, in units of the rate
    warm_up : share of the steps on which the rate rises
    smoothing : share of a class label that is spread over all classes
    """

    epochs: int = 60
    batch_size: int = 64
    rate: float = 2e-3
    weight_decay: float = 0.05
    warm_up: float = 0.1
    smoothing: float = 0.0

    def __post_init__(self) -> None:
        if self.epochs < 0 or self.batch_size < 1:
            raise TrainingError(f"epochs={self.epochs} and batch_size={self.batch_size} are whole numbers from 0 and from 1 up.")
        if not (self.rate > 0 and self.weight_decay >= 0 and 0 <= self.warm_up < 1 and 0 <= self.smoothing < 1):
            raise TrainingError("rate is positive, weight_decay not negative, warm_up and smoothing are shares from 0 to below 1.")


@dataclass(frozen=True, eq=False)
class Epoch:
    """The state after an epoch: the module as trained so far, its loss over the epoch, the share of the work done."""

    module: nn.Module
    loss: float
    fraction: float


def train(module: nn.Module, samples: Samples, config: AdamConfig, generator: torch.Generator) -> Iterator[Epoch]:
    """Train a copy of a module, yielding after every epoch; the last one yielded holds the trained module.

    Parameters
    ----------
    module : stays as it is
    samples : rows to train on
    config : AdamConfig
    generator : source of all randomness

    Raises
    ------
    TrainingError : the loss is not finite
    """
    module = copy.deepcopy(module)
    n_rows, n_steps = len(samples), config.epochs * math.ceil(len(samples) / config.batch_size)
    optimizer = torch.optim.AdamW(_groups(module, config.weight_decay), config.rate, betas=(0.9, 0.99))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step + 1, n_steps, config.warm_up))
    for epoch in range(config.epochs):
        module.train()
        with _drawing_from(generator), few_threads(module):
            loss = _epoch(module, samples, config, torch.randperm(n_rows), (optimizer, schedule))
        if not math.isfinite(loss):
            raise TrainingError(f"The training left the finite numbers in epoch {epoch + 1}. Take a smaller rate than {config.rate:g}, or look for extreme values.")
        yield Epoch(module.eval(), loss, (epoch + 1) / config.epochs)


def trained(module: nn.Module, samples: Samples, config: AdamConfig, generator: torch.Generator) -> nn.Module:
    """Train a copy of a module to the end and return it, for callers that do not watch."""
    result = copy.deepcopy(module)
    for epoch in train(module, samples, config, generator):
        result = epoch.module
    return result.eval()


def outputs_of(module: nn.Module, X: torch.Tensor, batch_size: int = 512) -> torch.Tensor:
    """Return what a module gives on rows, batch by batch, with dropout and the like switched off as long as it lasts."""
    was_training = [part for part in module.modules() if part.training]
    module.eval()
    try:
        with torch.no_grad(), few_threads(module):
            return torch.cat([module(batch) for batch in X.split(batch_size)])
    finally:
        for part in was_training:
            part.training = True


@contextmanager
def few_threads(module: nn.Module) -> Iterator[None]:
    """Let torch compute with one thread where the module is small."""
    before = torch.get_num_threads()
    if sum(parameter.numel() for parameter in module.parameters()) < _SMALL:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def jitter(strength: float) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return what turns, stretches and shifts images (n_rows, channels, height, width) at random, each on its own.

    Parameters
    ----------
    strength : 1 for up to 0.2 rad, 10 % of either size, and 7.5 % of the width and height; what comes in from outside is 0
    """

    def vary(images: torch.Tensor) -> torch.Tensor:
        turn, wide, high, right, down = strength * (2 * torch.rand(5, len(images)) - 1) * torch.tensor([0.2, 0.1, 0.1, 0.15, 0.15])[:, None]
        rows = [[turn.cos() * (1 + wide), -turn.sin() * (1 + high), right], [turn.sin() * (1 + wide), turn.cos() * (1 + high), down]]
        maps = torch.stack([torch.stack(row, -1) for row in rows], 1)  # (n_rows, 2, 3), on axes from -1 to 1
        return functional.grid_sample(images, functional.affine_grid(maps, list(images.shape), align_corners=False), align_corners=False)

    return vary


def _epoch(module: nn.Module, samples: Samples, config: AdamConfig, order: torch.Tensor, pace: tuple) -> float:
    """Make the steps of one epoch and return the mean loss on the way."""
    optimizer, schedule = pace
    total = 0.0
    for rows in order.split(config.batch_size):
        batch = samples.rows(rows)
        loss = batch.mean(module(batch.X if batch.vary is None else batch.vary(batch.X)), config.smoothing)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        total += float(loss.detach()) * len(rows)
    return total / len(order)


def _rate(step: int, n_steps: int, warm_up: float) -> float:
    """Return the rate of a step from 1 to n_steps, in units of the highest."""
    done = step / (n_steps + 1)
    if done < warm_up:
        return done / warm_up
    return 0.5 * (1 + math.cos(math.pi * (done - warm_up) / (1 - warm_up)))


def _groups(module: nn.Module, weight_decay: float) -> list[dict]:
    """Return the parameters in two groups, the weights of linear maps and all others."""
    decayed = {id(part.weight) for part in module.modules() if isinstance(part, nn.Linear | nn.modules.conv._ConvNd)}
    decayed |= {id(part.in_proj_weight) for part in module.modules() if isinstance(part, nn.MultiheadAttention) and part.in_proj_weight is not None}
    free = [parameter for parameter in module.parameters() if parameter.requires_grad]
    split = [[parameter for parameter in free if (id(parameter) in decayed) is kind] for kind in (True, False)]
    return [{"params": split[0], "weight_decay": weight_decay}, {"params": split[1], "weight_decay": 0.0}]


@contextmanager
def _drawing_from(generator: torch.Generator) -> Iterator[None]:
    """Let torch's own generator go on from where ours stands, and afterwards from where it was itself."""
    with torch.random.fork_rng(devices=[]):
        torch.set_rng_state(generator.get_state())
        yield
        generator.set_state(torch.get_rng_state())
