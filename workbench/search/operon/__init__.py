"""Operon: genetic programming in C++ with constants tuned by Levenberg-Marquardt, as one engine among others.

It is run as a portfolio: many short runs, each with a small set of operators, because a law hides best among operators it does not use. Operon works in
float32; what it finds is read from the nodes of its trees (its printed constants are cut to six digits), its constants are fitted again in float64, and those
that the rows do not need are dropped.

Burlacu, Kronberger & Kommenda (2020) "Operon C++: an efficient genetic programming framework for symbolic regression", GECCO companion.
"""

from workbench.search.operon.engine import OperonEngine

__all__ = ["OperonEngine"]
