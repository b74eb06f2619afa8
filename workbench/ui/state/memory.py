"""What one visitor's Workbench page remembers beside what is stored: a reload forgets it, and nothing is lost."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

TYPED = "formula"  # what a request is about that came from the list of formulas
Question = tuple[int, str, tuple[str, ...]]  # state, edge, forms of a person's own


@dataclass
class Asked:
    """A job that was handed in and not yet heard of: what it is about, the last of its events that was seen, and what it told."""

    job: str
    about: Any
    seen: int = 0
    latest: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Waiting:
    """A move that waits for the network that comes of a job; about an edge."""

    job: str
    move: str
    arguments: Mapping[str, Any]
    edge: str


@dataclass
class Memory:
    """What the page remembers of a project.

    selected : the edge in the inspector
    revision : grows with every answer to an action, so that optimistic marks end
    done : component -> number of its last action that was done
    moves : moves that are not finished; each is about an edge, or about "" for the whole network
    waiting : moves that were asked for during a fit, in order
    pausing : a fit that was asked to pause and has not come to rest yet
    announced : the last long job that the rest of the page was told of
    question, deeper : what the inspector waits for
    known : answers about edges, by question
    own : edge -> forms that the person typed for it
    message : why the last request was refused; about says which edge it was about, None for the whole page
    lost : streams the browser could not follow
    prepared : whether a worker was asked to lay the project out
    pictures : state -> its network in small; a state never changes
    row : the row whose attention is looked at, None for the first that is offered
    attention : (state, what was asked, the answer) that came last; looking is what the page waits for
    laws, read : state -> its line in the list of formulas, of all states up to the one numbered `read`
    columns : dataset -> its columns, as the list of formulas names them
    comparing, comparison : two formulas that are being compared, and what came of the last comparison
    opening, files : a file whose formulas are being read, and how many there were before
    """

    selected: str | None = None
    revision: int = 0
    done: dict[str, int] = field(default_factory=dict)
    moves: list[Asked] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)
    pausing: str | None = None
    announced: str | None = None
    question: Asked | None = None
    deeper: Asked | None = None
    known: OrderedDict[Question, Mapping[str, Any]] = field(default_factory=OrderedDict)
    own: dict[str, tuple[str, ...]] = field(default_factory=dict)
    message: str | None = None
    about: str | None = None
    lost: set[str] = field(default_factory=set)
    prepared: bool = False
    pictures: dict[int, str] = field(default_factory=dict)
    row: int | None = None
    attention: tuple[Any, ...] | None = None
    looking: Asked | None = None
    laws: dict[int, dict[str, Any]] = field(default_factory=dict)
    read: int = 0
    columns: dict[int, dict[str, Any]] = field(default_factory=dict)
    comparing: Asked | None = None
    comparison: Mapping[str, Any] | None = None
    opening: Asked | None = None
    files: int = 0

    def refuse(self, sentence: str, edge: str | None = None) -> None:
        """Keep why a request was refused: beside its edge where that is in hand, in the list of formulas, else above everything."""
        self.message, self.about = sentence, edge if edge in (self.selected, TYPED) else None
        self.revision += 1

    def forget_message(self) -> None:
        """What was refused is history as soon as the next thing is asked for."""
        self.message = self.about = None
