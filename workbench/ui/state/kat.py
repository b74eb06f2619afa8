"""The page Workbench of a transformer: every activation function, one of them in hand, attention to a row, moves that can all be taken back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from workbench.exceptions import WorkbenchError
from workbench.ui.canvas.events import Action, Function, address_text, parse_function
from workbench.ui.state.inspection import FUNCTIONS, sketch
from workbench.ui.state.memory import Asked
from workbench.ui.state.room import Room, Scene, Way, stream_of

LEARNING = "This function is still being learned. Forms are ranked when the training is finished or kept; what you ask for now waits for that."
NAMING = "Functions are being named, one after the other. Forms are ranked when that is finished or stopped."
FIRST_LOOK = 0.6  # seconds a page waits for the attention to a row before it draws itself without
_MOVES = ("snap", "release")


class KATBench(Room):
    """The Workbench page of one project for one visitor, as long as it stands at a transformer."""

    opening, moving, subject = "kat.open", "kat.move", FUNCTIONS

    # ---- what to draw

    def prepare(self) -> None:
        """Have the worker load torch, and lay the project out, before the first click; once for a visitor, during the first training at the latest."""
        if not self.memory.prepared:
            self.memory.prepared = True
            self._guarded(lambda: self._jobs.submit(self.project, self.opening, lane="interactive"))

    def canvas(self, scene: Scene, height: int) -> dict[str, Any]:
        """Return the payload of the component that draws the functions."""
        drawn = {name: scene.view.get(name, []) for name in ("places", "functions")}
        running, job, streams = scene.running, None, self._streams(scene.running)
        if running is not None:
            live = self.training.live(running.id)
            drawn = live.drawing or drawn  # until the first frame, what was there before
            streams[0] += f"?after={live.seen}"
            job = {**self._job(running), "measure": "loss"}
        if drawn["functions"] and self.memory.selected not in {function["id"] for function in drawn["functions"]}:
            self.memory.selected = None
        return {
            **drawn, "revision": self.memory.revision, "selected": self.memory.selected,
            "busy": [one for one in (*(move.about for move in self.memory.moves), *(wait.edge for wait in self.memory.waiting)) if one],
            "streams": streams, "job": job, "height": height,
        }  # fmt: skip

    def inspector(self, scene: Scene, height: int) -> dict[str, Any] | None:
        """Return the payload of the inspector; None while no function is in hand."""
        memory = self.memory
        live = None if scene.training is None else self.training.live(scene.training.id).drawing
        drawn = _function_of(live or scene.view, memory.selected)  # until the first frame, what was there before
        if drawn is None:
            return None
        rest = {"revision": memory.revision, "height": height, "moves": list(_MOVES)}
        refused = memory.message if memory.about == memory.selected else None
        if scene.training is not None:
            return {**_sketch(drawn), "live": True, "busy": False, "message": refused or self._waiting() or LEARNING, **rest}
        if scene.running is not None:
            return {**_sketch(drawn), "live": True, "busy": True, "message": refused or NAMING, **rest}
        told = self._inspection.told(cast("Any", scene.state).step.id, {**drawn, "importance": None})
        told = told if "chips" in told else {**told, **_sketch(drawn)}
        return {**told, "busy": bool(memory.moves), "message": refused or told.get("message"), **rest}

    def _waiting(self) -> str | None:
        waiting = [one for one in self.memory.waiting if one.edge == self.memory.selected]
        return f"{waiting[-1].move.capitalize()} waits until the training is finished or kept." if waiting else None

    # ---- attention

    def attention(self, scene: Scene, height: int) -> dict[str, Any]:
        """Return the payload of the component that draws the attention to a row; what is known of it so far."""
        state = cast("Any", scene.state).step.id
        asked = (state, self.memory.row)
        known = self.memory.attention if self.memory.attention is not None and self.memory.attention[0] == state else None
        if known is None or known[1] != asked:
            known = self._look(asked) or known
        return {
            **(known[2] if known else {}), "inputs": scene.view.get("inputs", {}), "waiting": known is None or known[1] != asked, "height": height,
            "streams": [stream_of(self.memory.looking.job)] if self.memory.looking is not None else [],
        }  # fmt: skip

    def look_at(self, row: int | None) -> None:
        """Look at another row."""
        self.memory.row = row if isinstance(row, int) and not isinstance(row, bool) and row >= 0 else None

    def _look(self, asked: tuple[int, int | None]) -> tuple[Any, ...] | None:
        memory = self.memory
        if memory.looking is None or memory.looking.about != asked:
            if memory.looking is not None:
                self._jobs.stop(memory.looking.job)
            job = self._jobs.submit(self.project, "kat.attention", {"state": asked[0], "row": asked[1]}, lane="interactive")
            memory.looking = Asked(job.id, asked)
        try:
            answer = cast("Mapping[str, Any]", self._pool.wait(memory.looking.job, FIRST_LOOK).value)
        except TimeoutError:
            return None
        except WorkbenchError as problem:
            memory.looking = None
            memory.refuse(str(problem))
            return None
        memory.looking = None
        memory.attention = (asked[0], asked, answer)
        return memory.attention

    # ---- what a person does

    def select(self, address: str | None) -> None:
        """Take a function in hand, or put it down; what is no address is nothing."""
        self.memory.forget_message()
        try:
            self.memory.selected = None if address is None else address_text(parse_function(address))
        except WorkbenchError:
            self.memory.selected = None

    def script(self, state: int) -> str:
        """Return the decisions up to a state as a Python script."""
        return cast("str", self._ask("kat.described", state)["script"])

    # ---- inside

    def _perform(self, action: Action) -> None:
        operation = action.operation
        if operation in ("undo", "redo"):
            self.history(cast("Way", operation))
        elif operation == "close":
            self.memory.selected = None
            self.memory.revision += 1
        elif action.edge is not None:
            self._about(action, address_text(cast("Function", action.edge)))

    def _about(self, action: Action, function: str) -> None:
        """Do an action on a function."""
        state = self._store.projects.get(self.project).cursor
        if action.operation == "search" and state is not None:
            self._inspection.search(state, function)
        elif action.operation == "fit_form":
            self._inspection.type(function, action.text or "")
        elif action.operation in _MOVES and self._running() is not None and self.training.job is None:
            self.memory.refuse(NAMING, function)
        elif action.operation in _MOVES:
            form = {"form": action.form} if action.operation == "snap" else {}
            self._submit(action.operation, {"function": function, **form}, function)


def _function_of(drawn: Mapping[str, Any] | None, function: str | None) -> Mapping[str, Any] | None:
    return next((one for one in (drawn or {}).get("functions", []) if one["id"] == function), None)


def _sketch(drawn: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the drawing knows of a function, for the moment before the worker's first word."""
    return {
        **sketch({**drawn, "importance": None}), "x_label": "x, what the function receives", "density": drawn["density"],
        "chips": [f"shared by {drawn['channels']} channels"], "text": drawn["text"],
    }  # fmt: skip
