"""Search for whole formulas: several engines behind one interface.

    SearchProblem (rows, names, what binds the search)  ->  Engine.search  ->  Proposal, Proposal, ... (expressions with fitted constants)

An engine proposes; it judges nothing. Its proposals are fitted again in float64, compiled into networks, certified, and compared on checked
rows by `workbench.discovery`, side by side with what the curves of a KAN were snapped to.
"""

from workbench.search.problem import Engine, Proposal, SearchProblem

__all__ = ["Engine", "Proposal", "SearchProblem"]
