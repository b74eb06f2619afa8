"""Opening a torch module with rational activations, whoever wrote it and wherever it was trained."""

from __future__ import annotations

import copy

import torch
from torch import nn

from workbench.activations.reading import KATReading, Rows, tensor
from workbench.activations.received import received
from workbench.activations.recognition import form_of, rationals
from workbench.exceptions import NetworkError, TrainingError
from workbench.training.adam import Samples

_PROVEN_ON = 256  # rows
_HELD_BACK = 5  # one row of so many judges names where no validation rows are given


def open_kat(
    module: nn.Module, X: Rows, y: Rows, *, validation: tuple[Rows, Rows] | None = None, form: str | None = None, random_state: int = 0
) -> KATReading:
    """Open a torch module to read its activations; the module itself never changes.

    Parameters
    ----------
    module : takes X and gives outputs (n_rows, n_outputs); its rationals are recognised by their coefficients (activations.recognition)
    X : (n_rows, ...)     as the module takes it
    y : (n_rows,) whole numbers, the classes of a classification by logits; or numbers (n_rows,) or (n_rows, n_outputs)
    validation : rows that judge names; a fifth of the rows given when left out
    form : of the rationals' denominators; found on these rows when left out, and proven on them when told
    random_state : seed of every training that follows

    Raises
    ------
    NetworkError : no rational in it, or one that does not compute the form that was told
    """
    module = copy.deepcopy(module).eval()
    places = rationals(module)
    if not places:
        raise NetworkError(
            f"open_kat({type(module).__name__}): it holds no rational activation. One is recognised by the attributes weight_numerator (1 or n_groups, m + 1) "
            "and weight_denominator (n_groups, n), or numerator (m + 1,) and denominator (n,)."
        )
    samples = _samples(module, X, y)
    if validation is None:
        index = torch.randperm(len(samples), generator=torch.Generator().manual_seed(random_state))
        held = index[: max(1, len(index) // _HELD_BACK)].sort().values
        kept = index[len(held) :].sort().values
        samples, judges = samples.rows(kept), samples.rows(held)
    else:
        judges = _samples(module, *validation)
    forms, looked_at = {}, received(module, places, samples.X[:_PROVEN_ON])
    for place in places:
        if place.unnamed:
            found = looked_at[place.path]
            forms[place.path] = form_of(place, [group.x for group in found], [group.y for group in found], form)
    return KATReading(module, module, samples, judges, forms, random_state)


def _samples(module: nn.Module, X: Rows, y: Rows) -> Samples:
    """Return rows as tensors of the module's own type, and the loss that fits y."""
    own = next(module.parameters())
    X, y = tensor(X), tensor(y)
    if len(X) != len(y) or len(X) < 2:
        raise TrainingError(f"open_kat takes as many rows of y as of X, two at least; got {len(y)} and {len(X)}.")
    X = X.to(own.device, own.dtype if X.is_floating_point() else X.dtype)
    with torch.no_grad():
        outputs = module(X[:2])
    if not isinstance(outputs, torch.Tensor) or outputs.dim() != 2:
        what = tuple(outputs.shape) if isinstance(outputs, torch.Tensor) else type(outputs).__name__
        raise TrainingError(f"open_kat: the module has to give a tensor (n_rows, n_outputs); on two rows it gave {what}. Wrap it in one that picks what to read.")
    classes = not y.is_floating_point() and y.dim() == 1
    if classes and 0 <= int(y.min()) and int(y.max()) < outputs.shape[1]:
        return Samples(X, y.to(own.device).long(), "cross_entropy")
    y = y.to(own.device, own.dtype).reshape(len(y), -1)
    if outputs.shape[1:] != y.shape[1:]:
        raise TrainingError(
            f"open_kat: the module gives {tuple(outputs.shape[1:])} numbers per row, y has {tuple(y.shape[1:])}. For classes y holds whole numbers from 0 "
            "to below the number of outputs."
        )
    return Samples(X, y, "squared")
