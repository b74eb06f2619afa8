"""The tasks behind the workbench and export pages: each opens a project of the store, makes one move or answers one question.

Arguments always hold `workspace` (the folder of the store) and `project`; `state` names the state to start from (the one looked at, when
left out). A move returns {"state": its number}. The page then only reads the store: everything it draws lies there as JSON.

    made here      fit, refit, move, suppose, extend, hall_of_fame, auto, search, name_edges    append states to the project's history
    asked here     inspect, deepen, compare, pruning_curve      about a state; answers are kept, a state never changes
                   formula, export, script, predict    what the page Export shows and gives away
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, cast

import numpy as np
import scipy.optimize  # noqa: F401  typed forms need it: it is imported with the worker, not at the first one typed

from workbench.discovery import Discovery, discover, naming
from workbench.discovery.autopilot.findings import Finding
from workbench.discovery.autopilot.proposals import adopted
from workbench.discovery.choices import Choice
from workbench.discovery.continuation import searched_on
from workbench.discovery.deeper import search_edge
from workbench.discovery.hall_of_fame import aliases
from workbench.discovery.inspection import inspect, placed, previews, shares
from workbench.exceptions import DiscoveryError, JobCancelled, SnapError, TrainingError
from workbench.export import write_export
from workbench.figures.drawing import drawing
from workbench.figures.svg import network_svg
from workbench.jobs import Result
from workbench.networks import LEARNED, Edge
from workbench.primitives import LIBRARY
from workbench.search.engines import TITLES
from workbench.worker import exporting
from workbench.worker.context import Context
from workbench.worker.desk import Desk
from workbench.worker.lines import compared
from workbench.worker.live import Live
from workbench.worker.recorder import Recorder
from workbench.worker.registry import Arguments, Arrays, task

_MOVES = ("prune", "eliminate", "snap", "release", "lock", "unlock")
_FURTHER = 100  # iterations that a network is trained further, unless they are given
_KEPT = 64  # answers
_DEEPER = 8.0  # seconds that the engines look for a form of one edge

_answers: OrderedDict[Hashable, Any] = OrderedDict()


# ---------------------------------------------------------------------------------------------------- moves


@task("discovery.fit")
def fit(arguments: Arguments, arrays: Arrays, context: Context) -> object:
    """Fit a new network. Arguments: `settings` of training.FitConfig. Frames of the drawing go out as it learns, at most ten a second.

    It can be paused and stepped; asked to finish, it keeps the best network it has reached, as a move that says after how many iterations.
    """
    desk = Desk(arguments, fresh=bool(arguments.get("fresh", True)))
    found = desk.found.leave()
    found.fit(watch=Live(found, context), **dict(cast("Mapping[str, Any]", arguments.get("settings", {}))))
    return {"state": desk.keep(found.state, desk.parent)}


@task("discovery.refit")
def refit(arguments: Arguments, arrays: Arrays, context: Context) -> object:
    """Train the present network further from where it stands. Arguments: `max_iter`. Drawn, paused, stepped and finished as a fit is."""
    desk = Desk(arguments)
    desk.found.refit(int(cast("int", arguments.get("max_iter", _FURTHER))), watch=Live(desk.found, context))
    return {"state": desk.keep(desk.found.state, desk.parent)}


@task("discovery.move")
def move(arguments: Arguments, arrays: Arrays, context: Context) -> object:
    """Make one move. Arguments: `move` {"name", "arguments"}; a snap without `form` takes the best one, as `candidates` ranks them."""
    wanted = cast("Mapping[str, Any]", arguments["move"])
    name, given = str(wanted["name"]), dict(wanted.get("arguments", {}))
    if name not in _MOVES:
        raise DiscoveryError(f"There is no move {name!r}. Moves: {', '.join(_MOVES)}.")
    desk = Desk(arguments)
    context.progress(0.1, name)
    if name == "snap" and given.get("form") is None:
        given["form"] = _best_form(desk, desk.edge(given["edge"]))
    getattr(desk.found, name)(**given)
    context.check()
    return {"state": desk.keep(desk.found.state, desk.parent)}


def _best_form(desk: Desk, edge: Edge) -> str:
    choice = next((choice for choice in _ranked(desk, edge) if choice.refitted), None)
    if choice is None:
        raise SnapError(f"No form of the library can stand on edge {edge}. Type one of your own, such as a*exp(-b*x)+c.")
    return choice.name


@task("discovery.suppose")
def suppose(arguments: Arguments, arrays: Arrays, context: Context) -> object:
    """Make a network of a formula that a person supposes. Arguments: `formula`."""
    desk = Desk(arguments, fresh=True)
    context.progress(0.1, "fitting its constants")
    desk.found.leave().suppose(str(arguments["formula"]))
    context.check()
    return {"state": desk.keep(desk.found.state, desk.parent)}


@task("discovery.extend")
def extend(arguments: Arguments, arrays: Arrays, context: Context) -> object:
    """Fit what the present formula misses, on top of it. Drawn, paused, stepped and finished as a fit is."""
    desk = Desk(arguments)
    desk.found.extend(watch=Live(desk.found, context), **dict(cast("Mapping[str, Any]", arguments.get("settings", {}))))
    return {"state": desk.keep(desk.found.state, desk.parent)}


@task("discovery.hall_of_fame")
def hall_of_fame(arguments: Arguments, arrays: Arrays, context: Context) -> object:
    """Take in the formulas of a hall_of_fame.csv of PySR. Arguments: `text`, its content. Returns how many there are, and what is to be said of them."""
    from workbench.search.pysr.hall_of_fame import read_hall_of_fame

    desk = Desk(arguments, fresh=True)
    recorder, found = Recorder(desk), Discovery(desk.found.data)
    hall = read_hall_of_fame(str(arguments["text"]), [column.symbol for column in found.data.features], aliases=aliases(found.data))
    number = 0
    for number, finding in enumerate(adopted(found, hall.proposals, context.cancelled), 1):
        recorder.keep(found, finding)
        context.check()
        context.progress(number / len(hall), f"fitting formula {number} of {len(hall)}", {"laws": number})
    lost = len(hall) - number
    notes = [f"{lost} of {len(hall)} formulas have no finite value on some row, and are left out."] if lost else []
    return {"count": number, "notes": [*hall.notes, *notes]}


@task("discovery.auto")
def auto(arguments: Arguments, arrays: Arrays, context: Context) -> object:
    """Let the autopilot search. Arguments: `time_budget` seconds, `functions`, `max_complexity`, `known`.

    Where edges of the present network are locked, it is this network that is pruned and named; only `time_budget`, `functions` and `max_complexity`
    count then. Every formula is kept as it is found, and payloads {"laws": how many states there are} tell of it. Asked to finish, it concludes with what
    there is; stopped, it leaves what was found and says nothing of it.
    """
    desk = Desk(arguments)
    bound = bool(desk.found.path) and bool(desk.found.network.edges("locked"))
    desk = desk if bound else Desk(arguments, fresh=True)
    recorder = Recorder(desk)
    told = 0.0, ""

    def watch(fraction: float, words: str) -> bool:
        nonlocal told
        told = fraction, words
        context.check()
        context.progress(fraction, words)
        return context.finishing()

    def listen(found: Discovery, finding: Finding) -> None:
        recorder.keep(found, finding)
        context.progress(*told, {"laws": recorder.count})
        context.flush()  # a later word without news would take its place

    limits = {name: arguments[name] for name in ("functions", "max_complexity", *(() if bound else ("known",))) if arguments.get(name) is not None}
    budget = float(cast("float", arguments.get("time_budget", 60.0)))
    try:
        best = discover(desk.found if bound else desk.found.data, time_budget=budget, watch=watch, listen=listen, **cast("dict[str, Any]", limits))
    except DiscoveryError:
        if context.finishing() and not recorder.count:
            raise JobCancelled("It was stopped before it had found a formula.") from None
        raise
    return recorder.conclude(best)


@task("discovery.search")
def search(arguments: Arguments, arrays: Arrays, context: Context) -> object:
    """Let one engine search from where the project stands. Arguments: `engine`, `time_budget` seconds, `keep_structure`. Returns how many formulas there are."""
    desk, began = Desk(arguments), time.monotonic()
    recorder, found = Recorder(desk), desk.found
    name, budget = str(arguments["engine"]), float(cast("float", arguments.get("time_budget", 60.0)))

    def stop() -> bool:
        context.check()
        context.progress(min((time.monotonic() - began) / budget, 0.99), f"{TITLES[name]} is searching")
        return context.finishing()

    for finding in searched_on(found, name, budget, bool(arguments.get("keep_structure")), stop):
        recorder.keep(found, finding)
        context.progress(0.99, "fitting again what was found", {"laws": recorder.count})
        context.flush()
    return {"count": recorder.count}


@task("discovery.name_edges")
def name_edges(arguments: Arguments, arrays: Arrays, context: Context) -> object:
    """Snap every edge that a form fits without loss, the surest first. Arguments: `loss`, the R2 that one snap may cost."""
    desk = Desk(arguments)
    loss, parent = float(cast("float", arguments.get("loss", 0.01))), desk.parent

    def watch(fraction: float, words: str) -> None:
        context.check()
        context.progress(fraction, words)

    for state in naming.name_surely(desk.found, loss, watch):
        parent = desk.keep(state, parent)
    return {"state": parent, "left": [list(edge) for edge in desk.found.network.edges(*LEARNED)]}


@task("discovery.compare")
def compare(arguments: Arguments, arrays: Arrays, context: Context) -> object:
    """Compare the present formula with another. Arguments: `other`, the number of a state or a formula as text."""
    desk, other = Desk(arguments), arguments["other"]
    found = desk.found
    rows = found.data.X[found.data.split.train]
    second = other if isinstance(other, str) else Desk({**arguments, "state": other}).found.formula(nice=False)
    return {"state": desk.parent, **compared(found.formula(nice=False).compare(second, rows))}


# ---------------------------------------------------------------------------------------------------- questions about an edge


def _kept(key: Hashable) -> Any:
    _answers.move_to_end(key)
    return _answers[key]


def _keep(key: Hashable, answer: Any) -> Any:
    _answers[key] = answer
    if len(_answers) > _KEPT:
        _answers.popitem(last=False)
    return answer


def _key(desk: Desk, edge: Edge | None, what: str) -> Hashable:
    return desk.workspace, desk.project, desk.parent, edge, what


def _ranked(desk: Desk, edge: Edge, own: Sequence[str] = ()) -> tuple[Choice, ...]:
    """Return the forms of the library for an edge, best first, and a person's own among them at the rank they earn."""
    key = _key(desk, edge, "ranked")
    ranked = _kept(key) if key in _answers else _keep(key, desk.found.candidates(edge))
    for text in own:
        key = _key(desk, edge, f"own {text}")
        choice = _kept(key) if key in _answers else _keep(key, desk.found.candidates(edge, library=(text,))[0])
        ranked = placed(ranked, choice)
    return ranked


