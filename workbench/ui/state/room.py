"""One project open on the Workbench page, whatever kind of model it stands at: what to draw, moves, history, long jobs.

What is drawn comes from the store, so a reload, a second tab and a restarted server show the same. A move is a job for
the interactive worker: it is handed in, awaited for a moment, and otherwise followed by the canvas, which tells the
page when there is news.
"""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, cast

from workbench.exceptions import JobCancelled, WorkbenchError
from workbench.jobs import Job
from workbench.store import Project, State, Step
from workbench.ui.canvas.events import Action, address_text
from workbench.ui.services import Services
from workbench.ui.state.history import change_of
from workbench.ui.state.inspection import Inspection, Subject
from workbench.ui.state.jobs import STEERED, Jobs
from workbench.ui.state.memory import Asked, Memory
from workbench.ui.state.miniature import picture_of
from workbench.ui.state.training import PATIENCE, Training

COSTLY = -0.01  # a snap that changes R2 by less than this is worth a warning
LONG = {
    "discovery.fit": "Fitting", "discovery.refit": "Training on", "discovery.extend": "Fitting what it misses",
    "discovery.auto": "Looking for the law", "discovery.search": "Looking for the law", "discovery.name_edges": "Naming edges",
    "kat.fit": "Training", "kat.name_all": "Naming functions",
}  # fmt: skip
Way = Literal["undo", "redo"]
_REDUCING = ("snap", "name", "prune", "eliminate")  # moves that may cost something


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
    def is_transformer(self) -> bool:
        """Whether what is looked at, or being trained, is a transformer."""
        if self.training is not None:
            return self.training.task.startswith("kat.")
        return self.view.get("kind") == "kat"

    @property
    def is_network(self) -> bool:
        """Whether the state is one of a KAN, and not before the first fit."""
        return self.state is not None and self.view.get("kind") != "kat"

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
    def locked(self) -> int:
        """How many edges of the network are locked."""
        return sum(edge["state"] == "locked" for edge in (self.view.get("drawing") or {}).get("edges", []))

    @property
    def can_undo(self) -> bool:
        return self.state is not None and self.state.step.parent is not None

    @property
    def can_redo(self) -> bool:
        return self.state is not None and self.state.step.redo is not None


class Room(ABC):
    """The Workbench page of one project for one visitor."""

    opening: ClassVar[str]  # task that lays the project out in a worker
    moving: ClassVar[str]  # task that makes a move
    subject: ClassVar[Subject]  # what the inspector asks about

    def __init__(self, services: Services, project: str, memory: Memory) -> None:
        self._store, self._pool, self._jobs = services.store, services.pool, Jobs(services)
        self._inspection = Inspection(services, project, memory, self.subject)
        self.training = Training(services, project, memory)
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
            self._guarded(lambda: self._jobs.submit(self.project, self.opening, lane="interactive"))

    def _job(self, running: Job) -> dict[str, Any]:
        """Return what the canvas says of a long job."""
        live = self.training.live(running.id)
        return {
            "stream": stream_of(running.id), "title": LONG[running.task], "status": running.status, "fraction": running.progress,
            "message": running.message, "errors": live.errors, "iterations": live.iterations,
        }  # fmt: skip

    @property
    def refusal(self) -> str | None:
        """Why the last request about the whole page was refused."""
        return self.memory.message if self.memory.about is None else None

    def pictures(self, states: Iterable[int]) -> dict[int, str]:
        """Return the networks of some states in small, as SVG; one without a drawing has none."""
        wanted, drawn = list(states), self.memory.pictures
        views = self._store.states.views(self.project, [state for state in wanted if state not in drawn])
        drawn |= {state: image for state, view in views.items() if (image := picture_of(view))}
        return {state: drawn[state] for state in wanted if state in drawn}

    # ---- what a person does

    @abstractmethod
    def select(self, address: str | None) -> None:
        """Take an edge or a function in hand, or put it down; what is no address is nothing."""

    @abstractmethod
    def _perform(self, action: Action) -> None:
        """Do one action of a component."""

    def act(self, actions: Sequence[Action], component: str) -> None:
        """Do what was asked for on a component, in order, each once."""
        for action in actions:
            self.memory.done[component] = action.order
            self._guarded(lambda action=action: self._perform(action), self._beside(action))

    def _beside(self, action: Action) -> str | None:
        """Say beside what a refusal of an action is told."""
        return address_text(action.edge) if action.edge else None

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
        """Start a long job, such as "discovery.auto" or "discovery.name_edges"; one at a time."""
        if self._running() is None:
            self._guarded(lambda: self._jobs.submit(self.project, task, arguments))

    def go_on(self) -> None:
        """Go on with a paused fit."""
        self.training.go_on()

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

    # ---- inside

    def _ask(self, task: str, state: int) -> Mapping[str, Any]:
        given = {"workspace": str(self._store.path), "project": self.project, "state": state}
        return cast("Mapping[str, Any]", self._jobs.ask(task, given).value)

    def _submit(self, name: str, arguments: Mapping[str, Any], edge: str) -> None:
        """Hand in a move and wait a moment for it; moves that follow one another go to the worker in order. During a fit it waits for that."""
        training = self.training.job
        if training is not None:
            self.training.wait(training, name, arguments, edge)
            return
        self._inspection.drop()
        job = self._jobs.submit(self.project, self.moving, {"move": {"name": name, "arguments": arguments}}, lane="interactive")
        self.memory.moves.append(Asked(job.id, edge))
        self._await_moves()

    def _await_moves(self) -> None:
        """Wait a moment for the move that was handed in last."""
        with contextlib.suppress(TimeoutError, WorkbenchError):  # what came of it is told with everything else that finished
            self._pool.wait(self.memory.moves[-1].job, PATIENCE)
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
                self.memory.refuse(str(problem), asked.about or None)
        self.memory.moves = waiting
        self._inspection.settle()
        for one in self.training.due():
            self._guarded(lambda one=one: self._submit(one.move, one.arguments, one.edge), one.edge)

    def _running(self) -> Job | None:
        return next((job for job in self._pool.jobs(self.project) if job.task in LONG and not job.finished), None)

    def _streams(self, running: Job | None) -> list[str]:
        """Return the streams of everything that is under way."""
        asked = [*self.memory.moves, *filter(None, (self.memory.question, self.memory.deeper))]
        return ([stream_of(running.id)] if running else []) + [f"{stream_of(one.job)}?after={one.seen}" for one in asked]

    def _guarded(self, call: Callable[[], object], edge: str | None = None) -> None:
        """Do something a person asked for; where it cannot be done, keep the sentence that says why."""
        self.memory.forget_message()
        try:
            call()
        except WorkbenchError as problem:
            self.memory.refuse(str(problem), edge)


def stream_of(job: str) -> str:
    """Return the address under which a job is followed."""
    return f"/api/jobs/{job}/events"
