"""The page Workbench: one network, one edge in hand, moves that can all be taken back.

What is drawn comes from the store, so a reload, a second tab and a restarted server show the same. A move is a job for
the interactive worker: it is handed in, awaited for a moment, and otherwise followed by the canvas, which tells the
page when there is news.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from workbench.exceptions import JobCancelled, WorkbenchError
from workbench.jobs import Job
from workbench.store import Project, State, Step
from workbench.ui.canvas.events import Action, Edge, edge_id, parse_edge
from workbench.ui.services import Services
from workbench.ui.state.history import change_of
from workbench.ui.state.inspection import Inspection, sketch
from workbench.ui.state.jobs import STEERED, Jobs
from workbench.ui.state.laws import SEARCHES, Laws
from workbench.ui.state.memory import TYPED, Asked, Memory
from workbench.ui.state.miniature import picture
from workbench.ui.state.training import PATIENCE, Training

COSTLY = -0.01  # a snap that changes R2 by less than this is worth a warning
LONG = {
    "discovery.fit": "Fitting", "discovery.refit": "Training on", "discovery.extend": "Fitting what it misses",
    "discovery.auto": "Looking for the law", "discovery.name_edges": "Naming edges",
}  # fmt: skip
HINTS = (
    "Choose target and inputs on the page Data.",
    "Press Fit: the network learns one curve for every edge.",
    "Click a curve here, and give it its name.",
)
LEARNING = "This curve is still being learned. Forms are ranked when the fit is finished or kept; what you ask for now waits for that."
Way = Literal["undo", "redo"]
FORMULA = "bench_latex"  # key of the container that the formula is set in
_ABOUT_LAWS = ("open", "suppose", "compare", "forget", "extend")
_MOVES = ("snap", "release", "lock", "unlock", "prune")
_REDUCING = ("snap", "prune", "eliminate")  # moves that may cost something


@dataclass(frozen=True)
class Scene:
    """All that one run of the page draws.

    project, state, steps : as stored; state is None before the first fit
    running : the long job of the project, if there is one
    change : R2 on checked rows, this state's less that of the one it was made from
    """

    project: Project
    state: State | None
    steps: tuple[Step, ...]
    running: Job | None
    change: float | None

    @property
    def training(self) -> Job | None:
        """The fit that is under way."""
        return self.running if self.running is not None and self.running.task in STEERED else None

    @property
    def costly(self) -> bool:
        """Whether the last move made something simpler and cost more than it should."""
        return self.state is not None and self.change is not None and self.change < COSTLY and self.state.step.move.get("name") in _REDUCING

    @property
    def view(self) -> Mapping[str, Any]:
        """What the worker has drawn of the state."""
        return {} if self.state is None else self.state.view

    @property
    def can_undo(self) -> bool:
        return self.state is not None and self.state.step.parent is not None

    @property
    def can_redo(self) -> bool:
        return self.state is not None and self.state.step.redo is not None


class Bench:
    """The Workbench page of one project for one visitor."""

    def __init__(self, services: Services, project: str, memory: Memory) -> None:
        self._store, self._pool, self._jobs = services.store, services.pool, Jobs(services)
        self._inspection = Inspection(services, project, memory)
        self.training = Training(services, project, memory)
        self._laws = Laws(services, project, memory)
        self.project, self.memory = project, memory

    # ---- what to draw

    def scene(self) -> Scene:
        """Look at everything anew: what finished meanwhile, and where the project stands, whoever moved it."""
        self._settle()
        state = self._store.states.get(self.project)
        steps = self._store.states.history(self.project)
        change = None if state is None else change_of(state.step, steps)
        return Scene(self._store.projects.get(self.project), state, steps, self._running(), change)

    def prepare(self) -> None:
        """Have the worker lay the project out before the first click; once for a visitor."""
        if not self.memory.prepared and self._store.projects.get(self.project).cursor is not None:
            self.memory.prepared = True
            self._guarded(lambda: self._jobs.submit(self.project, "discovery.open", lane="interactive"))

    def canvas(self, scene: Scene, height: int) -> dict[str, Any]:
        """Return the payload of the network."""
        drawing = scene.view.get("drawing") or {"layers": [], "edges": []}
        running, job, streams = scene.running, None, self._streams(scene.running)
        if running is not None:
            live = self.training.live(running.id)
            drawing = live.drawing or drawing
            streams[0] += f"?after={live.seen}"
            job = {
                "stream": _stream(running.id), "title": LONG[running.task], "status": running.status, "fraction": running.progress,
                "message": running.message, "errors": live.errors, "iterations": live.iterations,
            }  # fmt: skip
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

    @property
    def refusal(self) -> str | None:
        """Why the last request about the whole page was refused."""
        return self.memory.message if self.memory.about is None else None

    def pictures(self, states: Iterable[int]) -> dict[int, str]:
        """Return the networks of some states in small, as SVG; one without a drawing has none."""
        wanted, drawn = list(states), self.memory.pictures
        views = self._store.states.views(self.project, [state for state in wanted if state not in drawn])
        drawn |= {state: picture(cast("Mapping[str, Any]", view["drawing"])) for state, view in views.items() if view.get("drawing")}
        return {state: drawn[state] for state in wanted if state in drawn}

    # ---- what a person does

    def select(self, edge: str | None) -> None:
        """Take an edge in hand, or put it down; what is no address is nothing."""
        self.memory.forget_message()
        try:
            self.memory.selected = None if edge is None else edge_id(parse_edge(edge))
        except WorkbenchError:
            self.memory.selected = None

    def act(self, actions: Sequence[Action], component: str) -> None:
        """Do what was asked for on a component, in order, each once."""
        for action in actions:
            self.memory.done[component] = action.order
            about = edge_id(action.edge) if action.edge else TYPED if action.operation in _ABOUT_LAWS else None
            self._guarded(lambda action=action: self._perform(action), about)

    def move(self, name: str, **arguments: Any) -> None:
        """Make a move that is not about one edge: refit, eliminate, prune."""
        self._guarded(lambda: self._submit(name, arguments, ""))

    def history(self, way: Way) -> None:
        """Step back or forward. A move that is still under way is taken back by stopping it, one that waits by forgetting it."""
        self.memory.revision += 1
        if way == "undo" and self.memory.waiting:
            self.memory.waiting.pop()
        elif way == "undo" and self.memory.moves:
            self._jobs.stop(self.memory.moves.pop().job)
        else:
            self._guarded(lambda: getattr(self._store.states, way)(self.project))

    def go_to(self, state: int) -> None:
        """Go to any state of the history."""
        self.memory.revision += 1
        self._guarded(lambda: self._store.states.go_to(self.project, state))

    def start(self, task: str, **arguments: Any) -> None:
        """Start a long job, "discovery.auto" or "discovery.name_edges"; one at a time."""
        if self._running() is None:
            self._guarded(lambda: (self._laws.prepare(), self._jobs.submit(self.project, task, arguments)))

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

    def stop(self) -> None:
        """Stop the long job; a search keeps what it has found."""
        if (job := self._running()) is not None:
            self._jobs.end(job.id)

    def refuse(self, sentence: str) -> None:
        """Say why something that came from the page was not understood."""
        self.memory.refuse(sentence)

    def lose(self, stream: str | None) -> None:
        """Note that the browser cannot follow a stream: the page must look by itself."""
        if stream:
            self.memory.lost.add(stream.split("?")[0])

    @property
    def must_look(self) -> bool:
        """Whether something is under way that nobody will tell the page about."""
        return bool(self.memory.lost & {url.split("?")[0] for url in self._streams(self._running())})

    # ---- questions about the whole network

    def pruning_curve(self, state: int) -> list[dict[str, Any]]:
        """Return the steps of the preview of pruning: {"edges", "rmse", "removed"}, from all edges to the fewest."""
        return cast("list[dict[str, Any]]", self._ask("discovery.pruning_curve", state)["steps"])

    def script(self, state: int) -> str:
        """Return the decisions up to a state as a Python script."""
        return cast("str", self._ask("discovery.script", state)["script"])

    def _ask(self, task: str, state: int) -> Mapping[str, Any]:
        given = {"workspace": str(self._store.path), "project": self.project, "state": state}
        return cast("Mapping[str, Any]", self._jobs.ask(task, given).value)

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
                self._inspection.search(state, cast("Edge", edge))
        elif operation == "end_search":
            self._inspection.end_search()
        elif operation == "fit_form":
            self._inspection.type(cast("Edge", edge), action.text or "")
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

    def _await_moves(self) -> None:
        """Wait a moment for the move that was handed in last."""
        with contextlib.suppress(TimeoutError, WorkbenchError):  # what came of it is told with everything else that finished
            self._pool.wait(self.memory.moves[-1].job, PATIENCE)
        self._settle()

    def _submit(self, name: str, arguments: Mapping[str, Any], edge: str) -> None:
        """Hand in a move and wait a moment for it; moves that follow one another go to the worker in order. During a fit it waits for that."""
        training = self.training.job
        if training is not None:
            self.training.wait(training, name, arguments, edge)
            return
        self._inspection.drop()
        job = self._jobs.submit(self.project, "discovery.move", {"move": {"name": name, "arguments": arguments}}, lane="interactive")
        self.memory.moves.append(Asked(job.id, edge))
        self._await_moves()

    def _settle(self) -> None:
        """Look through what was handed in, and take note of what is finished."""
        waiting = []
        for asked in self.memory.moves:
            try:
                self._pool.wait(asked.job, 0)
                self.memory.revision += 1
            except TimeoutError:
                waiting.append(asked)
            except JobCancelled:
                self.memory.revision += 1
            except WorkbenchError as problem:
                self.memory.refuse(str(problem), asked.about or None)
        self.memory.moves = waiting
        self._inspection.settle()
        self._laws.settle()
        for one in self.training.due():
            self._guarded(lambda one=one: self._submit(one.move, one.arguments, one.edge), one.edge)

    def _running(self) -> Job | None:
        return next((job for job in self._pool.jobs(self.project) if job.task in LONG and not job.finished), None)

    def _streams(self, running: Job | None) -> list[str]:
        """Return the streams of everything that is under way."""
        asked = [*self.memory.moves, *filter(None, (self.memory.question, self.memory.deeper, self.memory.comparing, self.memory.opening))]
        return ([_stream(running.id)] if running else []) + [f"{_stream(one.job)}?after={one.seen}" for one in asked]

    def _guarded(self, call: Callable[[], object], edge: str | None = None) -> None:
        """Do something a person asked for; where it cannot be done, keep the sentence that says why."""
        self.memory.forget_message()
        try:
            call()
        except WorkbenchError as problem:
            self.memory.refuse(str(problem), edge)


def _is_named(scene: Scene) -> bool:
    """Whether every edge of the state has a name, so that it says what it misses."""
    metrics = scene.view.get("metrics") or {}
    return scene.view.get("task") == "regression" and metrics.get("n_edges") == metrics.get("n_symbolic")


def _edge_of(drawing: Mapping[str, Any] | None, edge: str | None) -> Mapping[str, Any] | None:
    return next((drawn for drawn in (drawing or {}).get("edges", []) if drawn["id"] == edge), None)


def _terms(scene: Scene) -> dict[str, Any] | None:
    told = scene.view.get("formula", {}).get("terms")  # states of before have none
    return {"place": FORMULA, "parts": told["parts"]} if told else None


def _stream(job: str) -> str:
    return f"/api/jobs/{job}/events"


def _arguments(action: Action, found: Mapping[str, float]) -> dict[str, Any]:
    edge = list(cast("Edge", action.edge))
    if action.operation == "prune":
        return {"edges": [edge]}
    if action.operation == "snap":
        parameters = dict(action.parameters or found)
        return {"edge": edge, "form": action.form} | ({"parameters": parameters} if parameters else {})
    return {"edge": edge}
