"""Provenance: which edges of a network every part of its formula came from.

Folding merges what edges bring: 2*(3*x + 1) + 4 is 6*x + 6, and both numbers of it belong to more than one edge. So the map cannot be read
off; it is found by trial. One edge at a time is moved a little, the formula is assembled anew, and what is no longer the same has come from
that edge. Assembling is deterministic: what the edge has no part in stays the same to the last bit, so no tolerance is needed.

    y = 0.98*sin(3.01*x) + 1.2*z**2 + 0.5         edge of x moved:  0.99*sin(3.02*x) + 1.2*z**2 + 0.5

Where the moved formula has another shape, because a factor of exactly 1 was not written or two terms met in one, the differing place as a
whole is said to come from the edge: rather too much than too little.

A *part* is what a person would call the term of an edge: the summand or factor that everything the edge has brought lies in. One deep down
in a function is a part of its own, so parts lie in one another:

    exp(sin(pi*x) + y**2)        sin(pi*x): first edge      y**2: second edge      the whole: the edge that is the exponential
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from workbench.expression import Call, Expression, Number, mul, named_functions
from workbench.formula.assembly import Quantity, assemble, edge_name
from workbench.formula.formula import Input
from workbench.networks import KAN, Edge
from workbench.primitives import Form

Path = tuple[int, ...]  # which argument to take at every node on the way down
_STEP = 2.0**-10  # large enough to change every constant that it reaches, small enough to keep the shape


@dataclass(frozen=True)
class Part:
    """A part of an output's expression.

    output, path : where it stands
    edges : all edges that have a share in it
    own : those whose term it is
    """

    output: int
    path: Path
    edges: tuple[Edge, ...]
    own: tuple[Edge, ...]


def parts(network: KAN, inputs: Sequence[Input] | None = None, targets: Sequence[Quantity] | None = None) -> tuple[Part, ...]:
    """Return the parts of the formula that `assemble` reads from the same network, in the order in which they are written.

    An edge that is pruned, or that leads nowhere, has none; one that leads to several terms has as many.
    """
    written = [output.expression for output in assemble(network, inputs, targets).outputs]
    named = frozenset().union(*map(named_functions, written))
    traces: list[dict[Edge, _Trace]] = [{} for _ in written]
    for edge in network.edges():
        name = edge_name(edge)
        moved = written if name in named else [output.expression for output in assemble(_moved(network, edge), inputs, targets).outputs]
        for here, other, own in zip(written, moved, traces, strict=True):
            trace = _Trace(name)
            trace.compare(here, other, ())
            if trace.sites:
                own[edge] = trace
    return tuple(part for number, expression in enumerate(written) for part in _parts(number, expression, traces[number]))


def part_at(expression: Expression, path: Path) -> Expression:
    """Return the part of an expression that a path leads to.

    >>> from workbench.expression import parse
    >>> str(part_at(parse("exp(2*x + y)"), (0, 1)))
    'y'
    """
    for step in path:
        expression = expression.arguments[step]
    return expression


@dataclass(frozen=True)
class _Scaled:
    """A form times a number: what it gives is moved even where none of its constants may be."""

    form: Form

    def expression(self, argument: Expression, parameters: Sequence[float]) -> Expression:
        return mul(1.0 + _STEP, self.form.expression(argument, parameters))


def _moved(network: KAN, edge: Edge) -> KAN:
    """Return the network with one edge moved: what it gives, and the constants in it that a fit may change.

    Each by a factor of its own, for a formula may hold nothing but their ratio: (a*x + b)**2 is a**2*(x + b/a)**2.
    """
    snapped = network.symbolic_edge(edge)
    if snapped is not None:
        steps = [1.0 + (k + 2) * _STEP if free else 1.0 for k, free in enumerate(snapped.free)]
        constants = tuple(value * step for value, step in zip(snapped.parameters, steps, strict=True))
        return network.with_symbolic(edge, replace(snapped, form=_Scaled(snapped.form), parameters=constants))
    level, row, column = network.position(edge)
    layer = network.layers[level]
    return network.with_learned(edge, layer.theta(np.array([row]), np.array([column]))[0] * (1.0 + _STEP))


class _Trace:
    """Where one edge shows in one expression.

    sites : paths to what differs; below a site that is `whole` nothing is told apart
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.sites: dict[Path, bool] = {}

    def compare(self, here: Expression, moved: Expression, path: Path) -> None:
        """Note where two expressions differ, and where the edge stands by its name."""
        if isinstance(here, Call) and here.function == self.name:
            self.sites[path] = False
        if isinstance(here, Call) and isinstance(moved, Call) and (here.function, len(here.arguments)) == (moved.function, len(moved.arguments)):
            for step, pair in enumerate(zip(here.arguments, moved.arguments, strict=True)):
                self.compare(*pair, (*path, step))
        elif here != moved and not (self._beside_number("mul", here, moved, path) or self._beside_number("add", here, moved, path)):
            self.sites[path] = isinstance(here, Call)

    def _beside_number(self, operator: str, here: Expression, moved: Expression, path: Path) -> bool:
        """Compare a product or sum with one that has a number more or less; return whether they are alike but for that."""
        own, others = _without_number(operator, here, path), _without_number(operator, moved, ())
        if len(own) != len(others) or (len(own) == 1 and own[0][0] is here and others[0][0] is moved):
            return False
        self.sites[path] = False
        for (part, where), (other, _) in zip(own, others, strict=True):
            self.compare(part, other, where)
        return True

    def shows_in(self, path: Path) -> bool:
        """Say whether the edge has a share in what stands at a path."""
        return any(site[: len(path)] == path or (whole and path[: len(site)] == site) for site, whole in self.sites.items())


