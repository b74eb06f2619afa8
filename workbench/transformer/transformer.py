"""A transformer fitted to a dataset, as far as it has been named.

    kat = Transformer.fit(data, epochs=40)
    for function in kat.reading.functions:
        print(function.address, function.n_channels, function.text)
    kat = kat.snap(function.address, "gelu")        # a new value; the old one is as it was
    kat = kat.name(function.address)                # the best of its candidates
    kat.predict("new.csv").columns

Every move is data, so that it can be stored and made again: to the same bytes on one machine, with the same versions.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

from workbench.activations import KATReading, open_kat
from workbench.activations.candidates import Address, forms_offered
from workbench.activations.certificate import KATCertificate
from workbench.dataset import Dataset
from workbench.exceptions import DiscoveryError, SnapError
from workbench.figures.functions import function_label
from workbench.networks.kat import KAT
from workbench.table import Source, Table
from workbench.transformer.learning import Watcher, learn, samples_score
from workbench.transformer.lessons import Lessons, lessons_of
from workbench.transformer.prediction import Prediction, predicted
from workbench.transformer.settings import KATSettings

MOST_COMPLEX = 12  # of the forms that functions are named by without being asked
MOVES = ("fit_kat", "snap", "name", "release", "refit")
_JUDGED = 3  # candidates for a name that is chosen by itself
_EPOCHS = 10  # of the training after all names


@dataclass(frozen=True, eq=False)
class Transformer:
    """One state of a transformer.

    Parameters
    ----------
    lessons : data and settings
    module : as it stands; never changed
    opened : as it was trained, before any name
    move : what led here, {"name", "arguments"}
    """

    lessons: Lessons
    module: KAT
    opened: KAT
    move: Mapping[str, Any]

    @classmethod
    def fit(cls, data: Dataset, settings: KATSettings | None = None, *, watch: Watcher | None = None, stop_after: int | None = None, **given: Any) -> Self:
        """Train a transformer on a dataset.

        Parameters
        ----------
        data : rows that fit, judge and test are those of its split
        settings, given : KATSettings, whole or by name
        watch, stop_after : see `learning.learn`
        """
        settings = KATSettings.from_json(given) if settings is None else settings
        lessons = lessons_of(data, settings)
        learned = learn(lessons, watch, stop_after)
        arguments = settings.to_json() | ({} if learned.stop_after is None else {"stop_after": learned.stop_after})
        return cls(lessons, learned.module, learned.module, {"name": "fit_kat", "arguments": arguments})

    # ---- questions

    @property
    def data(self) -> Dataset:
        return self.lessons.data

    @cached_property
    def reading(self) -> KATReading:
        """The model as it is read: functions, candidates, certificate, attention."""
        lessons, form = self.lessons, self.lessons.settings.form
        parts = lessons.training, lessons.validation
        opened = open_kat(self.opened, parts[0].X, parts[0].y, validation=(parts[1].X, parts[1].y), form=form, random_state=lessons.settings.random_state)
        return replace(opened, module=self.module)

    def unnamed(self, address: Address) -> KATReading:
        """Return the reading with a function's own rational in its place: what another name for it is fitted to and judged by."""
        named = next((function.name for function in self.reading.functions if function.address == _address(address)), None)
        return self.reading if named is None else self.reading.release(_address(address))

    def metrics(self) -> dict[str, Any]:
        """Return the figures that the history shows: scores are accuracy or R2, test rows are for reporting only."""
        return dict(self._figures)

    @cached_property
    def _figures(self) -> dict[str, Any]:
        lessons = self.lessons
        train, validation, test = (samples_score(self.module, part) for part in (lessons.training, lessons.validation, lessons.test))
        functions = self.reading.functions
        return {
            "r2_train": train, "r2_validation": validation, "r2_test": test, "n_edges": len(functions),
            "n_symbolic": sum(function.name is not None for function in functions),
            "score": "accuracy" if self.data.task == "classification" else "R²", "model": "kat",
        }  # fmt: skip

    def certificate(self) -> KATCertificate:
        """Return how far the model is from the one that was trained, on training, validation and test rows."""
        return self.reading.certificate({} if self.lessons.test is None else {"test": self.lessons.test})

    def predict(self, table: Table | Source) -> Prediction:
        """Predict every row of a new table."""
        return predicted(self.lessons, self.module, table)

    # ---- moves

    def snap(self, address: Address, form: str, epochs: int = 1) -> Transformer:
        """Give a function a name, or another one, shared by all its channels; the model is trained on a little towards the outputs it had."""
        return self._moved(self.unnamed(address).snap(_address(address), form, epochs), "snap", address=list(address), form=form, epochs=epochs)

    def name(self, address: Address, max_complexity: int = MOST_COMPLEX, top: int = _JUDGED, watch: Callable[[], None] | None = None) -> Transformer:
        """Give a function the best of the names that are simple enough, judged by the whole model."""
        forms = [form for form in forms_offered(None) if form.complexity <= max_complexity]
        if not forms:
            raise SnapError(f"No form has a complexity of at most {max_complexity}.")
        best = self.reading.candidates(_address(address), forms, top, watch)[0]
        return self._moved(self.reading.snap(_address(address), best, 0), "name", address=list(address), max_complexity=max_complexity, top=top)

    def release(self, address: Address) -> Transformer:
        """Give a function its rational back."""
        return self._moved(self.reading.release(_address(address)), "release", address=list(address))

    def refit(self, epochs: int = _EPOCHS) -> Transformer:
        """Train everything on, constants of names included, towards the outputs of the model as it was trained."""
        return self._moved(self.reading.refit(epochs), "refit", epochs=epochs)

    def moved(self, move: Mapping[str, Any]) -> Transformer:
        """Make a move that is given as data."""
        name, arguments = move.get("name"), dict(move.get("arguments", {}))
        if name not in MOVES[1:]:
            raise DiscoveryError(f"There is no move {name!r}. Moves: {', '.join(MOVES[1:])}.")
        try:
            return getattr(self, str(name))(**arguments)
        except TypeError as problem:
            raise DiscoveryError(f"The move {name} cannot be made with {sorted(arguments)}: {problem}.") from None

    def names(self, max_complexity: int = MOST_COMPLEX, watch: Callable[[], None] | None = None) -> Iterator[Transformer]:
        """Name every function that has no name, from the input to the output, and train on at the end; yields after every move."""
        state = self
        for function in self.reading.functions:
            if function.name is None:
                state = state.name(function.address, max_complexity, watch=watch)
                yield state
        yield state.refit()

    @property
    def label(self) -> str:
        """The last move in a few words, for the history."""
        arguments = self.move["arguments"]
        match self.move["name"]:
            case "fit_kat":
                return "train a KAT, stopped" if "stop_after" in arguments else "train a KAT"
            case "refit":
                return "refit"
            case name:
                words = function_label(_address(arguments["address"]))
        named = next((function.name for function in self.reading.functions if function.address == _address(arguments["address"])), None)
        return f"{words} is {named.form.name}" if named is not None and name != "release" else f"release {words}"

    def _moved(self, reading: KATReading, name: str, **arguments: Any) -> Transformer:
        state = Transformer(self.lessons, reading.module, self.opened, {"name": name, "arguments": json.loads(json.dumps(arguments))})
        state.__dict__["reading"] = reading  # what it has looked at already is not looked at again
        return state

    # ---- files

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the transformer with its data to a `.kanwb` file, which opens in the app."""
        from workbench.transformer.storage import save

        save(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Transformer:
        """Read the transformer that a `.kanwb` file stands at."""
        from workbench.transformer.storage import load

        return load(path)


def _address(given: Any) -> Address:
    path, group = given
    return str(path), int(group)
