"""The forms an edge could be, best first: the candidates of snapping, joined over groups of rows.

Where rows come in groups with a shared form, a form is judged by what it costs all groups together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench import snapping
from workbench.networks import KAN, Edge
from workbench.snapping import Candidate
from workbench.training import Problem


@dataclass(frozen=True, eq=False)
class Choice:
    """A form for an edge and what it costs the refitted whole model.

    Parameters
    ----------
    name, title, text : the form's name, its name for people, and the edge's formula with its constants
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
        return tuple(_choice((candidate,), problems) for candidate in lists[0])
    by_name = [{candidate.form.name: candidate for candidate in found} for found in lists]
    shared = [name for name in by_name[0] if all(name in found for found in by_name)]
    joined = [_choice(tuple(found[name] for found in by_name), problems) for name in shared]
    ranks = {name: float(np.mean([[c.form.name for c in found].index(name) for found in lists])) for name in shared}
    return tuple(sorted(joined, key=lambda choice: (not choice.refitted, ranks[choice.name], choice.complexity)))


def _choice(candidates: tuple[Candidate, ...], problems: Sequence[Problem]) -> Choice:
    rows = np.array([problem.n_rows for problem in problems], dtype=float)
    share = rows / rows.sum()
    first = candidates[0]
    refitted = all(c.refitted for c in candidates)
    return Choice(
        name=first.form.name,
        title=first.form.title,
        text=first.text,
        complexity=first.complexity,
        rmse_validation=float(share @ [c.rmse_validation**2 for c in candidates]) ** 0.5 if refitted else None,
        delta_r2=float(share @ [c.delta_r2 for c in candidates]) if first.delta_r2 is not None and refitted else None,
        refitted=refitted,
        tied_with=tuple(name for name in first.tied_with if all(name in c.tied_with for c in candidates)),
        candidates=candidates,
    )
