"""Finding the rational activations of a torch module, whoever wrote it.

A rational is a module that holds coefficients under one of the pairs of names that published libraries use:

    weight_numerator (1 or n_groups, m + 1), weight_denominator (n_groups, n)      KAT and its kernels, FlashKAT, this package
    numerator (m + 1,), denominator (n,)                                           rational_activations: one function for all channels

What it computes depends on the form of its denominator, which no checkpoint names. So the form that a person tells, or every form that
there is, is held against what the module really gave on data: a name read from the wrong formula would be worse than none.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from workbench.exceptions import NetworkError
from workbench.networks.kat.snapped import SnappedRational
from workbench.ops.rational import FORMS, check_form
from workbench.ops.starts import evaluate

_PAIRS = (("weight_numerator", "weight_denominator"), ("numerator", "denominator"))


@dataclass(frozen=True, eq=False)
class Rational:
    """A place in a module where a rational stands, or what took its place.

    Parameters
    ----------
    path : as in `module.named_modules()`
    module : the rational, or the SnappedRational in its place
    n_groups : groups of neighbouring channels with a function each
    """

    path: str
    module: nn.Module
    n_groups: int

    @property
    def rational(self) -> nn.Module | None:
        """The rational itself; None where nothing is left of it."""
        return self.module.rational if isinstance(self.module, SnappedRational) else self.module

    @property
    def unnamed(self) -> tuple[int, ...]:
        """The groups whose function is a rational."""
        named = self.module.records if isinstance(self.module, SnappedRational) else ()
        return tuple(group for group in range(self.n_groups) if group not in named)

    @property
    def coefficients(self) -> tuple[np.ndarray, np.ndarray]:
        """Numerators (n_groups, m + 1) and denominators (n_groups, n)."""
        a, b = (np.atleast_2d(values.detach().double().cpu().numpy()) for values in _pair(self.rational))
        return np.broadcast_to(a, (self.n_groups, a.shape[1])), b


def rationals(module: nn.Module) -> tuple[Rational, ...]:
    """Return every place of a rational, in the order of `named_modules`; a module that stands in two places is named once."""
    found = {}
    for place in _found(module, ""):
        found.setdefault(id(place.module), place)
    return tuple(found.values())


def replaced(module: nn.Module, place: Rational, new: nn.Module) -> nn.Module:
    """Return a copy of a module with something new wherever the rational of a place stood; the module given stays as it is."""
    if module is place.module:
        return new
    changed = copy.deepcopy(module)
    old = changed.get_submodule(place.path)
    for parent in changed.modules():
        for name, child in parent.named_children():
            if child is old:
                setattr(parent, name, new)
    return changed


def _found(module: nn.Module, path: str) -> Iterator[Rational]:
    if isinstance(module, SnappedRational):
        yield Rational(path, module, module.n_groups)
        return
    pair = _pair(module)
    if pair is not None:
        yield Rational(path, module, pair[1].shape[0] if pair[1].dim() == 2 else 1)
        return
    for name, child in module.named_children():
        yield from _found(child, f"{path}.{name}" if path else name)


def _pair(module: nn.Module) -> tuple[torch.Tensor, torch.Tensor] | None:
    """Return numerator and denominator of a rational, None for any other module."""
    for names in _PAIRS:
        a, b = (getattr(module, name, None) for name in names)
        if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor) and _fits(tuple(a.shape), tuple(b.shape)):
            return a, b
    return None


def _fits(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    return (len(a) == len(b) == 1) or (len(a) == len(b) == 2 and a[0] in (1, b[0]))


def form_of(rational: Rational, x: Sequence[np.ndarray], y: Sequence[np.ndarray], told: str | None) -> str:
    """Return the form of a rational's denominator, proven on what it received and gave.

    Parameters
    ----------
    rational : with a group at least that has no name
    x, y : for every group (n_points,)     what it received and gave
    told : the form that a person says it has, or None to find it

    Raises
    ------
    NetworkError : the outputs are not those of the form that was told, or of any form
    """
    if told is not None:
        check_form(told)
    own = getattr(rational.rational, "form", None)
    order = [form for form in (told, own) if form in FORMS] or list(FORMS)
    distances = {form: _distance(rational, x, y, form) for form in FORMS}
    resolution = float(torch.finfo(_pair(rational.rational)[0].dtype).eps) ** 0.5
    for form in order:
        if distances[form] <= resolution:
            return form
    nearest = min(distances, key=distances.__getitem__)
    if distances[nearest] <= resolution:
        raise NetworkError(
            f"open_kat(form={told!r}): what {rational.path!r} gave on these rows differs from that form by {distances[order[0]]:.2g} of its values; "
            f"it is {nearest!r}. Say form={nearest!r}, or leave it out."
        )
    raise NetworkError(
        f"open_kat: {rational.path!r} ({type(rational.rational).__name__}) has the coefficients of a rational but computes none of the forms "
        f"{', '.join(FORMS)}: the nearest, {nearest!r}, differs by {distances[nearest]:.2g} of its values. The published KAT kernels compute another "
        "function on a CPU than on a GPU: a checkpoint of theirs is opened as networks.kat.KAT, which takes its state_dict as it is."
    )


def _distance(rational: Rational, x: Sequence[np.ndarray], y: Sequence[np.ndarray], form: str) -> float:
    """Return the largest difference of a form's values to what was given, in units of the largest value given."""
    a, b = rational.coefficients
    formula = np.concatenate([evaluate(x[group], a[group], b[group], form) for group in rational.unnamed])
    given = np.concatenate([y[group] for group in rational.unnamed])
    return float(np.abs(formula - given).max() / max(np.abs(given).max(), 1e-300))
