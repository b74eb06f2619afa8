"""A rational activation some of whose group functions have a name.

    y = c f(a x + b; shape) + d     on the channels of a group that is snapped, its constants trainable and shared by those channels
    y = F_g(x)                      on the others, as computed by the module that was there before

The module is plain torch and takes the place of any rational, ours or another library's. When every group has a name nothing of the rational
is left in it.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from workbench.exceptions import NetworkError
from workbench.networks.as_torch import torch_form
from workbench.primitives import Form, PrimitiveForm, form_from_json

# What torch has in one stroke, with slopes that stay finite where those of the expression are inf/inf.
_IN_ONE_STROKE: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "x": lambda z: z,
    "relu": functional.relu,
    "gelu": functional.gelu,
    "silu": functional.silu,
    "logistic": torch.sigmoid,
    "softplus": functional.softplus,
    "tanh": torch.tanh,
    "sech": lambda z: 2 * torch.exp(-z.abs()) / (1 + torch.exp(-2 * z.abs())),
    "sech^2": lambda z: 1 - torch.tanh(z).square(),
}


@dataclass(frozen=True)
class Name:
    """The name of a group's function.

    Parameters
    ----------
    form : what it is
    constants : those of the form, and the offset d last
    free : which of them training may change
    """

    form: Form
    constants: tuple[float, ...]
    free: tuple[bool, ...]


class SnappedRational(nn.Module):
    """A rational with names for some of its group functions, (..., n_channels) -> (..., n_channels).

    Parameters
    ----------
    rational : the module whose place it takes, copied; None when every group has a name
    n_groups : groups of neighbouring channels
    names : group -> Name
    like : a tensor whose type and device the constants take
    """

    def __init__(self, rational: nn.Module | None, n_groups: int, names: Mapping[int, Name], like: torch.Tensor) -> None:
        super().__init__()
        if rational is None and set(names) != set(range(n_groups)):
            raise NetworkError(f"Without its rational every one of the {n_groups} groups needs a name; named are {sorted(names)}.")
        self.n_groups = n_groups
        self.rational = copy.deepcopy(rational) if len(names) < n_groups else None
        self.records = {group: (name.form.to_json(), tuple(name.free)) for group, name in sorted(names.items())}
        constants = {str(group): nn.Parameter(like.new_tensor(name.constants)) for group, name in sorted(names.items())}
        self.constants = nn.ParameterDict(constants)

    @property
    def names(self) -> dict[int, Name]:
        """The names as they stand, constants as trained."""
        return {group: self.name(group) for group in self.records}

    def name(self, group: int) -> Name:
        """Return the name of one group, constants as trained."""
        record, free = self.records[group]
        return Name(form_from_json(record), tuple(self.constants[str(group)].detach().double().tolist()), free)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.shape[-1] % self.n_groups:
            raise NetworkError(f"{x.shape[-1]} channels are not shared out evenly to {self.n_groups} groups.")
        given = x.chunk(self.n_groups, -1)
        kept = () if self.rational is None else self.rational(x).chunk(self.n_groups, -1)
        return torch.cat([self._value(group, given[group]) if group in self.records else kept[group] for group in range(self.n_groups)], -1)

    def _value(self, group: int, x: torch.Tensor) -> torch.Tensor:
        record, free = self.records[group]
        constants = self.constants[str(group)]
        if not all(free):
            constants = torch.where(torch.tensor(free, device=constants.device), constants, constants.detach())
        return _function(tuple(sorted(record.items())))(x, constants[:-1]) + constants[-1]

    def extra_repr(self) -> str:
        named = ", ".join(f"{group}: {self.name(group).form.name}" for group in self.records)
        return f"{self.n_groups} groups, named {{{named}}}"


@functools.lru_cache(maxsize=256)
def _function(record: tuple[tuple[str, str], ...]) -> Callable[[torch.Tensor, Sequence[torch.Tensor]], torch.Tensor]:
    """Return phi(x, constants) of a form that is given as the items of its JSON."""
    form = form_from_json(dict(record))
    if isinstance(form, PrimitiveForm) and form.name in _IN_ONE_STROKE:
        f = _IN_ONE_STROKE[form.name]
        return lambda x, constants: constants[0] * f(constants[1] * x + constants[2])
    return torch_form(form)
