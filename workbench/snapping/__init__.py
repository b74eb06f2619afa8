"""Naming the learned curves: fit every form to an edge, judge it by the whole model, snap, release, lock.

    ranked = candidates(network, edge, problem)          a question: the network stays as it is
    network = snap(network, edge, ranked[0], problem)    a move: a new network
"""

from workbench.snapping.candidates import Candidate, candidates, curve_of, form_of, present_fit
from workbench.snapping.curve import Curve
from workbench.snapping.edge_fit import EdgeFit, fit_forms
from workbench.snapping.intervals import Interval, intervals
from workbench.snapping.moves import lock, release, snap, unlock
from workbench.snapping.ranking import Beyond
from workbench.snapping.stability import Stability, stability

__all__ = [
    "Beyond",
    "Candidate",
    "Curve",
    "EdgeFit",
    "Interval",
    "Stability",
    "candidates",
    "curve_of",
    "fit_forms",
    "form_of",
    "intervals",
    "lock",
    "present_fit",
    "release",
    "snap",
    "stability",
    "unlock",
]
