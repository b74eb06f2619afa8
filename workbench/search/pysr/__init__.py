"""PySR: genetic search in Julia, used as somebody would who has Julia, and its results read without it.

    PySREngine            a search in a process of its own, the only one that imports PySR; without Julia it is one plain sentence
    open_hall_of_fame     an existing hall_of_fame.csv as proposals, judged and exported like any other

No text of a user becomes Julia source: columns travel as x1, x2, ..., operators come from our own table, and guesses and templates are printed from our trees.

Cranmer (2023) "Interpretable machine learning for science with PySR and SymbolicRegression.jl", arXiv:2305.01582.
"""

from workbench.search.pysr.engine import PySREngine
from workbench.search.pysr.hall_of_fame import HallOfFame, open_hall_of_fame, read_hall_of_fame
from workbench.search.pysr.template import Template, template_of

__all__ = ["HallOfFame", "PySREngine", "Template", "open_hall_of_fame", "read_hall_of_fame", "template_of"]
