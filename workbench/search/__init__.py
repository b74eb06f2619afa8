"""Search for whole formulas: several engines behind one interface.

    SearchProblem (rows, names, what binds the search)  ->  Engine.search  ->  Proposal, Proposal, ... (expressions with fitted constants)

    native      deterministic screens and reductions, in this process
    textbook    the laws of textbooks, each fitted to a small table: no engine, all of them at once
    operon      Operon, in a process of its own
    pysr        PySR where Julia is, in a process of its own; a hall of fame that exists already, read without it
    deeper      any of them on the curve of one edge

An engine proposes; it judges nothing. Its proposals are fitted again in float64, compiled into networks, certified, and compared on checked
rows by `workbench.discovery`, side by side with what the curves of a KAN were snapped to.
"""

from workbench.search.problem import Dimensions, Engine, Proposal, SearchProblem

__all__ = ["Dimensions", "Engine", "Proposal", "SearchProblem"]
