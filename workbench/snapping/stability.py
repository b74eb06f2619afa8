"""How stable the choice of a form is: would other data from the same source have chosen it too?

Rows are drawn with replacement. For every draw each candidate's model is refitted by one Gauss-Newton step from its fit to all rows,

    r* = r - J^T N^-1 J W r,      N = J J^T + penalty,      W = how often each row was drawn

(the one-step bootstrap: N stays that of all rows, whose weights are one on average; Shao & Tu, 1995, section 8.3), judged on the rows not
drawn, and ranked by the same rule of ties and simplicity as ever. The share of draws that choose a form is its stability.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_solve

from workbench.exceptions import SnapError
from workbench.snapping import ranking
from workbench.snapping.candidates import Candidate
from workbench.snapping.checks import Linear
from workbench.training import Problem


@dataclass(frozen=True)
class Stability:
    """How often each form was chosen.

    Parameters
    ----------
    chosen : form name -> share of the draws, most chosen first
    n_draws : number of draws
    """

    chosen: dict[str, float]
    n_draws: int


def stability(
    candidates: Sequence[Candidate], problem: Problem, generator: np.random.Generator, n_draws: int = 40, roughness: float = 1e-6
) -> Stability:
    """Return how often each refitted candidate of an edge is chosen under resampling of the rows.

    Parameters
    ----------
    candidates : of one edge; previews are passed over
    problem : the rows they were fitted to, with squared loss
    generator : source of randomness
    n_draws : how often rows are drawn
    roughness : weight of the roughness penalty of learned edges

    Raises
    ------
    SnapError : no refitted candidate, or the loss is not squared
    """
    refitted = [candidate for candidate in candidates if candidate.network is not None]
    if not refitted:
        raise SnapError("stability: none of these candidates was refitted, so there is nothing to choose from. Ask for candidates first.")
    if problem.loss != "squared":
        raise SnapError("stability: rows are resampled for measured targets; a classification has no residuals to resample.")
    n_rows, n_targets = problem.n_rows, problem.y.shape[0]
    counts = generator.multinomial(n_rows, np.full(n_rows, 1.0 / n_rows), size=n_draws)  # (n_draws, n_rows)
    squares = [_squares(candidate, problem, np.tile(counts, (1, n_targets)), roughness) for candidate in refitted]
    order = {candidate.name: k for k, candidate in enumerate(refitted)}
    burdens = {candidate.name: candidate.burden for candidate in refitted}
    tally = dict.fromkeys(order, 0)
    for draw in range(n_draws):
        left_out = counts[draw] == 0
        rows = left_out if left_out.any() else np.ones(n_rows, dtype=bool)
        errors = {c.name: of[draw].reshape(n_targets, n_rows).mean(0)[rows] for c, of in zip(refitted, squares, strict=True)}
        best = ranking.groups(list(order), errors.__getitem__, burdens.__getitem__)[0][0]
        tally[best] += 1
    shares = {name: count / n_draws for name, count in sorted(tally.items(), key=lambda item: (-item[1], order[item[0]]))}
    return Stability(shares, n_draws)


def _squares(candidate: Candidate, problem: Problem, counts: np.ndarray, roughness: float) -> np.ndarray:
    """Return the squared residuals of every draw after one step, (n_draws, n_targets * n_rows)."""
    linear = Linear.of(candidate.network, problem, roughness)
    factor, units = linear.factor()
    half = linear.jacobian * units[:, None]
    residual = linear.residual * counts  # (n_draws, n)
    step = cho_solve(factor, half @ residual.T, check_finite=False)  # (n_free, n_draws)
    return (linear.residual - (half.T @ step).T) ** 2
