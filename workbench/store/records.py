"""What the store returns: frozen records of projects, datasets and states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

Json = Mapping[str, object]
Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Project:
    """One piece of work with its name and where it stands.

    Parameters
    ----------
    id : unguessable text; whoever has the link may open the project
    owner : who it belongs to where people sign in, else None
    created, updated, deleted : seconds since 1970; `deleted` is None unless it lies in the trash
    cursor : the state that is looked at, or None before the first
    dataset : the dataset that new states are made from, or None
    summary : what its card in the list shows (formula, R2, rows ...)
    plan : what was chosen on the page Data: roles, units, how to divide and how to fit; kept from the first click on
    """

    id: str
    name: str
    owner: str | None
    created: float
    updated: float
    deleted: float | None
    cursor: int | None
    dataset: int | None
    summary: Json
    plan: Json = field(default_factory=dict)


@dataclass(frozen=True)
class Data:
    """A dataset: how it was read (JSON), and its values."""

    id: int
    content: Json
    arrays: Arrays


@dataclass(frozen=True)
class SourceFile:
    """The file that a project's table was read from, so that it can be read again in another way."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Step:
    """A state without its network: one line of the history.

    Parameters
    ----------
    id : 1, 2, 3 ... within the project, in the order in which states were made
    parent : the state it was made from, or None
    redo : the child that redo leads to: the one that was visited last
    dataset : the dataset it was made from, or None
    label : the move in words, such as "snap Girth to x^p"
    move : the move as data, so that it can be replayed
    metrics : the figures that the history shows
    created : seconds since 1970
    """

    id: int
    parent: int | None
    redo: int | None
    dataset: int | None
    label: str
    move: Json
    metrics: Json
    created: float


@dataclass(frozen=True)
class State:
    """One state whole: its step, its network (JSON and arrays), and what the page has drawn of it."""

    step: Step
    network: Json
    arrays: Arrays = field(default_factory=dict)
    view: Json = field(default_factory=dict)


@dataclass(frozen=True)
class Draft:
    """What a move has made, before the store gives it a number and a place in the tree.

    dataset : the dataset it was made from; None for the project's present one
    """

    label: str
    move: Json
    network: Json
    arrays: Arrays = field(default_factory=dict)
    metrics: Json = field(default_factory=dict)
    view: Json = field(default_factory=dict)
    dataset: int | None = None
