"""A project laid out for work in a worker: its store, its data, and a discovery that stands at one state."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from functools import cache
from typing import Any, cast

from workbench import store
from workbench.dataset import Dataset
from workbench.discovery import Discovery, Move, addresses
from workbench.discovery.laws import BEGIN, is_law, origin_of
from workbench.discovery.laws import law as judged
from workbench.discovery.state import State
from workbench.discovery.storage import network_record, state_from_store
from workbench.exceptions import DiscoveryError, ProjectError
from workbench.figures.drawing import drawing
from workbench.networks import Edge
from workbench.training import FitProgress
from workbench.worker.equations import equations, terms
from workbench.worker.lines import told
from workbench.worker.registry import Arguments

_KEPT = 8  # datasets that stay laid out, ready for the next click
_FRAME_ROWS = 512  # rows that decide the ranges of a live frame
_DIGITS = 3
_NAMED = 2  # edges that the history names one by one

_laid_out: OrderedDict[tuple[str, str, int], Discovery] = OrderedDict()


class Desk:
    """A project on the desk.

    Parameters
    ----------
    arguments : of a task: `workspace`, `project`, and `state` (the one that is looked at, when left out)
    fresh : stand before the first state, on the project's present data; what is made then still hangs on the state looked at
    path : lay out every state on the way, not only the last; scripts and reports tell the whole story
    """

    def __init__(self, arguments: Arguments, *, fresh: bool = False, path: bool = False) -> None:
        self.workspace, self.project = str(arguments["workspace"]), str(arguments["project"])
        self.store = open_store(self.workspace)
        self.stored = self.store.states.get(self.project, cast("int | None", arguments.get("state")))
        fresh = fresh or self.stored is None
        number = self.store.projects.get(self.project).dataset if fresh else self.stored.step.dataset
        if number is None:
            raise ProjectError("The project has no data yet. Choose the columns on the page Data first.")
        self.dataset = number
        self.found = self._discovery(number)
        if fresh:
            return
        if path:
            self._adopt_path()
        else:
            self.found.adopt_alone(state_from_store(self.stored))

    def _discovery(self, number: int) -> Discovery:
        key = (self.workspace, self.project, number)
        if key not in _laid_out:
            kept = self.store.projects.data(self.project, number)
            if kept is None:
                raise ProjectError("The project has no data yet. Choose the columns on the page Data first.")
            _laid_out[key] = Discovery(Dataset.from_arrays(kept.content, kept.arrays))
            if len(_laid_out) > _KEPT:
                _laid_out.popitem(last=False)
        return _laid_out[key].branch().leave()

    def _adopt_path(self) -> None:
        """Take in the states from the present one back to where its data begin."""
        steps = {step.id: step for step in self.store.states.history(self.project)}
        here, path = self.stored.step, [self.stored.step.id]
        while here.parent is not None and here.move["name"] not in BEGIN and steps[here.parent].dataset == self.dataset:
            here = steps[here.parent]
            path.append(here.id)
        for number in reversed(path):
            state = state_from_store(self.store.states.get(self.project, number))
            if number == path[-1]:
                self.found.adopt_alone(state)
            else:
                self.found.adopt(state)

    @property
    def parent(self) -> int | None:
        """The state that what is made here hangs on."""
        return None if self.stored is None else self.stored.step.id

    def edge(self, address: object) -> Edge:
        """Return the address of an edge that exists, or raise UnknownEdgeError."""
        layer, source, target = (int(part) for part in cast("list[int]", address))
        self.found.network.position((layer, source, target))
        return layer, source, target

    def keep(self, state: State, parent: int | None) -> int:
        """Append the state a move has made to the project's history, and go there; return its number."""
        law = None
        if is_law(state):
            law = told(judged(self.found, state, origin_of([*self._moves_to(parent), state.move]), nice=False), self.found.data)
        return self._append(state, parent, law, visit=True)

    def keep_beside(self, state: State, parent: int | None, law: Mapping[str, Any] | None = None) -> int:
        """Append a state without going there; return its number.

        Parameters
        ----------
        law : what the list of formulas says of it (`worker.lines`); None where it is only on the way to others
        """
        return self._append(state, parent, law, visit=False)

    def _append(self, state: State, parent: int | None, law: Mapping[str, Any] | None, *, visit: bool) -> int:
        network, arrays = network_record(state)
        drawn = view(self.found) | {"law": law}
        draft = store.Draft(_words(self.found), state.move.to_json(), network, arrays, state.metrics.to_json(), drawn, self.dataset)
        step = self.store.states.append(self.project, draft, parent=parent, visit=visit)
        if visit:
            self.summarise(drawn)
        return step.id

    def summarise(self, drawn: Mapping[str, Any], **more: Any) -> None:
        """Say on the project's card what the state that the discovery stands at is, and what else is to be remembered of the project."""
        summary = self.store.projects.get(self.project).summary
        self.store.projects.summarise(self.project, {**summary, **_summary(self.found, drawn), **more})

    def _moves_to(self, state: int | None) -> list[Move]:
        """Return the moves that led to a state, on its own data."""
        steps, moves = {step.id: step for step in self.store.states.history(self.project)}, []
        while state is not None and steps[state].dataset == self.dataset:
            moves.insert(0, Move.from_json(steps[state].move))
            state = steps[state].parent
        return moves


