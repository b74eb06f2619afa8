r"""The formula as the page sets it: equations in LaTeX, and the terms in them that belong to edges of the network.

The browser has to find a term again in what was typeset. So a term is set in a colour of its own, #f00001 being the first one's; the page's
style sheet shows all of them in the colour of the text. `terms` gives both, to be kept with the state::

    {"latex": "y = \textcolor{#f00001}{{0.98\,\sin\left(3.01\,x\right)}} + ...",
     "parts": [{"edges": ["0.0.0"], "own": ["0.0.0"]}, ...]}       in the order of the colours; see formula/provenance.py
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workbench.dataset import Dataset
from workbench.discovery.reading import assembled_parts
from workbench.export.latex import symbol, to_coloured_latex
from workbench.expression import walk
from workbench.figures.drawing import edge_id
from workbench.formula import Formula, Part
from workbench.networks import KAN

_LONGEST = 400  # nodes of a formula beyond which the page does not set it
_MOST_WORK = 4000  # snapped edges times nodes of the formula: about 0.3 s, and more than anybody reads term by term
_FIRST = 0xF00001
_LAST = 0xFFFFFF
Colours = Mapping[tuple[int, tuple[int, ...]], str]  # (output, path) -> colour


def equations(formula: Formula, colours: Sequence[Colours] = ()) -> str:
    r"""Return a formula for the page: one line per output, one block per group; empty where it is too long to be read.

    Names and signs only, `\varphi` for edges without a name: the definitions of those are in the exports.

    Parameters
    ----------
    colours : for every group, or for the one there is, which parts are set in which colour
    """
    blocks = list(formula.groups.items()) if formula.groups else [("", formula.outputs)]
    lines = [
        f"{_label(label)}{symbol(output.symbol)} &= {to_coloured_latex(output.expression, _of(colours, block, number))}"
        for block, (label, outputs) in enumerate(blocks)
        for number, output in enumerate(outputs)
    ]
    if formula.complexity > _LONGEST and sum(map(len, lines)) > 20 * _LONGEST:
        return ""
    if len(lines) == 1:
        return lines[0].replace(" &= ", " = ", 1)
    return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"


def terms(formula: Formula, data: Dataset, networks: Sequence[KAN]) -> dict[str, Any] | None:
    """Return the equations with every term in its colour, and what edges the terms came from; None for a formula too long to be told apart.

    Parameters
    ----------
    formula : one that `equations` sets, as read from the networks, its constants rounded or not
    networks : one for every group, or the one there is
    """
    nodes = sum(1 for output in formula.outputs for _ in walk(output.expression))
    trials = sum(len(network.edges("snapped", "locked")) for network in networks)
    if trials * nodes > _MOST_WORK:
        return None
    told = assembled_parts(data, networks)
    numbered = [(block, part) for block, parts in enumerate(told) for part in parts][: _LAST - _FIRST]
    colours: list[dict[tuple[int, tuple[int, ...]], str]] = [{} for _ in told]
    for number, (block, part) in enumerate(numbered):
        colours[block][part.output, part.path] = f"#{_FIRST + number:06x}"
    return {"latex": equations(formula, colours), "parts": [_told(part) for _, part in numbered]}


def _told(part: Part) -> dict[str, list[str]]:
    return {"edges": [edge_id(edge) for edge in part.edges], "own": [edge_id(edge) for edge in part.own]}


def _of(colours: Sequence[Colours], block: int, output: int) -> dict[tuple[int, ...], str]:
    return {path: colour for (number, path), colour in colours[block].items() if number == output} if colours else {}


def _label(text: str) -> str:
    safe = "".join(sign if sign.isalnum() or sign in " .,:()+-=" else " " for sign in text)
    return f"\\text{{{safe}: }} " if text else ""
