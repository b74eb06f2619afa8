"""A dataset as a transformer is taught it: rows in the shape of its tokens, and targets it can be judged by.

Values are those of the table: the embedding owns the centre and spread of inputs, and the head those of targets. Where a dataset has no
validation rows, because it is small, every fifth training row judges and is not trained on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from workbench.dataset import Dataset, Pixels
from workbench.networks.kat import Columns, KATConfig, Patches
from workbench.training.adam import Samples, jitter
from workbench.transformer.settings import KATSettings

_HELD_BACK = 5


@dataclass(frozen=True, eq=False)
class Lessons:
    """What a transformer is taught and judged by.

    Parameters
    ----------
    data, settings : where it comes from
    pixels : how inputs make images, None where every input is a token
    training, validation : rows with the targets as the head gives them in the end
    test : rows to report on; None where there are none
    """

    data: Dataset
    settings: KATSettings
    pixels: Pixels | None
    training: Samples
    validation: Samples
    test: Samples | None

    @property
    def config(self) -> KATConfig:
        """The shape of the model."""
        chosen = self.settings
        shape = {name: getattr(chosen, name) for name in ("width", "depth", "n_heads", "expansion", "n_groups", "activation", "form", "dropout")}
        if self.pixels is None:
            tokens = Columns(len(self.data.inputs))
        else:
            tokens = Patches(self.pixels.height, self.pixels.width, chosen.side(self.pixels))
        return KATConfig(tokens, len(self.data.classes) or len(self.data.targets), **shape)

    @property
    def scale(self) -> tuple[torch.Tensor, torch.Tensor] | None:
        """Centre and spread of numbers that are predicted; None for classes."""
        if self.data.task == "classification":
            return None
        spread, centre = torch.std_mean(self.training.y.double(), 0, correction=0)
        return centre.float(), torch.where(spread > 0, spread, 1.0).float()

    def to_learn(self) -> Samples:
        """Return the training rows with numbers scaled, and images varied on the way."""
        samples = self.training
        if self.scale is not None:
            centre, spread = self.scale
            samples = replace(samples, y=(samples.y - centre) / spread)
        return replace(samples, vary=jitter(self.settings.jitter)) if self.pixels is not None and self.settings.jitter else samples


def lessons_of(data: Dataset, settings: KATSettings) -> Lessons:
    """Return a dataset as lessons, or raise the TrainingError that says why it cannot be learned by a transformer."""
    pixels = settings.pixels(data)
    train, judges, test = data.split.train, data.split.validation, data.split.test
    if not len(judges):
        judges, train = train[::_HELD_BACK], np.delete(train, np.s_[::_HELD_BACK])

    def samples(rows: np.ndarray) -> Samples:
        targets = data.y[rows, 0].astype(np.int64) if data.task == "classification" else data.seen_targets(data.y[rows]).astype(np.float32)
        loss = "cross_entropy" if data.task == "classification" else "squared"
        return Samples(rows_of(data, pixels, data.X[rows]), torch.from_numpy(targets), loss)

    training = samples(train)
    if data.seen_weights is not None:
        weights = data.seen_weights[train]
        training = replace(training, weights=torch.from_numpy((weights / weights.mean()).astype(np.float32)))
    return Lessons(data, settings, pixels, training, samples(judges), samples(test) if len(test) > 1 else None)


def rows_of(data: Dataset, pixels: Pixels | None, X: np.ndarray) -> torch.Tensor:
    """Return inputs (n_rows, n_inputs) as the model takes them: columns, or images."""
    seen = data.seen(X)
    return torch.from_numpy((seen if pixels is None else pixels.images(seen)).astype(np.float32))
