"""The tasks behind the workbench page: each opens a project of the store, makes one move or answers one question, and keeps what came of it.

Arguments always hold `workspace` (the folder of the store) and `project`; `state` names the state to start from (the one looked at, when
left out), `fresh` says to start anew from the project's present dataset. A move returns {"state": its number}. The page then only reads the store: everything it draws lies there as JSON.
"""

from __future__ import annotations

import base64
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, cast

import numpy as np

from workbench import store
from workbench.dataset import Dataset
from workbench.discovery import Discovery, discover
from workbench.discovery.inspection import inspect
from workbench.discovery.state import State
from workbench.discovery.storage import network_record, state_from_store
from workbench.exceptions import DiscoveryError, ProjectError
from workbench.export import TARGETS, write_export
from workbench.figures.drawing import drawing
from workbench.formula import Formula
from workbench.primitives import LIBRARY
from workbench.training import FitProgress
from workbench.worker.context import Context
from workbench.worker.registry import Arguments, Arrays, task

_KEPT = 8
_FRAME_ROWS = 512
_MOVES = ("prune", "eliminate", "snap", "release", "lock", "unlock", "refit")

_data: OrderedDict[tuple[str, str, int], Discovery] = OrderedDict()
_choices: OrderedDict[tuple[object, ...], tuple[Any, ...]] = OrderedDict()


class _Desk:
    """A project laid out for work: its store, the data, and a discovery that stands at one state."""

    def __init__(self, arguments: Arguments) -> None:
        self.workspace, self.project = str(arguments["workspace"]), str(arguments["project"])
        self.store = store.Store(self.workspace)
        stored = self.store.states.get(self.project, cast("int | None", arguments.get("state")))
        self.stored = stored
        fresh = stored is None or arguments.get("fresh", False)
        number = self.store.projects.get(self.project).dataset if fresh else stored.step.dataset
        if number is None:
            raise ProjectError("The project has no data yet. Choose the columns on the page Data first.")
        self.dataset = number
        self.found = self._laid_out(number)
        if not fresh:
            self.found.adopt_alone(state_from_store(stored))

    def _laid_out(self, number: int) -> Discovery:
        key = (self.workspace, self.project, number)
        if key not in _data:
            kept = self.store.projects.data(self.project, number)
            if kept is None:
                raise ProjectError("The project has no data yet. Choose the columns on the page Data first.")
            _data[key] = Discovery(Dataset.from_arrays(kept.content, kept.arrays))
            if len(_data) > _KEPT:
                _data.popitem(last=False)
        return _data[key].branch().leave()

    @property
    def parent(self) -> int | None:
        return None if self.stored is None else self.stored.step.id

    def keep(self, state: State, parent: int | None) -> int:
        """Append the state a move has made to the project's history; return its number."""
        network, arrays = network_record(state)
        draft = store.Draft(state.move.label, state.move.to_json(), network, arrays, state.metrics.to_json(), view(self.found), self.dataset)
        step = self.store.states.append(self.project, draft, parent=parent)
        self.store.projects.summarise(self.project, _summary(self.found, draft.view))
        return step.id


def view(found: Discovery) -> dict[str, Any]:
    """Return everything the page draws of a state: the network, the formula, the figures."""
    data = found.data
    return {
        "drawing": drawing(found.network, data.seen(data.X_train), labels=data),
        "formula": _shown(found),
        "metrics": found.metrics.to_json(),
        "groups": list(data.group_labels) if data.groups is not None else [],
    }


def _shown(found: Discovery) -> dict[str, Any]:
    try:
        formula = found.formula(nice=False)
    except (DiscoveryError, ProjectError) as problem:
        return {"text": "", "latex": "", "complexity": None, "certificate": None, "message": str(problem)}
    return {
        "text": formula.to_text(),
        "latex": formula.rounded(3).to_latex(),
        "complexity": formula.complexity,
        "certificate": formula.certificate.to_json() if formula.certificate else None,
        "certificate_text": formula.certificate_text,
        "symbolic": not formula.definitions,
        "message": None,
    }


def _summary(found: Discovery, shown: Mapping[str, Any]) -> dict[str, Any]:
    metrics = found.metrics
    return {
        "target": found.data.targets[0].name,
        "rows": len(found.data.X),
        "r2": metrics.r2_validation,
        "edges": metrics.n_edges,
        "symbolic": metrics.n_symbolic,
        "latex": shown["formula"]["latex"][:2000],
    }


@task("discovery.fit")
def fit(arguments: Arguments, arrays: Arrays, context: Context) -> object:
    """Fit a new network. Arguments: `settings` of training.FitConfig. Frames of the drawing go out as it learns."""
    desk = _Desk({**arguments, "state": None, "fresh": True} if arguments.get("fresh", True) else arguments)
    found = desk.found.leave()

    def watch(progress: FitProgress) -> None:
        context.check()
        context.progress(progress.fraction, progress.stage, lambda: _frame(found, progress))

    found.fit(watch=watch, **dict(arguments.get("settings", {})))
    return {"state": desk.keep(found.state, None if desk.stored is None else desk.parent)}