@task("discovery.open")
def open_project(arguments: Arguments, arrays: Arrays, context: Context) -> None:
    """Lay a project out, so that the first click finds it on the desk, and the kernels of its network loaded."""
    found = Desk(arguments).found
    for edge in found.network.edges()[:1]:
        inspect(found, edge)


@task("discovery.inspect")
def inspect_edge(arguments: Arguments, arrays: Arrays, context: Context) -> object:
    """Describe an edge. Arguments: `edge` [layer, source, target]; `own`, forms that a person typed.

    While the forms are ranked, payloads {"inspection": ...} tell what is known already: the curve at once, then every form as a preview.
    """
    desk = Desk(arguments)
    edge = desk.edge(arguments["edge"])
    found, own = desk.found, [str(text) for text in cast("list[str]", arguments.get("own", []))]
    if found.network.state(edge) == "pruned":
        return inspect(found, edge)
    snapped = found.network.symbolic_edge(edge)
    if snapped is not None and snapped.form.name not in LIBRARY and snapped.form.name not in own:
        own.append(snapped.form.name)
    try:
        if _key(desk, edge, "ranked") not in _answers:
            context.progress(0.1, "the curve", {"inspection": inspect(found, edge)})
            context.check()
            context.progress(0.3, "forms fitted to the curve", {"inspection": inspect(found, edge, previews(found, edge))})
            context.check()
        return inspect(found, edge, _ranked(desk, edge, own), _answers.get(_key(desk, edge, "stability")))
    except (SnapError, TrainingError) as problem:
        return inspect(found, edge) | {"message": str(problem)}


