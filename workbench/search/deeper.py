"""Search deeper: the engines for whole formulas, set on one edge that no form of the library fits.

    x of the edge, y of the edge   ->   an engine   ->   c*f(x) with its constants   ->   a typed form with letters, ranked like every other candidate

The numbers that the engine found come along as a start, so that the fit which ranks the form begins where the engine ended.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Iterator

from workbench.exceptions import ExpressionError
from workbench.expression import RESERVED_NAMES, Call, Expression, Symbol, add, fold, free_constants, symbols, to_text, with_constants
from workbench.primitives import TypedForm
from workbench.search.problem import Engine, Proposal, SearchProblem
from workbench.snapping.curve import Curve

LONGEST = 30  # nodes: an edge with a longer name is not named
_LETTERS = tuple(letter for letter in string.ascii_lowercase if letter not in RESERVED_NAMES and letter != "x")


def forms(
    curve: Curve,
    engine: Engine,
    stop: Callable[[], bool],
    functions: frozenset[str] | None = None,
    max_complexity: int = LONGEST,
    random_state: int = 0,
) -> Iterator[TypedForm]:
    """Yield forms for the curve of one edge as the engine finds them, each only once.

    Parameters
    ----------
    curve : what the edge received and gave
    functions : names of the functions that may be used; None for all

    Raises
    ------
    MissingEngineError, JobError : as the engine does
    """
    problem = SearchProblem(curve.x[:, None], curve.y, ("x",), curve.weights, functions=functions, max_complexity=max_complexity)
    seen: set[str] = set()
    for proposal in engine.search(problem, stop, random_state):
        form = typed_form(proposal)
        if form is not None and form.text not in seen:
            seen.add(form.text)
            yield form


def typed_form(proposal: Proposal) -> TypedForm | None:
    """Return a proposal in x as a form with letters for its constants; None where it is a constant, or has too many of them.

    >>> from workbench.expression import parse
    >>> form = typed_form(Proposal(parse("1.5*exp(-0.25*x**2) + 7.0"), "operon"))
    >>> form.text, form.near
    ('a*exp(b*x**2)', (1.5, -0.25))
    """
    expression = _without_constant_terms(fold(proposal.expression))
    constants = free_constants(expression)
    if "x" not in symbols(expression) or len(constants) > len(_LETTERS):
        return None
    lettered = with_constants(expression, [Symbol(letter) for letter in _LETTERS[: len(constants)]])
    try:
        return TypedForm(to_text(lettered), constants)
    except ExpressionError:  # too many constants for one edge
        return None


def _without_constant_terms(expression: Expression) -> Expression:
    """Drop what is only added: the node has a bias."""
    if not (isinstance(expression, Call) and expression.function == "add"):
        return expression
    return add(*(term for term in expression.arguments if symbols(term)))
