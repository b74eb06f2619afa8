"""What the functions of a module's activations received on data, and what they gave.

A form is judged where a function is used: the points kept are an even choice of all that arrived, so their density is that of the data, and
the ends of the whole range are always among them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import nn

from workbench.activations.recognition import Rational
from workbench.exceptions import NetworkError
from workbench.snapping import Curve
from workbench.training.adam import outputs_of

_POINTS = 4000  # points kept of a function: its density and its curve are not known better from more
_AT_ONCE = 1 << 18  # values kept of a batch, all groups together: large models send a thousand times as many
_BINS = 60


@dataclass(frozen=True, eq=False)
class Received:
    """What one group function received and gave.

    Parameters
    ----------
    x, y : (n_points,)     ascending in x
    n_channels : how many channels share the function
    """

    x: np.ndarray
    y: np.ndarray
    n_channels: int

    @property
    def low(self) -> float:
        return float(self.x[0])

    @property
    def high(self) -> float:
        return float(self.x[-1])

    @cached_property
    def density(self) -> tuple[np.ndarray, np.ndarray]:
        """The share of values per unit of x (n_bins,), and the edges of its bins (n_bins + 1,)."""
        return np.histogram(self.x, _BINS, density=True)

    @cached_property
    def curve(self) -> Curve:
        """The curve as forms are fitted to it."""
        return Curve.of(self.x, self.y, reach=np.array([self.low, self.high]))


def received(module: nn.Module, places: Sequence[Rational], X: torch.Tensor) -> dict[str, tuple[Received, ...]]:
    """Run a module on rows and return what each group of each place received and gave.

    Parameters
    ----------
    module : stays as it is
    places : of `rationals(module)`
    X : (n_rows, ...)

    Raises
    ------
    NetworkError : a place that is never reached, or that is given a number of channels its groups do not divide
    """
    kept: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {place.path: [] for place in places}
    handles = [place.module.register_forward_hook(_keeper(place, kept[place.path])) for place in places]
    try:
        outputs_of(module, X)
    finally:
        for handle in handles:
            handle.remove()
    return {place.path: _by_group(place, kept[place.path]) for place in places}


def _keeper(place: Rational, kept: list[tuple[np.ndarray, np.ndarray]]) -> Callable:
    """Return a hook that keeps rows of channels, an even choice and those in which a group meets the ends of its range."""

    def keep(_: nn.Module, arguments: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        x, y = (values.detach().flatten(0, -2) for values in (arguments[0], output))
        if x.shape[1] % place.n_groups:
            raise NetworkError(f"The activation {place.path!r} receives {x.shape[1]} channels, which its {place.n_groups} groups do not divide.")
        groups = x.unflatten(1, (place.n_groups, -1))  # (n, n_channels) -> (n, n_groups, group_size)
        even = torch.arange(0, len(x), max(1, len(x) * x.shape[1] // _AT_ONCE), device=x.device)
        rows = torch.cat([even, groups.amax(2).argmax(0), groups.amin(2).argmin(0)]).unique()
        kept.append(tuple(values[rows].double().cpu().numpy() for values in (x, y)))

    return keep


def _by_group(place: Rational, kept: list[tuple[np.ndarray, np.ndarray]]) -> tuple[Received, ...]:
    if not kept:
        raise NetworkError(f"The activation {place.path!r} is not reached when the module runs on these rows: it has received nothing.")
    x, y = (np.concatenate([pair[k] for pair in kept]) for k in (0, 1))
    n_channels = x.shape[1] // place.n_groups
    groups = [slice(group * n_channels, (group + 1) * n_channels) for group in range(place.n_groups)]
    return tuple(_thinned(x[:, group].ravel(), y[:, group].ravel(), n_channels) for group in groups)


def _thinned(x: np.ndarray, y: np.ndarray, n_channels: int) -> Received:
    """Keep an even choice of ranks, both ends included."""
    order = np.argsort(x, kind="stable")
    chosen = order[np.unique(np.round(np.linspace(0, x.size - 1, min(x.size, _POINTS))).astype(int))]
    return Received(x[chosen], y[chosen], n_channels)
