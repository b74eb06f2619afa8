"""The tasks behind the pages of a transformer: each opens a project of the store, makes one move or answers one question.

Arguments always hold `workspace` (the folder of the store) and `project`; `state` names the state to start from (the one looked at, when
left out). A move returns {"state": its number}.

    made here      fit, move, name_all                append states to the project's history
    asked here     open, inspect, deepen, attention   about a state; answers are kept, a state never changes
                   described, export, predict         what the page Export shows and gives away

torch is imported with this module, in a worker and nowhere else.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np

from workbench.activations import KATCandidate, KATReading
from workbench.activations.candidates import Address
from workbench.exceptions import SnapError
from workbench.figures.functions import functions_drawing
from workbench.jobs import Result
from workbench.training.adam import Samples
from workbench.transformer import Transformer
from workbench.transformer.learning import Progress
from workbench.transformer.transformer import MOST_COMPLEX
from workbench.worker import kat_exporting
from workbench.worker.context import Context
from workbench.worker.exporting import as_file
from workbench.worker.kat_desk import KATDesk, settings_of
from workbench.worker.kat_inspection import attended, inspected
from workbench.worker.registry import Arguments, Arrays, task

_FRAME_EVERY = 0.25  # seconds between frames of a training
_SHARE = 0.25  # of the time, at most, that goes into them
_FRAME_ROWS = 256
_KEPT = 48  # answers

_answers: OrderedDict[Hashable, Any] = OrderedDict()


# ---------------------------------------------------------------------------------------------------- moves


@task("kat.fit")
def fit(arguments: Arguments, arrays: Arrays, context: Context) -> object:
    """Train a transformer. Arguments: `settings` (transformer.KATSettings). Frames of its functions go out as it learns.

    It can be paused and stepped by epochs; asked to finish, it keeps the model it has, as a move that says after how many epochs.
    """
    desk = KATDesk(arguments)
    number, data = desk.data()
    state = Transformer.fit(data, settings_of(arguments), watch=_Watch(context))
    return {"state": desk.keep(state, desk.parent, number)}


class _Watch:
    """Shows a training to the page, and rests where a person wants a pause."""

    def __init__(self, context: Context) -> None:
        self._context, self._next = context, float("-inf")

    def __call__(self, progress: Progress) -> bool:
        if time.monotonic() >= self._next or progress.epoch == progress.n_epochs:
            self._show(progress)
        return self._context.rest(progress.epoch, lambda: self._show(progress))

    def _show(self, progress: Progress) -> None:
        began = time.monotonic()
        name = "accuracy" if progress.lessons.validation.loss == "cross_entropy" else "R²"
        score = progress.score()
        shown = f"{100 * score:.1f} %" if name == "accuracy" else f"{score:.3f}"
        frame = {**functions_drawing(_looked_at(progress)), "step": progress.epoch, "rmse": progress.loss, "score": score}
        self._context.progress(progress.fraction, f"epoch {progress.epoch} of {progress.n_epochs} · held-out {name} {shown}", frame)
        self._next = max(began + _FRAME_EVERY, began + (time.monotonic() - began) / _SHARE)


def _looked_at(progress: Progress) -> KATReading:
    """Return a model on the way as it is read, on few rows."""
    lessons = progress.lessons
    rows = slice(None, None, max(1, len(lessons.training) // _FRAME_ROWS))
    some = Samples(lessons.training.X[rows], lessons.training.y[rows], lessons.training.loss)
    reading = KATReading(progress.module, progress.module, some, some, {})
    return KATReading(progress.module, progress.module, some, some, dict.fromkeys(reading.places, lessons.settings.form))


@task("kat.move")
def move(arguments: Arguments, arrays: Arrays, context: Context) -> object:
    """Make one move. Arguments: `move` {"name", "arguments"}, a function by its `function`; a snap without `form` takes the best one."""
    desk = KATDesk(arguments)
    wanted = cast("Mapping[str, Any]", arguments["move"])
    name, given = str(wanted["name"]), dict(wanted.get("arguments", {}))
    context.progress(0.1, name)
    if "function" in given:
        given["address"] = desk.address(given.pop("function"))
    if name == "snap" and given.get("form") is None:
        given["form"] = _ranked(desk, desk.state.unnamed(given["address"]), given["address"], (), context.check)[0].name.form.name
    state = desk.state.moved({"name": name, "arguments": given})
    context.check()
    return {"state": desk.keep(state, desk.parent)}


@task("kat.name_all")
def name_all(arguments: Arguments, arrays: Arrays, context: Context) -> object:
    """Name every function that has none, then train on a little. Arguments: `max_complexity` of a form. Every name is a move of its own."""
    desk = KATDesk(arguments)
    parent = desk.parent
    left = sum(function.name is None for function in desk.state.reading.functions)
    limit = int(cast("int", arguments.get("max_complexity", MOST_COMPLEX)))
    context.progress(0.0, f"{left} functions to name")
    for count, state in enumerate(desk.state.names(limit, context.check), start=1):
        parent = desk.keep(state, parent)
        context.progress(count / (left + 1), state.label, {"state": parent})
    return {"state": parent}


# ---------------------------------------------------------------------------------------------------- questions


def _kept(key: Hashable, make: Callable[[], Any]) -> Any:
    if key not in _answers:
        _answers[key] = make()
        if len(_answers) > _KEPT:
            _answers.popitem(last=False)
    _answers.move_to_end(key)
    return _answers[key]


def _ranked(desk: KATDesk, reading: KATReading, address: Address, own: Sequence[str], watch: Callable[[], None]) -> tuple[KATCandidate, ...]:
    """Return the forms for a function that has no name in a reading, best first, and a person's own among them by what they do to the outputs."""
    key = (desk.workspace, desk.project, desk.parent, address)

    def asked(forms: tuple[str, ...] | None = None) -> tuple[KATCandidate, ...]:
        return _light(reading.candidates(address, forms, watch=watch))

    ranked = _kept((*key, "ranked"), asked)
    for text in own:
        choice = _kept((*key, f"own {text}"), lambda text=text: asked((text,)))[0]
        if all(choice.name.form.name != other.name.form.name for other in ranked):
            worse = (k for k, other in enumerate(ranked) if other.difference is None or other.difference > cast("float", choice.difference))
            place = next(worse, len(ranked))
            ranked = (*ranked[:place], choice, *ranked[place:])
    return ranked