@task("discovery.deepen")
def deepen(arguments: Arguments, arrays: Arrays, context: Context) -> object:
    """Search deeper for the name of an edge. Arguments: `edge`, `own`, and `time_budget`, seconds for the engines.

    The whole model is refitted with every form of the library, then the engines for whole formulas look for forms of their own, which are ranked
    alike; a bootstrap says how stable the choice is.
    """
    desk = Desk(arguments)
    edge, own = desk.edge(arguments["edge"]), [str(text) for text in cast("list[str]", arguments.get("own", []))]
    context.progress(0.0, "ranking forms")
    ranked = _ranked(desk, edge, own)
    waiting = [choice for choice in ranked if not choice.refitted]
    for number, preview in enumerate(waiting):
        context.check()
        context.progress(0.4 * number / len(waiting), f"refitting the model with {preview.title}")
        choice = desk.found.candidates(edge, library=(preview.candidates[0].form,))[0]
        if choice.refitted:
            ranked = placed(tuple(other for other in ranked if other.name != choice.name), choice)

    heard = ""

    def watch(fraction: float, words: str) -> None:
        nonlocal heard
        context.check()
        context.progress(0.4 + 0.5 * fraction, words, {"searching": words} if words != heard else None)
        heard = words

    for choice in search_edge(desk.found, edge, float(cast("float", arguments.get("time_budget", _DEEPER))), watch):
        ranked = placed(ranked, choice)
    context.check()
    context.progress(0.9, "drawing the rows again, to see how stable the choice is")
    return inspect(desk.found, edge, ranked, shares(desk.found, ranked))


