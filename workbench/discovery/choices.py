"""The forms an edge could be, best first: the candidates of snapping, joined over groups of rows.

Where rows come in groups with a shared form, a form is judged by what it costs all groups together, on the checked rows of all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from workbench import snapping
from workbench.networks import KAN, Edge
from workbench.snapping import Candidate, ranking
from workbench.training import Problem


@dataclass(frozen=True, eq=False)
class Choice:
    """A form for an edge and what it costs the refitted whole model.

    Parameters
    ----------
    name, title, text : the form's name, its name for people, and the edge's formula with its constants (of the first group)
    complexity : of the form
    rmse_validation : error of the refitted whole model on checked rows, in units of the target's spread; None for a preview
    delta_r2 : change of R2 on checked rows against the model as it is; None for a preview and for classes
    refitted : False where only the curve alone was compared so far (a preview)
    tied_with : names of forms the data cannot tell from this one
    candidates : one per group of rows
    """

    name: str
    title: str
    text: str
    complexity: int
    rmse_validation: float | None
    delta_r2: float | None
    refitted: bool
    tied_with: tuple[str, ...]
    candidates: tuple[Candidate, ...]


def choices(
    networks: Sequence[KAN], edge: Edge, problems: Sequence[Problem], roughness: float, **options: Any
) -> tuple[Choice, ...]:
    """Return the forms for an edge, best first."""
    lists = [
        snapping.candidates(network, edge, problem, roughness=roughness, **options)
        for network, problem in zip(networks, problems, strict=True)
    ]
    if len(lists) == 1:
        return tuple(_choice((candidate,)) for candidate in lists[0])
    by_name = [{candidate.form.name: candidate for candidate in found} for found in lists]
    promising = {name for found in by_name for name, candidate in found.items() if candidate.refitted}
    for network, problem, found in zip(networks, problems, by_name, strict=True):  # what one group finds worth a refit, all groups refit
        left = [found[name].form for name in promising if name in found and not found[name].refitted]
        if left:
            more = snapping.candidates(network, edge, problem, left, roughness=roughness)
            found.update({candidate.form.name: candidate for candidate in more})
    joined = [_choice(tuple(found[name] for found in by_name)) for name in by_name[0] if all(name in found for found in by_name)]
    return (*_ranked([choice for choice in joined if choice.refitted]), *(choice for choice in joined if not choice.refitted))


def _choice(candidates: tuple[Candidate, ...]) -> Choice:
    first = candidates[0]
    refitted = all(c.refitted for c in candidates)
    share = np.array([len(c.errors) for c in candidates], dtype=float) if refitted else np.ones(len(candidates))
    share /= share.sum()
    told = refitted and all(c.delta_r2 is not None for c in candidates)
    return Choice(
        name=first.form.name,
        title=first.form.title,
        text=first.text,
        complexity=first.complexity,
        rmse_validation=float(share @ [c.rmse_validation**2 for c in candidates]) ** 0.5 if refitted else None,
        delta_r2=float(share @ [c.delta_r2 for c in candidates]) if told else None,
        refitted=refitted,
        tied_with=first.tied_with if len(candidates) == 1 else (),
        candidates=candidates,
    )


def _ranked(joined: Sequence[Choice]) -> list[Choice]:
    """Order choices of several groups by their errors on the checked rows of all groups, and name what ties."""
    groups = ranking.groups(
        joined,
        lambda choice: np.concatenate([c.errors for c in choice.candidates]),
        lambda choice: float(np.mean([c.burden for c in choice.candidates])),
    )
    return [
        replace(choice, tied_with=tuple(other.name for other in group if other is not choice)) for group in groups for choice in group
    ]
