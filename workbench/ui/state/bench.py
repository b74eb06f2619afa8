"""The page Workbench of a KAN: one network, one edge in hand, moves that can all be taken back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from workbench.exceptions import WorkbenchError
from workbench.jobs import Job
from workbench.ui.canvas.events import Action, Edge, edge_id, parse_edge
from workbench.ui.services import Services
from workbench.ui.state.inspection import EDGES, sketch
from workbench.ui.state.laws import SEARCHES, Laws
from workbench.ui.state.memory import TYPED, Memory
from workbench.ui.state.room import Room, Scene, Way, stream_of

HINTS = (
    "Choose target and inputs on the page Data.",
    "Press Fit: the network learns one curve for every edge.",
    "Click a curve here, and give it its name.",
)
LEARNING = "This curve is still being learned. Forms are ranked when the fit is finished or kept; what you ask for now waits for that."
FORMULA = "bench_latex"  # key of the container that the formula is set in
_ABOUT_LAWS = ("open", "suppose", "compare", "forget", "extend")
_MOVES = ("snap", "release", "lock", "unlock", "prune")


class Bench(Room):
    """The Workbench page of one project for one visitor, as long as it stands at a KAN."""

    opening, moving, subject = "discovery.open", "discovery.move", EDGES

    def __init__(self, services: Services, project: str, memory: Memory) -> None:
        super().__init__(services, project, memory)
        self._laws = Laws(services, project, memory)

    # ---- what to draw

    def canvas(self, scene: Scene, height: int) -> dict[str, Any]:
        """Return the payload of the network."""
        drawing = scene.view.get("drawing") or {"layers": [], "edges": []}
        running, job, streams = scene.running, None, self._streams(scene.running)
        if running is not None:
            live = self.training.live(running.id)
            drawing = live.drawing or drawing
            streams[0] += f"?after={live.seen}"
            job = self._job(running)
        if scene.state is not None and self.memory.selected not in {edge["id"] for edge in drawing["edges"]}:
            self.memory.selected = None
        return {
            **drawing, "name": scene.project.name, "revision": self.memory.revision, "selected": self.memory.selected,
            "busy": [edge for edge in (*(one.about for one in self.memory.moves), *(one.edge for one in self.memory.waiting)) if edge not in ("", TYPED)],
            "hints": [] if running else list(HINTS), "streams": streams, "job": job, "height": height,
            "formula": _terms(scene),
        }  # fmt: skip

    def inspector(self, scene: Scene, height: int) -> dict[str, Any] | None:
        """Return the payload of the inspector; None while no edge is in hand."""
        memory = self.memory
        if scene.training is not None:
            return self._live_edge(scene.training, height)
        drawn = _edge_of(scene.view.get("drawing"), memory.selected)
        if scene.state is None or drawn is None:
            return None
        told = self._inspection.told(scene.state.step.id, drawn)
        message = memory.message if memory.about == memory.selected else None
        return {**told, "revision": memory.revision, "busy": bool(memory.moves), "height": height, "message": message or told.get("message")}

    def _live_edge(self, job: Job, height: int) -> dict[str, Any] | None:
        """Return what is known of the edge in hand while its network is trained: its curve, and what waits for it."""
        drawn = _edge_of(self.training.live(job.id).drawing, self.memory.selected)
        if drawn is None:
            return None
        waiting = [one for one in self.memory.waiting if one.edge == self.memory.selected]
        message = f"{waiting[-1].move.capitalize()} waits until the fit is finished or kept." if waiting else LEARNING
        refused = self.memory.message if self.memory.about == self.memory.selected else None
        return {
            **sketch(drawn), "x_label": str(drawn["label"]).split(" → ")[0], "live": True, "revision": self.memory.revision, "busy": False,
            "height": height, "message": refused or message,
        }  # fmt: skip

    def laws(self, scene: Scene, height: int) -> dict[str, Any] | None:
        """Return the payload of the list of formulas; None while an edge is in hand, or there are no data."""
        if self.memory.selected is not None:
            return None
        searching = scene.running is not None and scene.running.task in SEARCHES
        told = self._laws.payload(scene.project, scene.steps, searching, height)
        return told and told | {"can_extend": _is_named(scene) and scene.running is None}

    @property
    def columns(self) -> tuple[str, ...]:
        """The inputs, as formulas call them."""
        return self._laws.columns(self._store.projects.get(self.project))

    # ---- what a person does

    def select(self, address: str | None) -> None:
        """Take an edge in hand, or put it down; what is no address is nothing."""
        self.memory.forget_message()
        try:
            self.memory.selected = None if address is None else edge_id(parse_edge(address))
        except WorkbenchError:
            self.memory.selected = None

    def start(self, task: str, **arguments: Any) -> None:
        """Start a long job, such as "discovery.auto" or "discovery.name_edges"; one at a time."""
        if self._running() is None:
            self._guarded(self._laws.prepare)
        super().start(task, **arguments)

    def open_results(self, content: bytes) -> None:
        """Take in the formulas of a hall_of_fame.csv."""
        self.memory.files += 1
        self._guarded(lambda: self._laws.open_results(content), TYPED)

    def go_on(self) -> None:
        """Go on with a paused fit; where nothing is under way, train the present network further."""
        state = self._store.states.get(self.project)
        if self._running() is not None:
            self.training.go_on()
        elif state is not None:
            self._guarded(lambda: self.training.further(state, self._rows()))

    # ---- questions about the whole network

    def pruning_curve(self, state: int) -> list[dict[str, Any]]:
        """Return the steps of the preview of pruning: {"edges", "rmse", "removed"}, from all edges to the fewest."""
        return cast("list[dict[str, Any]]", self._ask("discovery.pruning_curve", state)["steps"])

    def script(self, state: int) -> str:
        """Return the decisions up to a state as a Python script."""
        return cast("str", self._ask("discovery.script", state)["script"])

    # ---- inside

    def _perform(self, action: Action) -> None:
        operation, edge = action.operation, action.edge
        if operation in ("undo", "redo"):
            self.history(cast("Way", operation))
        elif operation == "close":
            self.memory.selected = None
            self.memory.revision += 1
        elif operation == "search":
            state = self._store.projects.get(self.project).cursor
            if state is not None:
                self._inspection.search(state, edge_id(cast("Edge", edge)))
        elif operation == "end_search":
            self._inspection.end_search()
        elif operation == "fit_form":
            self._inspection.type(edge_id(cast("Edge", edge)), action.text or "")
        elif operation in _ABOUT_LAWS:
            self._about_laws(action)
        elif operation in _MOVES:
            about = edge_id(cast("Edge", edge))
            found = self._inspection.found_with(self._store.projects.get(self.project).cursor, about, action.form)
            self._submit(operation, _arguments(action, found), about)

    def _about_laws(self, action: Action) -> None:
        """Do what was asked for in the list of formulas."""
        operation, memory = action.operation, self.memory
        if operation == "open" and action.state is not None:
            self._store.states.go_to(self.project, action.state)
        elif operation == "suppose":
            self._laws.suppose(action.text or "")
            self._await_moves()
        elif operation == "compare":
            self._laws.compare(action.text or action.state or "")
        elif operation == "forget":
            memory.comparison = None
        elif operation == "extend" and self._running() is None:
            state = self._store.states.get(self.project)
            if state is not None:
                self.training.further(state, self._rows(), task="discovery.extend")
        memory.revision += 1

    def _rows(self) -> int:
        return int(self._store.projects.get(self.project).summary.get("rows", 0))

    def _beside(self, action: Action) -> str | None:
        return TYPED if action.operation in _ABOUT_LAWS else super()._beside(action)

    def _settle(self) -> None:
        super()._settle()
        self._laws.settle()

    def _streams(self, running: Job | None) -> list[str]:
        asked = filter(None, (self.memory.comparing, self.memory.opening))
        return super()._streams(running) + [f"{stream_of(one.job)}?after={one.seen}" for one in asked]


def _is_named(scene: Scene) -> bool:
    """Whether every edge of the state has a name, so that it says what it misses."""
    metrics = scene.view.get("metrics") or {}
    return scene.view.get("task") == "regression" and metrics.get("n_edges") == metrics.get("n_symbolic")


def _edge_of(drawing: Mapping[str, Any] | None, edge: str | None) -> Mapping[str, Any] | None:
    return next((drawn for drawn in (drawing or {}).get("edges", []) if drawn["id"] == edge), None)


def _terms(scene: Scene) -> dict[str, Any] | None:
    told = scene.view.get("formula", {}).get("terms")  # states of before have none
    return {"place": FORMULA, "parts": told["parts"]} if told else None


def _arguments(action: Action, found: Mapping[str, float]) -> dict[str, Any]:
    edge = list(cast("Edge", action.edge))
    if action.operation == "prune":
        return {"edges": [edge]}
    if action.operation == "snap":
        parameters = dict(action.parameters or found)
        return {"edge": edge, "form": action.form} | ({"parameters": parameters} if parameters else {})
    return {"edge": edge}
