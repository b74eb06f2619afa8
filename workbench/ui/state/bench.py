"""The page Workbench: one network, one edge in hand, moves that can all be taken back.

What is drawn comes from the store, so a reload, a second tab and a restarted server show the same. A move is a job for
the interactive worker: it is handed in, awaited for a moment, and otherwise followed by the canvas, which tells the
page when there is news. `Memory` is what one visitor's page remembers beside that, and nothing is lost with it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from workbench.exceptions import JobCancelled, WorkbenchError
from workbench.jobs import Job
from workbench.store import Project, State, Step
from workbench.ui.canvas.events import Action, Edge, edge_id, parse_edge
from workbench.ui.services import Services
from workbench.ui.state.history import change_of
from workbench.ui.state.jobs import Jobs

PATIENCE = 1.5  # seconds a page waits for a move before it draws itself without it
FIRST_LOOK = 0.35  # seconds it waits for the first word about an edge
KEPT = 24  # edges whose description stays at hand
COSTLY = -0.01  # a snap that changes R2 by less than this is worth a warning
LONG = {"discovery.fit": "Fitting", "discovery.auto": "Looking for the law", "discovery.name_edges": "Naming edges"}
HINTS = (
    "Choose target and inputs on the page Data.",
    "Press Fit: the network learns one curve for every edge.",
    "Click a curve here, and give it its name.",
)
_MOVES = {"snap", "release", "lock", "unlock", "prune"}

Question = tuple[int, str, tuple[str, ...]]  # state, edge, forms of a person's own


@dataclass
class Asked:
    """A job that was handed in and not yet heard of: what it is about, the last of its events that was seen, and what it told."""

    job: str
    about: Any
    seen: int = 0
    latest: Mapping[str, Any] | None = None


@dataclass
class Memory:
    """What one visitor's page remembers of a project; a reload forgets it and loses nothing.

    selected : the edge in the inspector
    revision : grows with every answer to an action, so that optimistic marks end
    done : component -> number of its last action that was done
    moves : moves that are not finished
    question, deeper : what the inspector waits for
    known : answers about edges, by question
    own : edge -> forms that the person typed for it
    message : why the last request was refused; about says which edge it was about, None for the whole page
    lost : streams the browser could not follow
    """

    selected: str | None = None
    revision: int = 0
    done: dict[str, int] = field(default_factory=dict)
    moves: list[Asked] = field(default_factory=list)
    question: Asked | None = None
    deeper: Asked | None = None
    known: OrderedDict[Question, Mapping[str, Any]] = field(default_factory=OrderedDict)
    own: dict[str, tuple[str, ...]] = field(default_factory=dict)
    message: str | None = None
    about: str | None = None
    lost: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Scene:
    """All that one run of the page draws.

    project, state, steps : as stored; state is None before the first fit
    running : the long job of the project, if there is one
    change : R2 on checked rows, this state's less that of the one it was made from
    costly : whether the last move named an edge and cost more than it should
    """

    project: Project
    state: State | None
    steps: tuple[Step, ...]
    running: Job | None
    change: float | None

    @property
    def costly(self) -> bool:
        return self.change is not None and self.change < COSTLY and self.state.step.move.get("name") in ("snap", "prune", "eliminate")

    @property
    def view(self) -> Mapping[str, Any]:
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
        self.project, self.memory = project, memory

    # ---- what to draw

    def scene(self) -> Scene:
        """Look at everything anew: what finished meanwhile, and where the project stands, whoever moved it."""
        self._settle()
        state = self._store.states.get(self.project)
        steps = self._store.states.history(self.project)
        running = next((job for job in self._pool.jobs(self.project) if job.task in LONG and not job.finished), None)
        change = None if state is None else change_of(state.step, steps)
        return Scene(self._store.projects.get(self.project), state, steps, running, change)

    def canvas(self, scene: Scene, height: int) -> dict[str, Any]:
        """Return the payload of the network."""
        drawing = scene.view.get("drawing") or {"layers": [], "edges": []}
        job = None
        if scene.running is not None:
            if not drawing["edges"]:
                drawing = self._frame(scene.running.id) or drawing
            job = {
                "stream": _stream(scene.running.id), "title": LONG[scene.running.task],
                "fraction": scene.running.progress, "message": scene.running.message,
            }  # fmt: skip
        if self.memory.selected not in {edge["id"] for edge in drawing["edges"]}:
            self.memory.selected = None
        busy = [edge for asked in self.memory.moves if (edge := asked.about)]
        return {
            **drawing, "name": scene.project.name, "revision": self.memory.revision, "selected": self.memory.selected, "busy": busy,
            "hints": [] if scene.running else list(HINTS), "streams": self._streams(scene), "job": job, "height": height,
        }  # fmt: skip

    def inspector(self, scene: Scene, height: int) -> dict[str, Any] | None:
        """Return the payload of the inspector; None while no edge is in hand, or nothing is known of it yet."""
        edge, memory = self.memory.selected, self.memory
        if scene.state is None or edge is None:
            return None
        question = (scene.state.step.id, edge, memory.own.get(edge, ()))
        told = self._told(question)
        if told is None:
            return None
        message = memory.message if memory.about == edge else None
        return {
            **told, "revision": memory.revision, "busy": bool(memory.moves), "height": height, "message": message or told.get("message"),
            "searching": memory.deeper is not None and memory.deeper.about == question,
        }  # fmt: skip

    @property
    def refusal(self) -> str | None:
        """Why the last request about the whole page was refused."""
        return self.memory.message if self.memory.about is None else None

    # ---- what a person does

    def select(self, edge: str | None) -> None:
        """Take an edge in hand, or put it down; what is no address is nothing."""
        try:
            self.memory.selected = None if edge is None else edge_id(parse_edge(edge))
        except WorkbenchError:
            self.memory.selected = None
        self._forget_message()

    def act(self, actions: Sequence[Action], component: str) -> None:
        """Do what was asked for on a component, in order, each once."""
        for action in actions:
            self.memory.done[component] = action.order
            self._forget_message()
            self._guarded(lambda action=action: self._perform(action), edge_id(action.edge) if action.edge else None)

    def move(self, name: str, **arguments: Any) -> None:
        """Make a move that is not about one edge: refit, eliminate, prune."""
        self._forget_message()
        self._guarded(lambda: self._submit_move(name, arguments, None), None)

    def history(self, way: Literal["undo", "redo"]) -> None:
        """Step back or forward. A move that is still under way is taken back by stopping it."""
        self._forget_message()
        if way == "undo" and self.memory.moves:
            self._jobs.stop(self.memory.moves.pop().job)
            self.memory.revision += 1
            return
        self._guarded(lambda: getattr(self._store.states, way)(self.project), None)
        self.memory.revision += 1

    def go_to(self, state: int) -> None:
        """Go to any state of the history."""
        self._forget_message()
        self._guarded(lambda: self._store.states.go_to(self.project, state), None)
        self.memory.revision += 1

    def start(self, task: str, **arguments: Any) -> None:
        """Start a long job: "discovery.auto" or "discovery.name_edges"; one at a time."""
        self._forget_message()
        if self._jobs_running() is None:
            self._guarded(lambda: self._jobs.submit(self.project, task, arguments), None)

    def stop(self) -> None:
        """Stop the long job."""
        if (job := self._jobs_running()) is not None:
            self._jobs.stop(job.id)

    def lose(self, stream: str | None) -> None:
        """Note that the browser cannot follow a stream: the page must look by itself."""
        if stream:
            self.memory.lost.add(stream.split("?")[0])

    @property
    def must_look(self) -> bool:
        """Whether something is under way that nobody will tell the page about."""
        return bool(self.memory.lost & {url.split("?")[0] for url in self._streams(None)})

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
            self.history(cast("Literal['undo', 'redo']", operation))
        elif operation == "close":
            self.memory.selected = None
            self.memory.revision += 1
        elif operation == "search":
            self._search(cast("Edge", edge))
        elif operation == "fit_form":
            self._type(cast("Edge", edge), action.text or "")
        elif operation in _MOVES:
            self._submit_move(operation, _arguments(action), edge_id(cast("Edge", edge)))

    def _type(self, edge: Edge, text: str) -> None:
        known = self.memory.own.get(edge_id(edge), ())
        self.memory.own[edge_id(edge)] = tuple(dict.fromkeys((*known, text)))
        self.memory.revision += 1

    def _search(self, edge: Edge) -> None:
        state = self._store.projects.get(self.project).cursor
        if state is None or self.memory.deeper is not None:
            return
        own = self.memory.own.get(edge_id(edge), ())
        job = self._jobs.submit(self.project, "discovery.deepen", {"edge": list(edge), "own": list(own), "state": state})
        self.memory.deeper = Asked(job.id, (state, edge_id(edge), own))
        self.memory.revision += 1

    def _submit_move(self, name: str, arguments: Mapping[str, Any], edge: str | None) -> None:
        """Hand in a move and wait a moment for it; moves that follow one another go to the worker in order."""
        self._drop_question()
        job = self._jobs.submit(self.project, "discovery.move", {"move": {"name": name, "arguments": arguments}}, lane="interactive")
        self.memory.moves.append(Asked(job.id, edge or ""))
        try:
            self._pool.wait(job.id, PATIENCE)
        except TimeoutError:
            return
        except WorkbenchError:
            pass  # it is told when the finished jobs are looked through, with all others
        self._settle()

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
                self._refuse(str(problem), asked.about or None)
        self.memory.moves = waiting
        self._settle_deeper()

    def _settle_deeper(self) -> None:
        asked = self.memory.deeper
        if asked is None:
            return
        try:
            self._learn(asked.about, cast("Mapping[str, Any]", self._pool.wait(asked.job, 0).value))
        except TimeoutError:
            return
        except WorkbenchError as problem:
            self._refuse(str(problem), asked.about[1])
        self.memory.deeper = None
        self.memory.revision += 1

    def _told(self, question: Question) -> Mapping[str, Any] | None:
        """Return what is known of an edge; asks a worker where it is not all known yet."""
        memory = self.memory
        if question in memory.known:
            memory.known.move_to_end(question)
            return memory.known[question]
        if memory.question is None or memory.question.about != question:
            self._drop_question()
            state, edge, own = question
            given = {"edge": list(parse_edge(edge)), "state": state, "own": list(own)}
            memory.question = Asked(self._jobs.submit(self.project, "discovery.inspect", given, lane="interactive").id, question)
        return self._heard(memory.question)

    def _heard(self, asked: Asked) -> Mapping[str, Any] | None:
        """Return the answer or, as long as there is none, the latest word on the way; waits a moment for the first."""
        for event in self._pool.events(asked.job, asked.seen, 0.0 if asked.latest else FIRST_LOOK):
            asked.seen = event.number
            if isinstance(event.payload, Mapping) and "inspection" in event.payload:
                asked.latest = cast("Mapping[str, Any]", event.payload["inspection"])
                break
        return self._answer(asked, asked.latest)

    def _answer(self, asked: Asked, latest: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        try:
            answer = cast("Mapping[str, Any]", self._pool.wait(asked.job, 0).value)
        except TimeoutError:
            return latest
        except WorkbenchError as problem:
            self.memory.question = None
            return self._without_own(asked.about, str(problem))
        self.memory.question = None
        self._learn(asked.about, answer)
        return answer

    def _without_own(self, question: Question, problem: str) -> Mapping[str, Any] | None:
        """A form that was typed cannot be fitted: forget it, say why, and show the edge without it."""
        state, edge, own = question
        if not isinstance(problem, str) or not own:
            self._refuse(problem, edge)
            return None
        self.memory.own[edge] = own[:-1]
        self._refuse(problem, edge)
        return self._told((state, edge, own[:-1]))

    def _learn(self, question: Question, answer: Mapping[str, Any]) -> None:
        known = self.memory.known
        known[question] = answer
        known.move_to_end(question)
        if len(known) > KEPT:
            known.popitem(last=False)

    def _drop_question(self) -> None:
        """Nobody waits for the answer any more: the worker is needed for something else."""
        if self.memory.question is not None:
            self._jobs.stop(self.memory.question.job)
            self.memory.question = None

    def _frame(self, job: str) -> dict[str, Any] | None:
        """Return the latest whole drawing that a fit has told, for a project that has none yet."""
        latest = None
        for event in self._pool.events(job, 0, 0.0):
            if isinstance(event.payload, Mapping) and "layers" in event.payload:
                latest = event.payload
        return None if latest is None else {"layers": latest["layers"], "edges": list(latest["edges"].values())}

    def _streams(self, scene: Scene | None) -> list[str]:
        """Return the streams of everything that is under way."""
        running = scene.running if scene is not None else self._jobs_running()
        asked = [*self.memory.moves, *filter(None, (self.memory.question, self.memory.deeper))]
        return ([_stream(running.id)] if running else []) + [f"{_stream(one.job)}?after={one.seen}" for one in asked]

    def _jobs_running(self) -> Job | None:
        return next((job for job in self._pool.jobs(self.project) if job.task in LONG and not job.finished), None)

    def _guarded(self, call: Any, edge: str | None) -> None:
        try:
            call()
        except WorkbenchError as problem:
            self._refuse(str(problem), edge)

    def _refuse(self, sentence: str, edge: str | None) -> None:
        self.memory.message, self.memory.about = sentence, edge if edge == self.memory.selected else None
        self.memory.revision += 1

    def _forget_message(self) -> None:
        self.memory.message = self.memory.about = None


def _stream(job: str) -> str:
    return f"/api/jobs/{job}/events"


def _arguments(action: Action) -> dict[str, Any]:
    edge = list(cast("Edge", action.edge))
    if action.operation == "prune":
        return {"edges": [edge]}
    if action.operation == "snap":
        parameters = {"parameters": dict(action.parameters)} if action.parameters else {}
        return {"edge": edge, "form": action.form, **parameters}
    return {"edge": edge}