@task("discovery.pruning_curve")
def pruning_curve(arguments: Arguments, arrays: Arrays, context: Context) -> object:
    """Return what removing edge after edge would cost: error on checked rows against edges kept, in units of the target's spread."""
    desk = Desk(arguments)
    key = _key(desk, None, "pruning")
    steps = _kept(key) if key in _answers else _keep(key, desk.found.pruning_curve())
    removed: list[list[int]] = []
    told = []
    for step in steps:
        removed = [*removed, *(list(edge) for edge in step.edges)]
        told.append({"edges": step.n_edges, "rmse": step.error**0.5, "removed": removed})
    return {"steps": told}


# ---------------------------------------------------------------------------------------------------- what leaves the workbench


@task("discovery.formula")
def formula_of(arguments: Arguments, arrays: Arrays, context: Context) -> object:
    """Read the formula. Arguments: `decimals`, `nice`. Returns text, LaTeX, certificate, constants, replacements, ranges, data for plots."""
    return exporting.described(Desk(arguments, path=True).found, arguments)


@task("discovery.script")
def script(arguments: Arguments, arrays: Arrays, context: Context) -> object:
    """Return the decisions that led to the state as a Python script."""
    return {"script": Desk(arguments, path=True).found.to_script()}


@task("discovery.export")
def export(arguments: Arguments, arrays: Arrays, context: Context) -> object:
    """Write an export. Arguments: `target` (one of export.TARGETS, or "svg"), `decimals`, `nice`. Returns name, MIME type, content in base64."""
    desk = Desk(arguments, path=True)
    target, found = str(arguments["target"]), desk.found
    if target == "svg":
        drawn = drawing(found.network, found.data.seen(found.data.X_train), labels=found.data)
        return exporting.as_file("network.svg", "image/svg+xml", network_svg(drawn).encode())
    written = write_export(found, target, exporting.asked_for(found, arguments))
    return exporting.as_file(written.name, written.mime, written.content)


@task("discovery.predict")
def predict(arguments: Arguments, arrays: Arrays, context: Context) -> Result:
    """Predict the rows of a table, given as `table.read` returned it: arguments `table`, `decimals`, `nice`; returns a CSV file as bytes."""
    from workbench.table import table_of_arrays

    desk = Desk(arguments)
    table = table_of_arrays(cast("Mapping[str, Any]", arguments["table"]), arrays)
    predicted = exporting.predicted(desk.found, exporting.asked_for(desk.found, arguments), table)
    return Result(predicted.about, {"csv": np.frombuffer(predicted.csv, dtype=np.uint8)})