def _without_number(operator: str, expression: Expression, path: Path) -> list[tuple[Expression, Path]]:
    """Return the factors or terms that are no numbers, each with its path; anything else is its own only one."""
    if isinstance(expression, Call) and expression.function == operator:
        return [(part, (*path, step)) for step, part in enumerate(expression.arguments) if not isinstance(part, Number)]
    return [(expression, path)]


def _parts(output: int, expression: Expression, traces: Mapping[Edge, _Trace]) -> list[Part]:
    own: dict[Path, list[Edge]] = {}
    for edge, trace in traces.items():
        for path in _terms(expression, trace, ()):
            own.setdefault(path, []).append(edge)
    return [
        Part(output, path, tuple(edge for edge, trace in traces.items() if trace.shows_in(path)), tuple(edges))
        for path, edges in sorted(own.items())
    ]


def _terms(node: Expression, trace: _Trace, path: Path) -> Iterator[Path]:
    """Yield the paths of what a person would call the terms of an edge that shows in a node."""
    steps = [] if path in trace.sites or not isinstance(node, Call) else _steps(node, trace, path)
    if not steps:
        yield path
    for step, deeper in steps:
        if deeper:
            yield from _terms(node.arguments[step], trace, (*path, step))
        else:
            yield (*path, step)


def _steps(node: Call, trace: _Trace, path: Path) -> list[tuple[int, bool]]:
    """Return the arguments of a node that are told apart, each with whether to go deeper; none where the node is one term of the edge."""
    shown = [step for step in range(len(node.arguments)) if trace.shows_in((*path, step))]
    numbers = [step for step in shown if isinstance(node.arguments[step], Number)]
    others = [step for step in shown if step not in numbers]
    every = [step for step, part in enumerate(node.arguments) if not isinstance(part, Number)]
    if node.function == "add":
        together = path and len(others) > 1 and others == every  # the edge around a sum has moved all of it
        return [] if together else [(step, step in others) for step in shown]
    if node.function == "mul":
        if len(every) > 1 and others and others != every:
            return [(step, step in others and not numbers) for step in shown]  # a number in front that several factors have merged in
        return [] if numbers or len(others) != 1 else [(others[0], True)]
    return [] if numbers or len(others) != 1 else [(others[0], True)]
