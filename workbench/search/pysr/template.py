"""The structure of a network as a template for PySR: which pieces there are, what each may depend on, how they are put together.

    a node that adds what two hidden nodes give, one of x1 and x2, one of x3        ->        f1(x1, x2) + f2(x3)
    a product node with two factors                                                 ->        f1(x1, x2) * f2(x3)

The curve that leaves a hidden node is part of its piece. PySR then searches the pieces, which is far easier than the whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workbench.exceptions import ExpressionError
from workbench.expression import Expression, Symbol, add, mul, substitute, symbols
from workbench.networks import KAN


@dataclass(frozen=True)
class Template:
    """How pieces make the whole.

    Parameters
    ----------
    pieces : name -> the symbols it may use, in the order of its arguments #1, #2, ...
    combine : the whole, with each piece as a symbol of its name
    """

    pieces: Mapping[str, tuple[str, ...]]
    combine: Expression

    def __post_init__(self) -> None:
        if unknown := symbols(self.combine) - set(self.pieces):
            raise ExpressionError(f"Template: {', '.join(sorted(unknown))} stands in the whole and is no piece. Pieces: {', '.join(self.pieces)}.")
        if clash := set(self.pieces) & {name for names in self.pieces.values() for name in names}:
            raise ExpressionError(f"Template: {', '.join(sorted(clash))} is a piece and a column. Give the piece another name.")

    def assembled(self, found: Mapping[str, Expression]) -> Expression:
        """Put the pieces that were found into the whole."""
        return substitute(self.combine, found)


def template_of(network: KAN, names: Sequence[str], output: int = 0) -> Template | None:
    """Return the template of a network's structure, or None where it says nothing: all columns meet in one piece.

    Parameters
    ----------
    names : symbols of the inputs
    output : which output
    """
    node = network.layers[-1].nodes[output]
    reach = _reach(network)
    if node.kind == "product":
        parts = [frozenset().union(*(reach[source] for source in _sources(network, slot))) for slot in node.factors]
    else:
        parts = _separate([reach[source] for source in _sources(network, node.id)])
    parts = [part for part in parts if part]
    if len(parts) < 2:
        return None
    labels = _labels(len(parts), names)
    pieces = {label: tuple(names[index] for index in sorted(part)) for label, part in zip(labels, parts)}
    combine = mul if node.kind == "product" else add
    return Template(pieces, combine(*map(Symbol, labels)))


def _reach(network: KAN) -> dict[int, frozenset[int]]:
    """Return which inputs each node below the last layer depends on."""
    reach = {source: frozenset([source]) for source in network.layers[0].sources}
    for level, layer in enumerate(network.layers[:-1]):
        below, reach = reach, {}
        for node in layer.nodes:
            reach[node.id] = frozenset().union(*(below[source] for slot in node.factors for source in _sources(network, slot, level)))
    return reach


def _sources(network: KAN, slot: int, level: int = -1) -> list[int]:
    """Return the nodes with a living edge into a slot."""
    layer = network.layers[level]
    row = layer.targets.index(slot)
    return [source for column, source in enumerate(layer.sources) if layer.alive[row, column]]


def _separate(parts: Sequence[frozenset[int]]) -> list[frozenset[int]]:
    """Drop terms whose columns another term has as well: f(x1, x2) + g(x1) is one f(x1, x2)."""
    kept: list[frozenset[int]] = []
    for part in sorted(parts, key=lambda part: (-len(part), sorted(part))):
        if not any(part <= other for other in kept):
            kept.append(part)
    return kept


def _labels(count: int, names: Sequence[str]) -> list[str]:
    """Return f1, f2, ..., with another letter where a column is called so."""
    letter = next(letter for letter in "fghuvw" if not any(name.startswith(letter) for name in names) or letter == "w")
    mark = "" if not any(name.startswith(letter) for name in names) else "piece_"
    return [f"{mark}{letter}{number}" for number in range(1, count + 1)]