def _light(candidates: Sequence[KATCandidate]) -> tuple[KATCandidate, ...]:
    """Return candidates without their models: they are kept for long, and snapped to by name."""
    return tuple(replace(candidate, module=None) for candidate in candidates)


@task("kat.open")
def open_project(arguments: Arguments, arrays: Arrays, context: Context) -> None:
    """Lay a transformer out, so that the first click finds it on the desk; before there is one, torch alone is at hand then."""
    desk = KATDesk(arguments)
    if desk.has_transformer:
        reading = desk.state.reading
        reading.received(reading.functions[0].address)


@task("kat.inspect")
def inspect_function(arguments: Arguments, arrays: Arrays, context: Context) -> object:
    """Describe a function. Arguments: `function` "place.group"; `own`, forms that a person typed.

    While the forms are judged, payloads {"inspection": ...} tell what is known already: the curve at once, then every form as a preview.
    """
    desk = KATDesk(arguments)
    address, own = desk.address(arguments["function"]), [str(text) for text in cast("list[str]", arguments.get("own", []))]
    state = desk.state
    reading = state.unnamed(address)
    try:
        if (desk.workspace, desk.project, desk.parent, address, "ranked") not in _answers:
            context.progress(0.1, "the curve", {"inspection": inspected(state, address)})
            context.check()
            context.progress(0.3, "forms fitted to the curve", {"inspection": inspected(state, address, reading.previews(address))})
        return inspected(state, address, _ranked(desk, reading, address, own, context.check))
    except SnapError as problem:
        return inspected(state, address) | {"message": str(problem)}


@task("kat.deepen")
def deepen(arguments: Arguments, arrays: Arrays, context: Context) -> object:
    """Train the whole model a little with every form in a function's place. Arguments: `function`, `own`."""
    desk = KATDesk(arguments)
    address, own = desk.address(arguments["function"]), [str(text) for text in cast("list[str]", arguments.get("own", []))]
    reading = desk.state.unnamed(address)
    total = len(reading.previews(address)) + 1
    judged = iter(range(total + len(own)))

    def watch() -> None:
        context.check()
        context.progress(min(1.0, next(judged, total) / total), "training the model with every form")

    ranked = _light(reading.candidates(address, top=total, watch=watch))
    _answers[(desk.workspace, desk.project, desk.parent, address, "ranked")] = ranked
    return inspected(desk.state, address, _ranked(desk, reading, address, own, watch))


@task("kat.attention")
def attention(arguments: Arguments, arrays: Arrays, context: Context) -> object:
    """Describe the attention to a validation row. Arguments: `row`, its number among them, or None."""
    desk, row = KATDesk(arguments), cast("int | None", arguments.get("row"))
    return _kept((desk.workspace, desk.project, desk.parent, "attention", row), lambda: attended(desk.state, row))


# ---------------------------------------------------------------------------------------------------- what leaves the workbench


@task("kat.described")
def described(arguments: Arguments, arrays: Arrays, context: Context) -> object:
    """Describe a state for the page Export: certificate, functions, scores, script."""
    desk = KATDesk(arguments)
    return kat_exporting.described(desk.state, desk.path(), desk.store.projects.get(desk.project).name)


@task("kat.export")
def export(arguments: Arguments, arrays: Arrays, context: Context) -> object:
    """Write an export. Arguments: `target` (see `kat_exporting.written`). Returns name, MIME type, content in base64."""
    desk = KATDesk(arguments)
    written = kat_exporting.written(desk.state, str(arguments["target"]), desk.path(), desk.store.projects.get(desk.project).name)
    return as_file(written.name, written.mime, written.content)


@task("kat.predict")
def predict(arguments: Arguments, arrays: Arrays, context: Context) -> Result:
    """Predict the rows of a table, given as `table.read` returned it: argument `table`; returns a CSV file as bytes."""
    from workbench.table import table_of_arrays

    table = table_of_arrays(cast("Mapping[str, Any]", arguments["table"]), arrays)
    predicted = kat_exporting.predicted(KATDesk(arguments).state, table)
    return Result(predicted.about, {"csv": np.frombuffer(predicted.csv, dtype=np.uint8)})
