"""Rival laws: where data are few, several laws fit them as well, and a scientist wants to see them side by side.

From a network that is one curve per input, each rival is a branch of its own:

    one curve         the forms that tie with the best one, and the laws that textbooks are made of, as far as they tie as well;
                      of a temperature in °C or °F the same laws in absolute temperature
    several curves    all of them straight: a linear law, or a power law c x^p z^q where inputs and target are seen as logarithms

Forms that only imitate a simpler one (a tanh far from its bend, say) are left out. A law without an offset is simpler than one with it, and is
offered beside it; where the target is seen as its logarithm the offset is a factor, and stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from workbench.dataset import Dataset
from workbench.discovery.choices import Choice
from workbench.discovery.discovery import Discovery
from workbench.exceptions import SnapError, TrainingError
from workbench.formula.dimensions import SHIFTED
from workbench.networks import LEARNED, Edge
from workbench.snapping.ranking import IMITATION

CLASSICS = ("x", "x^p", "exp", "log", "1/x", "exp(-1/x)", "x/(1+x)")
N_TIED = 5
_ABSOLUTE = {"exp": "c*exp(b/(x+{zero}))", "x^p": "c*(x+{zero})^p", "1/x": "c/(x+{zero})"}  # needs the form of this name -> what is offered


def rival_laws(found: Discovery, functions: Sequence[str] | None, stop: Callable[[], bool]) -> Iterator[Discovery]:
    """Stand on one rival after another; the discovery ends where it began.

    Parameters
    ----------
    found : at a network of one layer, of learned edges
    functions : names of the forms that may be used, None for all
    stop : whether time is over
    """
    start, network = found.state.id, found.network
    edges = network.edges(*LEARNED)
    if len(network.layers) > 1 or len(network.layers[0].nodes) > 1 or not edges or edges != network.edges():
        return
    names = _names(found.branch(), edges[0], functions) if len(edges) == 1 else _allowed(["x"], functions)
    factor = found.data.targets[0].name in found.data.transforms
    for name in names:
        for offset in (True,) if factor else (True, False):
            if stop():
                break
            if not offset and not found.network.layers[0].free_bias.any():
                continue  # it has none already
            try:
                _named(found.go_to(start), edges, name, offset)
            except (SnapError, TrainingError):
                break  # the form is not defined on these values
            yield found
    found.go_to(start)


def _names(found: Discovery, edge: Edge, functions: Sequence[str] | None) -> Iterator[str]:
    """Yield the forms to offer for the one edge: the best one, the classics, the others that tie with the best."""
    choices = found.candidates(edge, library=functions)
    best = choices[0].name
    yield best
    yield from _absolute(found.data, edge, functions)
    classics = [name for name in _allowed(CLASSICS, functions) if name != best]
    known = [choice.name for choice in _genuine(found.candidates(edge, library=classics))] if classics else []
    yield from known
    tied = [choice.name for choice in _genuine(choices) if best in choice.tied_with and choice.name not in CLASSICS]
    yield from tied[:N_TIED]


def _absolute(data: Dataset, edge: Edge, functions: Sequence[str] | None) -> list[str]:
    """Return the laws in absolute temperature, if that is what the edge receives as it stands."""
    column = data.features[edge[1]]
    zero = None if column.name in data.transforms else SHIFTED.get(column.unit)
    return [] if zero is None else [_ABSOLUTE[name].format(zero=zero) for name in _allowed(tuple(_ABSOLUTE), functions)]


def _genuine(choices: Sequence[Choice]) -> list[Choice]:
    """Leave out previews, and forms whose constants the data can hardly tell apart."""
    return [c for c in choices if c.refitted and all(candidate.digits_lost < IMITATION for candidate in c.candidates)]


def _allowed(names: Sequence[str], functions: Sequence[str] | None) -> list[str]:
    return [name for name in names if functions is None or name in functions]


def _named(found: Discovery, edges: Sequence[Edge], name: str, offset: bool) -> None:
    for edge in edges:
        found.snap(edge, name, offset=offset)
