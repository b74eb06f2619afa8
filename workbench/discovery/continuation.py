"""A search that one engine goes on with, from where a discovery stands.

The present formula is what PySR starts from; or the present network says which pieces the law has, and PySR searches these. Our own engine and
Operon start from the rows alone. What is found is adopted as everything else is: a branch for every formula, fitted again and judged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from workbench.discovery.autopilot.findings import Finding
from workbench.discovery.autopilot.proposals import Collected, adopted, search_problem
from workbench.discovery.discovery import Discovery
from workbench.exceptions import DiscoveryError
from workbench.expression import Expression, mul
from workbench.search.engines import engine
from workbench.search.process import within

if TYPE_CHECKING:
    from workbench.search import Engine
    from workbench.search.pysr import Template

Stop = Callable[[], bool]
_SEARCH = 0.85  # share of the time; the rest is for fitting again what was found


def searched_on(found: Discovery, name: str, time_budget: float, keep_structure: bool = False, stop: Stop = lambda: False) -> Iterator[Finding]:
    """Yield the formulas that an engine finds in so many seconds, best first, the discovery standing at each; nothing before the search has ended.

    Parameters
    ----------
    name : one of `workbench.search.engines.NAMES`
    keep_structure : search the pieces that the present network's structure has, by PySR
    stop : asked often; where it is true, what there is is adopted

    Raises
    ------
    MissingEngineError : the engine is not installed
    JobError : its process failed before it had proposed anything
    DiscoveryError : a whole formula cannot be searched for these data, or the structure says nothing of it
    """
    problem = search_problem(found.data)
    if problem is None:
        raise DiscoveryError("search(): engines look for one formula of one measured target. Name the edges of a network instead: classes, groups and several targets have one.")
    collected = Collected(problem)
    chosen, over = _chosen(found, name, keep_structure), within(_SEARCH * time_budget, stop)
    with np.errstate(all="ignore"):  # an engine tries much that has no value
        for proposal in chosen.search(problem, over):
            collected.take(proposal)
            if collected.exact:
                break
    if not collected.front:
        raise DiscoveryError(f"search(): the engine {name} has found nothing in {time_budget:g} s. Give it more time.")
    held = False
    for each in adopted(found, collected.front, stop):
        held = True
        yield each
    if not held:
        raise DiscoveryError(f"search(): what the engine {name} found has no finite value on every row.")


def _chosen(found: Discovery, name: str, keep_structure: bool) -> Engine:
    if not keep_structure:
        return engine(name, _guesses(found))
    if name != "pysr":
        raise DiscoveryError(f"search(): the engine {name} knows of no structure. PySR does: engine='pysr'.")
    from workbench.search.pysr import PySREngine

    return PySREngine(template=_template(found))


def _guesses(found: Discovery) -> tuple[Expression, ...]:
    """Return the present formula, if there is one without nameless curves."""
    formula = found.formula() if found.path else None
    return () if formula is None or formula.definitions else (formula.outputs[0].expression,)


def _template(found: Discovery) -> Template:
    """Return the pieces of the law in the columns' own units: what adds up to a logarithm is a product."""
    from workbench.search.pysr import Template, template_of

    template = template_of(found.network, [column.symbol for column in found.data.features])
    logarithm = found.data.targets[0].name in found.data.transforms
    if template is None or (logarithm and found.network.layers[-1].nodes[0].kind == "product"):
        raise DiscoveryError("search(): the structure of this network says nothing: all columns meet in one piece. Prune it until some of them go separate ways.")
    return Template(template.pieces, mul(*template.combine.arguments)) if logarithm else template