def _frame(found: Discovery, progress: FitProgress) -> dict[str, Any]:
    """Return one frame of the live drawing: the curves of the network so far."""
    rows = found.data.X_train[:: max(1, len(found.data.X_train) // _FRAME_ROWS)]
    drawn = drawing(progress.network, found.data.seen(rows), labels=found.data)
    edges = {edge["id"]: {"y": edge["y"], "range": edge["range"], "importance": edge["importance"]} for edge in drawn["edges"]}
    return {"edges": edges, "rmse": progress.rmse, "stage": progress.stage, "fraction": progress.fraction}


@task("discovery.move")
def move(arguments: Arguments, arrays: Arrays, context: Context) -> object:
    """Make one move. Arguments: `move` {"name", "arguments"}."""
    wanted = cast("Mapping[str, Any]", arguments["move"])
    name = str(wanted["name"])
    if name not in _MOVES:
        raise DiscoveryError(f"There is no move {name!r}. Moves: {', '.join(_MOVES)}.")
    desk = _Desk(arguments)
    context.progress(0.1, name)
    getattr(desk.found, name)(**dict(wanted.get("arguments", {})))
    context.check()
    return {"state": desk.keep(desk.found.state, desk.parent)}


@task("discovery.auto")
def auto(arguments: Arguments, arrays: Arrays, context: Context) -> object:
    """Let the autopilot search. Arguments: `time_budget` seconds, `functions`. Every step of the picked path is kept."""
    desk = _Desk({**arguments, "state": None, "fresh": True})

    def watch(fraction: float, words: str) -> None:
        context.check()
        context.progress(fraction, words)

    functions = cast("list[str] | None", arguments.get("functions"))
    budget = float(cast("float", arguments.get("time_budget", 60.0)))
    best = discover(desk.found.data, time_budget=budget, functions=functions, watch=watch)
    parent = desk.parent
    target = best.state.id
    for state in best.path:
        desk.found = best.go_to(state.id)
        parent = desk.keep(state, parent)
    best.go_to(target)
    front = [{"text": f.to_text(), "complexity": f.complexity} for f in best.pareto]
    return {"state": parent, "verdict": best.verdict, "pareto": front}


@task("discovery.inspect")
def inspect_edge(arguments: Arguments, arrays: Arrays, context: Context) -> object:
    """Describe an edge. Arguments: `edge` [layer, source, target]; `candidates` whether to rank forms for it; `typed` a person's own form."""
    desk = _Desk(arguments)
    edge = tuple(int(v) for v in cast("list[int]", arguments["edge"]))
    desk.found.network.position(edge)
    if not arguments.get("candidates", True):
        return inspect(desk.found, edge, ())
    typed = cast("str | None", arguments.get("typed"))
    key = (desk.workspace, desk.project, desk.parent, edge, typed)
    if key not in _choices:
        started = time.monotonic()
        context.progress(0.2, "fitting forms")
        _choices[key] = desk.found.candidates(edge, library=(*LIBRARY, typed) if typed else None)
        context.progress(0.9, f"{len(_choices[key])} forms in {time.monotonic() - started:.2f} s")
        if len(_choices) > 64:
            _choices.popitem(last=False)
    return inspect(desk.found, edge, _choices[key])


@task("discovery.formula")
def formula_of(arguments: Arguments, arrays: Arrays, context: Context) -> object:
    """Read the formula. Arguments: `decimals`, `nice`. Returns text, LaTeX, certificate, constants with intervals, plot data."""
    desk = _Desk(arguments)
    data = desk.found.data
    formula = _asked_for(desk.found, arguments)
    shown = {
        "text": formula.to_text(),
        "latex": formula.to_latex(),
        "complexity": formula.complexity,
        "certificate": formula.certificate.to_json() if formula.certificate else None,
        "certificate_text": formula.certificate_text,
        "notes": list(formula.notes),
        "ranges": [{"name": i.name, "unit": i.unit, "low": i.low, "high": i.high} for i in formula.inputs],
        "targets": list(TARGETS),
        "fingerprint": data.fingerprint,
        "script": desk.found.to_script(),
        "metrics": desk.found.metrics.to_json(),
    }
    return shown | {"parity": _parity(desk.found)}


def _parity(found: Discovery) -> dict[str, Any]:
    """Return measured and modelled values of every part of the data, for the parity and residual plots (at most 2000 rows a part)."""
    from workbench.discovery.state import predict

    parts = {}
    for name in ("train", "validation", "test"):
        rows = getattr(found.data.split, name)
        rows = rows[:: max(1, len(rows) // 2000)]
        if len(rows):
            parts[name] = {
                "measured": found.data.y[rows, 0].tolist(),
                "modelled": predict(found.data, found.state.networks, rows)[:, 0].tolist(),
            }
    return parts


def _asked_for(found: Discovery, arguments: Arguments) -> Formula:
    decimals = cast("int | None", arguments.get("decimals"))
    return found.formula(decimals=decimals, nice=bool(arguments.get("nice", False)))


@task("discovery.export")
def export(arguments: Arguments, arrays: Arrays, context: Context) -> object:
    """Write an export. Arguments: `target`, `decimals`, `nice`. Returns file name, MIME type and content in base64."""
    desk = _Desk(arguments)
    written = write_export(desk.found, str(arguments["target"]), _asked_for(desk.found, arguments))
    return {"name": written.name, "mime": written.mime, "content": base64.b64encode(written.content).decode("ascii")}


@task("discovery.pruning_curve")
def pruning_curve(arguments: Arguments, arrays: Arrays, context: Context) -> object:
    """Return what removing edge after edge would cost: error on checked rows against edges kept."""
    desk = _Desk(arguments)
    steps = desk.found.pruning_curve()
    return {"edges": [s.n_edges for s in steps], "rmse": [s.error**0.5 for s in steps], "removed": [[list(e) for e in s.edges] for s in steps]}


@task("discovery.predict")
def predict_rows(arguments: Arguments, arrays: Arrays, context: Context) -> object:
    """Predict the rows of a table given as arrays by column name; says which rows lie outside the range of the fit."""
    desk = _Desk(arguments)
    prediction = _asked_for(desk.found, arguments).prediction({name: np.asarray(column) for name, column in arrays.items()})
    values = np.atleast_2d(prediction.values.T)[0]
    return {"values": values.tolist(), "outside": prediction.outside.tolist(), "message": prediction.message}
