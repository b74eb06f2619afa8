"""A reading of a transformer: its activation functions looked at, named, and the model with those names handed back.

    reading = open_kat(module, X, y)                   # ours, or anybody's torch module with rational activations
    for function in reading.functions:
        print(function.address, function.n_channels, function.text)
    reading.candidates(function.address)               # a question: nothing changes
    reading = reading.snap(function.address, "gelu")   # a move: a new reading, the old one is as it was
    reading.certificate({"test": (X_test, y_test)}).text
    reading.to_torch()                                 # a plain torch module

A state is frozen: undo is to go on with an older one. What follows a name is trained towards the outputs of the model that was opened, not towards
the targets: a name is to change as little as it can, and no loss needs to be known. Names are judged by the same outputs on validation rows;
test rows are for the certificate only.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from torch import nn

from workbench.activations import candidates as naming
from workbench.activations.attention import attention_maps
from workbench.activations.candidates import Address, Judged, KATCandidate, text_of
from workbench.activations.certificate import KATCertificate, compared, score
from workbench.activations.received import Received, received
from workbench.activations.recognition import Rational, rationals, replaced
from workbench.exceptions import SnapError, UnknownEdgeError
from workbench.networks.kat.snapped import Name, SnappedRational
from workbench.ops.starts import evaluate
from workbench.primitives import Form
from workbench.snapping.edge_fit import EdgeFit
from workbench.training.adam import AdamConfig, Samples, outputs_of, trained

Rows = np.ndarray | torch.Tensor

_LOOKED_AT = 2000  # rows a function's density is taken from
_JUDGED = 1024  # rows a candidate is trained on, once each
_RATE = 1e-3


@dataclass(frozen=True, eq=False)
class GroupFunction:
    """One activation function as it stands.

    Parameters
    ----------
    address : (path of the activation, group)
    n_channels : how many channels share it, and with it a name
    name : None for a rational
    text : a formula in x, or which rational it is
    """

    address: Address
    n_channels: int
    name: Name | None
    text: str


@dataclass(frozen=True, eq=False)
class KATReading:
    """A transformer as far as it has been named.

    Parameters
    ----------
    module : the model as it stands; never changed, and not to be changed
    opened : the model as it was opened
    training, validation : rows to train on, and to judge names on
    forms : path -> form of the denominator, as proven on data
    random_state : seed of every training
    moves : what was done, in words
    """

    module: nn.Module
    opened: nn.Module
    training: Samples
    validation: Samples
    forms: Mapping[str, str]
    random_state: int = 0
    moves: tuple[str, ...] = ()

    # ------------------------------------------------------------------------------------------------------- questions

    @cached_property
    def places(self) -> dict[str, Rational]:
        """Path -> place of a rational, or of what took its place."""
        return {place.path: place for place in rationals(self.module)}

    @cached_property
    def _received(self) -> dict[str, tuple[Received, ...]]:
        return received(self.module, tuple(self.places.values()), _evenly(self.training, _LOOKED_AT).X)

    @cached_property
    def functions(self) -> tuple[GroupFunction, ...]:
        """Every activation function, from the input to the output."""
        return tuple(self._function(path, group) for path, place in self.places.items() for group in range(place.n_groups))

    @cached_property
    def _taught(self) -> Samples:
        """The training rows with the outputs of the opened model as targets."""
        return replace(self.training, y=outputs_of(self.opened, self.training.X), loss="squared")

    @cached_property
    def _expected(self) -> tuple[torch.Tensor, float]:
        """Outputs of the opened model on the validation rows, and the mean of their variances."""
        outputs = outputs_of(self.opened, self.validation.X)
        return outputs, float(self._taught.y.double().var(0, correction=0).mean()) or 1.0

    @cached_property
    def _fits(self) -> dict[tuple[Address, tuple[str, ...]], list[EdgeFit]]:
        return {}

    def _fitted(self, address: Address, forms: Sequence[Form]) -> list[EdgeFit]:
        """Return forms fitted to a function, closest first; what was fitted once is not fitted again."""
        key = address, tuple(form.name for form in forms)
        if key not in self._fits:
            self._fits[key] = naming.fitted(self.received(address), forms)
        return self._fits[key]

    def received(self, address: Address) -> Received:
        """Return what a function received on the training rows, with its density, and what it gave."""
        path, group = self._known(address)
        return self._received[path][group]

    def curve(self, address: Address, n_points: int = 201) -> tuple[np.ndarray, np.ndarray]:
        """Return a function as it stands on even places between the ends of what it received: x and y, (n_points,) each."""
        path, group = self._known(address)
        seen, place = self._received[path][group], self.places[path]
        x = np.linspace(seen.low, seen.high, n_points)
        if group in place.unnamed:
            a, b = place.coefficients
            return x, evaluate(x, a[group], b[group], self.forms[path])
        name = place.module.name(group)
        return x, name.form.evaluate(x, name.constants[:-1])[0] + name.constants[-1]

    def previews(self, address: Address, forms: Iterable[Form | str] | None = None) -> tuple[KATCandidate, ...]:
        """Return the forms a function could have by how well they follow its curve, closest first; none is judged by the whole."""
        return tuple(naming.previews(address, self._fitted(address, naming.forms_offered(forms))))

    def candidates(
        self, address: Address, forms: Iterable[Form | str] | None = None, top: int = 6, watch: Callable[[], None] | None = None
    ) -> tuple[KATCandidate, ...]:
        """Rank the forms a function could have, best first; those behind the first `top` are previews that were not judged by the whole.

        Parameters
        ----------
        address : (path, group)
        forms : forms, names or formulas in x; all that are defined everywhere when left out
        top : how many are judged by training the whole model a little
        watch : called before each is judged; what it raises ends the question
        """
        function, offered = self.received(address), naming.forms_offered(forms)
        fits = self._fitted(address, offered)
        if not fits:
            raise SnapError(f"candidates({address}): none of {', '.join(form.name for form in offered)} can follow this function's curve.")

        def judge(name: Name | None) -> Judged:
            if watch is not None:
                watch()
            return self._judged(address, name)

        return naming.ranked(address, function, fits, judge, min(top, len(fits)))

    def certificate(self, samples: Mapping[str, Samples | tuple] | None = None) -> KATCertificate:
        """Compare the model as it stands with the one that was opened, on training and validation rows and on others, such as {"test": (X, y)}."""
        given = {name: part if isinstance(part, Samples) else self.samples(*part) for name, part in (samples or {}).items()}
        parts = {"train": self.training, "validation": self.validation, **given}
        n_named = sum(function.name is not None for function in self.functions)
        return KATCertificate(len(self.functions), n_named, {name: compared(self.opened, self.module, part) for name, part in parts.items()})

    def attention(self, X: Rows) -> dict[str, np.ndarray]:
        """Return the attention maps on rows, path of the attention part -> (n_rows, n_heads, n_tokens, n_tokens)."""
        return attention_maps(self.module, _like(self.training.X, X))

    def samples(self, X: Rows, y: Rows) -> Samples:
        """Return rows as this model takes them."""
        return replace(self.training, X=_like(self.training.X, X), y=_like(self.training.y, y).reshape(-1, *self.training.y.shape[1:]), weights=None)

    def to_torch(self) -> nn.Module:
        """Return the model as it stands as a torch module of its own, in the mode for use."""
        return copy.deepcopy(self.module).eval()

    # ----------------------------------------------------------------------------------------------------------- moves

    def snap(self, address: Address, form: Form | str | KATCandidate, epochs: int = 1) -> KATReading:
        """Return the reading with a name for one function, shared by all its channels, the whole model trained on a little.

        Parameters
        ----------
        address : (path, group)
        form : a form, the name of a primitive, a formula in x, or one of the function's candidates
        epochs : of the training that follows; 0 leaves every other parameter as it is
        """
        path, group = self._known(address)
        if not isinstance(form, KATCandidate):
            form = self._preview(address, form)
        module = form.module if form.module is not None else self._named(address, form.name)
        n_channels = self._received[path][group].n_channels
        move = f"{path}[{group}] is {form.name.form.name}, on {n_channels} channels"
        return replace(self, module=module, moves=(*self.moves, move)).refit(epochs)

    def release(self, address: Address) -> KATReading:
        """Return the reading with a rational for a function again: as trained with those of its groups that have no name, else as it was opened."""
        path, group = self._known(address)
        place = self.places[path]
        if not isinstance(place.module, SnappedRational) or group not in place.module.records:
            raise SnapError(f"release({address}): this function has no name; there is nothing to release.")
        names = {other: name for other, name in place.module.names.items() if other != group}
        opened = Rational(path, self.opened.get_submodule(path), place.n_groups)
        if group not in opened.unnamed:
            raise SnapError(f"release({address}): this function had a name when the model was opened; there is no rational to go back to.")
        rational = place.rational if place.rational is not None else opened.rational
        new = SnappedRational(rational, place.n_groups, names, next(place.module.constants.parameters())) if names else copy.deepcopy(rational)
        return replace(self, module=replaced(self.module, place, new), moves=(*self.moves, f"{path}[{group}] is a rational again"))

    def refit(self, epochs: int = 5, rate: float = _RATE) -> KATReading:
        """Return the reading after training everything, constants of names included, towards the outputs of the opened model."""
        if epochs == 0:
            return self
        config = AdamConfig(epochs, rate=rate, weight_decay=0.0)
        module = trained(self.module, self._taught, config, _seeded(self.random_state))
        return replace(self, module=module, moves=(*self.moves, f"{epochs} epochs of training"))

    def snaps(self, max_complexity: int = 12, top: int = 3) -> Iterator[KATReading]:
        """Name every function that has no name yet, from the input to the output, each by the best of its candidates; yields after every one."""
        reading = self
        for function in self.functions:
            if function.name is None:
                forms = [form for form in naming.forms_offered(None) if form.complexity <= max_complexity]
                best = reading.candidates(function.address, forms, top)[0]
                reading = reading.snap(function.address, best, epochs=0)
                yield reading

    def snap_all(self, max_complexity: int = 12, top: int = 3, epochs: int = 10) -> KATReading:
        """Return the reading with a name for every function, trained for some epochs at the end."""
        *_, last = self, *self.snaps(max_complexity, top)
        return last.refit(epochs)

    # --------------------------------------------------------------------------------------------------------- private

    def _known(self, address: Address) -> Address:
        path, group = address
        if path not in self.places or group not in range(self.places[path].n_groups):
            known = ", ".join(f"({name!r}, 0 to {place.n_groups - 1})" for name, place in self.places.items())
            raise UnknownEdgeError(f"{address}: there is no such activation function. There are: {known}.")
        return path, group

    def _function(self, path: str, group: int) -> GroupFunction:
        place, n_channels = self.places[path], self._received[path][group].n_channels
        named = place.module.names if isinstance(place.module, SnappedRational) else {}
        if group in named:
            return GroupFunction((path, group), n_channels, named[group], text_of(named[group]))
        a, b = place.coefficients
        return GroupFunction((path, group), n_channels, None, f"rational of degrees ({a.shape[1] - 1}, {b.shape[1]}), {self.forms[path]}")

    def _named(self, address: Address, name: Name) -> nn.Module:
        """Return a copy of the model with a name in a function's place."""
        path, group = address
        place = self.places[path]
        like = next(iter(place.module.parameters()))
        names = place.module.names if isinstance(place.module, SnappedRational) else {}
        return replaced(self.module, place, SnappedRational(place.rational, place.n_groups, {**names, group: name}, like))

    def _preview(self, address: Address, form: Form | str) -> KATCandidate:
        """Return a form fitted to one function, not judged."""
        (wanted,) = naming.forms_offered([form])
        fits = self._fitted(address, [wanted])
        if not fits:
            raise SnapError(
                f"snap({address}, {wanted.name!r}): the form could follow this function's curve only as an imitation of another, with constants that cancel "
                "beyond the digits of float32. Ask for its candidates."
            )
        return KATCandidate(address, naming.name_of(fits[0]), fits[0].r2, wanted.complexity)

    def _judged(self, address: Address, name: Name | None) -> Judged:
        """Train the model a little, with a name in a function's place or without, and look at the validation rows."""
        module = self.module if name is None else self._named(address, name)
        config = AdamConfig(1, rate=_RATE, weight_decay=0.0)
        module = trained(module, _evenly(self._taught, _JUDGED), config, _seeded(self.random_state))
        outputs, (expected, variance) = outputs_of(module, self.validation.X), self._expected
        errors = (outputs.double() - expected.double()).square().mean(1) / variance
        return Judged(module, errors.cpu().numpy(), score(outputs, self.validation))


def _evenly(samples: Samples, count: int) -> Samples:
    """Return an even choice of rows."""
    n_rows = len(samples)
    return samples if n_rows <= count else samples.rows(torch.linspace(0, n_rows - 1, count).round().long())


def tensor(given: Rows) -> torch.Tensor:
    """Return rows as a tensor; arrays are copied, for they may be read-only."""
    return given if isinstance(given, torch.Tensor) else torch.tensor(np.asarray(given))


def _like(own: torch.Tensor, given: Rows) -> torch.Tensor:
    """Return rows of the type and device of those a model was opened with."""
    return tensor(given).to(own)


def _seeded(random_state: int) -> torch.Generator:
    return torch.Generator().manual_seed(random_state)
