"""What the inspector shows of the edge in hand, as far as it is known yet.

    the curve       at once
    previews        every form fitted to the curve, a moment later
    ranked forms    judged by the refitted whole model
    deeper          every form judged so, with how stable the choice is: when a person asks for it

An answer about an edge of a state is kept: states never change.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from workbench.exceptions import JobCancelled, JobError, WorkbenchError
from workbench.ui.canvas.events import address_text, parse_edge, parse_function
from workbench.ui.services import Services
from workbench.ui.state.jobs import Jobs
from workbench.ui.state.memory import Asked, Memory, Question

FIRST_LOOK = 0.12  # seconds a page waits for the first word about an edge before it draws what it has
FOUND = "found form"  # how a form is called that an engine has found (primitives.TypedForm)
KEPT = 24  # edges whose description stays at hand


@dataclass(frozen=True)
class Subject:
    """What is asked about: the tasks that answer, and how they are told its address, which the canvas writes as a text."""

    inspect: str
    deepen: str
    told: Callable[[str], Mapping[str, Any]]


EDGES = Subject("discovery.inspect", "discovery.deepen", lambda edge: {"edge": list(parse_edge(edge))})
FUNCTIONS = Subject("kat.inspect", "kat.deepen", lambda function: {"function": address_text(parse_function(function))})


class Inspection:
    """Questions about the edges, or the activation functions, of a project, for one visitor."""

    def __init__(self, services: Services, project: str, memory: Memory, subject: Subject = EDGES) -> None:
        self._pool, self._jobs, self._subject = services.pool, Jobs(services), subject
        self.project, self.memory = project, memory

    def told(self, state: int, drawn: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is known of an edge, at least what is drawn of it; a worker is asked where that is not all.

        Parameters
        ----------
        state : the state that is looked at
        drawn : the edge in the state's drawing
        """
        edge = str(drawn["id"])
        question = (state, edge, self.memory.own.get(edge, ()))
        known = self._known(question) or self.memory.known.get((state, edge, question[2][:-1])) or sketch(drawn)
        deeper = self.memory.deeper
        if deeper is None or deeper.about != question:
            return {**known, "searching": None}
        return {**known, "searching": self._words(deeper.job)}

    def _words(self, job: str) -> str:
        with contextlib.suppress(JobError):
            return self._pool.get(job).message or "waiting for its turn"
        return ""

    def type(self, edge: str, text: str) -> None:
        """Add a form of the person's own to those of an edge."""
        known = self.memory.own.get(edge, ())
        self.memory.own[edge] = tuple(dict.fromkeys((*known, text)))
        self.memory.revision += 1

    def search(self, state: int, edge: str) -> None:
        """Have every form judged by the refitted whole model; one such search at a time."""
        if self.memory.deeper is None:
            own = self.memory.own.get(edge, ())
            job = self._jobs.submit(self.project, self._subject.deepen, {**self._subject.told(edge), "own": list(own), "state": state})
            self.memory.deeper = Asked(job.id, (state, edge, own))
        self.memory.revision += 1

    def found_with(self, state: int | None, edge: str, form: str | None) -> dict[str, float]:
        """Return the constants with which an engine found a form of an edge, so that a fit need not find them again; empty for other forms."""
        known = (answer for (of, about, _), answer in self.memory.known.items() if (of, about) == (state, edge))
        forms = (candidate for answer in known for candidate in answer["candidates"])
        return next((dict(one["parameters"]) for one in forms if one["name"] == form and one["title"] == FOUND), {})

    def end_search(self) -> None:
        """End the deeper search; what was known before stays."""
        if self.memory.deeper is not None:
            self._jobs.stop(self.memory.deeper.job)

    def settle(self) -> None:
        """Take note of a deeper search that is finished."""
        asked = self.memory.deeper
        if asked is None:
            return
        try:
            self._learn(asked.about, cast("Mapping[str, Any]", self._pool.wait(asked.job, 0).value))
        except TimeoutError:
            return
        except JobCancelled:
            pass
        except WorkbenchError as problem:
            self.memory.refuse(str(problem), asked.about[1])
        self.memory.deeper = None
        self.memory.revision += 1

    def drop(self) -> None:
        """Nobody waits for the answer any more: the worker is needed for something else."""
        if self.memory.question is not None:
            self._jobs.stop(self.memory.question.job)
            self.memory.question = None

    def _known(self, question: Question) -> Mapping[str, Any] | None:
        memory = self.memory
        if question in memory.known:
            memory.known.move_to_end(question)
            return memory.known[question]
        if memory.question is None or memory.question.about != question:
            self.drop()
            state, edge, own = question
            given = {**self._subject.told(edge), "state": state, "own": list(own)}
            memory.question = Asked(self._jobs.submit(self.project, self._subject.inspect, given, lane="interactive").id, question)
        return self._heard(memory.question)

    def _heard(self, asked: Asked) -> Mapping[str, Any] | None:
        """Return the answer or, as long as there is none, the latest word on the way; waits a moment for the first."""
        try:
            for event in self._pool.events(asked.job, asked.seen, 0.0 if asked.latest else FIRST_LOOK):
                asked.seen = event.number
                if isinstance(event.payload, Mapping) and "inspection" in event.payload:
                    asked.latest = cast("Mapping[str, Any]", event.payload["inspection"])
                    break
            answer = cast("Mapping[str, Any]", self._pool.wait(asked.job, 0).value)
        except TimeoutError:
            return asked.latest
        except WorkbenchError as problem:
            self.memory.question = None
            return self._without_own(asked.about, str(problem))
        self.memory.question = None
        self._learn(asked.about, answer)
        return answer

    def _without_own(self, question: Question, problem: str) -> Mapping[str, Any] | None:
        """A form that was typed cannot be fitted: forget it, say why, and show the edge without it."""
        state, edge, own = question
        self.memory.refuse(problem, edge)
        self.memory.own[edge] = own[:-1]
        return self._known((state, edge, own[:-1])) if own else None

    def _learn(self, question: Question, answer: Mapping[str, Any]) -> None:
        known = self.memory.known
        known[question] = answer
        known.move_to_end(question)
        if len(known) > KEPT:
            known.popitem(last=False)


def sketch(drawn: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the drawing knows of an edge, for the moment before the worker's first word."""
    low, high = drawn["range"]
    start, end = drawn["x"]
    last = max(1, len(drawn["y"]) - 1)
    return {
        "edge": drawn["id"], "label": drawn["label"], "state": drawn["state"], "importance": drawn["importance"],
        "x": [start + (end - start) * k / last for k in range(len(drawn["y"]))],
        "y": [None if y is None else low + (high - low) * y / 1000 for y in drawn["y"]],
        "range": [start, end], "x_label": "", "points": [], "current": None, "stability": None, "constants": [], "candidates": [],
        "beyond": {"x": [], "forms": []},
    }  # fmt: skip
