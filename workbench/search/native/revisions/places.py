"""The places of a formula where something else could stand, and what a change there does to its values.

    y = shell(s):        a change d of the part s changes y by D d,    D = dy/ds
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from workbench.expression import Call, Expression, Number, add, evaluate, mul, substitute, symbols
from workbench.search.native.state import HOLE

_STEP = 1e-6  # of the size of a part: a central difference
_MOST_TAKEN_APART = 5  # arguments of a sum or a product, of which two may be replaced by one


@dataclass(frozen=True, eq=False)
class Place:
    """A part of a formula, and the rest of it.

    Parameters
    ----------
    shell : the formula with HOLE in place of the part
    part : what stands there now
    within : what it is an argument of: "mul", "add" ...; empty where it is the whole
    scaled : whether a fitted constant stands beside it as a factor
    """

    shell: Expression
    part: Expression
    within: str = ""
    scaled: bool = False

    def filled(self, other: Expression) -> Expression:
        return substitute(self.shell, {HOLE.name: other})


def places(expression: Expression) -> Iterator[Place]:
    """Yield every part of a formula that holds a variable or is a term, and every two terms or factors that stand together."""
    yield Place(HOLE, expression)
    yield from _below(expression, HOLE)


def _below(node: Expression, shell: Expression) -> Iterator[Place]:
    if not isinstance(node, Call):
        return
    scaled = node.function == "mul" and any(isinstance(each, Number) and not each.exact for each in node.arguments)
    for i, argument in enumerate(node.arguments):
        if not (symbols(argument) or (node.function == "add" and isinstance(argument, Number))):
            continue
        around = substitute(shell, {HOLE.name: _with(node, {i}, HOLE)})
        yield Place(around, argument, node.function, scaled)
        yield from _below(argument, around)
    joined = {"add": add, "mul": mul}.get(node.function)
    if joined is not None and 2 < len(node.arguments) <= _MOST_TAKEN_APART:
        for i, j in combinations(range(len(node.arguments)), 2):
            both = joined(node.arguments[i], node.arguments[j])
            if symbols(both):
                yield Place(substitute(shell, {HOLE.name: _with(node, {i, j}, HOLE)}), both, node.function, scaled)


def _with(node: Call, replaced: set[int], other: Expression) -> Expression:
    """Return a node with one argument in place of some."""
    first = min(replaced)
    return Call(node.function, tuple(other if i == first else each for i, each in enumerate(node.arguments) if i == first or i not in replaced))


def response(place: Place, columns: Mapping[str, np.ndarray], n_rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the values of a part, and the derivative of the formula by them: (n_rows,) each, not finite where one of them is not."""
    with np.errstate(all="ignore"):
        values = np.broadcast_to(np.asarray(evaluate(place.part, columns), dtype=float), (n_rows,))
        step = _STEP * (np.abs(values) + 1e-3 * float(np.sqrt(np.mean(values**2))) + 1e-300)
        above, below = (evaluate(place.shell, {**columns, HOLE.name: values + sign * step}) for sign in (1.0, -1.0))
        return values, np.broadcast_to((above - below) / (2.0 * step), (n_rows,))