@cache
def open_store(workspace: str) -> store.Store:
    """Return the store of a workspace, opened once for this process."""
    return store.Store(workspace)


def _words(found: Discovery) -> str:
    """Return the last move in a few words, edges by the names of what they join."""
    move, names = found.state.move, []
    for edge in [move.arguments["edge"]] if "edge" in move.arguments else move.arguments.get("edges", []):
        names.append(addresses.label(found.data, found.network, addresses.resolve(found.data, found.network, edge)))
    if not names or len(names) > _NAMED:
        return f"prune {len(names)} edges" if names else move.label
    return f"{names[0]} is {move.arguments['form']}" if move.name == "snap" else f"{move.name} {', '.join(names)}"


def view(found: Discovery) -> dict[str, Any]:
    """Return everything the page draws of a state: the network, the formula, the figures, the call that led here."""
    data = found.data
    single = len(data.targets) == 1 and data.task == "regression" and not data.transforms
    spread = float(found.problems[0].scale[0])
    return {
        "drawing": drawing(found.network, data.seen(data.X_train), labels=data),
        "formula": _shown(found),
        "metrics": found.metrics.to_json(),
        "rmse": found.metrics.rmse_validation * spread if single and data.groups is None else None,
        "unit": data.targets[0].unit if single else "",
        "task": data.task,
        "checked_by": data.split.kind,
        "groups": list(data.group_labels) if data.groups is not None else [],
        "code": found.state.move.to_python(),
    }


def _shown(found: Discovery) -> dict[str, Any]:
    try:
        formula = found.formula(nice=False)
    except (DiscoveryError, ProjectError) as problem:
        return {"text": "", "latex": "", "complexity": None, "certificate": None, "message": str(problem)}
    rounded = formula.rounded(_DIGITS)
    latex = equations(rounded)
    return {
        "text": formula.to_text(),
        "latex": latex,
        "terms": terms(rounded, found.data, found.state.networks) if latex else None,
        "complexity": formula.complexity,
        "certificate": formula.certificate.to_json() if formula.certificate else None,
        "certificate_text": formula.certificate_text,
        "symbolic": not formula.definitions,
        "unnamed": len(formula.definitions),
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
        "latex": shown["formula"]["latex"] if len(shown["formula"]["latex"]) <= 2000 else "",
    }


def frame(found: Discovery, progress: FitProgress, step: int) -> dict[str, Any]:
    """Return one frame of the live drawing: the network so far, whole, so that a page that comes late can draw it."""
    rows = found.data.X_train[:: max(1, len(found.data.X_train) // _FRAME_ROWS)]
    drawn = drawing(progress.network, found.data.seen(rows), labels=found.data)
    edges = {edge["id"]: edge for edge in drawn["edges"]}
    return {"step": step, "layers": drawn["layers"], "edges": edges, "rmse": progress.rmse, "stage": progress.stage,
            "iterations": progress.iterations}  # fmt: skip
